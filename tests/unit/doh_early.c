// SPDX-License-Identifier: MIT
/* TLS 1.3 early data: what goes ahead of a resumed handshake, when, and what becomes of it. Over
 * real sockets and real TLS. */
#include "doh/parts.h"
#include "doh/shared.h"
#include "tests/unit/doh_world.h"

static void early_world(struct world *w, uint32_t count)
{
    world_init(w, count);
    w->config.early_data = true;
    for (uint32_t i = 0; i < count; i++) {
        w->upstream[i].get = true;
        server_allow_early(&w->server[i], 16384);
    }
}

/* A connection that leaves tickets behind, and is gone. */
static void meet(struct world *w)
{
    struct question q;
    ask_well(w, &q, 1, "first.test");
    assert_int_equal(w->server[0].early, 0); /* there was no session */
    hang_up_and_see(w);
}

/* Two round trips to the first answer: TCP's own, and the one in which the server, having read
 * once, knows the question. Without early data it has to read at least twice. */
static void a_round_trip_is_saved(void **state)
{
    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        struct question q[3];
        struct world w;
        early_world(&w, 1);
        w.config.early_data = on;
        world_start(&w);
        meet(&w);
        ask_well(&w, q, COUNT(q), "again.test");
        assert_int_equal(w.server[0].early, on ? 3 : 0);
        if (on)
            assert_int_equal(w.server[0].reads, 1);
        else
            assert_true(w.server[0].reads >= 2);
        assert_int_equal(w.server[0].requests, 4);
        assert_int_equal(w.server[0].connections, 2);
        assert_int_equal(status_of(&w).resumed, 1);
        assert_int_equal(status_of(&w).early, on);
        ask_well(&w, &q[0], 1, "later.test"); /* on the same connection */
        assert_int_equal(w.server[0].early, on ? 3 : 0);
        assert_int_equal(w.server[0].connections, 2);
        world_close(&w);
    }
}

static void only_get_goes_early(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 1);
    w.upstream[0].get = false;
    world_start(&w);
    meet(&w);
    ask_well(&w, &q, 1, "again.test");
    assert_int_equal(w.server[0].posts, 2);
    assert_int_equal(w.server[0].early, 0);
    assert_int_equal(status_of(&w).resumed, 1);
    world_close(&w);
}

/* A ticket that allows none, TLS 1.2, and one that allows too few octets for a question. */
static void the_session_must_allow_it(void **state)
{
    (void)state;
    static const struct {
        int version;
        uint32_t octets;
    } cases[] = {{TLS1_3_VERSION, 0}, {TLS1_2_VERSION, 16384}, {TLS1_3_VERSION, 200}};
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct question q;
        struct world w;
        early_world(&w, 1);
        server_allow_early(&w.server[0], cases[i].octets);
        w.server[0].takes_early = cases[i].version == TLS1_3_VERSION;
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, cases[i].version), 1);
        world_start(&w);
        meet(&w);
        ask_well(&w, &q, 1, "again.test");
        assert_int_equal(w.server[0].early, 0);
        assert_int_equal(w.server[0].requests, 2);
        assert_int_equal(status_of(&w).resumed, 1);
        world_close(&w);
    }
}

/* More than fits: some go early, the others after the handshake, each once. */
static void as_many_as_fit(void **state)
{
    (void)state;
    struct question q[20];
    struct world w;
    early_world(&w, 1);
    server_allow_early(&w.server[0], 2000);
    world_start(&w);
    meet(&w);
    ask_well(&w, q, COUNT(q), "again.test");
    assert_in_range(w.server[0].early, 2, 15);
    assert_int_equal(w.server[0].requests, 1 + COUNT(q));
    assert_int_equal(w.server[0].connections, 2);
    assert_int_equal(status_of(&w).replays, 0);
    world_close(&w);
}

