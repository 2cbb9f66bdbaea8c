// SPDX-License-Identifier: MIT
#include "doh/connection.h"

#include "doh/connection_parts.h"
#include "doh/fetch.h"
#include "doh/upstream.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#define READ_LEN (16u << 10)
#define READS_MAX 8u  /* a wake-up: others of the loop want their turn, too */
#define DOUBTS_MAX 4u /* the silence before a PING is doubled that often at most */

/* --- receiving ----------------------------------------------------------------------------- */

void doh_conn_dirty(struct doh_conn *conn)
{
    conn->dirty = true;
    doh_pool_busy(conn->upstream->pool);
}

static bool open_h2(struct doh_conn *conn)
{
    if (!conn->h2)
        conn->h2 = doh_h2_new(conn->upstream->stream_limit);
    if (!conn->h2 || !doh_conn_settle_early(conn)) {
        doh_conn_lose(conn, DOH_E_MEMORY, doh_err_text(DOH_E_MEMORY));
        return false;
    }
    conn->state = DOH_CONN_OPEN;
    conn->active_ms = doh_conn_now(conn);
    conn->alarm_ms = UINT64_MAX; /* rang for the handshake */
    doh_conn_arm(conn);
    doh_upstream_opened(conn->upstream, conn);
    return true;
}

static bool shake_hands(struct doh_conn *conn)
{
    switch (doh_tls_handshake(conn->tls)) {
    case DOH_TLS_MORE: return true;
    case DOH_TLS_DONE: return open_h2(conn);
    case DOH_TLS_FAILED: break;
    }
    struct doh_buffer *out = doh_tls_out(conn->tls);
    /* The alert that tells the server; if the socket does not take it, it never learns. */
    (void)send(conn->fd, doh_buffer_front(out), doh_buffer_used(out), MSG_NOSIGNAL | MSG_DONTWAIT);
    doh_conn_lose(conn, DOH_E_TLS, doh_tls_error(conn->tls));
    return false;
}

static void deliver(struct doh_conn *conn)
{
    struct doh_h2_response response;
    while (doh_h2_next(conn->h2, &response)) {
        struct doh_ask *ask = response.user;
        doh_list_remove(&ask->link);
        ask->conn = NULL;
        conn->active_ms = doh_conn_now(conn);
        if (response.end == DOH_H2_RESPONSE) {
            conn->answered_ms = doh_conn_now(conn);
            conn->doubts = 0;
        }
        doh_upstream_response(conn->upstream, conn, ask, &response);
    }
}

/* Decrypts and feeds what has come. NULL, or why the connection cannot go on. */
static const char *feed(struct doh_conn *conn, bool *closed)
{
    uint8_t plain[READ_LEN];
    int64_t now_s = time(NULL); /* for a Retry-After that names a date */
    for (;;) {
        size_t len = 0;
        enum doh_tls_step step = doh_tls_read(conn->tls, plain, sizeof plain, &len);
        if (step == DOH_TLS_MORE)
            return NULL;
        if (step == DOH_TLS_FAILED)
            return doh_tls_error(conn->tls);
        *closed = len == 0;
        if (*closed)
            return NULL;
        const char *error = doh_h2_feed(conn->h2, plain, len, now_s);
        if (error)
            return error;
    }
}

/* The server wants no more of it, and says so in good order. */
static void say_farewell(struct doh_conn *conn)
{
    if (conn->state != DOH_CONN_OPEN)
        return;
    uint64_t now = doh_conn_now(conn);
    uint64_t idle_ms = doh_list_empty(&conn->asks) ? now - conn->active_ms : 0;
    doh_learned_closed(&conn->upstream->learned, now, idle_ms, conn->sent);
}

/* What the session's state means for the connection; false: it is lost. */
static bool look_after(struct doh_conn *conn)
{
    if (conn->state == DOH_CONN_OPEN && doh_h2_draining(conn->h2)) {
        say_farewell(conn);
        doh_conn_drain(conn);
        if (conn->sent > 0 && doh_conn_now(conn) - conn->active_ms < DOH_IDLE_CLOSE_MIN_MS)
            doh_upstream_warm(conn->upstream); /* it is in use: the next one at once */
    }
    conn->upstream->stream_limit = doh_h2_limit(conn->h2);
    bool idle = doh_list_empty(&conn->asks);
    if (conn->state == DOH_CONN_DRAINING && idle) {
        doh_conn_goodbye(conn);
        doh_conn_lose(conn, DOH_OK, NULL);
        return false;
    }
    if (doh_h2_over(conn->h2)) {
        doh_conn_lose(conn, DOH_E_HTTP, "the server broke the HTTP/2 protocol");
        return false;
    }
    return true;
}

