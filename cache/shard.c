// SPDX-License-Identifier: MIT
#include "cache/shard.h"

#include "cache/s3fifo.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED_OCTETS 256u /* of an entry: most answers are shorter */
#define LARGE_BUCKETS 128u   /* 64 shards with as many answers: 2 MiB */
#define BUCKETS_FIRST 16u
#define GHOSTS_FEWEST 16u
#define OCTETS_A_GHOST 512u /* of the limit: about as many ghosts as half of the entries */

static uint32_t ghosts_for(size_t limit)
{
    uint32_t count = GHOSTS_FEWEST;
    while (count < UINT32_MAX / 2 && (size_t)count * OCTETS_A_GHOST < limit)
        count *= 2;
    return count;
}

static struct shard_entry **table(const struct shard *shard)
{
    return atomic_load_explicit(&shard->bucket, memory_order_relaxed);
}

static uint32_t table_count(const struct shard *shard)
{
    return atomic_load_explicit(&shard->bucket_count, memory_order_relaxed);
}

static void set_table(struct shard *shard, struct shard_entry **bucket, uint32_t count)
{
    atomic_store_explicit(&shard->bucket, bucket, memory_order_relaxed);
    atomic_store_explicit(&shard->bucket_count, count, memory_order_relaxed);
}

bool shard_init(struct shard *shard, size_t limit, void (*on_drop)(struct shard_entry *entry))
{
    struct shard_entry **bucket = calloc(BUCKETS_FIRST, sizeof *bucket);
    memset(shard, 0, sizeof *shard);
    set_table(shard, bucket, BUCKETS_FIRST);
    shard->ghost_count = ghosts_for(limit);
    shard->ghost = calloc(shard->ghost_count, sizeof *shard->ghost);
    shard->limit = limit;
    shard->on_drop = on_drop;
    shard->bytes = malloc_usable_size(bucket) + malloc_usable_size(shard->ghost);
    return bucket && shard->ghost;
}

void shard_deinit(struct shard *shard)
{
    shard_clear(shard);
    free(table(shard));
    free(shard->ghost);
    memset(shard, 0, sizeof *shard);
}

struct shard_entry *shard_entry_new_around(const void *key, uint16_t key_len, uint64_t hash,
                                           size_t len, size_t tail_off)
{
    const uint8_t *octets = key;
    struct shard_entry *entry = malloc(sizeof *entry + len);
    if (!entry)
        return NULL;
    memset(entry, 0, sizeof *entry);
    entry->hash = (uint32_t)hash;
    entry->size = (uint32_t)malloc_usable_size(entry);
    entry->key_len = key_len & 1023u;
    entry->tail_off = (uint16_t)(sizeof *entry + tail_off);
    memcpy(entry->key_head, octets, SHARD_KEY_HEAD);
    memcpy((uint8_t *)entry + entry->tail_off, octets + SHARD_KEY_HEAD, key_len - SHARD_KEY_HEAD);
    return entry;
}

struct shard_entry *shard_entry_new(const void *key, uint16_t key_len, uint64_t hash, size_t len)
{
    return shard_entry_new_around(key, key_len, hash, len + key_len - SHARD_KEY_HEAD, len);
}

void *shard_entry_data(struct shard_entry *entry)
{
    return entry + 1;
}

void shard_entry_key(const struct shard_entry *entry, uint8_t key[static SHARD_KEY_MAX])
{
    memcpy(key, entry->key_head, SHARD_KEY_HEAD);
    memcpy(key + SHARD_KEY_HEAD, (const uint8_t *)entry + entry->tail_off,
           entry->key_len - SHARD_KEY_HEAD);
}

static unsigned kind_of(const struct shard_entry *entry)
{
    return entry->key_head[0] & SHARD_KIND_MASK;
}

/* --- table ----------------------------------------------------------------------------------- */

static struct shard_entry **slot_of(struct shard_entry **bucket, uint32_t count, uint32_t hash)
{
    return &bucket[hash & (count - 1)];
}

static void chain(struct shard_entry **bucket, uint32_t count, struct shard_entry *e)
{
    struct shard_entry **slot = slot_of(bucket, count, e->hash);
    e->chain = *slot;
    *slot = e;
}

/* Doubles the table; without memory or room for it chains just grow longer. Room is for twice the
 * octets: old and new stand side by side for a moment, and the allocator rounds up. */
