// SPDX-License-Identifier: MIT
#include "doh/pool.h"

#include "doh/fetch.h"
#include "doh/route.h"
#include "doh/shared.h"
#include "doh/upstream.h"

#include <openssl/rand.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WAITING_MAX 4096u /* fetches of one pool, if its owner says nothing */
#define ALARM_GRAIN_MS 5u /* so that many deadlines in a row share one ring */

#define X(id, words, ede) {words, ede},
static const struct {
    const char *words;
    uint16_t ede;
} errors[] = {DOH_ERRORS(X)};
#undef X

const char *doh_err_text(enum doh_err err)
{
    size_t i = (size_t)err;
    return i < sizeof errors / sizeof errors[0] ? errors[i].words : "unknown error";
}

uint16_t doh_err_ede(enum doh_err err)
{
    size_t i = (size_t)err;
    return i < sizeof errors / sizeof errors[0] ? errors[i].ede : (uint16_t)DNS_EDE_OTHER;
}

uint32_t doh_random(void)
{
    uint32_t value = 0;
    (void)RAND_bytes((unsigned char *)&value, sizeof value); /* fails only with a broken OpenSSL */
    return value;
}

void doh_pool_event(struct doh_pool *pool, enum doh_event_level level, const char *format, ...)
{
    char text[512];
    va_list args;
    if (!pool->on_event)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut when too long */
    va_end(args);
    pool->on_event(pool->event_arg, level, text);
}

void doh_pool_on_news(struct doh_pool *pool, void (*on_news)(void *arg), void *arg)
{
    pool->on_news = on_news;
    pool->news_arg = arg;
}

void doh_pool_news(struct doh_pool *pool)
{
    if (pool->warm)
        doh_pool_warm(pool);
    if (pool->on_news && !pool->closing)
        pool->on_news(pool->news_arg);
}

/* --- the turn ------------------------------------------------------------------------------ */

static void on_busy(uv_idle_t *idle)
{
    (void)idle; /* that it is active keeps the loop from waiting; the turn is in on_prepare() */
}

void doh_pool_busy(struct doh_pool *pool)
{
    if (!uv_is_closing((uv_handle_t *)&pool->busy))
        (void)uv_idle_start(&pool->busy, on_busy); /* has a callback */
}

static void deliver_finished(struct doh_pool *pool)
{
    while (!doh_list_empty(&pool->finished)) /* a `done` may cancel any of the others */
        doh_fetch_deliver(DOH_ITEM(pool->finished.next, struct doh_fetch, link));
}

static void choose_upstreams(struct doh_pool *pool)
{
    struct doh_list now;
    doh_list_init(&now);
    doh_list_move(&now, &pool->choosing);
    while (!doh_list_empty(&now))
        doh_fetch_choose(DOH_ITEM(now.next, struct doh_fetch, link)); /* moves it elsewhere */
}

static void close_handles(struct doh_pool *pool);

static void on_prepare(uv_prepare_t *prepare)
{
    struct doh_pool *pool = DOH_ITEM(prepare, struct doh_pool, turn);
    if (!uv_is_active((uv_handle_t *)&pool->busy))
        return;
    (void)uv_idle_stop(&pool->busy); /* cannot fail */
    deliver_finished(pool);
    if (pool->closing) {
        close_handles(pool);
        return;
    }
    doh_network_turn(&pool->network);
    bool questions = !doh_list_empty(&pool->choosing);
    choose_upstreams(pool);
    for (uint32_t i = 0; questions && i < pool->upstream_count; i++)
        doh_upstream_probe(&pool->upstreams[i]);
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_pump(&pool->upstreams[i]);
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_flush(&pool->upstreams[i]);
}

/* --- deadlines of fetches ------------------------------------------------------------------ */

static uint64_t tick_list(struct doh_list *list, uint64_t now)
{
    uint64_t due = UINT64_MAX;
    struct doh_list *next;
    for (struct doh_list *i = list->next; i != list; i = next) {
        struct doh_fetch *f = DOH_ITEM(i, struct doh_fetch, link);
        next = i->next; /* it may move to another list */
        doh_fetch_tick(f, now);
        if (f->state != DOH_FETCH_FINISHED && doh_fetch_due_ms(f) < due)
            due = doh_fetch_due_ms(f);
    }
    return due;
}

