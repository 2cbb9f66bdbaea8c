// SPDX-License-Identifier: MIT
/* How many round trips the first answer takes, counted, not timed: a relay between pool and server
 * counts how often the direction changes. TCP's own handshake, which it cannot see, is one more. */
#include "tests/unit/doh_world.h"

struct relay {
    uv_tcp_t listener;
    uv_loop_t *loop;
    uint16_t port, server_port;
    unsigned flights; /* of the last connection: octets from the client after octets from the
                       * server, or the first */
    bool answering;   /* the last octets came from the server */
    unsigned taken;   /* flights until the first answer */
};

struct leg {
    uv_tcp_t tcp;
    struct leg *other;
    struct relay *relay;
    bool from_server;
    uv_connect_t connect;
    char buf[65536];
};

static void on_leg_closed(uv_handle_t *handle)
{
    struct leg *leg = DOH_ITEM(handle, struct leg, tcp);
    if (leg->other)
        leg->other->other = NULL;
    free(leg);
}

static void close_both(struct leg *leg)
{
    if (leg->other && !uv_is_closing((uv_handle_t *)&leg->other->tcp))
        uv_close((uv_handle_t *)&leg->other->tcp, on_leg_closed);
    if (!uv_is_closing((uv_handle_t *)&leg->tcp))
        uv_close((uv_handle_t *)&leg->tcp, on_leg_closed);
}

static void on_leg_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct leg *leg = DOH_ITEM(handle, struct leg, tcp);
    *buf = uv_buf_init(leg->buf, sizeof leg->buf);
}

static void on_leg_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct leg *leg = DOH_ITEM(stream, struct leg, tcp);
    struct relay *relay = leg->relay;
    if (n < 0 || !leg->other) {
        close_both(leg);
        return;
    }
    if (!leg->from_server && relay->answering)
        relay->flights++;
    relay->answering = leg->from_server;
    uv_buf_t out = uv_buf_init(buf->base, (unsigned)n);
    assert_int_equal(uv_try_write((uv_stream_t *)&leg->other->tcp, &out, 1), n);
}

static void on_far_connected(uv_connect_t *connect, int status)
{
    struct leg *far = DOH_ITEM(connect, struct leg, connect);
    assert_int_equal(status, 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(
            uv_read_start((uv_stream_t *)&(i ? far : far->other)->tcp, on_leg_alloc, on_leg_read),
            0);
}

static void on_near(uv_stream_t *listener, int status)
{
    struct relay *relay = DOH_ITEM(listener, struct relay, listener);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(relay->server_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(status, 0);
    struct leg *near = calloc(1, sizeof *near), *far = calloc(1, sizeof *far);
    *near = (struct leg){.other = far, .relay = relay};
    *far = (struct leg){.other = near, .relay = relay, .from_server = true};
    relay->flights = 0;
    relay->answering = true;
    assert_int_equal(uv_tcp_init(relay->loop, &near->tcp), 0);
    assert_int_equal(uv_tcp_init(relay->loop, &far->tcp), 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&near->tcp), 0);
    assert_int_equal(
        uv_tcp_connect(&far->connect, &far->tcp, (struct sockaddr *)&to, on_far_connected), 0);
}

static struct relay relay;

/* The world's server is reached through it from now on. */
static void relay_open(struct world *w)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int len = sizeof at;
    relay = (struct relay){.loop = &w->loop, .server_port = w->server[0].port};
    assert_int_equal(uv_tcp_init(&w->loop, &relay.listener), 0);
    assert_int_equal(uv_tcp_bind(&relay.listener, (struct sockaddr *)&at, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&relay.listener, 8, on_near), 0);
    assert_int_equal(uv_tcp_getsockname(&relay.listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(w->url[0], sizeof w->url[0], "https://" SERVER_HOST ":%u/dns-query{?dns}",
                   ntohs(at.sin_port));
}

static void on_counted(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    if (relay.taken == 0) /* what is sent later is no matter of the answer */
        relay.taken = relay.flights;
    on_done(arg, err, answer);
}

/* Flights until the first of several questions is answered. */
static unsigned first_answer(struct world *w)
{
    static struct question q[10];
    relay.taken = 0;
    for (unsigned i = 0; i < COUNT(q); i++)
        ask_how(w, &q[i], "example.test", (struct doh_request){.route = DOH_ROUTE_DEFAULT},
                on_counted);
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
    assert_int_equal(w->server[0].batches, 1); /* all of them in one */
    return relay.taken;
}

static void round_trips_of_the_first_answer(void **state)
{
    (void)state;
    for (unsigned early = 0; early < 2; early++) {
        struct world w;
        world_init(&w, 1);
        relay_open(&w);
        w.config.early_data = early;
        w.upstream[0].get = early;
        if (early)
            server_allow_early(&w.server[0], 16384);
        world_start(&w);
        assert_int_equal(first_answer(&w), 2); /* ClientHello; Finished with the questions */
        hang_up_and_see(&w);
        w.server[0].batches = 0;
        assert_int_equal(first_answer(&w), early ? 1 : 2);
        assert_int_equal(status_of(&w).resumed, 1);
        assert_int_equal(status_of(&w).early, early);
        uv_close((uv_handle_t *)&relay.listener, NULL);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_of_the_first_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
