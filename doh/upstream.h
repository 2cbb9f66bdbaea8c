/* SPDX-License-Identifier: MIT */
/* One upstream as one pool sees it: its addresses, connections, queue and health. */
#ifndef DOH_UPSTREAM_H
#define DOH_UPSTREAM_H

#include "doh/connection.h"
#include "doh/resolve.h"

#define DOH_CONNS_MAX 2u

enum doh_asking_state { ASKING_IDLE, ASKING_QUEUED, ASKING_SENT };

/* One question at one upstream. The exchange is first, so that it leads back here. */
struct doh_asking {
    struct doh_exchange exchange;
    struct doh_upstream *upstream;
    struct doh_conn *conn;          /* SENT */
    struct doh_asking *next, *prev; /* QUEUED */
    enum doh_asking_state state;
    bool speculative, fresh;
    uint8_t replays; /* on this upstream */
    uint64_t started_ms;
    void *owner;
};

struct doh_queue {
    struct doh_asking *first, *last;
};

/* `asking` is IDLE again. `end` LOST with no connection: it could not be sent at all. */
typedef void doh_asking_done_fn(void *arg, struct doh_asking *asking, enum doh_h2_end end);

struct doh_upstream {
    uv_loop_t *loop;
    const struct doh_shared_upstream *shared;
    const struct doh_upstream_config *config;
    const struct doh_config *limits;
    uint32_t index;
    doh_event_fn *on_event;
    void *event_arg;
    doh_asking_done_fn *on_done;
    void *done_arg;

    struct doh_conn *conn[DOH_CONNS_MAX];
    uint32_t conn_address[DOH_CONNS_MAX]; /* index into addresses */
    SSL_SESSION *session;
    struct doh_queue ordinary, speculative;
    bool closing;

    struct doh_address *addresses; /* from the configuration or by bootstrap */
    uint32_t address_count, address_next;
    struct doh_resolve *resolve; /* bootstrap under way or done before */
    uint8_t resolving;           /* answers still to come */
    uint64_t addresses_until_ms; /* bootstrap: asked again after */

    bool get; /* the method in use */
    bool method_flipped;
    uint32_t attempts_failed; /* connection attempts since the last that worked */
    uint64_t retry_ms; /* loop time before which no new connection is tried, unless all wait */
    uint64_t quarantine_ms;
    uint64_t lies_since_ms;
    uint32_t lies_lately, quarantines;
    struct doh_upstream_status status;
};

void doh_upstream_init(struct doh_upstream *up);
void doh_upstream_deinit(struct doh_upstream *up); /* closes everything silently */

/* Usable now: not backing off, not in quarantine. */
bool doh_upstream_healthy(const struct doh_upstream *up);

void doh_upstream_ask(struct doh_upstream *up, struct doh_asking *asking);
void doh_upstream_forget(struct doh_upstream *up, struct doh_asking *asking); /* silent */
void doh_upstream_connect(struct doh_upstream *up); /* if there is no connection nor attempt */
/* Sends what is queued, as far as there is room, and flushes. Once a turn of the loop. */
void doh_upstream_pump(struct doh_upstream *up);

void doh_upstream_blame(struct doh_upstream *up, enum doh_lie lie);
/* What an HTTP response meant; back-off and events. */
void doh_upstream_failed(struct doh_upstream *up, const struct doh_response *response,
                         const char *what);
void doh_upstream_answered(struct doh_upstream *up, uint64_t rtt_ms);

#endif
