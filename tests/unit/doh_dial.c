// SPDX-License-Identifier: MIT
/* Addresses, and upstreams that come and go. */
#include "doh/address.h"
#include "doh/dial_slots.h"
#include "doh/order.h"
#include "doh/parts.h"
#include "tests/unit/doh_world.h"

#include <fcntl.h>

/* --- the order ------------------------------------------------------------------------------- */

/* One letter an address: small v4, capital v6. */
static struct doh_address address_of(char letter)
{
    struct doh_address a = {0};
    if (letter >= 'a') {
        a.sa.v4.sin_family = AF_INET;
        a.sa.v4.sin_addr.s_addr = htonl((uint32_t)letter);
    } else {
        a.sa.v6.sin6_family = AF_INET6;
        a.sa.v6.sin6_addr.s6_addr[15] = (uint8_t)letter;
    }
    return a;
}

static void families_alternate(void **state)
{
    (void)state;
    static const struct {
        const char *known, *want;
        uint32_t fresh;
        char winner;
        const char *resting;
    } cases[] = {
        {"", "", 0, 0, ""},           {"a", "a", 0, 0, ""},
        {"abc", "abc", 0, 0, ""},     {"abAB", "aAbB", 0, 0, ""},
        {"ABab", "AaBb", 0, 0, ""},   {"ABCa", "AaBC", 0, 0, ""},
        {"abAB", "BaAb", 0, 'B', ""}, {"abAB", "bAaB", 0, 'b', ""},
        {"abAB", "aAbB", 0, 'z', ""}, /* it is gone */
        {"abcA", "cAab", 2, 0, ""},   /* looked up last: before those of the configuration */
        {"Aab", "abA", 0, 0, "A"},    /* failed lately: last */
        {"ABab", "BbAa", 0, 0, "Aa"}, {"abAB", "aAbB", 0, 'B', "abAB"},
        {"abc", "cab", 0, 'a', "ab"},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s %c\n", cases[i].known, cases[i].winner ? cases[i].winner : '-');
        struct doh_address known[4], winner = address_of(cases[i].winner);
        uint32_t count = (uint32_t)strlen(cases[i].known), order[4];
        struct doh_preference prefer = {.fresh = cases[i].fresh,
                                        .winner = cases[i].winner ? &winner : NULL};
        char got[5] = "";
        for (uint32_t n = 0; n < count; n++)
            known[n] = address_of(cases[i].known[n]);
        for (const char *c = cases[i].resting; *c; c++)
            prefer.resting |= UINT32_C(1) << (strchr(cases[i].known, *c) - cases[i].known);
        doh_order(known, count, &prefer, order);
        for (uint32_t n = 0; n < count; n++)
            got[n] = cases[i].known[order[n]];
        assert_string_equal(got, cases[i].want);
    }
}

/* --- black holes ----------------------------------------------------------------------------- */

static int silent_listener(uint16_t port, uint32_t last_octet)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(0x7f000000 + last_octet)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Both IPv4 addresses are black holes, and IPv6 works: it is the second to be tried. Afterwards it
 * is the first. */
static void the_other_family_costs_a_quarter_second(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address addresses[3] = {0};
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    world_init(&w, 1);
    world_move(&w, 0, (struct sockaddr *)&at);
    int fd[2] = {silent_listener(w.server[0].port, 2), silent_listener(w.server[0].port, 3)};
    for (uint32_t i = 0; i < 2; i++) {
        addresses[i].sa.v4.sin_family = AF_INET;
        addresses[i].sa.v4.sin_addr.s_addr = htonl(0x7f000002 + i);
    }
    addresses[2].sa.v6 = at;
    w.upstream[0].addresses = addresses;
    w.upstream[0].address_count = 3;
    world_start(&w);
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    uint64_t ms = (uv_hrtime() - begin) / 1000000;
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(ms, 245, 480);
    server_hang_up(&w.server[0]);
    begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_true((uv_hrtime() - begin) / 1000000 < 240);
    (void)close(fd[0]);
    (void)close(fd[1]);
    world_close(&w);
}

