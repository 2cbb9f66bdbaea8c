// SPDX-License-Identifier: MIT
#include "doh/connection.h"

#include "doh/tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOW_MS 250u /* RFC 8305 8: Connection Attempt Delay */
#define USER_TIMEOUT_MS 5000u
#define CHUNK 16384     /* one TLS record */
#define READS_A_TURN 8u /* so that no connection starves the loop */

/*              readable      writable     timer            close by owner
 * CONNECTING   -             HANDSHAKE    slow, then fail  CLOSED
 * HANDSHAKE    READY, fail   send         fail             CLOSED
 * READY        answers, fail send         idle or oldest   CLOSED
 * CLOSED       -             -            -                -               */
enum conn_state { CONN_CONNECTING, CONN_HANDSHAKE, CONN_READY, CONN_CLOSED };

struct doh_conn {
    uv_poll_t poll;
    uv_timer_t timer;
    int handles; /* not yet given back by the loop */
    int fd;
    enum conn_state state;
    bool slow_told;
    bool wants_write;
    bool silent;                   /* closed by the owner: no events */
    uint64_t opened_ms, active_ms; /* loop time */
    const struct doh_shared_upstream *upstream;
    struct doh_conn_limits limits;
    struct doh_conn_events events;
    struct doh_tls *tls;
    struct doh_h2 *h2;
    char error[200];
};

/* --- end ------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct doh_conn *c = handle->data;
    if (--c->handles > 0)
        return;
    doh_h2_free(c->h2);
    doh_tls_free(c->tls);
    free(c);
}

static void shut(struct doh_conn *c)
{
    c->state = CONN_CLOSED;
    (void)uv_poll_stop(&c->poll); /* before close(): libuv must let go of the descriptor first */
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
    (void)close(c->fd);
}

/* Tells the owner of every exchange that has ended. It may close the connection in there. */
static void deliver(struct doh_conn *c)
{
    while (c->h2 && !c->silent) {
        struct doh_exchange *x = doh_h2_finished(c->h2);
        if (!x)
            return;
        c->events.ended(c->events.arg, c, x);
    }
}

/* Every way out but the owner's own leads here, once. */
static void fail(struct doh_conn *c, const char *error)
{
    if (c->state == CONN_CLOSED)
        return;
    bool quiet = !error || (c->state == CONN_READY && doh_h2_open(c->h2) == 0);
    if (error)
        (void)snprintf(c->error, sizeof c->error, "%s", error);
    shut(c);
    if (c->h2)
        doh_h2_lose(c->h2, DOH_H2_LOST);
    deliver(c);
    if (!c->silent)
        c->events.closed(c->events.arg, c, quiet ? NULL : c->error);
}

void doh_conn_close(struct doh_conn *c)
{
    c->silent = true;
    if (c->state != CONN_CLOSED)
        shut(c);
}

/* --- deadlines ------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void arm(struct doh_conn *c, uint64_t at_ms)
{
    uint64_t now_ms = uv_now(c->poll.loop);
    (void)uv_timer_start(&c->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* Oldest unanswered question, else idleness. Sending anew never moves the oldest's deadline. */
static void rearm(struct doh_conn *c)
{
    const struct doh_exchange *oldest = c->h2 ? doh_h2_oldest(c->h2) : NULL;
    if (c->state != CONN_READY)
        return;
    arm(c, oldest ? oldest->sent_ms + c->limits.deadline_ms : c->active_ms + c->limits.idle_ms);
}

static void on_timer(uv_timer_t *timer)
{
    struct doh_conn *c = timer->data;
    uint64_t now_ms = uv_now(timer->loop);
    switch (c->state) {
    case CONN_CONNECTING:
    case CONN_HANDSHAKE:
        if (now_ms >= c->opened_ms + c->limits.connect_ms) {
            fail(c, "no connection within the deadline");
            return;
        }
        arm(c, c->opened_ms + c->limits.connect_ms);
        if (!c->slow_told) {
            c->slow_told = true;
            c->events.slow(c->events.arg, c);
        }
        return;
    case CONN_READY: fail(c, doh_h2_oldest(c->h2) ? "no answer within the deadline" : NULL); return;
    case CONN_CLOSED: return;
    }
}

