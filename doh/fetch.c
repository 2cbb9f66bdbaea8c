// SPDX-License-Identifier: MIT
#include "doh/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FAILOVER_MS 1200u /* then another upstream is asked too; the first answer wins */
#define ROUND_MS 200u     /* all have failed: pause before they are tried again */
#define ASKINGS 2u        /* at one time */
#define WIRE_MAX 1024u

/*           answer    upstream failed           timer               cancel
 * ASKING    finish    ask another, or WAITING   ask another, finish finish, silent
 * WAITING   -         -                         ASKING, finish      finish, silent
 * PLAIN     finish    finish                    finish              finish, silent
 * CLOSING   -         -                         -                   -               */
enum fetch_state { FETCH_ASKING, FETCH_WAITING, FETCH_PLAIN, FETCH_CLOSING };

struct doh_fetch {
    uv_timer_t timer;
    struct doh_pool *pool;
    struct doh_fetch *next, *prev;
    enum fetch_state state;
    struct dns_question question;
    uint32_t route, avoid, only;
    bool speculative, fresh;
    uint64_t deadline_ms; /* loop time */
    uint32_t tried;       /* upstreams, this round */
    uint32_t sent;
    enum doh_err last_err;
    struct doh_asking asking[ASKINGS];
    struct doh_resolve_query *plain;
    doh_done_fn *done;
    void *arg;
    uint32_t len;
    uint8_t wire[WIRE_MAX];
};

/* --- end ------------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct doh_fetch *f = handle->data;
    struct doh_pool *pool = f->pool;
    for (unsigned i = 0; i < ASKINGS; i++)
        doh_exchange_deinit(&f->asking[i].exchange);
    free(f);
    pool->handles--;
    doh_pool_release(pool);
}

/* Every way out leads here, once. */
static void finish(struct doh_fetch *f, enum doh_err err, const struct doh_answer *answer)
{
    if (f->state == FETCH_CLOSING)
        return;
    f->state = FETCH_CLOSING;
    for (unsigned i = 0; i < ASKINGS; i++)
        if (f->asking[i].state != ASKING_IDLE)
            doh_upstream_forget(f->asking[i].upstream, &f->asking[i]);
    if (f->plain)
        doh_resolve_cancel(f->plain);
    if (f->prev)
        f->prev->next = f->next;
    else
        f->pool->first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    f->pool->fetch_count--;
    uv_close((uv_handle_t *)&f->timer, on_timer_closed); /* frees f, in a later turn */
    doh_done_fn *done = f->done;
    f->done = NULL;
    if (done)
        done(f->arg, err, answer); /* last: the owner may do anything in here */
}

void doh_fetch_cancel(struct doh_fetch *fetch)
{
    fetch->done = NULL;
    finish(fetch, DOH_E_CANCELLED, NULL);
}

void doh_fetch_cancel_all(struct doh_pool *pool)
{
    while (pool->first)
        finish(pool->first, DOH_E_CANCELLED, NULL);
}

/* --- choice ---------------------------------------------------------------------------------- */

/* The set with every upstream of the same operators. */
static uint32_t with_operators(const struct doh_pool *pool, uint32_t set)
{
    uint32_t wide = set;
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        for (uint32_t j = 0; j < pool->upstream_count; j++)
            if ((set & 1u << i) && !strcasecmp(pool->upstream[i].config->operator_,
                                               pool->upstream[j].config->operator_))
                wide |= 1u << j;
    return wide;
}

static struct doh_upstream *first_of(const struct doh_pool *pool, uint32_t set, bool healthy)
{
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        if ((set & 1u << i) && (!healthy || doh_upstream_healthy(&pool->upstream[i])))
            return &pool->upstream[i];
    return NULL;
}

