/* SPDX-License-Identifier: MIT */
/* What the files of a fetch share: fetch.c (its life), fetch_time.c (what is due), fetch_hold.c
 * (questions that wait for a connection, and what becomes of them when one comes or goes). */
#ifndef DOH_FETCH_PARTS_H
#define DOH_FETCH_PARTS_H

#include "doh/fetch.h"

static inline uint32_t doh_bit(uint32_t upstream)
{
    return UINT32_C(1) << upstream;
}

/* fetch.c */
bool doh_fetch_is_asked(const struct doh_fetch *fetch); /* somebody may answer it */
/* One more ask, if there is somebody fit to be asked, and a hedge to spend. */
void doh_fetch_hedge(struct doh_fetch *fetch);
void doh_fetch_set_state(struct doh_fetch *fetch, enum doh_fetch_state state);
uint32_t doh_fetch_allowed(const struct doh_fetch *fetch); /* the set of upstreams */
/* From now on an answer is to be expected. */
void doh_fetch_start_clocks(struct doh_fetch *fetch, const struct doh_latency *latency);

/* fetch_hold.c */
bool doh_fetch_is_held(const struct doh_fetch *fetch); /* no connection has it */
/* So long it is left to an upstream without a connection. */
uint32_t doh_fetch_hold_ms(const struct doh_fetch *fetch, const struct doh_upstream *upstream);

#endif
