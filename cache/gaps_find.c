// SPDX-License-Identifier: MIT
/* From gaps to an answer: which ranges cover a name, and what that means. */
#include "cache/gaps.h"
#include "cache/gaps_parts.h"
#include "cache/store.h"
#include "validate/denial_bitmap.h"

#include <string.h>

#define PARTS_MAX 4u
#define BUDGET_SHARE 4u /* hashing for a guess leaves the rest to what has to be proven */

enum outcome { MISS, NODATA, NXDOMAIN, WILDCARD };

struct finding {
    struct cache *cache;
    struct gap_zone *zone;
    const struct dns_question *question;
    struct val_budget budget; /* for hashing */
    struct cache_now now;
    struct gap *part[PARTS_MAX]; /* ranges that make the proof */
    uint32_t part_count;
    struct gap *wildcard; /* outcome WILDCARD */
};

/* What is over is gone. */
static struct gap *live(struct finding *f, struct gap *gap)
{
    if (gap && gap_left_s(gap, f->now) == 0)
        return NULL; /* the next of its name, or its age, will push it out */
    return gap;
}

static void add_part(struct finding *f, struct gap *gap)
{
    for (uint32_t i = 0; i < f->part_count; i++)
        if (f->part[i] == gap)
            return;
    f->part[f->part_count++] = gap; /* each outcome has at most three */
}

static struct gap *soa_of(struct finding *f)
{
    struct gap_list *list = &f->zone->list[GAP_SOA];
    return live(f, list->count > 0 ? list->at[0] : NULL);
}

/* The set that a wildcard has for the question. An alias would lead on to what is not known. */
static bool find_wildcard(struct finding *f, const struct dns_name *wildcard)
{
    const struct gap_list *list = &f->zone->list[GAP_WILDCARD];
    struct gap_key key;
    bool exact;
    gap_key_wildcard(wildcard, f->question->type, &key);
    uint32_t at = gap_list_seek(list, &key, &exact);
    f->wildcard = exact ? live(f, list->at[at]) : NULL;
    return f->wildcard != NULL;
}

/* --- NSEC ------------------------------------------------------------------------------------ */

struct range {
    struct gap *gap; /* NULL: nothing is known */
    bool exact;      /* it stands at the name itself */
    struct dns_name owner;
    struct dns_nsec nsec;
};

static struct val_bitmap map_of(const struct range *r)
{
    return (struct val_bitmap){r->nsec.bitmap, r->nsec.bitmap_len};
}

/* The range that begins at or before the name, if it reaches the name. */
static struct range range_for(struct finding *f, const struct dns_name *name)
{
    const struct gap_list *list = &f->zone->list[GAP_RANGE];
    struct range r = {.gap = NULL};
    struct gap_key key;
    gap_key_name(name, &key);
    uint32_t at = gap_list_seek(list, &key, &r.exact);
    struct gap *gap = at < list->count ? live(f, list->at[at]) : NULL;
    if (!gap)
        return r;
    struct dns_reader records = gap_records(gap);
    struct gap_record record = gap_record_next(&records);
    r.owner = gap_owner(gap);
    if (dns_nsec_read(dns_reader_init(record.rdata, record.len), &r.nsec) != DNS_OK)
        return r;
    bool last = dns_name_equal(&r.nsec.next, &f->zone->name);
    if (r.exact || last || dns_name_compare(name, &r.nsec.next) < 0)
        r.gap = gap;
    return r;
}

/* The name is absent, but for what it may be as an empty non-terminal. RFC 6840 4.1: the parent's
 * side of a cut and the owner of a DNAME know nothing of what is below. */
static bool is_covered(const struct range *r, const struct dns_name *name)
{
    if (!r->gap || r->exact)
        return false;
    return !dns_name_within(name, &r->owner) ||
           (!val_bitmap_parent_side(map_of(r)) && !val_bitmap_has(map_of(r), DNS_TYPE_DNAME));
}

