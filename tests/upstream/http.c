// SPDX-License-Identifier: MIT
/* DoH requests (RFC 8484) as HTTP/2 streams, and what a lie makes of their answers. An exchange
 * lives from its HEADERS until its stream has closed, and always answers from its timer, never from
 * inside a callback of nghttp2. */
#include "tests/upstream/server.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 65535, SLOW_PIECE = 16 };

struct exchange {
    uv_timer_t timer;
    struct conn *conn; /* NULL when the stream has closed */
    struct exchange *next, **link;
    int32_t stream;
    char method[16], path[2048], content_type[64];
    char headers[RECORDED_HEADERS];
    bool fresh;
    uint8_t *body;
    size_t body_len;
    struct outcome outcome;
    uint32_t sent, credit; /* octets of the answer's body; credit bounds a slow one */
};

static void on_timer_closed(uv_handle_t *handle)
{
    struct exchange *ex = handle->data;
    free(ex->body);
    free(ex);
}

static void exchange_end(struct exchange *ex)
{
    *ex->link = ex->next;
    if (ex->next)
        ex->next->link = ex->link;
    ex->conn = NULL;
    uv_close((uv_handle_t *)&ex->timer, on_timer_closed);
}

void http_forget(struct conn *conn)
{
    while (conn->exchanges)
        exchange_end(conn->exchanges);
}

static struct exchange *exchange_new(struct conn *conn, int32_t stream)
{
    struct exchange *ex = must_alloc(sizeof *ex);
    (void)uv_timer_init(conn->tcp.loop, &ex->timer);
    ex->timer.data = ex;
    ex->conn = conn;
    ex->stream = stream;
    ex->next = conn->exchanges;
    ex->link = &conn->exchanges;
    if (ex->next)
        ex->next->link = &ex->next;
    conn->exchanges = ex;
    return ex;
}

/* --- answering ----------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *h2, int32_t stream, uint8_t *buf, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)h2;
    (void)stream;
    (void)arg;
    struct exchange *ex = source->ptr;
    size_t n = ex->outcome.len - ex->sent;
    if (ex->outcome.slow_ms > 0) {
        if (ex->credit == 0)
            return NGHTTP2_ERR_DEFERRED;
        n = n < ex->credit ? n : ex->credit;
        ex->credit = 0;
    }
    n = n < cap ? n : cap;
    memcpy(buf, ex->outcome.wire + ex->sent, n);
    ex->sent += (uint32_t)n;
    if (ex->sent == ex->outcome.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void on_slow(uv_timer_t *timer)
{
    struct exchange *ex = timer->data;
    ex->credit = SLOW_PIECE;
    (void)nghttp2_session_resume_data(ex->conn->h2, ex->stream);
    conn_flush(ex->conn); /* may end ex */
}

static void add_header(nghttp2_nv *headers, size_t *count, const char *name, const char *value)
{
    headers[(*count)++] = (nghttp2_nv){
        (uint8_t *)name, (uint8_t *)value, /* nghttp2 copies them */
        strlen(name),    strlen(value),    NGHTTP2_NV_FLAG_NONE,
    };
}

static void submit(struct exchange *ex)
{
    const struct outcome *o = &ex->outcome;
    char status[16], length[16], age[24], retry[24];
    nghttp2_nv headers[6];
    size_t count = 0;
    (void)snprintf(status, sizeof status, "%u", o->status);
    (void)snprintf(length, sizeof length, "%u", o->len);
    add_header(headers, &count, ":status", status);
    add_header(headers, &count, "content-type", o->media);
    add_header(headers, &count, "content-length", length);
    if (o->age >= 0) {
        (void)snprintf(age, sizeof age, "%lld", (long long)o->age);
        add_header(headers, &count, "age", age);
    }
    if (o->retry_after >= 0) {
        (void)snprintf(retry, sizeof retry, "%lld", (long long)o->retry_after);
        add_header(headers, &count, "retry-after", retry);
    }
    if (o->alt_svc[0])
        add_header(headers, &count, "alt-svc", o->alt_svc);
    nghttp2_data_provider body = {.source = {.ptr = ex}, .read_callback = read_body};
    (void)nghttp2_submit_response(ex->conn->h2, ex->stream, headers, count, &body);
    if (o->slow_ms > 0)
        (void)uv_timer_start(&ex->timer, on_slow, o->slow_ms, o->slow_ms);
}

static void go_away(struct exchange *ex)
{
    struct conn *conn = ex->conn;
    int32_t last = ex->outcome.goaway_last;
    if (last < 0)
        submit(ex);
    else
        conn->finishing = true;
    conn->when_idle = true;
    (void)nghttp2_submit_goaway(conn->h2, NGHTTP2_FLAG_NONE, last < 0 ? ex->stream : last,
                                NGHTTP2_NO_ERROR, NULL, 0);
}

static void on_due(uv_timer_t *timer)
{
    static const char garbage[] = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nno!";
    struct exchange *ex = timer->data;
    struct conn *conn = ex->conn;
    if (ex->outcome.sending != SEND_NOTHING)
        upstream_answered(conn->server->upstream);
    conn->when_idle = conn->when_idle || ex->outcome.close_after;
    switch (ex->outcome.sending) {
    case SEND_ANSWER: submit(ex); break;
    case SEND_NOTHING: return;
    case SEND_TCP_RESET: conn_reset(conn); return;
    case SEND_STREAM_RESET:
        (void)nghttp2_submit_rst_stream(conn->h2, NGHTTP2_FLAG_NONE, ex->stream,
                                        NGHTTP2_INTERNAL_ERROR);
        break;
    case SEND_GOAWAY: go_away(ex); break;
    case SEND_GARBAGE: conn_send_raw(conn, garbage, sizeof garbage - 1); return;
    }
    conn_flush(conn);
}

