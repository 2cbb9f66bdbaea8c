// SPDX-License-Identifier: MIT
#include "dns/name.h"
#include "tests/test.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return name;
}

static void assert_name(const struct dns_name *name, const char *want)
{
    char text[DNS_NAME_TEXT_MAX];
    assert_int_equal(dns_name_text(name, text), strlen(want));
    assert_string_equal(text, want);
}

/* Octets, read from `off` on. */
struct read_case {
    const char *what;
    uint32_t off;
    uint8_t wire[32];
    uint32_t len;
    enum dns_err want;
    const char *text;
    uint32_t behind; /* where the reader stands afterwards */
};

// clang-format off
static const struct read_case reads[] = {
    {"the root",                 0, HEX(0), DNS_OK, ".", 1},
    {"one label",                0, HEX(3, 'N', 'e', 't', 0, 9), DNS_OK, "Net.", 5},
    /* RFC 1035 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA, the root */
    {"a pointer for the tail",   6, HEX(1, 'F', 1, 'I', 0, 0, 2, 'F', 'O', 0xc0, 0), DNS_OK, "FO.F.I.", 11},
    {"nothing but a pointer",    5, HEX(1, 'F', 1, 'I', 0, 0xc0, 2), DNS_OK, "I.", 7},
    {"a pointer to a pointer",   5, HEX(1, 'F', 0, 0xc0, 0, 0xc0, 3), DNS_OK, "F.", 7},
    {"a pointer to itself",      0, HEX(0xc0, 0), DNS_E_POINTER, NULL, 0},
    {"to the start of its name", 0, HEX(1, 'a', 0xc0, 0), DNS_E_POINTER, NULL, 0},
    {"into its own name",        0, HEX(1, 'a', 1, 'b', 0xc0, 2), DNS_E_POINTER, NULL, 0},
    {"forwards",                 0, HEX(0xc0, 2, 0), DNS_E_POINTER, NULL, 0},
    {"back, then forwards",      4, HEX(0xc0, 6, 0, 0, 0xc0, 0, 0), DNS_E_POINTER, NULL, 4},
    {"two that go in circles",   2, HEX(0xc0, 2, 0xc0, 0), DNS_E_POINTER, NULL, 2},
    {"half a pointer",           1, HEX(0, 0xc0), DNS_E_SHORT, NULL, 1},
    {"no root label",            0, HEX(1, 'a'), DNS_E_SHORT, NULL, 0},
    {"ends inside a label",      0, HEX(3, 'a', 'b'), DNS_E_SHORT, NULL, 0},
    {"nothing at all",           0, {0}, 0, DNS_E_SHORT, NULL, 0},
    {"label type 01",            0, HEX(0x41, 0, 0), DNS_E_LABEL, NULL, 0},
    {"label type 10",            0, HEX(0x80, 0, 0), DNS_E_LABEL, NULL, 0},
    {"a dot and a zero inside",  0, HEX(3, '.', 0, 0xff, 0), DNS_OK, "\\.\\000\\255.", 5},
};
// clang-format on

static void names_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        const struct read_case *c = &reads[i];
        struct dns_reader r = dns_reader_init(c->wire, c->len);
        struct dns_name name = dns_root;
        print_message("%s\n", c->what);
        r.off = c->off;
        assert_int_equal(dns_name_read(&r, &name), c->want);
        assert_int_equal(r.err, c->want);
        assert_int_equal(r.off, c->behind);
        if (c->want != DNS_OK)
            assert_int_equal(name.len, 1); /* untouched */
        else
            assert_name(&name, c->text);
    }
}

static void plain_names_have_no_pointers(void **state)
{
    (void)state;
    static const uint8_t wire[] = {1, 'a', 0, 1, 'b', 0xc0, 0};
    struct dns_reader r = dns_reader_init(wire, sizeof wire);
    struct dns_name name;
    assert_int_equal(dns_name_read_plain(&r, &name), DNS_OK);
    assert_name(&name, "a.");
    assert_int_equal(dns_name_read_plain(&r, &name), DNS_E_POINTER);
    assert_int_equal(dns_name_from_wire(wire, 3, &name), DNS_OK);
    assert_int_equal(dns_name_from_wire(wire, 2, &name), DNS_E_SHORT);
    assert_int_equal(dns_name_from_wire(wire, 4, &name), DNS_E_TRAILING);
    assert_int_equal(dns_name_from_wire(NULL, 0, &name), DNS_E_SHORT);
}

