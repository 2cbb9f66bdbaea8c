// SPDX-License-Identifier: MIT
#include "doh/h2.h"

#include <nghttp2/nghttp2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_BEFORE_SETTINGS 100u /* RFC 9113 6.5.2 recommends no less */
#define STREAM_WINDOW (128 * 1024)   /* a whole answer and its padding */
#define CONNECTION_WINDOW (1024 * 1024)
#define HEADER_LIST_MAX (16 * 1024)

struct list {
    struct doh_exchange *first, *last;
};

struct doh_h2 {
    nghttp2_session *session;
    struct list open, finished;
    uint32_t open_count;
    bool draining;
    bool settings_seen;
};

static void push(struct list *list, struct doh_exchange *x)
{
    x->next = NULL;
    x->prev = list->last;
    if (list->last)
        list->last->next = x;
    else
        list->first = x;
    list->last = x;
}

static void take(struct list *list, struct doh_exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else
        list->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    else
        list->last = x->prev;
}

static void finish(struct doh_h2 *h2, struct doh_exchange *x, enum doh_h2_end end)
{
    if (x->finished)
        return;
    take(&h2->open, x);
    h2->open_count--;
    x->finished = true;
    x->end = end;
    push(&h2->finished, x);
}

static struct doh_exchange *exchange_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

/* --- what nghttp2 tells ---------------------------------------------------------------------- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)flags;
    (void)arg;
    struct doh_exchange *x = exchange_of(session, frame->hd.stream_id);
    if (x && !x->finished && frame->hd.type == NGHTTP2_HEADERS)
        doh_response_header(&x->response, name, name_len, value, value_len);
    return 0;
}

/* Grows by doubling up to the cap; false when there is no memory. */
static bool reserve(struct doh_exchange *x, uint32_t need)
{
    if (need <= x->body_cap)
        return true;
    uint32_t cap = x->body_cap ? x->body_cap * 2 : 1024;
    while (cap < need)
        cap *= 2;
    uint8_t *grown = realloc(x->body, cap);
    if (!grown)
        return false;
    x->body = grown;
    x->body_cap = cap;
    return true;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *arg)
{
    (void)flags;
    struct doh_h2 *h2 = arg;
    struct doh_exchange *x = exchange_of(session, stream);
    if (!x || x->finished)
        return 0;
    if (len > DOH_BODY_MAX - x->body_len || !reserve(x, x->body_len + (uint32_t)len)) {
        finish(h2, x, DOH_H2_TOO_LARGE); /* just this stream is given up */
        (void)nghttp2_session_set_stream_user_data(session, stream, NULL);
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
        return 0;
    }
    memcpy(x->body + x->body_len, data, len);
    x->body_len += (uint32_t)len;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
    struct doh_h2 *h2 = arg;
    struct doh_exchange *x = exchange_of(session, stream);
    if (x)
        finish(h2, x,
               code == NGHTTP2_NO_ERROR         ? DOH_H2_ANSWERED
               : code == NGHTTP2_REFUSED_STREAM ? DOH_H2_REFUSED
                                                : DOH_H2_RESET);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)session;
    struct doh_h2 *h2 = arg;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->draining = true; /* nghttp2 closes the streams it does not cover as REFUSED */
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        h2->settings_seen = true;
    return 0;
}

static ssize_t read_query(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t cap,
                          uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)source;
    (void)arg;
    struct doh_exchange *x = exchange_of(session, stream);
    if (!x)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t left = x->query_len - x->sent;
    size_t n = left < cap ? left : cap;
    memcpy(buf, x->query + x->sent, n);
    x->sent += (uint32_t)n;
    if (x->sent == x->query_len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* --- life ------------------------------------------------------------------------------------ */

static nghttp2_session *session_new(struct doh_h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_option_set_no_closed_streams(option, 1);
        if (nghttp2_session_client_new2(&session, callbacks, h2, option) != 0)
            session = NULL;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

struct doh_h2 *doh_h2_new(void)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_MAX},
    };
    struct doh_h2 *h2 = calloc(1, sizeof *h2);
    if (!h2)
        return NULL;
    h2->session = session_new(h2);
    if (h2->session &&
        nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof *settings) == 0 &&
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW) == 0)
        return h2;
    doh_h2_free(h2);
    return NULL;
}