/* --- asking -------------------------------------------------------------------------------- */

/* RFC 4648 5 without padding, as RFC 8484 6 wants it. Length, -1 when it is not that. */
static int base64url(const char *text, uint8_t *out, size_t cap)
{
    char padded[2048 + 4];
    size_t len = strcspn(text, "&");
    if (len >= 2048 || (len + 3) / 4 * 3 > cap)
        return -1;
    for (size_t i = 0; i < len; i++) {
        padded[i] = text[i];
        if (text[i] == '-')
            padded[i] = '+';
        else if (text[i] == '_')
            padded[i] = '/';
    }
    size_t pad = (4 - len % 4) % 4;
    memset(padded + len, '=', pad);
    int n = EVP_DecodeBlock(out, (const uint8_t *)padded, (int)(len + pad));
    return n < 0 || pad > 2 ? -1 : n - (int)pad;
}

static void ask(struct exchange *ex, const char *via, const uint8_t *wire, size_t len)
{
    struct origin origin = {via, ex->conn->id, (unsigned)ex->stream, ex->fresh, ex->headers};
    if (!upstream_ask(ex->conn->server->upstream, &origin, wire, len, &ex->outcome))
        ex->outcome.status = 400;
}

static void take_request(struct exchange *ex)
{
    static const char path[] = "/dns-query";
    uint8_t wire[2048];
    size_t path_len = sizeof path - 1;
    bool get = strcmp(ex->method, "GET") == 0;
    ex->outcome = (struct outcome){.retry_after = -1, .age = -1, .media = "text/plain"};
    if (strncmp(ex->path, path, path_len) != 0 || strcspn(ex->path + path_len, "?") != 0) {
        ex->outcome.status = 404;
    } else if (get) {
        const char *dns = strstr(ex->path, "dns=");
        int len = dns ? base64url(dns + 4, wire, sizeof wire) : -1;
        if (len < 0)
            ex->outcome.status = 400;
        else
            ask(ex, "get", wire, (size_t)len);
    } else if (strcmp(ex->method, "POST") != 0) {
        ex->outcome.status = 405;
    } else if (strcmp(ex->content_type, "application/dns-message") != 0) {
        ex->outcome.status = 415;
    } else if (ex->body_len > BODY_MAX) {
        ex->outcome.status = 413;
    } else {
        ask(ex, "post", ex->body, ex->body_len);
    }
    (void)uv_timer_start(&ex->timer, on_due, ex->outcome.delay_ms, 0);
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    struct conn *conn = arg;
    if (frame->hd.type == NGHTTP2_HEADERS)
        (void)nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id,
                                                   exchange_new(conn, frame->hd.stream_id));
    return 0;
}

static void keep(char *field, size_t cap, const uint8_t *value, size_t len)
{
    (void)snprintf(field, cap, "%.*s", (int)len, (const char *)value);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)name_len; /* nghttp2 ends both with a NUL */
    (void)flags;
    (void)arg;
    struct exchange *ex = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (!ex)
        return 0;
    const char *header = (const char *)name;
    size_t used = strlen(ex->headers);
    (void)snprintf(ex->headers + used, sizeof ex->headers - used, "%s%s", used ? "," : "", header);
    if (strcmp(header, ":method") == 0)
        keep(ex->method, sizeof ex->method, value, value_len);
    else if (strcmp(header, ":path") == 0)
        keep(ex->path, sizeof ex->path, value, value_len);
    else if (strcmp(header, "content-type") == 0)
        keep(ex->content_type, sizeof ex->content_type, value, value_len);
    else if (strcmp(header, "cache-control") == 0)
        ex->fresh = strstr((const char *)value, "no-cache") != NULL;
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *arg)
{
    (void)flags;
    (void)arg;
    struct exchange *ex = nghttp2_session_get_stream_user_data(h2, stream);
    if (!ex || ex->body_len > BODY_MAX)
        return 0;
    uint8_t *longer = realloc(ex->body, ex->body_len + len);
    if (!longer)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    memcpy(longer + ex->body_len, data, len);
    ex->body = longer;
    ex->body_len += len;
    return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    bool request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!request || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    struct exchange *ex = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (ex)
        take_request(ex);
    return 0;
}

static int on_stream_closed(nghttp2_session *h2, int32_t stream, uint32_t code, void *arg)
{
    (void)code;
    (void)arg;
    struct exchange *ex = nghttp2_session_get_stream_user_data(h2, stream);
    if (ex)
        exchange_end(ex);
    return 0;
}

nghttp2_session *http_session_new(struct conn *conn, uint32_t max_streams)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *h2 = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    int err = nghttp2_session_server_new(&h2, callbacks, conn);
    nghttp2_session_callbacks_del(callbacks);
    if (err != 0)
        return NULL;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams},
    };
    (void)nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, settings, 1);
    return h2;
}
