// SPDX-License-Identifier: MIT
#include "doh/choice.h"

#include <strings.h>

uint32_t doh_choice_kin(const char *const *operators, uint32_t count, uint32_t avoid)
{
    uint32_t kin = avoid;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            if ((avoid & (UINT32_C(1) << j)) && strcasecmp(operators[i], operators[j]) == 0)
                kin |= UINT32_C(1) << i;
    return kin;
}

struct rank {
    unsigned tier; /* lower is better */
    uint64_t retry_at_ms;
};

static struct rank rank_of(const struct doh_health *h, bool avoided, uint64_t now_ms)
{
    bool backing_off = doh_health_backing_off(h, now_ms);
    bool liar = doh_health_quarantine_ms(h, now_ms) > 0;
    return (struct rank){
        .tier = (backing_off ? 4u : 0u) + (avoided ? 2u : 0u) + (liar ? 1u : 0u),
        .retry_at_ms = backing_off ? h->retry_at_ms : 0,
    };
}

static bool better(struct rank a, struct rank b)
{
    return a.tier != b.tier ? a.tier < b.tier : a.retry_at_ms < b.retry_at_ms;
}

uint32_t doh_choice(const struct doh_health *const *health, uint32_t count, uint32_t eligible,
                    uint32_t avoid, uint64_t now_ms)
{
    uint32_t best = DOH_NONE;
    struct rank best_rank = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bit = UINT32_C(1) << i;
        if (!(eligible & bit) || doh_health_is_shut(health[i], now_ms))
            continue;
        struct rank rank = rank_of(health[i], (avoid & bit) != 0, now_ms);
        if (best == DOH_NONE || better(rank, best_rank)) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}