/* How many connections came since the last call. */
static unsigned accepted(int fd)
{
    unsigned count = 0;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (int peer; (peer = accept(fd, NULL, NULL)) >= 0; count++)
        (void)close(peer);
    return count;
}

static void reconnect(struct world *w)
{
    struct question q;
    server_hang_up(&w->server[0]);
    w->pool->upstreams[0].dial.winner_until_ms = 0; /* as if ten minutes had gone by */
    ask_and_wait(w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
}

/* The first address is a black hole, the second refuses, the third is well. The dead ones are not
 * dialled at each reconnect, but they are when their back-off is over or the network another. */
static void dead_addresses_go_last_for_a_while(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address addresses[3] = {0};
    world_init(&w, 1);
    int hole = silent_listener(w.server[0].port, 2);
    static const uint32_t last_octet[] = {2, 3, 1};
    for (uint32_t i = 0; i < 3; i++) {
        addresses[i].sa.v4.sin_family = AF_INET;
        addresses[i].sa.v4.sin_addr.s_addr = htonl(0x7f000000 + last_octet[i]);
    }
    w.upstream[0].addresses = addresses;
    w.upstream[0].address_count = 3;
    w.config.connect_ms = 60000; /* it is overtaken, not timed out */
    world_start(&w);
    struct doh_dial *d = &w.pool->upstreams[0].dial;
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(accepted(hole), 1);
    assert_true(d->rest[0].length_ms > 0);
    assert_true(d->rest[1].length_ms > 0);
    assert_int_equal(d->rest[2].length_ms, 0);
    uint32_t first_ms = d->rest[0].length_ms;
    for (unsigned i = 0; i < 3; i++)
        reconnect(&w);
    assert_int_equal(accepted(hole), 0);
    d->rest[0].until_ms = 0;
    reconnect(&w);
    assert_int_equal(accepted(hole), 1);
    assert_int_equal(d->rest[0].length_ms, 2 * first_ms);
    doh_network_changed(&w.pool->network, false);
    assert_int_equal(d->rest[0].length_ms, 0);
    reconnect(&w);
    assert_int_equal(accepted(hole), 1);
    (void)close(hole);
    world_close(&w);
}

static unsigned young(const struct doh_pool *pool)
{
    unsigned count = 0;
    for (uint32_t u = 0; u < pool->upstream_count; u++)
        for (struct doh_list *i = pool->upstreams[u].conns.next; i != &pool->upstreams[u].conns;
             i = i->next) {
            const struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
            count += conn->state < DOH_CONN_OPEN &&
                     uv_now(pool->loop) - conn->started_ms < DOH_STAGGER_MS;
        }
    return count;
}

/* Ten upstreams are dialled at once, and none of them says anything. Four begin, the others stand
 * in line; all have their turn, in the order in which they came. */
static void few_connections_begin_at_one_time(void **state)
{
    (void)state;
    struct question q[10];
    struct world w;
    struct doh_upstream_config many[10];
    uint64_t last_ms = 0;
    world_init(&w, 1);
    w.server[0].hangs = true;
    for (unsigned i = 0; i < COUNT(many); i++)
        many[i] = w.upstream[0];
    w.config.upstreams = many;
    w.config.upstream_count = COUNT(many);
    w.config.connect_ms = 60000;
    world_start(&w);
    for (unsigned i = 0; i < COUNT(many); i++)
        ask_how(&w, &q[i], "example.test",
                (struct doh_request){.route = DOH_ROUTE_DEFAULT, .only = 1u << i}, on_done);
    while (w.server[0].connections < COUNT(many)) {
        (void)uv_run(&w.loop, UV_RUN_ONCE);
        assert_true(young(w.pool) <= DOH_DIAL_SLOTS);
    }
    for (unsigned i = 0; i < COUNT(many); i++) {
        const struct doh_conn *conn =
            DOH_ITEM(w.pool->upstreams[i].conns.next, struct doh_conn, link);
        assert_true(conn->started_ms >= last_ms);
        last_ms = conn->started_ms;
    }
    assert_true(doh_list_empty(&w.pool->dialling));
    world_close(&w);
}

static void who_came_first_is_served_first(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    world_start(&w);
    struct doh_upstream *first = &w.pool->upstreams[0], *second = &w.pool->upstreams[1];
    doh_list_append(&w.pool->dialling, &first->dial.line); /* there was no room */
    assert_false(doh_dial_slot(second));
    assert_false(doh_dial_slot(second)); /* it stands there once */
    assert_true(doh_dial_slot(first));
    assert_true(doh_dial_slot(second));
    assert_true(doh_list_empty(&w.pool->dialling));
    world_close(&w);
}

/* The first upstream hangs: neither its connection nor new ones say anything. Questions notice
 * once; those that come later do not, and it is found again when it is back. */
static void who_hangs_is_left_alone(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    world_start(&w);
    for (unsigned i = 0; i < 20; i++)
        ask_and_wait(&w, &q, "example.test");
    struct server *hung = &w.server[0];
    hung->hangs = true;
    struct peer *p = DOH_ITEM(hung->peers.next, struct peer, link);
    assert_int_equal(uv_read_stop((uv_stream_t *)&p->tcp), 0);
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 1);
    assert_true((uv_hrtime() - begin) / 1000000 < 900);
    pause_ms(&w, 300); /* by now it is under suspicion in any case */
    for (begin = uv_hrtime(); (uv_hrtime() - begin) / 1000000 < 2500;) {
        uint64_t asked = uv_hrtime();
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.upstream, 1);
        assert_true((uv_hrtime() - asked) / 1000000 < 390); /* below any failing over */
        pause_ms(&w, 10);
    }
    hung->hangs = false;
    for (begin = uv_hrtime(); q.upstream != 0;) {
        ask_and_wait(&w, &q, "example.test");
        pause_ms(&w, 10);
        assert_true((uv_hrtime() - begin) / 1000000 < 8000);
    }
    world_close(&w);
}

