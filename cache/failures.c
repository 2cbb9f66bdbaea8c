// SPDX-License-Identifier: MIT
/* Failures (RFC 9520): that asking again is pointless for a while, and why. */
#include "cache/store.h"

struct failure {
    uint64_t until_ms; /* mono: not asked again before */
    uint64_t forget_ms;
    uint32_t ttl_s; /* the next one lasts twice as long */
    struct cache_failure failure;
};

void cache_failures_forgive(struct cache *cache, struct cache_now now)
{
    atomic_store_explicit(&cache->forgiven_ms, now.mono_ms, memory_order_relaxed);
}

static bool is_forgiven(const struct cache *cache, const struct failure *f)
{
    uint64_t put_ms = f->until_ms - f->ttl_s * UINT64_C(1000);
    return put_ms < atomic_load_explicit(&cache->forgiven_ms, memory_order_relaxed);
}

static uint32_t next_ttl(const struct cache *cache, const struct failure *last, uint64_t mono_ms)
{
    if (!last || mono_ms >= last->forget_ms || is_forgiven(cache, last))
        return cache->limits.failure_ttl_s;
    if (mono_ms < last->until_ms)
        return last->ttl_s; /* a twin of the same failure */
    uint32_t doubled = last->ttl_s * 2;
    return doubled < cache->limits.failure_max_ttl_s ? doubled : cache->limits.failure_max_ttl_s;
}

void cache_failure_put(struct cache *cache, const struct cache_key *key,
                       const struct cache_failure *failure, struct cache_now now)
{
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_FAILURE, &k);
    struct shard_entry *entry = shard_entry_new(k.octets, k.len, k.hash, sizeof(struct failure));
    if (!entry)
        return;
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    struct shard_entry *old = shard_find(&shard->shard, k.octets, k.len, k.hash);
    struct failure *f = shard_entry_data(entry);
    *f = (struct failure){.failure = *failure};
    f->ttl_s = next_ttl(cache, old ? shard_entry_data(old) : NULL, now.mono_ms);
    f->until_ms = now.mono_ms + f->ttl_s * UINT64_C(1000);
    f->forget_ms = f->until_ms + 2 * cache->limits.failure_max_ttl_s * UINT64_C(1000);
    shard_put(&shard->shard, entry);
    cache_unlock(shard);
}

bool cache_failure_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                        struct cache_failure *ret)
{
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_FAILURE, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    struct shard_entry *entry = shard_find(&shard->shard, k.octets, k.len, k.hash);
    const struct failure *f = entry ? shard_entry_data(entry) : NULL;
    bool fresh = f && now.mono_ms < f->until_ms && !is_forgiven(cache, f);
    if (fresh)
        *ret = f->failure;
    cache_unlock(shard);
    return fresh;
}

void cache_failure_clear(struct cache *cache, const struct cache_key *key)
{
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_FAILURE, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    struct shard_entry *entry = shard_find(&shard->shard, k.octets, k.len, k.hash);
    if (entry)
        shard_remove(&shard->shard, entry);
    cache_unlock(shard);
}