static enum outcome nodata_at(struct finding *f, const struct range *r)
{
    if (!val_bitmap_denies(map_of(r), f->question->type, r->owner.labels == 0))
        return MISS;
    add_part(f, r->gap);
    return NODATA;
}

static enum outcome find_by_nsec(struct finding *f)
{
    const struct dns_name *name = &f->question->name;
    struct dns_name wildcard;
    struct range gap = range_for(f, name);
    if (gap.gap && gap.exact)
        return nodata_at(f, &gap);
    if (!is_covered(&gap, name))
        return MISS;
    add_part(f, gap.gap);
    if (dns_name_within(&gap.nsec.next, name))
        return NODATA; /* an empty non-terminal */
    unsigned with_owner = dns_name_common_labels(name, &gap.owner);
    unsigned with_next = dns_name_common_labels(name, &gap.nsec.next);
    struct dns_name encloser =
        dns_name_suffix(name, with_owner > with_next ? with_owner : with_next);
    if (dns_name_wildcard(&encloser, &wildcard) != DNS_OK)
        return NXDOMAIN; /* longer than a name can be */
    if (find_wildcard(f, &wildcard))
        return WILDCARD;
    struct range other = range_for(f, &wildcard);
    if (other.gap && other.exact)
        return nodata_at(f, &other);
    if (!is_covered(&other, &wildcard))
        return MISS;
    add_part(f, other.gap);
    return dns_name_within(&other.nsec.next, &wildcard) ? NODATA : NXDOMAIN;
}

/* --- NSEC3 ----------------------------------------------------------------------------------- */

struct hashed {
    struct gap *match, *cover; /* at most one of them */
    struct val_bitmap map;     /* of the match */
};

static bool read_nsec3(const struct gap *gap, struct dns_nsec3 *ret)
{
    struct dns_reader records = gap_records(gap);
    struct gap_record record = gap_record_next(&records);
    return dns_nsec3_read(dns_reader_init(record.rdata, record.len), ret) == DNS_OK;
}

/* The last one's range goes round the end. */
static bool reaches(const struct gap *gap, const uint8_t *next, const uint8_t *hash)
{
    bool after = memcmp(gap->data, hash, GAP_HASH_LEN) < 0;
    bool before = memcmp(hash, next, GAP_HASH_LEN) < 0;
    return memcmp(gap->data, next, GAP_HASH_LEN) < 0 ? after && before : after || before;
}

/* False: the hash cannot be paid for. */
static bool look_up(struct finding *f, const struct dns_name *name, struct hashed *ret)
{
    const struct gap_list *list = &f->zone->list[GAP_RANGE];
    const struct dns_nsec3 params = {.hash_algorithm = 1,
                                     .iterations = f->zone->iterations,
                                     .salt = f->zone->salt,
                                     .salt_len = f->zone->salt_len};
    struct gap_key key = {.len = GAP_HASH_LEN};
    struct dns_nsec3 nsec3;
    bool exact;
    *ret = (struct hashed){.match = NULL};
    if (!val_nsec3_hash(name, &params, &f->budget, key.octets))
        return false;
    uint32_t at = gap_list_seek(list, &key, &exact);
    if (at == list->count && at > 0)
        at--; /* before the first one: perhaps the last one comes round */
    struct gap *gap = at < list->count ? live(f, list->at[at]) : NULL;
    if (!gap || !read_nsec3(gap, &nsec3))
        return true;
    if (exact) {
        ret->match = gap;
        ret->map = (struct val_bitmap){nsec3.bitmap, nsec3.bitmap_len};
    } else if (reaches(gap, nsec3.next_hash, key.octets)) {
        ret->cover = gap;
    }
    return true;
}

static enum outcome nodata_by(struct finding *f, const struct hashed *h)
{
    if (!val_bitmap_denies(h->map, f->question->type, f->question->name.labels == 0))
        return MISS;
    add_part(f, h->match);
    return NODATA;
}

