// SPDX-License-Identifier: MIT
// Answers that were bent on their way: what stays secure, what an insecure cut excuses, what cannot
// be told, and what is bogus and why.
#include "tests/test.h"
#include "tests/unit/job_bench.h"

static struct world *world;

static int set_up(void **state)
{
    (void)state;
    world = world_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

struct bent_case {
    const char *what, *name;
    uint16_t type;
    enum val_status want;
    enum val_why why;
    struct bend bend[2];
};

#define A DNS_TYPE_A
#define MX DNS_TYPE_MX
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY
#define NSEC DNS_TYPE_NSEC
#define NSEC3 DNS_TYPE_NSEC3
#define WWW "www.example.test."
#define UNSIGNED "www.insecure.test."
#define ONE(name, type, ...)                                                                       \
    {                                                                                              \
        {                                                                                          \
            name, type, __VA_ARGS__                                                                \
        }                                                                                          \
    }
#define SELF(name, type, ...) name, type, __VA_ARGS__

// clang-format off
static const struct bent_case bent_cases[] = {
    /* the answer itself */
    {"no RRSIG",                  WWW, A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE(WWW, A, BEND_DROP_SIG, 0, 0)},
    {"RRSIG of something else",   WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE(WWW, A, BEND_FLIP, A, 0)},
    {"RRSIG damaged",             WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE(WWW, A, BEND_FLIP_SIG, A, 0)},
    {"nothing at all",            WWW, A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, A, BEND_EMPTY, 0, 0)},
    {"NXDOMAIN out of nothing",   WWW, A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, A, BEND_RCODE, DNS_RCODE_NXDOMAIN, 0)},
    {"SERVFAIL",                  WWW, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE(WWW, A, BEND_RCODE, DNS_RCODE_SERVFAIL, 0)},
    {"REFUSED",                   WWW, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE(WWW, A, BEND_RCODE, DNS_RCODE_REFUSED, 0)},
    {"YXDOMAIN out of nothing",   WWW, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE(WWW, A, BEND_RCODE, DNS_RCODE_YXDOMAIN, 0)},
    {"YXDOMAIN with an answer",   WWW, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE(WWW, A, BEND_RCODE_ONLY, DNS_RCODE_YXDOMAIN, 0)},
    {"NXDOMAIN with an answer",   WWW, A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, A, BEND_RCODE_ONLY, DNS_RCODE_NXDOMAIN, 0)},
    {"data of the apex damaged",  "example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("example.test.", A, BEND_FLIP, A, 0)},
    {"an alias damaged",          "alias.example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("alias.example.test.", A, BEND_FLIP_SIG, DNS_TYPE_CNAME, 0)},
    {"an alias unsigned",         "alias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("alias.example.test.", A, BEND_DROP_SIG, DNS_TYPE_CNAME, 0)},
    {"an alias without its end",  "alias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("alias.example.test.", A, BEND_DROP, A, 0)},
    {"the end of an alias",       "alias.example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("alias.example.test.", A, BEND_FLIP_SIG, A, 0)},
    {"the alias to an unsigned",  "toinsecure.example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("toinsecure.example.test.", A, BEND_FLIP_SIG, DNS_TYPE_CNAME, 0)},
    {"behind an unsigned alias",  "back.insecure.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("back.insecure.test.", A, BEND_FLIP_SIG, A, 0)},
    {"a DNAME damaged",           "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("www.tree.example.test.", A, BEND_FLIP_SIG, DNS_TYPE_DNAME, 0)},
    {"a DNAME unsigned",          "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("www.tree.example.test.", A, BEND_DROP_SIG, DNS_TYPE_DNAME, 0)},
    {"a DNAME without its CNAME", "www.tree.example.test.", A, VAL_SECURE, VAL_WHY_NONE, ONE("www.tree.example.test.", A, BEND_DROP, DNS_TYPE_CNAME, 0)},
    {"a CNAME without its DNAME", "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("www.tree.example.test.", A, BEND_DROP, DNS_TYPE_DNAME, 0)},

    /* denials */
    {"NODATA, no NSEC",           WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, MX, BEND_DROP, NSEC, 0)},
    {"NODATA, NSEC unsigned",     WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, MX, BEND_DROP_SIG, NSEC, 0)},
    {"NODATA, NSEC damaged",      WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, MX, BEND_FLIP_SIG, NSEC, 0)},
    {"NODATA, nothing signed",    WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, MX, BEND_DROP_SIG, 0, 0)},
    {"NODATA, no SOA",            WWW, MX, VAL_SECURE, VAL_WHY_NONE, ONE(WWW, MX, BEND_DROP, DNS_TYPE_SOA, 0)},
    {"NODATA as NXDOMAIN",        WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE(WWW, MX, BEND_RCODE_ONLY, DNS_RCODE_NXDOMAIN, 0)},
    {"NXDOMAIN as NODATA",        "none.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("none.example.test.", A, BEND_RCODE_ONLY, 0, 0)},
    {"NXDOMAIN, no NSEC3",        "none.nsec3.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("none.nsec3.test.", A, BEND_DROP, NSEC3, 0)},
    {"NXDOMAIN, NSEC3 damaged",   "none.nsec3.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("none.nsec3.test.", A, BEND_FLIP_SIG, NSEC3, 0)},
    {"iterations, DS proven",     "none.many.test.", A, VAL_INSECURE, VAL_WHY_ITERATIONS, ONE("none.many.test.", A, BEND_FLIP_SIG, NSEC3, 0)},
    {"iterations, nothing proven","none.many.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL,
     {{"none.many.test.", A, BEND_FLIP_SIG, NSEC3, 0}, {"none.many.test.", DS, BEND_FLIP_SIG, NSEC3, 0}}},
    {"iterations, unsigned",      "none.toomany.test.", A, VAL_BOGUS, VAL_WHY_ITERATIONS_REFUSED, ONE("none.toomany.test.", A, BEND_DROP_SIG, NSEC3, 0)},
    {"wildcard, no denial",       "x.wild.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("x.wild.example.test.", A, BEND_DROP, NSEC, 0)},
    {"wildcard, denial damaged",  "x.wild.nsec3.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("x.wild.nsec3.test.", A, BEND_FLIP_SIG, NSEC3, 0)},
    {"wildcard alias, no denial", "x.wildalias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("x.wildalias.example.test.", A, BEND_DROP, NSEC, 0)},
    {"alias to no name, unproven","dangling.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("dangling.example.test.", A, BEND_DROP, NSEC3, 0)},

    /* the chain: DNSKEY */
    {"root keys damaged",         WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_DS, ONE(".", KEY, BEND_FLIP, KEY, 0)},
    {"root keys unsigned",        WWW, A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE(".", KEY, BEND_DROP_SIG, KEY, 0)},
    {"keys damaged",              WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_DS, ONE("example.test.", KEY, BEND_FLIP, KEY, 0)},
    {"keys unsigned",             WWW, A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("example.test.", KEY, BEND_DROP_SIG, KEY, 0)},
    {"keys' RRSIG damaged",       WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("example.test.", KEY, BEND_FLIP_SIG, KEY, 0)},
    {"keys absent",               WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_ABSENT, ONE("example.test.", KEY, BEND_EMPTY, 0, 0)},
    {"keys not fetched",          WWW, A, VAL_INDETERMINATE, VAL_WHY_FETCH, ONE("example.test.", KEY, BEND_FAIL, 0, 0)},
    {"keys refused",              WWW, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE("example.test.", KEY, BEND_RCODE, DNS_RCODE_REFUSED, 0)},
    {"root keys not fetched",     WWW, A, VAL_INDETERMINATE, VAL_WHY_FETCH, ONE(".", KEY, BEND_FAIL, 0, 0)},
    {"a TLD's keys not fetched",  UNSIGNED, A, VAL_INDETERMINATE, VAL_WHY_FETCH, ONE("test.", KEY, BEND_FAIL, 0, 0)},

    /* the chain: DS */
    {"DS damaged",                WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE, ONE("example.test.", DS, BEND_FLIP, DS, 0)},
    {"DS unsigned",               WWW, A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("example.test.", DS, BEND_DROP_SIG, DS, 0)},
    {"DS absent without a proof", WWW, A, VAL_BOGUS, VAL_WHY_DS_UNPROVEN, ONE("example.test.", DS, BEND_EMPTY, 0, 0)},
    {"no DS, nor RRSIG",          "insecure.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL, ONE("insecure.test.", DS, BEND_DROP_SIG, 0, 0)},
    {"DS by NXDOMAIN of nothing", WWW, A, VAL_BOGUS, VAL_WHY_DS_UNPROVEN, ONE("example.test.", DS, BEND_RCODE, DNS_RCODE_NXDOMAIN, 0)},
    {"DS from the wrong side",    WWW, A, VAL_BOGUS, VAL_WHY_WRONG_SIDE, ONE("example.test.", DS, BEND_CHILD, 0, 0)},
    {"of an unsigned zone",       UNSIGNED, A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("insecure.test.", DS, BEND_CHILD, 0, 0)},
    {"DS not fetched",            WWW, A, VAL_INDETERMINATE, VAL_WHY_FETCH, ONE("example.test.", DS, BEND_FAIL, 0, 0)},
    {"DS refused",                UNSIGNED, A, VAL_INDETERMINATE, VAL_WHY_RCODE, ONE("insecure.test.", DS, BEND_RCODE, DNS_RCODE_SERVFAIL, 0)},
    {"a TLD's DS not fetched",    UNSIGNED, A, VAL_INDETERMINATE, VAL_WHY_FETCH, ONE("test.", DS, BEND_FAIL, 0, 0)},
    {"no DS, rcode NXDOMAIN",     UNSIGNED, A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("insecure.test.", DS, BEND_RCODE_ONLY, DNS_RCODE_NXDOMAIN, 0)},

    /* skewed caches: the second copy is good */
    {"keys, once damaged",        WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE("example.test.", KEY, BEND_FLIP, KEY, 1)},
    {"root keys, once damaged",   WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE(".", KEY, BEND_FLIP, KEY, 1)},
    {"keys, once absent",         WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE("example.test.", KEY, BEND_EMPTY, 0, 1)},
    {"DS, once damaged",          WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE("example.test.", DS, BEND_FLIP_SIG, DS, 1)},
    {"DS, once absent",           WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE("example.test.", DS, BEND_EMPTY, 0, 1)},
    {"DS, once the wrong side",   WWW, A, VAL_SECURE, VAL_WHY_NONE, ONE("example.test.", DS, BEND_CHILD, 0, 1)},
    {"no DS, once the wrong side",UNSIGNED, A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("insecure.test.", DS, BEND_CHILD, 0, 1)},
    {"no DS, once unproven",      UNSIGNED, A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("insecure.test.", DS, BEND_DROP_SIG, 0, 1)},

    /* an insecure cut excuses whatever is wrong below it */
    {"below unsigned, damaged",   "www.signed.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("www.signed.insecure.test.", A, BEND_FLIP, A, 0)},
    {"below unsigned, no keys",   "www.signed.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("signed.insecure.test.", KEY, BEND_FAIL, 0, 0)},
    {"below unsigned, no DS",     "www.signed.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("signed.insecure.test.", DS, BEND_FAIL, 0, 0)},
    {"without a DS, damaged",     "www.nods.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("www.nods.test.", A, BEND_FLIP_SIG, A, 0)},
    {"without a DS, no keys",     "www.nods.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("nods.test.", KEY, BEND_RCODE, DNS_RCODE_SERVFAIL, 0)},
    {"without a DS, no RRSIG",    "www.nods.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("www.nods.test.", A, BEND_DROP_SIG, 0, 0)},
    {"NODATA without SOA",        UNSIGNED, MX, VAL_INSECURE, VAL_WHY_NO_DS, ONE(UNSIGNED, MX, BEND_EMPTY, 0, 0)},
    {"NXDOMAIN without SOA",      "none.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("none.insecure.test.", A, BEND_DROP, 0, 0)},
    {"a DNAME, CNAME damaged",    "www.tree.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS, ONE("www.tree.insecure.test.", A, BEND_FLIP, DNS_TYPE_TXT, 0)},
    {"opt-out, damaged",          "www.cut.optout.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG, ONE("cut.optout.", DS, BEND_FLIP_SIG, NSEC3, 0)},
};
// clang-format on

static bool is_bent(struct bench *b, const struct bent_case *c)
{
    memcpy(b->bend, c->bend, sizeof c->bend);
    const struct val_verdict *v = bench_ask(b, c->name, c->type);
    if (!bench_is(b, c->what, c->want, c->why))
        return false;
    return v->status <= VAL_INSECURE || v->reason.name.len > 0;
}

static void check_bent(bool plan, uint32_t slice_units, unsigned order)
{
    struct bench b;
    unsigned failures = 0;
    bench_init(&b, world, ".");
    b.plan = plan;
    b.limits.slice_units = slice_units;
    for (size_t i = 0; i < COUNT(bent_cases); i++) {
        b.order = order;
        failures += !is_bent(&b, &bent_cases[i]);
        bench_forget(&b);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
}

static void test_bent(void **state)
{
    (void)state;
    check_bent(false, 32, 0);
}

static void test_bent_planned(void **state)
{
    (void)state;
    check_bent(true, 32, 0);
}

/* One signature a step, and what is needed given in another order each time. */
static void test_bent_any_order(void **state)
{
    (void)state;
    for (unsigned order = 1; order <= 6; order++)
        check_bent(order % 2 == 0, 1, order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bent),
        cmocka_unit_test(test_bent_planned),
        cmocka_unit_test(test_bent_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
