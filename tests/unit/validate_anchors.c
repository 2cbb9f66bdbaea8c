// SPDX-License-Identifier: MIT
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/anchors.h"

/* The root's two keys, as in Debian's dns-root-data. */
static const char root_keys[] =
    ". IN DNSKEY 257 3 8 "
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXg"
    "nLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EW"
    "gvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWf"
    "dRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU= ; keytag 20326\n"
    ". IN DNSKEY 257 3 8 "
    "AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQW"
    "OmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wO"
    "ZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZN"
    "Q1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc= ; keytag 38696\n";

static struct val_anchors *anchors_of(const char *text)
{
    unsigned line = 0;
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_text(anchors, text, &line), DNS_OK);
    assert_int_equal(line, 0);
    return anchors;
}

static void assert_same_root(const struct val_anchors *anchors)
{
    struct val_anchors *builtin = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(builtin), DNS_OK);
    struct val_ds_set ours = val_anchors_find(builtin, &dns_root, 0).ds;
    struct val_ds_set theirs = val_anchors_find(anchors, &dns_root, 0).ds;
    assert_int_equal(ours.count, 2);
    assert_int_equal(theirs.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(ours.rr[i].len, theirs.rr[i].len);
        assert_memory_equal(ours.rr[i].data, theirs.rr[i].data, ours.rr[i].len);
    }
    val_anchors_free(builtin);
}

static void test_builtin(void **state)
{
    (void)state;
    struct val_anchors *anchors = anchors_of(root_keys);
    assert_same_root(anchors);
    val_anchors_free(anchors);
}

/* The same against what the system trusts, where it says so. */
static void test_system(void **state)
{
    (void)state;
    static char text[1u << 14];
    FILE *file = fopen("/usr/share/dns/root.key", "r");
    if (!file)
        skip();
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file); /* it was only read */
    struct val_anchors *anchors = anchors_of(text);
    assert_same_root(anchors);
    val_anchors_free(anchors);
}

static const struct {
    const char *line;
    enum dns_err want; /* DNS_E_COUNT here stands for: any error */
    uint32_t count;
} lines[] = {
    {"", DNS_OK, 0},
    {"   \t", DNS_OK, 0},
    {"; a comment", DNS_OK, 0},
    {"# a comment", DNS_OK, 0},
    {"example. IN DS 1 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
     DNS_OK, 1},
    {"example. 3600 IN DS 1 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D ; "
     "x",
     DNS_OK, 1},
    {"example. IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", DNS_OK, 1},
    {"example. IN DNSKEY 385 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", DNS_E_COUNT, 0},
    {"example. IN DNSKEY 1 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", DNS_E_COUNT, 0},
    {"example. IN DNSKEY 257 4 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=", DNS_E_COUNT, 0},
    {"example. IN DS 1 8 2 E06D44", DNS_E_COUNT, 0},
    {"example. IN DS 1 8 3 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
     DNS_E_COUNT, 0},
    {"example. CH DS 1 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
     DNS_E_COUNT, 0},
    {"example. IN A 192.0.2.1", DNS_E_COUNT, 0},
    {"example. IN DS", DNS_E_COUNT, 0},
    {"nonsense", DNS_E_COUNT, 0},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct val_anchors *anchors = val_anchors_new();
        print_message("'%s'\n", lines[i].line);
        enum dns_err err = val_anchors_add_line(anchors, lines[i].line);
        assert_int_equal(err == DNS_OK, lines[i].want == DNS_OK);
        assert_int_equal(val_anchors_count(anchors), lines[i].count);
        val_anchors_free(anchors);
    }
}

static void test_text(void **state)
{
    (void)state;
    unsigned line = 0;
    struct val_anchors *anchors = anchors_of(root_keys);
    assert_int_equal(val_anchors_add_text(anchors, root_keys, &line), DNS_OK);
    assert_int_equal(val_anchors_count(anchors), 2); /* the same again adds nothing */
    assert_true(val_anchors_add_text(anchors, "; one\n\nthree\n", &line) != DNS_OK);
    assert_int_equal(line, 3);
    val_anchors_free(anchors);
}

