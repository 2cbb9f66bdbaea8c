/* SPDX-License-Identifier: MIT */
/* Questions to upstreams: one pool a loop, owned by that loop's thread. The pool chooses the
 * upstream, keeps connections, queues below the peer's stream limit, replays what a dying
 * connection left unanswered, fails over, and ends every fetch in exactly one `done`.
 *
 * Nothing here judges DNSSEC. What is checked: HTTP status and media type, size, that the answer is
 * a DNS response to the question asked (RFC 5452 9.1), TC. An answer that fails is counted against
 * the upstream and the next one is asked, until the deadline. */
#ifndef DOH_POOL_H
#define DOH_POOL_H

#include "dns/message.h"
#include "doh/config.h"

#include <uv.h>

#define DOH_ERRORS(X)                                                                              \
    X(DOH_OK, "answered", DNS_EDE_NONE)                                                            \
    X(DOH_E_TIMEOUT, "no answer within the deadline", DNS_EDE_NO_REACHABLE_AUTHORITY)              \
    X(DOH_E_UNREACHABLE, "no upstream could be reached", DNS_EDE_NETWORK_ERROR)                    \
    X(DOH_E_TLS, "the upstream's certificate or TLS was refused", DNS_EDE_NETWORK_ERROR)           \
    X(DOH_E_HTTP, "the upstream answered with an HTTP error", DNS_EDE_NETWORK_ERROR)               \
    X(DOH_E_GARBAGE, "the upstream's answer is not a DNS answer to the question",                  \
      DNS_EDE_INVALID_DATA)                                                                        \
    X(DOH_E_QUEUE, "too many questions are waiting", DNS_EDE_NOT_READY)                            \
    X(DOH_E_MEMORY, "out of memory", DNS_EDE_OTHER)                                                \
    X(DOH_E_CANCELLED, "no longer wanted", DNS_EDE_NONE)
#define X(id, words, ede) id,
enum doh_err { DOH_ERRORS(X) };
#undef X
const char *doh_err_text(enum doh_err err); /* static, never NULL */
uint16_t doh_err_ede(enum doh_err err);

/* Why a configuration cannot be used: a sentence, and the key that it is about. */
struct doh_fault {
    uint32_t upstream; /* index into config->upstreams */
    const char *key;   /* of that upstream, as the configuration calls it (static); NULL: none */
    char text[256];
};

/* Shared by every pool of the process: SSL_CTXs and certificate stores, one each upstream.
 * NULL and a fault when the URL or a file of some upstream cannot be used. */
struct doh_shared;
struct doh_shared *doh_shared_new(const struct doh_config *config, struct doh_fault *ret_fault);
/* Before the first pool: it is known to be no earlier than that, whatever the system's clock says
 * (a machine that starts in the past). A certificate that had expired by then is refused; while the
 * clock is that wrong, one that is not valid yet is not. */
void doh_shared_not_before(struct doh_shared *shared, uint64_t floor_s);
void doh_shared_free(struct doh_shared *shared); /* after the last pool has closed */

/* Something worth a log line; `text` is a whole sentence without a newline, valid for the call. */
enum doh_event_level { DOH_EVENT_INFO, DOH_EVENT_WARNING, DOH_EVENT_ERROR };
typedef void doh_event_fn(void *arg, enum doh_event_level level, const char *text);

struct doh_pool;
struct doh_pool *doh_pool_new(uv_loop_t *loop, struct doh_shared *shared, doh_event_fn *on_event,
                              void *arg);
/* Opens a connection to the first choice at once, so that the first question need not wait; to the
 * next one, too, when that takes long. */
void doh_pool_warm(struct doh_pool *pool);
/* Called when the network has changed, or an upstream answers again: failures that were remembered
 * elsewhere may be over. Never from inside another call of this header. */
void doh_pool_on_news(struct doh_pool *pool, void (*on_news)(void *arg), void *arg);

/* Every fetch left ends with DOH_E_CANCELLED; `on_closed` when the loop holds nothing any more,
 * and the memory is freed. */
