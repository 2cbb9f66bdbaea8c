// SPDX-License-Identifier: MIT
#include "proxy/worker.h"

#include "proxy/follow.h"
#include "proxy/routing.h"
#include "proxy/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MS 1000u
#define DRAIN_TICK_MS 20u
#define TCP_WRITE_MAX (1u << 20)

/*          stop     tick                        resolver closed   pool closed
 * RUNNING  DRAINING -                           -                 -
 * DRAINING -        nothing waits, or too long: -                 -
 *                   CLOSING
 * CLOSING  -        -                           close the pool    the loop runs out */
enum worker_state { WORKER_RUNNING, WORKER_DRAINING, WORKER_CLOSING };

struct worker {
    struct worker_shared shared;
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t stop; /* the only handle that other threads touch */
    uv_timer_t drain;
    bool started, first;
    uint32_t number; /* from 1 */
    enum worker_state state;
    uint32_t drained_ms;
    struct listener **listener;
    uint32_t listener_count;
    struct doh_pool *pool;
    struct resolver *resolver;
    struct routing *routing;
    struct follow *follow;       /* of the first worker */
    struct resolver_clock clock; /* read once a turn of the loop */
    struct cache_now now;        /* read in the turn that began at turn_ms */
    uint64_t turn_ms;
    bool clock_wrong; /* likewise */
    struct server *server;
};

/* --- events ---------------------------------------------------------------------------------- */

static void on_upstream_event(void *arg, enum doh_event_level level, const char *text)
{
    struct worker *w = arg;
    static const enum log_level levels[] = {LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR};
    bool said = w->first || level != DOH_EVENT_INFO; /* "connected" once, not once a worker */
    log_write(w->shared.log, said ? levels[level] : LOG_LEVEL_DEBUG, "%s", text);
}

/* Clients that ask again must not be told of what failed before. */
static void on_upstream_news(void *arg)
{
    struct worker *w = arg;
    cache_failures_forgive(w->shared.cache, w->clock.now(w->clock.arg));
}

static void nothing(void *arg)
{
    (void)arg;
}

static void on_resolver_closed(void *arg)
{
    struct worker *w = arg;
    w->resolver = NULL;
    doh_pool_close(w->pool, nothing, w); /* the last: then the loop has no handles any more */
}

static void close_all(struct worker *w)
{
    w->state = WORKER_CLOSING;
    for (uint32_t i = 0; i < w->listener_count; i++)
        listener_close(w->listener[i], nothing, w);
    w->listener_count = 0;
    uv_close((uv_handle_t *)&w->stop, NULL);
    uv_close((uv_handle_t *)&w->drain, NULL);
    routing_close(w->routing);
    if (w->follow)
        follow_close(w->follow); /* asks the resolver */
    w->follow = NULL;
    if (w->resolver)
        resolver_close(w->resolver, on_resolver_closed, w);
    else if (w->pool)
        doh_pool_close(w->pool, nothing, w);
}

static void on_drain(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    w->drained_ms += DRAIN_TICK_MS;
    if (server_waiting(w->server) == 0 || w->drained_ms >= DRAIN_MS)
        close_all(w);
}

static void on_stop(uv_async_t *async)
{
    struct worker *w = async->data;
    if (w->state != WORKER_RUNNING)
        return;
    w->state = WORKER_DRAINING;
    for (uint32_t i = 0; i < w->listener_count; i++)
        listener_stop(w->listener[i]);
    (void)uv_timer_start(&w->drain, on_drain, 0, DRAIN_TICK_MS);
}

/* --- open ------------------------------------------------------------------------------------ */

static void say_bound(const struct worker *w, const struct doh_address *bound)
{
    char ip[INET6_ADDRSTRLEN] = "?";
    bool v4 = bound->sa.any.sa_family == AF_INET;
    const void *octets = v4 ? (const void *)&bound->sa.v4.sin_addr : &bound->sa.v6.sin6_addr;
    (void)inet_ntop(bound->sa.any.sa_family, octets, ip, sizeof ip);
    if (w->first)
        log_write(w->shared.log, LOG_LEVEL_INFO, "listening on %s%s%s:%u (UDP and TCP)",
                  v4 ? "" : "[", ip, v4 ? "" : "]", ntohs(bound->sa.v4.sin_port));
}

static bool open_listeners(struct worker *w, char *error, size_t error_cap)
{
    const struct config *c = w->shared.config;
    const struct listener_limits limits = {
        .tcp_clients = c->tcp_clients,
        .tcp_per_client = c->tcp_clients / 2 + 1, /* nobody takes them all */
        .tcp_in_flight = c->tcp_in_flight,
        .tcp_idle_ms = c->tcp_idle_ms,
        .sharing = c->workers,
        .tcp_write_max = TCP_WRITE_MAX,
    };
    w->listener = calloc(c->listen_count, sizeof *w->listener);
    for (uint32_t i = 0; w->listener && i < c->listen_count; i++) {
        struct doh_address bound;
        struct listener *l = listener_open(&w->loop, &c->listen[i], &limits, server_on_queries,
                                           w->server, &bound, error, error_cap);
        if (!l)
            return false;
        w->listener[w->listener_count++] = l;
        say_bound(w, &bound);
    }
    return w->listener != NULL;
}

