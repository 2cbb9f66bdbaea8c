// SPDX-License-Identifier: MIT
#include "proxy/local.h"
#include "proxy/respond.h"
#include "tests/test.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return name;
}

/* A request as request_read() makes it. */
static struct request request_of(const char *name, uint16_t type)
{
    return (struct request){.id = 0xabcd,
                            .flags = DNS_FLAG_RD,
                            .has_question = true,
                            .question = {name_of(name), type, DNS_CLASS_IN},
                            .edns = true,
                            .cap = 1232};
}

/* www.example.: `count` addresses, an RRSIG over them; as the cache keeps it. */
static uint32_t write_answer(uint8_t *buf, size_t cap, unsigned count)
{
    struct dns_msg_out out;
    struct dns_question q = {name_of("www.example."), DNS_TYPE_A, DNS_CLASS_IN};
    static const uint8_t rrsig[] = {0, 1, 13, 2, 0, 0, 1, 44, 0, 0, 0,
                                    9, 0, 0,  0, 1, 0, 7, 0,  1, 2};
    dns_msg_out_init(&out, buf, cap, 0, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_AD);
    dns_msg_out_question(&out, &q);
    for (unsigned i = 0; i < count; i++) {
        uint8_t address[4] = {192, 0, (uint8_t)(i >> 8), (uint8_t)i};
        dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_A, DNS_CLASS_IN, 300, address, 4);
    }
    dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_RRSIG, DNS_CLASS_IN, 300, rrsig,
                   sizeof rrsig);
    uint32_t len = dns_msg_out_finish(&out);
    assert_int_not_equal(len, 0);
    return len;
}

static struct dns_rr table[DNS_RR_MAX];

static struct dns_msg read_msg(const uint8_t *buf, uint32_t len)
{
    struct dns_msg msg;
    assert_int_equal(dns_msg_read(buf, len, table, DNS_RR_MAX, &msg), DNS_OK);
    return msg;
}

static unsigned count_type(const struct dns_msg *msg, uint16_t type)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < msg->rr_count; i++)
        count += msg->rr[i].type == type;
    return count;
}

/* --- flags ----------------------------------------------------------------------------------- */

struct flags_case {
    const char *what;
    uint16_t flags; /* of the query */
    bool dnssec_ok;
    enum val_status status;
    uint16_t rcode;
    uint16_t want;
};

static const struct flags_case flags_cases[] = {
    {"plain", DNS_FLAG_RD, false, VAL_SECURE, 0, 0x8180},
    {"no RD, none back", 0, false, VAL_SECURE, 0, 0x8080},
    {"AD asked for", DNS_FLAG_RD | DNS_FLAG_AD, false, VAL_SECURE, 0, 0x81a0},
    {"DO alone is enough", DNS_FLAG_RD, true, VAL_SECURE, 0, 0x81a0},
    {"insecure: no AD", DNS_FLAG_RD | DNS_FLAG_AD, true, VAL_INSECURE, 0, 0x8180},
    {"indeterminate: no AD", DNS_FLAG_AD, true, VAL_INDETERMINATE, 2, 0x8082},
    {"bogus: no AD", DNS_FLAG_AD, true, VAL_BOGUS, 2, 0x8082},
    {"CD comes back", DNS_FLAG_RD | DNS_FLAG_CD, true, VAL_INSECURE, 0, 0x8190},
    {"TC, AA, RA, Z of the query do not", 0x06c0, false, VAL_SECURE, 0, 0x8080},
    {"NXDOMAIN", DNS_FLAG_RD, true, VAL_SECURE, 3, 0x81a3},
    {"opcode", 4u << 11, false, VAL_INSECURE, 4, 0xa084},
};

static void test_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(flags_cases); i++) {
        const struct flags_case *c = &flags_cases[i];
        struct request request = request_of("www.example.", DNS_TYPE_A);
        struct respond_how how = {.status = c->status, .rcode = c->rcode};
        uint8_t buf[1500];
        print_message("%s\n", c->what);
        request.flags = c->flags;
        request.dnssec_ok = c->dnssec_ok;
        struct dns_msg msg = read_msg(buf, respond_empty(&request, &how, buf, sizeof buf));
        assert_int_equal(msg.id, 0xabcd);
        assert_int_equal(msg.flags, c->want);
        assert_int_equal(msg.edns.dnssec_ok, c->dnssec_ok);
    }
}

/* --- EDNS ------------------------------------------------------------------------------------ */

