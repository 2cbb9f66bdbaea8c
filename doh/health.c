// SPDX-License-Identifier: MIT
#include "doh/health.h"

#include <string.h>

#define LIE_WINDOW_MS 60000u
#define QUARANTINE_MIN_MS 60000u
#define QUARANTINE_MAX_MS 3600000u
#define FORGIVEN_AFTER_MS 600000u

void doh_health_failed(struct doh_health *h, uint64_t now_ms, uint32_t floor_ms, uint32_t random)
{
    if (doh_health_backing_off(h, now_ms))
        return;
    uint32_t next_ms = h->backoff_ms * 2;
    if (next_ms < floor_ms)
        next_ms = floor_ms;
    if (next_ms > DOH_BACKOFF_MAX_MS)
        next_ms = DOH_BACKOFF_MAX_MS;
    h->backoff_ms = next_ms;
    h->retry_at_ms = now_ms + next_ms - random % (next_ms / 2 + 1);
}

void doh_health_worked(struct doh_health *h, uint64_t now_ms, uint64_t sent_ms)
{
    uint32_t rtt_us = (uint32_t)(now_ms - sent_ms) * 1000;
    h->backoff_ms = 0;
    h->retry_at_ms = 0;
    h->srtt_us = h->srtt_us == 0 ? rtt_us : h->srtt_us - h->srtt_us / 8 + rtt_us / 8;
    if (h->srtt_us == 0)
        h->srtt_us = 1; /* 0 would say that it never answered */
}

void doh_health_hold(struct doh_health *h, uint64_t now_ms, uint32_t ms)
{
    if (now_ms + ms > h->retry_at_ms)
        h->retry_at_ms = now_ms + ms;
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
    return now_ms < h->retry_at_ms;
}

bool doh_health_is_shut(const struct doh_health *h, uint64_t now_ms)
{
    return now_ms < h->shut_until_ms;
}

uint32_t doh_health_quarantine_ms(const struct doh_health *h, uint64_t now_ms)
{
    return now_ms < h->quarantine_until_ms ? (uint32_t)(h->quarantine_until_ms - now_ms) : 0;
}
