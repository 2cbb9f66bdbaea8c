// SPDX-License-Identifier: MIT
#include "doh/hedge.h"

#define FAILOVER_P95S 4u

static uint32_t within(uint32_t value, uint32_t min, uint32_t max)
{
    return value < min ? min : value > max ? max : value;
}

void doh_hedge_earn(struct doh_hedge_budget *b)
{
    if (b->parts < DOH_HEDGE_BURST * DOH_HEDGE_SHARE)
        b->parts++;
}

bool doh_hedge_spend(struct doh_hedge_budget *b)
{
    if (b->parts < DOH_HEDGE_SHARE)
        return false;
    b->parts -= DOH_HEDGE_SHARE;
    return true;
}

uint32_t doh_hedge_after_ms(const struct doh_latency *l)
{
    if (l->rare_q4 == 0)
        return UINT32_MAX;
    return within(l->rare_q4 / 16, DOH_HEDGE_MIN_MS, DOH_HEDGE_MAX_MS);
}

uint32_t doh_failover_after_ms(const struct doh_latency *l)
{
    if (l->p95_ms == 0)
        return DOH_FAILOVER_MAX_MS;
    return within(FAILOVER_P95S * l->p95_ms, DOH_FAILOVER_MIN_MS, DOH_FAILOVER_MAX_MS);
}
