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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_declines_is_left_alone),
        cmocka_unit_test(who_answers_others_is_well),
        cmocka_unit_test(a_goaway_storm_is_no_fault),
        cmocka_unit_test(who_is_alone_is_asked_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
