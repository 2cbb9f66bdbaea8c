// SPDX-License-Identifier: MIT
/* What an upstream's responses mean for the questions to come. */
#include "doh/parts.h"
#include "tests/unit/doh_world.h"

/* A living server that does not answer, neither at first nor when it is asked again. */
static const struct decline {
    const char *what;
    struct behaviour behaviour;
} declines[] = {
    {"misdirected", {.status = 421}},   {"too early", {.status = 425}},
    {"given up", {.act = ACT_ABANDON}}, {"refused", {.act = ACT_REFUSE}},
    {"GOAWAY", {.act = ACT_GOAWAY}},
};

static bool is_resting(const struct world *w)
{
    return doh_health_backing_off(&w->pool->upstreams[0].health, doh_now(w->pool));
}

/* The first choice, that is: the others spend two round trips on it for every question. */
static void who_declines_is_left_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(declines); i++) {
        print_message("%s\n", declines[i].what);
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.config.choice = DOH_FAILOVER;
        w.server[0].behaviour = declines[i].behaviour;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.upstream, 1);
        assert_int_equal(w.server[0].requests, 2);
        assert_true(is_resting(&w));
        assert_non_null(strstr(w.warning, "next try in"));
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.upstream, 1);
        assert_int_equal(w.server[0].requests, 2);
        w.server[0].behaviour = (struct behaviour){0};
        while (is_resting(&w))
            pause_ms(&w, 10);
        for (unsigned n = 0; n < 2; n++) { /* it may have to be dialled first */
            ask_and_wait(&w, &q, "example.test");
            assert_int_equal(q.err, DOH_OK);
            pause_ms(&w, 20);
        }
        assert_int_equal(q.upstream, 0);
        assert_int_equal(w.pool->upstreams[0].health.backoff.length_ms, 0);
        world_close(&w);
    }
}

/* It answers others meanwhile: this says something about that question only. */
static void who_answers_others_is_well(void **state)
{
    (void)state;
    for (unsigned i = 0; declines[i].behaviour.act != ACT_GOAWAY; i++) {
        print_message("%s\n", declines[i].what);
        struct question q[2];
        struct world w;
        world_init(&w, 2);
        w.config.choice = DOH_FAILOVER;
        w.server[0].behaviour = declines[i].behaviour;
        w.server[0].behaviour.count = 1;
        world_start(&w);
        ask(&w, &q[0], "first.test");
        ask(&w, &q[1], "other.test");
        run_until(&w, &w.server[0].requests, 2);
        w.server[0].behaviour.first = 2;
        run_until(&w, &q[0].done, 1);
        run_until(&w, &q[1].done, 1);
        assert_int_equal(q[0].upstream, 1);
        assert_int_equal(q[1].upstream, 0);
        assert_int_equal(w.server[0].requests, 3);
        assert_false(is_resting(&w));
        world_close(&w);
    }
}

/* One name that is declined again and again does not drive others away from the first choice. */
static void a_poisonous_name_is_one_name(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.config.choice = DOH_FAILOVER;
    world_start(&w);
    for (unsigned i = 0; i < 3; i++) {
        w.server[0].behaviour = (struct behaviour){0};
        ask_and_wait(&w, &q, "good.test");
        assert_int_equal(q.upstream, 0);
        w.server[0].behaviour = (struct behaviour){.act = ACT_ABANDON};
        pause_ms(&w, 20);
        ask_and_wait(&w, &q, "poison.test");
        assert_int_equal(q.upstream, 1);
        assert_false(is_resting(&w));
    }
    world_close(&w);
}

/* Each connection ends after one answer, and nearly all that was sent comes back, again and again.
 */
static void a_goaway_storm_is_no_fault(void **state)
{
    (void)state;
    struct question q[20];
    struct world w;
    world_init(&w, 2);
    w.config.choice = DOH_FAILOVER;
    w.server[0].quota = 1;
    world_start(&w);
    ask_well(&w, q, COUNT(q), "example.test");
    assert_null(strstr(w.warning, "next try in"));
    assert_false(is_resting(&w));
    world_close(&w);
}

