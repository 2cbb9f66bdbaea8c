// SPDX-License-Identifier: MIT
#include "doh/choice.h"

#include "doh/spread.h"

#include <strings.h>

#define EXPLORE                                                                                    \
    100u /* one choice in so many does not look at speed: else what was slow once would            \
          * never be seen to have become fast */

static uint32_t bit(uint32_t upstream)
{
    return UINT32_C(1) << upstream;
}

uint32_t doh_choice_kin(const char *const *operators, uint32_t count, uint32_t avoid)
{
    uint32_t kin = avoid;
    for (uint32_t i = 0; avoid != 0 && i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            if ((avoid & bit(j)) && strcasecmp(operators[i], operators[j]) == 0)
                kin |= bit(i);
    return kin;
}

/* --- which may be taken -------------------------------------------------------------------- */

enum { RANK_LIAR = 1 << 8, RANK_AVOIDED = 1 << 9, RANK_BACKING_OFF = 1 << 10 };

static uint32_t rank_of(const struct doh_choice *c, uint32_t i, uint64_t now_ms)
{
    const struct doh_health *h = c->candidate[i].health;
    uint32_t rank = c->candidate[i].tier * 2 + (c->candidate[i].far ? 1 : 0);
    rank |= c->candidate[i].away || doh_health_backing_off(h, now_ms) ? RANK_BACKING_OFF : 0;
    rank |= c->avoid & bit(i) ? RANK_AVOIDED : 0;
    rank |= doh_health_quarantine_ms(h, now_ms) > 0 ? RANK_LIAR : 0;
    return rank;
}

static bool is_out(const struct doh_choice *c, uint32_t i, uint64_t now_ms)
{
    return !(c->eligible & bit(i)) || doh_health_is_shut(c->candidate[i].health, now_ms);
}

/* The set of those with the lowest rank. */
static uint32_t best(const struct doh_choice *c, uint64_t now_ms, uint32_t *ret_rank)
{
    uint32_t set = 0;
    *ret_rank = UINT32_MAX;
    for (uint32_t i = 0; i < c->count; i++) {
        if (is_out(c, i, now_ms))
            continue;
        uint32_t rank = rank_of(c, i, now_ms);
        if (rank < *ret_rank)
            set = 0;
        if (rank <= *ret_rank) {
            set |= bit(i);
            *ret_rank = rank;
        }
    }
    return set;
}

/* --- which is taken ------------------------------------------------------------------------ */

static uint32_t nth(uint32_t set, uint32_t n)
{
    while (n-- > 0)
        set &= set - 1;
    return (uint32_t)__builtin_ctz(set);
}

static uint32_t soonest(const struct doh_choice *c, uint32_t set)
{
    uint32_t found = nth(set, 0);
    for (uint32_t i = 0; i < c->count; i++)
        if ((set & bit(i)) &&
            c->candidate[i].health->backoff.until_ms < c->candidate[found].health->backoff.until_ms)
            found = i;
    return found;
}

static uint64_t cost(const struct doh_candidate *candidate, uint64_t now_ms)
{
    return doh_health_expected_us(candidate->health, now_ms) * (1 + candidate->load);
}

/* Two random choices: nearly as good as the best of all, and no stampede to one that has just
 * become the fastest. */
static uint32_t faster_of_two(const struct doh_choice *c, uint32_t set, uint64_t now_ms)
{
    uint32_t count = (uint32_t)__builtin_popcount(set);
    uint32_t low = (uint32_t)c->draw, high = (uint32_t)(c->draw >> 32);
    uint32_t a = low % count;
    uint32_t b = count > 1 ? (a + 1 + high % (count - 1)) % count : a;
    a = nth(set, a);
    b = nth(set, b);
    if ((high >> 16) % EXPLORE == 0)
        return a;
    return cost(&c->candidate[b], now_ms) < cost(&c->candidate[a], now_ms) ? b : a;
}

static uint32_t heaviest(const struct doh_choice *c, uint32_t set)
{
    uint32_t found = DOH_NONE;
    uint64_t most = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!(set & bit(i)))
            continue;
        uint64_t weight = doh_spread_weight(c->draw, c->candidate[i].identity);
        if (found == DOH_NONE || weight > most) {
            found = i;
            most = weight;
        }
    }
    return found;
}

uint32_t doh_choose(const struct doh_choice *c, uint64_t now_ms)
{
    uint32_t rank;
    uint32_t set = best(c, now_ms, &rank);
    if (set == 0)
        return DOH_NONE;
    if (rank & RANK_BACKING_OFF)
        return soonest(c, set);
    switch (c->mode) {
    case DOH_FAILOVER: return nth(set, 0);
    case DOH_FASTEST: return faster_of_two(c, set, now_ms);
    case DOH_ROUND_ROBIN: return nth(set, (uint32_t)(c->draw % (uint32_t)__builtin_popcount(set)));
    case DOH_SPREAD: return heaviest(c, set);
    }
    return nth(set, 0);
}

bool doh_choice_is_fine(const struct doh_choice *c, uint32_t upstream, uint64_t now_ms)
{
    return rank_of(c, upstream, now_ms) < RANK_LIAR;
}
