// SPDX-License-Identifier: MIT
#include "cache/zones.h"

#include <string.h>

struct kept_zone {
    const struct val_zone *zone;
};

void zones_on_drop(struct shard_entry *entry)
{
    struct kept_zone *kept = shard_entry_data(entry);
    val_zone_unref(kept->zone);
}

void cache_zone_put(struct cache *cache, const struct val_zone *zone)
{
    struct cache_bytes_key key;
    cache_key_name(cache, &zone->name, &key);
    struct shard_entry *entry =
        shard_entry_new(key.octets, key.len, key.hash, sizeof(struct kept_zone));
    if (!entry)
        return; /* only a cache */
    struct kept_zone *kept = shard_entry_data(entry);
    kept->zone = val_zone_ref(zone);
    entry->size += (uint32_t)val_zone_size(zone); /* what the reference keeps alive */
    struct cache_zone_shard *shard = zones_lock(cache, key.hash);
    shard_put(&shard->shard, entry);
    (void)pthread_mutex_unlock(&shard->lock);
}

const struct val_zone *cache_zone_find(struct cache *cache, const struct dns_name *name,
                                       uint64_t wall_s)
{
    struct cache_bytes_key key;
    cache_key_name(cache, name, &key);
    struct cache_zone_shard *shard = zones_lock(cache, key.hash);
    struct shard_entry *entry = shard_find(&shard->shard, key.octets, key.len, key.hash);
    const struct val_zone *zone = NULL;
    if (entry) {
        const struct kept_zone *kept = shard_entry_data(entry);
        if (kept->zone->expires_s > wall_s)
            zone = val_zone_ref(kept->zone);
        else
            shard_remove(&shard->shard, entry);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return zone;
}
