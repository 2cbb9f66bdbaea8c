// SPDX-License-Identifier: MIT
/* Questions for an upstream that is not connected yet: how long they wait for it, and who gets
 * them. */
#include "doh/parts.h"
#include "doh/upstream.h"
#include "tests/unit/doh_world.h"

static void ask_one(struct world *w, struct question *q, uint32_t only)
{
    ask_how(w, q, "example.test", (struct doh_request){.route = DOH_ROUTE_DEFAULT, .only = only},
            on_done);
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
    world_init(&w, 2);
    w.config.connect_ms = 60000; /* its dial does not end by itself */
    w.server[0].hangs = true;
    world_start(&w);
    ask_one(&w, &q, 2);
    run_until(&w, &q.done, 1);
    uint64_t begin = uv_hrtime();
    ask_one(&w, &q, 0);
    run_until(&w, &q.done, 1);
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
    ask_one(&w, &q, 0);
    run_until(&w, &q.done, 1);
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
        world_init(&w, 2);
        w.config.connect_ms = 60000;
        w.server[0].hangs = w.server[1].hangs = true;
        world_start(&w);
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

/* Before any question: when the first choice takes long, the next one is made ready, too. */
static void warm_is_who_can_be(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.config.connect_ms = 60000;
    w.server[0].hangs = true;
    world_start(&w);
    doh_pool_warm(w.pool);
    run_until(&w, &w.server[0].connections, 1);
    assert_int_equal(w.server[1].connections, 0);
    run_until(&w, &w.server[1].handshakes, 1);
    while (!doh_upstream_has_good(&w.pool->upstreams[1]))
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    ask_one(&w, &q, 0);
    run_until(&w, &q.done, 1);
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
        cmocka_unit_test(warm_is_who_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
