/* SPDX-License-Identifier: MIT */
/* The life of one question at the upstreams: tried at one, and when that fails or takes long at
 * another, until its deadline. */
#ifndef DOH_FETCH_H
#define DOH_FETCH_H

#include "doh/upstream.h"

#define DOH_WAITING_MAX 4096u

struct doh_pool {
    uv_loop_t *loop;
    uv_prepare_t prepare;
    struct doh_shared *shared;
    doh_event_fn *on_event;
    void *event_arg;
    uint32_t upstream_count;
    struct doh_upstream *upstream;
    struct doh_resolve **route; /* one c-ares channel a plain route, made on first need */
    struct doh_fetch *first;    /* all that are not finished */
    uint32_t fetch_count;
    uint32_t handles; /* fetches' timers and the prepare that the loop still holds */
    bool closing;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

void doh_fetch_asking_done(void *arg, struct doh_asking *asking, enum doh_h2_end end);
void doh_fetch_cancel_all(struct doh_pool *pool); /* each ends with DOH_E_CANCELLED */
void doh_pool_release(struct doh_pool *pool);     /* frees it when the loop has let go */

#endif
