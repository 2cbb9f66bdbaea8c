// SPDX-License-Identifier: MIT
#include "dns/rdata.h"
#include "dns/rrset.h"
#include "tests/test.h"

/* A message from lines, one letter and a blank before each: the section, "N", "A" or "X". */
static uint32_t build(const char *const *lines, uint16_t qtype, uint8_t *buf, size_t cap)
{
    struct dns_msg_out out;
    struct dns_question question = {.type = qtype, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse("www.example.com", &question.name), DNS_OK);
    dns_msg_out_init(&out, buf, cap, 1, DNS_FLAG_QR);
    dns_msg_out_question(&out, &question);
    for (; *lines; lines++) {
        uint8_t rdata[512];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_line line;
        enum dns_section section = **lines == 'N'   ? DNS_ANSWER
                                   : **lines == 'A' ? DNS_AUTHORITY
                                                    : DNS_ADDITIONAL;
        assert_int_equal(dns_line_parse(*lines + 2, &dns_root, 60, &line, &w), DNS_OK);
        dns_msg_out_rr(&out, section, &line.owner, line.type, line.class_, line.ttl_s, rdata,
                       (uint16_t)w.off);
    }
    return dns_msg_out_finish(&out);
}

#define SIG " 8 3 60 20300101000000 20200101000000 1 example.com. AAAA"

struct group_case {
    const char *what;
    uint16_t qtype;
    const char *lines[12];
    struct {
        uint16_t type, count, sig_count;
        uint32_t ttl_s;
        uint8_t section;
    } want[6];
    uint32_t sets;
};

// clang-format off
static const struct group_case groups[] = {
    {"nothing", DNS_TYPE_A, {NULL}, {{0}}, 0},
    {"one set, the lowest TTL", DNS_TYPE_A,
     {"N www.example.com. 60 A 1.1.1.1", "N WWW.example.com. 50 A 1.1.1.2", NULL},
     {{DNS_TYPE_A, 2, 0, 50, DNS_ANSWER}}, 1},
    {"signatures from any section", DNS_TYPE_A,
     {"N www.example.com. A 1.1.1.1", "A example.com. NS a.", "A www.example.com. RRSIG A" SIG,
      "X www.example.com. RRSIG A" SIG, "X example.com. RRSIG NS" SIG, NULL},
     {{DNS_TYPE_A, 1, 2, 60, DNS_ANSWER}, {DNS_TYPE_NS, 1, 1, 60, DNS_AUTHORITY}}, 2},
    {"a signature before what it covers", DNS_TYPE_A,
     {"N www.example.com. RRSIG A" SIG, "N www.example.com. A 1.1.1.1", NULL},
     {{DNS_TYPE_A, 1, 1, 60, DNS_ANSWER}}, 1},
    {"a set spread over sections", DNS_TYPE_A,
     {"N www.example.com. A 1.1.1.1", "X www.example.com. 30 A 1.1.1.2", NULL},
     {{DNS_TYPE_A, 2, 0, 30, DNS_ANSWER}}, 1},
    {"interleaved", DNS_TYPE_A,
     {"N www.example.com. A 1.1.1.1", "N www.example.com. AAAA ::1", "N www.example.com. A 1.1.1.2",
      "N www.example.com. RRSIG AAAA" SIG, "N www.example.com. AAAA ::2", NULL},
     {{DNS_TYPE_A, 2, 0, 60, DNS_ANSWER}, {DNS_TYPE_AAAA, 2, 1, 60, DNS_ANSWER}}, 2},
    {"classes are kept apart", DNS_TYPE_TXT,
     {"N www.example.com. TXT a", "N www.example.com. CH TXT b", "N www.example.com. CH RRSIG TXT" SIG, NULL},
     {{DNS_TYPE_TXT, 1, 0, 60, DNS_ANSWER}, {DNS_TYPE_TXT, 1, 1, 60, DNS_ANSWER}}, 2},
    {"a signature that covers nothing", DNS_TYPE_A,
     {"N www.example.com. A 1.1.1.1", "N www.example.com. RRSIG AAAA" SIG, "N other. RRSIG A" SIG,
      "N www.example.com. RRSIG RRSIG" SIG, NULL},
     {{DNS_TYPE_A, 1, 0, 60, DNS_ANSWER}}, 1},
    {"signatures were asked for", DNS_TYPE_RRSIG,
     {"N www.example.com. RRSIG A" SIG, "N www.example.com. RRSIG RRSIG" SIG, "A example.com. SOA a. b. 1 2 3 4 5",
      "A example.com. RRSIG SOA" SIG, NULL},
     {{DNS_TYPE_SOA, 1, 1, 60, DNS_AUTHORITY}, {DNS_TYPE_RRSIG, 2, 0, 60, DNS_ANSWER}}, 2},
};
// clang-format on

