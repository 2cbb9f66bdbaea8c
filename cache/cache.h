/* SPDX-License-Identifier: MIT */
/* Answers, failures and proven zones: one cache for all workers, bounded in octets. Sharded by a
 * keyed hash; entries are immutable, one allocation each; eviction is S3-FIFO by octets.
 *
 * Threads   every function may be called from any worker. A shard's lock is held for a look-up and
 *           a copy, never across anything that waits.
 * Time      passed in. TTLs age by mono_ms (CLOCK_BOOTTIME: goes on through suspend, never jumps);
 *           signature validity is judged by wall_s, so that neither a clock that is set nor a
 *           machine that sleeps makes an entry live too long. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/snapshot.h"
#include "dns/message.h"
#include "validate/memo.h"
#include "validate/reason.h"
#include "validate/zone.h"

struct cache_now {
    uint64_t mono_ms;
    uint64_t wall_s; /* since 1970 */
};

struct cache_limits {
    size_t bytes;       /* for everything the cache holds, its tables included */
    uint32_t min_ttl_s; /* never raises past a signature's end */
    uint32_t max_ttl_s;
    uint32_t negative_ttl_s; /* cap for NODATA and NXDOMAIN (RFC 2308 5) */
    uint32_t failure_ttl_s;  /* first failure; doubles up to failure_max_ttl_s (RFC 9520 3.2) */
    uint32_t failure_max_ttl_s;
    uint32_t max_stale_s;    /* an answer is kept that long after its end (RFC 8767); 0: not */
    uint32_t stale_after_ms; /* of waiting, before it is given out */
    bool gaps;               /* keep them (cache/gaps.h) */
};

struct cache;
/* `seed`: 16 random octets for the keyed hash. NULL when out of memory. */
struct cache *cache_new(const struct cache_limits *limits, const uint8_t seed[static 16]);
void cache_free(struct cache *cache);

struct cache_key {
    const struct dns_question *question; /* case ignored */
    uint32_t route;         /* DOH_ROUTE_DEFAULT or a plain route: never shared between routes */
    bool dnssec_ok;         /* wants RRSIGs and denial records */
    bool checking_disabled; /* unvalidated data: a population of its own (RFC 6840 5.9) */
};

/* What is trusted may change, and then everything is flushed; but a proof that is under way then
 * began with what was trusted before. So a proof takes the epoch when it begins, before it looks at
 * anything here, and what it puts is kept only if no flush has begun since. */
uint64_t cache_epoch(const struct cache *cache);

/* --- answers ------------------------------------------------------------------------------- */

struct cache_answer {
    const uint8_t *wire; /* a whole message without OPT, as val_job_write() makes it (DO form) */
    uint32_t len;
    enum val_status status;  /* SECURE or INSECURE only; with checking_disabled: INSECURE */
    uint64_t expires_s;      /* wall clock end of every signature in it; UINT64_MAX: none */
    struct dns_ede ede;      /* informational, code DNS_EDE_NONE for most */
    uint32_t negative_ttl_s; /* an absence is kept that long at most; 0: as the limits say */
    uint64_t epoch;          /* of its proof; 0 until the first flush */
};

/* Stores under key->question; the TTL is the lowest of its records' (negative answers: RFC 2308 5,
 * min(SOA TTL, SOA minimum); without SOA: not stored) within the limits, of which the upper ones
 * win. Each record keeps a TTL of its own, within the limits, too. key->dnssec_ok is taken as true.
 * Not stored: what may not live for a second, TC, any RCODE but NOERROR and NXDOMAIN. */
void cache_answer_put(struct cache *cache, const struct cache_key *key,
                      const struct cache_answer *answer, struct cache_now now);

struct cache_hit {
    uint32_t len;
    uint32_t ttl_s; /* left */
    enum val_status status;
    uint16_t rcode;
    bool prefetch; /* nearly over, and used before: told once of each answer */
    struct dns_ede ede;
};

/* Where an answer would be: its key, made and hashed. Memory that is not in the processor's cache
 * takes far longer than a look-up; of several questions at once it can be on its way meanwhile:
 * _seek of all, then _expect of all, then _find_at of each. */
