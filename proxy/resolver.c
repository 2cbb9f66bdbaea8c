// SPDX-License-Identifier: MIT
#include "proxy/resolver.h"

#include "proxy/resolver_parts.h"
#include "proxy/stale.h"
#include "proxy/synthesis.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TICK_MS 50u
/* One job may take 2 MiB for messages that were made for it. Most take a few tens of KiB: as many
 * as may be in flight have that, and hostile ones together no more. */
#define JOB_OCTETS ((size_t)64 * 1024)
#define JOBS_OCTETS_MIN ((size_t)16 * 1024 * 1024)

struct cache_now resolver_now(const struct resolver *r)
{
    return r->clock.now(r->clock.arg);
}

uint64_t resolver_us(void)
{
    return uv_hrtime() / 1000;
}

bool resolver_has_other(const struct resolver *r, uint32_t upstream)
{
    const struct doh_config *doh = &r->config->doh;
    for (uint32_t i = 0; i < doh->upstream_count; i++)
        if (strcasecmp(doh->upstreams[i].operator_, doh->upstreams[upstream].operator_) != 0)
            return true;
    return false;
}

/* --- what the validator knows ---------------------------------------------------------------- */

static const struct val_zone *zone_find(void *arg, const struct dns_name *name, uint64_t now_s)
{
    struct resolver *r = arg;
    return cache_zone_find(r->cache, name, now_s);
}

static void zone_learn(void *arg, const struct val_zone *zone)
{
    struct resolver *r = arg;
    cache_zone_put(r->cache, zone, r->epoch);
}

/* --- deadlines ------------------------------------------------------------------------------- */

