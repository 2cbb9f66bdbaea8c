/* SPDX-License-Identifier: MIT */
/* Gaps: what proven NSEC and NSEC3 records say about names that nobody has asked for yet (RFC 8198,
 * RFC 8020), and the wildcards beside them. From these a whole answer with its proof is composed.
 *
 * It is believed as little as an upstream's: whoever takes it proves it again before it is used.
 * What is kept, and what is found, is chosen so that it will prove; a mistake here costs a
 * question upstream, never a wrong answer.
 *
 * Kept      only what a SECURE verdict rests on; no opt-out, no minimal range or compact denial
 * (RFC 4470, RFC 9824), no NSEC3 that is dear to hash. Lives as long as the least of its TTL,
 * its zone's SOA TTL and SOA minimum when they are known (RFC 9077), and its signature; within the
 * cache's limits. An absence is found only with its SOA. Threads   any. One lock for all; taken on
 * a miss only, before an upstream would be asked. */
#ifndef CACHE_GAPS_H
#define CACHE_GAPS_H

#include "cache/cache.h"
#include "validate/job.h"

/* From val_job_proofs() of one job, which began in `epoch`; copied. Newer statements replace older
 * ones that they contradict. */
void cache_gaps_put(struct cache *cache, const struct val_proven *proven, uint32_t count,
                    uint64_t epoch, struct cache_now now);

/* Composes an answer (ID 0, no OPT, no AD) from the gaps of the deepest zone above the name that
 * has some: NXDOMAIN, NODATA, or what a wildcard makes. `top`: the zone may not lie above it. NSEC3
 * hashing is taken from `budget`, at most a quarter of what is left. Its length, or 0. */
uint32_t cache_gaps_find(struct cache *cache, const struct dns_question *question,
                         const struct dns_name *top, struct val_budget *budget,
                         struct cache_now now, uint8_t *buf, uint32_t cap);

#endif
