/* SPDX-License-Identifier: MIT */
/* How long an upstream takes to answer, from its last answers: what is usual, what is rare, and
 * whether it is slower just now than it was. Plain arithmetic; no clock, no I/O. */
#ifndef DOH_LATENCY_H
#define DOH_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#define DOH_LATENCY_SAMPLES 128u
#define DOH_LATENCY_FEW 16u /* fewer samples say nothing about what is rare */

struct doh_latency {
    uint16_t sample_ms[DOH_LATENCY_SAMPLES]; /* a ring */
    uint32_t count;                          /* all that ever came */
    uint16_t median_ms, p95_ms;              /* as of the last 16th sample; 0: not enough yet */
    uint16_t recent_ms;                      /* median of the last 16 */
    uint32_t rare_q4;                        /* 16 times: longer than this is rare; smoothed */
    uint64_t last_ms;                        /* when the last came */
};

/* Also for a question that was given up because another upstream was faster: it would have taken
 * at least that long. */
void doh_latency_add(struct doh_latency *l, uint64_t now_ms, uint64_t took_ms);

bool doh_latency_is_known(const struct doh_latency *l, uint64_t now_ms); /* as it is just now */
/* Its recent answers take twice as long as usual, which is no matter of single questions. */
bool doh_latency_is_slowing(const struct doh_latency *l);

#endif
