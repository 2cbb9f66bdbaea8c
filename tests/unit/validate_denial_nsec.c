// SPDX-License-Identifier: MIT
// Denial by NSEC: each proof with all its records, and without each one of them.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/denial.h"

#define SETS_MAX 16

enum question { NODATA, NXDOMAIN, WILDCARD, NO_DS };

struct denial_case {
    const char *what;
    enum question question;
    const char *qname;
    uint16_t qtype;    /* NODATA; labels of the encloser for WILDCARD */
    int want;          /* enum val_proof, or enum val_no_ds for NO_DS */
    const char *nsecs; /* one a line */
};

#define YES VAL_PROOF_SECURE
#define NO VAL_PROOF_NONE
#define APEX "example. NSEC a.example. NS SOA RRSIG NSEC DNSKEY\n"

// clang-format off
static const struct denial_case cases[] = {
    /* NODATA */
    {"the type is not there", NODATA, "a.example.", DNS_TYPE_MX, YES, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"owner in another case", NODATA, "A.exAmple.", DNS_TYPE_MX, YES, "a.EXAMPLE. NSEC C.example. A RRSIG NSEC\n"},
    {"the type is there", NODATA, "a.example.", DNS_TYPE_A, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"a CNAME is there", NODATA, "a.example.", DNS_TYPE_A, NO, "a.example. NSEC c.example. CNAME RRSIG NSEC\n"},
    {"NSEC, whose bit is clear", NODATA, "a.example.", DNS_TYPE_NSEC, NO, "a.example. NSEC c.example. A\n"},
    {"RRSIG, whose bit is clear", NODATA, "a.example.", DNS_TYPE_RRSIG, NO, "a.example. NSEC c.example. A\n"},
    {"the CNAME itself", NODATA, "a.example.", DNS_TYPE_CNAME, YES, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"of another name", NODATA, "b.example.", DNS_TYPE_MX, NO, "a.example. NSEC b.example. A RRSIG NSEC\n"},
    {"parent side of a cut", NODATA, "a.example.", DNS_TYPE_A, NO, "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"parent side, DS", NODATA, "a.example.", DNS_TYPE_DS, YES, "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"child side, DS", NODATA, "example.", DNS_TYPE_DS, NO, APEX},
    {"child side, A", NODATA, "example.", DNS_TYPE_A, YES, APEX},
    {"empty non-terminal", NODATA, "b.example.", DNS_TYPE_A, YES, "a.example. NSEC x.b.example. A RRSIG NSEC\n"},
    {"empty non-terminal, DS", NODATA, "b.example.", DNS_TYPE_DS, YES, "a.example. NSEC x.b.example. A RRSIG NSEC\n"},
    {"deep empty non-terminal", NODATA, "b.example.", DNS_TYPE_A, YES, "a.example. NSEC z.y.x.b.example. A RRSIG NSEC\n"},
    {"not empty: next is elsewhere", NODATA, "b.example.", DNS_TYPE_A, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"wildcard", NODATA, "b.example.", DNS_TYPE_MX, YES,
     "a.example. NSEC c.example. A RRSIG NSEC\n*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"wildcard, the gap is missing", NODATA, "b.example.", DNS_TYPE_MX, NO, "*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"wildcard, its NSEC is missing", NODATA, "b.example.", DNS_TYPE_MX, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"wildcard with the type", NODATA, "b.example.", DNS_TYPE_A, NO,
     "a.example. NSEC c.example. A RRSIG NSEC\n*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"wildcard with a CNAME", NODATA, "b.example.", DNS_TYPE_A, NO,
     "a.example. NSEC c.example. A RRSIG NSEC\n*.example. NSEC a.example. CNAME RRSIG NSEC\n"},
    {"wildcard of a higher name", NODATA, "b.a.example.", DNS_TYPE_MX, NO,
     "a.example. NSEC c.a.example. A RRSIG NSEC\n*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"wildcard as a non-terminal", NODATA, "b.example.", DNS_TYPE_MX, YES,
     "a.example. NSEC c.example. A RRSIG NSEC\nexample. NSEC x.*.example. NS SOA RRSIG NSEC\n"},
    {"literal wildcard owner", NODATA, "*.example.", DNS_TYPE_MX, YES, "*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"ANY with nothing", NODATA, "a.example.", DNS_TYPE_ANY, YES, "a.example. NSEC c.example. RRSIG NSEC\n"},
    {"ANY with something", NODATA, "a.example.", DNS_TYPE_ANY, NO, "a.example. NSEC c.example. CAA RRSIG NSEC\n"},
    {"compact denial (RFC 9824)", NODATA, "b.example.", DNS_TYPE_A, YES, "b.example. NSEC \\000.b.example. RRSIG NSEC NXNAME\n"},
    {"compact denial, another type there", NODATA, "b.example.", DNS_TYPE_A, NO, "b.example. NSEC \\000.b.example. A RRSIG NSEC\n"},
    {"compact denial, all types but the asked", NODATA, "b.example.", DNS_TYPE_AAAA, YES, "b.example. NSEC \\000.b.example. A MX TXT RRSIG NSEC CAA\n"},
    {"compact denial, and then another type", NODATA, "b.example.", DNS_TYPE_MX, NO, "b.example. NSEC \\000.b.example. A MX TXT RRSIG NSEC CAA\n"},
    {"compact denial of a delegation", NODATA, "b.example.", DNS_TYPE_A, NO, "b.example. NSEC \\000.b.example. NS RRSIG NSEC\n"},
    {"compact denial of another name", NODATA, "a.b.example.", DNS_TYPE_A, NO, "b.example. NSEC \\000.b.example. RRSIG NSEC NXNAME\n"},
    {"name outside the zone", NODATA, "a.test.", DNS_TYPE_A, NO, APEX},
    {"owner outside, next inside", NODATA, "a.test.", DNS_TYPE_A, NO, "a.test. NSEC example. RRSIG NSEC\n"},
    {"next before owner", NODATA, "c.example.", DNS_TYPE_MX, NO, "c.example. NSEC a.example. A RRSIG NSEC\n"},
    {"owner outside the zone", NODATA, "a.test.", DNS_TYPE_A, NO, "a.test. NSEC b.test. RRSIG NSEC\n"},

    /* NXDOMAIN */
    {"one NSEC does both", NXDOMAIN, "b.example.", 0, YES, "example. NSEC c.example. NS SOA RRSIG NSEC\n"},
    {"two NSECs", NXDOMAIN, "b.example.", 0, YES, APEX "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"the wildcard is not denied", NXDOMAIN, "b.example.", 0, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"the name is not denied", NXDOMAIN, "b.example.", 0, NO, APEX},
    {"the wildcard exists", NXDOMAIN, "b.example.", 0, NO,
     "a.example. NSEC c.example. A RRSIG NSEC\n*.example. NSEC a.example. A RRSIG NSEC\n"},
    {"the wildcard is a non-terminal", NXDOMAIN, "b.example.", 0, NO,
     "a.example. NSEC c.example. A RRSIG NSEC\nexample. NSEC x.*.example. NS SOA RRSIG NSEC\n"},
    {"an empty non-terminal exists", NXDOMAIN, "b.example.", 0, NO, APEX "a.example. NSEC x.b.example. A RRSIG NSEC\n"},
    {"the name itself exists", NXDOMAIN, "a.example.", 0, NO, APEX "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"the end of a gap is no part of it", NXDOMAIN, "c.example.", 0, NO, APEX "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"last to apex", NXDOMAIN, "z.example.", 0, YES, APEX "y.example. NSEC example. A RRSIG NSEC\n"},
    {"last to apex, before it", NXDOMAIN, "x.example.", 0, NO, APEX "y.example. NSEC example. A RRSIG NSEC\n"},
    {"a zone of one name", NXDOMAIN, "z.example.", 0, YES, "example. NSEC example. NS SOA RRSIG NSEC\n"},
    {"next before owner, not the apex", NXDOMAIN, "z.example.", 0, NO, APEX "y.example. NSEC b.example. A RRSIG NSEC\n"},
    {"next is the owner, not the apex", NXDOMAIN, "z.example.", 0, NO, APEX "y.example. NSEC y.example. A RRSIG NSEC\n"},
    {"next outside the zone", NXDOMAIN, "z.example.", 0, NO, APEX "y.example. NSEC a.test. A RRSIG NSEC\n"},
    {"below a cut", NXDOMAIN, "b.a.example.", 0, NO,
     APEX "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"below an apex of its own", NXDOMAIN, "0.example.", 0, YES, APEX},
    {"below a DNAME", NXDOMAIN, "b.a.example.", 0, NO, APEX "a.example. NSEC c.example. DNAME RRSIG NSEC\n"},
    {"beside a cut", NXDOMAIN, "b.example.", 0, YES, APEX "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"wildcard denied from above a cut", NXDOMAIN, "b.a.example.", 0, NO,
     "a.example. NSEC a.a.example. NS RRSIG NSEC\na.a.example. NSEC c.a.example. A RRSIG NSEC\n"},
    {"wildcard denied from where there is no cut", NXDOMAIN, "b.a.example.", 0, YES,
     "a.example. NSEC a.a.example. A RRSIG NSEC\na.a.example. NSEC c.a.example. A RRSIG NSEC\n"},
    {"closest encloser from the next name", NXDOMAIN, "b.w.example.", 0, YES,
     "a.example. NSEC x.w.example. A RRSIG NSEC\n"},
    {"closest encloser from the owner", NXDOMAIN, "b.a.example.", 0, NO,
     APEX "a.a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"wildcard of the wrong encloser", NXDOMAIN, "y.w.example.", 0, NO,
     APEX "x.w.example. NSEC z.w.example. A RRSIG NSEC\n"},
    {"compact denial, rcode restored", NXDOMAIN, "b.example.", 0, YES, "b.example. NSEC \\000.b.example. RRSIG NSEC NXNAME\n"},
    {"compact denial of a non-terminal", NXDOMAIN, "b.example.", 0, NO, "b.example. NSEC \\000.b.example. RRSIG NSEC\n"},
    {"compact denial, with something there", NXDOMAIN, "b.example.", 0, NO, "b.example. NSEC \\000.b.example. A RRSIG NSEC NXNAME\n"},
    {"compact denial of what is above", NXDOMAIN, "a.b.example.", 0, NO, "b.example. NSEC \\000.b.example. RRSIG NSEC NXNAME\n"},
    {"the literal wildcard", NXDOMAIN, "*.example.", 0, YES, APEX},

    /* answers from a wildcard */
    {"nothing closer", WILDCARD, "b.example.", 1, YES, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"no record", WILDCARD, "b.example.", 1, NO, APEX},
    {"deeper: the next closer name counts", WILDCARD, "x.b.example.", 1, YES, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"deeper: the next closer name exists", WILDCARD, "x.b.example.", 1, NO, "b.example. NSEC c.example. A RRSIG NSEC\n"},
    {"deeper: it is a non-terminal", WILDCARD, "x.b.example.", 1, NO, "a.example. NSEC z.b.example. A RRSIG NSEC\n"},
    {"labels that are no expansion", WILDCARD, "b.example.", 2, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"labels above the zone", WILDCARD, "b.example.", 0, NO, "a.example. NSEC c.example. A RRSIG NSEC\n"},

    /* no DS */
    {"insecure cut", NO_DS, "a.example.", 0, VAL_NO_DS_CUT, "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"secure cut", NO_DS, "a.example.", 0, VAL_NO_DS_UNPROVEN, "a.example. NSEC c.example. NS DS RRSIG NSEC\n"},
    {"the child answered", NO_DS, "a.example.", 0, VAL_NO_DS_WRONG_SIDE, "a.example. NSEC c.a.example. NS SOA RRSIG NSEC\n"},
    {"no cut", NO_DS, "a.example.", 0, VAL_NO_DS_NOT_A_CUT, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"an alias is no cut", NO_DS, "a.example.", 0, VAL_NO_DS_NOT_A_CUT, "a.example. NSEC c.example. CNAME RRSIG NSEC\n"},
    {"non-terminal", NO_DS, "b.example.", 0, VAL_NO_DS_NOT_A_CUT, "a.example. NSEC x.b.example. A RRSIG NSEC\n"},
    {"does not exist", NO_DS, "b.example.", 0, VAL_NO_DS_NOT_A_CUT, "a.example. NSEC c.example. A RRSIG NSEC\n"},
    {"compact denial", NO_DS, "b.example.", 0, VAL_NO_DS_NOT_A_CUT, "b.example. NSEC \\000.b.example. RRSIG NSEC NXNAME\n"},
    {"below a cut nothing is said", NO_DS, "b.a.example.", 0, VAL_NO_DS_UNPROVEN, "a.example. NSEC c.example. NS RRSIG NSEC\n"},
    {"nothing at all", NO_DS, "b.example.", 0, VAL_NO_DS_UNPROVEN, "x.example. NSEC z.example. A RRSIG NSEC\n"},
};
// clang-format on

static int ask(const struct denial_case *c, const struct val_denial *d)
{
    struct dns_name qname = name_of(c->qname);
    switch (c->question) {
    case NODATA: return (int)val_prove_nodata(d, &qname, c->qtype);
    case NXDOMAIN: return (int)val_prove_nxdomain(d, &qname);
    case WILDCARD: return (int)val_prove_wildcard(d, &qname, c->qtype);
    case NO_DS: return (int)val_prove_no_ds(d, &qname);
    }
    return -1;
}

/* Forwards and backwards: the order of the records is the sender's. */
static void test_cases(void **state)
{
    (void)state;
    const struct dns_name zone = name_of("example.");
    const struct val_policy policy = {.nsec3_insecure_above = 50, .nsec3_bogus_above = 500};
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct records records = records_from_text(cases[i].nsecs);
        const struct val_rrset *sets[SETS_MAX];
        uint32_t count = records.sets.count;
        struct val_denial d = {&zone, sets, count, &policy, &budget};
        for (uint32_t j = 0; j < count; j++)
            sets[j] = &records.sets.set[j];
        assert_int_equal(ask(&cases[i], &d), cases[i].want);
        for (uint32_t j = 0; j < count; j++)
            sets[j] = &records.sets.set[count - 1 - j];
        assert_int_equal(ask(&cases[i], &d), cases[i].want);
        records_free(&records);
    }
}

/* RFC 4035 5.2: the root has no parent to ask. */
static void test_root_ds(void **state)
{
    (void)state;
    const struct val_policy policy = {.nsec3_insecure_above = 50, .nsec3_bogus_above = 500};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct records records = records_from_text(". NSEC aaa. NS SOA RRSIG NSEC DNSKEY ZONEMD");
    const struct val_rrset *set = &records.sets.set[0];
    struct val_denial d = {&dns_root, &set, 1, &policy, &budget};
    assert_int_equal(val_prove_nodata(&d, &dns_root, DNS_TYPE_DS), VAL_PROOF_SECURE);
    records_free(&records);
}

static void test_too_many(void **state)
{
    (void)state;
    const struct dns_name zone = name_of("example."), qname = name_of("a.example.");
    const struct val_policy policy = {.nsec3_insecure_above = 50, .nsec3_bogus_above = 500};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct records records = records_from_text("a.example. NSEC b.example. A RRSIG NSEC");
    const struct val_rrset *sets[13];
    for (size_t i = 0; i < COUNT(sets); i++)
        sets[i] = &records.sets.set[0];
    struct val_denial d = {&zone, sets, COUNT(sets), &policy, &budget};
    assert_int_equal(val_prove_nodata(&d, &qname, DNS_TYPE_MX), VAL_PROOF_BUDGET);
    d.count--;
    assert_int_equal(val_prove_nodata(&d, &qname, DNS_TYPE_MX), VAL_PROOF_SECURE);
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_root_ds),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
