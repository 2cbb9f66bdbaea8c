// SPDX-License-Identifier: MIT
/* Questions for an upstream that is not connected yet: how long they wait for it, and who gets
 * them. */
#include "doh/connection.h"
#include "doh/fetch.h"
#include "doh/parts.h"
#include "doh/upstream.h"
#include "tests/unit/doh_world.h"

static void ask_one(struct world *w, struct question *q, uint32_t only)
{
    ask_how(w, q, "example.test", (struct doh_request){.route = DOH_ROUTE_DEFAULT, .only = only},
            on_done);
}

static void ask_one_and_wait(struct world *w, struct question *q, uint32_t only)
{
    ask_one(w, q, only);
    run_until(w, &q->done, 1);
}

/* The first server takes connections and says nothing, and its dial does not end by itself. */
static void world_that_hangs(struct world *w)
{
    world_init(w, 2);
    w->config.connect_ms = 60000;
    w->server[0].hangs = true;
    world_start(w);
}

static void run_until_connected(struct world *w, uint32_t upstream)
{
    while (!doh_upstream_has_good(&w->pool->upstreams[upstream]))
        (void)uv_run(&w->loop, UV_RUN_ONCE);
}

/* A server that accepted connections and said nothing goes on with them. */
static void wake_up(struct server *server)
{
    server->hangs = false;
    for (struct doh_list *i = server->peers.next; i != &server->peers; i = i->next)
        assert_int_equal(uv_read_start((uv_stream_t *)&DOH_ITEM(i, struct peer, link)->tcp,
                                       on_peer_alloc, on_peer_read),
                         0);
}

static void patience(void **state)
{
    (void)state;
    static const struct {
        uint32_t srtt_us;
        uint64_t spent_ms;
        uint32_t want_ms;
    } cases[] = {
        {0, 0, 250},     {0, 100, 150},    {0, 250, 0},     {0, 9999, 0},     {1000, 0, 53},
        {20000, 0, 110}, {20000, 100, 10}, {20000, 110, 0}, {300000, 0, 250}, /* never longer */
    };
    for (unsigned i = 0; i < COUNT(cases); i++)
        assert_int_equal(doh_hold_ms(cases[i].srtt_us, cases[i].spent_ms), cases[i].want_ms);
}

/* The first choice hangs in its handshake. Who waits for it is answered by the other one, and who
 * comes later does not wait at all. */
static void the_connected_one_takes_what_another_holds(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_that_hangs(&w);
    ask_one_and_wait(&w, &q, 2);
    uint64_t begin = uv_hrtime();
    ask_one_and_wait(&w, &q, 0);
    uint64_t ms = (uv_hrtime() - begin) / 1000000;
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(q.upstream, 1);
    assert_int_equal(q.sent, 1);
    assert_true(ms >= DOH_HOLD_MAX_MS - 5); /* the first choice had its chance */
    assert_true(ms < DOH_FAILOVER_MAX_MS);  /* and no more than that, however busy the machine */
    for (unsigned i = 0; i < 3; i++) {
        assert_true(doh_upstream_is_away(&w.pool->upstreams[0]));
        ask_one(&w, &q, 0);
        while (q.done == 0) { /* at no time does the other one have it */
            (void)uv_run(&w.loop, UV_RUN_ONCE);
            assert_int_equal(w.pool->upstreams[0].load, 0);
        }
        assert_int_equal(q.upstream, 1);
    }
    wake_up(&w.server[0]);
    while (doh_upstream_is_away(&w.pool->upstreams[0]))
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    ask_one_and_wait(&w, &q, 0);
    assert_int_equal(q.upstream, 0);
    assert_int_equal(w.warnings, 0);
    world_close(&w);
}

/* Nobody is connected. Both are dialled by and by, and whoever is there first takes the question,
 * alone. */
