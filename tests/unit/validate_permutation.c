// SPDX-License-Identifier: MIT
// The order in which messages arrive, twice or not, with steps in between or not, decides nothing:
// up to six messages in every order there is, more of them in many.
#include "tests/test.h"
#include "tests/unit/told.h"

#define ORDERS_ALL 6u     /* messages whose every order is tried */
#define ORDERS_RANDOM 120 /* of more */

static struct world *world;
static struct told_list list;

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

struct scenario {
    const char *name;
    uint16_t type;
    struct bend bend;
};

#define A DNS_TYPE_A
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY

// clang-format off
static const struct scenario scenarios[] = {
    {"www.example.test.",        A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"none.nsec3.test.",         A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"x.wild.example.test.",     A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"cross.example.test.",      A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"dangling.example.test.",   A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"toinsecure.example.test.", A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"back.insecure.test.",      A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"www.tree.example.test.",   A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"www.signed.insecure.test.", A,  {NULL, 0, BEND_NONE, 0, 0}},
    {"www.cut.optout.",          A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"www.five.four.sub.example.test.", A, {NULL, 0, BEND_NONE, 0, 0}},
    {"www.zone.a.b.c.d.e.example.test.", A, {NULL, 0, BEND_NONE, 0, 0}},
    {"example.test.",            DS,  {NULL, 0, BEND_NONE, 0, 0}},
    {"example.test.",            KEY, {NULL, 0, BEND_NONE, 0, 0}},
    {"www.unknownalg.test.",     A,   {NULL, 0, BEND_NONE, 0, 0}},
    {"www.example.test.",        A,   {"www.example.test.", A, BEND_FLIP, A, 0}},
    {"www.example.test.",        A,   {"www.example.test.", A, BEND_DROP_SIG, A, 0}},
    {"www.example.test.",        A,   {"example.test.", KEY, BEND_FLIP_SIG, KEY, 0}},
    {"www.example.test.",        A,   {"example.test.", KEY, BEND_FAIL, 0, 0}},
    {"www.example.test.",        A,   {"example.test.", DS, BEND_DROP_SIG, DS, 0}},
    {"www.example.test.",        A,   {"example.test.", DS, BEND_CHILD, 0, 0}},
    {"www.example.test.",        A,   {"test.", DS, BEND_EMPTY, 0, 0}},
    {"www.insecure.test.",       A,   {"insecure.test.", DS, BEND_DROP_SIG, 0, 0}},
    {"www.insecure.test.",       A,   {"insecure.test.", DS, BEND_FAIL, 0, 0}},
    {"none.nsec3.test.",         A,   {"none.nsec3.test.", A, BEND_DROP, DNS_TYPE_NSEC3, 0}},
};
// clang-format on

struct outcome {
    enum val_status status;
    struct val_reason reason;
    uint64_t expires_s;
    uint32_t len;
    uint8_t wire[4096];
};