/* --- octets ---------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct doh_conn *c, bool write)
{
    if (c->state == CONN_CLOSED)
        return;
    c->wants_write = write;
    (void)uv_poll_start(&c->poll, UV_READABLE | (write ? UV_WRITABLE : 0), on_poll);
}

/* Sends what TLS has ready. False: the connection has failed. */
static bool send_pending(struct doh_conn *c)
{
    const uint8_t *cipher;
    size_t len;
    while ((len = doh_tls_pending(c->tls, &cipher)) > 0) {
        ssize_t n = send(c->fd, cipher, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(c, true);
            return true;
        }
        if (n < 0) {
            fail(c, strerror(errno));
            return false;
        }
        doh_tls_sent(c->tls, (size_t)n);
    }
    if (c->wants_write)
        watch(c, false);
    return true;
}

void doh_conn_flush(struct doh_conn *c)
{
    if (c->state != CONN_READY)
        return;
    uint8_t plain[CHUNK];
    size_t have = 0;
    for (;;) {
        const uint8_t *octets;
        long n = doh_h2_take(c->h2, &octets);
        if (n < 0) {
            fail(c, "the HTTP/2 session broke");
            return;
        }
        for (size_t at = 0; at < (size_t)n;) {
            size_t part = (size_t)n - at < CHUNK - have ? (size_t)n - at : CHUNK - have;
            memcpy(plain + have, octets + at, part);
            have += part;
            at += part;
            if (have == CHUNK) {
                (void)doh_tls_write(c->tls, plain,
                                    have); /* a memory BIO takes all or fails below */
                have = 0;
            }
        }
        if (n == 0)
            break;
    }
    if (!doh_tls_write(c->tls, plain, have))
        fail(c, doh_tls_error(c->tls));
    else if (send_pending(c))
        rearm(c);
}

/* Reads what the socket has. False: failed or closed. */
static bool receive(struct doh_conn *c)
{
    uint8_t cipher[CHUNK + 1024];
    for (unsigned i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(c->fd, cipher, sizeof cipher, 0);
        if (n > 0) {
            if (!doh_tls_feed(c->tls, cipher, (size_t)n)) {
                fail(c, "out of memory");
                return false;
            }
            if ((size_t)n < sizeof cipher)
                return true;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n == 0 && i > 0)
            return true; /* what was read is looked at first; the end shows again */
        fail(c, n == 0 ? "the upstream closed the connection" : strerror(errno));
        return false;
    }
    return true;
}

/* Plain text into the session. False: failed. */
static bool read_plain(struct doh_conn *c)
{
    uint8_t plain[CHUNK];
    for (;;) {
        int n = doh_tls_read(c->tls, plain, sizeof plain);
        if (n == 0)
            return true;
        if (n < 0) {
            fail(c, "the upstream closed TLS");
            return false;
        }
        if (!doh_h2_feed(c->h2, plain, (size_t)n)) {
            fail(c, "the upstream broke HTTP/2");
            return false;
        }
    }
}

static void shake(struct doh_conn *c)
{
    enum doh_tls_step step = doh_tls_handshake(c->tls);
    if (!send_pending(c)) /* also an alert that says why we refuse */
        return;
    if (step == DOH_TLS_FAILED) {
        fail(c, doh_tls_error(c->tls));
        return;
    }
    if (step == DOH_TLS_WANT)
        return;
    c->h2 = doh_h2_new();
    if (!c->h2) {
        fail(c, "out of memory");
        return;
    }
    c->state = CONN_READY;
    c->active_ms = uv_now(c->poll.loop);
    rearm(c);
    c->events.ready(c->events.arg, c);
}