static void read_clock(struct worker *w)
{
    w->now = w->clock.now(w->clock.arg);
    w->clock_wrong = !clock_trusted(trust_clock(w->shared.trust));
}

/* Reading two clocks costs as much as finding an answer, and libuv, too, has one time a turn. */
static struct cache_now now_of_turn(void *arg)
{
    struct worker *w = arg;
    uint64_t turn_ms = uv_now(&w->loop);
    if (turn_ms != w->turn_ms) {
        read_clock(w);
        w->turn_ms = turn_ms;
    }
    return w->now;
}

/* What is asked from now on takes the routes as they are, and has its anchors made anew. */
static void on_routes(void *arg, const struct doh_route_config *route)
{
    struct worker *w = arg;
    char domains[256] = "", name[DNS_NAME_TEXT_MAX];
    if (w->resolver)
        resolver_use_trust(w->resolver, w->shared.trust);
    if (!w->first)
        return;
    for (uint32_t i = route->written; i < route->domain_count; i++) {
        size_t used = strlen(domains);
        (void)dns_name_text(&route->domains[i], name);
        (void)snprintf(domains + used, sizeof domains - used, " %s", name);
    }
    log_write(w->shared.log, LOG_LEVEL_INFO, "routes: by %s these domains are routed now:%s",
              route->domains_from, domains[0] ? domains : " none");
}

static bool open_parts(struct worker *w)
{
    const struct resolver_clock clock = {.now = now_of_turn, .arg = w};
    w->routing = routing_open(&w->loop, w->shared.config, on_routes, w);
    const struct config *config = w->routing ? routing_config(w->routing) : NULL;
    w->clock = clock_guarded(trust_clock(w->shared.trust));
    w->turn_ms = uv_now(&w->loop);
    read_clock(w);
    w->pool = config ? doh_pool_new(&w->loop, w->shared.doh, on_upstream_event, w) : NULL;
    if (w->pool)
        doh_pool_on_news(w->pool, on_upstream_news, w);
    w->resolver = w->pool ? resolver_new(&w->loop, config, w->shared.cache, w->pool, &clock) : NULL;
    if (w->resolver)
        resolver_use_snapshot(w->resolver, w->shared.snapshot,
                              w->shared.config->state_directory && w->shared.config->snapshot_s);
    const struct server_parts parts = {
        config,        w->shared.cache, w->pool,   w->resolver,     clock,
        w->shared.log, &w->clock_wrong, w->number, w->shared.tally,
    };
    if (w->resolver)
        resolver_use_trust(w->resolver, w->shared.trust);
    if (w->resolver && w->first)
        w->follow = follow_open(&w->loop, w->shared.config, w->resolver, w->shared.cache,
                                w->shared.trust, w->shared.log);
    w->server = w->resolver ? server_new(&parts) : NULL;
    return w->server != NULL && (w->follow || !w->first);
}

struct worker *worker_open(const struct worker_shared *shared, uint32_t number, char *error,
                           size_t error_cap)
{
    struct worker *w = calloc(1, sizeof *w);
    (void)snprintf(error, error_cap, "out of memory");
    if (!w)
        return NULL;
    w->shared = *shared;
    w->number = number;
    w->first = number == 1;
    if (uv_loop_init(&w->loop) != 0) {
        free(w);
        return NULL;
    }
    bool ok = uv_async_init(&w->loop, &w->stop, on_stop) == 0;
    (void)uv_timer_init(&w->loop, &w->drain); /* cannot fail */
    w->stop.data = w->drain.data = w;
    if (ok && open_parts(w) && open_listeners(w, error, error_cap)) {
        doh_pool_warm(w->pool);
        resolver_prime(w->resolver);
        return w;
    }
    worker_join(w);
    return NULL;
}

/* --- thread ---------------------------------------------------------------------------------- */

static void run(void *arg)
{
    struct worker *w = arg;
    (void)uv_run(&w->loop, UV_RUN_DEFAULT); /* until the last handle has closed */
}

bool worker_start(struct worker *worker)
{
    worker->started = uv_thread_create(&worker->thread, run, worker) == 0;
    return worker->started;
}

void worker_stop(struct worker *worker)
{
    (void)uv_async_send(&worker->stop); /* the one libuv call that any thread may make */
}

void worker_join(struct worker *w)
{
    if (w->started) {
        (void)uv_thread_join(&w->thread);
    } else {
        close_all(w);
        run(w);
    }
    server_free(w->server);
    routing_free(w->routing);
    free(w->listener);
    (void)uv_loop_close(&w->loop);
    free(w);
}
