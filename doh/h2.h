/* SPDX-License-Identifier: MIT */
/* The client side of one HTTP/2 connection (nghttp2) without I/O: octets in, octets out, exchanges
 * that end up in a list. nghttp2's callbacks only move exchanges; their owner is told by _finished
 * when it asks, after its own turn. */
#ifndef DOH_H2_H
#define DOH_H2_H

#include "doh/response.h"
#include "doh/url.h"

struct doh_h2;

enum doh_h2_end {
    DOH_H2_ANSWERED,  /* status and body are whole */
    DOH_H2_REFUSED,   /* the peer did not look at it: may be asked again without a thought */
    DOH_H2_RESET,     /* the peer gave the stream up */
    DOH_H2_TOO_LARGE, /* more than DOH_BODY_MAX octets: we gave it up */
    DOH_H2_LOST,      /* the connection ended first */
};

/* One request and its response. The caller's storage; in use from _submit until it is returned by
 * _finished or handed to _forget. */
struct doh_exchange {
    struct doh_exchange *next, *prev;
    const uint8_t *query; /* borrowed while in use */
    uint32_t query_len;
    uint64_t sent_ms; /* for the owner's deadlines */
    uint32_t sent;    /* of query */
    int32_t stream;
    bool finished;
    enum doh_h2_end end;
    struct doh_response response;
    uint8_t *body; /* owned; freed by doh_exchange_deinit() */
    uint32_t body_len, body_cap;
};
void doh_exchange_deinit(struct doh_exchange *exchange);

struct doh_h2 *doh_h2_new(void);     /* NULL: out of memory */
void doh_h2_free(struct doh_h2 *h2); /* nothing may be in use any more */

/* False: the session takes no more (GOAWAY, out of memory). */
bool doh_h2_submit(struct doh_h2 *h2, const struct doh_url *url, bool get, bool fresh,
                   struct doh_exchange *exchange);
/* The peer's octets. False: the connection is broken, all exchanges will end as LOST. */
bool doh_h2_feed(struct doh_h2 *h2, const uint8_t *octets, size_t len);
/* Octets to send, valid until the next call; 0: none. Negative: broken. */
long doh_h2_take(struct doh_h2 *h2, const uint8_t **ret);
/* Ends every exchange still open. */
void doh_h2_lose(struct doh_h2 *h2, enum doh_h2_end end);
/* The next exchange that has ended, which is then no longer in use; NULL: none. */
struct doh_exchange *doh_h2_finished(struct doh_h2 *h2);
/* Silently gives an exchange up; it is no longer in use. */
void doh_h2_forget(struct doh_h2 *h2, struct doh_exchange *exchange);

uint32_t doh_h2_open(const struct doh_h2 *h2);  /* exchanges under way */
uint32_t doh_h2_limit(const struct doh_h2 *h2); /* how many there may be now */
bool doh_h2_draining(const struct doh_h2 *h2);  /* GOAWAY was seen: nothing new */
bool doh_h2_over(const struct doh_h2 *h2);      /* neither side has anything to say */
struct doh_exchange *doh_h2_oldest(const struct doh_h2 *h2);

#endif
