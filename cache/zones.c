// SPDX-License-Identifier: MIT
#include "cache/zones.h"

#include "cache/store.h"

#include <stdlib.h>

struct kept_zone {
    const struct val_zone *zone;
    int64_t clock_offset_s; /* when it was kept: tells later by how much the clock was set */
};

void zones_on_drop(struct shard_entry *entry)
{
    struct kept_zone *kept = shard_entry_data(entry);
    val_zone_unref(kept->zone);
}

static int64_t clock_offset(struct cache *cache)
{
    return atomic_load_explicit(&cache->clock_offset_s, memory_order_relaxed);
}

void cache_zone_put(struct cache *cache, const struct val_zone *zone, uint64_t epoch)
{
    struct cache_bytes_key key;
    cache_key_name(cache, &zone->name, &key);
    struct shard_entry *entry =
        shard_entry_new(key.octets, key.len, key.hash, sizeof(struct kept_zone));
    if (!entry)
        return; /* only a cache */
    struct kept_zone *kept = shard_entry_data(entry);
    kept->zone = val_zone_ref(zone);
    kept->clock_offset_s = clock_offset(cache);
    entry->size += (uint32_t)val_zone_size(zone); /* what the reference keeps alive */
    struct cache_shard *shard = cache_lock_zones(cache, key.hash);
    bool is_kept = cache_is_in(cache, epoch);
    if (is_kept)
        shard_put(&shard->shard, entry);
    cache_unlock(shard);
    if (is_kept)
        return;
    val_zone_unref(zone);
    free(entry);
}

/* Judged by the clock as it is, and as it would be had nobody set it since: a clock that is set
 * back must not let keys live longer than their TTL. */
static bool is_over(struct kept_zone *kept, uint64_t wall_s, int64_t clock_offset_s)
{
    if (kept->clock_offset_s == CACHE_CLOCK_UNKNOWN)
        kept->clock_offset_s = clock_offset_s; /* kept before anybody told the time */
    bool set_back = kept->clock_offset_s > clock_offset_s;
    uint64_t back_s = set_back ? (uint64_t)(kept->clock_offset_s - clock_offset_s) : 0;
    return kept->zone->expires_s <= wall_s + back_s;
}

const struct val_zone *cache_zone_find(struct cache *cache, const struct dns_name *name,
                                       uint64_t wall_s)
{
    struct cache_bytes_key key;
    cache_key_name(cache, name, &key);
    int64_t offset_s = clock_offset(cache);
    struct cache_shard *shard = cache_lock_zones(cache, key.hash);
    struct shard_entry *entry = shard_find(&shard->shard, key.octets, key.len, key.hash);
    const struct val_zone *zone = NULL;
    if (entry) {
        struct kept_zone *kept = shard_entry_data(entry);
        if (is_over(kept, wall_s, offset_s))
            shard_remove(&shard->shard, entry);
        else
            zone = val_zone_ref(kept->zone);
    }
    cache_unlock(shard);
    return zone;
}
