// SPDX-License-Identifier: MIT
/* Latency, hedging and failing over: first the arithmetic, on a clock of our own and random numbers
 * with a fixed seed; then over real sockets. */
#include "doh/hedge.h"
#include "doh/parts.h"
#include "tests/unit/doh_world.h"

#define NOW 1000000u

static void feed(struct doh_latency *l, unsigned count, unsigned ms)
{
    for (unsigned i = 0; i < count; i++)
        doh_latency_add(l, NOW, ms);
}

static void what_is_rare(void **state)
{
    (void)state;
    struct doh_latency l = {0};
    feed(&l, 15, 10);
    assert_int_equal(doh_hedge_after_ms(&l), UINT32_MAX); /* too few to say */
    assert_int_equal(doh_failover_after_ms(&l), 1200);
    feed(&l, 1, 10);
    assert_int_equal(doh_hedge_after_ms(&l), 30); /* never sooner */
    assert_int_equal(doh_failover_after_ms(&l), 400);
    feed(&l, 106, 10);
    feed(&l, 6, 500); /* 6 of 128: fewer than one in 20 */
    assert_int_equal(l.p95_ms, 10);
    assert_int_equal(l.median_ms, 10);
    feed(&l, 112, 50);
    feed(&l, 16, 70);
    assert_int_equal(l.p95_ms, 70);
    assert_int_equal(l.median_ms, 50);
    assert_int_equal(doh_failover_after_ms(&l), 400);
    feed(&l, 128, 250);
    assert_int_equal(doh_failover_after_ms(&l), 1000);
    feed(&l, 128 * 16, 200);
    assert_in_range(doh_hedge_after_ms(&l), 240, 250); /* by and by 5/4 of it */
    feed(&l, 128 * 16, 65535);
    assert_int_equal(doh_hedge_after_ms(&l), 400); /* never later */
    assert_int_equal(doh_failover_after_ms(&l), 1200);
}

static void slowing_down_is_seen(void **state)
{
    (void)state;
    struct doh_latency l = {0};
    assert_false(doh_latency_is_known(&l, NOW));
    feed(&l, 128, 20);
    assert_true(doh_latency_is_known(&l, NOW));
    assert_false(doh_latency_is_known(&l, NOW + 60000));
    assert_false(doh_latency_is_slowing(&l));
    feed(&l, 7, 100);
    feed(&l, 9, 20);
    assert_false(doh_latency_is_slowing(&l)); /* not most of the last */
    feed(&l, 16, 100);
    assert_true(doh_latency_is_slowing(&l));
    feed(&l, 96, 100);
    assert_false(doh_latency_is_slowing(&l)); /* that is what is usual now */
    struct doh_latency quick = {0};
    feed(&quick, 128, 2);
    feed(&quick, 16, 6);
    assert_false(doh_latency_is_slowing(&quick)); /* a few milliseconds are noise */
}

static void fewer_than_one_in_twenty(void **state)
{
    (void)state;
    struct doh_hedge_budget b = {0};
    unsigned spent = 0;
    for (unsigned i = 0; i < 2000; i++) {
        doh_hedge_earn(&b);
        spent += doh_hedge_spend(&b);
    }
    assert_int_equal(spent, 98);
    for (unsigned i = 0; i < 2000; i++)
        doh_hedge_earn(&b);
    for (spent = 0; doh_hedge_spend(&b);)
        spent++;
    assert_int_equal(spent, 10); /* that much is saved up */
    for (unsigned i = 0; i < 2000; i++)
        doh_hedge_earn(&b);
    for (spent = 0; doh_hedge_spend_spare(&b);)
        spent++;
    assert_int_equal(spent, 6); /* the rest is for others */
    assert_true(doh_hedge_spend(&b));
}

/* --- the policy, simulated ------------------------------------------------------------------- */

#define QUESTIONS 20000u

struct outcome {
    unsigned p95_ms, p99_ms, hedges;
    unsigned extra; /* questions sent beyond the first of each; over sockets only */
};

static uint32_t random_state;

static unsigned random_below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

/* As resolvers answer: most from the cache, some after asking around. */
static unsigned usual_ms(void)
{
    return random_below(100) < 85 ? 10 + random_below(3) : 12 + random_below(50);
}

/* As something answers that has it all. */
static unsigned narrow_ms(void)
{
    return 20 + random_below(3);
}

static int by_value(const void *a, const void *b)
{
    return (int)*(const unsigned *)a - (int)*(const unsigned *)b;
}

struct path {
    unsigned (*usual_ms)(void);
    unsigned late_percent, late_ms, all_ms;
};