#define SECONDS 1000u
static const struct {
    const char *name;
    uint64_t now_s;
    enum val_anchor_kind kind;
    const char *zone;
} finds[] = {
    {".", 0, VAL_ANCHOR_POSITIVE, "."},
    {"com.", 0, VAL_ANCHOR_POSITIVE, "."},
    {"lan.", 0, VAL_ANCHOR_NEGATIVE, "lan."},
    {"a.LAN.", 0, VAL_ANCHOR_NEGATIVE, "lan."},
    {"xlan.", 0, VAL_ANCHOR_POSITIVE, "."},
    {"signed.lan.", 0, VAL_ANCHOR_POSITIVE, "signed.lan."},
    {"a.signed.lan.", 0, VAL_ANCHOR_POSITIVE, "signed.lan."},
    {"broken.example.", SECONDS - 1, VAL_ANCHOR_NEGATIVE, "broken.example."},
    {"broken.example.", SECONDS, VAL_ANCHOR_POSITIVE, "."},
    {"both.", 0, VAL_ANCHOR_NEGATIVE, "both."},
};

static void test_find(void **state)
{
    (void)state;
    struct val_anchors *anchors = anchors_of(root_keys);
    const char ds[] =
        "IN DS 1 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
    char line[256];
    struct dns_name lan = name_of("lan."), broken = name_of("broken.example."),
                    both = name_of("both.");
    (void)snprintf(line, sizeof(line), "signed.lan. %s", ds);
    assert_int_equal(val_anchors_add_line(anchors, line), DNS_OK);
    (void)snprintf(line, sizeof(line), "both. %s", ds);
    assert_int_equal(val_anchors_add_line(anchors, line), DNS_OK);
    assert_int_equal(val_anchors_add_negative(anchors, &lan, UINT64_MAX, "a route"), DNS_OK);
    assert_int_equal(val_anchors_add_negative(anchors, &broken, SECONDS, "till fixed"), DNS_OK);
    assert_int_equal(val_anchors_add_negative(anchors, &both, UINT64_MAX, NULL), DNS_OK);
    for (size_t i = 0; i < COUNT(finds); i++) {
        struct dns_name name = name_of(finds[i].name), zone = name_of(finds[i].zone);
        print_message("%s\n", finds[i].name);
        struct val_anchor_hit hit = val_anchors_find(anchors, &name, finds[i].now_s);
        assert_int_equal(hit.kind, finds[i].kind);
        assert_true(dns_name_equal(hit.zone, &zone));
        assert_int_equal(hit.reason != NULL, finds[i].kind == VAL_ANCHOR_NEGATIVE);
    }
    assert_int_equal(val_anchors_count(anchors), 4);
    val_anchors_free(anchors);

    anchors = val_anchors_new();
    assert_int_equal(val_anchors_find(anchors, &dns_root, 0).kind, VAL_ANCHOR_NONE);
    val_anchors_free(anchors);
    val_anchors_free(NULL);
}

