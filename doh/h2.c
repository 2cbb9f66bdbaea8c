// SPDX-License-Identifier: MIT
#include "doh/h2.h"

#include "doh/h2_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_WINDOW (1 << 20)
#define STREAM_WINDOW (128u << 10) /* 65535 would be one octet short of a padded 64 KiB answer */
#define HEADER_LIST_MAX (16u << 10)

static int open_session(struct doh_h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rc = NGHTTP2_ERR_NOMEM;
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
        goto out;
    doh_h2_stream_listen(callbacks);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, h2->limit);
    rc = nghttp2_session_client_new2(&h2->session, callbacks, h2, option);
out:
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return rc;
}

static int greet(struct doh_h2 *h2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_MAX},
    };
    int rc = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                     sizeof settings / sizeof settings[0]);
    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                   CONNECTION_WINDOW);
    return rc;
}

struct doh_h2 *doh_h2_new(uint32_t limit)
{
    struct doh_h2 *h2 = calloc(1, sizeof *h2);
    if (!h2)
        return NULL;
    doh_list_init(&h2->open);
    doh_list_init(&h2->finished);
    doh_list_init(&h2->leaving);
    h2->limit = limit;
    if (open_session(h2) != 0 || greet(h2) != 0) {
        doh_h2_free(h2);
        return NULL;
    }
    return h2;
}

static void free_all(struct doh_list *list)
{
    struct doh_list *next;
    for (struct doh_list *i = list->next; i != list; i = next) {
        next = i->next;
        doh_h2_stream_free(DOH_ITEM(i, struct doh_h2_stream, link));
    }
}

void doh_h2_free(struct doh_h2 *h2)
{
    if (!h2)
        return;
    nghttp2_session_del(h2->session); /* calls nothing back */
    free_all(&h2->open);
    free_all(&h2->finished);
    free_all(&h2->leaving);
    free(h2);
}