/* The server resumes but reads no early data; or it is another process with other keys. */
static void what_is_rejected_is_sent_again_once(void **state)
{
    (void)state;
    for (unsigned restarted = 0; restarted < 2; restarted++) {
        struct question q[2];
        struct world w;
        early_world(&w, 1);
        world_start(&w);
        meet(&w);
        if (restarted) {
            SSL_CTX_free(w.server[0].context);
            w.server[0].context = server_context(&w.ca, SERVER_HOST, 5);
            server_allow_early(&w.server[0], 16384);
        } else {
            w.server[0].takes_early = false;
        }
        ask_well(&w, q, COUNT(q), "again.test");
        assert_int_equal(w.server[0].early, 0);
        assert_int_equal(w.server[0].requests, 1 + COUNT(q));
        assert_int_equal(w.server[0].connections, 2);
        assert_int_equal(status_of(&w).resumed, restarted ? 0 : 1);
        assert_int_equal(status_of(&w).early, 0);
        assert_int_equal(status_of(&w).replays, 0);
        assert_int_equal(w.warnings, 0);
        world_close(&w);
    }
}

/* RFC 8470 5.2. On the same connection, whose handshake is over by then; and the next connection
 * does without. What did not go early has to go elsewhere. */
static void too_early_is_asked_again_in_time(void **state)
{
    (void)state;
    for (unsigned early = 0; early < 2; early++) {
        struct question q;
        struct world w;
        early_world(&w, 1);
        w.server[0].behaviour = (struct behaviour){.first = 1, .count = 1, .status = 425};
        world_start(&w);
        meet(&w);
        w.server[0].takes_early = early;
        ask_well(&w, &q, 1, "again.test");
        assert_int_equal(w.server[0].early, early);
        assert_int_equal(w.server[0].requests, 3);
        assert_int_equal(w.server[0].connections, early ? 2 : 3);
        assert_int_equal(status_of(&w).replays, 1);
        hang_up_and_see(&w);
        ask_well(&w, &q, 1, "third.test");
        assert_int_equal(w.server[0].early, early);
        world_close(&w);
    }
}

static void close_second(struct world *w, struct doh_pool *second)
{
    doh_pool_close(second, on_world_closed, w);
    while (!w->pool_closed)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    w->pool_closed = false;
}

/* As it takes the sessions of another's handshakes, so it takes what the other has learnt. */
static void what_a_worker_learns_holds_for_all(void **state)
{
    (void)state;
    for (unsigned refused = 0; refused < 2; refused++) {
        struct question q;
        struct world w;
        early_world(&w, 1);
        if (refused)
            w.server[0].behaviour = (struct behaviour){.first = 1, .count = 1, .status = 425};
        world_start(&w);
        meet(&w);
        ask_well(&w, &q, 1, "again.test");
        assert_int_equal(w.server[0].early, 1);
        struct doh_pool *first = w.pool;
        w.pool = doh_pool_new(&w.loop, w.shared, on_world_event, &w);
        assert_non_null(w.pool);
        ask_well(&w, &q, 1, "other.test");
        assert_int_equal(status_of(&w).resumed, 1);
        assert_int_equal(w.server[0].early, refused ? 1 : 2);
        close_second(&w, w.pool);
        w.pool = first;
        world_close(&w);
    }
}

/* Before the handshake has ended nothing is lost with the connection: it waits for another. */
static void a_handshake_without_end_loses_nothing(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 2);
    w.config.connect_ms = 300;
    world_start(&w);
    meet(&w);
    w.server[0].hangs = true;
    ask_well(&w, &q, 1, "again.test");
    assert_int_equal(q.upstream, 1);
    assert_int_equal(w.server[0].requests, 1);
    assert_int_equal(w.server[1].requests, 1);
    world_close(&w);
}

/* Perhaps it was the early data: it is left out for a while. */
static void after_a_failed_handshake_none_is_sent(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 1);
    w.config.connect_ms = 300;
    world_start(&w);
    meet(&w);
    w.server[0].hangs = true;
    ask(&w, &q, "again.test");
    run_until(&w, &w.server[0].connections, 2);
    w.server[0].hangs = false;
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(w.server[0].early, 0);
    assert_int_equal(w.server[0].requests, 2);
    assert_int_equal(status_of(&w).resumed, 1);
    world_close(&w);
}

