/* SPDX-License-Identifier: MIT */
/* Whether what was learned of a name is so in the world. Include after tests/unit/signer.h. */
#ifndef TESTS_UNIT_TRUTH_H
#define TESTS_UNIT_TRUTH_H

#include "tests/unit/signer.h"

/* The zone of just this name, or NULL. */
static inline const struct world_zone *truth_zone(const struct world *world,
                                                  const struct dns_name *name)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (dns_name_equal(&world->zone[i].name, name))
            return &world->zone[i];
    return NULL;
}

static inline bool truth_has_key(const struct val_zone *zone, const struct world_zone *real)
{
    return zone->key_count == 1 && EVP_PKEY_eq(zone->keys->pkey, real->key) == 1;
}

/* BAD is no belief. An unsigned zone, or one without DS, makes what is below it insecure; names in
 * a gap with opt-out, or of too many iterations, may be such a zone. Nothing is believed for longer
 * than its TTL. */
static inline bool truth_holds(struct world *world, const struct val_zone *zone, uint64_t now_s)
{
    const uint16_t iterations_max = 50; /* as val_policy_default() has it (RFC 9276 3.2) */
    const struct world_zone *real = truth_zone(world, &zone->name);
    const struct world_zone *above = world_parent(world, &zone->name);
    if (zone->kind == VAL_ZONE_BAD)
        return true;
    if (zone->expires_s > now_s + WORLD_TTL)
        return false;
    switch (zone->kind) {
    case VAL_ZONE_SECURE:
        return real && real->denial != WORLD_UNSIGNED && !real->no_ds && truth_has_key(zone, real);
    case VAL_ZONE_INSECURE:
        if (real)
            return real->denial == WORLD_UNSIGNED || real->no_ds || real->unusable_ds;
        return above && (above->denial == WORLD_OPT_OUT || above->iterations > iterations_max);
    case VAL_ZONE_NOT_A_CUT: return !real;
    case VAL_ZONE_BAD: break;
    }
    return true;
}

#endif