/* --- what is lost on the way ----------------------------------------------------------------- */

/* A middlebox has taken the first words and forgotten them: another connection begins beside the
 * first. */
static void a_lost_hello_is_not_waited_for(void **state)
{
    (void)state;
    for (unsigned lost = 1; lost <= 3; lost++) {
        struct question q;
        struct world w;
        world_init(&w, 1);
        w.config.connect_ms = 2000;
        w.server[0].swallowed = lost;
        world_start(&w);
        uint64_t begin_ms = doh_now(w.pool);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_in_range(doh_now(w.pool) - begin_ms, lost * 500, 1990); /* in the same race */
        assert_int_equal(w.server[0].connections, lost + 1);
        assert_int_equal(w.warnings, 0);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(w.server[0].connections, lost + 1); /* the others are gone */
        assert_int_equal(w.pool->upstreams[0].dial.rest[0].length_ms, 0);
        world_close(&w);
    }
}

/* Where nobody answers it is the same race, no longer, and a few connections. */
static void who_never_answers_is_dialled_no_longer(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.config.connect_ms = 2000;
    w.server[0].hangs = true;
    world_start(&w);
    uint64_t begin_ms = doh_now(w.pool);
    ask(&w, &q, "example.test");
    run_until(&w, &w.warnings, 1);
    assert_in_range(doh_now(w.pool) - begin_ms, 2000, 2400);
    assert_int_equal(w.server[0].connections, 4); /* after 0, 0.5, 1, 1.5 s */
    assert_non_null(strstr(w.warning, "within 2000 ms"));
    run_until(&w, &q.done, 1);
    world_close(&w);
}