/* Another address of the host is there first. */
static void the_winner_of_a_race_gets_what_others_have(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 2);
    struct sockaddr_in second = {.sin_family = AF_INET,
                                 .sin_port = htons(w.server[0].port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    world_move(&w, 1, (const struct sockaddr *)&second);
    w.config.upstream_count = 1;
    w.address[1].sa.v4 = second;
    w.upstream[0].address_count = 2;
    world_start(&w);
    meet(&w);
    w.server[0].hangs = true;
    ask_well(&w, &q, 1, "again.test");
    assert_int_equal(w.server[0].connections, 2);
    assert_int_equal(w.server[0].requests, 1);
    assert_int_equal(w.server[1].requests, 1);
    assert_int_equal(status_of(&w).failures, 0);
    world_close(&w);
}

/* Who answers without it half a second later may have lost it: for a while none is sent. Nor does
 * the second connection take a session, each of which is good for one. */
static void what_is_lost_on_the_way_is_learned(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 1);
    w.config.connect_ms = 2000;
    world_start(&w);
    meet(&w);
    w.server[0].swallowed = 1;
    ask_well(&w, &q, 1, "again.test");
    assert_true(doh_shared_holds_early(w.shared, 0, doh_now(w.pool)));
    assert_int_equal(status_of(&w).resumed, 0);
    world_close(&w);
}

/* A replay waits for the end of the handshake. */
static void a_question_goes_early_once(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 1);
    w.server[0].behaviour = (struct behaviour){.act = ACT_DROP, .first = 1, .count = 1};
    world_start(&w);
    meet(&w);
    ask(&w, &q, "again.test");
    while (status_of(&w).connects < 2)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(w.server[0].early, 1);
    server_hang_up(&w.server[0]);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(w.server[0].early, 1);
    assert_int_equal(w.server[0].requests, 3);
    world_close(&w);
}

/* It is unknown what became of it, so the time after the handshake is its last one there. */
static void what_went_early_is_sent_once_more(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 2);
    world_start(&w);
    meet(&w);
    w.server[0].swallowed = 1;
    w.server[0].behaviour.act = ACT_DROP;
    ask(&w, &q, "again.test");
    while (!q.fetch->ask[0].left)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    q.fetch->failover_ms += 3600000;
    run_until(&w, &w.server[0].requests, 2); /* on a second connection */
    assert_int_equal(q.fetch->sent, 2);
    server_hang_up(&w.server[0]);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(q.upstream, 1);
    assert_int_equal(q.sent, 3);
    assert_int_equal(w.server[0].requests, 2);
    assert_int_equal(status_of(&w).replays, 1);
    world_close(&w);
}

/* The same when meanwhile the upstream could not be reached, and was chosen anew. */
static void nor_is_it_replayed_when_chosen_again(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 1);
    world_start(&w);
    meet(&w);
    w.server[0].slams = true;
    w.server[0].behaviour.act = ACT_DROP;
    ask(&w, &q, "again.test");
    while (status_of(&w).failures == 0)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(q.fetch->sent, 1);
    w.server[0].slams = false;
    run_until(&w, &w.server[0].requests, 2);
    w.server[0].behaviour.act = ACT_ANSWER;
    server_hang_up(&w.server[0]);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK); /* at its last chance */
    assert_int_equal(q.sent, 3);
    assert_int_equal(status_of(&w).replays, 1);
    world_close(&w);
}

/* The first address takes the question early and hangs up, the second says nothing: it waits for a
 * connection again, and no longer than others do. */
