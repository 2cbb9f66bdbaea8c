// SPDX-License-Identifier: MIT
#include "doh/choice.h"
#include "doh/fetch_parts.h"
#include "doh/plain.h"
#include "doh/route.h"
#include "doh/shared.h"
#include "doh/spread.h"
#include "doh/upstream.h"

#include <stdlib.h>
#include <string.h>

#define LAST_CHANCE_LEFT_MS 1000u /* with less time left there is none */
#define LAST_CHANCE_MIN_MS 200u   /* the pause before it, up to twice that */
#define LAST_CHANCE_MAX_MS 1000u  /* or until one may be asked again that said when */

void doh_fetch_set_state(struct doh_fetch *f, enum doh_fetch_state state)
{
    struct doh_pool *pool = f->pool;
    struct doh_list *list = state == DOH_FETCH_CHOOSING ? &pool->choosing
                            : state == DOH_FETCH_ASKED  ? &pool->asked
                                                        : &pool->finished;
    f->state = state;
    doh_list_remove(&f->link);
    doh_list_append(list, &f->link);
    if (state == DOH_FETCH_ASKED)
        doh_pool_wake(pool, doh_fetch_due_ms(f));
    else
        doh_pool_busy(pool);
}

/* Which upstreams may be asked at all; 0: any. What the caller wants counts within that. */
static uint32_t group_of(const struct doh_config *config, const struct doh_request *request)
{
    uint32_t group = request->route == DOH_ROUTE_DEFAULT ? config->unrouted
                                                         : config->routes[request->route].upstreams;
    if (request->only == 0 || group == 0)
        return request->only | group;
    return request->only & group ? request->only & group : group;
}

struct doh_fetch *doh_fetch_new(struct doh_pool *pool, const struct doh_request *request,
                                doh_done_fn *done, void *arg)
{
    struct doh_fetch *f = calloc(1, sizeof *f + request->len);
    if (!f)
        return NULL;
    f->pool = pool;
    f->done = done;
    f->arg = arg;
    f->question = *request->question;
    f->avoid = request->avoid;
    f->route =
        doh_route_is_plain(pool->config, request->route) ? request->route : DOH_ROUTE_DEFAULT;
    f->only = group_of(pool->config, request);
    f->speculative = request->speculative;
    f->fresh = request->fresh;
    f->began_ms = doh_now(pool);
    f->deadline_ms = f->began_ms + request->deadline_ms;
    f->failover_ms = f->hedge_ms = UINT64_MAX;
    f->len = request->len;
    memcpy(f->wire, request->wire, request->len);
    doh_list_init(&f->link);
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        doh_list_init(&f->ask[i].link);
    doh_fetch_set_state(f, DOH_FETCH_CHOOSING);
    doh_pool_wake(pool, f->deadline_ms);
    return f;
}

uint64_t doh_fetch_due_ms(const struct doh_fetch *f)
{
    uint64_t due = f->deadline_ms;
    if (f->state == DOH_FETCH_ASKED && f->failover_ms < due)
        due = f->failover_ms;
    if (f->state == DOH_FETCH_ASKED && f->hedge_ms < due)
        due = f->hedge_ms;
    return due;
}

/* --- asking -------------------------------------------------------------------------------- */

static struct doh_ask *free_ask(struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        if (!f->ask[i].upstream)
            return &f->ask[i];
    return NULL;
}

static unsigned count_asks(const struct doh_fetch *f)
{
    unsigned count = 0;
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        count += f->ask[i].upstream ? 1 : 0;
    return count;
}

bool doh_fetch_is_asked(const struct doh_fetch *f)
{
    return count_asks(f) > 0 || f->plain;
}

uint32_t doh_fetch_allowed(const struct doh_fetch *f)
{
    uint32_t count = f->pool->upstream_count;
    uint32_t all = count == 32 ? UINT32_MAX : doh_bit(count) - 1;
    return f->only ? f->only & all : all;
}

