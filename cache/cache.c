// SPDX-License-Identifier: MIT
#include "cache/cache.h"

#include "cache/siphash.h"
#include "cache/store.h"
#include "cache/zones.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* An eighth for zones: keys are few and long-lived, answers many. But without its zones nothing can
 * be proven in one flight, so a small cache gives them up to a half. */
#define ZONES_SHARE 8u
/* 16 octets a signature: enough for more of them than the answers have. */
#define MEMO_SHARE 64u
#define MEMO_MOST ((size_t)4 << 20)
#define ZONES_LEAST ((size_t)512 * 1024)
/* Gaps save questions, but no answer needs them. */
#define GAPS_SHARE 16u
/* A step of the wall clock that is not the rounding of two clocks to seconds. */
#define CLOCK_STEP_S 2

_Static_assert(CACHE_ZONE < SHARD_KINDS, "a kind is counted by the shard");

static size_t bytes_for_zones(size_t bytes)
{
    size_t least = bytes / 2 < ZONES_LEAST ? bytes / 2 : ZONES_LEAST;
    return bytes / ZONES_SHARE > least ? bytes / ZONES_SHARE : least;
}

static bool init_shards(struct cache_shard *shards, unsigned count, size_t bytes,
                        void (*on_drop)(struct shard_entry *entry))
{
    bool ok = true;
    for (unsigned i = 0; i < count; i++) {
        ok = pthread_mutex_init(&shards[i].lock, NULL) == 0 && ok;
        ok = shard_init(&shards[i].shard, bytes / count, on_drop) && ok;
    }
    return ok;
}

static void deinit_shards(struct cache_shard *shards, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        shard_deinit(&shards[i].shard);
        (void)pthread_mutex_destroy(&shards[i].lock); /* nobody holds it any more */
    }
}

/* Another one than the hash's, from the same random octets. */
static void derive_secret(struct cache *cache)
{
    for (uint8_t i = 0; i < 2; i++) {
        uint64_t word = cache_siphash(cache->seed, &i, sizeof i);
        memcpy(cache->memo_secret + i * sizeof word, &word, sizeof word);
    }
}

struct cache *cache_new(const struct cache_limits *limits, const uint8_t seed[static 16])
{
    struct cache *cache = aligned_alloc(_Alignof(struct cache), sizeof *cache);
    if (!cache)
        return NULL;
    memset(cache, 0, sizeof *cache);
    cache->limits = *limits;
    (void)pthread_mutex_init(&cache->flush_lock, NULL); /* cannot fail without attributes */
    memcpy(cache->seed, seed, sizeof cache->seed);
    atomic_init(&cache->clock_offset_s, CACHE_CLOCK_UNKNOWN);
    size_t memo = limits->bytes / MEMO_SHARE;
    cache->memo = cache_memo_new(memo < MEMO_MOST ? memo : MEMO_MOST);
    if (!cache->memo) {
        free(cache);
        return NULL;
    }
    derive_secret(cache);
    size_t own = malloc_usable_size(cache) + cache_memo_bytes(cache->memo);
    size_t bytes = limits->bytes > own ? limits->bytes - own : 0;
    size_t zones = bytes_for_zones(bytes);
    size_t gaps = limits->gaps ? bytes / GAPS_SHARE : 0;
    bool ok = init_shards(cache->answers, CACHE_SHARDS, bytes - zones - gaps, NULL);
    ok = init_shards(cache->zones, CACHE_ZONE_SHARDS, zones, zones_on_drop) && ok;
    ok = gaps_init(&cache->gaps, gaps) && ok;
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
    deinit_shards(cache->answers, CACHE_SHARDS);
    deinit_shards(cache->zones, CACHE_ZONE_SHARDS);
    gaps_deinit(&cache->gaps);
    cache_memo_free(cache->memo);
    (void)pthread_mutex_destroy(&cache->flush_lock); /* nobody holds it any more */
    free(cache);
}

/* The table inside a shard uses the low bits, its ghosts the middle ones, so shards are told apart
 * by the highest. */
static unsigned shard_number(uint64_t hash, unsigned count)
{
    return (unsigned)(hash >> 56) % count;
}

static struct cache_shard *lock(struct cache_shard *shard)
{
    (void)pthread_mutex_lock(&shard->lock); /* cannot fail for a plain mutex */
    return shard;
}

