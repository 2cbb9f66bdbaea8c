// SPDX-License-Identifier: MIT
#include "validate/anchors.h"

#include <stdlib.h>
#include <string.h>

struct term { /* beside each DS: its dates, and where it was read */
    uint64_t from_s, until_s;
    char *source;
};

struct positive {
    struct dns_name zone;
    struct val_rdata *ds; /* each RDATA is a block of its own */
    struct term *term;    /* of the same index */
    uint32_t count;       /* 0: closed */
};

struct negative {
    struct dns_name zone;
    uint64_t until_s;
    char *reason;
};

struct val_anchors {
    struct positive *positive;
    uint32_t positive_count;
    struct negative *negative;
    uint32_t negative_count;
    int refs; /* atomic; only _ref and _unref touch it */
};

/* --- life ------------------------------------------------------------------------------------ */

struct val_anchors *val_anchors_new(void)
{
    struct val_anchors *anchors = calloc(1, sizeof *anchors);
    if (anchors)
        anchors->refs = 1;
    return anchors;
}

static void positive_deinit(struct positive *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        free((void *)(uintptr_t)p->ds[i].data);
        free(p->term[i].source);
    }
    free(p->ds);
    free(p->term);
}

void val_anchors_free(struct val_anchors *anchors)
{
    val_anchors_unref(anchors);
}

const struct val_anchors *val_anchors_ref(const struct val_anchors *anchors)
{
    /* Taking one more needs no order: whoever takes it already holds one. */
    (void)__atomic_add_fetch(&((struct val_anchors *)(uintptr_t)anchors)->refs, 1,
                             __ATOMIC_RELAXED);
    return anchors;
}

void val_anchors_unref(const struct val_anchors *shared)
{
    struct val_anchors *anchors = (struct val_anchors *)(uintptr_t)shared;
    /* Every use by others must have happened before the last one frees it. */
    if (!anchors || __atomic_sub_fetch(&anchors->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        positive_deinit(&anchors->positive[i]);
    for (uint32_t i = 0; i < anchors->negative_count; i++)
        free(anchors->negative[i].reason);
    free(anchors->positive);
    free(anchors->negative);
    free(anchors);
}

/* --- filling --------------------------------------------------------------------------------- */

/* Room for one more of `size` octets behind `count`; NULL when out of memory. Anchors are few and
 * made once, so growing by one is fine. */
static void *grow(void *array, uint32_t count, size_t size)
{
    return reallocarray(array, (size_t)count + 1, size);
}

static struct positive *positive_at(struct val_anchors *anchors, const struct dns_name *zone)
{
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        if (dns_name_equal(&anchors->positive[i].zone, zone))
            return &anchors->positive[i];
    struct positive *grown = grow(anchors->positive, anchors->positive_count, sizeof(*grown));
    if (!grown)
        return NULL;
    anchors->positive = grown;
    grown[anchors->positive_count] = (struct positive){.zone = *zone};
    return &grown[anchors->positive_count++];
}

static struct term *term_of(struct positive *p, const struct val_rdata *ds)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->ds[i].len == ds->len && memcmp(p->ds[i].data, ds->data, ds->len) == 0)
            return &p->term[i];
    return NULL;
}

static enum dns_err positive_add(struct positive *p, const struct val_anchor *anchor)
{
    struct val_rdata *ds = grow(p->ds, p->count, sizeof *ds);
    if (!ds)
        return DNS_E_SPACE;
    p->ds = ds;
    struct term *term = grow(p->term, p->count, sizeof *term);
    if (!term)
        return DNS_E_SPACE;
    p->term = term;
    uint8_t *copy = malloc(anchor->ds.len);
    char *source = strdup(anchor->source ? anchor->source : "");
    if (!copy || !source) {
        free(copy);
        free(source);
        return DNS_E_SPACE;
    }
    memcpy(copy, anchor->ds.data, anchor->ds.len);
    ds[p->count] = (struct val_rdata){copy, anchor->ds.len};
    term[p->count++] = (struct term){anchor->from_s, anchor->until_s, source};
    return DNS_OK;
}

