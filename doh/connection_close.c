// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/connection_parts.h"
#include "doh/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_handle_closed(struct doh_conn *conn)
{
    struct doh_pool *pool = conn->upstream->pool;
    if (--conn->handles == 0) {
        doh_h2_free(conn->h2);
        doh_buffer_deinit(&conn->first);
        doh_tls_free(conn->tls);
        free(conn);
    }
    doh_pool_handle_closed(pool); /* last: it may free the pool */
}

static void on_poll_closed(uv_handle_t *handle)
{
    on_handle_closed(DOH_ITEM(handle, struct doh_conn, poll));
}

static void on_alarm_closed(uv_handle_t *handle)
{
    on_handle_closed(DOH_ITEM(handle, struct doh_conn, alarm));
}

void doh_conn_shut(struct doh_conn *conn)
{
    conn->state = DOH_CONN_CLOSED;
    doh_list_remove(&conn->link);
    (void)uv_poll_stop(&conn->poll); /* cannot fail; before the fd is somebody else's */
    uv_close((uv_handle_t *)&conn->poll, on_poll_closed);
    uv_close((uv_handle_t *)&conn->alarm, on_alarm_closed);
    (void)close(conn->fd);
}

void doh_conn_lose(struct doh_conn *conn, enum doh_err err, const char *reason)
{
    enum doh_conn_state before = conn->state;
    struct doh_list asks;
    doh_list_init(&asks);
    doh_list_move(&asks, &conn->asks);
    doh_conn_shut(conn);
    doh_upstream_lost(conn->upstream, conn, before, &asks, err, reason);
}

void doh_conn_lose_errno(struct doh_conn *conn, const char *doing, int number)
{
    char reason[DOH_REASON_MAX], address[DOH_ADDRESS_TEXT_MAX];
    (void)snprintf(reason, sizeof reason, "%s %s: %s", doing,
                   doh_address_text(&conn->address, address), strerror(number));
    doh_conn_lose(conn, DOH_E_UNREACHABLE, reason);
}

void doh_conn_goodbye(struct doh_conn *conn)
{
    doh_h2_goodbye(conn->h2);
    struct doh_buffer plain = doh_buffer_init(DOH_PLAIN_MAX);
    struct doh_buffer *out = doh_tls_out(conn->tls);
    if (!conn->blocked && doh_h2_take(conn->h2, &plain) &&
        doh_tls_write(conn->tls, doh_buffer_front(&plain), doh_buffer_used(&plain))) {
        doh_tls_goodbye(conn->tls);
        /* A courtesy to the peer: what the socket does not take now is not sent. */
        (void)send(conn->fd, doh_buffer_front(out), doh_buffer_used(out),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    doh_buffer_deinit(&plain);
}

void doh_conn_close(struct doh_conn *conn)
{
    if (conn->state >= DOH_CONN_OPEN)
        doh_conn_goodbye(conn);
    doh_conn_shut(conn);
}

void doh_conn_abandon(struct doh_conn *conn, const char *reason)
{
    doh_conn_lose(conn, DOH_E_UNREACHABLE, reason);
}