/* Servers 0 and 1 are two addresses of one upstream. */
static void two_addresses(struct world *w, struct doh_address address[2])
{
    world_init(w, 2);
    struct sockaddr_in second = {.sin_family = AF_INET,
                                 .sin_port = htons(w->server[0].port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    world_move(w, 1, (const struct sockaddr *)&second);
    address[0] = w->address[0];
    address[1].sa.v4 = second;
    w->config.upstream_count = 1;
    w->config.connect_ms = 2000;
    w->upstream[0].addresses = address;
    w->upstream[0].address_count = 2;
}

static void silent_addresses_take_turns(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address address[2] = {0};
    two_addresses(&w, address);
    w.server[0].hangs = true;
    w.server[1].swallowed = 1;
    world_start(&w);
    w.pool->upstreams[0].dial.turn = 1; /* of an earlier race */
    uint64_t begin_ms = doh_now(w.pool);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(w.pool) - begin_ms, 1240, 1990); /* 0, 250, 750, 1250 */
    assert_int_equal(w.server[0].connections, 2);
    assert_int_equal(w.server[1].connections, 2);
    world_close(&w);
}

/* As without IPv6: it is the last in the order, and connect() itself fails. */
static void an_address_that_cannot_be_dialled_holds_up_nothing(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address address[2] = {0};
    two_addresses(&w, address);
    address[1].sa.v4.sin_addr.s_addr = INADDR_BROADCAST;
    w.server[0].swallowed = 1;
    world_start(&w);
    uint64_t begin_ms = doh_now(w.pool);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(w.pool) - begin_ms, 500, 1500);
    world_close(&w);
}

static void who_has_said_no_is_not_asked_again(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address address[2] = {0};
    two_addresses(&w, address);
    w.server[0].hangs = true;
    w.server[1].slams = true;
    world_start(&w);
    uint64_t begin_ms = doh_now(w.pool);
    ask(&w, &q, "example.test");
    run_until(&w, &w.warnings, 1);
    assert_int_equal(w.server[1].connections, 1);
    assert_in_range(doh_now(w.pool) - begin_ms, 2000, 2200); /* the first one's time */
    world_close(&w);
}

static unsigned connections_of_a_race(uint32_t connect_ms, uint32_t srtt_us)
{
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.config.connect_ms = connect_ms;
    w.server[0].hangs = true;
    world_start(&w);
    w.pool->upstreams[0].health.srtt_us = srtt_us;
    ask(&w, &q, "example.test");
    run_until(&w, &w.warnings, 1);
    unsigned count = w.server[0].connections;
    world_close(&w);
    return count;
}

static void black_holes_are_not_flooded(void **state)
{
    (void)state;
    assert_int_equal(connections_of_a_race(1200, 0), 2);      /* the next would have 200 ms */
    assert_int_equal(connections_of_a_race(2000, 400000), 2); /* who is far has more time */
    assert_int_equal(connections_of_a_race(3500, 0), 4);      /* three more, and no more */
}

/* However many an upstream has, in whatever state: a second try does not go beyond the bound. */
static void second_tries_are_counted_with_all_others(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    char reason[DOH_REASON_MAX];
    world_init(&w, 1);
    w.config.connect_ms = 3000;
    w.server[0].hangs = true;
    world_start(&w);
    struct doh_upstream *up = &w.pool->upstreams[0];
    uint64_t until_ms = doh_now(w.pool) + w.config.connect_ms;
    for (unsigned i = 0; i < 22; i++)
        assert_true(doh_conn_open(up, &up->dial.address[0], until_ms, false, reason));
    ask(&w, &q, "example.test");
    run_until(&w, &w.warnings, 1);
    assert_int_equal(w.server[0].connections, 24); /* the race's first, and one more */
    world_close(&w);
}

/* --- all of them are down -------------------------------------------------------------------- */

static void all_down_is_no_storm(void **state)
{
    (void)state;
    static struct question q[400];
    struct world w;
    world_init(&w, 2);
    w.server[0].slams = w.server[1].slams = true;
    world_start(&w);
    uint64_t begin = uv_hrtime();
    for (unsigned i = 0; i < COUNT(q); i++) {
        ask(&w, &q[i], "example.test");
        pause_ms(&w, 5);
    }
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_not_equal(q[i].err, DOH_OK);
    }
    uint64_t ticks = (uv_hrtime() - begin) / 1000000 / 250;
    for (unsigned i = 0; i < 2; i++)
        assert_in_range(w.server[i].connections, 4, ticks + 4); /* the first ones come sooner */
    assert_in_range(w.warnings, 2, 4);                          /* not one for each question */
    w.server[1].slams = false;
    begin = uv_hrtime();
    ask_and_wait(&w, &q[0], "example.test");
    assert_int_equal(q[0].err, DOH_OK);
    assert_true((uv_hrtime() - begin) / 1000000 < 1500);
    world_close(&w);
}

