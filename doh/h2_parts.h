/* SPDX-License-Identifier: MIT */
/* What h2.c (the session) and h2_stream.c (one request and what comes back) share. */
#ifndef DOH_H2_PARTS_H
#define DOH_H2_PARTS_H

#include "doh/h2.h"
#include "doh/list.h"

#include <nghttp2/nghttp2.h>

/*            response ends   we cancel    session closes it   taken by the owner
 * OPEN       FINISHED        CANCELLED    FINISHED            -
 * FINISHED   -               CANCELLED    (closed)            TAKEN
 * CANCELLED  -               -            freed               -
 * TAKEN      -               -            freed               -
 * It is freed when nghttp2 has closed it and nobody waits for it; in either order. */
enum doh_h2_stream_state {
    DOH_H2_STREAM_OPEN,
    DOH_H2_STREAM_FINISHED,
    DOH_H2_STREAM_CANCELLED,
    DOH_H2_STREAM_TAKEN
};

struct doh_h2_stream {
    struct doh_list link; /* in `open`, `finished`, or `leaving` */
    enum doh_h2_stream_state state;
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
    struct doh_h2_stream *lent; /* its body is what the owner looks at now */
    uint32_t count;             /* streams that nghttp2 has not closed */
    uint32_t limit;             /* remembered from earlier connections, until SETTINGS arrive */
    bool told;                  /* SETTINGS have arrived */
    int64_t now_s;
};

/* h2_stream.c */
struct doh_h2_stream *doh_h2_stream_new(const struct doh_h2_request *request);
void doh_h2_stream_free(struct doh_h2_stream *s);
/* What the session tells of its streams moves them between these lists, and counts them. */
void doh_h2_stream_listen(nghttp2_session_callbacks *callbacks);
/* Gives nghttp2 the octets of a POST, whose stream is the source. */
ssize_t doh_h2_stream_query(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                            uint32_t *flags, nghttp2_data_source *source, void *user_data);

#endif