/* Anchors with dates: before, within, after; and what is told of the next change. */
static void test_dates_decide_what_is_in_use(void **state)
{
    (void)state;
    static const struct {
        uint64_t now_s;
        uint32_t root, island;
        uint64_t until_s;
    } moments[] = {
        {0, 1, 0, 100},          {99, 1, 0, 100},
        {100, 2, 0, 200},        {199, 2, 0, 200},
        {200, 2, 1, 300},        {299, 2, 1, 300},
        {300, 1, 1, 400},        {399, 1, 1, 400},
        {400, 1, 0, UINT64_MAX}, {UINT32_MAX, 1, 0, UINT64_MAX},
    };
    struct val_anchors *configured = val_anchors_new();
    uint8_t rdata[36] = {0, 1, 8, 2};
    struct dns_name island = name_of("island.");
    struct val_anchor anchor = {dns_root, {rdata, 36}, 0, VAL_ANCHOR_ALWAYS, "a:1"};
    assert_int_equal(val_anchors_add(configured, &anchor), DNS_OK);
    rdata[1] = 2;
    anchor = (struct val_anchor){dns_root, {rdata, 36}, 100, 300, "a:2"};
    assert_int_equal(val_anchors_add(configured, &anchor), DNS_OK);
    anchor = (struct val_anchor){island, {rdata, 36}, 200, 300, "a:3"};
    assert_int_equal(val_anchors_add(configured, &anchor), DNS_OK);
    anchor.until_s = 400; /* the same again only widens its dates */
    anchor.from_s = 250;
    assert_int_equal(val_anchors_add(configured, &anchor), DNS_OK);
    assert_int_equal(val_anchors_count(configured), 3);
    assert_string_equal(val_anchors_at(configured, 2).source, "a:3");
    for (size_t i = 0; i < COUNT(moments); i++) {
        uint64_t until_s;
        struct val_anchors *used = val_anchors_in_use(configured, moments[i].now_s, &until_s);
        print_message("%ju\n", (uintmax_t)moments[i].now_s);
        assert_non_null(used);
        assert_int_equal(until_s, moments[i].until_s);
        assert_int_equal(val_anchors_find(used, &dns_root, 0).ds.count, moments[i].root);
        struct val_anchor_hit hit = val_anchors_find(used, &island, 0);
        assert_int_equal(hit.zone->labels, moments[i].island); /* else the root takes over */
        assert_true(hit.ds.count > 0);
        val_anchors_unref(used);
    }
    val_anchors_free(configured);
}

/* Nothing above: then an anchor out of its dates leaves nothing to be believed, not everything. */
static void test_an_anchor_out_of_its_dates_is_closed(void **state)
{
    (void)state;
    struct val_anchors *configured = val_anchors_new();
    uint8_t rdata[36] = {0, 1, 8, 2};
    uint64_t until_s;
    struct val_anchor anchor = {name_of("island."), {rdata, 36}, 0, 100, "a:1"};
    assert_int_equal(val_anchors_add(configured, &anchor), DNS_OK);
    struct val_anchors *used = val_anchors_in_use(configured, 100, &until_s);
    struct val_anchor_hit hit = val_anchors_find(used, &anchor.zone, 100);
    assert_int_equal(hit.kind, VAL_ANCHOR_POSITIVE);
    assert_int_equal(hit.ds.count, 0);
    val_anchors_unref(used);
    val_anchors_free(configured);
}

static void test_tags(void **state)
{
    (void)state;
    struct val_anchors *anchors = anchors_of(root_keys);
    struct dns_name com = name_of("com.");
    assert_true(val_anchors_has_tag(anchors, &dns_root, 20326));
    assert_true(val_anchors_has_tag(anchors, &dns_root, 38696));
    assert_false(val_anchors_has_tag(anchors, &dns_root, 20454));
    assert_false(val_anchors_has_tag(anchors, &com, 20326));
    val_anchors_free(anchors);
}

/* RFC 5011 2.1: a DNSKEY with REVOKE has another fingerprint: the tag is larger by 128. */
static void test_revoked_root_keys_have_other_tags(void **state)
{
    (void)state;
    static const uint16_t tags[][2] = {{20326, 20454}, {38696, 38824}};
    const char *line = root_keys;
    for (size_t i = 0; i < COUNT(tags); i++, line = strchr(line, '\n') + 1) {
        uint8_t rdata[2048];
        struct dns_line record;
        char *one = strndup(line, strcspn(line, ";"));
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        assert_int_equal(dns_line_parse(one, &dns_root, 0, &record, &w), DNS_OK);
        assert_int_equal(dns_key_tag(rdata, w.off), tags[i][0]);
        rdata[1] |= DNS_KEY_REVOKE;
        assert_int_equal(dns_key_tag(rdata, w.off), tags[i][1]);
        free(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_dates_decide_what_is_in_use),
        cmocka_unit_test(test_an_anchor_out_of_its_dates_is_closed),
        cmocka_unit_test(test_revoked_root_keys_have_other_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
