/* SPDX-License-Identifier: MIT */
/* A pool with up to two upstreams of doh_server.h on one loop, and questions asked of it. */
#ifndef TESTS_UNIT_DOH_WORLD_H
#define TESTS_UNIT_DOH_WORLD_H

#include "doh/pool.h"
#include "tests/unit/doh_server.h"

#define PATIENCE_MS 20000u /* a test that waits longer than this has failed */

struct world {
    uv_loop_t loop;
    uv_timer_t patience;
    bool impatient, pool_closed;
    struct authority ca;
    uint32_t count; /* servers */
    struct server server[2];
    struct doh_address address[2];
    char url[2][96];
    struct doh_upstream_config upstream[2];
    struct doh_config config;
    struct doh_shared *shared;
    struct doh_pool *pool;
    unsigned warnings, infos;
    char warning[512]; /* the last */
};

struct question {
    struct world *world;
    struct doh_fetch *fetch;
    unsigned done; /* calls */
    enum doh_err err;
    uint32_t len, age_s, upstream, sent;
};

static inline void on_world_event(void *arg, enum doh_event_level level, const char *text)
{
    struct world *w = arg;
    if (level == DOH_EVENT_INFO) {
        w->infos++;
        return;
    }
    w->warnings++;
    (void)snprintf(w->warning, sizeof w->warning, "%s", text);
}

static inline void on_impatient(uv_timer_t *timer)
{
    DOH_ITEM(timer, struct world, patience)->impatient = true;
}

static inline void world_init(struct world *w, uint32_t count)
{
    memset(w, 0, sizeof *w);
    w->count = count;
    w->ca = authority_new();
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->patience), 0);
    w->config = (struct doh_config){.upstreams = w->upstream,
                                    .upstream_count = count,
                                    .connect_ms = 1000,
                                    .deadline_ms = 3000,
                                    .idle_ms = 10000};
    for (uint32_t i = 0; i < count; i++) {
        server_open(&w->server[i], &w->loop, &w->ca, SERVER_HOST, 5);
        (void)snprintf(w->url[i], sizeof w->url[i], "https://" SERVER_HOST ":%u/dns-query{?dns}",
                       w->server[i].port);
        w->address[i].sa.v4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        w->upstream[i] = (struct doh_upstream_config){.name = i == 0 ? "first" : "second",
                                                      .url = w->url[i],
                                                      .operator_ = i == 0 ? "one" : "two",
                                                      .addresses = &w->address[i],
                                                      .address_count = 1,
                                                      .ca_file = w->ca.file};
    }
}

/* Before the start: that server listens elsewhere. */
static inline void world_move(struct world *w, uint32_t i, const struct sockaddr *where)
{
    server_close(&w->server[i]);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT); /* its handles go */
    server_open_at(&w->server[i], &w->loop, &w->ca, SERVER_HOST, 5, where);
    (void)snprintf(w->url[i], sizeof w->url[i], "https://" SERVER_HOST ":%u/dns-query",
                   w->server[i].port);
}

static inline void world_start(struct world *w)
{
    struct doh_fault fault = {0};
    w->shared = doh_shared_new(&w->config, &fault);
    assert_string_equal(fault.text, "");
    w->pool = doh_pool_new(&w->loop, w->shared, on_world_event, w);
    assert_non_null(w->pool);
}

/* Until *counter has reached `want`. */
static inline void run_until(struct world *w, const unsigned *counter, unsigned want)
{
    assert_int_equal(uv_timer_start(&w->patience, on_impatient, PATIENCE_MS, 0), 0);
    while (*counter < want && !w->impatient)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    assert_false(w->impatient);
    assert_int_equal(uv_timer_stop(&w->patience), 0);
}

static inline void on_pause_over(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

/* Runs the loop for that long. */
static inline void pause_ms(struct world *w, uint64_t ms)
{
    bool over = false;
    uv_timer_t timer;
    assert_int_equal(uv_timer_init(&w->loop, &timer), 0);
    timer.data = &over;
    assert_int_equal(uv_timer_start(&timer, on_pause_over, ms, 0), 0);
    while (!over)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

static inline void on_world_closed(void *arg)
{
    ((struct world *)arg)->pool_closed = true;
}

static inline void on_walk(uv_handle_t *handle, void *arg)
{
    (void)handle;
    ++*(unsigned *)arg;
}

static inline void world_close(struct world *w)
{
    unsigned left = 0;
    doh_pool_close(w->pool, on_world_closed, w);
    assert_int_equal(uv_timer_start(&w->patience, on_impatient, PATIENCE_MS, 0), 0);
    while (!w->pool_closed && !w->impatient)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
    assert_false(w->impatient);
    for (uint32_t i = 0; i < w->count; i++)
        server_close(&w->server[i]);
    uv_close((uv_handle_t *)&w->patience, NULL);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_walk(&w->loop, on_walk, &left);
    assert_int_equal(left, 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    doh_shared_free(w->shared);
    authority_free(&w->ca);
}

static inline void on_done(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    struct question *q = arg;
    q->done++;
    q->fetch = NULL;
    q->err = err;
    assert_int_equal(err == DOH_OK, answer != NULL);
    if (!answer)
        return;
    assert_non_null(answer->wire);
    q->len = answer->len;
    q->age_s = answer->age_s;
    q->upstream = answer->upstream;
    q->sent = answer->sent;
}

static inline struct dns_question question_for(const char *name)
{
    struct dns_question question = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse(name, &question.name), DNS_OK);
    return question;
}

/* With what `how` says but question and wire; a deadline of 0 is the usual one. */
static inline void ask_how(struct world *w, struct question *q, const char *name,
                           struct doh_request how, doh_done_fn *done)
{
    uint8_t wire[512];
    struct dns_question question = question_for(name);
    struct dns_opt_out opt = {.udp_size = 4096, .dnssec_ok = true};
    *q = (struct question){.world = w, .upstream = 99};
    how.question = &question;
    how.wire = wire;
    how.len = dns_query_write(wire, sizeof wire, 0, &question, DNS_FLAG_CD, &opt);
    if (how.deadline_ms == 0)
        how.deadline_ms = 4500;
    q->fetch = doh_fetch_start(w->pool, &how, done, q);
    assert_non_null(q->fetch);
    assert_int_equal(q->done, 0); /* never before _start has returned */
}

static inline void ask(struct world *w, struct question *q, const char *name)
{
    ask_how(w, q, name, (struct doh_request){.route = DOH_ROUTE_DEFAULT}, on_done);
}

static inline void ask_and_wait(struct world *w, struct question *q, const char *name)
{
    ask(w, q, name);
    run_until(w, &q->done, 1);
}

/* `count` at once, and all are answered. */
static inline void ask_well(struct world *w, struct question *q, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        ask(w, &q[i], name);
    for (unsigned i = 0; i < count; i++) {
        run_until(w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
}

/* Of the first upstream. */
static inline struct doh_upstream_status status_of(const struct world *w)
{
    struct doh_upstream_status status[DOH_UPSTREAMS_MAX];
    assert_true(doh_pool_status(w->pool, status, DOH_UPSTREAMS_MAX) > 0);
    return status[0];
}

/* The first server's connections end, and the pool has seen it. */
static inline void hang_up_and_see(struct world *w)
{
    server_hang_up(&w->server[0]);
    while (status_of(w).connected)
        (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

#endif