static int socket_error(const struct doh_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static void connected(struct doh_conn *c)
{
    int error = socket_error(c);
    if (error) {
        fail(c, strerror(error));
        return;
    }
    c->state = CONN_HANDSHAKE;
    watch(c, false);
    shake(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct doh_conn *c = poll->data;
    if (status < 0) { /* libuv says EBADF for every POLLERR: the socket knows better */
        int error = socket_error(c);
        fail(c, error ? strerror(error) : uv_strerror(status));
        return;
    }
    if (c->state == CONN_CONNECTING) {
        if (events & UV_WRITABLE)
            connected(c);
        return;
    }
    if ((events & UV_WRITABLE) && !send_pending(c))
        return;
    bool alive = !(events & UV_READABLE) || receive(c);
    if (!alive)
        return;
    if (c->state == CONN_HANDSHAKE)
        shake(c);
    if (c->state != CONN_READY || !read_plain(c))
        return;
    c->active_ms = uv_now(poll->loop);
    deliver(c);
    if (c->state != CONN_READY)
        return;
    doh_conn_flush(c);                                /* window updates, acknowledgements */
    if (c->state == CONN_READY && doh_h2_over(c->h2)) /* also when nghttp2 gave it up by itself */
        fail(c, "the upstream broke HTTP/2");
    else if (c->state == CONN_READY && doh_h2_draining(c->h2) && doh_h2_open(c->h2) == 0)
        fail(c, NULL);
}

/* --- begin ----------------------------------------------------------------------------------- */

static int socket_open(const struct doh_address *address)
{
    int on = 1;
    unsigned timeout_ms = USER_TIMEOUT_MS;
    socklen_t len =
        address->sa.any.sa_family == AF_INET ? sizeof address->sa.v4 : sizeof address->sa.v6;
    int fd = socket(address->sa.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* only makes it faster */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    if (connect(fd, &address->sa.any, len) != 0 && errno != EINPROGRESS) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

struct doh_conn *doh_conn_open(uv_loop_t *loop, const struct doh_shared_upstream *upstream,
                               const struct doh_address *address, SSL_SESSION *session,
                               const struct doh_conn_limits *limits,
                               const struct doh_conn_events *events)
{
    struct doh_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->upstream = upstream;
    c->limits = *limits;
    c->events = *events;
    c->opened_ms = uv_now(loop);
    c->tls = doh_tls_new(upstream, session);
    c->fd = c->tls ? socket_open(address) : -1;
    if (c->fd < 0 || uv_poll_init(loop, &c->poll, c->fd) != 0) {
        int error = errno;
        if (c->fd >= 0)
            (void)close(c->fd);
        doh_tls_free(c->tls);
        free(c);
        errno = error;
        return NULL;
    }
    (void)uv_timer_init(loop, &c->timer); /* cannot fail */
    c->poll.data = c->timer.data = c;
    c->handles = 2;
    (void)uv_poll_start(&c->poll, UV_WRITABLE, on_poll);
    (void)uv_timer_start(&c->timer, on_timer, SLOW_MS, 0);
    return c;
}

/* --- questions ------------------------------------------------------------------------------- */

bool doh_conn_ready(const struct doh_conn *c)
{
    return c->state == CONN_READY && !doh_h2_draining(c->h2);
}

bool doh_conn_connecting(const struct doh_conn *c)
{
    return c->state == CONN_CONNECTING || c->state == CONN_HANDSHAKE;
}

uint32_t doh_conn_room(const struct doh_conn *c)
{
    if (!doh_conn_ready(c))
        return 0;
    uint32_t limit = doh_h2_limit(c->h2);
    uint32_t open = doh_h2_open(c->h2);
    return limit > open ? limit - open : 0;
}

bool doh_conn_submit(struct doh_conn *c, bool get, bool fresh, struct doh_exchange *exchange,
                     uint64_t now_ms)
{
    exchange->sent_ms = now_ms;
    return doh_h2_submit(c->h2, &c->upstream->url, get, fresh, exchange);
}

void doh_conn_forget(struct doh_conn *c, struct doh_exchange *exchange)
{
    doh_h2_forget(c->h2, exchange);
    rearm(c);
}

SSL_SESSION *doh_conn_session(struct doh_conn *c)
{
    return doh_tls_session(c->tls);
}

bool doh_conn_resumed(const struct doh_conn *c)
{
    return doh_tls_resumed(c->tls);
}