/* In order of the configuration: healthy and not avoided, healthy, then any. */
static struct doh_upstream *choose(const struct doh_fetch *f)
{
    const struct doh_pool *pool = f->pool;
    uint32_t all = pool->upstream_count < 32 ? (1u << pool->upstream_count) - 1u : UINT32_MAX;
    uint32_t left = (f->only ? f->only & all : all) & ~f->tried;
    uint32_t wanted = left & ~with_operators(pool, f->avoid);
    struct doh_upstream *up = first_of(pool, wanted, true);
    up = up ? up : first_of(pool, left, true);
    up = up ? up : first_of(pool, wanted, false);
    return up ? up : first_of(pool, left, false);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void arm(struct doh_fetch *f, uint64_t in_ms)
{
    uint64_t now_ms = uv_now(f->pool->loop);
    uint64_t left_ms = f->deadline_ms > now_ms ? f->deadline_ms - now_ms : 0;
    (void)uv_timer_start(&f->timer, on_timer, in_ms < left_ms ? in_ms : left_ms, 0);
}

static unsigned under_way(const struct doh_fetch *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ASKINGS; i++)
        n += f->asking[i].state != ASKING_IDLE;
    return n;
}

/* False: there is no further upstream, or enough are being asked. */
static bool ask_next(struct doh_fetch *f)
{
    struct doh_asking *a = NULL;
    for (unsigned i = 0; i < ASKINGS; i++)
        if (f->asking[i].state == ASKING_IDLE)
            a = &f->asking[i];
    struct doh_upstream *up = a ? choose(f) : NULL;
    if (!up)
        return false;
    f->tried |= 1u << up->index;
    f->state = FETCH_ASKING;
    a->replays = 0;
    a->speculative = f->speculative;
    a->fresh = f->fresh;
    a->owner = f;
    a->exchange.stream = 0; /* not sent yet */
    a->exchange.query = f->wire;
    a->exchange.query_len = f->len;
    f->sent++;
    doh_upstream_ask(up, a);
    return true;
}

