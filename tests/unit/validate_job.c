// SPDX-License-Identifier: MIT
// Answers of an honest upstream about a signed world: what is secure, what is insecure and by what
// proof, what a cold proof costs, and what is written.
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

struct honest_case {
    const char *what, *name;
    uint16_t type;
    enum val_status want;
    enum val_why why;
    uint16_t rcode;
    bool denial;
};

#define A DNS_TYPE_A
#define MX DNS_TYPE_MX
#define NX DNS_RCODE_NXDOMAIN
#define OK VAL_SECURE, VAL_WHY_NONE, 0, false
#define NODATA VAL_SECURE, VAL_WHY_NONE, 0, true
#define NXDOMAIN VAL_SECURE, VAL_WHY_NONE, NX, true

// clang-format off
static const struct honest_case honest_cases[] = {
    {"at the root",                  ".",                              DNS_TYPE_SOA, OK},
    {"keys of the root",             ".",                              DNS_TYPE_DNSKEY, OK},
    {"no address at the root",       ".",                              A, NODATA},
    {"no DS of the root",            ".",                              DNS_TYPE_DS, NODATA},
    {"no such TLD",                  "none.",                          A, NXDOMAIN},
    {"below no such TLD",            "a.b.c.none.",                    A, NXDOMAIN},
    {"apex of a TLD",                "test.",                          DNS_TYPE_SOA, OK},
    {"apex",                         "example.test.",                  A, OK},
    {"keys",                         "example.test.",                  DNS_TYPE_DNSKEY, OK},
    {"DS",                           "example.test.",                  DNS_TYPE_DS, OK},
    {"DS at a name that is no cut",  "www.example.test.",              DNS_TYPE_DS, NODATA},
    {"DS of an unsigned zone",       "insecure.test.",                 DNS_TYPE_DS, NODATA},
    {"DS of one that opts out",      "cut.optout.",                    DNS_TYPE_DS, VAL_INSECURE, VAL_WHY_OPT_OUT, 0, true},
    {"address",                      "www.example.test.",              A, OK},
    {"address, case mixed",          "wWw.eXample.tEst.",              A, OK},
    {"text",                         "www.example.test.",              DNS_TYPE_TXT, OK},
    {"P-256",                        "www.p256.test.",                 A, OK},
    {"P-256, nothing there",         "none.p256.test.",                A, NXDOMAIN},
    {"everything",                   "www.example.test.",              DNS_TYPE_ANY, OK},
    {"everything at no name",        "none.example.test.",             DNS_TYPE_ANY, NXDOMAIN},
    {"no mail, NSEC",                "www.example.test.",              MX, NODATA},
    {"no mail, NSEC3",               "www.nsec3.test.",                MX, NODATA},
    {"no name, NSEC",                "none.example.test.",             A, NXDOMAIN},
    {"no name, NSEC, last",          "zzz.example.test.",              A, NXDOMAIN},
    {"no name, NSEC, deep",          "a.b.c.none.example.test.",       A, NXDOMAIN},
    {"no name, NSEC3",               "none.nsec3.test.",               A, NXDOMAIN},
    {"no name, NSEC3, deep",         "a.b.c.none.nsec3.test.",         A, NXDOMAIN},
    {"between names, NSEC",          "b.ent.example.test.",            A, NODATA},
    {"between names, NSEC3",         "b.ent.nsec3.test.",              A, NODATA},
    {"from a wildcard, NSEC",        "x.wild.example.test.",           A, OK},
    {"from a wildcard, NSEC, deep",  "x.y.wild.example.test.",         A, OK},
    {"from a wildcard, NSEC3",       "x.wild.nsec3.test.",             A, OK},
    {"from a wildcard, NSEC3, deep", "x.y.wild.nsec3.test.",           A, OK},
    {"the wildcard itself",          "*.wild.example.test.",           A, OK},
    {"wildcard without, NSEC",       "x.wild.example.test.",           MX, NODATA},
    {"wildcard without, NSEC3",      "x.wild.nsec3.test.",             MX, NODATA},
    {"alias",                        "alias.example.test.",            A, OK},
    {"alias, asked for",             "alias.example.test.",            DNS_TYPE_CNAME, OK},
    {"alias into another zone",      "cross.example.test.",            A, OK},
    {"alias to a name without it",   "nothing.example.test.",          MX, NODATA},
    {"alias to no name",             "dangling.example.test.",         A, NXDOMAIN},
    {"alias from a wildcard",        "x.wildalias.example.test.",      A, OK},
    {"alias to an unsigned zone",    "toinsecure.example.test.",       A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"alias of an unsigned zone",    "back.insecure.test.",            A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"DNAME",                        "www.tree.example.test.",         A, OK},
    {"DNAME, nothing there",         "none.tree.example.test.",        A, NXDOMAIN},
    {"DNAME, not that type",         "www.tree.example.test.",         MX, NODATA},
    {"DNAME, the alias asked for",   "www.tree.example.test.",         DNS_TYPE_CNAME, OK},
    {"DNAME itself",                 "tree.example.test.",             DNS_TYPE_DNAME, OK},
    {"at the DNAME",                 "tree.example.test.",             A, NODATA},
    {"DNAME of an unsigned zone",    "www.tree.insecure.test.",        A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"DNAME to too long a name",     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.long.example.test.", A, VAL_SECURE, VAL_WHY_NONE, DNS_RCODE_YXDOMAIN, false},
    {"three zones deep",             "www.sub.example.test.",          A, OK},
    {"five zones deep",              "www.five.four.sub.example.test.", A, OK},
    {"unsigned, NSEC3",              "www.insecure.test.",             A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"unsigned, NSEC3, no mail",     "www.insecure.test.",             MX, VAL_INSECURE, VAL_WHY_NO_DS, 0, true},
    {"unsigned, NSEC3, no name",     "none.insecure.test.",            A, VAL_INSECURE, VAL_WHY_NO_DS, NX, true},
    {"unsigned, NSEC",               "www.below.example.test.",        A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"unsigned, opt-out",            "www.cut.optout.",                A, VAL_INSECURE, VAL_WHY_OPT_OUT, 0, false},
    {"signed, opt-out",              "www.signed.optout.",             A, OK},
    {"in the zone that opts out",    "www.optout.",                    A, OK},
    {"no name, opt-out",             "none.optout.",                   A, VAL_INSECURE, VAL_WHY_OPT_OUT, NX, true},
    {"signed below unsigned",        "www.signed.insecure.test.",      A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"signed without a DS",          "www.nods.test.",                 A, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"keys without a DS",            "nods.test.",                     DNS_TYPE_DNSKEY, VAL_INSECURE, VAL_WHY_NO_DS, 0, false},
    {"unknown algorithm",            "www.unknownalg.test.",           A, VAL_INSECURE, VAL_WHY_ALGORITHM, 0, false},
    {"unknown digest",               "www.unknowndigest.test.",        A, VAL_INSECURE, VAL_WHY_DIGEST, 0, false},
    {"many iterations, an address",  "www.many.test.",                 A, OK},
    {"many iterations, no name",     "none.many.test.",                A, VAL_INSECURE, VAL_WHY_ITERATIONS, NX, true},
    {"too many iterations",          "none.toomany.test.",             A, VAL_BOGUS, VAL_WHY_ITERATIONS_REFUSED, NX, true},
    {"a loop of two",                "loop.example.test.",             A, VAL_BOGUS, VAL_WHY_LOOP, 0, false},
    {"a loop of one",                "self.example.test.",             A, VAL_BOGUS, VAL_WHY_LOOP, 0, false},
    {"a loop, unsigned",             "loop.insecure.test.",            A, VAL_BOGUS, VAL_WHY_LOOP, 0, false},
};
// clang-format on

/* Says what is not so. */
static bool holds(bool fact, const char *what, const char *fact_text)
{
    if (!fact)
        print_error("%s: not so: %s\n", what, fact_text);
    return fact;
}
#define HOLDS(fact) holds((fact), c->what, #fact)

static bool is_written(const struct bench *b, const struct honest_case *c)
{
    static struct world_octets o;
    bench_write(b, &o);
    bool secure = c->want == VAL_SECURE;
    bool ok = HOLDS(o.msg.rcode == c->rcode);
    ok = HOLDS(((o.msg.flags & DNS_FLAG_AD) != 0) == secure) && ok;
    ok = HOLDS(o.msg.question.type == c->type) && ok;
    if (secure && c->denial)
        ok = HOLDS(octets_count(&o, DNS_AUTHORITY, DNS_TYPE_SOA) == 1) && ok;
    if (c->denial)
        ok = HOLDS(octets_count(&o, DNS_ANSWER, c->type) == 0) && ok;
    else if (c->rcode == 0 && c->type != DNS_TYPE_ANY)
        ok = HOLDS(octets_count(&o, DNS_ANSWER, c->type) > 0) && ok;
    return ok;
}

static bool is_honest(struct bench *b, const struct honest_case *c)
{
    const struct val_verdict *v = bench_ask(b, c->name, c->type);
    if (!bench_is(b, c->what, c->want, c->why))
        return false;
    if (v->status > VAL_INSECURE)
        return true;
    bool ok = is_written(b, c);
    ok = HOLDS(v->denial == c->denial) && ok;
    ok = HOLDS(b->fresh == 0) && ok;
    ok = HOLDS(v->ttl_s > 0 && v->ttl_s <= WORLD_TTL) && ok;
    if (c->want == VAL_SECURE)
        ok = HOLDS(v->expires_s > WORLD_NOW && v->expires_s <= WORLD_NOW + 86400) && ok;
    return ok;
}

static void test_honest_cold(void **state)
{
    (void)state;
    struct bench b;
    unsigned failures = 0;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(honest_cases); i++) {
        failures += !is_honest(&b, &honest_cases[i]);
        bench_forget(&b);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
}

static void test_honest_planned(void **state)
{
    (void)state;
    struct bench b;
    unsigned failures = 0;
    bench_init(&b, world, ".");
    b.plan = true;
    for (size_t i = 0; i < COUNT(honest_cases); i++) {
        failures += !is_honest(&b, &honest_cases[i]);
        bench_forget(&b);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
}

/* Everything twice, with what was learned of all before. */
static void test_honest_warm(void **state)
{
    (void)state;
    struct bench b;
    unsigned failures = 0;
    bench_init(&b, world, ".");
    b.plan = true;
    for (size_t i = 0; i < 2 * COUNT(honest_cases); i++) {
        failures += !is_honest(&b, &honest_cases[i % COUNT(honest_cases)]);
        if (b.zone_count > BENCH_ZONES_MAX / 2)
            bench_forget(&b);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
}

/* One signature a step, and what is needed given in another order each time. */
static void test_honest_any_order(void **state)
{
    (void)state;
    struct bench b;
    unsigned failures = 0;
    unsigned most = 0;
    bench_init(&b, world, ".");
    b.limits.slice_units = 1;
    for (size_t i = 0; i < 4 * COUNT(honest_cases); i++) {
        b.plan = i % 3 != 0;
        b.order = (unsigned)i + 1;
        failures += !is_honest(&b, &honest_cases[i % COUNT(honest_cases)]);
        most = b.steps > most ? b.steps : most;
        bench_forget(&b);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
    assert_true(most > 8); /* it did yield */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_cold),
        cmocka_unit_test(test_honest_planned),
        cmocka_unit_test(test_honest_warm),
        cmocka_unit_test(test_honest_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