static void grow(struct shard *shard)
{
    struct shard_entry **before = table(shard);
    uint32_t count_before = table_count(shard);
    uint32_t count = count_before * 2;
    size_t octets = count * sizeof *before;
    if (shard->entry_count < count_before || shard->bytes + 2 * octets > shard->limit)
        return;
    struct shard_entry **bucket = calloc(count, sizeof *bucket);
    if (!bucket)
        return;
    for (uint32_t i = 0; i < count_before; i++) {
        for (struct shard_entry *e = before[i], *next; e; e = next) {
            next = e->chain;
            chain(bucket, count, e);
        }
    }
    shard->bytes -= malloc_usable_size(before);
    shard->bytes += malloc_usable_size(bucket);
    set_table(shard, bucket, count);
    free(before);
}

/* --- entries --------------------------------------------------------------------------------- */

static void drop(struct shard *shard, struct shard_entry *entry)
{
    if (shard->on_drop)
        shard->on_drop(entry);
    free(entry);
}

void shard_remove(struct shard *shard, struct shard_entry *entry)
{
    struct shard_entry **p = slot_of(table(shard), table_count(shard), entry->hash);
    while (*p != entry)
        p = &(*p)->chain;
    *p = entry->chain;
    s3fifo_take(shard, entry);
    shard->bytes -= entry->size;
    shard->entry_count--;
    shard->kind_count[kind_of(entry)]--;
    drop(shard, entry);
}

void shard_clear(struct shard *shard)
{
    for (unsigned q = SHARD_SMALL; q <= SHARD_MAIN; q++)
        while (shard->fifo[q].oldest)
            shard_remove(shard, shard->fifo[q].oldest);
}

static void insert(struct shard *shard, struct shard_entry *entry, enum shard_queue queue)
{
    chain(table(shard), table_count(shard), entry);
    shard->bytes += entry->size;
    shard->entry_count++;
    shard->kind_count[kind_of(entry)]++;
    s3fifo_push(shard, entry, queue);
}

static bool has_key(const struct shard_entry *e, const uint8_t *key, uint16_t key_len)
{
    return e->key_len == key_len && memcmp(e->key_head, key, SHARD_KEY_HEAD) == 0 &&
           memcmp((const uint8_t *)e + e->tail_off, key + SHARD_KEY_HEAD,
                  key_len - SHARD_KEY_HEAD) == 0;
}

static struct shard_entry *find(struct shard *shard, const uint8_t *key, uint16_t key_len,
                                uint32_t hash)
{
    struct shard_entry *e = *slot_of(table(shard), table_count(shard), hash);
    while (e && !(e->hash == hash && has_key(e, key, key_len)))
        e = e->chain;
    return e;
}

void shard_put(struct shard *shard, struct shard_entry *entry)
{
    uint8_t key[SHARD_KEY_MAX];
    shard_entry_key(entry, key);
    struct shard_entry *old = find(shard, key, entry->key_len, entry->hash);
    bool stays_in_main = old && old->queue == SHARD_MAIN;
    if (old)
        shard_remove(shard, old);
    if (entry->size > shard->limit / 2 || !s3fifo_make_room(shard, entry->size)) {
        drop(shard, entry);
        return;
    }
    enum shard_queue entrance = s3fifo_entrance(shard, entry->hash);
    insert(shard, entry, stays_in_main ? SHARD_MAIN : entrance);
    grow(shard);
}

struct shard_entry *shard_peek(struct shard *shard, const void *key, uint16_t key_len,
                               uint64_t hash)
{
    return find(shard, key, key_len, (uint32_t)hash);
}

void shard_note_hit(struct shard_entry *entry)
{
    if (entry->frequency < 3) /* else its line need not be written to */
        entry->frequency++;
}

struct shard_entry *shard_find(struct shard *shard, const void *key, uint16_t key_len,
                               uint64_t hash)
{
    struct shard_entry *e = shard_peek(shard, key, key_len, hash);
    if (e)
        shard_note_hit(e);
    return e;
}

bool shard_is_large(const struct shard *shard)
{
    return table_count(shard) >= LARGE_BUCKETS;
}

void shard_expect_bucket(const struct shard *shard, uint64_t hash)
{
    __builtin_prefetch(slot_of(table(shard), table_count(shard), (uint32_t)hash));
}

void shard_expect_entry(const struct shard *shard, uint64_t hash)
{
    const uint8_t *entry =
        (const uint8_t *)*slot_of(table(shard), table_count(shard), (uint32_t)hash);
    for (unsigned off = 0; entry && off < EXPECTED_OCTETS; off += 64)
        __builtin_prefetch(entry + off);
}

void shard_visit(const struct shard *shard, uint32_t bucket,
                 void (*visit)(void *arg, struct shard_entry *entry), void *arg)
{
    for (struct shard_entry *e = table(shard)[bucket]; e; e = e->chain)
        visit(arg, e);
}
