// SPDX-License-Identifier: MIT
#include "tests/upstream/server.h"

#include <openssl/err.h>

#include <stdlib.h>

enum { BACKLOG = 128 };

struct writing {
    uv_write_t request;
    struct conn *conn;
    char octets[];
};

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    nghttp2_session_del(conn->h2);
    SSL_free(conn->ssl);
    free(conn);
}

/* Everything of the connection ends here, once; the memory goes in on_closed(). */
static bool begin_close(struct conn *conn)
{
    if (conn->closing)
        return false;
    conn->closing = true;
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    http_forget(conn);
    return true;
}

static void conn_close(struct conn *conn)
{
    if (begin_close(conn))
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void conn_reset(struct conn *conn)
{
    if (begin_close(conn) && uv_tcp_close_reset(&conn->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct writing *writing = (struct writing *)request;
    struct conn *conn = writing->conn;
    free(writing);
    if (conn->closing)
        return;
    if (status < 0 || (conn->finishing && conn->tcp.write_queue_size == 0))
        conn_close(conn);
}

/* What TLS has for the wire. */
static void flush_tls(struct conn *conn)
{
    size_t pending = BIO_ctrl_pending(conn->out);
    if (pending == 0) {
        if (conn->finishing && conn->tcp.write_queue_size == 0)
            conn_close(conn);
        return;
    }
    struct writing *writing = must_alloc(sizeof *writing + pending);
    writing->conn = conn;
    int len = BIO_read(conn->out, writing->octets, (int)pending);
    uv_buf_t buf = uv_buf_init(writing->octets, len > 0 ? (unsigned)len : 0);
    if (uv_write(&writing->request, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) {
        free(writing);
        conn_close(conn);
    }
}

void conn_flush(struct conn *conn)
{
    if (conn->closing)
        return;
    const uint8_t *data;
    ssize_t len = 0;
    while (conn->h2 && (len = nghttp2_session_mem_send(conn->h2, &data)) > 0)
        (void)SSL_write(conn->ssl, data, (int)len); /* into memory: never short */
    if (len < 0 || (conn->when_idle && !conn->exchanges))
        conn->finishing = true;
    flush_tls(conn);
}

void conn_send_raw(struct conn *conn, const void *octets, int len)
{
    (void)SSL_write(conn->ssl, octets, len);
    flush_tls(conn);
}

static bool shake_hands(struct conn *conn)
{
    int r = SSL_do_handshake(conn->ssl);
    if (r == 1) {
        uint32_t max_streams = rules_max_streams(&conn->server->upstream->rules);
        conn->h2 = http_session_new(conn, max_streams);
        return conn->h2 != NULL;
    }
    return SSL_get_error(conn->ssl, r) == SSL_ERROR_WANT_READ;
}

/* False: the peer is to be left. */
static bool read_tls(struct conn *conn)
{
    uint8_t plain[16384];
    if (!conn->h2 && !shake_hands(conn))
        return false;
    while (conn->h2) {
        int len = SSL_read(conn->ssl, plain, sizeof plain);
        if (len <= 0)
            return SSL_get_error(conn->ssl, len) == SSL_ERROR_WANT_READ;
        if (nghttp2_session_mem_recv(conn->h2, plain, (size_t)len) < 0)
            return false;
    }
    return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct conn *conn = handle->data;
    *buf = uv_buf_init(conn->rx, sizeof conn->rx);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (conn->closing || len == 0)
        return;
    if (len < 0) {
        conn_close(conn);
        return;
    }
    (void)BIO_write(conn->in, buf->base, (int)len);
    ERR_clear_error();
    if (!read_tls(conn))
        conn->finishing = true; /* an alert may still have to leave */
    conn_flush(conn);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    if (status < 0)
        return;
    struct conn *conn = must_alloc(sizeof *conn);
    (void)uv_tcp_init(listener->loop, &conn->tcp);
    conn->tcp.data = conn;
    conn->server = server;
    conn->id = ++server->next_id;
    conn->next = server->conns;
    conn->link = &server->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    server->conns = conn;
    conn->ssl = SSL_new(server->tls);
    conn->in = BIO_new(BIO_s_mem());
    conn->out = BIO_new(BIO_s_mem());
    SSL_set_bio(conn->ssl, conn->in, conn->out);
    SSL_set_accept_state(conn->ssl);
    server->upstream->stats.connections++;
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0) {
        conn_close(conn);
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
}

bool server_listen(struct server *server, uv_loop_t *loop, uint16_t *port)
{
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int bound_len = sizeof bound;
    (void)uv_ip4_addr("127.0.0.1", *port, &address);
    (void)uv_tcp_init(loop, &server->listener);
    server->listener.data = server;
    if (uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection) != 0 ||
        uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &bound_len) != 0)
        return false;
    *port = ntohs(((const struct sockaddr_in *)&bound)->sin_port);
    return true;
}

void server_close(struct server *server)
{
    while (server->conns)
        conn_close(server->conns);
    uv_close((uv_handle_t *)&server->listener, NULL);
}
