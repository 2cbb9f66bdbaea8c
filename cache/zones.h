/* SPDX-License-Identifier: MIT */
/* The zones' part of the cache: references kept by name. */
#ifndef CACHE_ZONES_H
#define CACHE_ZONES_H

#include "cache/store.h"

void zones_on_drop(struct shard_entry *entry); /* gives the kept reference back */
struct cache_zone_shard *zones_lock(struct cache *cache, uint64_t hash);

#endif