/* 127 labels and 255 octets are the most; a chain of pointers is not longer than that either. */
static void lengths_are_bounded(void **state)
{
    (void)state;
    uint8_t wire[512];
    struct dns_name name;
    for (unsigned i = 0; i < 256; i++) {
        wire[2 * i] = 1;
        wire[2 * i + 1] = 'a';
    }
    wire[254] = 0;
    assert_int_equal(dns_name_from_wire(wire, 255, &name), DNS_OK);
    assert_int_equal(name.labels, 127);
    assert_int_equal(name.len, 255);
    wire[254] = 1;
    wire[256] = 0;
    assert_int_equal(dns_name_from_wire(wire, 257, &name), DNS_E_NAME_LONG);
    struct dns_reader r = dns_reader_init(wire, 257);
    assert_int_equal(dns_name_read(&r, &name), DNS_E_NAME_LONG);

    uint8_t octets_256[256] = {0}; /* one too many, as seen by the last label's length */
    for (unsigned at = 0, i = 0; i < 4; at += octets_256[at] + 1u, i++)
        octets_256[at] = i < 3 ? 63 : 62;
    assert_int_equal(dns_name_from_wire(octets_256, 256, &name), DNS_E_NAME_LONG);

    wire[0] = 0;
    for (unsigned i = 0; i < 130; i++) { /* each points to the one before it */
        wire[1 + 2 * i] = 0xc0;
        wire[2 + 2 * i] = (uint8_t)(i == 0 ? 0 : 2 * i - 1);
    }
    r = dns_reader_init(wire, sizeof wire);
    r.off = 1 + 2 * 126;
    assert_int_equal(dns_name_read(&r, &name), DNS_OK);
    assert_int_equal(name.len, 1);
    r.off = 1 + 2 * 127;
    wire[2 + 2 * 127] = 1 + 2 * 126;
    assert_int_equal(dns_name_read(&r, &name), DNS_E_POINTER);
}

struct parse_case {
    const char *in;
    enum dns_err want;
    const char *out;
};

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

// clang-format off
static const struct parse_case parses[] = {
    {".", DNS_OK, "."},
    {"example.com", DNS_OK, "example.com."},
    {"Example.COM.", DNS_OK, "Example.COM."},
    {"a\\.b.c", DNS_OK, "a\\.b.c."},
    {"\\097\\b.c", DNS_OK, "ab.c."},
    {"\\000\\032\\255", DNS_OK, "\\000\\032\\255."},
    {"a b", DNS_OK, "a\\032b."},
    {"\\@.\\$.\\(\\)\\;\\\"", DNS_OK, "\\@.\\$.\\(\\)\\;\\\"."},
    {"*.example", DNS_OK, "*.example."},
    {"_dns.resolver-x.arpa", DNS_OK, "_dns.resolver-x.arpa."},
    {L63, DNS_OK, L63 "."},
    {L63 "x", DNS_E_LABEL, NULL},
    {L63 "." L63 "." L63 "." "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi", DNS_OK,
     L63 "." L63 "." L63 "." "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi."},
    {L63 "." L63 "." L63 "." "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij", DNS_E_NAME_LONG, NULL},
    {"", DNS_E_TEXT, NULL},
    {"..", DNS_E_LABEL, NULL},
    {".a", DNS_E_LABEL, NULL},
    {"a..b", DNS_E_LABEL, NULL},
    {"a\\", DNS_E_TEXT, NULL},
    {"a\\25", DNS_E_TEXT, NULL},
    {"a\\256", DNS_E_TEXT, NULL},
    {"a\\1b2", DNS_E_TEXT, NULL},
};
// clang-format on

