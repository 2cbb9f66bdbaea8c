// SPDX-License-Identifier: MIT
/* What may be kept, and how it replaces what was. */
#include "cache/gaps.h"

#include "cache/gaps_parts.h"
#include "cache/store.h"

#include <string.h>

#define HASH_BLOCKS_MAX 32u /* compressions that one NSEC3 hash may cost */
#define LIES_ALIKE 12u      /* leading octets alike: no two of 2^48 names hash that close */

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
    return gaps_insert(&cache->gaps, zone, gap, key, ret_at);
}

static void drop_ranges(struct gaps *gaps, struct gap_zone *zone)
{
    struct gap_list *list = &zone->list[GAP_RANGE];
    while (list->count > 0)
        gaps_take_at(gaps, list, list->count - 1);
}

/* What lies within the new range is said not to exist, and a range over the new one's owner says
 * the same of that: the newest statement holds. `next` empty: the range goes on to the end. */
static void drop_contradicted(struct gaps *gaps, struct gap_list *list, uint32_t at,
                              const struct gap_key *next, bool before_reaches)
{
    while (at + 1 < list->count && (next->len == 0 || gap_compare(list->at[at + 1], next) < 0))
        gaps_take_at(gaps, list, at + 1);
    if (before_reaches && at > 0)
        gaps_take_at(gaps, list, at - 1);
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
        reaches = next.len == 0 || gap_compare(list->at[at], &next) < 0;
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

/* Of those that came before their SOA. */
static void bound_ranges(struct gap_zone *zone, uint64_t until_ms)
{
    const struct gap_list *list = &zone->list[GAP_RANGE];
    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i]->until_ms > until_ms)
            list->at[i]->until_ms = until_ms;
}

static void put_soa(struct cache *cache, const struct val_proven *p, struct cache_now now)
{
    struct gap_key key = {.len = 0};
    struct dns_soa soa;
    uint32_t at;
    if (p->set->count != 1 ||
        dns_soa_read(dns_reader_init(p->set->rr[0].data, p->set->rr[0].len), &soa) != DNS_OK)
        return;
    struct gap_zone *zone = gaps_zone_make(cache, &p->zone);
    uint32_t ttl_s = least(p->ttl_s, cache->limits.negative_ttl_s);
    bool is_first = zone && zone->list[GAP_SOA].count == 0;
    if (zone && keep(cache, zone, p, GAP_SOA, &key, ttl_s, now, &at)) {
        zone->negative_s = least(ttl_s, soa.minimum_s);
        if (is_first)
            bound_ranges(zone, now.mono_ms + zone->negative_s * UINT64_C(1000));
    }
    if (zone)
        gaps_zone_free_if_empty(&cache->gaps, zone);
}

/* Before the SOA is known, as beside what a wildcard made, its own TTL says how long: that is the
 * SOA's minimum in zones that are signed as they should be (RFC 4034 4, RFC 9077). */
static void put_denial(struct cache *cache, const struct val_proven *p, struct cache_now now)
{
    struct gap_key key;
    struct dns_nsec3 nsec3;
    bool is_nsec3 = p->set->type == DNS_TYPE_NSEC3;
    if (is_nsec3 ? !keepable_nsec3(p, &nsec3, &key) : !keepable_nsec(p))
        return;
    struct gap_zone *zone = gaps_zone_make(cache, &p->zone);
    if (!zone)
        return;
    if (!is_nsec3)
        gap_key_name(&p->owner, &key);
    bool has_soa = zone->list[GAP_SOA].count > 0;
    uint32_t most_s = has_soa ? zone->negative_s : cache->limits.negative_ttl_s;
    use_chain(&cache->gaps, zone, is_nsec3 ? &nsec3 : NULL);
    keep_range(cache, zone, p, &key, least(p->ttl_s, most_s), now);
    gaps_zone_free_if_empty(&cache->gaps, zone);
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
                    uint64_t epoch, struct cache_now now)
{
    if (cache->gaps.bucket_count == 0)
        return;
    (void)pthread_mutex_lock(&cache->gaps.lock); /* cannot fail for a plain mutex */
    if (!cache_is_in(cache, epoch))
        count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (proven[i].set->type == DNS_TYPE_SOA)
            put_soa(cache, &proven[i], now);
    for (uint32_t i = 0; i < count; i++) {
        if (proven[i].set->type == DNS_TYPE_NSEC || proven[i].set->type == DNS_TYPE_NSEC3)
            put_denial(cache, &proven[i], now);
        else if (proven[i].set->type != DNS_TYPE_SOA)
            put_wildcard(cache, &proven[i], now);
    }
    gaps_evict(&cache->gaps);
    (void)pthread_mutex_unlock(&cache->gaps.lock);
}
