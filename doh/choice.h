/* SPDX-License-Identifier: MIT */
/* Which upstream is asked next: the first in the order of the configuration that is in the best
 * state. Sets of upstreams are bits. */
#ifndef DOH_CHOICE_H
#define DOH_CHOICE_H

#include "doh/config.h"
#include "doh/health.h"

#define DOH_NONE UINT32_MAX

/* `avoid`, and all that have an operator with one of them in common. Operators are compared
 * without regard to case; `operators[i]` belongs to upstream i. */
uint32_t doh_choice_kin(const char *const *operators, uint32_t count, uint32_t avoid);

/* Of the upstreams in `eligible` that are not shut: one that is not backing off before one that is,
 * one not in `avoid` before one in it, one out of quarantine before one in it; of those that back
 * off the one whose time comes first, otherwise the first. DOH_NONE when there is none. */
uint32_t doh_choice(const struct doh_health *const *health, uint32_t count, uint32_t eligible,
                    uint32_t avoid, uint64_t now_ms);

#endif