void doh_h2_free(struct doh_h2 *h2)
{
    if (!h2)
        return;
    nghttp2_session_del(h2->session);
    free(h2);
}

void doh_exchange_deinit(struct doh_exchange *exchange)
{
    free(exchange->body);
    exchange->body = NULL;
    exchange->body_len = exchange->body_cap = 0;
}

/* --- requests -------------------------------------------------------------------------------- */

/* Base64url without padding (RFC 8484 4.1). */
static void base64url(const uint8_t *data, uint32_t len, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    for (uint32_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        for (have += 8; have >= 6; have -= 6)
            *text++ = digits[bits >> (have - 6) & 63];
    }
    if (have > 0)
        *text++ = digits[bits << (6 - have) & 63];
    *text = '\0';
}

static nghttp2_nv pair(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name, /* nghttp2 copies, never writes */
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value),
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

bool doh_h2_submit(struct doh_h2 *h2, const struct doh_url *url, bool get, bool fresh,
                   struct doh_exchange *exchange)
{
    char path[DOH_PATH_MAX + 8 + 2048];
    char length[12];
    nghttp2_nv headers[8];
    size_t count = 0;
    const nghttp2_data_provider body = {.read_callback = read_query};
    if (h2->draining || (get && exchange->query_len > 1500))
        return false;
    int n = snprintf(path, sizeof path, "%s%s", url->path, get ? "?dns=" : "");
    if (get)
        base64url(exchange->query, exchange->query_len, path + n);
    (void)snprintf(length, sizeof length, "%u", exchange->query_len);
    headers[count++] = pair(":method", get ? "GET" : "POST");
    headers[count++] = pair(":scheme", "https");
    headers[count++] = pair(":authority", url->authority);
    headers[count++] = pair(":path", path);
    headers[count++] = pair("accept", "application/dns-message");
    if (fresh)
        headers[count++] = pair("cache-control", "no-cache");
    if (!get) {
        headers[count++] = pair("content-type", "application/dns-message");
        headers[count++] = pair("content-length", length);
    }
    exchange->sent = 0;
    exchange->finished = false;
    exchange->response = (struct doh_response){.status = 0};
    exchange->body_len = 0;
    exchange->stream =
        nghttp2_submit_request(h2->session, NULL, headers, count, get ? NULL : &body, exchange);
    if (exchange->stream < 0)
        return false;
    push(&h2->open, exchange);
    h2->open_count++;
    return true;
}

bool doh_h2_feed(struct doh_h2 *h2, const uint8_t *octets, size_t len)
{
    ssize_t n = nghttp2_session_mem_recv(h2->session, octets, len);
    return n >= 0 && (size_t)n == len;
}

long doh_h2_take(struct doh_h2 *h2, const uint8_t **ret)
{
    return nghttp2_session_mem_send(h2->session, ret);
}

void doh_h2_lose(struct doh_h2 *h2, enum doh_h2_end end)
{
    while (h2->open.first) {
        struct doh_exchange *x = h2->open.first;
        (void)nghttp2_session_set_stream_user_data(h2->session, x->stream, NULL);
        finish(h2, x, end);
    }
}

struct doh_exchange *doh_h2_finished(struct doh_h2 *h2)
{
    struct doh_exchange *x = h2->finished.first;
    if (x)
        take(&h2->finished, x);
    return x;
}

void doh_h2_forget(struct doh_h2 *h2, struct doh_exchange *exchange)
{
    if (exchange->finished) {
        take(&h2->finished, exchange);
        return;
    }
    take(&h2->open, exchange);
    h2->open_count--;
    (void)nghttp2_session_set_stream_user_data(h2->session, exchange->stream, NULL);
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, exchange->stream,
                                    NGHTTP2_CANCEL);
}

uint32_t doh_h2_open(const struct doh_h2 *h2)
{
    return h2->open_count;
}

uint32_t doh_h2_limit(const struct doh_h2 *h2)
{
    uint32_t peer =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (h2->draining)
        return 0;
    return !h2->settings_seen || peer > STREAMS_BEFORE_SETTINGS ? STREAMS_BEFORE_SETTINGS : peer;
}

bool doh_h2_draining(const struct doh_h2 *h2)
{
    return h2->draining;
}

bool doh_h2_over(const struct doh_h2 *h2)
{
    return !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session);
}

struct doh_exchange *doh_h2_oldest(const struct doh_h2 *h2)
{
    return h2->open.first;
}
