// SPDX-License-Identifier: MIT
#include "doh/upstream.h"

#include "doh/address.h"
#include "doh/dial.h"
#include "doh/fetch.h"
#include "doh/shared.h"
#include "doh/spread.h"

#include <stdio.h>

#define HOLD_MS 60000u       /* after a status that says that the configuration is wrong */
#define SAME_EVENT_MS 60000u /* the same reason is not reported again that soon */
#define FRUITLESS_MAX 2u
#define EARLY_PAUSE_MS 600000u /* after early data that did harm */

void doh_upstream_init(struct doh_upstream *up, struct doh_pool *pool, uint32_t index)
{
    up->pool = pool;
    up->index = index;
    up->config = &pool->config->upstreams[index];
    up->url = doh_shared_url(pool->shared, index);
    up->identity = doh_spread_identity(up->config->url);
    up->get = up->config->get;
    up->stream_limit = DOH_STREAMS_UNTOLD;
    up->status.name = up->config->name ? up->config->name : up->url->host;
    doh_list_init(&up->waiting[0]);
    doh_list_init(&up->waiting[1]);
    doh_list_init(&up->conns);
    doh_dial_init(up);
}

void doh_upstream_close(struct doh_upstream *up)
{
    doh_dial_close(up);
    while (!doh_list_empty(&up->conns))
        doh_conn_close(DOH_ITEM(up->conns.next, struct doh_conn, link));
}

static bool has_good(const struct doh_upstream *up)
{
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        if (doh_conn_is_good(DOH_ITEM(i, struct doh_conn, link)))
            return true;
    return false;
}

void doh_upstream_warm(struct doh_upstream *up)
{
    if (!has_good(up))
        doh_dial_want(up);
}

bool doh_upstream_is_away(const struct doh_upstream *up)
{
    return up->away && !has_good(up);
}

void doh_upstream_probe(struct doh_upstream *up)
{
    uint64_t now = doh_now(up->pool);
    if (doh_upstream_is_away(up) && !doh_health_backing_off(&up->health, now) &&
        !doh_health_is_shut(&up->health, now))
        doh_dial_want(up);
}

/* Rounded down, so that a single lie shows. */
static uint32_t honesty(const struct doh_upstream_status *s)
{
    uint64_t all = s->answers + s->mismatches;
    uint64_t false_ones = s->stripped + s->bogus; /* which counted as answers first */
    uint64_t good = s->answers > false_ones ? s->answers - false_ones : 0;
    return all > 0 ? (uint32_t)(100 * good / all) : 100;
}

struct doh_upstream_status doh_upstream_status(const struct doh_upstream *up)
{
    struct doh_upstream_status status = up->status;
    status.connected = has_good(up);
    status.honesty = honesty(&status);
    status.p95_ms = up->health.latency.p95_ms;
    status.rtt_ms = (up->health.srtt_us + 999) / 1000;
    status.quarantine_ms = doh_health_quarantine_ms(&up->health, doh_now(up->pool));
    return status;
}

/* --- events -------------------------------------------------------------------------------- */

static void report(struct doh_upstream *up, enum doh_err err, const char *reason)
{
    uint64_t now = doh_now(up->pool);
    bool news =
        up->trouble != err && (up->reported != err || now - up->reported_ms >= SAME_EVENT_MS);
    (void)snprintf(up->status.last_error, sizeof up->status.last_error, "%s", reason);
    up->trouble = err;
    if (!news)
        return;
    up->reported = err;
    up->reported_ms = now;
    up->loud = true;
    if (doh_health_backing_off(&up->health, now))
        doh_pool_event(up->pool, DOH_EVENT_WARNING, "upstream %s: %s; next try in %llu ms",
                       up->status.name, reason, (unsigned long long)(up->health.retry_at_ms - now));
    else
        doh_pool_event(up->pool, DOH_EVENT_WARNING, "upstream %s: %s", up->status.name, reason);
}

static void report_good(struct doh_upstream *up)
{
    up->trouble = DOH_OK;
    up->status.last_error[0] = '\0';
    if (!up->loud)
        return;
    up->loud = false;
    doh_pool_event(up->pool, DOH_EVENT_INFO, "upstream %s answers again", up->status.name);
    doh_pool_news(up->pool);
}

/* --- asks ---------------------------------------------------------------------------------- */

static struct doh_list *queue_of(const struct doh_ask *ask)
{
    return &ask->upstream->waiting[ask->fetch->speculative ? 1 : 0];
}

void doh_upstream_ask(struct doh_upstream *up, struct doh_ask *ask, struct doh_fetch *fetch)
{
    *ask = (struct doh_ask){.fetch = fetch, .upstream = up};
    doh_list_init(&ask->link);
    doh_list_append(queue_of(ask), &ask->link);
    up->load++;
    doh_pool_busy(up->pool);
}