static struct outcome simulate(bool hedging, const struct path *path)
{
    static unsigned took[QUESTIONS];
    struct doh_latency l = {0};
    struct doh_hedge_budget budget = {0};
    struct outcome o = {0};
    random_state = 2463534242u;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        unsigned first = path->all_ms + path->usual_ms() +
                         (random_below(100) < path->late_percent ? path->late_ms : 0);
        unsigned second = path->all_ms + path->usual_ms();
        unsigned after = doh_hedge_after_ms(&l);
        took[i] = first;
        doh_hedge_earn(&budget);
        if (hedging && first > after && doh_hedge_spend(&budget)) {
            o.hedges++;
            took[i] = first < after + second ? first : after + second;
        }
        doh_latency_add(&l, NOW + i, took[i]);
    }
    qsort(took, QUESTIONS, sizeof took[0], by_value);
    o.p95_ms = took[QUESTIONS * 95 / 100];
    o.p99_ms = took[QUESTIONS * 99 / 100];
    print_message("hedging %d, %u%% late by %u, all by %u: p95 %u p99 %u hedges %u\n", hedging,
                  path->late_percent, path->late_ms, path->all_ms, o.p95_ms, o.p99_ms, o.hedges);
    return o;
}

static void rare_late_answers_do_not_show(void **state)
{
    (void)state;
    const struct path path = {usual_ms, 5, 500, 0};
    struct outcome without = simulate(false, &path);
    struct outcome with = simulate(true, &path);
    assert_true(without.p99_ms > 500);
    assert_true(2 * with.p99_ms <= 3 * without.p95_ms);
    assert_true(with.hedges * 20 < QUESTIONS);
}

/* Where every answer takes nearly the same, R, nobody can be told to be late before R is over, and
 * the second answer takes R again: no p99 is below 2 R. With fewer than one late answer in 20 the
 * p95 without hedging is R, and 1.5 times that is out of reach; half as much again over the bound
 * is what the margins cost. */
static void narrow_paths_come_near_the_bound(void **state)
{
    (void)state;
    static const unsigned late_percent[] = {3, 4, 5};
    for (unsigned i = 0; i < COUNT(late_percent); i++) {
        const struct path path = {narrow_ms, late_percent[i], 500, 0};
        struct outcome without = simulate(false, &path);
        struct outcome with = simulate(true, &path);
        assert_true(without.p99_ms > 500);
        assert_true(with.p99_ms >= 2 * 20);
        assert_true(with.p99_ms <= 3 * 20);
        assert_true(with.hedges * 20 < QUESTIONS);
    }
}

static void where_all_is_slow_nothing_changes(void **state)
{
    (void)state;
    const struct path path = {usual_ms, 0, 0, 300};
    struct outcome without = simulate(false, &path);
    struct outcome with = simulate(true, &path);
    assert_true(with.p99_ms * 100 <= without.p99_ms * 105);
    assert_true(with.p99_ms * 100 >= without.p99_ms * 95);
    assert_true(with.hedges * 20 < QUESTIONS);
}

/* --- over real sockets ----------------------------------------------------------------------- */

