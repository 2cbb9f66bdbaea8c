// SPDX-License-Identifier: MIT
// What is asked ahead, question by question, and what a proof then costs: flights and questions, as
// exact counts, with nothing known, with the TLD known, with the zone known.
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

#define A DNS_TYPE_A
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY

/* --- the list -------------------------------------------------------------------------------- */

struct fact {
    const char *name;
    enum val_zone_kind kind;
};

struct plan_case {
    const char *what, *name;
    uint16_t type;
    struct fact known[3];
    const char *want; /* "name TYPE, name TYPE" */
};

#define ROOT                                                                                       \
    {                                                                                              \
        ".", VAL_ZONE_SECURE                                                                       \
    }
#define TEST                                                                                       \
    {                                                                                              \
        "test.", VAL_ZONE_SECURE                                                                   \
    }

// clang-format off
static const struct plan_case plan_cases[] = {
    {"nothing is known",       "www.example.test.", A,   {{0}},                                        ". DNSKEY, test. DS, test. DNSKEY, example.test. DS, example.test. DNSKEY"},
    {"the root is known",      "www.example.test.", A,   {ROOT},                                       "test. DS, test. DNSKEY, example.test. DS, example.test. DNSKEY"},
    {"an apex",                "example.test.",     A,   {ROOT},                                       "test. DS, test. DNSKEY, example.test. DS, example.test. DNSKEY"},
    {"a TLD",                  "test.",             A,   {ROOT},                                       "test. DS, test. DNSKEY"},
    {"the root",               ".",                 A,   {ROOT},                                       ""},
    {"the root, unknown",      ".",                 A,   {{0}},                                        ". DNSKEY"},
    {"keys of the root",       ".",                 KEY, {{0}},                                        ""},
    {"keys of a zone",         "example.test.",     KEY, {ROOT},                                       "test. DS, test. DNSKEY, example.test. DS"},
    {"DS of a zone",           "example.test.",     DS,  {ROOT},                                       "test. DS, test. DNSKEY"},
    {"five cuts",              "www.e.d.c.b.test.", A,   {ROOT},                                       "test. DS, test. DNSKEY, b.test. DS, b.test. DNSKEY, c.b.test. DS, c.b.test. DNSKEY, d.c.b.test. DS, d.c.b.test. DNSKEY, e.d.c.b.test. DS, e.d.c.b.test. DNSKEY"},
    {"the TLD is known",       "www.example.test.", A,   {ROOT, TEST},                                 "example.test. DS, example.test. DNSKEY"},
    {"an apex below it",       "example.test.",     A,   {ROOT, TEST},                                 "example.test. DS, example.test. DNSKEY"},
    {"the zone is known",      "www.example.test.", A,   {ROOT, TEST, {"example.test.", VAL_ZONE_SECURE}}, ""},
    {"deep in a known zone",   "a.b.c.example.test.", A, {ROOT, TEST, {"example.test.", VAL_ZONE_SECURE}}, ""},
    {"below an insecure cut",  "www.example.test.", A,   {ROOT, TEST, {"example.test.", VAL_ZONE_INSECURE}}, ""},
    {"an insecure TLD",        "www.example.test.", A,   {ROOT, {"test.", VAL_ZONE_INSECURE}},         ""},
    {"what is no cut",         "www.example.test.", A,   {ROOT, TEST, {"www.example.test.", VAL_ZONE_NOT_A_CUT}}, "example.test. DS, example.test. DNSKEY"},
    {"no cut in between",      "www.a.b.test.",     A,   {ROOT, TEST, {"a.b.test.", VAL_ZONE_NOT_A_CUT}}, "b.test. DS, b.test. DNSKEY"},
    {"was bad",                "www.example.test.", A,   {ROOT, TEST, {"example.test.", VAL_ZONE_BAD}}, "example.test. DS, example.test. DNSKEY"},
    {"a registry below a TLD", "www.example.co.uk.", A,  {ROOT, {"uk.", VAL_ZONE_SECURE}, {"co.uk.", VAL_ZONE_SECURE}}, "example.co.uk. DS, example.co.uk. DNSKEY"},
    {"an apex below it",       "example.co.uk.",     A,  {ROOT, {"uk.", VAL_ZONE_SECURE}, {"co.uk.", VAL_ZONE_SECURE}}, "example.co.uk. DS, example.co.uk. DNSKEY"},
    {"the TLD above it known", "example.co.uk.",     A,  {ROOT, {"uk.", VAL_ZONE_SECURE}},              "co.uk. DS, co.uk. DNSKEY, example.co.uk. DS, example.co.uk. DNSKEY"},
    {"what zones alone have",  "sub.example.test.",  DNS_TYPE_NS, {ROOT, TEST},                         "example.test. DS, example.test. DNSKEY, sub.example.test. DS, sub.example.test. DNSKEY"},
    {"that name elsewhere",    "www.co.test.",       A,  {ROOT, TEST, {"co.test.", VAL_ZONE_SECURE}},   ""},
};
// clang-format on

