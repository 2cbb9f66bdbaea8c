// SPDX-License-Identifier: MIT
#include "doh/latency.h"

#include <stdlib.h>
#include <string.h>

#define RECENT_MS 60000u  /* what is older says nothing about now */
#define SLOWER_MIN_MS 20u /* below that much difference it is noise */

static int compare(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static uint16_t rank_of(uint16_t *sorted, uint32_t count, uint32_t percent)
{
    return sorted[(count * percent + 99) / 100 - 1]; /* the nearest rank */
}

/* When one answer in 20 is late by far, the p95 of a window lies now among those, now below them;
 * the p90 does not. What is just above the usual would spend the budget of hedges on answers that
 * are about to come. Both margins, and the smoothing, are from the simulation in
 * tests/unit/doh_hedge.c. */
static uint32_t rare_ms(uint32_t p90_ms, uint32_t p95_ms)
{
    uint32_t by_p95 = p95_ms + p95_ms / 4, by_p90 = p90_ms + p90_ms / 2;
    return by_p95 < by_p90 ? by_p95 : by_p90;
}

static void sum_up(struct doh_latency *l)
{
    uint16_t sorted[DOH_LATENCY_SAMPLES], recent[DOH_LATENCY_FEW];
    uint32_t have = l->count < DOH_LATENCY_SAMPLES ? l->count : DOH_LATENCY_SAMPLES;
    memcpy(sorted, l->sample_ms, sizeof sorted);
    for (uint32_t i = 0; i < DOH_LATENCY_FEW; i++)
        recent[i] = l->sample_ms[(l->count - 1 - i) % DOH_LATENCY_SAMPLES];
    qsort(sorted, have, sizeof sorted[0], compare);
    qsort(recent, DOH_LATENCY_FEW, sizeof recent[0], compare);
    l->median_ms = rank_of(sorted, have, 50);
    l->p95_ms = rank_of(sorted, have, 95);
    l->recent_ms = rank_of(recent, DOH_LATENCY_FEW, 50);
    uint32_t rare = rare_ms(rank_of(sorted, have, 90), l->p95_ms);
    l->rare_q4 = l->rare_q4 == 0 ? rare * 16 : l->rare_q4 - l->rare_q4 / 16 + rare;
}

void doh_latency_add(struct doh_latency *l, uint64_t now_ms, uint64_t took_ms)
{
    l->sample_ms[l->count++ % DOH_LATENCY_SAMPLES] = took_ms < 1            ? 1
                                                     : took_ms > UINT16_MAX ? UINT16_MAX
                                                                            : (uint16_t)took_ms;
    l->last_ms = now_ms;
    if (l->count % DOH_LATENCY_FEW == 0) /* sorting at each one would cost more than it tells */
        sum_up(l);
}

bool doh_latency_is_known(const struct doh_latency *l, uint64_t now_ms)
{
    return l->recent_ms > 0 && now_ms - l->last_ms < RECENT_MS;
}

bool doh_latency_is_slowing(const struct doh_latency *l)
{
    uint32_t recent_ms = l->recent_ms, usual_ms = l->median_ms;
    return recent_ms >= 2 * usual_ms && recent_ms - usual_ms >= SLOWER_MIN_MS;
}