static void teach(struct world *w, unsigned count)
{
    struct question q;
    for (unsigned i = 0; i < count; i++) {
        ask_and_wait(w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
    }
}

static uint64_t ask_the_late(struct world *w, struct question *q)
{
    struct server *server = &w->server[0];
    server->behaviour = (struct behaviour){.delay_ms = 300, .first = server->requests, .count = 1};
    uint64_t begin = uv_hrtime();
    ask_and_wait(w, q, "late.test");
    assert_int_equal(q->err, DOH_OK);
    return (uv_hrtime() - begin) / 1000000;
}

static void a_late_answer_is_asked_for_elsewhere(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status[2];
    world_init(&w, 2);
    w.config.hedge = DOH_HEDGE_OTHER;
    world_start(&w);
    teach(&w, 40);
    assert_int_equal(w.server[1].requests, 0);
    uint32_t known = w.pool->upstreams[0].health.latency.count;
    uint64_t ms = ask_the_late(&w, &q);
    assert_int_equal(w.pool->upstreams[0].health.latency.count, known + 1); /* it was late */
    assert_int_equal(q.upstream, 1);
    assert_int_equal(q.sent, 2);
    assert_true(ms >= 30); /* how much more, the machine's load decides */
    assert_int_equal(w.server[1].requests, 1);
    (void)doh_pool_status(w.pool, status, 2);
    assert_int_equal(status[0].hedges, 0);
    assert_int_equal(status[1].hedges, 1);
    assert_int_equal(status[0].failures, 0);
    teach(&w, 1); /* the first is not blamed, nor left */
    assert_int_equal(w.server[1].requests, 1);
    assert_int_equal(w.warnings, 0);
    world_close(&w);
}

/* The second one is late, too, and a third is at hand. */
static void one_hedge_is_enough(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status[3];
    struct doh_upstream_config three[3];
    world_init(&w, 2);
    memcpy(three, w.upstream, sizeof w.upstream);
    three[2] = w.upstream[1];
    w.config.upstreams = three;
    w.config.upstream_count = 3;
    w.config.hedge = DOH_HEDGE_OTHER;
    world_start(&w);
    for (unsigned i = 0; i < 3 * 32; i++) {
        struct doh_request how = {.route = DOH_ROUTE_DEFAULT, .only = 1u << i / 32};
        ask_how(&w, &q, "example.test", how, on_done);
        run_until(&w, &q.done, 1);
    }
    w.server[0].behaviour = w.server[1].behaviour = (struct behaviour){.delay_ms = 350};
    ask_and_wait(&w, &q, "late.test");
    assert_int_equal(doh_pool_status(w.pool, status, 3), 3);
    assert_int_equal(status[0].hedges + status[1].hedges + status[2].hedges, 1);
    world_close(&w);
}

static void when_no_hedge_is_asked(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned lessons;
        bool off, liar, only;
    } cases[] = {
        {"switched off", 40, true, false, false},
        {"nothing saved up", 17, false, false, false},
        {"the other one lies", 40, false, true, false},
        {"the other one may not be asked", 40, false, false, true},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.config.hedge = cases[i].off ? DOH_HEDGE_OFF : DOH_HEDGE_OTHER;
        world_start(&w);
        teach(&w, cases[i].lessons);
        for (unsigned n = 0; cases[i].liar && n < 3; n++)
            doh_pool_blame(w.pool, 1, DOH_LIE_BOGUS);
        w.server[0].behaviour = (struct behaviour){.delay_ms = 150};
        struct doh_request how = {.route = DOH_ROUTE_DEFAULT, .only = cases[i].only ? 1 : 0};
        ask_how(&w, &q, "late.test", how, on_done);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.upstream, 0);
        assert_int_equal(q.sent, 1);
        assert_int_equal(w.server[1].requests, 0);
        world_close(&w);
    }
}

static void ask_many(struct world *w, uint32_t only, unsigned count)
{
    static struct question q[100];
    struct doh_request how = {.route = DOH_ROUTE_DEFAULT, .only = only};
    for (unsigned i = 0; i < count; i++)
        ask_how(w, &q[i], "example.test", how, on_done);
    for (unsigned i = 0; i < count; i++)
        run_until(w, &q[i].done, 1);
}

/* Both take longer than they did: asking twice would only make it worse. */
static void not_when_all_slow_down(void **state)
{
    (void)state;
    for (unsigned both = 0; both < 2; both++) {
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.config.hedge = DOH_HEDGE_OTHER;
        world_start(&w);
        for (uint32_t u = 0; u < 2; u++) {
            ask_many(&w, 1u << u, 48);
            w.server[u].behaviour = (struct behaviour){.delay_ms = u == 0 || both ? 250 : 0};
            ask_many(&w, 1u << u, 16);
        }
        unsigned before = w.server[1].requests;
        w.server[0].behaviour = (struct behaviour){.delay_ms = 390};
        ask_and_wait(&w, &q, "late.test");
        assert_int_equal(w.server[1].requests - before, both ? 0 : 1);
        world_close(&w);
    }
}

static void the_budget_is_kept(void **state)
{
    (void)state;
    static struct question q[100];
    struct world w;
    world_init(&w, 2);
    w.config.hedge = DOH_HEDGE_OTHER;
    world_start(&w);
    teach(&w, 60);
    w.server[0].behaviour = (struct behaviour){.delay_ms = 200};
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "late.test");
    for (unsigned i = 0; i < COUNT(q); i++)
        run_until(&w, &q[i].done, 1);
    assert_in_range(w.server[1].requests, 1, (60 + 100) / 20);
    world_close(&w);
}

/* A dead upstream is left after what it usually takes, not after the fixed 1.2 seconds. */
static void failing_over_is_learned(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    world_start(&w);
    teach(&w, 16);
    w.server[0].behaviour = (struct behaviour){.act = ACT_DROP};
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    uint64_t ms = (uv_hrtime() - begin) / 1000000;
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(q.upstream, 1);
    assert_in_range(ms, 390, 1000);
    world_close(&w);
}

/* The same as simulated above, over real sockets: VERIDOH_TAIL=3000 asks so many questions, four
 * times. Not in the everyday run, since a busy machine has a tail of its own. */
static unsigned usual_delay(unsigned request)
{
    random_state = 2463534242u + request * 2654435761u;
    (void)random_below(100);
    return usual_ms();
}

static unsigned rarely_late(unsigned request)
{
    return usual_delay(request) + (request % 20 == 19 ? 500 : 0);
}

static unsigned narrow_delay(unsigned request)
{
    return 20 + request % 3;
}

