/* SPDX-License-Identifier: MIT */
/* How long something that failed is left alone: twice as long each time, up to a bound, and how
 * much of it is waited is left to chance (full jitter), but for an eighth at least. Plain
 * arithmetic; no clock, no I/O. */
#ifndef DOH_BACKOFF_H
#define DOH_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct doh_backoff {
    uint64_t until_ms;
    uint32_t length_ms; /* of the last one, without jitter; 0: the last try went well */
};

/* While one runs, more failures change nothing: they have one cause. */
void doh_backoff_failed(struct doh_backoff *b, uint64_t now_ms, uint32_t min_ms, uint32_t max_ms,
                        uint32_t random);
bool doh_backoff_runs(const struct doh_backoff *b, uint64_t now_ms);

#endif
