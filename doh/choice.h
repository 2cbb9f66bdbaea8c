/* SPDX-License-Identifier: MIT */
/* Which upstream is asked next: of those in the best state one, by the way that the configuration
 * says. Sets of upstreams are bits. No clock, no I/O, no random numbers of its own. */
#ifndef DOH_CHOICE_H
#define DOH_CHOICE_H

#include "doh/config.h"
#include "doh/health.h"

#define DOH_NONE UINT32_MAX

struct doh_candidate {
    const struct doh_health *health;
    uint32_t tier;
    uint32_t load;     /* questions that it has not answered */
    uint64_t identity; /* spread.h */
    bool away;         /* as if it were backing off */
    bool far;          /* of a tier, those that are not go first */
};

struct doh_choice {
    const struct doh_candidate *candidate;
    uint32_t count;
    uint32_t eligible; /* the others do not count */
    uint32_t avoid;    /* asked only when nothing else lives */
    enum doh_choice_mode mode;
    uint64_t draw; /* FASTEST: a random number; ROUND_ROBIN: one more each time; SPREAD: the
                    * domain's number */
};

/* `avoid`, and all that have an operator with one of them in common. Operators are compared
 * without regard to case; `operators[i]` belongs to upstream i. */
uint32_t doh_choice_kin(const char *const *operators, uint32_t count, uint32_t avoid);

/* Of the upstreams in `eligible` that are not shut: those that are not backing off before those
 * that are, those not in `avoid` before those in it, those out of quarantine before those in it,
 * those of a lower tier before those of a higher one, those not far before those that are. Of
 * several that back off the one whose time comes first; otherwise by mode. DOH_NONE when there is
 * none. */
uint32_t doh_choose(const struct doh_choice *choice, uint64_t now_ms);

/* In a state in which a question may be asked there that could do without. */
bool doh_choice_is_fine(const struct doh_choice *choice, uint32_t upstream, uint64_t now_ms);

#endif