uint32_t doh_h2_limit(const struct doh_h2 *h2)
{
    if (!h2->told)
        return h2->limit;
    return nghttp2_session_get_remote_settings(h2->session,
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool doh_h2_draining(const struct doh_h2 *h2)
{
    return !nghttp2_session_check_request_allowed(h2->session);
}

/* nghttp2 takes any number of requests and silently parks those beyond the peer's limit, where no
 * deadline and no other connection reaches them; so the limit is kept here. */
uint32_t doh_h2_room(const struct doh_h2 *h2)
{
    uint32_t limit = doh_h2_limit(h2);
    if (limit > DOH_STREAMS_MAX)
        limit = DOH_STREAMS_MAX;
    return doh_h2_draining(h2) || h2->count >= limit ? 0 : limit - h2->count;
}

/* nghttp2 copies what these point to and never writes to it, but its type does not say so. */
static uint8_t *octets_of(const char *text)
{
    union {
        const char *text;
        uint8_t *octets;
    } same = {.text = text};
    return same.octets;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){octets_of(name), octets_of(value), strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static int32_t send_headers(struct doh_h2 *h2, const struct doh_h2_request *request,
                            struct doh_h2_stream *s, const char *path)
{
    char length[16];
    size_t n = 0;
    nghttp2_nv nv[9];
    nghttp2_data_provider body = {.source = {.ptr = s}, .read_callback = doh_h2_stream_query};
    (void)snprintf(length, sizeof length, "%u", request->len);
    nv[n++] = field(":method", request->get ? "GET" : "POST");
    nv[n++] = field(":scheme", "https");
    nv[n++] = field(":authority", request->url->authority);
    nv[n++] = field(":path", path);
    nv[n++] = field("accept", "application/dns-message");
    if (!request->get) {
        nv[n++] = field("content-type", "application/dns-message");
        nv[n++] = field("content-length", length);
    }
    if (request->fresh)
        nv[n++] = field("cache-control", "no-cache");
    return nghttp2_submit_request(h2->session, NULL, nv, n, request->get ? NULL : &body, s);
}

int32_t doh_h2_submit(struct doh_h2 *h2, const struct doh_h2_request *request)
{
    const struct doh_url *url = request->url;
    char *get_path = NULL;
    if (doh_h2_room(h2) == 0)
        return 0;
    struct doh_h2_stream *s = doh_h2_stream_new(request);
    if (!s)
        return 0;
    if (request->get) {
        get_path = malloc(doh_url_get_room(url, request->len));
        if (get_path)
            (void)doh_url_get_path(url, request->wire, request->len, get_path);
    }
    if (!request->get || get_path)
        s->id = send_headers(h2, request, s, request->get ? get_path : url->path);
    free(get_path);
    if (s->id <= 0) {
        doh_h2_stream_free(s);
        return 0;
    }
    doh_list_append(&h2->open, &s->link);
    h2->count++;
    return s->id;
}

/* Not asked of nghttp2: until its HEADERS are sent it does not know the stream, and after its end
 * no more. */
static struct doh_h2_stream *find_in(struct doh_list *list, int32_t id)
{
    for (struct doh_list *i = list->next; i != list; i = i->next) {
        struct doh_h2_stream *s = DOH_ITEM(i, struct doh_h2_stream, link);
        if (s->id == id)
            return s;
    }
    return NULL;
}

void doh_h2_cancel(struct doh_h2 *h2, int32_t id)
{
    struct doh_h2_stream *s = find_in(&h2->open, id);
    if (!s)
        s = find_in(&h2->finished, id);
    if (!s)
        return;
    if (s->closed) {
        doh_h2_stream_free(s);
        return;
    }
    s->state = DOH_H2_STREAM_CANCELLED;
    doh_list_remove(&s->link);
    doh_list_append(&h2->leaving, &s->link);
    /* Out of memory here only means that the answer still comes, and is dropped. */
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

const char *doh_h2_feed(struct doh_h2 *h2, const uint8_t *octets, size_t len, int64_t now_s)
{
    h2->now_s = now_s;
    ssize_t n = nghttp2_session_mem_recv(h2->session, octets, len);
    if (n < 0)
        return nghttp2_strerror((int)n);
    return (size_t)n == len ? NULL : "octets are left over";
}

bool doh_h2_take(struct doh_h2 *h2, struct doh_buffer *out)
{
    for (;;) {
        const uint8_t *octets;
        ssize_t n = nghttp2_session_mem_send(h2->session, &octets);
        if (n <= 0)
            return n == 0;
        if (!doh_buffer_add(out, octets, (size_t)n))
            return false;
    }
}

static void return_lent(struct doh_h2 *h2)
{
    struct doh_h2_stream *s = h2->lent;
    h2->lent = NULL;
    if (s && s->closed)
        doh_h2_stream_free(s);
}

bool doh_h2_next(struct doh_h2 *h2, struct doh_h2_response *ret)
{
    return_lent(h2);
    if (doh_list_empty(&h2->finished))
        return false;
    struct doh_h2_stream *s = DOH_ITEM(h2->finished.next, struct doh_h2_stream, link);
    doh_list_remove(&s->link);
    doh_list_append(&h2->leaving, &s->link);
    s->state = DOH_H2_STREAM_TAKEN;
    if (s->closed)
        h2->lent = s;
    *ret = (struct doh_h2_response){
        .user = s->user,
        .end = s->end,
        .head = s->head,
        .body = doh_buffer_front(&s->body),
        .len = (uint32_t)doh_buffer_used(&s->body),
    };
    return true;
}

bool doh_h2_over(const struct doh_h2 *h2)
{
    return !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session);
}

void doh_h2_ping(struct doh_h2 *h2)
{
    /* Without memory the doubt just remains. */
    (void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
}

void doh_h2_goodbye(struct doh_h2 *h2)
{
    /* A courtesy: without memory the connection just closes. */
    (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
}
