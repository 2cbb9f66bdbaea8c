// SPDX-License-Identifier: MIT
/* Connections: when they are doubted and replaced, what is learned of servers that end them, and
 * how the peer's limits are kept. Over real sockets and real TLS. */
#include "doh/connection.h"
#include "doh/learned.h"
#include "tests/unit/doh_world.h"

#define NOW 10000000u

static uint64_t ms_since(uint64_t begin_ns)
{
    return (uv_hrtime() - begin_ns) / 1000000;
}

static struct peer *first_peer(struct server *server)
{
    assert_false(doh_list_empty(&server->peers));
    return DOH_ITEM(server->peers.next, struct peer, link);
}

static void wait_all(struct world *w, struct question *q, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        run_until(w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
}

/* --- what is learned ------------------------------------------------------------------------- */

static void lessons(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint64_t idle_ms[3];
        uint32_t sent[3], want_idle_ms, want_worn; /* worn from so many questions on; 0: never */
    } cases[] = {
        {"one close is no rule", {10000}, {0}, UINT32_MAX, 0},
        {"two alike are", {10000, 10200}, {0}, 8000, 0},
        {"two that differ are not", {10000, 20000}, {0}, UINT32_MAX, 0},
        {"the last two count", {3000, 60000, 58000}, {0}, 46400, 0},
        {"a quick close is not an idle one", {900, 900}, {0}, UINT32_MAX, 0},
        {"a quota", {0}, {1000, 1000}, UINT32_MAX, 950},
        {"restarts", {0}, {1000, 400, 3000}, UINT32_MAX, 0},
        {"too few to be a quota", {0}, {9, 9}, UINT32_MAX, 0},
        {"idle closes say nothing of a quota", {5000, 5000}, {50, 50}, 4000, 0},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct doh_learned l = {0};
        for (unsigned n = 0; n < 3; n++)
            doh_learned_closed(&l, NOW, cases[i].idle_ms[n], cases[i].sent[n]);
        assert_int_equal(doh_learned_idle_ms(&l, NOW), cases[i].want_idle_ms);
        uint32_t worn = cases[i].want_worn;
        assert_int_equal(doh_learned_worn(&l, NOW, worn ? worn : UINT32_MAX), worn > 0);
        assert_false(doh_learned_worn(&l, NOW, worn ? worn - 1 : UINT32_MAX));
        assert_int_equal(doh_learned_idle_ms(&l, NOW + DOH_LEARNED_KEEP_MS), UINT32_MAX);
        assert_false(doh_learned_worn(&l, NOW + DOH_LEARNED_KEEP_MS, UINT32_MAX));
    }
}

/* As nginx does it with keepalive_requests: after the second GOAWAY there is no third. */
static void a_quota_is_met_with_a_successor(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status;
    world_init(&w, 1);
    w.server[0].quota = 40;
    world_start(&w);
    for (unsigned i = 0; i < 240; i++) {
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.sent, 1);
    }
    assert_int_equal(w.server[0].goaways, 2);
    assert_in_range(w.server[0].connections, 6, 8);
    (void)doh_pool_status(w.pool, &status, 1);
    assert_int_equal(status.replays, 0);
    assert_int_equal(w.warnings, 0);
    world_close(&w);
}

/* Twice the server closes after a second; then we do, a little before, with the next one open. */
static void an_idle_limit_is_met_with_a_successor(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < 2; i++) {
        ask_and_wait(&w, &q, "example.test");
        pause_ms(&w, 1010);
        server_hang_up(&w.server[0]);
        pause_ms(&w, 5);
    }
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].connections, 3);
    run_until(&w, &w.server[0].goodbyes, 1);
    run_until(&w, &w.server[0].handshakes, 4);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].connections, 4);
    run_until(&w, &w.server[0].goodbyes, 2); /* this one was used: it has an heir, too */
    run_until(&w, &w.server[0].goodbyes, 3); /* which was not */
    pause_ms(&w, 50);
    assert_int_equal(w.server[0].connections, 5);
    world_close(&w);
}

/* Nobody asks anything: there is no reason to dial whom has just been left, at once. */
static void who_leaves_at_once_is_not_called_back(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    w.server[0].leaves = true;
    world_start(&w);
    doh_pool_warm(w.pool);
    run_until(&w, &w.server[0].handshakes, 1);
    pause_ms(&w, 300);
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

/* --- doubt ----------------------------------------------------------------------------------- */

static void no_ping_without_doubt(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < 50; i++)
        ask_and_wait(&w, &q, "example.test");
    pause_ms(&w, 400);
    assert_int_equal(w.server[0].pings, 0);
    world_close(&w);
}

static void a_slow_answer_is_doubted_but_waited_for(void **state)
{
    (void)state;
    struct question q[2];
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q[0], "example.test");
    w.server[0].behaviour = (struct behaviour){.act = ACT_DROP, .first = 1, .count = 1};
    ask(&w, &q[0], "example.test");
    run_until(&w, &w.server[0].pings, 1);
    ask_and_wait(&w, &q[1], "other.test");
    assert_int_equal(q[1].err, DOH_OK);
    assert_int_equal(w.server[0].connections, 1);
    doh_fetch_cancel(q[0].fetch);
    world_close(&w);
}

/* The peer is gone without a word. Nobody has to wait for the deadline. */
static void a_dead_connection_is_replaced_within_a_second(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(uv_read_stop((uv_stream_t *)&first_peer(&w.server[0])->tcp), 0);
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_true(ms_since(begin) < 1000);
    assert_int_equal(w.server[0].connections, 2);
    (void)doh_pool_status(w.pool, &status, 1);
    assert_int_equal(status.replays, 1);
    assert_int_equal(status.failures, 0);
    assert_int_equal(w.warnings, 0);
    world_close(&w);
}