/* This upstream did not do: another one, a pause, or the end. */
static void try_on(struct doh_fetch *f, enum doh_err err)
{
    f->last_err = err;
    if (ask_next(f) || under_way(f) > 0)
        return;
    if (err == DOH_E_UNREACHABLE || err == DOH_E_TLS) { /* connections come and go: once more */
        f->state = FETCH_WAITING;
        f->tried = 0;
        arm(f, ROUND_MS);
        return;
    }
    finish(f, err, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct doh_fetch *f = timer->data;
    if (uv_now(timer->loop) >= f->deadline_ms) {
        finish(f, f->last_err != DOH_OK ? f->last_err : DOH_E_TIMEOUT, NULL);
        return;
    }
    (void)ask_next(f); /* WAITING: begin again. ASKING: it takes long, ask another too */
    arm(f, FAILOVER_MS);
}

/* Whether it is an answer to the question, and a whole one. */
static bool acceptable(const struct doh_fetch *f, const uint8_t *body, uint32_t len)
{
    static const uint16_t want_id = 0; /* RFC 8484 4.1 */
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    struct dns_msg msg;
    bool ok = table && dns_msg_read(body, len, table, DNS_RR_MAX, &msg) == DNS_OK &&
              msg.id == want_id && dns_msg_answers(&msg, &f->question) &&
              !(msg.flags & DNS_FLAG_TC);
    free(table);
    return ok;
}

static void answered(struct doh_fetch *f, struct doh_asking *a)
{
    struct doh_upstream *up = a->upstream;
    const struct doh_exchange *x = &a->exchange;
    bool flipped = up->method_flipped;
    if (doh_response_meaning(&x->response) != DOH_MEANS_ANSWER) {
        doh_upstream_failed(up, &x->response, NULL);
        if (up->method_flipped != flipped ||
            doh_response_meaning(&x->response) == DOH_MEANS_AGAIN) {
            if (a->replays++ == 0) {
                doh_upstream_ask(up, a);
                return;
            }
        }
        try_on(f, DOH_E_HTTP);
        return;
    }
    if (!acceptable(f, x->body, x->body_len)) {
        up->status.mismatches++;
        doh_upstream_failed(up, NULL, doh_err_text(DOH_E_GARBAGE));
        try_on(f, DOH_E_GARBAGE);
        return;
    }
    doh_upstream_answered(up, uv_now(f->pool->loop) - a->started_ms);
    const struct doh_answer answer = {.wire = x->body,
                                      .len = x->body_len,
                                      .age_s = x->response.age_s,
                                      .upstream = up->index,
                                      .sent = f->sent};
    finish(f, DOH_OK, &answer);
}

/* DNS questions are idempotent: what a connection left unanswered is asked once more there. */
static bool replay(struct doh_asking *a)
{
    if (a->replays >= 1 || a->exchange.stream == 0)
        return false; /* a stream of 0: it never left */
    a->replays++;
    a->exchange.stream = 0;
    a->upstream->status.replays++;
    doh_upstream_ask(a->upstream, a);
    return true;
}

void doh_fetch_asking_done(void *arg, struct doh_asking *a, enum doh_h2_end end)
{
    struct doh_fetch *f = a->owner;
    (void)arg;
    switch (end) {
    case DOH_H2_ANSWERED: answered(f, a); return;
    case DOH_H2_REFUSED:
    case DOH_H2_LOST:
        if (!replay(a))
            try_on(f, DOH_E_UNREACHABLE);
        return;
    case DOH_H2_RESET:
        doh_upstream_failed(a->upstream, NULL, "it gave a question up (RST_STREAM)");
        try_on(f, DOH_E_HTTP);
        return;
    case DOH_H2_TOO_LARGE:
        doh_upstream_failed(a->upstream, NULL, "its answer is larger than 65535 octets");
        try_on(f, DOH_E_GARBAGE);
        return;
    }
}

/* --- plain routes ---------------------------------------------------------------------------- */

static void on_plain(void *arg, const uint8_t *wire, uint32_t len)
{
    struct doh_fetch *f = arg;
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    struct dns_msg msg;
    f->plain = NULL;
    bool ok = wire && table && dns_msg_read(wire, len, table, DNS_RR_MAX, &msg) == DNS_OK &&
              dns_msg_answers(&msg, &f->question) && !(msg.flags & DNS_FLAG_TC);
    free(table);
    const struct doh_answer answer = {
        .wire = wire, .len = len, .upstream = DOH_ROUTE_DEFAULT, .sent = 1};
    finish(f, ok ? DOH_OK : wire ? DOH_E_GARBAGE : DOH_E_TIMEOUT, ok ? &answer : NULL);
}

static bool ask_plain(struct doh_fetch *f)
{
    struct doh_pool *pool = f->pool;
    const struct doh_route_config *route = &pool->shared->config->routes[f->route];
    f->state = FETCH_PLAIN;
    if (!pool->route[f->route])
        pool->route[f->route] = doh_resolve_new(pool->loop, route->servers, route->server_count);
    if (pool->route[f->route])
        f->plain = doh_resolve_ask(pool->route[f->route], f->wire, f->len, on_plain, f);
    return f->plain != NULL;
}

/* --- begin ----------------------------------------------------------------------------------- */

struct doh_fetch *doh_fetch_start(struct doh_pool *pool, const struct doh_request *request,
                                  doh_done_fn *done, void *arg)
{
    bool plain = request->route != DOH_ROUTE_DEFAULT;
    if (pool->closing || pool->fetch_count >= DOH_WAITING_MAX || request->len > WIRE_MAX ||
        (plain && request->route >= pool->shared->config->route_count))
        return NULL;
    struct doh_fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->pool = pool;
    f->question = *request->question;
    f->route = request->route;
    f->avoid = request->avoid;
    f->only = request->only;
    f->speculative = request->speculative;
    f->fresh = request->fresh;
    f->deadline_ms = uv_now(pool->loop) + request->deadline_ms;
    f->done = done;
    f->arg = arg;
    f->len = request->len;
    memcpy(f->wire, request->wire, request->len);
    if (plain ? !ask_plain(f) : !ask_next(f)) {
        free(f);
        return NULL;
    }
    (void)uv_timer_init(pool->loop, &f->timer); /* cannot fail */
    f->timer.data = f;
    pool->handles++;
    f->next = pool->first;
    if (f->next)
        f->next->prev = f;
    pool->first = f;
    pool->fetch_count++;
    arm(f, plain ? UINT32_MAX : FAILOVER_MS);
    return f;
}
