// SPDX-License-Identifier: MIT
#include "dns/edns.h"
#include "dns/types.h"
#include "tests/test.h"

/* The first EDE option among the options, as it may be shown and logged. */
struct ede_case {
    const char *what;
    uint8_t options[48];
    uint32_t len;
    uint16_t code;
    const char *text;
};

// clang-format off
static const struct ede_case edes[] = {
    {"no options",                 {0}, 0, DNS_EDE_NONE, ""},
    {"without text",               HEX(0, 15, 0, 2, 0, 6), DNS_EDE_BOGUS, ""},
    {"with text",                  HEX(0, 15, 0, 5, 0, 6, 'b', 'a', 'd'), DNS_EDE_BOGUS, "bad"},
    {"behind another option",      HEX(0, 3, 0, 1, 'x', 0, 15, 0, 2, 0, 7), DNS_EDE_SIGNATURE_EXPIRED, ""},
    {"the first of two",           HEX(0, 15, 0, 2, 0, 7, 0, 15, 0, 2, 0, 8), DNS_EDE_SIGNATURE_EXPIRED, ""},
    {"too short for a code",       HEX(0, 15, 0, 1, 0), DNS_EDE_NONE, ""},
    {"an option that is cut",      HEX(0, 15, 0, 9, 0, 6, 'b'), DNS_EDE_NONE, ""},
    {"control characters",         HEX(0, 15, 0, 7, 0, 6, 'a', '\n', 0x1b, 0x7f, 'b'), DNS_EDE_BOGUS, "a???b"},
    {"a NUL",                      HEX(0, 15, 0, 5, 0, 6, 'a', 0, 'b'), DNS_EDE_BOGUS, "a?b"},
    {"UTF-8",                      HEX(0, 15, 0, 11, 0, 6, 0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80), DNS_EDE_BOGUS, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"U+009B, a control sequence", HEX(0, 15, 0, 4, 0, 6, 0xc2, 0x9b), DNS_EDE_BOGUS, "??"},
    {"a lone continuation",        HEX(0, 15, 0, 4, 0, 6, 0x80, 'a'), DNS_EDE_BOGUS, "?a"},
    {"ends inside a character",    HEX(0, 15, 0, 5, 0, 6, 'a', 0xe2, 0x82), DNS_EDE_BOGUS, "a??"},
    {"longer than it needs",       HEX(0, 15, 0, 5, 0, 6, 0xe0, 0x80, 0xaf), DNS_EDE_BOGUS, "???"},
    {"a surrogate",                HEX(0, 15, 0, 5, 0, 6, 0xed, 0xa0, 0x80), DNS_EDE_BOGUS, "???"},
    {"beyond U+10FFFF",            HEX(0, 15, 0, 6, 0, 6, 0xf4, 0x90, 0x80, 0x80), DNS_EDE_BOGUS, "????"},
};
// clang-format on

static void ede_is_found_and_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(edes); i++) {
        const struct dns_edns edns = {.present = true, .options_len = edes[i].len};
        struct dns_ede ede;
        print_message("%s\n", edes[i].what);
        dns_ede_find(edes[i].options, &edns, &ede);
        assert_int_equal(ede.code, edes[i].code);
        assert_string_equal(ede.text, edes[i].text);
    }
}

/* Cut before the character that would not fit, not inside it. */
static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    uint8_t options[4 + 2 + 200] = {0, 15, 0, 202, 0, 6};
    const struct dns_edns edns = {.present = true, .options_len = sizeof options};
    struct dns_ede ede;
    memset(options + 6, 'a', 200);
    dns_ede_find(options, &edns, &ede);
    assert_int_equal(strlen(ede.text), DNS_EDE_TEXT_MAX);
    options[6 + 119] = 0xc3;
    options[6 + 120] = 0xa4;
    dns_ede_find(options, &edns, &ede);
    assert_int_equal(strlen(ede.text), 119);
}

