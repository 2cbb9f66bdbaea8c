/* SPDX-License-Identifier: MIT */
/* One question's life: chooses upstreams until one has answered or there is no time or no upstream
 * left. Its states are in parts.h. */
#ifndef DOH_FETCH_H
#define DOH_FETCH_H

#include "doh/parts.h"

#define DOH_ROUNDS_MAX 3u  /* when no upstream can be reached at all */
#define DOH_EARLY_MS 2500u /* before the first answer ever: the network may be about to come up */

struct doh_fetch *doh_fetch_new(struct doh_pool *pool, const struct doh_request *request,
                                doh_done_fn *done, void *arg);

/* In a turn: finds an upstream for a fetch that is CHOOSING. */
void doh_fetch_choose(struct doh_fetch *fetch);
/* In a turn: tells the owner, and frees it. */
void doh_fetch_deliver(struct doh_fetch *fetch);

void doh_fetch_tick(struct doh_fetch *fetch, uint64_t now_ms); /* deadline and failover */
uint64_t doh_fetch_due_ms(const struct doh_fetch *fetch);
void doh_fetch_end(struct doh_fetch *fetch, enum doh_err err); /* FINISHED without an answer */

/* The upstream that it waits for has probably gone: another one is asked now. */
void doh_fetch_hurry(struct doh_fetch *fetch);

/* What plain servers have not answered is asked again: the way to them is another one now. */
void doh_fetch_plainly_again(struct doh_pool *pool);

/* That upstream is connected now: it is asked what is held by others that are not. */
void doh_fetch_offer(struct doh_pool *pool, uint32_t upstream);

/* From an upstream: the connection that had that ask is gone, and there is no other yet. */
void doh_fetch_held(const struct doh_ask *ask);
/* From an upstream: that ask is on a connection. Who comes first has the question: those that hold
 * it without a connection are not asked any more. */
void doh_fetch_sent(struct doh_ask *ask);
/* From an upstream, about an ask that is idle again. `sent`: the question may have arrived. */
void doh_fetch_failed(struct doh_ask *ask, uint32_t upstream, enum doh_err err, bool sent);
void doh_fetch_answered(struct doh_fetch *fetch, const uint8_t *wire, uint32_t len, uint32_t age_s,
                        uint32_t upstream);

#endif