static uint64_t draw(const struct doh_fetch *f)
{
    switch ((enum doh_choice_mode)f->pool->config->choice) {
    case DOH_FAILOVER: break;
    case DOH_FASTEST: return ((uint64_t)doh_random() << 32) | doh_random();
    case DOH_ROUND_ROBIN: return f->pool->turns++;
    case DOH_SPREAD: return doh_spread_hash(&f->question.name);
    }
    return 0;
}

/* No question should go there while another lives. Who asks for a second opinion had better wait
 * for one that is being dialled. */
static bool is_away(const struct doh_fetch *f, const struct doh_upstream *up)
{
    return f->avoid != 0 ? up->away && !doh_upstream_has_good(up) : doh_upstream_is_away(up);
}

/* Whoever holds the question had its chance to be connected: now those that are go first. */
static bool is_far(const struct doh_fetch *f, const struct doh_upstream *up)
{
    return f->tried != 0 && doh_fetch_is_held(f) && !doh_upstream_has_good(up);
}

static struct doh_choice choice_of(const struct doh_fetch *f,
                                   struct doh_candidate candidate[static DOH_UPSTREAMS_MAX])
{
    const struct doh_pool *pool = f->pool;
    const char *operators[DOH_UPSTREAMS_MAX];
    for (uint32_t i = 0; i < pool->upstream_count; i++) {
        const struct doh_upstream *up = &pool->upstreams[i];
        candidate[i] = (struct doh_candidate){&up->health,  up->config->tier, up->load,
                                              up->identity, is_away(f, up),   is_far(f, up)};
        operators[i] = doh_shared_operator(pool->shared, i);
    }
    return (struct doh_choice){
        .candidate = candidate,
        .count = pool->upstream_count,
        .eligible = doh_fetch_allowed(f) & ~f->tried,
        .avoid = doh_choice_kin(operators, pool->upstream_count, f->avoid),
        .mode = (enum doh_choice_mode)pool->config->choice,
        .draw = f->draw,
    };
}

static uint32_t choose(const struct doh_fetch *f)
{
    struct doh_candidate candidate[DOH_UPSTREAMS_MAX];
    const struct doh_choice choice = choice_of(f, candidate);
    return doh_choose(&choice, doh_now(f->pool));
}

static void on_plain_answer(void *arg, enum doh_err err, const uint8_t *wire, uint32_t len)
{
    struct doh_fetch *f = arg;
    f->plain = NULL;
    if (err == DOH_OK)
        doh_fetch_answered(f, wire, len, 0, DOH_ROUTE_DEFAULT);
    else
        doh_fetch_end(f, err);
}

static void ask_plainly(struct doh_fetch *f)
{
    struct doh_pool *pool = f->pool;
    struct doh_route **route = &pool->routes[f->route];
    struct dns_rr table[4]; /* a query has no more than OPT */
    struct dns_msg query;
    if (!*route)
        *route = doh_route_open(pool, &pool->config->routes[f->route]);
    if (!*route || dns_msg_read(f->wire, f->len, table, 4, &query) != DNS_OK) {
        doh_fetch_end(f, DOH_E_MEMORY);
        return;
    }
    struct doh_plain *plain = doh_route_plain(*route);
    if (plain)
        f->plain = doh_plain_ask(plain, &f->question, query.flags, query.edns.dnssec_ok,
                                 on_plain_answer, f);
    if (!f->plain) {
        doh_fetch_end(f, DOH_E_UNREACHABLE);
        return;
    }
    f->sent = 1;
    doh_fetch_set_state(f, DOH_FETCH_ASKED);
}

/* From now on an answer is to be expected. One question beside the first is enough. */
void doh_fetch_start_clocks(struct doh_fetch *f, const struct doh_latency *latency)
{
    uint64_t now = doh_now(f->pool);
    uint32_t hedge_ms = doh_hedge_after_ms(latency);
    bool may_hedge = hedge_ms < UINT32_MAX && f->pool->config->hedge == DOH_HEDGE_OTHER;
    f->failover_ms = now + doh_failover_after_ms(latency);
    f->hedge_ms = may_hedge && count_asks(f) == 1 ? now + hedge_ms : UINT64_MAX;
}