static void run_who_lacked_room(struct resolver *r)
{
    r->lacks_room = false;
    for (struct query *q = r->first; q; q = q->next) {
        if (q->lacks_room && q->state == QUERY_VALIDATE)
            resolver_schedule(q);
        q->lacks_room = false;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct resolver *r = timer->data;
    uint64_t now_ms = resolver_now(r).mono_ms;
    for (struct query *q = r->first; q && q->deadline_ms <= now_ms; q = q->next)
        query_expire(q);
    if (r->lacks_room)
        run_who_lacked_room(r);
    stale_tick(r);
    if (!r->first)
        (void)uv_timer_stop(timer);
}

/* --- the end of a question ------------------------------------------------------------------- */

static struct cache_key key_of(const struct query *q)
{
    return (struct cache_key){.question = &q->question,
                              .route = q->route,
                              .dnssec_ok = true,
                              .checking_disabled = q->checking_disabled};
}

static void count_verdict(struct resolver *r, const struct query *q)
{
    r->stats.signatures += q->budget.signatures;
    r->stats.remembered += q->budget.remembered;
    r->stats.unvalidated += q->checking_disabled && q->answer.status == VAL_INSECURE;
    r->stats.secure += q->answer.status == VAL_SECURE;
    r->stats.insecure += !q->checking_disabled && q->answer.status == VAL_INSECURE;
    r->stats.bogus += q->answer.status == VAL_BOGUS;
    r->stats.indeterminate += q->answer.status == VAL_INDETERMINATE;
}

/* Fills in the message and tells the cache; nothing that is not secure or proven insecure gets
 * there as an answer. */
static void complete(struct resolver *r, struct query *q)
{
    struct cache_key key = key_of(q);
    struct cache_now now = resolver_now(r);
    bool good = q->answer.status == VAL_SECURE || q->answer.status == VAL_INSECURE;
    if (good && q->checking_disabled) {
        memcpy(r->buf, q->raw, q->raw_len);
        q->answer.len = q->raw_len;
    } else if (good) {
        synthesis_learn(q);
        r->stats.synthesized += q->synthesized;
        q->answer.len = val_job_write(q->job, r->buf, sizeof r->buf);
    }
    if (good && q->answer.len == 0) { /* larger than a message can be, written anew */
        q->answer.status = VAL_INDETERMINATE;
        q->answer.ede = (struct dns_ede){.code = DNS_EDE_INVALID_DATA};
        good = false;
    }
    q->answer.wire = good ? r->buf : NULL;
    if (q->unproven)
        return; /* nobody else hears of it */
    if (!good) {
        const struct cache_failure failure = {q->answer.status, q->answer.reason.why, q->answer.ede,
                                              q->answer.decided};
        cache_failure_put(r->cache, &key, &failure, now);
        return;
    }
    cache_failure_clear(r->cache, &key);
    struct cache_answer answer = {
        .wire = r->buf,
        .len = q->answer.len,
        .status = q->answer.status,
        .expires_s = q->checking_disabled ? UINT64_MAX : val_job_verdict(q->job)->expires_s,
        .ede = q->answer.ede,
        .negative_ttl_s =
            q->route == DOH_ROUTE_DEFAULT ? 0 : r->config->doh.routes[q->route].negative_ttl_s,
        .epoch = q->epoch,
    };
    cache_answer_put(r->cache, &key, &answer, now);
}

/* The first of those who wait waits no more; the caller frees it. */
static struct resolver_ask *take_ask(struct query *q)
{
    struct resolver_ask *ask = q->asks;
    q->asks = ask->next;
    q->resolver->waiting -= !q->past_cache;
    return ask;
}

static void free_asks(struct query *q)
{
    while (q->asks)
        free(take_ask(q));
}

void resolver_deliver(struct query *q, const struct resolver_answer *answer)
{
    while (q->asks && !q->resolver->closing) {
        struct resolver_ask *ask = take_ask(q);
        resolver_done_fn *done = ask->done;
        void *arg = ask->arg;
        free(ask);
        done(arg, answer);
    }
}

void resolver_finish(struct query *q)
{
    struct resolver *r = q->resolver;
    resolver_unlink(q);
    if (!q->answer.remembered)
        complete(r, q);
    count_verdict(r, q);
    if (q->asks && !q->answer.wire)
        (void)stale_instead(q, &q->answer);
    resolver_deliver(q, &q->answer);
    free_asks(q); /* closed in one of them: the rest is silent */
    query_free(q);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* One answer serves all who ask the same, unless it has to be another one. */
static bool may_join(const struct resolver_question *question)
{
    return !question->trace && !question->past_cache && !question->unproven;
}

static struct query *new_query(struct resolver *r, const struct resolver_question *question,
                               uint32_t hash, uint32_t route)
{
    struct query *q = resolver_query_new(r, !question->past_cache);
    if (!q)
        return NULL;
    q->question = *question->question;
    q->hash = hash;
    q->route = route;
    q->checking_disabled = question->checking_disabled;
    q->past_cache = question->past_cache;
    q->unproven = question->unproven;
    q->checking_disabled = q->checking_disabled || q->unproven;
    q->anchors = val_anchors_ref(resolver_anchors(r));
    q->trace = question->trace;
    q->joinable = may_join(question);
    q->origin = DOH_ROUTE_DEFAULT;
    q->answer.ede.code = DNS_EDE_NONE;
    q->passed.code = DNS_EDE_NONE;
    q->budget = val_budget_init(&r->config->limits);
    q->budget.memo = question->past_cache || question->trace ? NULL : &r->memo;
    q->budget.memory = &r->memory;
    q->started_us = resolver_us();
    q->deadline_ms = resolver_now(r).mono_ms + r->config->query_ms;
    resolver_link(r, q);
    return q;
}

/* A failure that is remembered is answered without asking. */
static bool failed_lately(struct resolver *r, struct query *q)
{
    struct cache_key key = key_of(q);
    struct cache_failure failure;
    if (!q->joinable || !cache_failure_find(r->cache, &key, resolver_now(r), &failure))
        return false;
    q->answer.status = failure.status;
    q->answer.reason.why = failure.why;
    q->answer.ede = failure.ede;
    q->answer.decided = failure.decided;
    q->answer.remembered = true;
    q->state = QUERY_ANSWER;
    resolver_schedule(q);
    return true;
}

static void begin(struct resolver *r, struct query *q)
{
    if (!failed_lately(r, q))
        query_begin(q);
    if (!uv_is_active((const uv_handle_t *)&r->tick))
        (void)uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
}

struct resolver_ask *resolver_ask(struct resolver *r, const struct resolver_question *question,
                                  resolver_done_fn *done, void *arg)
{
    uint32_t route = doh_route_of(&r->config->doh, question->question);
    uint32_t hash = question_hash(&r->hash_key, question->question);
    struct query *q = may_join(question) ? resolver_find(r, question, hash, route) : NULL;
    bool is_ours = question->past_cache; /* keys to be trusted: clients do not keep those away */
    if (r->closing || (!is_ours && r->waiting >= r->config->queries_max))
        return NULL;
    struct resolver_ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    bool joined = q != NULL;
    if (!q)
        q = new_query(r, question, hash, route);
    if (!q) {
        free(ask);
        return NULL;
    }
    *ask = (struct resolver_ask){.query = q, .next = q->asks, .done = done, .arg = arg};
    q->asks = ask;
    r->waiting += !is_ours;
    r->stats.asked++;
    r->stats.joined += joined;
    if (!joined)
        begin(r, q);
    return ask;
}

bool resolver_refresh(struct resolver *r, const struct resolver_question *question, uint32_t route)
{
    uint32_t hash = question_hash(&r->hash_key, question->question);
    bool is_asked = resolver_find(r, question, hash, route) != NULL;
    struct query *q = is_asked ? NULL : new_query(r, question, hash, route);
    if (q)
        begin(r, q);
    return q != NULL;
}

void resolver_cancel(struct resolver_ask *ask)
{
    struct query *q = ask->query;
    struct resolver_ask **p = &q->asks;
    while (*p != ask)
        p = &(*p)->next;
    *p = ask->next;
    q->resolver->waiting -= !q->past_cache;
    free(ask);
    if (q->asks || q->telling || q->state == QUERY_DONE)
        return;
    resolver_unlink(q);
    query_free(q);
}

bool resolver_hit(struct resolver *r, const struct cache_key *key,
                  const struct cache_bytes_key *place, struct cache_now now, uint8_t *buf,
                  uint32_t cap, struct cache_hit *ret)
{
    if (!cache_answer_find_at(r->cache, place, key->dnssec_ok, now, buf, cap, ret))
        return false;
    r->hits++;
    r->last_hit_ms = now.mono_ms;
    if (ret->prefetch)
        stale_prefetch(r, key);
    return true;
}

void resolver_stats(const struct resolver *resolver, struct resolver_stats *ret)
{
    *ret = resolver->stats;
}

/* --- life ------------------------------------------------------------------------------------ */

struct resolver *resolver_new(uv_loop_t *loop, const struct config *config, struct cache *cache,
                              struct doh_pool *pool, const struct resolver_clock *clock)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->loop = loop;
    r->config = config;
    r->cache = cache;
    cache_memo_open(cache, &r->memo);
    r->pool = pool;
    r->clock = *clock;
    r->memory.left = JOB_OCTETS * config->queries_max;
    r->memory.left = r->memory.left > JOBS_OCTETS_MIN ? r->memory.left : JOBS_OCTETS_MIN;
    r->anchors = resolver_first_anchors(config, resolver_now(r).wall_s);
    bool ready = r->anchors && question_hash_key_make(&r->hash_key);
    r->fetches = ready ? fetches_new(pool, &config->doh, &r->hash_key) : NULL;
    if (!r->fetches) {
        val_anchors_unref(r->anchors);
        free(r);
        return NULL;
    }
    r->env = (struct val_env){.anchors = r->anchors,
                              .policy = &config->policy,
                              .zone_find = zone_find,
                              .zone_learn = zone_learn,
                              .arg = r};
    r->env_fresh = r->env;
    r->env_fresh.zone_find = NULL;
    (void)uv_idle_init(loop, &r->run); /* these cannot fail */
    (void)uv_timer_init(loop, &r->tick);
    (void)uv_timer_init(loop, &r->prime);
    r->run.data = r->tick.data = r->prime.data = r;
    r->handles = 3;
    return r;
}

void resolver_use_snapshot(struct resolver *resolver, const struct snapshot *snapshot,
                           bool keeps_evidence)
{
    resolver->snapshot = snapshot;
    resolver->keeps_evidence = keeps_evidence;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct resolver *r = handle->data;
    if (--r->handles > 0)
        return;
    void (*on_closed)(void *arg) = r->on_closed;
    void *arg = r->closed_arg;
    val_anchors_unref(r->anchors);
    val_arena_pool_deinit(&r->memory);
    resolver_spares_free(r);
    free(r);
    on_closed(arg);
}

void resolver_close(struct resolver *r, void (*on_closed)(void *arg), void *arg)
{
    r->closing = true;
    r->on_closed = on_closed;
    r->closed_arg = arg;
    while (r->first) {
        struct query *q = r->first;
        resolver_unlink(q);
        free_asks(q);
        query_free(q);
    }
    fetches_free(r->fetches);
    uv_close((uv_handle_t *)&r->run, on_handle_closed);
    uv_close((uv_handle_t *)&r->tick, on_handle_closed);
    uv_close((uv_handle_t *)&r->prime, on_handle_closed);
}
