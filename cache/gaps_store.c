// SPDX-License-Identifier: MIT
/* Zones by name, the gaps of each in order, and all of them by age, in bounded memory. */
#include "cache/gaps_parts.h"
#include "cache/siphash.h"
#include "cache/store.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_A_BUCKET 4096u
#define BUCKETS_FEWEST 16u
#define LIST_MAX 32768u /* gaps of one kind in one zone: what an insertion has to move */

/* --- zones ----------------------------------------------------------------------------------- */

static uint64_t zone_hash(const struct cache *cache, const struct dns_name *name)
{
    struct dns_name lower = *name;
    dns_name_lower(&lower);
    return cache_siphash(cache->seed, lower.wire, lower.len);
}

struct gap_zone *gaps_zone_find(const struct cache *cache, const struct dns_name *name)
{
    const struct gaps *gaps = &cache->gaps;
    uint64_t hash = zone_hash(cache, name);
    struct gap_zone *zone = gaps->bucket[hash & (gaps->bucket_count - 1)];
    while (zone && (zone->hash != hash || !dns_name_equal(&zone->name, name)))
        zone = zone->chain;
    return zone;
}

struct gap_zone *gaps_zone_make(struct cache *cache, const struct dns_name *name)
{
    struct gaps *gaps = &cache->gaps;
    struct gap_zone *zone = gaps_zone_find(cache, name);
    if (zone)
        return zone;
    zone = calloc(1, sizeof *zone);
    if (!zone)
        return NULL;
    zone->name = *name;
    zone->hash = zone_hash(cache, name);
    zone->size = (uint32_t)malloc_usable_size(zone);
    struct gap_zone **bucket = &gaps->bucket[zone->hash & (gaps->bucket_count - 1)];
    zone->chain = *bucket;
    *bucket = zone;
    gaps->bytes += zone->size;
    gaps->deepest = name->labels > gaps->deepest ? name->labels : gaps->deepest;
    return zone;
}

void gaps_zone_free_if_empty(struct gaps *gaps, struct gap_zone *zone)
{
    struct gap_zone **p = &gaps->bucket[zone->hash & (gaps->bucket_count - 1)];
    for (unsigned kind = 0; kind < GAP_KINDS; kind++)
        if (zone->list[kind].count > 0)
            return;
    while (*p != zone)
        p = &(*p)->chain;
    *p = zone->chain;
    for (unsigned kind = 0; kind < GAP_KINDS; kind++) {
        gaps->bytes -= zone->list[kind].at ? malloc_usable_size(zone->list[kind].at) : 0;
        free(zone->list[kind].at);
    }
    gaps->bytes -= zone->size;
    free(zone);
}

/* --- lists and the queue --------------------------------------------------------------------- */

