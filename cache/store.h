/* SPDX-License-Identifier: MIT */
/* What the parts of the cache share: shards with their locks, and how keys are made. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "cache/cache.h"
#include "cache/gaps_parts.h"
#include "cache/memo.h"
#include "cache/shard.h"

#include <pthread.h>
#include <stdatomic.h>

#define CACHE_SHARDS 64u
#define CACHE_ZONE_SHARDS                                                                          \
    8u /* few, so that a zone with large keys fits into one of a small cache */
#define CACHE_CLOCK_UNKNOWN INT64_MIN

/* Aligned, so that two workers in two shards do not share a cache line. */
struct cache_shard {
    /* Guards all below. Held by any worker for a look-up and a copy; nothing waits under it. */
    _Alignas(64) pthread_mutex_t lock;
    struct shard shard;
    uint64_t hits, misses, puts;
};

struct cache {
    struct cache_limits limits; /* immutable */
    uint8_t seed[16];           /* immutable */
    /* Wall clock less boot clock in seconds, as last told: it moves when the wall clock is set.
     * Written by any worker, relaxed: the number stands alone, and the next one who tells mends it.
     */
    _Atomic int64_t clock_offset_s;
    /* Failures from before this time (mono) count no more. Written by any worker, relaxed: who
     * reads it late only waits for a failure to expire, as before. */
    _Atomic uint64_t forgiven_ms;
    /* One flush at a time. */
    pthread_mutex_t flush_lock;
    /* Moves when a flush begins and when it ends: odd while one is under way. Whoever puts compares
     * it under the lock of where he puts, which a flush takes in between: if what he sees is old,
     * he is flushed. Released at the end, acquired by cache_epoch(): whoever has the new one sees
     * the trust that the flush was for. */
    _Atomic uint64_t epoch;
    struct cache_memo *memo;                  /* the pointer is immutable */
    uint8_t memo_secret[16];                  /* immutable */
    struct cache_shard answers[CACHE_SHARDS]; /* and failures */
    struct cache_shard zones[CACHE_ZONE_SHARDS];
    struct gaps gaps;
};

enum cache_kind { CACHE_ANSWER, CACHE_FAILURE, CACHE_ZONE }; /* the first octet of a key */

/* The kind and the route, then name (in lower case), type and class as in a message's question. */
void cache_key_make(const struct cache *cache, const struct cache_key *key, enum cache_kind kind,
                    struct cache_bytes_key *ret);
void cache_key_name(const struct cache *cache, const struct dns_name *name,
                    struct cache_bytes_key *ret);

/* The question and route in an answer's key. False: it is of another kind. */
struct cache_key_parts {
    struct dns_question question;
    uint32_t route; /* as the key has it */
    bool checking_disabled;
};
bool cache_key_read(const uint8_t *octets, uint16_t len, struct cache_key_parts *ret);
bool cache_key_has_route(const struct cache_key_parts *key, uint32_t route);

/* An answer's message where it lies; valid while its shard is locked. */
struct cache_answer_view {
    const uint8_t *wire; /* with TTLs as of stored_ms */
    uint32_t len;
    uint64_t stored_ms; /* mono */
    uint32_t ttl_s;
};
struct cache_answer_view cache_answer_view(struct shard_entry *entry);

struct cache_shard *cache_shard_of_answer(struct cache *cache, uint64_t hash);
struct cache_shard *cache_lock_answers(struct cache *cache, uint64_t hash);
struct cache_shard *cache_lock_zones(struct cache *cache, uint64_t hash);
void cache_unlock(struct cache_shard *shard);

/* Under the lock of where something is put. */
bool cache_is_in(const struct cache *cache, uint64_t epoch);

void cache_note_clocks(struct cache *cache, struct cache_now now);

#endif
