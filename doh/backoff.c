// SPDX-License-Identifier: MIT
#include "doh/backoff.h"

bool doh_backoff_runs(const struct doh_backoff *b, uint64_t now_ms)
{
    return now_ms < b->until_ms;
}

void doh_backoff_failed(struct doh_backoff *b, uint64_t now_ms, uint32_t min_ms, uint32_t max_ms,
                        uint32_t random)
{
    if (doh_backoff_runs(b, now_ms))
        return;
    uint32_t next_ms = b->length_ms * 2;
    if (next_ms < min_ms)
        next_ms = min_ms;
    if (next_ms > max_ms)
        next_ms = max_ms;
    uint32_t least_ms = next_ms / 8;
    b->length_ms = next_ms;
    b->until_ms = now_ms + least_ms + random % (next_ms - least_ms + 1);
}