static void texts_go_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parses); i++) {
        struct dns_name name = dns_root;
        struct dns_name again;
        char text[DNS_NAME_TEXT_MAX];
        print_message("%s\n", parses[i].in);
        assert_int_equal(dns_name_parse(parses[i].in, &name), parses[i].want);
        if (parses[i].want != DNS_OK) {
            assert_int_equal(name.len, 1);
            continue;
        }
        assert_name(&name, parses[i].out);
        (void)dns_name_text(&name, text);
        assert_int_equal(dns_name_parse(text, &again), DNS_OK);
        assert_int_equal(again.len, name.len);
        assert_memory_equal(again.wire, name.wire, name.len);
    }
}

/* The longest text: 250 octets of labels, each "\DDD". */
static void the_longest_text_fits(void **state)
{
    (void)state;
    uint8_t wire[255] = {0};
    unsigned at = 0;
    struct dns_name name;
    char text[DNS_NAME_TEXT_MAX];
    for (unsigned i = 0; i < 4; i++) {
        wire[at] = i < 3 ? 63 : 61;
        at += wire[at] + 1u;
    }
    assert_int_equal(dns_name_from_wire(wire, 255, &name), DNS_OK);
    assert_int_equal(dns_name_text(&name, text), 4 * 250 + 4);
}

static void relative_names_get_the_origin(void **state)
{
    (void)state;
    struct dns_name origin = name_of("example.com");
    struct dns_name name;
    assert_int_equal(dns_name_parse_relative("www", &origin, &name), DNS_OK);
    assert_name(&name, "www.example.com.");
    assert_int_equal(dns_name_parse_relative("www.", &origin, &name), DNS_OK);
    assert_name(&name, "www.");
    assert_int_equal(dns_name_parse_relative("www\\.", &origin, &name), DNS_OK);
    assert_name(&name, "www\\..example.com.");
    assert_int_equal(dns_name_parse_relative("@", &origin, &name), DNS_OK);
    assert_name(&name, "example.com.");
    assert_int_equal(dns_name_parse_relative(".", &origin, &name), DNS_OK);
    assert_name(&name, ".");
    assert_int_equal(dns_name_parse_relative(L63 "." L63 "." L63 "." L63, &origin, &name) != DNS_OK,
                     1);
}

/* RFC 4034 6.1, in its order. */
static const char *const ordered[] = {
    "example",   "a.example",       "yljkjljk.a.example", "Z.a.example",     "zABC.a.EXAMPLE",
    "z.example", "\\001.z.example", "*.z.example",        "\\200.z.example",
};

static void order_is_canonical(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ordered); i++) {
        for (size_t j = 0; j < COUNT(ordered); j++) {
            struct dns_name a = name_of(ordered[i]);
            struct dns_name b = name_of(ordered[j]);
            int order = dns_name_compare(&a, &b);
            print_message("%s, %s\n", ordered[i], ordered[j]);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
            assert_int_equal(dns_name_equal(&a, &b), i == j);
        }
    }
    struct dns_name upper = name_of("AZ[.Example");
    struct dns_name lower = name_of("az[.eXAMPLE");
    struct dns_name other = name_of("az{.example"); /* '[' and '{' are no pair of cases */
    assert_true(dns_name_equal(&upper, &lower));
    assert_int_equal(dns_name_compare(&upper, &lower), 0);
    assert_false(dns_name_equal(&upper, &other));
    assert_true(dns_name_compare(&dns_root, &upper) < 0);
}

static void suffixes_are_found(void **state)
{
    (void)state;
    struct dns_name name = name_of("a.b.Example.com");
    struct dns_name same = name_of("x.EXAMPLE.com");
    struct dns_name tail = name_of("ample.com"); /* not at a label's edge */
    struct dns_name suffix = dns_name_suffix(&name, 2);
    assert_name(&suffix, "Example.com.");
    assert_int_equal(suffix.labels, 2);
    suffix = dns_name_suffix(&name, 0);
    assert_name(&suffix, ".");
    suffix = dns_name_suffix(&name, 4);
    assert_true(dns_name_equal(&suffix, &name));
    assert_int_equal(dns_name_suffix_off(&name, 3), 2);
    assert_int_equal(dns_name_common_labels(&name, &same), 2);
    assert_int_equal(dns_name_common_labels(&name, &name), 4);
    assert_int_equal(dns_name_common_labels(&name, &dns_root), 0);
    struct dns_name apex = name_of("example.COM");
    assert_true(dns_name_within(&name, &apex));
    assert_true(dns_name_within(&name, &name));
    assert_true(dns_name_within(&name, &dns_root));
    assert_false(dns_name_within(&apex, &name));
    assert_false(dns_name_within(&name, &tail));
}