static bool is_connected(const struct doh_pool *pool)
{
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        if (doh_upstream_has_good(&pool->upstreams[i]))
            return true;
    return false;
}

/* Dials one more upstream, and again after a while, until one of them is connected. */
static void warm_next(struct doh_pool *pool)
{
    pool->warm_ms = UINT64_MAX;
    if (pool->warmed == pool->upstream_count || is_connected(pool))
        return;
    doh_upstream_warm(&pool->upstreams[pool->warmed++]);
    pool->warm_ms = doh_now(pool) + DOH_HOLD_MAX_MS;
    doh_pool_wake(pool, pool->warm_ms);
}

static void on_alarm(uv_timer_t *timer)
{
    struct doh_pool *pool = DOH_ITEM(timer, struct doh_pool, alarm);
    uint64_t now = doh_now(pool);
    pool->alarm_ms = UINT64_MAX;
    if (now >= pool->warm_ms)
        warm_next(pool);
    uint64_t choosing = tick_list(&pool->choosing, now);
    uint64_t asked = tick_list(&pool->asked, now);
    uint64_t due = choosing < asked ? choosing : asked;
    due = pool->warm_ms < due ? pool->warm_ms : due;
    if (due < UINT64_MAX)
        doh_pool_wake(pool, due);
}

void doh_pool_wake(struct doh_pool *pool, uint64_t at_ms)
{
    uint64_t now = doh_now(pool);
    if (at_ms >= pool->alarm_ms || uv_is_closing((uv_handle_t *)&pool->alarm))
        return;
    pool->alarm_ms = at_ms;
    uint64_t wait_ms = at_ms > now + ALARM_GRAIN_MS ? at_ms - now : ALARM_GRAIN_MS;
    (void)uv_timer_start(&pool->alarm, on_alarm, wait_ms, 0); /* has a callback */
}

/* --- beginning and end --------------------------------------------------------------------- */

static void free_pool(struct doh_pool *pool)
{
    free(pool->upstreams);
    free(pool->routes);
    free(pool);
}

void doh_pool_handle_closed(struct doh_pool *pool)
{
    if (--pool->handles > 0)
        return;
    void (*on_closed)(void *) = pool->on_closed;
    void *arg = pool->closed_arg;
    free_pool(pool);
    if (on_closed)
        on_closed(arg);
}

static void on_prepare_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_pool, turn));
}

static void on_busy_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_pool, busy));
}

static void on_alarm_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_pool, alarm));
}

static void close_handles(struct doh_pool *pool)
{
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_close(&pool->upstreams[i]);
    for (uint32_t i = 0; i < pool->config->route_count; i++)
        doh_route_close(pool->routes[i]);
    doh_network_close(&pool->network);
    uv_close((uv_handle_t *)&pool->turn, on_prepare_closed);
    uv_close((uv_handle_t *)&pool->busy, on_busy_closed);
    uv_close((uv_handle_t *)&pool->alarm, on_alarm_closed);
}

static void init_loop(struct doh_pool *pool) /* none of these can fail */
{
    (void)uv_prepare_init(pool->loop, &pool->turn);
    (void)uv_idle_init(pool->loop, &pool->busy);
    (void)uv_timer_init(pool->loop, &pool->alarm);
    (void)uv_prepare_start(&pool->turn, on_prepare);
    pool->handles = 3;
}

struct doh_pool *doh_pool_new(uv_loop_t *loop, struct doh_shared *shared, doh_event_fn *on_event,
                              void *arg)
{
    const struct doh_config *config = doh_shared_config(shared);
    struct doh_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    *pool = (struct doh_pool){.loop = loop,
                              .shared = shared,
                              .config = config,
                              .on_event = on_event,
                              .event_arg = arg,
                              .upstream_count = config->upstream_count,
                              .alarm_ms = UINT64_MAX,
                              .warm_ms = UINT64_MAX};
    pool->upstreams = calloc(config->upstream_count + 1u, sizeof pool->upstreams[0]);
    pool->routes = calloc(config->route_count + 1u, sizeof(struct doh_route *));
    if (!pool->upstreams || !pool->routes) {
        free_pool(pool);
        return NULL;
    }
    doh_list_init(&pool->choosing);
    doh_list_init(&pool->asked);
    doh_list_init(&pool->finished);
    doh_list_init(&pool->dialling);
    init_loop(pool);
    doh_network_open(&pool->network, pool);
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_init(&pool->upstreams[i], pool, i);
    return pool;
}