void doh_pool_close(struct doh_pool *pool, void (*on_closed)(void *arg), void *arg);

#define DOH_ROUTE_DEFAULT UINT32_MAX
struct doh_request {
    const struct dns_question *question; /* copied */
    const uint8_t *wire;                 /* the query: id 0, copied; length len */
    uint32_t len;
    uint32_t route;       /* index of a route, or DOH_ROUTE_DEFAULT: the DoH upstreams */
    uint32_t avoid;       /* bit set of upstreams not to ask, nor others of the same operator,
                           * while another lives */
    uint32_t only;        /* bit set of upstreams that alone may be asked; 0: any */
    uint32_t deadline_ms; /* from now, for everything: queueing, connecting, failing over */
    bool speculative;     /* lower priority: sent behind ordinary questions of the same turn */
    bool fresh;           /* "Cache-Control: no-cache": ask the upstream to ask again */
};

struct doh_answer {
    const uint8_t *wire; /* borrowed for the call; id as received */
    uint32_t len;
    uint32_t age_s;    /* HTTP Age (RFC 8484 5.1): to subtract from every TTL */
    uint32_t upstream; /* index into config->upstreams; DOH_ROUTE_DEFAULT from a plain route */
    uint32_t sent;     /* how often a question left for some upstream to get this answer */
};

/* Called once, never before _start has returned, never after _cancel. */
typedef void doh_done_fn(void *arg, enum doh_err err, const struct doh_answer *answer);

struct doh_fetch;
/* NULL only when out of memory or over the bound of waiting questions. */
struct doh_fetch *doh_fetch_start(struct doh_pool *pool, const struct doh_request *request,
                                  doh_done_fn *done, void *arg);
/* Silent and at once; allowed in every state until `done` has been called. */
void doh_fetch_cancel(struct doh_fetch *fetch);

/* The longest matching route for a name, or DOH_ROUTE_DEFAULT. */
uint32_t doh_route_find(const struct doh_config *config, const struct dns_name *name);
/* The same for a question: on a validated route what is asked of the parent's side of its own
 * domain, the DS, takes the parent's way (RFC 4035 5). Believed as it stands, nothing of it leaks.
 */
uint32_t doh_route_of(const struct doh_config *config, const struct dns_question *question);
/* By plain DNS, not by DoH. */
bool doh_route_is_plain(const struct doh_config *config, uint32_t route);

/* The validator found an answer of this upstream stripped, forged or of no use: choose it less. */
enum doh_lie { DOH_LIE_STRIPPED, DOH_LIE_BOGUS };
void doh_pool_blame(struct doh_pool *pool, uint32_t upstream, enum doh_lie lie);

struct doh_upstream_status {
    const char *name;
    bool connected;
    uint64_t questions, answers, failures, replays;
    uint64_t mismatches;        /* what came was no answer to the question */
    uint64_t stripped, bogus;   /* as doh_pool_blame() said */
    uint64_t lies;              /* all three */
    uint64_t filtered;          /* answers that admit it (RFC 8914, 4.16 to 4.18); no lies */
    uint32_t honesty;           /* answers that were no lies, in percent, rounded down */
    uint64_t connects, resumed; /* TLS handshakes; of these, abbreviated ones */
    uint64_t early;             /* of these, those with early data that was accepted */
    uint64_t hedges;            /* questions that it was asked because another took long */
    uint64_t reused;            /* questions on a connection that had carried others */
    uint32_t rtt_ms;            /* smoothed; 0: never answered */
    uint32_t p95_ms;            /* 19 of 20 answers take less; 0: too few yet */
    bool route_only;            /* as configured */
    bool backing_off;           /* it failed, and is not chosen for a moment while another lives */
    uint32_t quarantine_ms;     /* not chosen for that long while another lives; 0: fine */
    char last_error[320];       /* "" when the last try went well */
};
uint32_t doh_pool_status(const struct doh_pool *pool, struct doh_upstream_status *ret,
                         uint32_t cap);

#endif