void doh_upstream_outrun(const struct doh_ask *ask)
{
    if (!ask->upstream || !ask->conn)
        return;
    uint64_t now = doh_now(ask->upstream->pool);
    doh_latency_add(&ask->upstream->health.latency, now, now - ask->sent_ms);
}

static void make_idle(struct doh_ask *ask)
{
    doh_list_remove(&ask->link);
    ask->upstream->load--;
    ask->upstream = NULL;
    ask->conn = NULL;
}

void doh_upstream_forget(struct doh_ask *ask)
{
    if (!ask->upstream)
        return;
    if (ask->conn)
        doh_conn_forget(ask->conn, ask);
    make_idle(ask);
}

static void fail(struct doh_ask *ask, enum doh_err err)
{
    struct doh_upstream *up = ask->upstream;
    up->status.failures++;
    bool sent = ask->left;
    make_idle(ask);
    doh_fetch_failed(ask, up->index, err, sent);
}

/* A question that got no answer for reasons that lie in the connection: it goes first on another
 * one, but only once; DNS questions are idempotent. */
static void replay(struct doh_ask *ask, enum doh_err err, const char *reason)
{
    struct doh_upstream *up = ask->upstream;
    if (ask->replayed) {
        report(up, err, reason);
        fail(ask, err);
        return;
    }
    up->status.replays++;
    ask->replayed = true;
    ask->conn = NULL;
    doh_list_prepend(queue_of(ask), &ask->link);
    doh_pool_busy(up->pool);
}

void doh_upstream_take_back(struct doh_upstream *up, struct doh_list *asks)
{
    while (!doh_list_empty(asks)) { /* from the last, since each goes to the front */
        struct doh_ask *ask = DOH_ITEM(asks->prev, struct doh_ask, link);
        doh_list_remove(&ask->link);
        ask->conn = NULL;
        doh_list_prepend(queue_of(ask), &ask->link);
        doh_pool_busy(up->pool);
    }
}

struct doh_ask *doh_upstream_next(const struct doh_upstream *up)
{
    for (unsigned i = 0; i < 2; i++)
        if (!doh_list_empty(&up->waiting[i]))
            return DOH_ITEM(up->waiting[i].next, struct doh_ask, link);
    return NULL;
}

static void fill(struct doh_upstream *up, struct doh_conn *conn)
{
    struct doh_ask *ask;
    while (doh_conn_room(conn) > 0 && (ask = doh_upstream_next(up)) != NULL) {
        if (!doh_conn_send(conn, ask)) {
            fail(ask, DOH_E_MEMORY);
            continue;
        }
        ask->fetch->sent++;
        up->status.reused += conn->sent > 1 ? 1 : 0;
        up->status.questions++;
    }
    if (doh_conn_is_good(conn) && doh_conn_is_worn(conn))
        doh_dial_want(up); /* its successor */
}

void doh_upstream_pump(struct doh_upstream *up)
{
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        fill(up, DOH_ITEM(i, struct doh_conn, link));
    if (doh_upstream_next(up))
        doh_dial_want(up);
}

static void hurry_all(struct doh_list *asks)
{
    for (struct doh_list *i = asks->next; i != asks; i = i->next)
        doh_fetch_hurry(DOH_ITEM(i, struct doh_ask, link)->fetch);
}

/* No live connection is left: others are asked, for what waits here, too. */
static void go_away(struct doh_upstream *up)
{
    if (has_good(up))
        return;
    up->away = true;
    hurry_all(&up->waiting[0]);
    hurry_all(&up->waiting[1]);
}

/* Questions that wait for its answers, and those to come, need another one. */
void doh_upstream_doubted(struct doh_upstream *up, struct doh_conn *conn)
{
    if (!doh_list_empty(&conn->asks) || doh_upstream_next(up))
        doh_upstream_warm(up);
    go_away(up);
    hurry_all(&conn->asks);
}

void doh_upstream_flush(struct doh_upstream *up)
{
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = next) {
        next = i->next; /* it may close itself, but none of the others */
        doh_conn_flush(DOH_ITEM(i, struct doh_conn, link));
    }
}

void doh_upstream_slow(struct doh_upstream *up)
{
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        doh_conn_doubt(DOH_ITEM(i, struct doh_conn, link));
    /* One slow question on a lively connection says something about that question only. */
    if (!has_good(up))
        doh_health_failed(&up->health, doh_now(up->pool), DOH_BACKOFF_SLOW_MS, doh_random());
}

void doh_upstream_lied(struct doh_upstream *up, const char *how)
{
    uint64_t now = doh_now(up->pool);
    up->status.lies++;
    if (doh_health_lied(&up->health, now))
        doh_pool_event(up->pool, DOH_EVENT_WARNING,
                       "upstream %s: %s; it is not chosen for %u s while another lives",
                       up->status.name, how, doh_health_quarantine_ms(&up->health, now) / 1000);
}

