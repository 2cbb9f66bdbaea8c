// SPDX-License-Identifier: MIT
#include "proxy/follow.h"
#include "proxy/sentinel.h"
#include "tests/test.h"
#include "tests/unit/validate_records.h"

/* RFC 8509 3.1: the leftmost label, in whatever case, with exactly five digits. */
static const struct {
    const char *name;
    int kind;
    uint16_t tag;
} names[] = {
    {"root-key-sentinel-is-ta-20326.example.", SENTINEL_IS_TA, 20326},
    {"root-key-sentinel-not-ta-20326.example.", SENTINEL_NOT_TA, 20326},
    {"ROOT-Key-sentinel-IS-ta-00001.", SENTINEL_IS_TA, 1},
    {"root-key-sentinel-not-ta-65535.a.b.", SENTINEL_NOT_TA, 65535},
    {"root-key-sentinel-is-ta-65536.example.", SENTINEL_NONE, 0},
    {"root-key-sentinel-is-ta-2032.example.", SENTINEL_NONE, 0},
    {"root-key-sentinel-is-ta-020326.example.", SENTINEL_NONE, 0},
    {"root-key-sentinel-is-ta-2032x.example.", SENTINEL_NONE, 0},
    {"root-key-sentinel-is-ta-.example.", SENTINEL_NONE, 0},
    {"xroot-key-sentinel-is-ta-20326.example.", SENTINEL_NONE, 0},
    {"a.root-key-sentinel-is-ta-20326.example.", SENTINEL_NONE, 0},
    {".", SENTINEL_NONE, 0},
};

static void names_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct dns_name name = name_of(names[i].name);
        print_message("%s\n", names[i].name);
        struct sentinel s = sentinel_read(&name);
        assert_int_equal(s.kind, names[i].kind);
        if (s.kind != SENTINEL_NONE)
            assert_int_equal(s.key_tag, names[i].tag);
    }
}

/* RFC 8509 3.2 */
static const struct {
    const char *name;
    uint16_t type;
    bool refused;
} questions[] = {
    {"root-key-sentinel-is-ta-20326.example.", DNS_TYPE_A, false},
    {"root-key-sentinel-is-ta-20326.example.", DNS_TYPE_AAAA, false},
    {"root-key-sentinel-not-ta-20326.example.", DNS_TYPE_A, true},
    {"root-key-sentinel-not-ta-38696.example.", DNS_TYPE_AAAA, true},
    {"root-key-sentinel-is-ta-20454.example.", DNS_TYPE_A, true},
    {"root-key-sentinel-is-ta-20454.example.", DNS_TYPE_AAAA, true},
    {"root-key-sentinel-not-ta-20454.example.", DNS_TYPE_A, false},
    {"root-key-sentinel-not-ta-20326.example.", DNS_TYPE_TXT, false},
    {"root-key-sentinel-is-ta-20454.example.", DNS_TYPE_CNAME, false},
    {"www.example.", DNS_TYPE_A, false},
};

static void the_root_s_keys_decide(void **state)
{
    (void)state;
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    for (size_t i = 0; i < COUNT(questions); i++) {
        struct dns_question q = {name_of(questions[i].name), questions[i].type, DNS_CLASS_IN};
        print_message("%s %u\n", questions[i].name, questions[i].type);
        assert_int_equal(sentinel_refuses(&q, anchors), questions[i].refused);
    }
    val_anchors_unref(anchors);
}

/* RFC 8145 5.1: in hexadecimal, four digits, in order; and of this zone's keys only. */
static void key_tags_make_a_name(void **state)
{
    (void)state;
    struct val_anchors *anchors = val_anchors_new();
    struct dns_name name;
    struct dns_name island = name_of("island.example.");
    uint8_t rdata[36] = {0, 10, 8, 2};
    assert_false(follow_key_tag_name(anchors, &dns_root, &name));
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    struct val_anchor anchor = {island, {rdata, 36}, 0, VAL_ANCHOR_ALWAYS, "x"};
    assert_int_equal(val_anchors_add(anchors, &anchor), DNS_OK);
    assert_true(follow_key_tag_name(anchors, &dns_root, &name));
    struct dns_name want = name_of("_ta-4f66-9728.");
    assert_true(dns_name_equal(&name, &want));
    assert_true(follow_key_tag_name(anchors, &island, &name));
    want = name_of("_ta-000a.island.example.");
    assert_true(dns_name_equal(&name, &want));
    for (uint8_t i = 1; i < 20; i++) { /* more than a label has room for; one of them twice */
        rdata[0] = (uint8_t)(200 - i);
        rdata[4] = i;
        anchor.zone = dns_root;
        assert_int_equal(val_anchors_add(anchors, &anchor), DNS_OK);
    }
    assert_true(follow_key_tag_name(anchors, &dns_root, &name));
    assert_int_equal(name.wire[0], 3 + 12 * 5);
    val_anchors_unref(anchors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_told_apart),
        cmocka_unit_test(the_root_s_keys_decide),
        cmocka_unit_test(key_tags_make_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