static void learn_fact(struct bench *b, const struct fact *fact)
{
    struct dns_name name = world_name(fact->name);
    const struct val_zone *zone = val_zone_new(&name, fact->kind, WORLD_NOW + 100, NULL, NULL, 0);
    bench_learn(b, zone);
    val_zone_unref(zone);
}

static void plan_text(const struct val_need *plan, uint32_t count, char *text, size_t cap)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        char name[DNS_NAME_TEXT_MAX];
        char type[DNS_NUMBER_TEXT_MAX];
        (void)dns_name_text(&plan[i].name, name);
        assert_false(plan[i].fresh);
        at += (size_t)snprintf(text + at, cap - at, "%s%s %s", i > 0 ? ", " : "", name,
                               dns_type_text(plan[i].type, type));
        assert_true(at < cap);
    }
}

static void test_plan(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(plan_cases); i++) {
        const struct plan_case *c = &plan_cases[i];
        const struct dns_question question = {world_name(c->name), c->type, DNS_CLASS_IN};
        struct val_need plan[VAL_PLAN_MAX];
        char text[1024];
        struct bench b;
        bench_init(&b, world, ".");
        for (size_t k = 0; k < COUNT(c->known) && c->known[k].name; k++)
            learn_fact(&b, &c->known[k]);
        uint32_t count = val_plan(&question, &b.env, WORLD_NOW, plan, VAL_PLAN_MAX);
        plan_text(plan, count, text, sizeof text);
        if (strcmp(text, c->want) != 0) {
            print_error("%s, %s:\n  wanted %s\n  got    %s\n", c->what, c->name, c->want, text);
            failures++;
        }
        count = val_plan(&question, &b.env, WORLD_NOW + 200, plan, VAL_PLAN_MAX);
        assert_int_equal(count > 0, c->type != KEY || c->name[1] != '\0'); /* all has expired */
        bench_deinit(&b);
    }
    assert_int_equal(failures, 0);
}

static void test_plan_bounds(void **state)
{
    (void)state;
    struct val_need plan[VAL_PLAN_MAX];
    struct dns_question question = {world_name("www.example.test."), A, DNS_CLASS_IN};
    struct bench b;
    bench_init(&b, world, ".");
    for (uint32_t cap = 0; cap <= VAL_PLAN_MAX; cap++)
        assert_int_equal(val_plan(&question, &b.env, WORLD_NOW, plan, cap), cap < 5 ? cap : 5);
    question.name = dns_root;
    while (question.name.labels < 127) {
        struct dns_name above = question.name;
        assert_int_equal(dns_name_prepend("a", 1, &above, &question.name), DNS_OK);
    }
    assert_int_equal(val_plan(&question, &b.env, WORLD_NOW, plan, VAL_PLAN_MAX), VAL_PLAN_MAX);
    struct dns_name test = world_name("a.");
    assert_int_equal(val_anchors_add_negative(b.anchors, &test, UINT64_MAX, ""), DNS_OK);
    assert_int_equal(val_plan(&question, &b.env, WORLD_NOW, plan, VAL_PLAN_MAX), 0);
    bench_deinit(&b);
    bench_init(&b, world, NULL);
    assert_int_equal(val_plan(&question, &b.env, WORLD_NOW, plan, VAL_PLAN_MAX), 0);
    bench_deinit(&b);
}

