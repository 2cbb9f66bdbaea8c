// SPDX-License-Identifier: MIT
#include "doh/hedge.h"

#define FAILOVER_P95S 4u
#define HOLD_RTTS 3u /* TCP, TLS, and one for what is lost */
#define HOLD_SLACK_MS 50u

static uint32_t within(uint32_t value, uint32_t min, uint32_t max)
{
    return value < min ? min : value > max ? max : value;
}

void doh_hedge_earn(struct doh_hedge_budget *b)
{
    b->thousandths = within(b->thousandths + DOH_HEDGE_PERMILLE, 0, DOH_HEDGE_BURST * 1000);
}

bool doh_hedge_spend(struct doh_hedge_budget *b)
{
    if (b->thousandths < 1000)
        return false;
    b->thousandths -= 1000;
    return true;
}

bool doh_hedge_spend_spare(struct doh_hedge_budget *b)
{
    return b->thousandths >= DOH_HEDGE_BURST * 1000 / 2 && doh_hedge_spend(b);
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

uint32_t doh_hold_ms(uint32_t srtt_us, uint64_t spent_ms)
{
    uint64_t usual_ms = HOLD_SLACK_MS + (uint64_t)srtt_us * HOLD_RTTS / 1000;
    uint64_t most_ms = srtt_us == 0 || usual_ms > DOH_HOLD_MAX_MS ? DOH_HOLD_MAX_MS : usual_ms;
    return spent_ms < most_ms ? (uint32_t)(most_ms - spent_ms) : 0;
}