/* A digest's length belongs to its type; one of an unknown type could never match. */
static bool ds_fits(const struct val_rdata *rdata)
{
    struct dns_ds ds;
    uint8_t digest[48];
    return dns_ds_read(dns_reader_init(rdata->data, rdata->len), &ds) == DNS_OK &&
           ds.digest_len == val_ds_digest(&dns_root, NULL, 0, ds.digest_type, digest);
}

enum dns_err val_anchors_add(struct val_anchors *anchors, const struct val_anchor *anchor)
{
    if (!ds_fits(&anchor->ds))
        return DNS_E_FORM;
    struct positive *p = positive_at(anchors, &anchor->zone);
    if (!p)
        return DNS_E_SPACE;
    struct term *known = term_of(p, &anchor->ds);
    if (!known)
        return positive_add(p, anchor);
    known->from_s = anchor->from_s < known->from_s ? anchor->from_s : known->from_s;
    known->until_s = anchor->until_s > known->until_s ? anchor->until_s : known->until_s;
    return DNS_OK;
}

enum dns_err val_anchors_close(struct val_anchors *anchors, const struct dns_name *zone)
{
    return positive_at(anchors, zone) ? DNS_OK : DNS_E_SPACE;
}

enum dns_err val_anchors_add_negative(struct val_anchors *anchors, const struct dns_name *zone,
                                      uint64_t until_s, const char *reason)
{
    struct negative *grown = grow(anchors->negative, anchors->negative_count, sizeof(*grown));
    if (!grown)
        return DNS_E_SPACE;
    anchors->negative = grown;
    char *copy = strdup(reason ? reason : "");
    if (!copy)
        return DNS_E_SPACE;
    grown[anchors->negative_count++] = (struct negative){*zone, until_s, copy};
    return DNS_OK;
}

enum dns_err val_anchors_add_negatives(struct val_anchors *anchors, const struct val_anchors *from)
{
    enum dns_err err = DNS_OK;
    for (uint32_t i = 0; i < from->negative_count && err == DNS_OK; i++) {
        const struct negative *n = &from->negative[i];
        err = val_anchors_add_negative(anchors, &n->zone, n->until_s, n->reason);
    }
    return err;
}

struct val_anchors *val_anchors_copy(const struct val_anchors *from)
{
    struct val_anchors *made = val_anchors_new();
    enum dns_err err = made ? val_anchors_add_negatives(made, from) : DNS_E_SPACE;
    for (uint32_t i = 0; i < from->positive_count && err == DNS_OK; i++) {
        const struct positive *p = &from->positive[i];
        if (p->count == 0)
            err = val_anchors_close(made, &p->zone);
        for (uint32_t j = 0; j < p->count && err == DNS_OK; j++) {
            const struct term *t = &p->term[j];
            struct val_anchor anchor = {p->zone, p->ds[j], t->from_s, t->until_s, t->source};
            err = val_anchors_add(made, &anchor);
        }
    }
    if (err == DNS_OK)
        return made;
    val_anchors_unref(made);
    return NULL;
}

/* --- looking --------------------------------------------------------------------------------- */

uint32_t val_anchors_count(const struct val_anchors *anchors)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        count += anchors->positive[i].count;
    return count;
}

struct val_anchor val_anchors_at(const struct val_anchors *anchors, uint32_t index)
{
    const struct positive *p = anchors->positive;
    while (index >= p->count)
        index -= p++->count;
    return (struct val_anchor){p->zone, p->ds[index], p->term[index].from_s, p->term[index].until_s,
                               p->term[index].source};
}

bool val_anchor_valid(const struct val_anchor *anchor, uint64_t now_s)
{
    return anchor->from_s <= now_s && now_s < anchor->until_s;
}

bool val_anchors_above(const struct val_anchors *anchors, const struct dns_name *zone)
{
    for (uint32_t i = 0; i < anchors->positive_count; i++)
        if (anchors->positive[i].zone.labels < zone->labels &&
            dns_name_within(zone, &anchors->positive[i].zone))
            return true;
    return false;
}