static void the_first_to_be_connected_takes_it(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 2; first++) {
        struct question q, other;
        struct world w;
        world_that_hangs(&w);
        w.server[1].hangs = true;
        ask_one(&w, &q, 0);
        ask_one(&w, &other, 2); /* so that the second is dialled at once */
        while (w.server[0].connections + w.server[1].connections < 2)
            (void)uv_run(&w.loop, UV_RUN_ONCE);
        wake_up(&w.server[first]);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.upstream, first);
        assert_int_equal(q.sent, 1);
        wake_up(&w.server[1 - first]);
        run_until(&w, &other.done, 1);
        run_until(&w, &w.server[1 - first].handshakes, 1);
        pause_ms(&w, 20);
        assert_int_equal(w.server[0].requests, first == 0);
        assert_int_equal(w.server[1].requests, first == 0 ? 1 : 2);
        world_close(&w);
    }
}

/* It was offered to the second, which is in no hurry; the first, connected later, does not get it,
 * too. No clock moves it: its patience is made endless. */
static void what_one_has_taken_is_withdrawn_elsewhere(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_that_hangs(&w);
    w.server[1].behaviour = (struct behaviour){.act = ACT_DROP, .first = 1, .count = 1};
    ask_one(&w, &q, 0);
    run_until(&w, &w.server[0].connections, 1);
    q.fetch->failover_ms += 3600000;
    struct question other;
    ask_one(&w, &other, 2);
    run_until(&w, &w.server[1].requests, 2);
    run_until(&w, &other.done, 1);
    assert_int_equal(w.pool->upstreams[0].load, 0);
    assert_int_equal(w.pool->upstreams[1].load, 1);
    wake_up(&w.server[0]);
    run_until_connected(&w, 0);
    pause_ms(&w, 20);
    assert_int_equal(w.server[0].requests, 0);
    doh_fetch_cancel(q.fetch);
    world_close(&w);
}

/* Its connection is gone with it, and the next one hangs: that is waited for no longer. */
static void a_replay_is_held_no_longer(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.config.connect_ms = 60000;
    w.server[0].behaviour.act = ACT_DROP;
    world_start(&w);
    ask_one(&w, &q, 0);
    run_until(&w, &w.server[0].requests, 1);
    assert_true(q.fetch->failover_ms > uv_now(&w.loop) + DOH_HOLD_MAX_MS);
    w.server[0].hangs = true;
    server_hang_up(&w.server[0]);
    while (w.pool->upstreams[0].status.replays == 0)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    assert_true(q.fetch->failover_ms <= uv_now(&w.loop) + DOH_HOLD_MAX_MS);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.upstream, 1);
    world_close(&w);
}

/* The first was not believed, and is connected; the second is dialled, and that takes long. */
static void a_second_opinion_is_waited_for(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_request how = {.route = DOH_ROUTE_DEFAULT, .avoid = 1};
    world_init(&w, 2);
    w.config.connect_ms = 60000;
    w.server[1].hangs = true;
    world_start(&w);
    ask_one_and_wait(&w, &q, 1);
    doh_upstream_warm(&w.pool->upstreams[1]);
    run_until(&w, &w.server[1].connections, 1);
    w.pool->upstreams[1].dial.started_ms -= 10000;
    assert_true(doh_upstream_is_away(&w.pool->upstreams[1])); /* for other questions */
    ask_how(&w, &q, "example.test", how, on_done);
    while (q.fetch->state == DOH_FETCH_CHOOSING)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(w.pool->upstreams[1].load, 1);
    assert_int_equal(w.pool->upstreams[0].load, 0);
    assert_true(q.fetch->failover_ms > uv_now(&w.loop) + DOH_HOLD_MAX_MS);
    wake_up(&w.server[1]);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.upstream, 1);
    world_close(&w);
}

/* Whoever answers others meanwhile is waited for longer, unless there are hedges to spare; who has
 * fallen silent is doubted, and left. */