static void ask_upstream(struct doh_fetch *f, struct doh_ask *ask, uint32_t upstream)
{
    struct doh_upstream *up = &f->pool->upstreams[upstream];
    f->tried |= doh_bit(upstream);
    doh_upstream_ask(up, ask, f);
    if (ask->held) { /* its clocks start when it is sent */
        f->failover_ms = doh_now(f->pool) + doh_fetch_hold_ms(f, up);
        f->hedge_ms = UINT64_MAX;
    } else {
        doh_fetch_start_clocks(f, &up->health.latency);
    }
    doh_fetch_set_state(f, DOH_FETCH_ASKED);
}

/* Every upstream that was asked lately takes longer than it used to. */
static bool all_slow_down(const struct doh_pool *pool)
{
    bool some = false;
    for (uint32_t i = 0; i < pool->upstream_count; i++) {
        const struct doh_latency *l = &pool->upstreams[i].health.latency;
        if (!doh_latency_is_known(l, doh_now(pool)))
            continue;
        if (!doh_latency_is_slowing(l))
            return false;
        some = true;
    }
    return some;
}

void doh_fetch_hedge(struct doh_fetch *f)
{
    struct doh_candidate candidate[DOH_UPSTREAMS_MAX];
    const struct doh_choice choice = choice_of(f, candidate);
    uint64_t now = doh_now(f->pool);
    struct doh_ask *ask = free_ask(f);
    uint32_t upstream = ask ? doh_choose(&choice, now) : DOH_NONE;
    f->hedge_ms = UINT64_MAX;
    if (upstream == DOH_NONE || !doh_choice_is_fine(&choice, upstream, now) ||
        all_slow_down(f->pool) || !doh_hedge_spend(&f->pool->hedges))
        return;
    f->pool->upstreams[upstream].status.hedges++;
    uint64_t failover_ms = f->failover_ms;
    ask_upstream(f, ask, upstream);
    if (failover_ms > f->failover_ms)
        f->failover_ms = failover_ms;
}

static bool may_try_again(const struct doh_fetch *f)
{
    bool early = !f->pool->answered && doh_now(f->pool) < f->began_ms + DOH_EARLY_MS;
    return early || (f->rounds < DOH_ROUNDS_MAX && !f->last_chance);
}

/* When the first of those that said when they may be asked again opens; UINT64_MAX: none soon. */
static uint64_t opens_ms(const struct doh_fetch *f, uint64_t now)
{
    uint64_t open = UINT64_MAX;
    for (uint32_t i = 0; i < f->pool->upstream_count; i++) {
        uint64_t until = f->pool->upstreams[i].health.shut_until_ms;
        if ((doh_fetch_allowed(f) & ~f->never & doh_bit(i)) && until > now && until < open)
            open = until;
    }
    return open <= now + LAST_CHANCE_MAX_MS ? open : UINT64_MAX;
}

static uint64_t pause_ms(void)
{
    return LAST_CHANCE_MIN_MS + doh_random() % LAST_CHANCE_MIN_MS;
}

static bool is_sent(const struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        if (f->ask[i].conn)
            return true;
    return false;
}

/* Others have failed, and who has the question is silent: it may be lost there. Once, after a
 * pause, any that has not refused it is asked again, while that one may still answer. */
static bool wait_to_ask_again(struct doh_fetch *f)
{
    uint64_t now = doh_now(f->pool);
    if (f->asked_again || f->speculative || f->err == DOH_OK || !is_sent(f) ||
        now + LAST_CHANCE_LEFT_MS > f->deadline_ms)
        return false;
    f->asked_again = true;
    f->tried = f->never;
    f->failover_ms = now + pause_ms();
    f->hedge_ms = UINT64_MAX;
    doh_fetch_set_state(f, DOH_FETCH_ASKED);
    return true;
}

/* All that were asked have failed, perhaps one after the other for reasons that have passed; or
 * none could be reached, but one opens soon. Once, after a pause, they are asked again; not those
 * that refused the question itself. */
