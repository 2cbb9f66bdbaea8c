/* SPDX-License-Identifier: MIT */
/* How gaps are kept: gap.c knows one, gaps_store.c holds them, gaps.c keeps, gaps_find.c finds.
 * Whoever calls holds the lock. */
#ifndef CACHE_GAPS_PARTS_H
#define CACHE_GAPS_PARTS_H

#include "cache/gaps.h"
#include "dns/rdata.h"

#include <pthread.h>

/* Names in canonical order are octets in ascending order: labels from the root down in lower case,
 * each ended by 0; in a label 0 is written 1 1, and 1 is written 1 2. An ancestor is a prefix.
 * NSEC3 owners are their 20 octets. */
#define GAP_KEY_MAX 512u
#define GAP_HASH_LEN 20u
#define GAP_SALT_MAX 255u

struct gap_key {
    uint16_t len;
    uint8_t octets[GAP_KEY_MAX];
};
void gap_key_name(const struct dns_name *name, struct gap_key *ret);
/* A wildcard's name and the type of the set. */
void gap_key_wildcard(const struct dns_name *name, uint16_t type, struct gap_key *ret);

enum gap_kind { GAP_RANGE, GAP_WILDCARD, GAP_SOA, GAP_KINDS };

struct gap {                   /* one RRset with its RRSIGs; one allocation */
    struct gap *older, *newer; /* of all gaps, by when they were kept */
    struct gap_zone *zone;
    uint64_t until_ms; /* mono */
    uint64_t valid_s;  /* wall: end of the signature */
    uint32_t size;     /* octets, by the allocator's own account */
    uint16_t len;      /* octets of data */
    uint16_t key_len, owner_len, rr_count;
    uint8_t kind; /* enum gap_kind */
    bool used;    /* since it was looked at last */
    /* key, owner, then rr_count times type (2), length (2), RDATA; the first is the set's own */
    uint8_t data[];
};

struct gap_list {
    struct gap **at; /* by key */
    uint32_t count, cap;
};

struct gap_zone {
    struct gap_zone *chain; /* of its bucket */
    uint64_t hash;
    struct gap_list list[GAP_KINDS];
    uint32_t negative_s; /* min(SOA TTL, SOA minimum); 0: not known */
    uint32_t size;
    bool nsec3;
    uint16_t iterations;
    uint8_t salt_len;
    uint8_t salt[GAP_SALT_MAX];
    struct dns_name name;
};

struct gaps {
    /* Guards all below. Held for a look-up and a copy, at most a few hashes; nothing waits. */
    pthread_mutex_t lock;
    size_t bytes, limit;
    struct gap_zone **bucket;
    uint32_t bucket_count; /* a power of two; 0: gaps are not kept */
    struct gap *oldest, *newest;
    unsigned deepest; /* labels of the deepest zone there ever was */
    uint32_t count;
};

/* False: out of memory. `limit` 0: nothing is kept. */
bool gaps_init(struct gaps *gaps, size_t limit);
void gaps_deinit(struct gaps *gaps); /* a zeroed one is fine */
void gaps_clear(struct gaps *gaps);

struct gap_zone *gaps_zone_find(const struct cache *cache, const struct dns_name *name);
/* Found or new; NULL: out of memory. */
struct gap_zone *gaps_zone_make(struct cache *cache, const struct dns_name *name);
void gaps_zone_free_if_empty(struct gaps *gaps, struct gap_zone *zone);

/* Where it went; takes the gap, also when it fails. A list that is full gives up a neighbour. */
bool gaps_insert(struct gaps *gaps, struct gap_zone *zone, struct gap *gap_take,
                 const struct gap_key *key, uint32_t *ret_at);
/* The oldest go first; what was used since it was looked at last has another round. */
void gaps_evict(struct gaps *gaps);
/* Frees one gap of a list; its zone stays, empty or not. */
void gaps_take_at(struct gaps *gaps, struct gap_list *list, uint32_t at);
/* Frees the gap, and its zone with the last one. */
void gaps_drop(struct gaps *gaps, struct gap *gap);

/* The index of the last one with a key at or before this one, `count` when there is none. */
uint32_t gap_list_seek(const struct gap_list *list, const struct gap_key *key, bool *ret_exact);

/* NULL: out of memory, or larger than is kept. */
struct gap *gap_new(const struct val_proven *proven, enum gap_kind kind, const struct gap_key *key);
int gap_compare(const struct gap *gap, const struct gap_key *key); /* as memcmp */
uint32_t gap_left_s(const struct gap *gap, struct cache_now now);  /* 0: over */
struct dns_name gap_owner(const struct gap *gap);
/* The records, one after the other; the reader is over what follows the owner. */
struct dns_reader gap_records(const struct gap *gap);
struct gap_record {
    uint16_t type, len;
    const uint8_t *rdata;
};
struct gap_record gap_record_next(struct dns_reader *r);

#endif