/* Takes in what lies in the TLS buffer; false: the connection is lost. */
static bool advance(struct doh_conn *conn)
{
    bool closed = false;
    doh_conn_dirty(conn);
    if (conn->state == DOH_CONN_HANDSHAKE && !shake_hands(conn))
        return false;
    if (conn->state == DOH_CONN_HANDSHAKE)
        return true;
    const char *error = feed(conn, &closed);
    deliver(conn);
    if (!error && closed)
        say_farewell(conn);
    if (error || closed) {
        doh_conn_lose(conn, error ? DOH_E_HTTP : DOH_OK, error);
        return false;
    }
    return look_after(conn);
}

static void ended(struct doh_conn *conn, ssize_t n)
{
    if (n < 0) {
        doh_conn_lose_errno(conn, "the connection with", errno);
    } else if (conn->state == DOH_CONN_HANDSHAKE) {
        doh_conn_lose(conn, DOH_E_UNREACHABLE,
                      "the server closed the connection during the TLS handshake");
    } else {
        say_farewell(conn);
        doh_conn_lose(conn, DOH_OK, NULL);
    }
}

/* It lives. When nobody waits for an answer any more, it is not known to be slow. */
static void heard(struct doh_conn *conn)
{
    if (conn->pinged_ms > 0 && !doh_list_empty(&conn->asks) && conn->doubts < DOUBTS_MAX)
        conn->doubts++;
    conn->silent_ms = conn->pinged_ms = 0;
    conn->suspect = false;
}

static void receive(struct doh_conn *conn)
{
    struct doh_buffer *in = doh_tls_in(conn->tls);
    for (unsigned i = 0; i < READS_MAX; i++) {
        uint8_t *room = doh_buffer_room(in, READ_LEN);
        if (!room) {
            doh_conn_lose(conn, DOH_E_MEMORY, doh_err_text(DOH_E_MEMORY));
            return;
        }
        ssize_t n = recv(conn->fd, room, READ_LEN, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            ended(conn, n);
            return;
        }
        doh_buffer_added(in, (size_t)n);
        heard(conn);
        if (!advance(conn))
            return;
        if (conn->silent_ms == 0 && !doh_list_empty(&conn->asks)) {
            conn->silent_ms = doh_conn_now(conn);
            doh_conn_arm(conn);
        }
        if ((size_t)n < READ_LEN)
            return;
    }
}

static bool listen_for(struct doh_conn *conn, int events)
{
    int rc = uv_poll_start(&conn->poll, events, doh_conn_on_poll);
    if (rc == 0)
        return true;
    doh_conn_lose(conn, DOH_E_UNREACHABLE, uv_strerror(rc));
    return false;
}

static void connected(struct doh_conn *conn)
{
    int number = 0;
    socklen_t len = sizeof number;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
        number = errno;
    if (number != 0) {
        doh_conn_lose_errno(conn, "cannot connect to", number);
        return;
    }
    len = sizeof conn->local.sa;
    if (getsockname(conn->fd, &conn->local.sa.any, &len) != 0)
        conn->local = (struct doh_address){0}; /* then no address is its own */
    conn->state = DOH_CONN_HANDSHAKE;
    if (listen_for(conn, UV_READABLE) && doh_conn_send_early(conn))
        (void)advance(conn);
}

void doh_conn_on_poll(uv_poll_t *poll, int status, int events)
{
    struct doh_conn *conn = DOH_ITEM(poll, struct doh_conn, poll);
    if (conn->state == DOH_CONN_CONNECTING) {
        connected(conn);
        return;
    }
    if (events & UV_WRITABLE) {
        conn->blocked = false;
        doh_conn_dirty(conn);
        if (!listen_for(conn, UV_READABLE))
            return;
    }
    /* With an error libuv tells nothing but that; recv() gives what is left, then the reason. */
    if ((events & UV_READABLE) || status < 0)
        receive(conn);
    if (status < 0 && conn->state != DOH_CONN_CLOSED)
        doh_conn_lose_errno(conn, "the connection with", ECONNRESET);
}

