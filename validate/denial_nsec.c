// SPDX-License-Identifier: MIT
#include "validate/denial_nsec.h"

#include "validate/denial_bitmap.h"

#define NSEC_MAX 32u /* looked at, whatever the configuration says */

struct nsec {
    const struct dns_name *owner;
    struct dns_name next;
    struct val_bitmap map;
};

struct nsecs {
    struct nsec nsec[NSEC_MAX];
    uint32_t count;
    const struct dns_name *zone;
};

/* Owner and next name lie in the zone, or its keys would speak for another one. A next name that
 * does not come after its owner closes the circle, at the apex only (RFC 4034 4.1.1). */
static bool nsec_read(const struct val_rrset *set, const struct dns_name *zone, struct nsec *ret)
{
    struct dns_nsec nsec;
    if (set->type != DNS_TYPE_NSEC || set->count != 1 || !dns_name_within(&set->owner, zone))
        return false;
    if (dns_nsec_read(dns_reader_init(set->rr[0].data, set->rr[0].len), &nsec) != DNS_OK ||
        !dns_name_within(&nsec.next, zone))
        return false;
    if (dns_name_compare(&set->owner, &nsec.next) >= 0 && !dns_name_equal(&nsec.next, zone))
        return false;
    ret->owner = &set->owner;
    ret->next = nsec.next;
    ret->map = (struct val_bitmap){nsec.bitmap, nsec.bitmap_len};
    return true;
}

/* False: more of them than one message may make us look at. */
static bool nsecs_read(const struct val_denial *d, struct nsecs *ret)
{
    uint32_t limit = d->budget->limits.nsec_per_message;
    ret->count = 0;
    ret->zone = d->zone;
    for (uint32_t i = 0; i < d->count; i++) {
        struct nsec nsec;
        if (!nsec_read(d->sets[i], d->zone, &nsec))
            continue;
        if (ret->count == limit || ret->count == NSEC_MAX)
            return false;
        ret->nsec[ret->count++] = nsec;
    }
    return true;
}

/* RFC 6840 4.1: an NSEC from above a cut or a DNAME knows nothing of what is below. */
static bool knows(const struct nsec *n, const struct dns_name *name)
{
    if (!dns_name_within(name, n->owner))
        return true;
    return !val_bitmap_parent_side(n->map) && !val_bitmap_has(n->map, DNS_TYPE_DNAME);
}

/* `name` lies between owner and next. It may still be an empty non-terminal. */
static bool covers(const struct nsecs *all, const struct nsec *n, const struct dns_name *name)
{
    if (!dns_name_within(name, all->zone) || dns_name_compare(n->owner, name) >= 0)
        return false;
    bool last = dns_name_equal(&n->next, all->zone);
    return (last || dns_name_compare(name, &n->next) < 0) && knows(n, name);
}

static const struct nsec *find_match(const struct nsecs *all, const struct dns_name *name)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (dns_name_equal(all->nsec[i].owner, name))
            return &all->nsec[i];
    return NULL;
}

static const struct nsec *find_cover(const struct nsecs *all, const struct dns_name *name)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (covers(all, &all->nsec[i], name))
            return &all->nsec[i];
    return NULL;
}

/* Covered, and the next name lies below: it exists without records (RFC 4592 2.2.2). */
static bool is_empty_nonterminal(const struct nsec *cover, const struct dns_name *name)
{
    return dns_name_within(&cover->next, name);
}

/* The NSEC that proves that nothing exists at or below `name`, or NULL. */
static const struct nsec *find_absence(const struct nsecs *all, const struct dns_name *name)
{
    const struct nsec *cover = find_cover(all, name);
    return cover && !is_empty_nonterminal(cover, name) ? cover : NULL;
}

/* `name` exists without `qtype`, by its own NSEC or as an empty non-terminal. */
static bool exists_without(const struct nsecs *all, const struct dns_name *name, uint16_t qtype)
{
    const struct nsec *match = find_match(all, name);
    if (match && (qtype == DNS_TYPE_NSEC || qtype == DNS_TYPE_RRSIG))
        return false; /* itself shows that they are there, whatever its bits say (RFC 4035 5.4) */
    if (match)
        return val_bitmap_denies(match->map, qtype, name->labels == 0);
    const struct nsec *cover = find_cover(all, name);
    return cover && is_empty_nonterminal(cover, name);
}

/* The wildcard that would stand for `name`: below the closest encloser, which is the longer of
 * what the absent name shares with either end of the gap. */
static bool source_of_synthesis(const struct nsec *gap, const struct dns_name *name,
                                struct dns_name *ret)
{
    unsigned with_owner = dns_name_common_labels(name, gap->owner);
    unsigned with_next = dns_name_common_labels(name, &gap->next);
    struct dns_name encloser =
        dns_name_suffix(name, with_owner > with_next ? with_owner : with_next);
    return dns_name_wildcard(&encloser, ret) == DNS_OK;
}

enum val_proof val_nsec_nodata(const struct val_denial *d, const struct dns_name *qname,
                               uint16_t qtype)
{
    struct nsecs all;
    struct dns_name wildcard;
    if (!nsecs_read(d, &all))
        return VAL_PROOF_BUDGET;
    if (exists_without(&all, qname, qtype))
        return VAL_PROOF_SECURE;
    const struct nsec *gap = find_absence(&all, qname);
    if (!gap || !source_of_synthesis(gap, qname, &wildcard))
        return VAL_PROOF_NONE;
    return exists_without(&all, &wildcard, qtype) ? VAL_PROOF_SECURE : VAL_PROOF_NONE;
}

enum val_proof val_nsec_nxdomain(const struct val_denial *d, const struct dns_name *qname)
{
    struct nsecs all;
    struct dns_name wildcard;
    if (!nsecs_read(d, &all))
        return VAL_PROOF_BUDGET;
    const struct nsec *match = find_match(&all, qname);
    if (match && val_bitmap_nonexistent(match->map)) /* RFC 9824 5: the rcode was restored */
        return VAL_PROOF_SECURE;
    const struct nsec *gap = find_absence(&all, qname);
    if (!gap)
        return VAL_PROOF_NONE;
    if (!source_of_synthesis(gap, qname, &wildcard))
        return VAL_PROOF_SECURE; /* longer than a name can be: there is no such wildcard */
    return find_absence(&all, &wildcard) ? VAL_PROOF_SECURE : VAL_PROOF_NONE;
}

enum val_proof val_nsec_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                 unsigned encloser_labels)
{
    struct nsecs all;
    if (!nsecs_read(d, &all))
        return VAL_PROOF_BUDGET;
    if (encloser_labels >= qname->labels)
        return VAL_PROOF_NONE;
    struct dns_name next_closer = dns_name_suffix(qname, encloser_labels + 1);
    return find_absence(&all, &next_closer) ? VAL_PROOF_SECURE : VAL_PROOF_NONE;
}

enum val_no_ds val_nsec_no_ds(const struct val_denial *d, const struct dns_name *name)
{
    struct nsecs all;
    if (!nsecs_read(d, &all))
        return VAL_NO_DS_BUDGET;
    const struct nsec *match = find_match(&all, name);
    if (match)
        return val_bitmap_no_ds(match->map);
    /* Covered: it does not exist, or has no records of its own. Neither is a cut. */
    return find_cover(&all, name) ? VAL_NO_DS_NOT_A_CUT : VAL_NO_DS_UNPROVEN;
}
