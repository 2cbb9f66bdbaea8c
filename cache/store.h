/* SPDX-License-Identifier: MIT */
/* What the parts of the cache share: shards with their locks, and how keys are made. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "cache/cache.h"
#include "cache/shard.h"

#include <pthread.h>

#define CACHE_SHARDS 64u

struct cache_shard {
    /* Guards `shard`. Held by any worker for a look-up and a copy; nothing waits under it. */
    pthread_mutex_t lock;
    struct shard shard;
    uint64_t hits, misses, puts;
    uint64_t answers, failures;
};

struct cache_zone_shard {
    pthread_mutex_t lock; /* guards `shard`, as above */
    struct shard shard;
};

struct cache {
    struct cache_limits limits; /* immutable */
    uint8_t seed[16];           /* immutable */
    struct cache_shard answers[CACHE_SHARDS];
    struct cache_zone_shard zones[CACHE_SHARDS];
};

enum cache_kind { CACHE_ANSWER, CACHE_FAILURE, CACHE_ZONE };

struct cache_bytes_key {
    uint8_t octets[SHARD_KEY_MAX];
    uint16_t len;
    uint64_t hash;
};

void cache_key_make(const struct cache *cache, const struct cache_key *key, enum cache_kind kind,
                    bool dnssec_ok, struct cache_bytes_key *ret);
void cache_key_name(const struct cache *cache, const struct dns_name *name,
                    struct cache_bytes_key *ret);

struct cache_shard *cache_shard_lock(struct cache *cache, uint64_t hash);
void cache_shard_unlock(struct cache_shard *shard);

#endif
