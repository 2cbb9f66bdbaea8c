/* SPDX-License-Identifier: MIT */
/* One thread with one loop: listeners, upstream connections, a resolver and a server of its own. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "proxy/config.h"
#include "proxy/log.h"

struct worker;

struct worker_shared { /* borrowed until every worker is joined */
    const struct config *config;
    struct cache *cache;
    struct doh_shared *doh;
    struct log *log;
    struct trust *trust;
    struct tally *tally;
    const struct snapshot *snapshot; /* or NULL: see resolver_use_snapshot() */
};

/* Binds every listening address; NULL and a sentence in `error` when one cannot be had. The
 * workers are numbered from 1; the first says what it listens on. */
struct worker *worker_open(const struct worker_shared *shared, uint32_t number, char *error,
                           size_t error_cap);
bool worker_start(struct worker *worker); /* its thread */
void worker_stop(struct worker *worker); /* from any thread: answers what is under way, then ends */
void worker_join(struct worker *worker); /* waits for the thread and frees; also if never started */

#endif