/* `above` is the closest encloser, `gap` covers the next closer name. */
static enum outcome below_encloser(struct finding *f, unsigned labels, const struct hashed *above,
                                   const struct hashed *gap)
{
    struct dns_name encloser = dns_name_suffix(&f->question->name, labels);
    struct dns_name wildcard;
    struct hashed other;
    if (dns_name_wildcard(&encloser, &wildcard) != DNS_OK)
        return MISS;
    add_part(f, gap->cover);
    if (find_wildcard(f, &wildcard))
        return WILDCARD; /* its RRSIG shows the encloser */
    if (!above->match || val_bitmap_parent_side(above->map) ||
        val_bitmap_has(above->map, DNS_TYPE_DNAME) || !look_up(f, &wildcard, &other))
        return MISS;
    add_part(f, above->match);
    if (other.match)
        return nodata_by(f, &other);
    if (!other.cover)
        return MISS;
    add_part(f, other.cover);
    return NXDOMAIN;
}

/* A wildcard that stands for the name: its own signature shows the encloser, which is all that an
 * answer from it leaves behind. False: none does. */
static bool find_wildcard_above(struct finding *f, unsigned *ret_labels)
{
    const struct dns_name *name = &f->question->name;
    bool any = f->zone->list[GAP_WILDCARD].count > 0;
    for (unsigned labels = name->labels; any && labels-- > f->zone->name.labels;) {
        struct dns_name encloser = dns_name_suffix(name, labels);
        struct dns_name wildcard;
        *ret_labels = labels;
        if (dns_name_wildcard(&encloser, &wildcard) == DNS_OK && find_wildcard(f, &wildcard))
            return true;
    }
    return false;
}

static enum outcome by_wildcard(struct finding *f)
{
    unsigned labels;
    struct hashed next_closer;
    if (!find_wildcard_above(f, &labels))
        return MISS;
    struct dns_name name = dns_name_suffix(&f->question->name, labels + 1);
    if (!look_up(f, &name, &next_closer) || !next_closer.cover)
        return MISS;
    add_part(f, next_closer.cover);
    return WILDCARD;
}

/* From the apex down, as long as each name is known to exist: so a name of many labels costs no
 * more hashes than its known part. */
static enum outcome find_by_nsec3(struct finding *f)
{
    const struct dns_name *name = &f->question->name;
    struct hashed above, here;
    if (by_wildcard(f) == WILDCARD)
        return WILDCARD;
    if (!look_up(f, &f->zone->name, &above))
        return MISS;
    if (name->labels == f->zone->name.labels)
        return above.match ? nodata_by(f, &above) : MISS;
    for (unsigned labels = f->zone->name.labels + 1u; labels <= name->labels; labels++) {
        struct dns_name at = dns_name_suffix(name, labels);
        if (!look_up(f, &at, &here))
            return MISS;
        if (here.cover)
            return below_encloser(f, labels - 1, &above, &here);
        if (!here.match)
            return MISS;
        above = here;
    }
    return nodata_by(f, &above);
}

/* --- the answer ------------------------------------------------------------------------------ */

static void write_gap(struct dns_msg_out *out, enum dns_section section, struct gap *gap,
                      const struct dns_name *owner, uint32_t ttl_s)
{
    struct dns_reader r = gap_records(gap);
    gap->used = true;
    for (uint32_t i = 0; i < gap->rr_count; i++) {
        struct gap_record record = gap_record_next(&r);
        dns_msg_out_rr(out, section, owner, record.type, DNS_CLASS_IN, ttl_s, record.rdata,
                       record.len);
    }
}

static void lower(uint32_t *ttl_s, const struct gap *gap, struct cache_now now)
{
    uint32_t left_s = gap_left_s(gap, now);
    *ttl_s = left_s < *ttl_s ? left_s : *ttl_s;
}

