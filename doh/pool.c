// SPDX-License-Identifier: MIT
#include "doh/pool.h"

#include "doh/fetch.h"

#include <stdlib.h>

/* Runs after timers and before the loop waits: what was asked in this turn leaves together. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct doh_pool *pool = prepare->data;
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_pump(&pool->upstream[i]);
}

static void init_upstream(struct doh_pool *pool, uint32_t i)
{
    pool->upstream[i] = (struct doh_upstream){
        .loop = pool->loop,
        .shared = &pool->shared->upstream[i],
        .config = &pool->shared->config->upstreams[i],
        .limits = pool->shared->config,
        .index = i,
        .on_event = pool->on_event,
        .event_arg = pool->event_arg,
        .on_done = doh_fetch_asking_done,
        .done_arg = pool,
    };
    doh_upstream_init(&pool->upstream[i]);
}

struct doh_pool *doh_pool_new(uv_loop_t *loop, struct doh_shared *shared, doh_event_fn *on_event,
                              void *arg)
{
    struct doh_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    *pool =
        (struct doh_pool){.loop = loop, .shared = shared, .on_event = on_event, .event_arg = arg};
    pool->upstream_count = shared->config->upstream_count;
    pool->upstream = calloc(pool->upstream_count + 1u, sizeof *pool->upstream);
    pool->route = calloc(shared->config->route_count + 1u, sizeof *pool->route);
    if (!pool->upstream || !pool->route) {
        free(pool->upstream);
        free(pool->route);
        free(pool);
        return NULL;
    }
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        init_upstream(pool, i);
    (void)uv_prepare_init(loop, &pool->prepare); /* cannot fail */
    pool->prepare.data = pool;
    pool->handles = 1;
    (void)uv_prepare_start(&pool->prepare, on_prepare);
    return pool;
}

void doh_pool_warm(struct doh_pool *pool)
{
    if (pool->upstream_count > 0)
        doh_upstream_connect(&pool->upstream[0]);
}

void doh_pool_release(struct doh_pool *pool)
{
    if (!pool->closing || pool->handles > 0)
        return;
    void (*on_closed)(void *arg) = pool->on_closed;
    void *arg = pool->closed_arg;
    free(pool->upstream);
    free(pool->route);
    free(pool);
    on_closed(arg);
}

static void on_prepare_closed(uv_handle_t *handle)
{
    struct doh_pool *pool = handle->data;
    pool->handles--;
    doh_pool_release(pool);
}

void doh_pool_close(struct doh_pool *pool, void (*on_closed)(void *arg), void *arg)
{
    pool->on_closed = on_closed;
    pool->closed_arg = arg;
    pool->closing = true;
    doh_fetch_cancel_all(pool);
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_deinit(&pool->upstream[i]);
    for (uint32_t i = 0; i < pool->shared->config->route_count; i++)
        if (pool->route[i])
            doh_resolve_close(pool->route[i]);
    uv_close((uv_handle_t *)&pool->prepare, on_prepare_closed);
}

uint32_t doh_route_find(const struct doh_config *config, const struct dns_name *name)
{
    uint32_t best = DOH_ROUTE_DEFAULT;
    unsigned labels = 0;
    for (uint32_t r = 0; r < config->route_count; r++) {
        for (uint32_t d = 0; d < config->routes[r].domain_count; d++) {
            const struct dns_name *domain = &config->routes[r].domains[d];
            if (!dns_name_within(name, domain) ||
                (best != DOH_ROUTE_DEFAULT && domain->labels < labels))
                continue;
            best = r;
            labels = domain->labels;
        }
    }
    return best;
}

void doh_pool_blame(struct doh_pool *pool, uint32_t upstream, enum doh_lie lie)
{
    if (upstream < pool->upstream_count)
        doh_upstream_blame(&pool->upstream[upstream], lie);
}

uint32_t doh_pool_status(const struct doh_pool *pool, struct doh_upstream_status *ret, uint32_t cap)
{
    uint64_t now_ms = uv_now(pool->loop);
    uint32_t count = pool->upstream_count < cap ? pool->upstream_count : cap;
    for (uint32_t i = 0; i < count; i++) {
        const struct doh_upstream *up = &pool->upstream[i];
        ret[i] = up->status;
        ret[i].quarantine_ms =
            up->quarantine_ms > now_ms ? (uint32_t)(up->quarantine_ms - now_ms) : 0;
    }
    return count;
}