void doh_pool_warm(struct doh_pool *pool)
{
    pool->warm = true;
    pool->warmed = 0;
    if (!pool->closing)
        warm_next(pool);
}

static void cancel_all(struct doh_list *list)
{
    while (!doh_list_empty(list))
        doh_fetch_end(DOH_ITEM(list->next, struct doh_fetch, link), DOH_E_CANCELLED);
}

void doh_pool_close(struct doh_pool *pool, void (*on_closed)(void *arg), void *arg)
{
    if (pool->closing)
        return;
    pool->closing = true;
    pool->on_closed = on_closed;
    pool->closed_arg = arg;
    cancel_all(&pool->choosing);
    cancel_all(&pool->asked);
    doh_pool_busy(pool); /* the next turn tells their owners, and closes */
}

/* --- what callers ask ---------------------------------------------------------------------- */

/* Guesses leave half of the room: of those each question brings several. */
static uint32_t room_for(const struct doh_pool *pool, bool speculative)
{
    uint32_t most = pool->config->waiting_max > 0 ? pool->config->waiting_max : WAITING_MAX;
    return speculative ? most / 2 : most;
}

struct doh_fetch *doh_fetch_start(struct doh_pool *pool, const struct doh_request *request,
                                  doh_done_fn *done, void *arg)
{
    if (pool->closing || pool->fetch_count >= room_for(pool, request->speculative))
        return NULL;
    struct doh_fetch *f = doh_fetch_new(pool, request, done, arg);
    if (f)
        pool->fetch_count++;
    return f;
}

uint32_t doh_route_find(const struct doh_config *config, const struct dns_name *name)
{
    uint32_t best = DOH_ROUTE_DEFAULT;
    unsigned best_labels = 0;
    for (uint32_t i = 0; i < config->route_count; i++) {
        const struct doh_route_config *route = &config->routes[i];
        for (uint32_t d = 0; d < route->domain_count; d++) {
            const struct dns_name *domain = &route->domains[d];
            bool longer = best == DOH_ROUTE_DEFAULT || domain->labels > best_labels;
            if (!longer || !dns_name_within(name, domain))
                continue;
            best = i;
            best_labels = domain->labels;
        }
    }
    return best;
}

static bool is_domain_of(const struct doh_route_config *route, const struct dns_name *name)
{
    for (uint32_t d = 0; d < route->domain_count; d++)
        if (dns_name_equal(&route->domains[d], name))
            return true;
    return false;
}

uint32_t doh_route_of(const struct doh_config *config, const struct dns_question *question)
{
    uint32_t route = doh_route_find(config, &question->name);
    if (route == DOH_ROUTE_DEFAULT || config->routes[route].validate != DOH_ROUTE_VALIDATED ||
        question->type != DNS_TYPE_DS || question->name.labels == 0 ||
        !is_domain_of(&config->routes[route], &question->name))
        return route;
    struct dns_name parent = dns_name_suffix(&question->name, question->name.labels - 1u);
    return doh_route_find(config, &parent);
}

bool doh_route_is_plain(const struct doh_config *config, uint32_t route)
{
    return route != DOH_ROUTE_DEFAULT && config->routes[route].upstreams == 0;
}

void doh_pool_blame(struct doh_pool *pool, uint32_t upstream, enum doh_lie lie)
{
    if (upstream >= pool->upstream_count)
        return;
    struct doh_upstream *up = &pool->upstreams[upstream];
    *(lie == DOH_LIE_STRIPPED ? &up->status.stripped : &up->status.bogus) += 1;
    doh_upstream_lied(up, lie == DOH_LIE_STRIPPED ? "it strips signatures or proofs"
                                                  : "its answers are forged");
}

uint32_t doh_pool_status(const struct doh_pool *pool, struct doh_upstream_status *ret, uint32_t cap)
{
    uint32_t count = pool->upstream_count < cap ? pool->upstream_count : cap;
    for (uint32_t i = 0; i < count; i++)
        ret[i] = doh_upstream_status(&pool->upstreams[i]);
    return count;
}