struct val_ds_set val_anchors_ds(const struct val_anchors *anchors, const struct dns_name *zone)
{
    for (uint32_t i = 0; i < anchors->positive_count; i++) {
        const struct positive *p = &anchors->positive[i];
        if (dns_name_equal(&p->zone, zone))
            return (struct val_ds_set){p->ds, p->count};
    }
    return (struct val_ds_set){NULL, 0};
}

bool val_anchors_has_tag(const struct val_anchors *anchors, const struct dns_name *zone,
                         uint16_t key_tag)
{
    struct val_ds_set set = val_anchors_ds(anchors, zone);
    for (uint32_t i = 0; i < set.count; i++) {
        struct dns_ds ds;
        if (dns_ds_read(dns_reader_init(set.rr[i].data, set.rr[i].len), &ds) == DNS_OK &&
            ds.key_tag == key_tag)
            return true;
    }
    return false;
}

static void end_at(uint64_t *until_s, uint64_t moment_s, uint64_t now_s)
{
    if (moment_s > now_s && moment_s < *until_s)
        *until_s = moment_s;
}

/* From the top down an anchor below a closed one would not be seen as taking over; it need not be:
 * only what is above may. */
static enum dns_err close_if_empty(struct val_anchors *made, const struct val_anchors *configured,
                                   const struct dns_name *zone)
{
    return val_anchors_above(configured, zone) ? DNS_OK : val_anchors_close(made, zone);
}

struct val_anchors *val_anchors_in_use(const struct val_anchors *configured, uint64_t now_s,
                                       uint64_t *ret_until_s)
{
    struct val_anchors *made = val_anchors_new();
    enum dns_err err = made ? val_anchors_add_negatives(made, configured) : DNS_E_SPACE;
    *ret_until_s = UINT64_MAX;
    for (uint32_t i = 0; i < configured->positive_count && err == DNS_OK; i++) {
        const struct positive *p = &configured->positive[i];
        uint32_t valid = 0;
        for (uint32_t j = 0; j < p->count && err == DNS_OK; j++) {
            const struct term *t = &p->term[j];
            struct val_anchor anchor = {p->zone, p->ds[j], t->from_s, t->until_s, t->source};
            end_at(ret_until_s, t->from_s, now_s);
            end_at(ret_until_s, t->until_s, now_s);
            if (!val_anchor_valid(&anchor, now_s))
                continue;
            err = val_anchors_add(made, &anchor);
            valid++;
        }
        if (err == DNS_OK && valid == 0)
            err = close_if_empty(made, configured, &p->zone);
    }
    if (err == DNS_OK)
        return made;
    val_anchors_unref(made);
    return NULL;
}

/* The deepest statement about a name wins; at one name the negative one, which somebody made on
 * purpose and for a while (RFC 7646 1.1). */
struct val_anchor_hit val_anchors_find(const struct val_anchors *anchors,
                                       const struct dns_name *name, uint64_t now_s)
{
    struct val_anchor_hit hit = {.kind = VAL_ANCHOR_NONE, .zone = &dns_root};
    for (uint32_t i = 0; i < anchors->positive_count; i++) {
        const struct positive *p = &anchors->positive[i];
        if (!dns_name_within(name, &p->zone) ||
            (hit.kind != VAL_ANCHOR_NONE && p->zone.labels < hit.zone->labels))
            continue;
        hit.kind = VAL_ANCHOR_POSITIVE;
        hit.zone = &p->zone;
        hit.ds = (struct val_ds_set){p->ds, p->count};
    }
    for (uint32_t i = 0; i < anchors->negative_count; i++) {
        const struct negative *n = &anchors->negative[i];
        if (now_s >= n->until_s || !dns_name_within(name, &n->zone) ||
            (hit.kind != VAL_ANCHOR_NONE && n->zone.labels < hit.zone->labels))
            continue;
        hit = (struct val_anchor_hit){.kind = VAL_ANCHOR_NEGATIVE,
                                      .zone = &n->zone,
                                      .reason = n->reason,
                                      .until_s = n->until_s};
    }
    return hit;
}
