// SPDX-License-Identifier: MIT
#include "doh/learned.h"

static void learn(struct doh_lesson *lesson, uint64_t now_ms, uint32_t seen)
{
    uint32_t less = seen < lesson->last ? seen : lesson->last;
    uint32_t apart = seen < lesson->last ? lesson->last - seen : seen - lesson->last;
    if (lesson->last > 0 && apart <= less / 8) {
        lesson->value = less;
        lesson->at_ms = now_ms;
    }
    lesson->last = seen;
}

static uint32_t believed(const struct doh_lesson *lesson, uint64_t now_ms)
{
    return now_ms - lesson->at_ms < DOH_LEARNED_KEEP_MS ? lesson->value : 0;
}

void doh_learned_closed(struct doh_learned *l, uint64_t now_ms, uint64_t idle_ms, uint32_t sent)
{
    if (idle_ms >= DOH_IDLE_CLOSE_MIN_MS)
        learn(&l->idle_ms, now_ms, idle_ms < UINT32_MAX ? (uint32_t)idle_ms : UINT32_MAX);
    else if (sent >= DOH_QUOTA_MIN)
        learn(&l->quota, now_ms, sent);
}

uint32_t doh_learned_idle_ms(const struct doh_learned *l, uint64_t now_ms)
{
    uint32_t idle_ms = believed(&l->idle_ms, now_ms);
    return idle_ms > 0 ? idle_ms - idle_ms / 5 : UINT32_MAX;
}

bool doh_learned_worn(const struct doh_learned *l, uint64_t now_ms, uint32_t sent)
{
    uint32_t quota = believed(&l->quota, now_ms);
    return quota > 0 && sent >= quota - quota / 20;
}