static void the_lively_are_waited_for(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint64_t answered_ago_ms, sent_ago_ms;
        uint32_t thousandths;
        bool waits;
    } cases[] = {
        {"lively", 0, 500, 0, true},
        {"lively, with hedges to spare", 0, 500, 10000, false},
        {"lively, and a few hedges that others need", 0, 500, 2000, true},
        {"silent lately", 300, 500, 0, false},
        {"silent since it was asked", 600, 500, 0, false},
        {"lively, but long enough", 0, 1200, 0, false},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.server[0].behaviour.act = ACT_DROP;
        world_start(&w);
        ask_one(&w, &q, 0);
        run_until(&w, &w.server[0].requests, 1);
        struct doh_ask *ask = &q.fetch->ask[0];
        uint64_t now = uv_now(&w.loop) + 5000; /* so that there is a past */
        ask->sent_ms = now - cases[i].sent_ago_ms;
        ask->conn->answered_ms = now - cases[i].answered_ago_ms;
        w.pool->hedges.thousandths = cases[i].thousandths;
        q.fetch->deadline_ms = now + 5000;
        q.fetch->failover_ms = now;
        doh_fetch_tick(q.fetch, now);
        assert_int_equal(q.fetch->state, cases[i].waits ? DOH_FETCH_ASKED : DOH_FETCH_CHOOSING);
        assert_int_equal(ask->conn->pinged_ms > 0, !cases[i].waits);
        doh_fetch_cancel(q.fetch);
        world_close(&w);
    }
}

/* What was held waits for an answer like any other from when it is sent. */
static void clocks_start_with_the_sending(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.server[0].hangs = true;
    w.server[0].behaviour.act = ACT_DROP;
    world_start(&w);
    ask_one(&w, &q, 0);
    run_until(&w, &w.server[0].connections, 1);
    q.fetch->failover_ms += 3600000;
    wake_up(&w.server[0]);
    run_until(&w, &w.server[0].requests, 1);
    assert_true(q.fetch->failover_ms <= uv_now(&w.loop) + DOH_FAILOVER_MAX_MS);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.upstream, 1);
    world_close(&w);
}

/* Of two others that are well the one with a connection. */
static void the_connected_go_before_the_far(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_config three[3];
    world_init(&w, 2);
    memcpy(three, w.upstream, sizeof w.upstream);
    three[2] = w.upstream[1];
    w.config.upstreams = three;
    w.config.upstream_count = 3;
    w.config.connect_ms = 60000;
    w.server[0].hangs = true;
    world_start(&w);
    ask_one_and_wait(&w, &q, 4);
    ask_one(&w, &q, 0);
    run_until(&w, &w.server[0].connections, 1);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.upstream, 2);
    assert_int_equal(w.server[1].connections, 1);
    world_close(&w);
}

/* Before any question: when the first choice takes long, the next one is made ready, too. */
static void warm_is_who_can_be(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_that_hangs(&w);
    doh_pool_warm(w.pool);
    run_until(&w, &w.server[0].connections, 1);
    assert_int_equal(w.server[1].connections, 0);
    run_until(&w, &w.server[1].handshakes, 1);
    run_until_connected(&w, 1);
    ask_one_and_wait(&w, &q, 0);
    assert_int_equal(q.upstream, 1);
    assert_int_equal(w.server[1].connections, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience),
        cmocka_unit_test(the_connected_one_takes_what_another_holds),
        cmocka_unit_test(the_first_to_be_connected_takes_it),
        cmocka_unit_test(what_one_has_taken_is_withdrawn_elsewhere),
        cmocka_unit_test(a_replay_is_held_no_longer),
        cmocka_unit_test(a_second_opinion_is_waited_for),
        cmocka_unit_test(the_lively_are_waited_for),
        cmocka_unit_test(clocks_start_with_the_sending),
        cmocka_unit_test(the_connected_go_before_the_far),
        cmocka_unit_test(warm_is_who_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
