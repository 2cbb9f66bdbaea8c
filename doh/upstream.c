// SPDX-License-Identifier: MIT
#include "doh/dial.h"
#include "doh/fetch.h"
#include "doh/shared.h"
#include "doh/spread.h"
#include "doh/upstream_parts.h"

#include <stdio.h>

#define SAME_EVENT_MS 60000u /* the same reason is not reported again that soon */

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
    status.connected = doh_upstream_has_good(up);
    status.honesty = honesty(&status);
    status.p95_ms = up->health.latency.p95_ms;
    status.rtt_ms = (up->health.srtt_us + 999) / 1000;
    status.route_only = up->config->route_only;
    status.backing_off = doh_health_backing_off(&up->health, doh_now(up->pool)) ||
                         doh_health_is_shut(&up->health, doh_now(up->pool));
    status.quarantine_ms = doh_health_quarantine_ms(&up->health, doh_now(up->pool));
    return status;
}

/* --- events -------------------------------------------------------------------------------- */

void doh_upstream_report(struct doh_upstream *up, enum doh_err err, const char *reason)
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
                       up->status.name, reason,
                       (unsigned long long)(up->health.backoff.until_ms - now));
    else
        doh_pool_event(up->pool, DOH_EVENT_WARNING, "upstream %s: %s", up->status.name, reason);
}

void doh_upstream_report_good(struct doh_upstream *up)
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

struct doh_list *doh_ask_queue(const struct doh_ask *ask)
{
    return &ask->upstream->waiting[ask->fetch->speculative ? 1 : 0];
}

void doh_upstream_ask(struct doh_upstream *up, struct doh_ask *ask, struct doh_fetch *fetch)
{
    *ask = (struct doh_ask){.fetch = fetch,
                            .upstream = up,
                            .held = !doh_upstream_has_good(up),
                            .replayed = fetch->taken_back >> up->index & 1};
    doh_list_init(&ask->link);
    doh_list_append(doh_ask_queue(ask), &ask->link);
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

void doh_ask_idle(struct doh_ask *ask)
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
    doh_ask_idle(ask);
}

void doh_ask_fail(struct doh_ask *ask, enum doh_err err)
{
    struct doh_upstream *up = ask->upstream;
    up->status.failures++;
    bool sent = ask->left;
    doh_ask_idle(ask);
    doh_fetch_failed(ask, up->index, err, sent);
}

/* Also what was sent once counts as never sent: whoever is away may be back for the next try. */
void doh_upstream_let_go(struct doh_upstream *up, enum doh_err err)
{
    struct doh_ask *ask;
    while ((ask = doh_upstream_next(up)) != NULL) {
        ask->left = false;
        doh_ask_fail(ask, err);
    }
}

void doh_ask_fail_for_good(struct doh_ask *ask, enum doh_err err)
{
    ask->fetch->never |= UINT32_C(1) << ask->upstream->index;
    doh_ask_fail(ask, err);
}

void doh_ask_replay(struct doh_ask *ask, enum doh_err err, const char *reason)
{
    struct doh_upstream *up = ask->upstream;
    if (ask->replayed) {
        doh_upstream_report(up, err, reason);
        doh_ask_fail(ask, err);
        return;
    }
    up->status.replays++;
    ask->replayed = true;
    ask->conn = NULL;
    ask->held = !doh_upstream_has_good(up);
    doh_list_prepend(doh_ask_queue(ask), &ask->link);
    if (ask->held)
        doh_fetch_held(ask);
    doh_pool_busy(up->pool);
}

void doh_upstream_take_back(struct doh_upstream *up, struct doh_list *asks)
{
    while (!doh_list_empty(asks)) { /* from the last, since each goes to the front */
        struct doh_ask *ask = DOH_ITEM(asks->prev, struct doh_ask, link);
        doh_list_remove(&ask->link);
        ask->conn = NULL;
        ask->replayed = true; /* the server may have read it all the same */
        ask->fetch->taken_back |= UINT32_C(1) << up->index;
        ask->held = !doh_upstream_has_good(up);
        doh_list_prepend(doh_ask_queue(ask), &ask->link);
        if (ask->held)
            doh_fetch_held(ask);
        up->status.replays++;
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
            doh_ask_fail(ask, DOH_E_MEMORY);
            continue;
        }
        doh_fetch_sent(ask);
        up->status.reused += conn->sent > 1 ? 1 : 0;
        up->status.questions++;
    }
    if (doh_conn_is_good(conn) && doh_conn_is_worn(conn))
        doh_dial_want(up); /* its successor */
}

/* What is let go before it was sent has had no chance, least of all its last. */
static void keep_chances(struct doh_upstream *up)
{
    for (unsigned i = 0; i < 2; i++)
        for (struct doh_list *a = up->waiting[i].next; a != &up->waiting[i]; a = a->next) {
            struct doh_ask *ask = DOH_ITEM(a, struct doh_ask, link);
            ask->fetch->last_chance = ask->fetch->last_chance && ask->left;
        }
}

void doh_upstream_pump(struct doh_upstream *up)
{
    if (doh_health_is_shut(&up->health, doh_now(up->pool))) {
        keep_chances(up);
        doh_upstream_let_go(up, DOH_E_HTTP); /* what came back to it since, too */
    }
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        fill(up, DOH_ITEM(i, struct doh_conn, link));
    if (doh_upstream_next(up))
        doh_dial_want(up);
}

void doh_upstream_flush(struct doh_upstream *up)
{
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = next) {
        next = i->next; /* it may close itself, but none of the others */
        doh_conn_flush(DOH_ITEM(i, struct doh_conn, link));
    }
}