/* --- restarts -------------------------------------------------------------------------------- */

#define RATE_MS 1u
#define QUESTIONS_MAX 40000u

static struct question flood[QUESTIONS_MAX];

struct restarts {
    struct world w;
    uv_timer_t ask, restart;
    uint64_t begin_ns;
    unsigned asked, wanted, restarts, rounds;
    bool dying, stopped;
};

static void on_ask(uv_timer_t *timer)
{
    struct restarts *r = timer->data;
    uint64_t due = (uv_hrtime() - r->begin_ns) / 1000000 / RATE_MS; /* the timer may be late */
    while (!r->stopped && r->asked < due && r->asked < QUESTIONS_MAX)
        ask(&r->w, &flood[r->asked++], "example.test");
}

static void revive(struct server *s, struct world *w)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(uv_tcp_init(&w->loop, &s->tcp), 0);
    assert_int_equal(uv_tcp_bind(&s->tcp, (struct sockaddr *)&at, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->tcp, 64, on_server_connection), 0);
}

/* One after the other dies, and is back when the other dies. */
static void on_restart(uv_timer_t *timer)
{
    struct restarts *r = timer->data;
    struct server *down = &r->w.server[r->restarts % 2];
    if (!r->dying) {
        server_die(down);
        r->dying = true;
    }
    if (r->rounds++ % 2 == 0 || !down->dead)
        return;
    revive(down, &r->w);
    r->dying = false;
    r->stopped = ++r->restarts == r->wanted;
    if (r->stopped)
        (void)uv_timer_stop(timer);
}

/* 100 restarts with VERIDOH_RESTARTS=100; fewer in the everyday run. */
static void restarts_lose_nothing(void **state)
{
    (void)state;
    static struct restarts r;
    const char *wanted = getenv("VERIDOH_RESTARTS");
    memset(&r, 0, sizeof r);
    r.wanted = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 12;
    world_init(&r.w, 2);
    world_start(&r.w);
    assert_int_equal(uv_timer_init(&r.w.loop, &r.ask), 0);
    assert_int_equal(uv_timer_init(&r.w.loop, &r.restart), 0);
    r.ask.data = r.restart.data = &r;
    r.begin_ns = uv_hrtime();
    assert_int_equal(uv_timer_start(&r.ask, on_ask, 0, RATE_MS), 0);
    assert_int_equal(uv_timer_start(&r.restart, on_restart, 50, 50), 0);
    while (!r.stopped)
        (void)uv_run(&r.w.loop, UV_RUN_ONCE);
    unsigned lost = 0;
    for (unsigned i = 0; i < r.asked; i++) {
        run_until(&r.w, &flood[i].done, 1);
        lost += flood[i].err != DOH_OK;
    }
    uv_close((uv_handle_t *)&r.ask, NULL);
    uv_close((uv_handle_t *)&r.restart, NULL);
    print_message("%u questions, %u restarts, %u lost\n", r.asked, r.restarts, lost);
    assert_true(r.asked >= r.wanted * 90);
    assert_int_equal(lost, 0);
    world_close(&r.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_alternate),
        cmocka_unit_test(the_other_family_costs_a_quarter_second),
        cmocka_unit_test(dead_addresses_go_last_for_a_while),
        cmocka_unit_test(few_connections_begin_at_one_time),
        cmocka_unit_test(who_came_first_is_served_first),
        cmocka_unit_test(who_hangs_is_left_alone),
        cmocka_unit_test(a_lost_hello_is_not_waited_for),
        cmocka_unit_test(who_never_answers_is_dialled_no_longer),
        cmocka_unit_test(silent_addresses_take_turns),
        cmocka_unit_test(an_address_that_cannot_be_dialled_holds_up_nothing),
        cmocka_unit_test(who_has_said_no_is_not_asked_again),
        cmocka_unit_test(black_holes_are_not_flooded),
        cmocka_unit_test(second_tries_are_counted_with_all_others),
        cmocka_unit_test(all_down_is_no_storm),
        cmocka_unit_test(restarts_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
