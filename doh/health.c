// SPDX-License-Identifier: MIT
#include "doh/health.h"

#include <string.h>

#define LIE_WINDOW_MS 60000u
#define QUARANTINE_MIN_MS 60000u
#define QUARANTINE_MAX_MS 3600000u
#define FORGIVEN_AFTER_MS 600000u
#define HALF_LIFE_MS 60000u   /* of failures */
#define FAILURES_MAX 8000u    /* thousandths */
#define STALE_AFTER_MS 30000u /* by then a round trip that was not measured again counts half */

/* Halved for each whole half-life, and in a straight line between. */
static uint32_t remembered(const struct doh_health *h, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - h->failed_ms;
    if (age_ms >= 16u * HALF_LIFE_MS)
        return 0;
    uint32_t whole = h->failures >> (age_ms / HALF_LIFE_MS);
    return whole - (uint32_t)(whole * (age_ms % HALF_LIFE_MS) / (2u * HALF_LIFE_MS));
}

uint64_t doh_health_expected_us(const struct doh_health *h, uint64_t now_ms)
{
    uint64_t idle_ms = now_ms - h->latency.last_ms;
    uint64_t us = (uint64_t)h->srtt_us * STALE_AFTER_MS / (STALE_AFTER_MS + idle_ms);
    return us * (1000 + remembered(h, now_ms)) / 1000;
}

void doh_health_forgive(struct doh_health *h)
{
    h->backoff = (struct doh_backoff){0};
}

void doh_health_failed(struct doh_health *h, uint64_t now_ms, uint32_t floor_ms, uint32_t random)
{
    if (doh_health_backing_off(h, now_ms))
        return;
    h->failures = remembered(h, now_ms) + 1000;
    if (h->failures > FAILURES_MAX)
        h->failures = FAILURES_MAX;
    h->failed_ms = now_ms;
    doh_backoff_failed(&h->backoff, now_ms, floor_ms, DOH_BACKOFF_MAX_MS, random);
}

void doh_health_worked(struct doh_health *h, uint64_t now_ms, uint64_t sent_ms)
{
    uint32_t rtt_us = (uint32_t)(now_ms - sent_ms) * 1000;
    h->backoff = (struct doh_backoff){0};
    h->worked_ms = now_ms;
    h->srtt_us = h->srtt_us == 0 ? rtt_us : h->srtt_us - h->srtt_us / 8 + rtt_us / 8;
    if (h->srtt_us == 0)
        h->srtt_us = 1; /* 0 would say that it never answered */
    doh_latency_add(&h->latency, now_ms, now_ms - sent_ms);
}

void doh_health_hold(struct doh_health *h, uint64_t now_ms, uint32_t ms)
{
    if (now_ms + ms > h->backoff.until_ms)
        h->backoff.until_ms = now_ms + ms;
}

void doh_health_shut(struct doh_health *h, uint64_t now_ms, uint32_t ms)
{
    if (now_ms + ms > h->shut_until_ms)
        h->shut_until_ms = now_ms + ms;
}

static void quarantine(struct doh_health *h, uint64_t now_ms)
{
    bool forgiven = now_ms > h->quarantine_until_ms + FORGIVEN_AFTER_MS;
    uint32_t next_ms = forgiven ? 0 : h->quarantine_ms * 2;
    if (next_ms < QUARANTINE_MIN_MS)
        next_ms = QUARANTINE_MIN_MS;
    h->quarantine_ms = next_ms < QUARANTINE_MAX_MS ? next_ms : QUARANTINE_MAX_MS;
    h->quarantine_until_ms = now_ms + h->quarantine_ms;
    h->lie_count = 0;
}

bool doh_health_lied(struct doh_health *h, uint64_t now_ms)
{
    if (doh_health_quarantine_ms(h, now_ms) > 0)
        return false; /* what was under way when it began */
    if (h->lie_count == DOH_LIES_MAX)
        memmove(h->lie_ms, h->lie_ms + 1, sizeof h->lie_ms - sizeof h->lie_ms[0]);
    else
        h->lie_count++;
    h->lie_ms[h->lie_count - 1] = now_ms;
    if (h->lie_count < DOH_LIES_MAX || now_ms - h->lie_ms[0] > LIE_WINDOW_MS)
        return false;
    quarantine(h, now_ms);
    return true;
}

bool doh_health_backing_off(const struct doh_health *h, uint64_t now_ms)
{
    return doh_backoff_runs(&h->backoff, now_ms);
}

bool doh_health_is_shut(const struct doh_health *h, uint64_t now_ms)
{
    return now_ms < h->shut_until_ms;
}

uint32_t doh_health_quarantine_ms(const struct doh_health *h, uint64_t now_ms)
{
    return now_ms < h->quarantine_until_ms ? (uint32_t)(h->quarantine_until_ms - now_ms) : 0;
}