static bool wait_for_last_chance(struct doh_fetch *f)
{
    uint64_t now = doh_now(f->pool);
    uint64_t at = now + pause_ms();
    uint64_t open = opens_ms(f, now);
    bool passing = (f->spent & ~f->never) != 0 || open != UINT64_MAX;
    if (f->last_chance || f->speculative || !passing || now + LAST_CHANCE_LEFT_MS > f->deadline_ms)
        return false;
    f->last_chance = true;
    f->tried = f->spent = f->never;
    f->failover_ms = open != UINT64_MAX && open > at ? open : at;
    f->hedge_ms = UINT64_MAX;
    doh_fetch_set_state(f, DOH_FETCH_ASKED);
    return true;
}

void doh_fetch_choose(struct doh_fetch *f)
{
    if (f->route != DOH_ROUTE_DEFAULT) {
        ask_plainly(f);
        return;
    }
    if (f->tried == 0)
        f->draw = draw(f);
    struct doh_ask *ask = free_ask(f);
    uint32_t upstream = ask ? choose(f) : DOH_NONE;
    if (upstream == DOH_NONE && doh_fetch_is_asked(f)) {
        if (wait_to_ask_again(f))
            return;
        f->failover_ms = f->hedge_ms = UINT64_MAX; /* nobody else is left: wait for those */
        doh_fetch_set_state(f, DOH_FETCH_ASKED);
        return;
    }
    if (upstream == DOH_NONE && may_try_again(f)) {
        f->rounds++; /* some could not even be reached: perhaps now */
        f->tried = f->spent;
        upstream = choose(f);
    }
    if (upstream != DOH_NONE && f->tried == 0)
        doh_hedge_earn(&f->pool->hedges);
    if (upstream != DOH_NONE)
        ask_upstream(f, ask, upstream);
    else if (!wait_for_last_chance(f))
        doh_fetch_end(f, f->err != DOH_OK ? f->err : DOH_E_UNREACHABLE);
}

/* --- the end ------------------------------------------------------------------------------- */

static void stop_asking(struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        doh_upstream_forget(&f->ask[i]);
    if (f->plain)
        doh_plain_cancel(f->plain);
    f->plain = NULL;
}

void doh_fetch_end(struct doh_fetch *f, enum doh_err err)
{
    if (f->state == DOH_FETCH_FINISHED)
        return;
    stop_asking(f);
    f->err = err;
    doh_fetch_set_state(f, DOH_FETCH_FINISHED);
}

void doh_fetch_answered(struct doh_fetch *f, const uint8_t *wire, uint32_t len, uint32_t age_s,
                        uint32_t upstream)
{
    f->answer = malloc(len);
    if (!f->answer) {
        doh_fetch_end(f, DOH_E_MEMORY);
        return;
    }
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        doh_upstream_outrun(&f->ask[i]);
    memcpy(f->answer, wire, len);
    f->answer_len = len;
    f->age_s = age_s;
    f->upstream = upstream;
    doh_fetch_end(f, DOH_OK);
}

void doh_fetch_failed(struct doh_ask *ask, uint32_t upstream, enum doh_err err, bool sent)
{
    struct doh_fetch *f = ask->fetch;
    if (err == DOH_E_TLS) /* what was refused will be refused again */
        f->never |= doh_bit(upstream);
    if (sent || err == DOH_E_TLS)
        f->spent |= doh_bit(upstream);
    if (f->err == DOH_OK)
        f->err = err;
    if (f->state == DOH_FETCH_ASKED)
        doh_fetch_set_state(f, DOH_FETCH_CHOOSING);
}

void doh_fetch_deliver(struct doh_fetch *f)
{
    struct doh_answer answer = {.wire = f->answer,
                                .len = f->answer_len,
                                .age_s = f->age_s,
                                .upstream = f->upstream,
                                .sent = f->sent};
    doh_list_remove(&f->link);
    f->pool->fetch_count--;
    f->done(f->arg, f->err, f->err == DOH_OK ? &answer : NULL);
    free(f->answer);
    free(f);
}

void doh_fetch_cancel(struct doh_fetch *f)
{
    stop_asking(f);
    doh_list_remove(&f->link);
    f->pool->fetch_count--;
    free(f->answer);
    free(f);
}
