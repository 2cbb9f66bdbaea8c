/* SPDX-License-Identifier: MIT */
/* Signatures over RRsets (RFC 4034 3.1.8.1), written without a look at validate/, so that a shared
 * misunderstanding shows. */
#ifndef UPSTREAM_SIGN_H
#define UPSTREAM_SIGN_H

#include "tests/upstream/world.h"

struct sign_times {
    uint32_t inception, expiration; /* seconds since 1970 */
};
enum sign_when { SIGN_VALID, SIGN_EXPIRED, SIGN_FUTURE, SIGN_INVERTED };
struct sign_times sign_times(uint64_t now_s, enum sign_when when);

/* RRSIG RDATA in the arena. `owner` is the name that is signed: the wildcard itself, not the name
 * made from it. */
struct octets sign_rrset(struct arena *arena, struct sign_times times, const struct zone_key *key,
                         const struct dns_name *signer, const struct dns_name *owner,
                         const struct rrset *set);

/* set->sig with the zone's keys and faults, made once a `now`; none in an unsigned zone. */
void zone_sign(struct world *world, const struct zone *zone, const struct dns_name *owner,
               struct rrset *set);

#endif
