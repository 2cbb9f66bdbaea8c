/* SPDX-License-Identifier: MIT */
/* How one upstream fares: back-off after failures, what HTTP told us to keep away for, quarantine
 * for liars, and the smoothed round trip. Plain arithmetic on `now_ms`; no clock, no I/O. */
#ifndef DOH_HEALTH_H
#define DOH_HEALTH_H

#include "doh/backoff.h"
#include "doh/latency.h"

#include <stdbool.h>
#include <stdint.h>

#define DOH_BACKOFF_MIN_MS 100u
#define DOH_BACKOFF_SLOW_MS 1000u /* first back-off when a living server fails to answer */
#define DOH_BACKOFF_MAX_MS 30000u
#define DOH_LIES_MAX 3u /* within a minute: quarantine */

struct doh_health {
    struct doh_backoff backoff; /* a question with no other choice may try all the same */
    uint64_t shut_until_ms;     /* Retry-After: not before, whatever waits */
    uint64_t lie_ms[DOH_LIES_MAX];
    uint32_t lie_count; /* how many of them are set */
    uint64_t quarantine_until_ms;
    uint32_t quarantine_ms; /* the last one's length */
    uint32_t srtt_us;       /* 0: never answered */
    uint64_t worked_ms;     /* when it answered last */
    struct doh_latency latency;
    uint32_t failures; /* in thousandths, halved each minute */
    uint64_t failed_ms;
};

/* The next back-off (backoff.h) lasts from `floor_ms` to DOH_BACKOFF_MAX_MS. */
void doh_health_failed(struct doh_health *h, uint64_t now_ms, uint32_t floor_ms, uint32_t random);
void doh_health_worked(struct doh_health *h, uint64_t now_ms, uint64_t sent_ms);

/* The configuration is wrong (4xx): as a back-off, of just this length. */
void doh_health_hold(struct doh_health *h, uint64_t now_ms, uint32_t ms);
void doh_health_shut(struct doh_health *h, uint64_t now_ms, uint32_t ms);

/* True when this lie is the one that leads into quarantine: 60 s at first, twice as long each
 * time, up to an hour; ten quiet minutes begin anew. */
bool doh_health_lied(struct doh_health *h, uint64_t now_ms);

/* What an answer is to be expected to take, failures counted in. What has not been seen for long
 * counts for less and less, so that a slow upstream is tried again. 0: never answered. */
uint64_t doh_health_expected_us(const struct doh_health *h, uint64_t now_ms);

/* The network has changed: whatever failed may work now. */
void doh_health_forgive(struct doh_health *h);

bool doh_health_backing_off(const struct doh_health *h, uint64_t now_ms);
bool doh_health_is_shut(const struct doh_health *h, uint64_t now_ms);
uint32_t doh_health_quarantine_ms(const struct doh_health *h, uint64_t now_ms); /* left */

#endif
