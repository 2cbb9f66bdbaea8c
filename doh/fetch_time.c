// SPDX-License-Identifier: MIT
#include "doh/fetch_parts.h"
#include "doh/upstream.h"

#define LIVELY_MS 250u /* after an answer */

/* Whoever got the question. Why another has no connection yet, its dialling says. */
static void blame_the_slow(struct doh_fetch *f)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++)
        if (f->ask[i].conn)
            doh_upstream_slow(f->ask[i].upstream);
}

/* Somebody who has the question answers others meanwhile: it is this one that takes long there. */
static bool is_lively(const struct doh_fetch *f, uint64_t now_ms)
{
    for (unsigned i = 0; i < DOH_ASKS_MAX; i++) {
        const struct doh_ask *ask = &f->ask[i];
        if (ask->conn && ask->conn->answered_ms > ask->sent_ms &&
            now_ms < ask->conn->answered_ms + LIVELY_MS &&
            now_ms < ask->sent_ms + DOH_FAILOVER_MAX_MS)
            return true;
    }
    return false;
}

/* Then asking another one is a hedge in all but name, and comes out of the same budget. */
static bool can_wait(struct doh_fetch *f, uint64_t now_ms)
{
    if (!is_lively(f, now_ms) || doh_hedge_spend_spare(&f->pool->hedges))
        return false;
    f->failover_ms = now_ms + LIVELY_MS; /* it is looked at again */
    return true;
}

void doh_fetch_tick(struct doh_fetch *f, uint64_t now_ms)
{
    if (now_ms >= f->deadline_ms) {
        blame_the_slow(f);
        doh_fetch_end(f, doh_fetch_is_asked(f) || f->err == DOH_OK ? DOH_E_TIMEOUT : f->err);
    } else if (f->state == DOH_FETCH_ASKED && now_ms >= f->failover_ms) {
        if (can_wait(f, now_ms))
            return;
        blame_the_slow(f);
        doh_fetch_set_state(f, DOH_FETCH_CHOOSING);
    } else if (f->state == DOH_FETCH_ASKED && now_ms >= f->hedge_ms) {
        doh_fetch_hedge(f);
    }
}
