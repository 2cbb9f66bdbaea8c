// SPDX-License-Identifier: MIT
#include "cache/shard.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64u

static size_t data_off(uint16_t key_len)
{
    return (sizeof(struct shard_entry) + key_len + 7u) & ~(size_t)7u;
}

bool shard_init(struct shard *shard, size_t limit, void (*on_drop)(struct shard_entry *entry))
{
    memset(shard, 0, sizeof *shard);
    shard->bucket = calloc(BUCKETS_FIRST, sizeof *shard->bucket);
    if (!shard->bucket)
        return false;
    shard->bucket_count = BUCKETS_FIRST;
    shard->limit = limit;
    shard->on_drop = on_drop;
    shard->bytes = malloc_usable_size(shard->bucket);
    return true;
}

void shard_deinit(struct shard *shard)
{
    if (!shard->bucket)
        return;
    shard_clear(shard);
    free(shard->bucket);
    shard->bucket = NULL;
}

struct shard_entry *shard_entry_new(const void *key, uint16_t key_len, uint64_t hash, size_t len)
{
    struct shard_entry *entry = malloc(data_off(key_len) + len);
    if (!entry)
        return NULL;
    memset(entry, 0, sizeof *entry);
    entry->hash = hash;
    entry->key_len = key_len;
    entry->size = (uint32_t)malloc_usable_size(entry);
    memcpy(entry->key, key, key_len);
    return entry;
}

void *shard_entry_data(struct shard_entry *entry)
{
    return (uint8_t *)entry + data_off(entry->key_len);
}

/* --- queues ---------------------------------------------------------------------------------- */

static void fifo_push(struct shard *shard, struct shard_entry *e, enum shard_queue queue)
{
    struct shard_fifo *fifo = &shard->fifo[queue];
    e->queue = (uint8_t)queue;
    e->newer = NULL;
    e->older = fifo->newest;
    if (fifo->newest)
        fifo->newest->newer = e;
    else
        fifo->oldest = e;
    fifo->newest = e;
    fifo->bytes += e->size;
}

static void fifo_take(struct shard *shard, struct shard_entry *e)
{
    struct shard_fifo *fifo = &shard->fifo[e->queue];
    if (e->older)
        e->older->newer = e->newer;
    else
        fifo->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        fifo->newest = e->older;
    fifo->bytes -= e->size;
}

/* --- table ----------------------------------------------------------------------------------- */

static struct shard_entry **slot_of(struct shard *shard, uint64_t hash)
{
    return &shard->bucket[(uint32_t)hash & (shard->bucket_count - 1)];
}

void shard_remove(struct shard *shard, struct shard_entry *entry)
{
    struct shard_entry **p = slot_of(shard, entry->hash);
    while (*p != entry)
        p = &(*p)->chain;
    *p = entry->chain;
    fifo_take(shard, entry);
    shard->bytes -= entry->size;
    shard->entry_count--;
    if (shard->on_drop)
        shard->on_drop(entry);
    free(entry);
}

void shard_clear(struct shard *shard)
{
    for (unsigned q = SHARD_SMALL; q <= SHARD_MAIN; q++)
        while (shard->fifo[q].oldest)
            shard_remove(shard, shard->fifo[q].oldest);
}

/* Doubles the table; without memory for it chains just grow longer. */
static void grow(struct shard *shard)
{
    uint32_t count = shard->bucket_count * 2;
    struct shard_entry **bucket = calloc(count, sizeof *bucket);
    if (!bucket)
        return;
    for (uint32_t i = 0; i < shard->bucket_count; i++) {
        for (struct shard_entry *e = shard->bucket[i], *next; e; e = next) {
            next = e->chain;
            struct shard_entry **slot = &bucket[(uint32_t)e->hash & (count - 1)];
            e->chain = *slot;
            *slot = e;
        }
    }
    shard->bytes -= malloc_usable_size(shard->bucket);
    shard->bytes += malloc_usable_size(bucket);
    free(shard->bucket);
    shard->bucket = bucket;
    shard->bucket_count = count;
}

/* --- S3-FIFO: what is asked for once leaves from `small` and never reaches `main` ------------- */

static uint32_t fingerprint(uint64_t hash)
{
    uint32_t f = (uint32_t)(hash >> 32);
    return f ? f : 1; /* 0 marks an empty place */
}

static bool ghost_take(struct shard *shard, uint64_t hash)
{
    uint32_t f = fingerprint(hash);
    for (unsigned i = 0; i < SHARD_GHOSTS; i++) {
        if (shard->ghost[i] == f) {
            shard->ghost[i] = 0;
            return true;
        }
    }
    return false;
}

static void ghost_put(struct shard *shard, uint64_t hash)
{
    shard->ghost[shard->ghost_at] = fingerprint(hash);
    shard->ghost_at = (shard->ghost_at + 1) % SHARD_GHOSTS;
}

static void evict_small(struct shard *shard)
{
    struct shard_entry *e = shard->fifo[SHARD_SMALL].oldest;
    if (e->frequency > 0) {
        fifo_take(shard, e);
        e->frequency = 0;
        fifo_push(shard, e, SHARD_MAIN);
        return;
    }
    ghost_put(shard, e->hash);
    shard->evictions++;
    shard_remove(shard, e);
}

static void evict_main(struct shard *shard)
{
    struct shard_entry *e = shard->fifo[SHARD_MAIN].oldest;
    if (e->frequency > 0) {
        fifo_take(shard, e);
        e->frequency--;
        fifo_push(shard, e, SHARD_MAIN);
        return;
    }
    shard->evictions++;
    shard_remove(shard, e);
}

static void make_room(struct shard *shard, size_t need)
{
    while (shard->entry_count > 0 && shard->bytes + need > shard->limit) {
        const struct shard_fifo *small = &shard->fifo[SHARD_SMALL];
        if (small->oldest && (small->bytes > shard->limit / 10 || !shard->fifo[SHARD_MAIN].oldest))
            evict_small(shard);
        else
            evict_main(shard);
    }
}

void shard_put(struct shard *shard, struct shard_entry *entry)
{
    struct shard_entry *old = shard_find(shard, entry->key, entry->key_len, entry->hash);
    bool keep_main = old && old->queue == SHARD_MAIN;
    if (old)
        shard_remove(shard, old);
    if (entry->size > shard->limit / 4) {
        if (shard->on_drop)
            shard->on_drop(entry);
        free(entry);
        return;
    }
    make_room(shard, entry->size);
    if (shard->entry_count >= shard->bucket_count &&
        shard->bytes + entry->size + 2u * shard->bucket_count * sizeof *shard->bucket <
            shard->limit)
        grow(shard);
    struct shard_entry **slot = slot_of(shard, entry->hash);
    entry->chain = *slot;
    *slot = entry;
    shard->bytes += entry->size;
    shard->entry_count++;
    fifo_push(shard, entry, keep_main || ghost_take(shard, entry->hash) ? SHARD_MAIN : SHARD_SMALL);
}

struct shard_entry *shard_find(struct shard *shard, const void *key, uint16_t key_len,
                               uint64_t hash)
{
    for (struct shard_entry *e = *slot_of(shard, hash); e; e = e->chain) {
        if (e->hash == hash && e->key_len == key_len && memcmp(e->key, key, key_len) == 0) {
            e->frequency = e->frequency < 3 ? (uint8_t)(e->frequency + 1) : 3;
            return e;
        }
    }
    return NULL;
}
