/* SPDX-License-Identifier: MIT */
/* What a client's octets mean and what is sent back: between a listener and a resolver. One a
 * worker. */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H

#include "proxy/listener.h"
#include "proxy/log.h"
#include "proxy/resolver.h"

struct server;
struct tally;

struct server_stats {
    uint64_t questions, dropped, malformed, refused, local, hits;
    uint64_t untimely; /* asked while the clock was wrong */
};

struct server_parts { /* borrowed until the server is freed */
    const struct config *config;
    struct cache *cache;
    struct doh_pool *pool;
    struct resolver *resolver;
    struct resolver_clock clock;
    struct log *log;
    const bool *clock_wrong; /* as of clock.now(); or NULL: it is right */
    uint32_t worker;         /* which one of them this is, from 1 */
    struct tally *tally;     /* of all workers: kept up to date */
};

struct server *server_new(const struct server_parts *parts);
void server_free(struct server *server); /* after its resolver has closed */

/* A listener_queries_fn; `arg` is the server. */
void server_on_queries(void *arg, const struct listener_query *query, uint32_t count);
uint32_t server_waiting(const struct server *server); /* questions that are not answered yet */

#endif
