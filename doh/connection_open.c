// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/connection_parts.h"
#include "doh/shared.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USER_TIMEOUT_MS 5000 /* else the kernel goes on sending into the void for 15 minutes */

static int begin_connect(const struct doh_address *address, int *ret_fd)
{
    int one = 1, timeout_ms = USER_TIMEOUT_MS;
    int fd = socket(address->sa.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    /* Both make things better, neither is needed. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    if (connect(fd, &address->sa.any, doh_address_len(address)) != 0 && errno != EINPROGRESS) {
        int number = errno;
        (void)close(fd);
        return number;
    }
    *ret_fd = fd;
    return 0;
}

static struct doh_tls *begin_tls(const struct doh_upstream *up, bool beside)
{
    struct doh_shared *shared = up->pool->shared;
    SSL_SESSION *session = beside ? NULL : doh_shared_session(shared, up->index);
    const struct doh_tls_peer peer = doh_shared_peer(shared, up->index);
    struct doh_tls *tls = doh_tls_new(doh_shared_context(shared, up->index), &peer, session);
    SSL_SESSION_free(session);
    if (tls)
        doh_tls_not_before(tls, doh_shared_floor_s(shared));
    return tls;
}

static int begin(struct doh_conn *conn, bool beside)
{
    struct doh_pool *pool = conn->upstream->pool;
    conn->tls = begin_tls(conn->upstream, beside);
    if (!conn->tls)
        return ENOMEM;
    int number = begin_connect(&conn->address, &conn->fd);
    if (number != 0)
        return number;
    int rc = uv_poll_init(pool->loop, &conn->poll, conn->fd);
    if (rc != 0) {
        (void)close(conn->fd);
        return -rc;
    }
    (void)uv_timer_init(pool->loop, &conn->alarm); /* cannot fail */
    conn->handles = 2;
    pool->handles += 2;
    return 0;
}

struct doh_conn *doh_conn_open(struct doh_upstream *up, const struct doh_address *address,
                               uint64_t until_ms, bool beside, char reason[static DOH_REASON_MAX])
{
    char text[DOH_ADDRESS_TEXT_MAX];
    struct doh_conn *conn = calloc(1, sizeof *conn);
    int number = ENOMEM;
    if (conn) {
        conn->upstream = up;
        conn->address = *address;
        conn->alarm_ms = UINT64_MAX;
        conn->started_ms = doh_now(up->pool);
        conn->until_ms = until_ms;
        doh_list_init(&conn->link);
        doh_list_init(&conn->asks);
        number = begin(conn, beside);
    }
    if (number == 0) {
        doh_list_append(&up->conns, &conn->link);
        int rc = uv_poll_start(&conn->poll, UV_WRITABLE, doh_conn_on_poll);
        if (rc == 0) {
            doh_conn_arm(conn);
            return conn;
        }
        doh_conn_shut(conn);
        number = -rc;
    } else if (conn) {
        doh_tls_free(conn->tls);
        free(conn);
    }
    (void)snprintf(reason, DOH_REASON_MAX, "cannot connect to %s: %s",
                   doh_address_text(address, text), strerror(number));
    return NULL;
}