/* Every record is named once, in the range of the right set. */
static void check_order(const struct dns_msg *msg, const struct dns_rrsets *sets)
{
    bool seen[DNS_RR_MAX] = {false};
    for (uint32_t s = 0; s < sets->count; s++) {
        const struct dns_rrset *set = &sets->set[s];
        for (unsigned i = 0; i < set->count + set->sig_count; i++) {
            bool sig = i >= set->count;
            uint16_t at = sets->order[sig ? set->sig_first + i - set->count : set->first + i];
            struct dns_name owner = dns_rr_owner(msg, &msg->rr[at]);
            assert_false(seen[at]);
            seen[at] = true;
            assert_true(dns_name_equal(&owner, &set->owner));
            assert_int_equal(msg->rr[at].type, sig ? DNS_TYPE_RRSIG : set->type);
            assert_int_equal(msg->rr[at].class_, set->class_);
        }
    }
}

static void records_are_grouped(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(groups); i++) {
        const struct group_case *c = &groups[i];
        uint8_t buf[4096];
        struct dns_rr rr[32];
        struct dns_rrset table[8];
        uint16_t order[32];
        struct dns_msg msg;
        struct dns_rrsets sets;
        print_message("%s\n", c->what);
        uint32_t len = build(c->lines, c->qtype, buf, sizeof buf);
        assert_int_equal(dns_msg_read(buf, len, rr, COUNT(rr), &msg), DNS_OK);
        assert_int_equal(dns_rrsets_group(&msg, table, COUNT(table), order, &sets), DNS_OK);
        assert_int_equal(sets.count, c->sets);
        for (uint32_t s = 0; s < sets.count; s++) {
            assert_int_equal(table[s].type, c->want[s].type);
            assert_int_equal(table[s].count, c->want[s].count);
            assert_int_equal(table[s].sig_count, c->want[s].sig_count);
            assert_int_equal(table[s].ttl_s, c->want[s].ttl_s);
            assert_int_equal(table[s].section, c->want[s].section);
        }
        check_order(&msg, &sets);
    }
}

static void too_many_sets_are_refused(void **state)
{
    (void)state;
    static uint8_t buf[65535];
    static struct dns_rr rr[DNS_RR_MAX];
    static struct dns_rrset table[DNS_RRSET_MAX + 1];
    static uint16_t order[DNS_RR_MAX];
    struct dns_msg msg;
    struct dns_rrsets sets = {.count = 99};
    for (uint16_t count = DNS_RRSET_MAX; count <= DNS_RRSET_MAX + 1; count++) {
        struct dns_msg_out out;
        dns_msg_out_init(&out, buf, sizeof buf, 1, DNS_FLAG_QR);
        for (uint16_t i = 0; i < count; i++)
            dns_msg_out_rr(&out, DNS_ANSWER, &dns_root, (uint16_t)(1000 + i), 1, 0, "", 0);
        uint32_t len = dns_msg_out_finish(&out);
        assert_int_equal(dns_msg_read(buf, len, rr, COUNT(rr), &msg), DNS_OK);
        assert_int_equal(dns_rrsets_group(&msg, table, COUNT(table), order, &sets),
                         count > DNS_RRSET_MAX ? DNS_E_COUNT : DNS_OK);
        assert_int_equal(sets.count, DNS_RRSET_MAX); /* the second time untouched */
        assert_int_equal(dns_rrsets_group(&msg, table, 3, order, &sets), DNS_E_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_grouped),
        cmocka_unit_test(too_many_sets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