static void test_edns_only_to_those_who_have_it(void **state)
{
    (void)state;
    struct request request = request_of("www.example.", DNS_TYPE_A);
    struct dns_ede ede = {.code = DNS_EDE_BOGUS, .text = "because"};
    struct dns_ede got;
    struct respond_how how = {
        .status = VAL_BOGUS, .rcode = DNS_RCODE_SERVFAIL, .ede = &ede, .keepalive_ds = 100};
    uint8_t buf[1500];
    struct dns_msg msg = read_msg(buf, respond_empty(&request, &how, buf, sizeof buf));
    dns_ede_find(buf, &msg.edns, &got);
    assert_int_equal(msg.edns.udp_size, RESPOND_UDP_SIZE);
    assert_int_equal(got.code, DNS_EDE_BOGUS);
    assert_string_equal(got.text, "because");
    request.keepalive = true;
    uint32_t with = respond_empty(&request, &how, buf, sizeof buf);
    static const uint8_t option[] = {0, 11, 0, 2, 0, 100};
    assert_memory_equal(buf + with - sizeof option, option, sizeof option);
    request.edns = false;
    msg = read_msg(buf, respond_empty(&request, &how, buf, sizeof buf));
    assert_false(msg.edns.present);
    assert_int_equal(msg.len, DNS_HEADER_LEN + request.question.name.len + 4);
}

static void test_extended_rcode(void **state)
{
    (void)state;
    struct request request = {.id = 1, .edns = true, .cap = 512};
    struct respond_how how = {.status = VAL_INSECURE, .rcode = DNS_RCODE_BADVERS};
    uint8_t buf[512];
    struct dns_msg msg = read_msg(buf, respond_empty(&request, &how, buf, sizeof buf));
    assert_int_equal(msg.rcode, DNS_RCODE_BADVERS);
    assert_int_equal(msg.question_count, 0);
}

/* --- answers --------------------------------------------------------------------------------- */

/* In place and by copy it must be the same message: the fast way is only faster. */
static void test_both_ways_say_the_same(void **state)
{
    (void)state;
    struct dns_ede ede = {.code = DNS_EDE_UNSUPPORTED_DIGEST, .text = "x"};
    for (unsigned edns = 0; edns < 2; edns++) {
        struct request request = request_of("wWw.eXample.", DNS_TYPE_A);
        struct respond_how how = {.status = VAL_SECURE, .ede = &ede};
        uint8_t cached[1500];
        uint8_t copied[1500];
        request.edns = edns;
        request.dnssec_ok = true;
        uint32_t len = write_answer(cached, sizeof cached, 3);
        struct dns_msg msg = read_msg(cached, len);
        uint32_t copied_len = respond_copy(&request, &how, &msg, copied, sizeof copied);
        uint32_t patched_len = respond_in_place(&request, &how, cached, len, sizeof cached);
        assert_int_not_equal(copied_len, 0);
        assert_int_equal(patched_len, len + (edns ? 11 + 4 + 3 : 0));
        struct dns_msg patched = read_msg(cached, patched_len);
        assert_int_equal(patched.flags, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | DNS_FLAG_AD);
        assert_memory_equal(patched.question.name.wire, request.question.name.wire,
                            request.question.name.len);
        assert_int_equal(patched.rr_count, 4);
        assert_int_equal(patched.edns.present, edns);
        struct dns_msg other = read_msg(copied, copied_len);
        assert_int_equal(other.flags, patched.flags);
        assert_int_equal(other.rr_count, 4);
        assert_int_equal(other.edns.options_len, patched.edns.options_len);
        assert_memory_equal(other.question.name.wire, request.question.name.wire,
                            request.question.name.len);
    }
}

static void test_copy_strips_for_those_without_do(void **state)
{
    (void)state;
    uint8_t source[1500];
    uint8_t buf[1500];
    for (unsigned dnssec_ok = 0; dnssec_ok < 2; dnssec_ok++) {
        struct request request = request_of("www.example.", DNS_TYPE_A);
        struct respond_how how = {.status = VAL_SECURE};
        request.dnssec_ok = dnssec_ok;
        struct dns_msg msg = read_msg(source, write_answer(source, sizeof source, 2));
        struct dns_msg got = read_msg(buf, respond_copy(&request, &how, &msg, buf, sizeof buf));
        assert_int_equal(count_type(&got, DNS_TYPE_A), 2);
        assert_int_equal(count_type(&got, DNS_TYPE_RRSIG), dnssec_ok);
    }
}