struct cache_shard *cache_shard_of_answer(struct cache *cache, uint64_t hash)
{
    return &cache->answers[shard_number(hash, CACHE_SHARDS)];
}

struct cache_shard *cache_lock_answers(struct cache *cache, uint64_t hash)
{
    return lock(cache_shard_of_answer(cache, hash));
}

struct cache_shard *cache_lock_zones(struct cache *cache, uint64_t hash)
{
    return lock(&cache->zones[shard_number(hash, CACHE_ZONE_SHARDS)]);
}

void cache_unlock(struct cache_shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

void cache_note_clocks(struct cache *cache, struct cache_now now)
{
    int64_t offset_s = (int64_t)now.wall_s - (int64_t)(now.mono_ms / 1000);
    int64_t last_s = atomic_load_explicit(&cache->clock_offset_s, memory_order_relaxed);
    if (last_s == CACHE_CLOCK_UNKNOWN || offset_s > last_s + CLOCK_STEP_S ||
        offset_s < last_s - CLOCK_STEP_S)
        atomic_store_explicit(&cache->clock_offset_s, offset_s, memory_order_relaxed);
}

/* --- signatures that verified ------------------------------------------------------------------
 */

static bool memo_find(void *arg, const struct val_memo_tag *tag)
{
    struct cache *cache = arg;
    return cache_memo_find(cache->memo, tag);
}

static void memo_learn(void *arg, const struct val_memo_tag *tag)
{
    struct cache *cache = arg;
    cache_memo_learn(cache->memo, tag);
}

void cache_memo_open(struct cache *cache, struct val_memo *ret)
{
    *ret = (struct val_memo){.find = memo_find, .learn = memo_learn, .arg = cache};
    memcpy(ret->secret, cache->memo_secret, sizeof ret->secret);
}

/* --- the operator's view --------------------------------------------------------------------- */

static void clear_shards(struct cache_shard *shards, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_mutex_lock(&shards[i].lock); /* cannot fail for a plain mutex */
        shard_clear(&shards[i].shard);
        cache_unlock(&shards[i]);
    }
}

uint64_t cache_epoch(const struct cache *cache)
{
    return atomic_load_explicit(&cache->epoch, memory_order_acquire);
}

bool cache_is_in(const struct cache *cache, uint64_t epoch)
{
    return epoch % 2 == 0 && atomic_load_explicit(&cache->epoch, memory_order_relaxed) == epoch;
}

void cache_flush(struct cache *cache)
{
    (void)pthread_mutex_lock(&cache->flush_lock); /* cannot fail for a plain mutex */
    (void)atomic_fetch_add_explicit(&cache->epoch, 1, memory_order_relaxed);
    clear_shards(cache->answers, CACHE_SHARDS);
    clear_shards(cache->zones, CACHE_ZONE_SHARDS);
    gaps_clear(&cache->gaps);
    cache_memo_clear(cache->memo);
    (void)atomic_fetch_add_explicit(&cache->epoch, 1, memory_order_release);
    (void)pthread_mutex_unlock(&cache->flush_lock);
}

static void add_shards(struct cache_shard *shards, unsigned count, struct cache_stats *stats)
{
    for (unsigned i = 0; i < count; i++) {
        struct cache_shard *s = &shards[i];
        (void)pthread_mutex_lock(&s->lock); /* cannot fail for a plain mutex */
        stats->hits += s->hits;
        stats->misses += s->misses;
        stats->puts += s->puts;
        stats->evictions += s->shard.evictions;
        stats->answers += s->shard.kind_count[CACHE_ANSWER];
        stats->failures += s->shard.kind_count[CACHE_FAILURE];
        stats->zones += s->shard.kind_count[CACHE_ZONE];
        stats->bytes += s->shard.bytes;
        cache_unlock(s);
    }
}

struct cache_stats cache_stats(struct cache *cache)
{
    struct cache_stats stats = {.bytes = malloc_usable_size(cache) + cache_memo_bytes(cache->memo)};
    add_shards(cache->answers, CACHE_SHARDS, &stats);
    add_shards(cache->zones, CACHE_ZONE_SHARDS, &stats);
    (void)pthread_mutex_lock(&cache->gaps.lock); /* cannot fail for a plain mutex */
    stats.gaps = cache->gaps.count;
    stats.bytes += cache->gaps.bytes;
    (void)pthread_mutex_unlock(&cache->gaps.lock);
    return stats;
}
