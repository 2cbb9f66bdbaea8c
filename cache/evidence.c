// SPDX-License-Identifier: MIT
/* What the snapshot is made of: answers, and the DS and DNSKEY messages that they were proven
 * from. */
#include "cache/store.h"

#include <stdlib.h>
#include <string.h>

#define ANCESTORS_MAX 8u
#define BATCH_OCTETS ((size_t)512 * 1024)
#define BATCH_ENTRIES 64u /* copied under one lock: some tens of microseconds */

/* --- evidence -------------------------------------------------------------------------------- */

static void touch(struct cache *cache, const struct dns_name *name, uint16_t type)
{
    struct dns_question question = {.name = *name, .type = type, .class_ = DNS_CLASS_IN};
    struct cache_key key = {.question = &question,
                            .route = CACHE_ROUTE_EVIDENCE,
                            .dnssec_ok = true,
                            .checking_disabled = true};
    struct cache_bytes_key k;
    cache_key_make(cache, &key, CACHE_ANSWER, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    (void)shard_find(&shard->shard, k.octets, k.len, k.hash); /* to find it is to use it */
    cache_unlock(shard);
}

/* Else the root's and the TLDs', learned once a day, would be pushed out by those of leaf zones. */
static void touch_above(struct cache *cache, const struct dns_name *name)
{
    unsigned from = name->labels < ANCESTORS_MAX ? name->labels : ANCESTORS_MAX;
    for (unsigned labels = 0; labels < from; labels++) {
        struct dns_name above = dns_name_suffix(name, labels);
        touch(cache, &above, DNS_TYPE_DNSKEY);
        touch(cache, &above, DNS_TYPE_DS);
    }
}

void cache_evidence_put(struct cache *cache, const struct dns_question *question,
                        const uint8_t *wire, uint32_t len, struct cache_now now)
{
    struct cache_key key = {.question = question,
                            .route = CACHE_ROUTE_EVIDENCE,
                            .dnssec_ok = true,
                            .checking_disabled = true};
    struct cache_answer answer = {.wire = wire,
                                  .len = len,
                                  .status = VAL_INSECURE,
                                  .expires_s = UINT64_MAX,
                                  .ede = {.code = DNS_EDE_NONE},
                                  .epoch = cache_epoch(cache)}; /* nothing is believed of it */
    cache_answer_put(cache, &key, &answer, now);
    touch_above(cache, &question->name);
}

/* --- everything ------------------------------------------------------------------------------ */

struct copied {
    struct dns_question question;
    size_t off; /* in the octets */
    uint32_t len, ttl_s;
    uint64_t stored_s;
};

struct batch {
    uint32_t route;
    struct cache_now now;
    uint32_t count;
    size_t used;
    struct copied entry[BATCH_ENTRIES];
    uint8_t octets[BATCH_OCTETS];
};

static bool is_wanted(const struct batch *b, const struct cache_key_parts *key)
{
    bool evidence = cache_key_has_route(key, CACHE_ROUTE_EVIDENCE);
    return evidence || (cache_key_has_route(key, b->route) && !key->checking_disabled);
}

/* Copies it, if there is room: of a bucket as full as that, some are missed. */
static void visit(void *arg, struct shard_entry *entry)
{
    struct batch *b = arg;
    struct cache_key_parts key;
    uint8_t octets[SHARD_KEY_MAX];
    shard_entry_key(entry, octets);
    if (!cache_key_read(octets, entry->key_len, &key) || !is_wanted(b, &key))
        return;
    struct cache_answer_view view = cache_answer_view(entry);
    uint64_t age_ms = b->now.mono_ms > view.stored_ms ? b->now.mono_ms - view.stored_ms : 0;
    uint64_t age_s = age_ms / 1000 + (age_ms % 1000 > 0); /* rather too old than too young */
    if (age_s >= view.ttl_s || age_s > b->now.wall_s || b->count == BATCH_ENTRIES ||
        view.len > sizeof b->octets - b->used)
        return;
    memcpy(b->octets + b->used, view.wire, view.len);
    b->entry[b->count++] = (struct copied){.question = key.question,
                                           .off = b->used,
                                           .len = view.len,
                                           .ttl_s = view.ttl_s,
                                           .stored_s = b->now.wall_s - age_s};
    b->used += view.len;
}

static void deliver(struct batch *b, cache_each_fn *each, void *arg)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct copied *c = &b->entry[i];
        struct snapshot_entry entry = {.question = &c->question,
                                       .wire = b->octets + c->off,
                                       .len = c->len,
                                       .stored_s = c->stored_s,
                                       .ttl_s = c->ttl_s};
        each(arg, &entry);
    }
    b->count = 0;
    b->used = 0;
}

/* Buckets from `bucket` on, until the batch is half full. Where to go on; 0: all are done. */
static uint32_t fill(struct cache_shard *shard, struct batch *b, uint32_t bucket)
{
    (void)pthread_mutex_lock(&shard->lock); /* cannot fail for a plain mutex */
    uint32_t count = shard->shard.bucket_count;
    while (bucket < count && b->count < BATCH_ENTRIES / 2 && b->used < BATCH_OCTETS / 2)
        shard_visit(&shard->shard, bucket++, visit, b);
    cache_unlock(shard);
    return bucket < count ? bucket : 0;
}

bool cache_each(struct cache *cache, uint32_t route, struct cache_now now, cache_each_fn *each,
                void *arg)
{
    struct batch *b = malloc(sizeof *b);
    if (!b)
        return false;
    b->route = route;
    b->now = now;
    b->count = 0;
    b->used = 0;
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        uint32_t bucket = 0;
        do {
            bucket = fill(&cache->answers[i], b, bucket);
            deliver(b, each, arg);
        } while (bucket != 0);
    }
    free(b);
    return true;
}