/* --- what responses mean ------------------------------------------------------------------- */

static void take_answer(struct doh_upstream *up, struct doh_ask *ask,
                        const struct doh_h2_response *r)
{
    struct doh_fetch *fetch = ask->fetch;
    up->status.answers++;
    up->fruitless = 0;
    up->pool->answered = true;
    doh_health_worked(&up->health, doh_now(up->pool), ask->sent_ms);
    report_good(up);
    make_idle(ask);
    doh_fetch_answered(fetch, r->body, r->len, r->head.age_s, up->index);
}

static void judge_body(struct doh_upstream *up, struct doh_ask *ask,
                       const struct doh_h2_response *r)
{
    const struct doh_fetch *fetch = ask->fetch;
    uint16_t id = 0, flags = 0;
    (void)dns_header_peek(fetch->wire, fetch->len, &id, &flags); /* our own query */
    bool filtered = false;
    switch (doh_body_judge_filter(r->body, r->len, id, &fetch->question, &filtered)) {
    case DOH_BODY_ANSWER:
        up->status.filtered += filtered ? 1 : 0;
        take_answer(up, ask, r);
        return;
    case DOH_BODY_TRUNCATED: /* RFC 8484 has no room for it: nothing limits the size here */
        report(up, DOH_E_GARBAGE, "it truncates its answers");
        break;
    case DOH_BODY_GARBAGE:
        up->status.mismatches++;
        report(up, DOH_E_GARBAGE, doh_err_text(DOH_E_GARBAGE));
        doh_upstream_lied(up, "its answers are no answers to the questions");
        break;
    }
    fail(ask, DOH_E_GARBAGE);
}

static void refuse(struct doh_upstream *up, struct doh_ask *ask, enum doh_err err,
                   const char *reason, uint32_t backoff_ms)
{
    uint64_t now = doh_now(up->pool);
    if (backoff_ms == HOLD_MS)
        doh_health_hold(&up->health, now, HOLD_MS);
    else
        doh_health_failed(&up->health, now, backoff_ms, doh_random());
    report(up, err, reason);
    fail(ask, err);
}

static void flip(struct doh_upstream *up, struct doh_ask *ask, const char *reason)
{
    if (ask->get == up->get && !up->flipped) {
        up->flipped = true;
        up->get = !up->get;
        doh_pool_event(up->pool, DOH_EVENT_INFO, "upstream %s: %s; asking by %s from now on",
                       up->status.name, reason, up->get ? "GET" : "POST");
    }
    if (ask->get == up->get) {
        refuse(up, ask, DOH_E_HTTP, reason, HOLD_MS);
        return;
    }
    ask->conn = NULL;
    doh_list_prepend(queue_of(ask), &ask->link);
    doh_pool_busy(up->pool);
}

static void come_back_later(struct doh_upstream *up, struct doh_ask *ask,
                            const struct doh_head *head, const char *reason)
{
    if (head->has_retry_after)
        doh_health_shut(&up->health, doh_now(up->pool), head->retry_after_s * 1000);
    refuse(up, ask, DOH_E_HTTP, reason, DOH_BACKOFF_SLOW_MS);
}

static void pause_early(struct doh_upstream *up)
{
    doh_shared_hold_early(up->pool->shared, up->index, doh_now(up->pool) + EARLY_PAUSE_MS);
}

static void judge(struct doh_upstream *up, struct doh_conn *conn, struct doh_ask *ask,
                  const struct doh_h2_response *r)
{
    char reason[DOH_REASON_MAX];
    enum doh_verdict verdict = doh_head_judge(&r->head);
    (void)snprintf(reason, sizeof reason, "HTTP status %u for https://%.80s%.60s", r->head.status,
                   up->url->authority, up->url->path);
    switch (verdict) {
    case DOH_ANSWERED: judge_body(up, ask, r); break;
    case DOH_FLIP: flip(up, ask, reason); break;
    case DOH_ELSEWHERE:
        if (r->head.status == 425 && ask->early)
            pause_early(up); /* now the handshake is over */
        else
            doh_conn_drain(conn);
        replay(ask, DOH_E_HTTP, reason);
        break;
    case DOH_REFUSED: refuse(up, ask, DOH_E_HTTP, reason, HOLD_MS); break;
    case DOH_LATER: come_back_later(up, ask, &r->head, reason); break;
    case DOH_BROKEN: refuse(up, ask, DOH_E_HTTP, reason, DOH_BACKOFF_SLOW_MS); break;
    case DOH_NOT_DNS:
        refuse(up, ask, DOH_E_GARBAGE, "its answers are not of the type application/dns-message",
               DOH_BACKOFF_SLOW_MS);
        break;
    }
}

