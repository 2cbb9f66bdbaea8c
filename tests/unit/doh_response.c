// SPDX-License-Identifier: MIT
/* What HTTP heads and bodies mean (RFC 8484 4.2, RFC 9110, RFC 9111). */
#include "doh/response.h"
#include "tests/test.h"

#define NOW_S 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7) */

static void give(struct doh_head *head, const char *name, const char *value)
{
    doh_head_field(head, name, strlen(name), value, strlen(value), NOW_S);
}

static void statuses(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum doh_verdict want;
    } cases[] = {
        {"200", DOH_ANSWERED}, {"204", DOH_BROKEN},    {"206", DOH_BROKEN},    {"301", DOH_REFUSED},
        {"302", DOH_REFUSED},  {"400", DOH_REFUSED},   {"401", DOH_REFUSED},   {"403", DOH_REFUSED},
        {"404", DOH_REFUSED},  {"405", DOH_FLIP},      {"408", DOH_BROKEN},    {"414", DOH_REFUSED},
        {"415", DOH_FLIP},     {"421", DOH_ELSEWHERE}, {"425", DOH_ELSEWHERE}, {"429", DOH_LATER},
        {"500", DOH_BROKEN},   {"501", DOH_FLIP},      {"502", DOH_BROKEN},    {"503", DOH_LATER},
        {"504", DOH_BROKEN},   {"599", DOH_BROKEN},    {"999", DOH_BROKEN},    {"20", DOH_BROKEN},
        {"2000", DOH_BROKEN},  {"2x0", DOH_BROKEN},    {"", DOH_BROKEN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].status);
        struct doh_head head = {0};
        give(&head, ":status", cases[i].status);
        give(&head, "content-type", "application/dns-message");
        assert_int_equal(doh_head_judge(&head), cases[i].want);
    }
}

static void media_types(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool want;
    } cases[] = {
        {"application/dns-message", true},
        {"Application/DNS-Message", true},
        {"application/dns-message; charset=utf-8", true},
        {"application/dns-message;x", true},
        {"application/dns-message \t", true},
        {"application/dns-messages", false},
        {"application/dns-messag", false},
        {"application/dns-message x", false},
        {"application/dns-json", false},
        {"text/html", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].value);
        struct doh_head head = {0};
        give(&head, ":status", "200");
        give(&head, "content-type", cases[i].value);
        assert_int_equal(doh_head_judge(&head), cases[i].want ? DOH_ANSWERED : DOH_NOT_DNS);
    }
    struct doh_head head = {.status = 200};
    assert_int_equal(doh_head_judge(&head), DOH_NOT_DNS); /* without any */
}

static void ages(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint32_t want;
        bool has;
    } cases[] = {
        {"0", 0, true},
        {"17", 17, true},
        {"17, 4", 17, true},
        {"17 ,4", 17, true},
        {"4294967296", UINT32_C(1) << 31, true},
        {"2147483647", UINT32_C(1) << 31, true}, /* more than an age will ever be */
        {"99999999999999999999", UINT32_C(1) << 31, true},
        {"-1", 0, false},
        {"1.5", 0, false},
        {"1 2", 0, false},
        {"x", 0, false},
        {"", 0, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].value);
        struct doh_head head = {0};
        give(&head, "age", cases[i].value);
        assert_int_equal(head.has_age, cases[i].has);
        assert_int_equal(head.age_s, cases[i].want);
    }
    struct doh_head head = {0};
    give(&head, "age", "5");
    give(&head, "age", "6"); /* RFC 9111 5.1: the first counts */
    assert_int_equal(head.age_s, 5);
}

static void retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint32_t want;
        bool good;
    } cases[] = {
        {"0", 0, true},
        {"120", 120, true},
        {"300", 300, true},
        {"301", 300, true},
        {"99999999999", 300, true},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0, true},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60, true},
        {"Sun, 06 Nov 1994 07:49:37 GMT", 0, true},
        {"Sun, 06 Nov 1995 08:49:37 GMT", 300, true},
        {"Sun, 06 Nov 1994 08:49:37 UTC", 0, false},
        {"Sun, 06 Abc 1994 08:49:37 GMT", 0, false},
        {"Sun, 32 Nov 1994 08:49:37 GMT", 0, false},
        {"Sun, 06 Nov 1994 24:49:37 GMT", 0, false},
        {"Sun, 06 Nov 1994 08:60:37 GMT", 0, false},
        {"Sun, 06 Nov 1994 08:49:61 GMT", 0, false},
        {"Sun, 06 Nov 19x4 08:49:37 GMT", 0, false},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0, false},
        {"Sun, 06 Nov 1994 08:49:37 GM", 0, false},
        {"12x", 0, false},
        {"-1", 0, false},
        {"", 0, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].value);
        uint32_t seconds = 12345;
        assert_int_equal(doh_retry_after(cases[i].value, strlen(cases[i].value), NOW_S, &seconds),
                         cases[i].good);
        assert_int_equal(seconds, cases[i].good ? cases[i].want : 12345);
    }
}

static void an_interim_response_leaves_nothing(void **state)
{
    (void)state;
    struct doh_head head = {0};
    give(&head, ":status", "103");
    give(&head, "age", "9");
    give(&head, "content-type", "application/dns-message");
    give(&head, ":status", "200");
    assert_int_equal(head.status, 200);
    assert_false(head.has_age);
    assert_false(head.is_dns);
}

static void bodies(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t octets[40];
        uint32_t len;
        enum doh_body want;
    } cases[] = {
        /* clang-format off */
        {"answer",         HEX(0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_ANSWER},
        {"SERVFAIL",       HEX(0, 7, 0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_ANSWER},
        {"other case",     HEX(0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'A', 0, 0, 1, 0, 1), DOH_BODY_ANSWER},
        {"truncated",      HEX(0, 7, 0x83, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_TRUNCATED},
        {"a query",        HEX(0, 7, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_GARBAGE},
        {"other id",       HEX(0, 6, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_GARBAGE},
        {"other name",     HEX(0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'b', 0, 0, 1, 0, 1), DOH_BODY_GARBAGE},
        {"other type",     HEX(0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 2, 0, 1), DOH_BODY_GARBAGE},
        {"other class",    HEX(0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 3), DOH_BODY_GARBAGE},
        {"other opcode",   HEX(0, 7, 0xa1, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_GARBAGE},
        {"no question",    HEX(0, 7, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0), DOH_BODY_GARBAGE},
        {"missing record", HEX(0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1), DOH_BODY_GARBAGE},
        {"half a header",  HEX(0, 7, 0x81, 0x80, 0, 1), DOH_BODY_GARBAGE},
        /* clang-format on */
    };
    struct dns_question question = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse("a.", &question.name), DNS_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(doh_body_judge(cases[i].octets, cases[i].len, 7, &question),
                         cases[i].want);
    }
    assert_int_equal(doh_body_judge(NULL, 0, 7, &question), DOH_BODY_GARBAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses), cmocka_unit_test(media_types),
        cmocka_unit_test(ages),     cmocka_unit_test(retry_after),
        cmocka_unit_test(bodies),   cmocka_unit_test(an_interim_response_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
