// SPDX-License-Identifier: MIT
#include "cache/gaps.h"

#include "cache/gaps_parts.h"
#include "cache/siphash.h"
#include "cache/store.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_A_BUCKET 4096u
#define BUCKETS_FEWEST 16u
#define LIST_MAX 32768u     /* gaps of one kind in one zone: what an insertion has to move */
#define SET_MAX 4096u       /* octets of one RRset with its RRSIGs */
#define HASH_BLOCKS_MAX 32u /* compressions that one NSEC3 hash may cost */
#define LIES_ALIKE 12u      /* leading octets alike: no two of 2^48 names hash that close */

/* --- keys ------------------------------------------------------------------------------------ */

static void key_octet(struct gap_key *key, uint8_t octet)
{
    if (octet <= 1) {
        key->octets[key->len++] = 1;
        octet++;
    }
    key->octets[key->len++] = octet;
}

/* A name has 255 octets, so no more than 510 come of it. */
void gap_key_name(const struct dns_name *name, struct gap_key *ret)
{
    struct dns_name lower = *name;
    dns_name_lower(&lower);
    ret->len = 0;
    for (unsigned labels = 1; labels <= lower.labels; labels++) {
        const uint8_t *label = lower.wire + dns_name_suffix_off(&lower, labels);
        for (unsigned i = 1; i <= label[0]; i++)
            key_octet(ret, label[i]);
        ret->octets[ret->len++] = 0;
    }
}

void gap_key_wildcard(const struct dns_name *name, uint16_t type, struct gap_key *ret)
{
    gap_key_name(name, ret);
    ret->octets[ret->len++] = (uint8_t)(type >> 8);
    ret->octets[ret->len++] = (uint8_t)type;
}

static int compare(const struct gap *gap, const struct gap_key *key)
{
    uint32_t shorter = gap->key_len < key->len ? gap->key_len : key->len;
    int order = memcmp(gap->data, key->octets, shorter);
    return order != 0 ? order : (int)gap->key_len - (int)key->len;
}