/* Every record lives as long as the first one to end, so that nobody keeps the whole longer. */
static uint32_t compose(struct finding *f, enum outcome outcome, uint8_t *buf, uint32_t cap)
{
    struct gap *first = outcome == WILDCARD ? f->wildcard : soa_of(f);
    struct dns_msg_out out;
    uint32_t ttl_s = UINT32_MAX;
    if (!first)
        return 0; /* an absence without its SOA (RFC 2308 3) */
    lower(&ttl_s, first, f->now);
    for (uint32_t i = 0; i < f->part_count; i++)
        lower(&ttl_s, f->part[i], f->now);
    unsigned rcode = outcome == NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
    dns_msg_out_init(&out, buf, cap, 0,
                     (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | rcode));
    dns_msg_out_question(&out, f->question);
    if (outcome == WILDCARD)
        write_gap(&out, DNS_ANSWER, first, &f->question->name, ttl_s);
    else
        write_gap(&out, DNS_AUTHORITY, first, &f->zone->name, ttl_s);
    for (uint32_t i = 0; i < f->part_count; i++) {
        struct dns_name owner = gap_owner(f->part[i]);
        write_gap(&out, DNS_AUTHORITY, f->part[i], &owner, ttl_s);
    }
    return dns_msg_out_finish(&out);
}

/* --- finding --------------------------------------------------------------------------------- */

/* The deepest zone above the name that has gaps speaks for it; of a DS, one strictly above. */
static struct gap_zone *zone_for(const struct cache *cache, const struct dns_question *question,
                                 const struct dns_name *top)
{
    unsigned labels = question->name.labels;
    if (question->type == DNS_TYPE_DS && labels > 0)
        labels--;
    if (labels > cache->gaps.deepest)
        labels = cache->gaps.deepest;
    for (labels++; labels-- > top->labels;) {
        struct dns_name name = dns_name_suffix(&question->name, labels);
        struct gap_zone *zone = gaps_zone_find(cache, &name);
        if (zone)
            return zone;
    }
    return NULL;
}

/* Meta types are not data; of RRSIG, NSEC and ANY no absence is spoken of here. */
static bool is_askable(const struct dns_question *q)
{
    return q->class_ == DNS_CLASS_IN && q->type != DNS_TYPE_RRSIG && q->type != DNS_TYPE_NSEC &&
           q->type != DNS_TYPE_NSEC3 && q->type != DNS_TYPE_OPT && q->type != 0 &&
           (q->type < 128 || q->type > 255);
}

static uint32_t find(struct finding *f, const struct dns_name *top, uint8_t *buf, uint32_t cap)
{
    f->zone = zone_for(f->cache, f->question, top);
    if (!f->zone || f->zone->list[GAP_RANGE].count == 0)
        return 0;
    enum outcome outcome = f->zone->nsec3 ? find_by_nsec3(f) : find_by_nsec(f);
    return outcome == MISS ? 0 : compose(f, outcome, buf, cap);
}

uint32_t cache_gaps_find(struct cache *cache, const struct dns_question *question,
                         const struct dns_name *top, struct val_budget *budget,
                         struct cache_now now, uint8_t *buf, uint32_t cap)
{
    if (cache->gaps.bucket_count == 0 || !is_askable(question) ||
        !dns_name_within(&question->name, top))
        return 0;
    struct finding f = {.cache = cache, .question = question, .budget = *budget, .now = now};
    uint32_t share = budget->sha1_blocks / BUDGET_SHARE;
    f.budget.sha1_blocks = share;
    (void)pthread_mutex_lock(&cache->gaps.lock); /* cannot fail for a plain mutex */
    uint32_t len = find(&f, top, buf, cap);
    (void)pthread_mutex_unlock(&cache->gaps.lock);
    budget->sha1_blocks -= share - f.budget.sha1_blocks;
    return len;
}