#define CACHE_KEY_MAX 264u
struct cache_bytes_key {
    uint64_t hash;
    uint16_t len;
    uint8_t octets[CACHE_KEY_MAX];
};
void cache_answer_seek(struct cache *cache, const struct cache_key *key,
                       struct cache_bytes_key *ret);
void cache_answer_expect(struct cache *cache, const struct cache_bytes_key *key);
bool cache_answer_find_at(struct cache *cache, const struct cache_bytes_key *key, bool dnssec_ok,
                          struct cache_now now, uint8_t *buf, uint32_t cap, struct cache_hit *ret);

/* On a hit the message is copied to `buf` with TTLs aged; flags are as stored, the ID is 0, the
 * question in lower case. False: a miss, then ret->len is 0; or that is more than `cap`, which
 * counts as neither. No allocation. */
bool cache_answer_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                       uint8_t *buf, uint32_t cap, struct cache_hit *ret);

/* The same for an answer whose TTL is over, but not longer ago than limits->max_stale_s. Every TTL
 * is 30 s (RFC 8767 4). False for what was never validated, and once a signature or a negative
 * anchor that it rests on has ended. */
#define CACHE_STALE_TTL_S 30u
bool cache_answer_find_stale(struct cache *cache, const struct cache_key *key, struct cache_now now,
                             uint8_t *buf, uint32_t cap, struct cache_hit *ret);

/* --- for the snapshot (cache/snapshot.h) --------------------------------------------------------
 */

/* Not a route: the population of what proofs were made from. */
#define CACHE_ROUTE_EVIDENCE (UINT32_MAX - 1)

/* An answer to a DS or DNSKEY question, as it came but without OPT. It is never an answer here; it
 * is kept so that a restart need not ask for it. What the chain above it was proven from counts as
 * used once more. */
void cache_evidence_put(struct cache *cache, const struct dns_question *question,
                        const uint8_t *wire, uint32_t len, struct cache_now now);

/* Hands out every validated answer of `route`, in the form with DNSSEC records, and all evidence.
 * Other threads go on meanwhile: no lock is held during a call of `each`, and what changes then may
 * be missed or come twice. False: out of memory. */
typedef void cache_each_fn(void *arg, const struct snapshot_entry *entry);
bool cache_each(struct cache *cache, uint32_t route, struct cache_now now, cache_each_fn *each,
                void *arg);

/* --- failures (RFC 9520): never an answer, only that and why asking again is pointless yet --- */

struct cache_failure {
    enum val_status status; /* BOGUS or INDETERMINATE */
    enum val_why why;
    struct dns_ede ede;
    bool decided; /* by an upstream, its policy or its validator: nothing older is given out for it
                   */
};
void cache_failure_put(struct cache *cache, const struct cache_key *key,
                       const struct cache_failure *failure, struct cache_now now);
bool cache_failure_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                        struct cache_failure *ret);
/* The question was answered after all: the next failure starts small again. */
void cache_failure_clear(struct cache *cache, const struct cache_key *key);
/* The network has changed, or an upstream is back: none of the failures up to now counts any more.
 */
void cache_failures_forgive(struct cache *cache, struct cache_now now);

/* --- zones: keys, insecure cuts, non-cuts, with their verdicts ------------------------------- */

/* Keeps a reference of its own. A newer statement about a name replaces the older one. `epoch`: of
 * its proof. */
void cache_zone_put(struct cache *cache, const struct val_zone *zone, uint64_t epoch);
/* A new reference for the caller, or NULL. What was kept before the wall clock was set back ends
 * when it would have ended: the answers' calls tell how far the clocks have come apart. */
const struct val_zone *cache_zone_find(struct cache *cache, const struct dns_name *name,
                                       uint64_t wall_s);

/* --- signatures that verified (validate/memo.h) -------------------------------------------------
 */

/* Fills in *ret, which borrows the cache and may be used from any thread. */
void cache_memo_open(struct cache *cache, struct val_memo *ret);

/* --- the operator's view --------------------------------------------------------------------- */

void cache_flush(struct cache *cache); /* everything, and what is being proven */

struct cache_stats {
    uint64_t hits, misses, puts, evictions;
    uint64_t answers, failures, zones, gaps; /* held now */
    uint64_t bytes;                          /* held now, everything counted */
};
struct cache_stats cache_stats(struct cache *cache);

#endif
