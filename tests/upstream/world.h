/* SPDX-License-Identifier: MIT */
/* The world: every zone that exists, read from one text file. A line is empty, a `#` comment, or
 *
 *   zone NAME [alg=N] [keys=csk|split] [denial=nsec|nsec3|optout] [iterations=N] [salt=HEX]
 *             [ds=none|good,sha1,sha384,wrong,unknown-alg,unknown-digest] [ttl=SECONDS]
 *             [rsa=BITS] [fault=NAME,...]
 *   zone NAME unsigned [ds=...]
 *   OWNER [TTL] [IN] TYPE RDATA           a record of the last zone; names relative to it, "@" too
 *
 * Faults: expired future inverted corrupt unsigned-data unsigned-keys zsk-only revoked
 * no-zone-flag keytrap sigjam lockcram hashtrap (for RSA). SOA, NS and the name server's address
 * are added where they are missing; NS and DS are added to the parent. Keys follow from `seed` and
 * the zone's name, so that two programs with one file and one seed agree. */
#ifndef UPSTREAM_WORLD_H
#define UPSTREAM_WORLD_H

#include "tests/upstream/zone.h"

enum { ZONES_MAX = 256 };

struct world {
    struct arena arena;
    struct arena signatures; /* emptied when `now` changes */
    unsigned epoch;          /* counts those changes; from 1 */
    uint64_t now_s;          /* signatures are valid from an hour before to seven days after */
    const char *seed;
    struct zone *zone[ZONES_MAX];
    unsigned zone_count;
};

/* False and a sentence with file and line in `error`. `seed` is borrowed. */
bool world_load(struct world *world, const char *path, const char *seed, uint64_t now_s,
                char *error, size_t error_cap);
void world_free(struct world *world);
void world_set_now(struct world *world, uint64_t now_s);

/* The zone that answers for a name: the deepest, but for DS the one above the cut. NULL: none. */
struct zone *world_zone(const struct world *world, const struct dns_name *name, uint16_t type);
struct zone *world_zone_named(const struct world *world, const struct dns_name *name);

#endif