uint32_t gap_list_seek(const struct gap_list *list, const struct gap_key *key, bool *ret_exact)
{
    uint32_t low = 0, high = list->count;
    while (low < high) { /* the first one behind the key */
        uint32_t middle = low + (high - low) / 2;
        if (gap_compare(list->at[middle], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_exact = low > 0 && gap_compare(list->at[low - 1], key) == 0;
    return low > 0 ? low - 1 : list->count;
}

static void unqueue(struct gaps *gaps, struct gap *gap)
{
    *(gap->older ? &gap->older->newer : &gaps->oldest) = gap->newer;
    *(gap->newer ? &gap->newer->older : &gaps->newest) = gap->older;
}

static void enqueue(struct gaps *gaps, struct gap *gap)
{
    gap->older = gaps->newest;
    gap->newer = NULL;
    *(gaps->newest ? &gaps->newest->newer : &gaps->oldest) = gap;
    gaps->newest = gap;
}

void gaps_take_at(struct gaps *gaps, struct gap_list *list, uint32_t at)
{
    struct gap *gap = list->at[at];
    list->count--;
    memmove(&list->at[at], &list->at[at + 1], (list->count - at) * sizeof(struct gap *));
    unqueue(gaps, gap);
    gaps->bytes -= gap->size;
    gaps->count--;
    free(gap);
}

static void drop_in_list(struct gaps *gaps, struct gap *gap)
{
    struct gap_list *list = &gap->zone->list[gap->kind];
    struct gap_key key = {.len = gap->key_len};
    bool exact;
    memcpy(key.octets, gap->data, gap->key_len);
    gaps_take_at(gaps, list, gap_list_seek(list, &key, &exact));
}

void gaps_drop(struct gaps *gaps, struct gap *gap)
{
    struct gap_zone *zone = gap->zone;
    drop_in_list(gaps, gap);
    gaps_zone_free_if_empty(gaps, zone);
}

static bool grow(struct gaps *gaps, struct gap_list *list)
{
    if (list->count < list->cap)
        return true;
    size_t before = list->at ? malloc_usable_size(list->at) : 0;
    uint32_t cap = list->cap > 0 ? list->cap * 2 : 4;
    struct gap **at = reallocarray(list->at, cap, sizeof *at);
    if (!at)
        return false;
    gaps->bytes += malloc_usable_size(at) - before;
    list->at = at;
    list->cap = cap;
    return true;
}

bool gaps_insert(struct gaps *gaps, struct gap_zone *zone, struct gap *gap_take,
                 const struct gap_key *key, uint32_t *ret_at)
{
    struct gap_list *list = &zone->list[gap_take->kind];
    bool exact;
    uint32_t at = gap_list_seek(list, key, &exact);
    if (exact)
        gaps_take_at(gaps, list, at);
    else if (list->count == LIST_MAX)
        gaps_take_at(gaps, list, at < list->count ? at : 0);
    at = gap_list_seek(list, key, &exact);
    at = at < list->count ? at + 1 : 0;
    if (!grow(gaps, list)) {
        free(gap_take);
        return false;
    }
    memmove(&list->at[at + 1], &list->at[at], (list->count - at) * sizeof(struct gap *));
    list->at[at] = gap_take;
    list->count++;
    gap_take->zone = zone;
    enqueue(gaps, gap_take);
    gaps->bytes += gap_take->size;
    gaps->count++;
    *ret_at = at;
    return true;
}

void gaps_evict(struct gaps *gaps)
{
    while (gaps->bytes > gaps->limit && gaps->oldest) {
        struct gap *gap = gaps->oldest;
        if (gap->used) {
            gap->used = false;
            unqueue(gaps, gap);
            enqueue(gaps, gap);
        } else {
            gaps_drop(gaps, gap);
        }
    }
}

/* --- life ------------------------------------------------------------------------------------ */

bool gaps_init(struct gaps *gaps, size_t limit)
{
    bool ok = pthread_mutex_init(&gaps->lock, NULL) == 0;
    if (limit == 0 || !ok)
        return ok;
    uint32_t count = BUCKETS_FEWEST;
    while (count < UINT32_MAX / 2 && (size_t)count * OCTETS_A_BUCKET < limit)
        count *= 2;
    gaps->bucket = calloc(count, sizeof(struct gap_zone *));
    if (!gaps->bucket)
        return false;
    gaps->bucket_count = count;
    gaps->limit = limit;
    gaps->bytes = malloc_usable_size(gaps->bucket);
    return true;
}

void gaps_clear(struct gaps *gaps)
{
    (void)pthread_mutex_lock(&gaps->lock); /* cannot fail for a plain mutex */
    while (gaps->oldest)
        gaps_drop(gaps, gaps->oldest);
    (void)pthread_mutex_unlock(&gaps->lock);
}

void gaps_deinit(struct gaps *gaps)
{
    while (gaps->oldest)
        gaps_drop(gaps, gaps->oldest);
    free(gaps->bucket);
    gaps->bucket = NULL;
    (void)pthread_mutex_destroy(&gaps->lock); /* nobody holds it any more */
}
