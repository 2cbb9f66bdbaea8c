// SPDX-License-Identifier: MIT
#include "cache/cache.h"

#include "cache/siphash.h"
#include "cache/store.h"
#include "cache/zones.h"

#include <stdlib.h>
#include <string.h>

/* An eighth for zones: keys are few and long-lived, answers many. */
#define ZONES_SHARE 8u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct cache *cache_new(const struct cache_limits *limits, const uint8_t seed[static 16])
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->limits = *limits;
    memcpy(cache->seed, seed, sizeof cache->seed);
    size_t bytes = limits->bytes - least(limits->bytes, sizeof *cache);
    bool ok = true;
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        size_t zones = bytes / ZONES_SHARE / CACHE_SHARDS;
        size_t answers = bytes / CACHE_SHARDS - zones;
        ok = pthread_mutex_init(&cache->answers[i].lock, NULL) == 0 && ok;
        ok = pthread_mutex_init(&cache->zones[i].lock, NULL) == 0 && ok;
        ok = shard_init(&cache->answers[i].shard, answers, NULL) && ok;
        ok = shard_init(&cache->zones[i].shard, zones, zones_on_drop) && ok;
    }
    if (!ok) {
        cache_free(cache);
        return NULL;
    }
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        shard_deinit(&cache->answers[i].shard);
        shard_deinit(&cache->zones[i].shard);
        (void)pthread_mutex_destroy(&cache->answers[i].lock); /* nobody holds it any more */
        (void)pthread_mutex_destroy(&cache->zones[i].lock);
    }
    free(cache);
}

static void lower_name(struct dns_writer *w, const struct dns_name *name)
{
    struct dns_name lower = *name;
    dns_name_lower(&lower);
    dns_write_name(w, &lower);
}

void cache_key_make(const struct cache *cache, const struct cache_key *key, enum cache_kind kind,
                    bool dnssec_ok, struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, sizeof ret->octets);
    dns_write_u8(&w, (uint8_t)kind);
    dns_write_u8(&w, (uint8_t)((dnssec_ok ? 1 : 0) | (key->checking_disabled ? 2 : 0)));
    dns_write_u32(&w, key->route);
    dns_write_u16(&w, key->question->type);
    dns_write_u16(&w, key->question->class_);
    lower_name(&w, &key->question->name);
    ret->len = (uint16_t)w.off; /* 10 and a name: it fits */
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}

void cache_key_name(const struct cache *cache, const struct dns_name *name,
                    struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, sizeof ret->octets);
    dns_write_u8(&w, CACHE_ZONE);
    lower_name(&w, name);
    ret->len = (uint16_t)w.off;
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}

/* The table inside a shard uses the low bits, so shards are told apart by others. */
static unsigned shard_of(uint64_t hash)
{
    return (unsigned)(hash >> 58);
}

struct cache_shard *cache_shard_lock(struct cache *cache, uint64_t hash)
{
    struct cache_shard *shard = &cache->answers[shard_of(hash)];
    (void)pthread_mutex_lock(&shard->lock); /* cannot fail for a plain mutex */
    return shard;
}

void cache_shard_unlock(struct cache_shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

struct cache_zone_shard *zones_lock(struct cache *cache, uint64_t hash)
{
    struct cache_zone_shard *shard = &cache->zones[shard_of(hash)];
    (void)pthread_mutex_lock(&shard->lock);
    return shard;
}

void cache_flush(struct cache *cache)
{
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        struct cache_shard *a = &cache->answers[i];
        struct cache_zone_shard *z = &cache->zones[i];
        (void)pthread_mutex_lock(&a->lock);
        shard_clear(&a->shard);
        (void)pthread_mutex_unlock(&a->lock);
        (void)pthread_mutex_lock(&z->lock);
        shard_clear(&z->shard);
        (void)pthread_mutex_unlock(&z->lock);
    }
}

static void count_kinds(const struct shard *shard, struct cache_stats *stats)
{
    for (unsigned q = SHARD_SMALL; q <= SHARD_MAIN; q++)
        for (const struct shard_entry *e = shard->fifo[q].oldest; e; e = e->newer) {
            stats->answers += e->key[0] == CACHE_ANSWER;
            stats->failures += e->key[0] == CACHE_FAILURE;
        }
}

struct cache_stats cache_stats(struct cache *cache)
{
    struct cache_stats stats = {.bytes = sizeof *cache};
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        struct cache_shard *a = &cache->answers[i];
        struct cache_zone_shard *z = &cache->zones[i];
        (void)pthread_mutex_lock(&a->lock);
        stats.hits += a->hits;
        stats.misses += a->misses;
        stats.puts += a->puts;
        stats.evictions += a->shard.evictions;
        stats.bytes += a->shard.bytes;
        count_kinds(&a->shard, &stats);
        (void)pthread_mutex_unlock(&a->lock);
        (void)pthread_mutex_lock(&z->lock);
        stats.zones += z->shard.entry_count;
        stats.bytes += z->shard.bytes;
        (void)pthread_mutex_unlock(&z->lock);
    }
    return stats;
}