void doh_upstream_response(struct doh_upstream *up, struct doh_conn *conn, struct doh_ask *ask,
                           const struct doh_h2_response *response)
{
    switch (response->end) {
    case DOH_H2_RESPONSE: judge(up, conn, ask, response); break;
    case DOH_H2_UNTOUCHED:
        replay(ask, DOH_E_UNREACHABLE, "it does not take questions that it was sent");
        break;
    case DOH_H2_RESET: replay(ask, DOH_E_HTTP, "it gives up questions without an answer"); break;
    case DOH_H2_OVERSIZE:
        up->status.mismatches++;
        report(up, DOH_E_GARBAGE, "an answer was longer than 65535 octets");
        fail(ask, DOH_E_GARBAGE);
        break;
    }
}

void doh_upstream_stuck(struct doh_upstream *up, struct doh_ask *ask)
{
    char reason[DOH_REASON_MAX];
    (void)snprintf(reason, sizeof reason, "one question was not answered within %u ms",
                   up->pool->config->deadline_ms);
    replay(ask, DOH_E_TIMEOUT, reason);
}

/* --- connections come and go --------------------------------------------------------------- */

/* `fresh` takes over from those that are suspect or will soon be ended by their server. */
static void relieve(struct doh_upstream *up, const struct doh_conn *fresh)
{
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = next) {
        struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
        next = i->next; /* losing one takes only that one out of the list */
        if (conn == fresh)
            continue;
        if (conn->suspect)
            doh_conn_abandon(conn, "the connection gave no sign of life");
        else if (doh_conn_is_worn(conn))
            doh_conn_drain(conn);
    }
}

void doh_upstream_opened(struct doh_upstream *up, struct doh_conn *conn)
{
    up->away = false;
    up->status.connects++;
    if (doh_tls_resumed(conn->tls))
        up->status.resumed++;
    doh_dial_opened(up, conn);
    relieve(up, conn);
    doh_pool_busy(up->pool);
}

void doh_upstream_lost(struct doh_upstream *up, struct doh_conn *conn, enum doh_conn_state before,
                       struct doh_list *asks, enum doh_err err, const char *reason)
{
    if (before < DOH_CONN_OPEN) {
        if (doh_buffer_used(&conn->first) > 0) /* perhaps because of it (RFC 8446 D.3) */
            pause_early(up);
        doh_upstream_take_back(up, asks);
        doh_dial_lost(up, err, reason ? reason : "the server closed the connection");
        return;
    }
    if (doh_list_empty(asks) && !doh_upstream_next(up))
        return; /* nothing was lost: closing an idle connection is everybody's right */
    up->fruitless = conn->answered_ms > 0 ? 0 : up->fruitless + 1;
    uint64_t now = doh_now(up->pool);
    if (err == DOH_E_TIMEOUT && !has_good(up))
        up->away = true;
    if (err == DOH_E_TIMEOUT)
        doh_health_failed(&up->health, now, DOH_BACKOFF_SLOW_MS, doh_random());
    else if (up->fruitless >= FRUITLESS_MAX) /* else it would be dialled in a tight circle */
        doh_health_failed(&up->health, now, DOH_BACKOFF_MIN_MS, doh_random());
    while (!doh_list_empty(asks)) { /* from the last, since each goes to the front */
        struct doh_ask *ask = DOH_ITEM(asks->prev, struct doh_ask, link);
        doh_list_remove(&ask->link);
        replay(ask, err == DOH_OK ? DOH_E_UNREACHABLE : err,
               reason ? reason : "the server closed the connection without an answer");
    }
}

void doh_upstream_network(struct doh_upstream *up, bool rerouted)
{
    doh_health_forgive(&up->health);
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; rerouted && i != &up->conns; i = next) {
        next = i->next;
        doh_conn_suspect(DOH_ITEM(i, struct doh_conn, link));
    }
    doh_dial_anew(up);
}

void doh_upstream_address_gone(struct doh_upstream *up, const struct doh_address *address)
{
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = next) {
        struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
        next = i->next; /* losing one takes only that one out of the list */
        if (conn->state >= DOH_CONN_HANDSHAKE && doh_address_same_ip(&conn->local, address))
            doh_conn_abandon(conn, "the address that the connection came from is gone");
    }
}

void doh_upstream_unreachable(struct doh_upstream *up, enum doh_err err, const char *reason)
{
    report(up, err, reason);
    if (has_good(up))
        return; /* what waits was to have a second connection, and can do without */
    up->away = true;
    struct doh_ask *ask;
    while ((ask = doh_upstream_next(up)) != NULL) {
        ask->left =
            false; /* also what was sent once: whoever is away may be back for the next try */
        fail(ask, err);
    }
}
