/* SPDX-License-Identifier: MIT */
/* What an upstream's server was seen to do to connections: after how much idle time, and after how
 * many questions, it closes them. We leave shortly before, with the next connection already open,
 * so that no question meets the closing door. Plain arithmetic on `now_ms`; no I/O.
 *
 * A number is believed when two connections in a row have ended alike (within an eighth): a single
 * close may have been a restart. It is forgotten after an hour, since servers change, and what is
 * never tested would stay for ever. */
#ifndef DOH_LEARNED_H
#define DOH_LEARNED_H

#include <stdbool.h>
#include <stdint.h>

#define DOH_LEARNED_KEEP_MS 3600000u
#define DOH_IDLE_CLOSE_MIN_MS 1000u /* a close after less silence than this has another cause */
#define DOH_QUOTA_MIN 10u

struct doh_lesson {
    uint32_t last;  /* what the last connection showed; 0: nothing yet */
    uint32_t value; /* believed; 0: nothing */
    uint64_t at_ms; /* since when */
};

struct doh_learned {
    struct doh_lesson idle_ms, quota;
};

/* The peer ended, in good order, a connection that had been quiet for `idle_ms` (0: it had open
 * questions) and had carried `sent` questions. */
void doh_learned_closed(struct doh_learned *l, uint64_t now_ms, uint64_t idle_ms, uint32_t sent);

/* After so much idle time we close it ourselves: 0.8 of what is believed; UINT32_MAX: unknown. */
uint32_t doh_learned_idle_ms(const struct doh_learned *l, uint64_t now_ms);

/* It has carried 95 % of the questions that the peer takes: time for another one. */
bool doh_learned_worn(const struct doh_learned *l, uint64_t now_ms, uint32_t sent);

#endif
