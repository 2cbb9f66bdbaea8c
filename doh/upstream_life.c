// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/dial.h"
#include "doh/fetch.h"
#include "doh/upstream_parts.h"

#define FRUITLESS_MAX 2u

bool doh_upstream_has_good(const struct doh_upstream *up)
{
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        if (doh_conn_is_good(DOH_ITEM(i, struct doh_conn, link)))
            return true;
    return false;
}

void doh_upstream_warm(struct doh_upstream *up)
{
    if (!doh_upstream_has_good(up))
        doh_dial_want(up);
}

uint32_t doh_upstream_hold_ms(const struct doh_upstream *up)
{
    return doh_hold_ms(up->health.srtt_us, doh_dial_spent_ms(up));
}

bool doh_upstream_is_away(const struct doh_upstream *up)
{
    return !doh_upstream_has_good(up) && (up->away || doh_upstream_hold_ms(up) == 0);
}

void doh_upstream_probe(struct doh_upstream *up)
{
    uint64_t now = doh_now(up->pool);
    if (doh_upstream_is_away(up) && !doh_health_backing_off(&up->health, now) &&
        !doh_health_is_shut(&up->health, now))
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
    if (doh_upstream_has_good(up))
        return;
    up->away = true;
    hurry_all(&up->waiting[0]);
    hurry_all(&up->waiting[1]);
}

/* Questions that wait for its answers, and those to come, need another one. */
void doh_upstream_doubted(struct doh_upstream *up, struct doh_conn *conn)
{
    if (!doh_list_empty(&conn->asks) || doh_upstream_next(up)) {
        doh_upstream_warm(up);
        doh_upstream_slow(up);
    }
    go_away(up);
    hurry_all(&conn->asks);
}

void doh_upstream_slow(struct doh_upstream *up)
{
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        doh_conn_doubt(DOH_ITEM(i, struct doh_conn, link));
    /* One slow question on a lively connection says something about that question only. */
    if (!doh_upstream_has_good(up))
        doh_health_failed(&up->health, doh_now(up->pool), DOH_BACKOFF_SLOW_MS, doh_random());
}

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
    doh_fetch_offer(up->pool, up->index);
    doh_pool_busy(up->pool);
}

void doh_upstream_lost(struct doh_upstream *up, struct doh_conn *conn, enum doh_conn_state before,
                       struct doh_list *asks, enum doh_err err, const char *reason)
{
    if (before < DOH_CONN_OPEN) {
        if (doh_buffer_used(&conn->first) > 0) /* perhaps because of it (RFC 8446 D.3) */
            doh_upstream_pause_early(up);
        doh_upstream_take_back(up, asks);
        doh_dial_lost(up, conn, err, reason ? reason : "the server closed the connection");
        return;
    }
    if (doh_list_empty(asks) && !doh_upstream_next(up))
        return; /* nothing was lost: closing an idle connection is everybody's right */
    up->fruitless = conn->answered_ms > 0 ? 0 : up->fruitless + 1;
    uint64_t now = doh_now(up->pool);
    if (err == DOH_E_TIMEOUT && !doh_upstream_has_good(up))
        up->away = true;
    if (err == DOH_E_TIMEOUT)
        doh_health_failed(&up->health, now, DOH_BACKOFF_SLOW_MS, doh_random());
    else if (up->fruitless >= FRUITLESS_MAX) /* else it would be dialled in a tight circle */
        doh_health_failed(&up->health, now, DOH_BACKOFF_MIN_MS, doh_random());
    while (!doh_list_empty(asks)) { /* from the last, since each goes to the front */
        struct doh_ask *ask = DOH_ITEM(asks->prev, struct doh_ask, link);
        doh_list_remove(&ask->link);
        doh_ask_replay(ask, err == DOH_OK ? DOH_E_UNREACHABLE : err,
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
    doh_upstream_report(up, err, reason);
    if (doh_upstream_has_good(up))
        return; /* what waits was to have a second connection, and can do without */
    up->away = true;
    doh_upstream_let_go(up, err);
}
