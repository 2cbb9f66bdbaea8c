// SPDX-License-Identifier: MIT
#include "doh/h2.h"

#include "doh/list.h"

#include <nghttp2/nghttp2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_WINDOW (1 << 20)
#define STREAM_WINDOW (128u << 10) /* 65535 would be one octet short of a padded 64 KiB answer */
#define HEADER_LIST_MAX (16u << 10)

/*            response ends   we cancel    session closes it   taken by the owner
 * OPEN       FINISHED        CANCELLED    FINISHED            -
 * FINISHED   -               CANCELLED    (closed)            TAKEN
 * CANCELLED  -               -            freed               -
 * TAKEN      -               -            freed               -
 * It is freed when nghttp2 has closed it and nobody waits for it; in either order. */
enum stream_state { STREAM_OPEN, STREAM_FINISHED, STREAM_CANCELLED, STREAM_TAKEN };

struct stream {
    struct doh_list link; /* in `open`, `finished`, or `leaving` */
    enum stream_state state;
    enum doh_h2_end end;
    bool closed; /* nghttp2 knows it no more */
    bool final;  /* the head of the final response is complete; what follows are trailers */
    bool ended;  /* END_STREAM was seen */
    int32_t id;
    void *user;
    struct doh_head head;
    struct doh_buffer body;
    uint32_t sent, len; /* of query */
    uint8_t query[];    /* POST: our copy, since nghttp2 may ask for it after a cancel */
};

struct doh_h2 {
    nghttp2_session *session;
    struct doh_list open, finished, leaving;
    struct stream *lent; /* its body is what the owner looks at now */
    uint32_t count;      /* streams that nghttp2 has not closed */
    uint32_t limit;      /* remembered from earlier connections, until SETTINGS arrive */
    bool told;           /* SETTINGS have arrived */
    int64_t now_s;
};

static void free_stream(struct stream *s)
{
    doh_list_remove(&s->link);
    doh_buffer_deinit(&s->body);
    free(s);
}

static void finish(struct doh_h2 *h2, struct stream *s, enum doh_h2_end end)
{
    if (s->state != STREAM_OPEN)
        return;
    s->state = STREAM_FINISHED;
    s->end = end;
    doh_list_remove(&s->link);
    doh_list_append(&h2->finished, &s->link);
}

static struct stream *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    (void)flags;
    const struct doh_h2 *h2 = user_data;
    struct stream *s = find(session, frame->hd.stream_id);
    if (s && s->state == STREAM_OPEN && !s->final)
        doh_head_field(&s->head, name, name_len, value, value_len, h2->now_s);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct doh_h2 *h2 = user_data;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        h2->told = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct stream *s = find(session, frame->hd.stream_id);
    if (!s)
        return 0;
    s->final = s->final || s->head.status >= 200;
    s->ended = s->ended || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user_data)
{
    (void)flags;
    struct doh_h2 *h2 = user_data;
    struct stream *s = find(session, id);
    if (!s || s->state != STREAM_OPEN || doh_buffer_add(&s->body, data, len))
        return 0;
    /* A callback that fails would end every stream; this gives up just the one. */
    finish(h2, s, DOH_H2_OVERSIZE);
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL) ==
                   NGHTTP2_ERR_NOMEM
               ? NGHTTP2_ERR_CALLBACK_FAILURE
               : 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user_data)
{
    struct doh_h2 *h2 = user_data;
    struct stream *s = find(session, id);
    if (!s)
        return 0;
    h2->count--;
    s->closed = true;
    if (s->state == STREAM_CANCELLED || s->state == STREAM_TAKEN) {
        free_stream(s);
        return 0;
    }
    bool whole = error_code == NGHTTP2_NO_ERROR && s->final && s->ended;
    finish(h2, s,
           whole                                  ? DOH_H2_RESPONSE
           : error_code == NGHTTP2_REFUSED_STREAM ? DOH_H2_UNTOUCHED
                                                  : DOH_H2_RESET);
    return 0;
}

static ssize_t on_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                       uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)session;
    (void)id;
    (void)user_data;
    struct stream *s = source->ptr;
    uint32_t n = s->len - s->sent < cap ? s->len - s->sent : (uint32_t)cap;
    memcpy(buf, s->query + s->sent, n);
    s->sent += n;
    if (s->sent == s->len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int open_session(struct doh_h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rc = NGHTTP2_ERR_NOMEM;
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
        goto out;
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
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
        free_stream(DOH_ITEM(i, struct stream, link));
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
                            struct stream *s, const char *path)
{
    char length[16];
    size_t n = 0;
    nghttp2_nv nv[9];
    nghttp2_data_provider body = {.source = {.ptr = s}, .read_callback = on_body};
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

static struct stream *new_stream(const struct doh_h2_request *request)
{
    uint32_t len = request->get ? 0 : request->len;
    struct stream *s = calloc(1, sizeof *s + len);
    if (!s)
        return NULL;
    doh_list_init(&s->link);
    s->user = request->user;
    s->body = doh_buffer_init(DOH_BODY_MAX);
    s->len = len;
    if (len > 0)
        memcpy(s->query, request->wire, len);
    return s;
}

int32_t doh_h2_submit(struct doh_h2 *h2, const struct doh_h2_request *request)
{
    const struct doh_url *url = request->url;
    char *get_path = NULL;
    if (doh_h2_room(h2) == 0)
        return 0;
    struct stream *s = new_stream(request);
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
        free_stream(s);
        return 0;
    }
    doh_list_append(&h2->open, &s->link);
    h2->count++;
    return s->id;
}

/* Not by find(): until its HEADERS are sent nghttp2 does not know the stream, and after its end no
 * more. */
static struct stream *find_in(struct doh_list *list, int32_t id)
{
    for (struct doh_list *i = list->next; i != list; i = i->next) {
        struct stream *s = DOH_ITEM(i, struct stream, link);
        if (s->id == id)
            return s;
    }
    return NULL;
}

void doh_h2_cancel(struct doh_h2 *h2, int32_t id)
{
    struct stream *s = find_in(&h2->open, id);
    if (!s)
        s = find_in(&h2->finished, id);
    if (!s)
        return;
    if (s->closed) {
        free_stream(s);
        return;
    }
    s->state = STREAM_CANCELLED;
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
    struct stream *s = h2->lent;
    h2->lent = NULL;
    if (s && s->closed)
        free_stream(s);
}

bool doh_h2_next(struct doh_h2 *h2, struct doh_h2_response *ret)
{
    return_lent(h2);
    if (doh_list_empty(&h2->finished))
        return false;
    struct stream *s = DOH_ITEM(h2->finished.next, struct stream, link);
    doh_list_remove(&s->link);
    doh_list_append(&h2->leaving, &s->link);
    s->state = STREAM_TAKEN;
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