static void names_are_built(void **state)
{
    (void)state;
    struct dns_name com = name_of("example.com");
    struct dns_name longest =
        name_of(L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyzabcdefghijklmn"
                    "opqrstuvwxyzabcdefghi");
    struct dns_name out;
    assert_int_equal(dns_name_wildcard(&com, &out), DNS_OK);
    assert_name(&out, "*.example.com.");
    assert_true(dns_name_is_wildcard(&out));
    assert_false(dns_name_is_wildcard(&com));
    assert_int_equal(dns_name_wildcard(&longest, &out), DNS_E_NAME_LONG);
    assert_int_equal(dns_name_prepend("", 0, &com, &out), DNS_E_LABEL);
    assert_int_equal(dns_name_prepend(L63 "x", 64, &com, &out), DNS_E_LABEL);
    assert_int_equal(dns_name_prepend("a.b", 3, &com, &out), DNS_OK);
    assert_name(&out, "a\\.b.example.com.");
    assert_int_equal(out.labels, 3);
    struct dns_name upper = name_of("WWW.[Z].Example");
    dns_name_lower(&upper);
    assert_name(&upper, "www.[z].example.");
}

/* RFC 6672 2.2, table 1. */
struct dname_case {
    const char *name, *owner, *target;
    enum dns_err want;
    const char *out;
};

// clang-format off
static const struct dname_case dnames[] = {
    {"com.", "example.com.", "example.net.", DNS_E_FORM, NULL},
    {"example.com.", "example.com.", "example.net.", DNS_E_FORM, NULL},
    {"a.example.com.", "example.com.", "example.net.", DNS_OK, "a.example.net."},
    {"a.b.example.com.", "example.com.", "example.net.", DNS_OK, "a.b.example.net."},
    {"ab.example.com.", "b.example.com.", "example.net.", DNS_E_FORM, NULL},
    {"foo.example.com.", "example.com.", "example.net.", DNS_OK, "foo.example.net."},
    {"a.x.example.com.", "x.example.com.", "example.net.", DNS_OK, "a.example.net."},
    {"a.example.com.", "example.com.", "y.example.net.", DNS_OK, "a.y.example.net."},
    {"cyc.example.com.", "example.com.", "example.com.", DNS_OK, "cyc.example.com."},
    {"shortloop.x.x.", "x.", ".", DNS_OK, "shortloop.x."},
    {L63 "." L63 ".x.", "x.", L63 "." L63 ".", DNS_E_NAME_LONG, NULL},
};
// clang-format on

static void dname_substitutes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dnames); i++) {
        struct dns_name name = name_of(dnames[i].name);
        struct dns_name owner = name_of(dnames[i].owner);
        struct dns_name target = name_of(dnames[i].target);
        struct dns_name out;
        print_message("%s\n", dnames[i].name);
        assert_int_equal(dns_name_substitute(&name, &owner, &target, &out), dnames[i].want);
        if (dnames[i].want == DNS_OK)
            assert_name(&out, dnames[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),        cmocka_unit_test(plain_names_have_no_pointers),
        cmocka_unit_test(lengths_are_bounded),   cmocka_unit_test(texts_go_round),
        cmocka_unit_test(the_longest_text_fits), cmocka_unit_test(relative_names_get_the_origin),
        cmocka_unit_test(order_is_canonical),    cmocka_unit_test(suffixes_are_found),
        cmocka_unit_test(names_are_built),       cmocka_unit_test(dname_substitutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