/* --- the cost -------------------------------------------------------------------------------- */

struct cost_case {
    const char *what, *warm, *name; /* `warm`: asked before, or NULL */
    uint16_t type;
    unsigned flights, questions; /* the root's keys are known */
};

#define FIVE "www.five.four.sub.example.test."

// clang-format off
static const struct cost_case cost_cases[] = {
    {"a TLD",                   NULL, "test.",                 DNS_TYPE_SOA, 1, 3},
    {"two labels",              NULL, "example.test.",         A, 1, 5},
    {"three labels",            NULL, "www.example.test.",     A, 1, 5},
    {"two cuts",                NULL, "www.sub.example.test.", A, 1, 7},
    {"five cuts",               NULL, FIVE,                    A, 1, 11},
    {"keys",                    NULL, "example.test.",         KEY, 1, 4},
    {"DS",                      NULL, "example.test.",         DS, 1, 3},
    {"no such TLD",             NULL, "none.",                 A, 1, 3},
    {"no such name",            NULL, "none.example.test.",    A, 1, 5},
    {"below names without",     NULL, "a.b.ent.example.test.", A, 1, 9},
    {"unsigned",                NULL, "www.insecure.test.",    A, 1, 5},
    {"unsigned, opt-out",       NULL, "www.cut.optout.",       A, 1, 5},
    {"unsigned, deeper",        NULL, "www.below.example.test.", A, 1, 7},
    {"another zone",            NULL, "cross.example.test.",   A, 2, 7},
    {"an unsigned one",         NULL, "toinsecure.example.test.", A, 2, 8},

    {"TLD known",     "www.nsec3.test.",   "www.example.test.",   A, 1, 3},
    {"TLD known",     "www.nsec3.test.",   "example.test.",       A, 1, 3},
    {"TLD known",     "www.nsec3.test.",   "www.insecure.test.",  A, 1, 3},
    {"TLD known",     "www.signed.optout.", "www.cut.optout.",    A, 1, 3},
    {"zone known",    "www.example.test.", "alias.example.test.", A, 1, 1},
    {"zone known",    "www.example.test.", "none.example.test.",  A, 1, 1},
    {"zone known",    "www.example.test.", "a.b.ent.example.test.", A, 1, 1},
    {"zone known",    "www.nsec3.test.",   "x.wild.nsec3.test.",  A, 1, 1},
    {"zone known",    "www.example.test.", "www.sub.example.test.", A, 2, 3},
    {"zone known",    "www.example.test.", "www.zone.gap.example.test.", A, 2, 5},
    {"zone known",    "www.example.test.", "www.zone.a.b.c.d.e.example.test.", A, 2, 11},
    {"both known",    "cross.example.test.", "cross.example.test.", A, 1, 1},
    {"cut known",     "www.insecure.test.", "none.insecure.test.", A, 1, 1},
    {"cut known",     "www.insecure.test.", "www.signed.insecure.test.", A, 1, 1},
};
// clang-format on

/* The keys of the root are kept fresh, whatever is asked. */
static void know_the_root(struct bench *b)
{
    (void)bench_ask(b, ".", KEY);
    assert_true(bench_is(b, "the root", VAL_SECURE, VAL_WHY_NONE));
}

static void test_cost(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(cost_cases); i++) {
        const struct cost_case *c = &cost_cases[i];
        struct bench b;
        bench_init(&b, world, ".");
        b.plan = true;
        know_the_root(&b);
        if (c->warm)
            (void)bench_ask(&b, c->warm, A);
        const struct val_verdict *v = bench_ask(&b, c->name, c->type);
        assert_true(v->status <= VAL_INSECURE);
        if (b.flights != c->flights || b.asked != c->questions) {
            print_error("%s, %s: %u flights, %u questions\n", c->what, c->name, b.flights, b.asked);
            failures++;
        }
        bench_deinit(&b);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_bounds),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
