// SPDX-License-Identifier: MIT
#include "doh/connection_parts.h"
#include "doh/fetch.h"
#include "doh/shared.h"
#include "doh/upstream.h"

#include <string.h>

/* Upper bounds of what HTTP/2 makes of it, so that what is queued fits: the preface, SETTINGS and a
 * WINDOW_UPDATE; a GET without its authority and path. */
#define GREETING_MAX 128u
#define FIELDS_MAX 128u

static size_t octets_of(const struct doh_upstream *up, const struct doh_ask *ask)
{
    return FIELDS_MAX + strlen(up->url->authority) + doh_url_get_room(up->url, ask->fetch->len);
}

/* Whoever has recorded them can send them again, so that only a safe method will do (RFC 8470 4,
 * RFC 9110 9.2.1). */
static size_t allowance(const struct doh_conn *conn)
{
    const struct doh_upstream *up = conn->upstream;
    if (!doh_conn_config(conn)->early_data || !up->get ||
        doh_shared_holds_early(up->pool->shared, up->index, doh_conn_now(conn)))
        return 0;
    return doh_tls_early_max(conn->tls);
}

/* Those who have been sent before have had their chance: once early, then only after a handshake.
 */
static struct doh_ask *next_ask(const struct doh_upstream *up, size_t room)
{
    struct doh_ask *ask = doh_upstream_next(up);
    return !ask || ask->left || ask->replayed || octets_of(up, ask) > room ? NULL : ask;
}

static void queue(struct doh_conn *conn, size_t room)
{
    struct doh_upstream *up = conn->upstream;
    struct doh_ask *ask;
    while (doh_h2_room(conn->h2) > 0 && (ask = next_ask(up, room)) != NULL) {
        if (!doh_conn_send(conn, ask))
            return; /* it stays where it is */
        ask->early = true;
        doh_fetch_sent(ask);
        up->status.reused += conn->sent > 1 ? 1 : 0;
        up->status.questions++;
        room -= octets_of(up, ask);
    }
}

bool doh_conn_send_early(struct doh_conn *conn)
{
    size_t cap = allowance(conn);
    if (cap <= GREETING_MAX || !next_ask(conn->upstream, cap - GREETING_MAX))
        return true;
    conn->h2 = doh_h2_new(conn->upstream->stream_limit);
    if (!conn->h2)
        return true; /* perhaps there is memory later */
    queue(conn, cap - GREETING_MAX);
    conn->first = doh_buffer_init(DOH_PLAIN_MAX);
    if (!doh_h2_take(conn->h2, &conn->first)) {
        doh_conn_lose(conn, DOH_E_HTTP, "the HTTP/2 session failed");
        return false;
    }
    size_t len = doh_buffer_used(&conn->first);
    if (len > cap || doh_tls_write_early(conn->tls, doh_buffer_front(&conn->first), len))
        return true; /* what does not fit is sent in time */
    doh_conn_lose(conn, DOH_E_TLS, doh_tls_error(conn->tls));
    return false;
}

bool doh_conn_settle_early(struct doh_conn *conn)
{
    uint64_t now = doh_conn_now(conn);
    if (!doh_list_empty(&conn->asks))
        conn->silent_ms = now; /* the handshake's octets were no answer */
    bool done = true;
    if (!doh_tls_early_accepted(conn->tls)) {
        for (struct doh_list *i = conn->asks.next; i != &conn->asks; i = i->next) {
            struct doh_ask *ask = DOH_ITEM(i, struct doh_ask, link);
            ask->early = false;
            ask->sent_ms = now;
        }
        done =
            doh_tls_write(conn->tls, doh_buffer_front(&conn->first), doh_buffer_used(&conn->first));
    } else {
        conn->upstream->status.early++;
    }
    doh_buffer_deinit(&conn->first);
    return done;
}