/* To the octet: what fits is left whole, one octet less is cut, with TC and OPT. */
static void test_room(void **state)
{
    (void)state;
    static uint8_t source[4096];
    static uint8_t buf[4096];
    struct request request = request_of("www.example.", DNS_TYPE_A);
    struct respond_how how = {.status = VAL_SECURE};
    request.dnssec_ok = true;
    uint32_t len = write_answer(source, sizeof source, 100);
    request.cap = len + 11;
    memcpy(buf, source, len);
    assert_int_equal(respond_in_place(&request, &how, buf, len, sizeof buf), len + 11);
    request.cap--;
    memcpy(buf, source, len);
    assert_int_equal(respond_in_place(&request, &how, buf, len, sizeof buf), 0);
    assert_memory_equal(buf, source, len); /* untouched */
    struct dns_msg msg = read_msg(source, len);
    uint32_t cut = respond_copy(&request, &how, &msg, buf, sizeof buf);
    assert_in_range(cut, 12, request.cap);
    struct dns_msg got = read_msg(buf, cut);
    assert_true(got.flags & DNS_FLAG_TC);
    assert_true(got.edns.present);
    assert_int_equal(count_type(&got, DNS_TYPE_A), 0); /* whole sets only */
    /* The buffer, too, is a bound. */
    request.cap = DNS_MSG_MAX;
    memcpy(buf, source, len);
    assert_int_equal(respond_in_place(&request, &how, buf, len, len + 10), 0);
}

static void test_another_question_is_not_patched(void **state)
{
    (void)state;
    struct request request = request_of("www.exbmple.", DNS_TYPE_A);
    struct respond_how how = {.status = VAL_SECURE};
    uint8_t buf[1500];
    uint32_t len = write_answer(buf, sizeof buf, 1);
    assert_int_equal(respond_in_place(&request, &how, buf, len, sizeof buf), 0);
    request = request_of("www.example.", DNS_TYPE_A);
    for (uint32_t cut = 0; cut < DNS_HEADER_LEN + 13 + 4; cut++)
        assert_int_equal(respond_in_place(&request, &how, buf, cut, sizeof buf), 0);
}

/* --- made here ------------------------------------------------------------------------------- */

static void test_local(void **state)
{
    static const struct local_case {
        enum policy_answer answer;
        uint16_t type;
        uint16_t rcode;
        unsigned addresses, soas;
    } cases[] = {
        {POLICY_LOCALHOST, DNS_TYPE_A, 0, 1, 0},
        {POLICY_LOCALHOST, DNS_TYPE_AAAA, 0, 1, 0},
        {POLICY_NODATA, DNS_TYPE_MX, 0, 0, 1},
        {POLICY_NXDOMAIN, DNS_TYPE_A, 3, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request request = request_of("x.LOCALhost.", cases[i].type);
        struct policy_local local = {.answer = cases[i].answer, .zone = name_of("localhost.")};
        uint8_t buf[512];
        request.flags |= DNS_FLAG_AD;
        request.dnssec_ok = true;
        struct dns_msg msg = read_msg(buf, local_answer(&request, &local, 0, buf, sizeof buf));
        assert_int_equal(msg.rcode, cases[i].rcode);
        assert_false(msg.flags & DNS_FLAG_AD);
        assert_int_equal(count_type(&msg, cases[i].type), cases[i].addresses);
        assert_int_equal(count_type(&msg, DNS_TYPE_SOA), cases[i].soas);
        if (cases[i].soas)
            assert_int_equal(msg.rr[0].section, DNS_AUTHORITY);
    }
}

static void test_report_leaves_out_what_does_not_fit(void **state)
{
    (void)state;
    char line[201];
    const char *lines[] = {"ok", line, line, line};
    struct request request = request_of("health.veridoh.", DNS_TYPE_TXT);
    uint8_t buf[4096];
    memset(line, 'x', 200);
    line[200] = '\0';
    request.question.class_ = DNS_CLASS_CH;
    request.edns = false;
    request.cap = 512;
    struct dns_msg msg = read_msg(buf, local_text(&request, lines, 4, buf, sizeof buf));
    assert_int_equal(msg.rr_count, 3);
    assert_int_equal(msg.rr[0].class_, DNS_CLASS_CH);
    struct dns_reader first = dns_rr_rdata(&msg, &msg.rr[0]);
    assert_memory_equal(dns_read_bytes(&first, 3), "\2ok", 3);
    request.cap = 4096;
    msg = read_msg(buf, local_text(&request, lines, 4, buf, sizeof buf));
    assert_int_equal(msg.rr_count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_edns_only_to_those_who_have_it),
        cmocka_unit_test(test_extended_rcode),
        cmocka_unit_test(test_both_ways_say_the_same),
        cmocka_unit_test(test_copy_strips_for_those_without_do),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_another_question_is_not_patched),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_report_leaves_out_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
