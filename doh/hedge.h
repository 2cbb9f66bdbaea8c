/* SPDX-License-Identifier: MIT */
/* When a question that is still unanswered is asked at a second upstream.
 *
 * Hedging is for the rare slow answer: when about 19 of 20 answers of that upstream would have
 * come, at another one, and for fewer than one question in 20; when all upstreams have become
 * slow together a second question would only add to the load. Failing over is for the upstream that
 * does not answer at all: later, and without a budget. Plain arithmetic; no clock, no I/O. */
#ifndef DOH_HEDGE_H
#define DOH_HEDGE_H

#include "doh/latency.h"

#define DOH_HEDGE_MIN_MS 30u
#define DOH_HEDGE_MAX_MS 400u
#define DOH_FAILOVER_MIN_MS 400u
#define DOH_FAILOVER_MAX_MS 1200u

#define DOH_HEDGE_PERMILLE 49u /* hedges for a thousand questions */
#define DOH_HEDGE_BURST 10u    /* hedges that may be saved up */

struct doh_hedge_budget {
    uint32_t thousandths; /* of a hedge */
};

void doh_hedge_earn(struct doh_hedge_budget *b);  /* a question was asked */
bool doh_hedge_spend(struct doh_hedge_budget *b); /* false: nothing left */
/* For what is less urgent: false also while others will probably need what is left. */
bool doh_hedge_spend_spare(struct doh_hedge_budget *b);

uint32_t doh_hedge_after_ms(const struct doh_latency *l);    /* UINT32_MAX: not known yet */
uint32_t doh_failover_after_ms(const struct doh_latency *l); /* 4 times the p95, within bounds */

/* How long a question may yet wait for its upstream to be connected before another one is asked,
 * when dialling has taken `spent_ms` so far. */
#define DOH_HOLD_MAX_MS 250u
uint32_t doh_hold_ms(uint32_t srtt_us, uint64_t spent_ms);

#endif
