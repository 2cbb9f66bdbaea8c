// SPDX-License-Identifier: MIT
#include "doh/h2_parts.h"

#include <stdlib.h>
#include <string.h>

struct doh_h2_stream *doh_h2_stream_new(const struct doh_h2_request *request)
{
    uint32_t len = request->get ? 0 : request->len;
    struct doh_h2_stream *s = calloc(1, sizeof *s + len);
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

void doh_h2_stream_free(struct doh_h2_stream *s)
{
    doh_list_remove(&s->link);
    doh_buffer_deinit(&s->body);
    free(s);
}

static void finish(struct doh_h2 *h2, struct doh_h2_stream *s, enum doh_h2_end end)
{
    if (s->state != DOH_H2_STREAM_OPEN)
        return;
    s->state = DOH_H2_STREAM_FINISHED;
    s->end = end;
    doh_list_remove(&s->link);
    doh_list_append(&h2->finished, &s->link);
}

static struct doh_h2_stream *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    (void)flags;
    const struct doh_h2 *h2 = user_data;
    struct doh_h2_stream *s = find(session, frame->hd.stream_id);
    if (s && s->state == DOH_H2_STREAM_OPEN && !s->final)
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
    struct doh_h2_stream *s = find(session, frame->hd.stream_id);
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
    struct doh_h2_stream *s = find(session, id);
    if (!s || s->state != DOH_H2_STREAM_OPEN || doh_buffer_add(&s->body, data, len))
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
    struct doh_h2_stream *s = find(session, id);
    if (!s)
        return 0;
    h2->count--;
    s->closed = true;
    if (s->state == DOH_H2_STREAM_CANCELLED || s->state == DOH_H2_STREAM_TAKEN) {
        doh_h2_stream_free(s);
        return 0;
    }
    bool whole = error_code == NGHTTP2_NO_ERROR && s->final && s->ended;
    finish(h2, s,
           whole                                  ? DOH_H2_RESPONSE
           : error_code == NGHTTP2_REFUSED_STREAM ? DOH_H2_UNTOUCHED
                                                  : DOH_H2_RESET);
    return 0;
}

ssize_t doh_h2_stream_query(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    (void)session;
    (void)id;
    (void)user_data;
    struct doh_h2_stream *s = source->ptr;
    uint32_t n = s->len - s->sent < cap ? s->len - s->sent : (uint32_t)cap;
    memcpy(buf, s->query + s->sent, n);
    s->sent += n;
    if (s->sent == s->len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

void doh_h2_stream_listen(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
}