static unsigned second_is_dropped(unsigned request)
{
    return request == 2 ? 60000 : 0;
}

/* As above, but another question that left with it was still answered. */
static void what_came_before_the_silence_is_no_sign_of_life(void **state)
{
    (void)state;
    struct question q[2];
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q[0], "example.test");
    w.server[0].delay_of = second_is_dropped;
    ask(&w, &q[0], "a.test");
    ask(&w, &q[1], "b.test");
    run_until(&w, &q[0].done, 1);
    assert_int_equal(uv_read_stop((uv_stream_t *)&first_peer(&w.server[0])->tcp), 0);
    w.server[0].delay_of = NULL;
    uint64_t begin = uv_hrtime();
    run_until(&w, &q[1].done, 1);
    assert_int_equal(q[1].err, DOH_OK);
    assert_true(ms_since(begin) < 1000);
    world_close(&w);
}

static unsigned slow(unsigned request)
{
    return request == 0 ? 0 : 1100;
}

/* It answers each PING: after 300 ms, 900, 2100. What it has answered is forgotten. */
static void a_slow_one_is_doubted_ever_less(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.server[0].delay_of = slow;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    for (unsigned i = 0, before = 0; i < 2; i++) {
        ask_and_wait(&w, &q, "slow.test");
        assert_int_equal(q.err, DOH_OK);
        assert_in_range(w.server[0].pings - before, 1, 2);
        before = w.server[0].pings;
    }
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

/* Questions that are not waited for any longer say nothing about how slow it is. */
static void what_nobody_waits_for_is_no_doubt(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.server[0].delay_of = slow;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    for (unsigned i = 0; i < 2; i++) {
        ask(&w, &q, "cancelled.test");
        pause_ms(&w, 20);
        doh_fetch_cancel(q.fetch);
        run_until(&w, &w.server[0].pings, i + 1);
        pause_ms(&w, 20);
        assert_int_equal(DOH_ITEM(w.pool->upstreams[0].conns.next, struct doh_conn, link)->doubts,
                         0);
    }
    world_close(&w);
}

static void one_stuck_stream_among_many(void **state)
{
    (void)state;
    struct question q[2];
    struct world w;
    world_init(&w, 1);
    w.config.deadline_ms = 200;
    world_start(&w);
    ask_and_wait(&w, &q[0], "example.test");
    w.server[0].behaviour = (struct behaviour){.act = ACT_DROP, .first = 1, .count = 1};
    ask(&w, &q[0], "stuck.test");
    while (q[0].done == 0)
        ask_and_wait(&w, &q[1], "other.test");
    assert_int_equal(q[0].err, DOH_OK);
    assert_int_equal(q[0].sent, 2);
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

/* --- the peer's limits ----------------------------------------------------------------------- */

static void a_limit_lowered_in_flight_is_kept(void **state)
{
    (void)state;
    struct question q[20];
    struct world w;
    world_init(&w, 1);
    w.server[0].max_streams = 50;
    world_start(&w);
    ask_and_wait(&w, &q[0], "example.test");
    server_limit(&w.server[0], 1);
    w.server[0].max_streams = 1; /* for a second connection */
    ask_and_wait(&w, &q[0], "example.test");
    w.server[0].open_max = 0;
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    wait_all(&w, q, COUNT(q));
    for (unsigned i = 0; i < COUNT(q); i++)
        assert_int_equal(q[i].sent, 1); /* nothing was refused */
    assert_in_range(w.server[0].open_max, 1, 2);
    world_close(&w);
}

static void a_limit_of_zero_is_waited_for(void **state)
{
    (void)state;
    struct question q[20];
    struct world w;
    world_init(&w, 1);
    w.server[0].max_streams = 50;
    world_start(&w);
    ask_and_wait(&w, &q[0], "example.test");
    server_limit(&w.server[0], 0);
    pause_ms(&w, 20);
    uv_close((uv_handle_t *)&w.server[0].tcp, NULL); /* no second connection */
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    pause_ms(&w, 100);
    assert_int_equal(w.server[0].requests, 1);
    server_limit(&w.server[0], 2);
    wait_all(&w, q, COUNT(q));
    assert_in_range(w.server[0].open_max, 1, 2);
    world_close(&w);
}

static void the_largest_answers_never_stall(void **state)
{
    (void)state;
    static struct question q[60];
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour.act = ACT_LARGE;
    world_start(&w);
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    wait_all(&w, q, COUNT(q));
    for (unsigned i = 0; i < COUNT(q); i++)
        assert_int_equal(q[i].len, DNS_MSG_MAX);
    assert_int_equal(w.server[0].connections, 1);
    assert_int_equal(w.warnings, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lessons),
        cmocka_unit_test(a_quota_is_met_with_a_successor),
        cmocka_unit_test(an_idle_limit_is_met_with_a_successor),
        cmocka_unit_test(who_leaves_at_once_is_not_called_back),
        cmocka_unit_test(no_ping_without_doubt),
        cmocka_unit_test(a_slow_answer_is_doubted_but_waited_for),
        cmocka_unit_test(a_dead_connection_is_replaced_within_a_second),
        cmocka_unit_test(what_came_before_the_silence_is_no_sign_of_life),
        cmocka_unit_test(a_slow_one_is_doubted_ever_less),
        cmocka_unit_test(what_nobody_waits_for_is_no_doubt),
        cmocka_unit_test(one_stuck_stream_among_many),
        cmocka_unit_test(a_limit_lowered_in_flight_is_kept),
        cmocka_unit_test(a_limit_of_zero_is_waited_for),
        cmocka_unit_test(the_largest_answers_never_stall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