uint32_t gap_list_seek(const struct gap_list *list, const struct gap_key *key, bool *ret_exact)
{
    uint32_t low = 0, high = list->count;
    while (low < high) { /* the first one behind the key */
        uint32_t middle = low + (high - low) / 2;
        if (compare(list->at[middle], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_exact = low > 0 && compare(list->at[low - 1], key) == 0;
    return low > 0 ? low - 1 : list->count;
}

/* --- one gap --------------------------------------------------------------------------------- */

uint32_t gap_left_s(const struct gap *gap, struct cache_now now)
{
    if (now.mono_ms >= gap->until_ms || now.wall_s >= gap->valid_s)
        return 0;
    uint64_t left_s = (gap->until_ms - now.mono_ms) / 1000;
    uint64_t valid_s = gap->valid_s - now.wall_s;
    return (uint32_t)(left_s < valid_s ? left_s : valid_s);
}

struct dns_name gap_owner(const struct gap *gap)
{
    struct dns_name name = dns_root;
    (void)dns_name_from_wire(gap->data + gap->key_len, gap->owner_len, &name); /* was one */
    return name;
}

struct dns_reader gap_records(const struct gap *gap)
{
    struct dns_reader r = dns_reader_init(gap->data, gap->len);
    (void)dns_read_bytes(&r, (uint32_t)gap->key_len + gap->owner_len);
    return r;
}

struct gap_record gap_record_next(struct dns_reader *r)
{
    struct gap_record record;
    record.type = dns_read_u16(r);
    record.len = dns_read_u16(r);
    record.rdata = dns_read_bytes(r, record.len);
    return record;
}

static bool signed_by(const struct val_sig *sig, const struct dns_name *zone)
{
    return dns_name_equal(&sig->rrsig.signer, zone);
}

/* NULL: out of memory, or larger than is kept. */
static struct gap *gap_new(const struct val_proven *p, enum gap_kind kind,
                           const struct gap_key *key)
{
    uint8_t octets[GAP_KEY_MAX + DNS_NAME_MAX + SET_MAX];
    struct dns_writer w = dns_writer_init(octets, sizeof octets);
    uint16_t count = 0;
    dns_write_bytes(&w, key->octets, key->len);
    dns_write_name(&w, &p->owner);
    for (uint32_t i = 0; i < p->set->count; i++, count++) {
        dns_write_u16(&w, p->set->type);
        dns_write_u16(&w, (uint16_t)p->set->rr[i].len);
        dns_write_bytes(&w, p->set->rr[i].data, p->set->rr[i].len);
    }
    for (uint32_t i = 0; i < p->set->sig_count; i++) {
        const struct val_rdata *sig = &p->set->sigs[i].rdata;
        if (!signed_by(&p->set->sigs[i], &p->zone))
            continue;
        dns_write_u16(&w, DNS_TYPE_RRSIG);
        dns_write_u16(&w, (uint16_t)sig->len);
        dns_write_bytes(&w, sig->data, sig->len);
        count++;
    }
    struct gap *gap = w.err == DNS_OK ? malloc(sizeof *gap + w.off) : NULL;
    if (!gap)
        return NULL;
    *gap = (struct gap){.size = (uint32_t)malloc_usable_size(gap),
                        .len = (uint16_t)w.off,
                        .key_len = key->len,
                        .owner_len = p->owner.len,
                        .rr_count = count,
                        .kind = (uint8_t)kind};
    memcpy(gap->data, octets, w.off);
    return gap;
}

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

/* NULL: out of memory. */
static struct gap_zone *zone_make(struct cache *cache, const struct dns_name *name)
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

static void zone_free_if_empty(struct gaps *gaps, struct gap_zone *zone)
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

static void take_at(struct gaps *gaps, struct gap_list *list, uint32_t at)
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
    take_at(gaps, list, gap_list_seek(list, &key, &exact));
}

void gaps_drop(struct gaps *gaps, struct gap *gap)
{
    struct gap_zone *zone = gap->zone;
    drop_in_list(gaps, gap);
    zone_free_if_empty(gaps, zone);
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

/* Where it went; takes the gap, also when it fails. A list that is full gives up a neighbour. */
static bool insert(struct gaps *gaps, struct gap_zone *zone, struct gap *gap_take,
                   const struct gap_key *key, uint32_t *ret_at)
{
    struct gap_list *list = &zone->list[gap_take->kind];
    bool exact;
    uint32_t at = gap_list_seek(list, key, &exact);
    if (exact)
        take_at(gaps, list, at);
    else if (list->count == LIST_MAX)
        take_at(gaps, list, at < list->count ? at : 0);
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

/* The oldest go first; what was used since it was looked at last has another round. */
static void evict(struct gaps *gaps)
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

/* --- what may be kept ------------------------------------------------------------------------ */

/* Nothing but what signing itself puts there: such a name exists only in the answer. */
static bool is_bare(const struct dns_nsec *nsec)
{
    for (unsigned type = 1; type < 256; type++)
        if (type != DNS_TYPE_RRSIG && type != DNS_TYPE_NSEC && type != DNS_TYPE_NXNAME &&
            dns_bitmap_has(nsec->bitmap, nsec->bitmap_len, (uint16_t)type))
            return false;
    return nsec->bitmap_len == 0 || nsec->bitmap[0] == 0; /* no type above 255 either */
}

/* "\000." before the owner is next: nothing lies between (RFC 9824 3.1, RFC 4470). */
static bool is_minimal(const struct dns_name *owner, const struct dns_name *next)
{
    return next->labels == owner->labels + 1u && next->wire[0] == 1 && next->wire[1] == 0 &&
           dns_name_within(next, owner);
}

static bool keepable_nsec(const struct val_proven *p)
{
    struct dns_nsec nsec;
    return p->set->count == 1 &&
           dns_nsec_read(dns_reader_init(p->set->rr[0].data, p->set->rr[0].len), &nsec) == DNS_OK &&
           dns_name_within(&p->owner, &p->zone) && dns_name_within(&nsec.next, &p->zone) &&
           (dns_name_compare(&p->owner, &nsec.next) < 0 || dns_name_equal(&nsec.next, &p->zone)) &&
           !is_minimal(&p->owner, &nsec.next) && !is_bare(&nsec) &&
           !dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_NXNAME);
}

/* Compressions beyond the first round of one hash. */
static uint32_t hash_blocks(const struct dns_nsec3 *n)
{
    return n->iterations * ((GAP_HASH_LEN + n->salt_len + 8) / 64 + 1);
}

/* White lies (RFC 7129 appendix B) span a hash or two around the name that was asked for. */
static bool is_white_lie(const uint8_t *owner, const uint8_t *next)
{
    return memcmp(owner, next, LIES_ALIKE) == 0 && memcmp(owner, next, GAP_HASH_LEN) != 0;
}

/* Its owner's hash goes to `ret`. */
static bool keepable_nsec3(const struct val_proven *p, struct dns_nsec3 *n, struct gap_key *ret)
{
    struct dns_writer hash = dns_writer_init(ret->octets, GAP_HASH_LEN);
    if (p->set->count != 1 || p->owner.labels != p->zone.labels + 1u ||
        !dns_name_within(&p->owner, &p->zone) ||
        dns_nsec3_read(dns_reader_init(p->set->rr[0].data, p->set->rr[0].len), n) != DNS_OK ||
        n->hash_algorithm != 1 || n->flags != 0 || n->next_hash_len != GAP_HASH_LEN ||
        n->salt_len > GAP_SALT_MAX || hash_blocks(n) > HASH_BLOCKS_MAX)
        return false;
    ret->len = GAP_HASH_LEN;
    return dns_base32hex_read((const char *)p->owner.wire + 1, p->owner.wire[0], &hash) == DNS_OK &&
           hash.off == GAP_HASH_LEN && !is_white_lie(ret->octets, n->next_hash);
}

/* --- keeping --------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Whether it stands now, and where. */
static bool keep(struct cache *cache, struct gap_zone *zone, const struct val_proven *p,
                 enum gap_kind kind, const struct gap_key *key, uint32_t ttl_s,
                 struct cache_now now, uint32_t *ret_at)
{
    struct gap *gap = gap_new(p, kind, key);
    if (!gap)
        return false;
    gap->until_ms = now.mono_ms + ttl_s * UINT64_C(1000);
    gap->valid_s = p->expires_s;
    return insert(&cache->gaps, zone, gap, key, ret_at);
}

static void drop_ranges(struct gaps *gaps, struct gap_zone *zone)
{
    struct gap_list *list = &zone->list[GAP_RANGE];
    while (list->count > 0)
        take_at(gaps, list, list->count - 1);
}

/* What lies within the new range is said not to exist, and a range over the new one's owner says
 * the same of that: the newest statement holds. `next` empty: the range goes on to the end. */
static void drop_contradicted(struct gaps *gaps, struct gap_list *list, uint32_t at,
                              const struct gap_key *next, bool before_reaches)
{
    while (at + 1 < list->count && (next->len == 0 || compare(list->at[at + 1], next) < 0))
        take_at(gaps, list, at + 1);
    if (before_reaches && at > 0)
        take_at(gaps, list, at - 1);
}

/* Where a range ends; empty: at the end of the zone. */
static void next_key(const struct gap *gap, struct gap_key *ret)
{
    struct dns_reader r = gap_records(gap);
    struct gap_record record = gap_record_next(&r);
    struct dns_reader rdata = dns_reader_init(record.rdata, record.len);
    struct dns_nsec nsec;
    struct dns_nsec3 nsec3;
    ret->len = 0;
    if (record.type == DNS_TYPE_NSEC && dns_nsec_read(rdata, &nsec) == DNS_OK) {
        if (!dns_name_equal(&nsec.next, &gap->zone->name))
            gap_key_name(&nsec.next, ret);
    } else if (record.type == DNS_TYPE_NSEC3 && dns_nsec3_read(rdata, &nsec3) == DNS_OK &&
               memcmp(nsec3.next_hash, gap->data, GAP_HASH_LEN) > 0) {
        memcpy(ret->octets, nsec3.next_hash, GAP_HASH_LEN);
        ret->len = GAP_HASH_LEN;
    }
}

static void keep_range(struct cache *cache, struct gap_zone *zone, const struct val_proven *p,
                       const struct gap_key *key, uint32_t ttl_s, struct cache_now now)
{
    struct gap_list *list = &zone->list[GAP_RANGE];
    struct gap_key next;
    uint32_t at;
    if (!keep(cache, zone, p, GAP_RANGE, key, ttl_s, now, &at))
        return;
    bool reaches = false;
    if (at > 0) {
        next_key(list->at[at - 1], &next);
        reaches = next.len == 0 || compare(list->at[at], &next) < 0;
    }
    next_key(list->at[at], &next);
    drop_contradicted(&cache->gaps, list, at, &next, reaches);
}

static bool same_params(const struct gap_zone *zone, const struct dns_nsec3 *n)
{
    return zone->nsec3 && zone->iterations == n->iterations && zone->salt_len == n->salt_len &&
           memcmp(zone->salt, n->salt_len > 0 ? n->salt : zone->salt, n->salt_len) == 0;
}

/* All ranges of a zone are of one chain; another one replaces it. */
static void use_chain(struct gaps *gaps, struct gap_zone *zone, const struct dns_nsec3 *n)
{
    if (n ? same_params(zone, n) : !zone->nsec3)
        return;
    drop_ranges(gaps, zone);
    zone->nsec3 = n != NULL;
    if (!n)
        return;
    zone->iterations = n->iterations;
    zone->salt_len = (uint8_t)n->salt_len;
    if (n->salt_len > 0)
        memcpy(zone->salt, n->salt, n->salt_len);
}

static void put_soa(struct cache *cache, const struct val_proven *p, struct cache_now now)
{
    struct gap_key key = {.len = 0};
    struct dns_soa soa;
    uint32_t at;
    if (p->set->count != 1 ||
        dns_soa_read(dns_reader_init(p->set->rr[0].data, p->set->rr[0].len), &soa) != DNS_OK)
        return;
    struct gap_zone *zone = zone_make(cache, &p->zone);
    uint32_t ttl_s = least(p->ttl_s, cache->limits.negative_ttl_s);
    if (zone && keep(cache, zone, p, GAP_SOA, &key, ttl_s, now, &at))
        zone->negative_s = least(ttl_s, soa.minimum_s);
    if (zone)
        zone_free_if_empty(&cache->gaps, zone);
}

static void put_denial(struct cache *cache, const struct val_proven *p, struct cache_now now)
{
    struct gap_zone *zone = gaps_zone_find(cache, &p->zone);
    struct gap_key key;
    struct dns_nsec3 nsec3;
    bool is_nsec3 = p->set->type == DNS_TYPE_NSEC3;
    if (!zone || zone->list[GAP_SOA].count == 0)
        return; /* nothing tells how long (RFC 9077) */
    if (is_nsec3 ? !keepable_nsec3(p, &nsec3, &key) : !keepable_nsec(p))
        return;
    if (!is_nsec3)
        gap_key_name(&p->owner, &key);
    use_chain(&cache->gaps, zone, is_nsec3 ? &nsec3 : NULL);
    keep_range(cache, zone, p, &key, least(p->ttl_s, zone->negative_s), now);
}

static void put_wildcard(struct cache *cache, const struct val_proven *p, struct cache_now now)
{
    struct gap_zone *zone = gaps_zone_find(cache, &p->zone);
    struct gap_key key;
    uint32_t at;
    if (!zone || !dns_name_within(&p->owner, &p->zone) || p->owner.len > DNS_NAME_MAX - 2)
        return;
    gap_key_wildcard(&p->owner, p->set->type, &key);
    (void)keep(cache, zone, p, GAP_WILDCARD, &key, least(p->ttl_s, cache->limits.max_ttl_s), now,
               &at); /* only a cache */
}

void cache_gaps_put(struct cache *cache, const struct val_proven *proven, uint32_t count,
                    struct cache_now now)
{
    if (cache->gaps.bucket_count == 0)
        return;
    (void)pthread_mutex_lock(&cache->gaps.lock); /* cannot fail for a plain mutex */
    for (uint32_t i = 0; i < count; i++)
        if (proven[i].set->type == DNS_TYPE_SOA)
            put_soa(cache, &proven[i], now);
    for (uint32_t i = 0; i < count; i++) {
        if (proven[i].set->type == DNS_TYPE_NSEC || proven[i].set->type == DNS_TYPE_NSEC3)
            put_denial(cache, &proven[i], now);
        else if (proven[i].set->type != DNS_TYPE_SOA)
            put_wildcard(cache, &proven[i], now);
    }
    evict(&cache->gaps);
    (void)pthread_mutex_unlock(&cache->gaps.lock);
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