static void opt_is_written_as_counted(void **state)
{
    (void)state;
    static const uint8_t want[] = {0, 0, 41, 4, 0xd0, 1,   0,   0x80, 0,  0, 15, 0, 15,
                                   0, 5, 0,  6, 'w',  'h', 'y', 0,    11, 0, 2,  0, 100};
    const struct dns_ede ede = {.code = DNS_EDE_BOGUS, .text = "why"};
    const struct dns_opt_out opt = {.udp_size = 1232,
                                    .rcode_high = 1,
                                    .dnssec_ok = true,
                                    .ede = &ede,
                                    .keepalive = true,
                                    .keepalive_ds = 100};
    uint8_t buf[64];
    struct dns_writer w = dns_writer_init(buf, sizeof buf);
    dns_write_opt(&w, &opt);
    assert_int_equal(w.off, sizeof want);
    assert_int_equal(w.off, dns_opt_len(&opt));
    assert_memory_equal(buf, want, sizeof want);
    for (uint32_t cap = 0; cap < sizeof want; cap++) {
        w = dns_writer_init(buf, cap);
        dns_write_opt(&w, &opt);
        assert_int_equal(w.err, DNS_E_SPACE);
    }
}

/* RFC 8467: up to the multiple, whatever stands before; less only where there is no room. */
static void padding_fills_up(void **state)
{
    (void)state;
    const struct dns_opt_out opt = {.udp_size = 1232, .pad_to = 128};
    for (uint32_t before = 0; before < 300; before++) {
        uint8_t buf[512] = {0};
        struct dns_writer w = dns_writer_init(buf, sizeof buf);
        w.off = before;
        dns_write_opt(&w, &opt);
        assert_int_equal(w.err, DNS_OK);
        assert_int_equal(w.off % 128, 0);
        assert_true(w.off - before < 11 + 4 + 128);
        w = dns_writer_init(buf, before + 20);
        w.off = before;
        dns_write_opt(&w, &opt);
        assert_int_equal(w.err, DNS_OK);
        assert_true(w.off == before + 20 || w.off % 128 == 0);
    }
}

static void numbers_have_names(void **state)
{
    (void)state;
    char text[DNS_NUMBER_TEXT_MAX];
    uint16_t number;
    uint8_t algorithm;
    assert_string_equal(dns_type_text(DNS_TYPE_NSEC3PARAM, text), "NSEC3PARAM");
    assert_string_equal(dns_type_text(65280, text), "TYPE65280");
    assert_string_equal(dns_class_text(DNS_CLASS_IN, text), "IN");
    assert_string_equal(dns_class_text(32, text), "CLASS32");
    assert_string_equal(dns_rcode_text(DNS_RCODE_BADVERS, text), "BADVERS");
    assert_string_equal(dns_rcode_text(4000, text), "RCODE4000");
    assert_string_equal(dns_algorithm_text(DNS_ALG_ED25519, text), "ED25519");
    assert_string_equal(dns_digest_text(DNS_DIGEST_SHA256, text), "SHA-256");
    assert_string_equal(dns_ede_text(DNS_EDE_BOGUS), "DNSSEC Bogus");
    assert_string_equal(dns_ede_text(DNS_EDE_NONE), "Unassigned");
    assert_string_equal(dns_err_text(DNS_E_POINTER),
                        "a compression pointer does not point backwards");
    for (uint32_t type = 0; type <= UINT16_MAX; type++) { /* each name is read back */
        (void)dns_type_text((uint16_t)type, text);
        assert_int_equal(dns_type_parse(text, &number), DNS_OK);
        assert_int_equal(number, type);
    }
    for (unsigned i = 0; i <= UINT8_MAX; i++) {
        (void)dns_algorithm_text((uint8_t)i, text);
        if (strncmp(text, "ALG", 3) == 0)
            continue;
        assert_int_equal(dns_algorithm_parse(text, &algorithm), DNS_OK);
        assert_int_equal(algorithm, i);
    }
    assert_int_equal(dns_type_parse("aaaa", &number), DNS_OK);
    assert_int_equal(dns_type_parse("type28", &number), DNS_OK);
    assert_int_equal(number, 28);
    assert_int_equal(dns_type_parse("TYPE65536", &number), DNS_E_TEXT);
    assert_int_equal(dns_type_parse("TYPE", &number), DNS_E_TEXT);
    assert_int_equal(dns_type_parse("TYPE-1", &number), DNS_E_TEXT);
    assert_int_equal(dns_type_parse("TYPE1x", &number), DNS_E_TEXT);
    assert_int_equal(dns_type_parse("", &number), DNS_E_TEXT);
    assert_int_equal(dns_class_parse("ch", &number), DNS_OK);
    assert_int_equal(number, DNS_CLASS_CH);
    assert_int_equal(dns_algorithm_parse("13", &algorithm), DNS_OK);
    assert_int_equal(dns_algorithm_parse("256", &algorithm), DNS_E_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ede_is_found_and_harmless),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(opt_is_written_as_counted),
        cmocka_unit_test(padding_fills_up),
        cmocka_unit_test(numbers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