static void what_comes_back_is_held(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    early_world(&w, 2);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(w.server[0].port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    struct doh_address two[2] = {w.address[0], {.sa.v4 = at}};
    int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(silent, 8), 0);
    w.upstream[0].addresses = two;
    w.upstream[0].address_count = 2;
    world_start(&w);
    meet(&w);
    w.server[0].slams = true;
    ask(&w, &q, "again.test");
    const struct doh_ask *ask = &q.fetch->ask[0];
    while (!ask->left || ask->conn)
        (void)uv_run(&w.loop, UV_RUN_ONCE);
    assert_true(ask->held);
    assert_true(q.fetch->failover_ms <= uv_now(&w.loop) + DOH_HOLD_MAX_MS);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(q.upstream, 1);
    (void)close(silent);
    world_close(&w);
}

/* Its answer would come back from somebody whose key is not pinned (any more): nothing is sent. The
 * same for another host. */
static void nothing_goes_to_somebody_else(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_ip, pinned, goes;
    } cases[] = {{SERVER_HOST, false, false, true},
                 {"127.0.0.1", true, false, true},
                 {"elsewhere.test", false, false, false},
                 {"127.0.0.9", true, false, false},
                 {SERVER_HOST, false, true, false}};
    struct world w;
    struct question q;
    early_world(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    SSL_SESSION *session = doh_shared_session(w.shared, 0);
    assert_non_null(session);
    struct doh_pin pin = {0};
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct doh_tls_peer peer = {cases[i].host, cases[i].is_ip, &pin, cases[i].pinned ? 1 : 0};
        struct doh_tls *tls = doh_tls_new(doh_shared_context(w.shared, 0), &peer, session);
        assert_non_null(tls);
        print_message("%s\n", cases[i].host);
        assert_int_equal(doh_tls_early_max(tls), cases[i].goes ? 8192 : 0);
        doh_tls_free(tls);
    }
    static const unsigned char other[] = "http/1.1", h2[] = "h2";
    for (unsigned i = 0; i < 2; i++) { /* it spoke something else */
        struct doh_tls_peer same = doh_shared_peer(w.shared, 0);
        assert_int_equal(SSL_SESSION_set1_alpn_selected(session, i ? h2 : other, i ? 2 : 8), 1);
        struct doh_tls *tls = doh_tls_new(doh_shared_context(w.shared, 0), &same, session);
        assert_int_equal(doh_tls_early_max(tls), i ? 8192 : 0);
        doh_tls_free(tls);
    }
    for (unsigned i = 0; i < 2; i++) { /* its certificate has ended, as far as the floor knows */
        struct doh_tls_peer same = doh_shared_peer(w.shared, 0);
        struct doh_tls *tls = doh_tls_new(doh_shared_context(w.shared, 0), &same, session);
        doh_tls_not_before(tls, i ? UINT64_C(4102444800) : 1); /* the year 2100 */
        assert_int_equal(doh_tls_early_max(tls), i ? 0 : 8192);
        doh_tls_free(tls);
    }
    (void)SSL_SESSION_set_time(session, (long)time(NULL) - 8 * 86400); /* its ticket has expired */
    struct doh_tls_peer peer = doh_shared_peer(w.shared, 0);
    struct doh_tls *tls = doh_tls_new(doh_shared_context(w.shared, 0), &peer, session);
    assert_int_equal(doh_tls_early_max(tls), 0);
    doh_tls_free(tls);
    SSL_SESSION_free(session);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_is_saved),
        cmocka_unit_test(only_get_goes_early),
        cmocka_unit_test(the_session_must_allow_it),
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(what_is_rejected_is_sent_again_once),
        cmocka_unit_test(too_early_is_asked_again_in_time),
        cmocka_unit_test(what_a_worker_learns_holds_for_all),
        cmocka_unit_test(a_handshake_without_end_loses_nothing),
        cmocka_unit_test(after_a_failed_handshake_none_is_sent),
        cmocka_unit_test(the_winner_of_a_race_gets_what_others_have),
        cmocka_unit_test(what_is_lost_on_the_way_is_learned),
        cmocka_unit_test(a_question_goes_early_once),
        cmocka_unit_test(what_went_early_is_sent_once_more),
        cmocka_unit_test(nor_is_it_replayed_when_chosen_again),
        cmocka_unit_test(what_comes_back_is_held),
        cmocka_unit_test(nothing_goes_to_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
