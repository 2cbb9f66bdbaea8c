/* SPDX-License-Identifier: MIT */
/* The HTTP/2 side of one connection (RFC 9113), without I/O: requests and the server's octets go
 * in, octets for the server and finished responses come out.
 *
 * Owner     one connection. Nothing is called back: finished responses wait in a list.
 * Bounds    the body of a response, all the octets waiting to be sent, and the number of streams;
 *           beyond the first only that stream is reset, beyond the second the session has failed.
 */
#ifndef DOH_H2_H
#define DOH_H2_H

#include "doh/buffer.h"
#include "doh/response.h"
#include "doh/url.h"

#define DOH_STREAMS_UNTOLD 100u /* streams before the peer's SETTINGS are known */
#define DOH_STREAMS_MAX 200u    /* never more, whatever the peer allows */

struct doh_h2;

struct doh_h2_request {
    const struct doh_url *url; /* borrowed for the call, like `wire` */
    const uint8_t *wire;
    uint32_t len;
    bool get;
    bool fresh; /* Cache-Control: no-cache */
    void *user; /* comes back with the response; not NULL */
};

enum doh_h2_end {
    DOH_H2_RESPONSE,  /* head and body are complete */
    DOH_H2_UNTOUCHED, /* the peer says that it has not looked at it (RFC 9113 8.7) */
    DOH_H2_RESET,     /* the peer gave the stream up, or it broke the protocol */
    DOH_H2_OVERSIZE,  /* more than DOH_BODY_MAX octets; we gave the stream up */
};
struct doh_h2_response {
    void *user;
    enum doh_h2_end end;
    struct doh_head head;
    const uint8_t *body; /* borrowed until the next call of any function here */
    uint32_t len;
};

/* `limit`: how many streams the peer allowed last time, DOH_STREAMS_UNTOLD when that is unknown.
 * NULL when out of memory. */
struct doh_h2 *doh_h2_new(uint32_t limit);
void doh_h2_free(struct doh_h2 *h2); /* NULL is fine; unfinished requests are forgotten */

uint32_t doh_h2_room(const struct doh_h2 *h2); /* how many requests may be submitted now */

/* The stream's number, or 0: out of memory, or no room. */
int32_t doh_h2_submit(struct doh_h2 *h2, const struct doh_h2_request *request);

/* Gives the stream of that number up; no response comes back for it any more. */
void doh_h2_cancel(struct doh_h2 *h2, int32_t id);

/* NULL, or why the session cannot go on (static). */
const char *doh_h2_feed(struct doh_h2 *h2, const uint8_t *octets, size_t len, int64_t now_s);

/* Moves what is to be sent to `out`; false when it does not fit, or memory or the session failed.
 */
bool doh_h2_take(struct doh_h2 *h2, struct doh_buffer *out);

bool doh_h2_next(struct doh_h2 *h2, struct doh_h2_response *ret);

/* GOAWAY was received or sent: nothing new may be submitted (RFC 9113 6.8). */
bool doh_h2_draining(const struct doh_h2 *h2);
bool doh_h2_over(const struct doh_h2 *h2); /* nothing more will come or go */

/* What the peer allows, DOH_STREAMS_UNTOLD until it has said so. */
uint32_t doh_h2_limit(const struct doh_h2 *h2);

void doh_h2_ping(struct doh_h2 *h2);    /* queues a PING; any octet that comes is its answer */
void doh_h2_goodbye(struct doh_h2 *h2); /* queues a GOAWAY */

#endif