/* --- sending ------------------------------------------------------------------------------- */

static bool seal(struct doh_conn *conn)
{
    struct doh_buffer plain = doh_buffer_init(DOH_PLAIN_MAX);
    bool done = doh_h2_take(conn->h2, &plain) &&
                doh_tls_write(conn->tls, doh_buffer_front(&plain), doh_buffer_used(&plain));
    doh_buffer_deinit(&plain);
    return done;
}

/* False: the connection is lost. */
static bool push(struct doh_conn *conn)
{
    struct doh_buffer *out = doh_tls_out(conn->tls);
    while (doh_buffer_used(out) > 0) {
        ssize_t n = send(conn->fd, doh_buffer_front(out), doh_buffer_used(out), MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            conn->blocked = true;
            return listen_for(conn, UV_READABLE | UV_WRITABLE);
        }
        if (n < 0 && errno != EINTR) {
            doh_conn_lose_errno(conn, "the connection with", errno);
            return false;
        }
        if (n > 0)
            doh_buffer_drop(out, (size_t)n);
    }
    return true;
}

void doh_conn_flush(struct doh_conn *conn)
{
    bool ready = conn->state >= DOH_CONN_HANDSHAKE && conn->state <= DOH_CONN_DRAINING;
    if (!conn->dirty || conn->blocked || !ready)
        return;
    conn->dirty = false;
    bool open = conn->state >= DOH_CONN_OPEN;
    if (open && !seal(conn)) {
        doh_conn_lose(conn, DOH_E_HTTP, "the HTTP/2 session failed");
        return;
    }
    if (!push(conn) || !open)
        return;
    deliver(conn); /* a stream may have ended because it could not be sent */
    (void)look_after(conn);
}

/* --- questions ----------------------------------------------------------------------------- */

bool doh_conn_is_good(const struct doh_conn *conn)
{
    return conn->state == DOH_CONN_OPEN && !conn->suspect;
}

bool doh_conn_is_worn(const struct doh_conn *conn)
{
    return doh_learned_worn(&conn->upstream->learned, doh_conn_now(conn), conn->sent);
}

/* Nothing while the socket is full: what waits here may still go elsewhere, and a limit that is
 * lowered meanwhile would have nghttp2 park it. */
uint32_t doh_conn_room(const struct doh_conn *conn)
{
    return doh_conn_is_good(conn) && !conn->blocked ? doh_h2_room(conn->h2) : 0;
}

bool doh_conn_send(struct doh_conn *conn, struct doh_ask *ask)
{
    const struct doh_fetch *fetch = ask->fetch;
    struct doh_h2_request request = {
        .url = conn->upstream->url,
        .wire = fetch->wire,
        .len = fetch->len,
        .get = conn->upstream->get,
        .fresh = fetch->fresh,
        .user = ask,
    };
    int32_t stream = doh_h2_submit(conn->h2, &request);
    if (stream == 0)
        return false;
    doh_list_remove(&ask->link);
    doh_list_append(&conn->asks, &ask->link);
    ask->conn = conn;
    ask->stream = stream;
    ask->get = request.get;
    ask->early = false;
    ask->left = true;
    conn->sent++;
    ask->sent_ms = conn->active_ms = doh_conn_now(conn);
    if (conn->silent_ms == 0)
        conn->silent_ms = ask->sent_ms;
    doh_conn_arm(conn);
    doh_conn_dirty(conn);
    return true;
}

void doh_conn_forget(struct doh_conn *conn, struct doh_ask *ask)
{
    doh_h2_cancel(conn->h2, ask->stream);
    doh_list_remove(&ask->link);
    ask->conn = NULL;
    doh_conn_dirty(conn);
}

void doh_conn_drain(struct doh_conn *conn)
{
    if (conn->state != DOH_CONN_OPEN)
        return;
    conn->state = DOH_CONN_DRAINING;
    doh_conn_dirty(conn);
}