/* With nobody else to ask, a rest keeps no question away. */
static void who_is_alone_is_asked_all_the_same(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(declines); i++) {
        print_message("%s\n", declines[i].what);
        struct question q[2];
        struct world w;
        world_init(&w, 1);
        w.server[0].behaviour = declines[i].behaviour;
        w.server[0].behaviour.count = 2;
        world_start(&w);
        ask(&w, &q[0], "first.test");
        run_until(&w, &w.server[0].requests, 2);
        pause_ms(&w, 20);
        assert_true(is_resting(&w));
        uint64_t begin_ms = doh_now(w.pool);
        ask_and_wait(&w, &q[1], "second.test");
        assert_int_equal(q[1].err, DOH_OK);
        assert_in_range(doh_now(w.pool) - begin_ms, 0, 400); /* a dial is paused for 250 */
        run_until(&w, &q[0].done, 1);                        /* its last chance */
        assert_int_equal(q[0].err, DOH_OK);
        assert_false(is_resting(&w));
        world_close(&w);
    }
}

/* --- Retry-After ----------------------------------------------------------------------------- */

/* One question at a time, and the first of many is told to come back later. */
static void start_throttled(struct world *w, uint32_t count, const char *retry_after)
{
    struct question q;
    world_init(w, count);
    w->server[0].max_streams = 1;
    w->server[0].behaviour =
        (struct behaviour){.first = 1, .count = 1, .status = 429, .retry_after = retry_after};
    world_start(w);
    ask_and_wait(w, &q, "example.test");
    assert_int_equal(q.upstream, 0);
}

static void retry_after_holds_for_what_waits(void **state)
{
    (void)state;
    struct question q[30];
    struct world w;
    start_throttled(&w, 2, "100");
    ask_well(&w, q, COUNT(q), "example.test");
    assert_int_equal(w.server[0].requests, 2);
    assert_int_equal(w.server[1].requests, COUNT(q));
    world_close(&w);
}

/* What waits is lost when that is too long, and only then. */
static void retry_after_holds_for_who_is_alone(void **state)
{
    (void)state;
    struct question q[10];
    struct world w;
    start_throttled(&w, 1, "1");
    ask_well(&w, q, COUNT(q), "example.test");
    assert_int_equal(w.server[0].requests, 2 + COUNT(q));
    world_close(&w);
    start_throttled(&w, 1, "100");
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_E_HTTP);
    }
    assert_int_equal(w.server[0].requests, 2);
    world_close(&w);
}

/* It is said twice: what was not sent in between has its chance after the second time, too. */
static void retry_after_costs_no_chance(void **state)
{
    (void)state;
    struct question q[8];
    struct world w;
    unsigned lost = 0;
    start_throttled(&w, 1, "1");
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    run_until(&w, &w.server[0].requests, 2);
    w.server[0].behaviour.first = 3;
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        lost += q[i].err != DOH_OK;
    }
    assert_in_range(lost, 0, 1); /* the one that was told so in its last chance */
    world_close(&w);
}

static unsigned all_but_the_second(unsigned request)
{
    return request == 1 ? 0 : 5000;
}

/* A connection that ends gives back what was under way: that does not go there again either. */
static void retry_after_holds_for_replays(void **state)
{
    (void)state;
    struct question q[2];
    struct world w;
    start_throttled(&w, 1, "100");
    server_limit(&w.server[0], 2);
    pause_ms(&w, 20);
    w.server[0].delay_of = all_but_the_second;
    ask(&w, &q[0], "first.test");
    ask(&w, &q[1], "second.test");
    run_until(&w, &w.server[0].requests, 3);
    pause_ms(&w, 20);
    server_hang_up(&w.server[0]);
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_E_HTTP);
    }
    assert_int_equal(w.server[0].requests, 3);
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_declines_is_left_alone),
        cmocka_unit_test(who_answers_others_is_well),
        cmocka_unit_test(a_poisonous_name_is_one_name),
        cmocka_unit_test(a_goaway_storm_is_no_fault),
        cmocka_unit_test(who_is_alone_is_asked_all_the_same),
        cmocka_unit_test(retry_after_holds_for_what_waits),
        cmocka_unit_test(retry_after_holds_for_who_is_alone),
        cmocka_unit_test(retry_after_costs_no_chance),
        cmocka_unit_test(retry_after_holds_for_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