static unsigned narrow_late(unsigned request)
{
    return narrow_delay(request) + (request % 20 == 19 ? 500 : 0);
}

static unsigned all_late(unsigned request)
{
    return usual_delay(request) + 300;
}

struct asking {
    struct world w;
    uv_timer_t timer;
    unsigned asked, count;
    uint64_t begin_ns, asked_ns[20000], done_ns[20000];
    struct question q[20000];
};

static void on_timed(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    struct question *q = arg;
    struct asking *a = DOH_ITEM(q->world, struct asking, w);
    on_done(arg, err, answer);
    a->done_ns[q - a->q] = uv_hrtime();
}

static void on_next(uv_timer_t *timer)
{
    struct asking *a = DOH_ITEM(timer, struct asking, timer);
    uint64_t due = (uv_hrtime() - a->begin_ns) / 2000000; /* 500 a second */
    while (a->asked < a->count && a->asked < due) {
        struct doh_request how = {.route = DOH_ROUTE_DEFAULT};
        a->asked_ns[a->asked] = uv_hrtime();
        ask_how(&a->w, &a->q[a->asked++], "example.test", how, on_timed);
    }
}

static struct outcome measure(unsigned count, int hedge, unsigned (*first)(unsigned),
                              unsigned (*second)(unsigned))
{
    static struct asking a;
    static unsigned took[20000];
    struct doh_upstream_status status[2];
    memset(&a, 0, sizeof a);
    a.count = count < 20000 ? count : 20000;
    world_init(&a.w, 2);
    a.w.config.hedge = hedge;
    a.w.server[0].delay_of = first;
    a.w.server[1].delay_of = second;
    world_start(&a.w);
    assert_int_equal(uv_timer_init(&a.w.loop, &a.timer), 0);
    a.begin_ns = uv_hrtime();
    assert_int_equal(uv_timer_start(&a.timer, on_next, 1, 1), 0);
    while (a.asked < a.count)
        (void)uv_run(&a.w.loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < a.count; i++) {
        run_until(&a.w, &a.q[i].done, 1);
        assert_int_equal(a.q[i].err, DOH_OK);
        took[i] = (unsigned)((a.done_ns[i] - a.asked_ns[i]) / 1000000);
    }
    (void)doh_pool_status(a.w.pool, status, 2);
    uv_close((uv_handle_t *)&a.timer, NULL);
    world_close(&a.w);
    qsort(took, a.count, sizeof took[0], by_value);
    struct outcome o = {took[a.count * 95 / 100 - 1], took[a.count * 99 / 100 - 1],
                        (unsigned)(status[0].hedges + status[1].hedges),
                        a.w.server[0].requests + a.w.server[1].requests - a.count};
    print_message("hedging %d: median %u p95 %u p99 %u hedges %u extra %u of %u\n", hedge,
                  took[a.count / 2], o.p95_ms, o.p99_ms, o.hedges, o.extra, a.count);
    return o;
}

static void the_tail_over_sockets(void **state)
{
    (void)state;
    const char *count_text = getenv("VERIDOH_TAIL");
    if (!count_text)
        skip();
    unsigned count = (unsigned)strtoul(count_text, NULL, 10);
    struct outcome without = measure(count, DOH_HEDGE_OFF, rarely_late, usual_delay);
    struct outcome with = measure(count, DOH_HEDGE_OTHER, rarely_late, usual_delay);
    struct outcome few = measure(count, DOH_HEDGE_OTHER, narrow_late, narrow_delay);
    assert_true(few.extra * 20 < count);
    struct outcome slow = measure(count, DOH_HEDGE_OFF, all_late, all_late);
    struct outcome slow_with = measure(count, DOH_HEDGE_OTHER, all_late, all_late);
    assert_true(2 * with.p99_ms <= 3 * without.p95_ms);
    assert_true(with.extra * 20 < count);
    assert_in_range(slow_with.p99_ms * 100, slow.p99_ms * 95, slow.p99_ms * 105);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rare),
        cmocka_unit_test(slowing_down_is_seen),
        cmocka_unit_test(fewer_than_one_in_twenty),
        cmocka_unit_test(rare_late_answers_do_not_show),
        cmocka_unit_test(narrow_paths_come_near_the_bound),
        cmocka_unit_test(where_all_is_slow_nothing_changes),
        cmocka_unit_test(a_late_answer_is_asked_for_elsewhere),
        cmocka_unit_test(one_hedge_is_enough),
        cmocka_unit_test(when_no_hedge_is_asked),
        cmocka_unit_test(not_when_all_slow_down),
        cmocka_unit_test(the_budget_is_kept),
        cmocka_unit_test(failing_over_is_learned),
        cmocka_unit_test(the_tail_over_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