static void note(const struct val_job *job, struct outcome *ret)
{
    const struct val_verdict *v = val_job_verdict(job);
    ret->status = v->status;
    ret->reason = v->reason;
    ret->expires_s = v->expires_s;
    ret->len = val_job_write(job, ret->wire, sizeof ret->wire);
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->status == b->status && a->reason.why == b->reason.why &&
           a->reason.type == b->reason.type && dns_name_equal(&a->reason.name, &b->reason.name) &&
           a->expires_s == b->expires_s && a->len == b->len && !memcmp(a->wire, b->wire, a->len);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Steps until it waits or is done, however small its slices. */
static enum val_step step_on(struct val_job *job)
{
    enum val_step step = VAL_AGAIN;
    for (unsigned i = 0; step == VAL_AGAIN; i++) {
        assert_in_range(i, 0, BENCH_STEPS_MAX);
        step = val_job_step(job, WORLD_NOW);
    }
    return step;
}

/* What is asked for and was not among the messages: it comes as it did before. */
static void give_needs(struct bench *b, struct val_job *job)
{
    static struct world_octets octets;
    struct val_need needs[64];
    uint32_t count;
    const struct val_need *named = val_job_needs(job, &count);
    assert_in_range(count, 1, 64);
    memcpy(needs, named, count * sizeof *needs);
    for (uint32_t i = 0; i < count; i++) {
        bool got = told_fetch(b, &needs[i].name, needs[i].type, &octets);
        (void)val_job_give(job, &needs[i].name, needs[i].type, got ? &octets.msg : NULL, 0, 7);
    }
}

/* `how` sets the slices, whether there are steps between arrivals, and which come twice. */
static void arrive(struct bench *b, const uint32_t *order, uint32_t count, uint32_t how,
                   struct outcome *ret)
{
    struct val_limits limits = val_limits_default;
    limits.slice_units = how & 1 ? 1 : limits.slice_units;
    struct val_budget budget = val_budget_init(&limits);
    bench_forget(b);
    struct val_job *job = val_job_new(&list.question, &b->env, &budget, NULL);
    assert_non_null(job);
    for (uint32_t i = 0; i < count; i++) {
        told_give(job, &list, order[i]);
        if (how & 2)
            (void)step_on(job);
        if (how & 4)
            told_give(job, &list, order[random_next(&how) % (i + 1)]);
    }
    while (step_on(job) == VAL_NEED)
        give_needs(b, job);
    note(job, ret);
    val_job_free(job);
}

static unsigned check_order(struct bench *b, const struct scenario *s, const uint32_t *order,
                            uint32_t count, uint32_t how, const struct outcome *want)
{
    static struct outcome is;
    arrive(b, order, count, how, &is);
    if (same(want, &is))
        return 0;
    print_error("%s type %u: %s (%s), not %s (%s); order", s->name, s->type,
                bench_status(is.status), val_why_text(is.reason.why), bench_status(want->status),
                val_why_text(want->reason.why));
    for (uint32_t i = 0; i < count; i++)
        print_error(" %u", order[i]);
    print_error(", how %u\n", how & 7);
    return 1;
}

/* The next order by Narayana's rule; false after the last. */
static bool next_order(uint32_t *order, uint32_t count)
{
    uint32_t at = count - 1, other = count - 1;
    while (at > 0 && order[at - 1] > order[at])
        at--;
    if (at == 0)
        return false;
    while (order[other] < order[at - 1])
        other--;
    uint32_t kept = order[at - 1];
    order[at - 1] = order[other];
    order[other] = kept;
    for (uint32_t i = at, k = count - 1; i < k; i++, k--) {
        kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    return true;
}

static void shuffle(uint32_t *order, uint32_t count, uint32_t *seed)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = random_next(seed) % i;
        uint32_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static unsigned check_scenario(struct bench *b, const struct scenario *s, unsigned *ret_orders)
{
    static struct outcome want;
    uint32_t order[TOLD_MAX];
    uint32_t seed = 12345;
    unsigned wrong = 0;
    b->bend[0] = s->bend;
    (void)told_collect(&list, b, s->name, s->type);
    note(b->job, &want);
    for (uint32_t i = 0; i < list.count; i++)
        order[i] = i;
    if (list.count <= ORDERS_ALL) {
        do {
            wrong += check_order(b, s, order, list.count, random_next(&seed), &want);
            (*ret_orders)++;
        } while (next_order(order, list.count));
        return wrong;
    }
    for (unsigned i = 0; i < ORDERS_RANDOM; i++, (*ret_orders)++) {
        shuffle(order, list.count, &seed);
        wrong += check_order(b, s, order, list.count, random_next(&seed), &want);
    }
    return wrong;
}

static void test_every_order(void **state)
{
    (void)state;
    unsigned wrong = 0, orders = 0;
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        unsigned before = orders;
        wrong += check_scenario(&b, &scenarios[i], &orders);
        print_message("%-34s type %2u: %2u messages, %3u orders\n", scenarios[i].name,
                      scenarios[i].type, list.count, orders - before);
    }
    bench_deinit(&b);
    assert_int_equal(wrong, 0);
    assert_true(orders > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_order)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
