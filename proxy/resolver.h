/* SPDX-License-Identifier: MIT */
/* From a question to a proven answer: cache, join, the one flight, validation, disbelief
 * (ARCHITECTURE.md, the life of a query). One resolver a worker; knows no clients and no sockets.
 * Servers, `explain` and `query` all come through here. */
#ifndef PROXY_RESOLVER_H
#define PROXY_RESOLVER_H

#include "doh/pool.h"
#include "proxy/claims.h"
#include "proxy/config.h"

struct resolver;

struct resolver_clock { /* injected; never read below proxy/ */
    struct cache_now (*now)(void *arg);
    void *arg;
};

/* All borrowed until the resolver is closed. */
struct resolver *resolver_new(uv_loop_t *loop, const struct config *config, struct cache *cache,
                              struct doh_pool *pool, const struct resolver_clock *clock);
/* Before the first question. `snapshot`: what the last process left behind, borrowed, or NULL;
 * `keeps_evidence`: whether the cache is to hold what a snapshot is made of. */
void resolver_use_snapshot(struct resolver *resolver, const struct snapshot *snapshot,
                           bool keeps_evidence);
/* Every question left ends unanswered and silent. The pool is closed by its owner, afterwards. */
void resolver_close(struct resolver *resolver, void (*on_closed)(void *arg), void *arg);
/* Fetches and proves the root's keys ahead of the first question, and again before they expire. */
void resolver_prime(struct resolver *resolver);
/* Asks for the root's keys now, unless that is under way: whether anybody upstream answers. */
void resolver_try(struct resolver *resolver);

/* Before the first question: anchors that change while it runs; borrowed. */
struct trust;
void resolver_use_trust(struct resolver *resolver, struct trust *trust);
/* What is trusted now; borrowed for the turn of the loop. */
const struct val_anchors *resolver_anchors(struct resolver *resolver);

struct resolver_question {
    const struct dns_question *question; /* copied */
    bool checking_disabled;              /* CD=1: unvalidated data wanted */
    bool past_cache; /* nothing remembered is used: explain, keys to be trusted */
    bool unproven;   /* the upstream's own word, neither proven nor cached: for time-names */
    struct val_trace *trace; /* or NULL; a traced question is neither joined nor from the cache */
};

struct resolver_cost {
    uint32_t flights;    /* rounds of upstream questions, one after the other */
    uint32_t questions;  /* sent upstream on behalf of this one */
    uint32_t signatures; /* verified */
    uint32_t remembered; /* known to verify from before (validate/memo.h) */
    uint64_t elapsed_us;
};

#define RESOLVER_DOUBTS_MAX 3u
struct resolver_doubt { /* an answer that was not believed, and asked for again */
    uint32_t upstream;  /* whose part of it was at fault, or DOH_ROUTE_DEFAULT */
    struct val_reason reason;
    struct claims claims;
};

struct resolver_answer {
    const uint8_t *wire; /* DO form, no OPT, ID 0; borrowed for the call. NULL when there is none */
    uint32_t len;
    uint32_t upstream;      /* that answered, or DOH_ROUTE_DEFAULT */
    uint32_t at_fault;      /* BOGUS: whose part of it, or DOH_ROUTE_DEFAULT */
    struct claims claims;   /* what that one says of itself */
    enum val_status status; /* BOGUS and INDETERMINATE have no wire */
    bool decided;           /* somebody asked for any part of it did not fail but said no */
    bool remembered;        /* it failed a while ago; `reason` says why, and not where */
    struct val_reason reason;
    struct dns_ede ede; /* to send to the client; code DNS_EDE_NONE: none */
    struct resolver_cost cost;
    struct resolver_doubt doubt[RESOLVER_DOUBTS_MAX]; /* in order */
    uint32_t doubt_count;
};

/* Called once, never before _ask has returned, never after _cancel. */
typedef void resolver_done_fn(void *arg, const struct resolver_answer *answer);

struct resolver_ask;
/* NULL: as many as may wait do (clients.in-flight), whatever they ask; past the cache there is no
 * bound, and none of these count. Looks into the cache of
 * failures; for a hit in the cache of answers see resolver_hit(). */
struct resolver_ask *resolver_ask(struct resolver *resolver, const struct resolver_question *q,
                                  resolver_done_fn *done, void *arg);
void resolver_cancel(struct resolver_ask *ask);

/* The hot path: the cached answer copied to buf on the spot. `place` is from cache_answer_seek().
 * False: ask; but when ret->len is more than `cap`, there is one of that length. */
bool resolver_hit(struct resolver *resolver, const struct cache_key *key,
                  const struct cache_bytes_key *place, struct cache_now now, uint8_t *buf,
                  uint32_t cap, struct cache_hit *ret);

struct resolver_stats {
    uint64_t asked, joined, secure, insecure, bogus, indeterminate, unvalidated, disbelieved;
    uint64_t signatures, remembered; /* checked; known to verify from before */
    uint64_t restored;               /* answers looked for in the snapshot and found there */
    uint64_t stale, prefetched;      /* RFC 8767: answers; questions ahead of need */
    uint64_t synthesized;            /* answers made from what was proven before (RFC 8198) */
};
void resolver_stats(const struct resolver *resolver, struct resolver_stats *ret);

#endif
