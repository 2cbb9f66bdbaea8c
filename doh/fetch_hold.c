// SPDX-License-Identifier: MIT
#include "doh/fetch_parts.h"
#include "doh/plain.h"
#include "doh/upstream.h"

void doh_fetch_hurry(struct doh_fetch *f)
{
    if (f->state == DOH_FETCH_ASKED && f->failover_ms < UINT64_MAX)
        doh_fetch_set_state(f, DOH_FETCH_CHOOSING);
}

uint32_t doh_fetch_hold_ms(const struct doh_fetch *f, const struct doh_upstream *up)
{
    return f->avoid != 0 ? doh_failover_after_ms(&up->health.latency) : doh_upstream_hold_ms(up);
}

void doh_fetch_held(const struct doh_ask *ask)
{
    struct doh_fetch *f = ask->fetch;
    uint64_t at = doh_now(f->pool) + doh_fetch_hold_ms(f, ask->upstream);
    if (f->state != DOH_FETCH_ASKED || f->failover_ms == UINT64_MAX || f->failover_ms <= at)
        return;
    f->failover_ms = at;
    doh_pool_wake(f->pool, at);
}

/* One that still waits for a connection need not be asked any more. */
static void withdraw(struct doh_fetch *f, struct doh_ask *ask)
{
    if (!ask->upstream || ask->conn || !ask->held)
        return;
    f->tried &= ~doh_bit(ask->upstream->index);
    doh_upstream_forget(ask);
}

void doh_fetch_sent(struct doh_ask *ask)
{
    struct doh_fetch *f = ask->fetch;
    f->sent++;
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        withdraw(f, &f->ask[i]);
    if (!ask->held)
        return;
    ask->held = false;
    doh_fetch_start_clocks(f, &ask->upstream->health.latency);
    if (f->state == DOH_FETCH_ASKED)
        doh_pool_wake(f->pool, doh_fetch_due_ms(f));
}

bool doh_fetch_is_held(const struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        if (f->ask[i].upstream && !f->ask[i].held)
            return false;
    return f->plain == NULL;
}

static bool has_ask(const struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        if (f->ask[i].upstream)
            return true;
    return false;
}

/* Not to those that pause before their last chance: a new connection may fail, too. */
void doh_fetch_offer(struct doh_pool *pool, uint32_t upstream)
{
    struct doh_list *next;
    for (struct doh_list *i = pool->asked.next; i != &pool->asked; i = next) {
        struct doh_fetch *f = DOH_ITEM(i, struct doh_fetch, link);
        next = i->next; /* it may move to another list */
        if (f->avoid == 0 && has_ask(f) && doh_fetch_is_held(f) &&
            (doh_fetch_allowed(f) & ~f->tried & doh_bit(upstream)))
            doh_fetch_hurry(f);
    }
}

void doh_fetch_plainly_again(struct doh_pool *pool)
{
    struct doh_list *next;
    for (struct doh_list *i = pool->asked.next; i != &pool->asked; i = next) {
        struct doh_fetch *f = DOH_ITEM(i, struct doh_fetch, link);
        next = i->next; /* it may move to another list */
        if (!f->plain)
            continue;
        doh_plain_cancel(f->plain);
        f->plain = NULL;
        doh_fetch_set_state(f, DOH_FETCH_CHOOSING);
    }
}
