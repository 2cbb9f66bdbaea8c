/* SPDX-License-Identifier: MIT */
/* One shard: a hash table of entries and their S3-FIFO queues, bounded in octets. Knows nothing of
 * what an entry holds but its kind. Not thread-safe: whoever calls holds the shard's lock.
 *
 * S3-FIFO: what comes enters `small`. What leaves `small` without a hit is forgotten but for a
 * fingerprint (a ghost); with one, or when it comes again while its ghost is there, it goes to
 * `main`, which gives each hit another round. So what is asked for once never pushes out what is
 * asked for often. */
#ifndef CACHE_SHARD_H
#define CACHE_SHARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARD_KEY_MAX 264u /* the head, a name, type and class */
#define SHARD_KEY_HEAD 4u
#define SHARD_KIND_MASK 15u /* of a key's first octet: its kind */
#define SHARD_KINDS 3u      /* kinds are below that */

enum shard_queue { SHARD_SMALL, SHARD_MAIN };

/* The head of every entry; what it holds follows in the same allocation. A key is its first four
 * octets and a tail; the tail may be part of what the entry holds, so that nothing is kept twice.
 * Each octet here is one of every answer: some million times. */
struct shard_entry {
    struct shard_entry *chain; /* of its bucket */
    struct shard_entry *older, *newer;
    uint32_t hash; /* the lower half */
    uint32_t size; /* octets, by the allocator's own account */
    uint8_t key_head[SHARD_KEY_HEAD];
    uint16_t tail_off; /* from the start of the entry */
    uint16_t key_len : 10;
    uint16_t queue : 1;     /* enum shard_queue */
    uint16_t frequency : 2; /* hits since it was looked at last, 0 to 3 */
    uint16_t flag : 1;      /* the owner's, for what is found under the lock */
};

struct shard_fifo {
    struct shard_entry *oldest, *newest;
    size_t bytes;
};

struct shard {
    /* Written under the lock; shard_expect_bucket() and shard_is_large() read them without,
     * relaxed: they only want a likely address, and look at nothing there. */
    struct shard_entry **_Atomic bucket;
    _Atomic uint32_t bucket_count; /* a power of two */
    uint32_t ghost_count;          /* a power of two */
    uint32_t *ghost;     /* fingerprints, each at the place it says; a newer one takes it over */
    size_t bytes, limit; /* entries and both tables */
    struct shard_fifo fifo[2];
    uint32_t entry_count;
    uint32_t kind_count[SHARD_KINDS];
    uint64_t evictions;
    void (*on_drop)(struct shard_entry *entry); /* before an entry is freed; may be NULL */
};

/* False: out of memory. */
bool shard_init(struct shard *shard, size_t limit, void (*on_drop)(struct shard_entry *entry));
void shard_deinit(struct shard *shard); /* a zeroed one is fine */

/* A new entry with room for `len` octets of data, not yet in the shard. NULL: out of memory. */
struct shard_entry *shard_entry_new(const void *key, uint16_t key_len, uint64_t hash, size_t len);
/* The same with the key's tail within the data, `tail_off` from its start: written here, and left
 * alone by the caller. */
struct shard_entry *shard_entry_new_around(const void *key, uint16_t key_len, uint64_t hash,
                                           size_t len, size_t tail_off);
void *shard_entry_data(struct shard_entry *entry); /* aligned to 8 */
/* The key; its length is entry->key_len. */
void shard_entry_key(const struct shard_entry *entry, uint8_t key[static SHARD_KEY_MAX]);

/* Takes the entry; an older one of the same key is dropped, others are evicted for room. One that
 * is larger than half of the shard is dropped at once. */
void shard_put(struct shard *shard, struct shard_entry *entry_take);
/* NULL when there is none. */
struct shard_entry *shard_peek(struct shard *shard, const void *key, uint16_t key_len,
                               uint64_t hash);
void shard_note_hit(struct shard_entry *entry);
/* Both. */
struct shard_entry *shard_find(struct shard *shard, const void *key, uint16_t key_len,
                               uint64_t hash);
/* What a look-up will touch is fetched from memory: its bucket (without the lock, as is whether
 * that pays: the table may be replaced meanwhile), then, the bucket being there, its entry. */
bool shard_is_large(const struct shard *shard);
void shard_expect_bucket(const struct shard *shard, uint64_t hash);
void shard_expect_entry(const struct shard *shard, uint64_t hash);
void shard_remove(struct shard *shard, struct shard_entry *entry);
void shard_clear(struct shard *shard);

/* Every entry of one bucket. */
void shard_visit(const struct shard *shard, uint32_t bucket,
                 void (*visit)(void *arg, struct shard_entry *entry), void *arg);

#endif
