// SPDX-License-Identifier: MIT
#include "validate/denial_nsec3.h"

#include "validate/denial_bitmap.h"

#include <string.h>

#define HASH_LEN 20u
#define NSEC3_MAX 32u /* looked at, whatever the configuration says */
#define OPT_OUT 0x01u

struct nsec3 {
    uint8_t owner[HASH_LEN], next[HASH_LEN];
    bool opt_out;
    struct val_bitmap map;
};

/* One proof: its records, all of the same parameters, and the hash of each ancestor-or-self of the
 * name in question, computed when first asked for. */
struct proof {
    const struct val_denial *d;
    const struct dns_name *qname;
    struct dns_nsec3 params;
    struct nsec3 nsec3[NSEC3_MAX];
    uint32_t count;
    bool hashed[DNS_NAME_MAX / 2 + 1];
    uint8_t hash[DNS_NAME_MAX / 2 + 1][HASH_LEN]; /* by number of labels */
    bool spent;                                   /* a hash could not be paid for */
};

/* --- reading --------------------------------------------------------------------------------- */

/* RFC 5155 8.1, 8.2: unknown hash algorithms and flags are ignored; the owner is hash.zone. */
static bool nsec3_read(const struct val_rrset *set, const struct dns_name *zone,
                       struct dns_nsec3 *ret_rdata, struct nsec3 *ret)
{
    struct dns_nsec3 rdata;
    if (set->type != DNS_TYPE_NSEC3 || set->count != 1 || set->owner.labels != zone->labels + 1u ||
        !dns_name_within(&set->owner, zone))
        return false;
    if (dns_nsec3_read(dns_reader_init(set->rr[0].data, set->rr[0].len), &rdata) != DNS_OK ||
        rdata.hash_algorithm != 1 || (rdata.flags & ~OPT_OUT) != 0 ||
        rdata.next_hash_len != HASH_LEN)
        return false;
    struct dns_writer hash = dns_writer_init(ret->owner, sizeof(ret->owner));
    if (dns_base32hex_read((const char *)set->owner.wire + 1, set->owner.wire[0], &hash) !=
            DNS_OK ||
        hash.off != HASH_LEN)
        return false;
    memcpy(ret->next, rdata.next_hash, HASH_LEN);
    ret->opt_out = (rdata.flags & OPT_OUT) != 0;
    ret->map = (struct val_bitmap){rdata.bitmap, rdata.bitmap_len};
    *ret_rdata = rdata;
    return true;
}

static bool same_params(const struct dns_nsec3 *a, const struct dns_nsec3 *b)
{
    return a->iterations == b->iterations && a->salt_len == b->salt_len &&
           (a->salt_len == 0 || memcmp(a->salt, b->salt, a->salt_len) == 0);
}

/* The first record's parameters rule; a proof that mixes chains proves nothing. SECURE: there is
 * something to prove with. */
static enum val_proof proof_init(struct proof *p, const struct val_denial *d,
                                 const struct dns_name *qname)
{
    uint32_t limit = d->budget->limits.nsec3_per_message;
    memset(p->hashed, 0, sizeof(p->hashed));
    p->d = d;
    p->qname = qname;
    p->count = 0;
    p->spent = false;
    if (!dns_name_within(qname, d->zone))
        return VAL_PROOF_NONE;
    for (uint32_t i = 0; i < d->count; i++) {
        struct nsec3 nsec3;
        struct dns_nsec3 params;
        if (!nsec3_read(d->sets[i], d->zone, &params, &nsec3))
            continue;
        if (p->count == 0)
            p->params = params;
        if (!same_params(&p->params, &params))
            continue;
        if (p->count == limit || p->count == NSEC3_MAX)
            return VAL_PROOF_BUDGET;
        p->nsec3[p->count++] = nsec3;
    }
    if (p->count == 0)
        return VAL_PROOF_NONE;
    if (p->params.iterations > d->policy->nsec3_bogus_above)
        return VAL_PROOF_REFUSED;
    if (p->params.iterations > d->policy->nsec3_insecure_above)
        return VAL_PROOF_ITERATIONS;
    return VAL_PROOF_SECURE;
}

/* --- matching and covering ------------------------------------------------------------------- */

static const uint8_t *hash_name(struct proof *p, const struct dns_name *name,
                                uint8_t hash[HASH_LEN])
{
    if (p->spent || !val_nsec3_hash(name, &p->params, p->d->budget, hash)) {
        p->spent = true;
        return NULL;
    }
    return hash;
}

/* Of the ancestor-or-self of qname with that many labels. NULL when it cannot be paid for. */
static const uint8_t *hash_at(struct proof *p, unsigned labels)
{
    if (p->hashed[labels])
        return p->hash[labels];
    struct dns_name name = dns_name_suffix(p->qname, labels);
    if (!hash_name(p, &name, p->hash[labels]))
        return NULL;
    p->hashed[labels] = true;
    return p->hash[labels];
}

static const struct nsec3 *find_match(const struct proof *p, const uint8_t *hash)
{
    for (uint32_t i = 0; hash && i < p->count; i++)
        if (memcmp(p->nsec3[i].owner, hash, HASH_LEN) == 0)
            return &p->nsec3[i];
    return NULL;
}

/* Between owner and next; the last one's gap goes round the end, a lone one's all the way. */
static bool covers(const struct nsec3 *n, const uint8_t *hash)
{
    bool after = memcmp(n->owner, hash, HASH_LEN) < 0;
    bool before = memcmp(hash, n->next, HASH_LEN) < 0;
    if (memcmp(n->owner, n->next, HASH_LEN) < 0)
        return after && before;
    return after || before;
}

static const struct nsec3 *find_cover(const struct proof *p, const uint8_t *hash)
{
    for (uint32_t i = 0; hash && i < p->count; i++)
        if (covers(&p->nsec3[i], hash))
            return &p->nsec3[i];
    return NULL;
}

/* RFC 5155 8.3: the closest encloser has a record, the next closer name is covered. The search goes
 * down from the apex and ends at the first gap: nothing lies below a name that does not exist, so
 * a name of many labels costs no more than its existing part. */
struct encloser {
    unsigned labels;
    const struct nsec3 *gap; /* covers the next closer name */
};

static bool find_encloser(struct proof *p, struct encloser *ret)
{
    const struct nsec3 *above = find_match(p, hash_at(p, p->d->zone->labels));
    for (unsigned labels = p->d->zone->labels + 1u; labels <= p->qname->labels; labels++) {
        const uint8_t *hash = hash_at(p, labels);
        const struct nsec3 *gap = above ? find_cover(p, hash) : NULL;
        if (!hash)
            return false;
        if (gap) {
            /* RFC 5155 8.3, RFC 6840 4.1: not from above a cut or a DNAME. */
            if (val_bitmap_parent_side(above->map) || val_bitmap_has(above->map, DNS_TYPE_DNAME))
                return false;
            *ret = (struct encloser){labels - 1, gap};
            return true;
        }
        above = find_match(p, hash);
    }
    return false;
}

/* NULL also when it cannot be paid for, or would be longer than a name can be. */
static const uint8_t *hash_wildcard(struct proof *p, const struct encloser *encloser,
                                    uint8_t hash[HASH_LEN])
{
    struct dns_name wildcard;
    struct dns_name parent = dns_name_suffix(p->qname, encloser->labels);
    return dns_name_wildcard(&parent, &wildcard) == DNS_OK ? hash_name(p, &wildcard, hash) : NULL;
}

static enum val_proof unless_spent(const struct proof *p, enum val_proof proof)
{
    return p->spent ? VAL_PROOF_BUDGET : proof;
}

/* RFC 5155 9.2: with an opt-out gap the answer holds, but is not authentic. */
static enum val_proof by_gap(const struct nsec3 *gap)
{
    return gap->opt_out ? VAL_PROOF_OPT_OUT : VAL_PROOF_SECURE;
}

/* --- the proofs ------------------------------------------------------------------------------ */

/* RFC 5155 8.5-8.7. Behind an opt-out gap stand unsigned delegations, whatever the type. */
static enum val_proof prove_nodata(struct proof *p, uint16_t qtype)
{
    struct encloser encloser;
    uint8_t hash[HASH_LEN];
    const struct nsec3 *match = find_match(p, hash_at(p, p->qname->labels));
    if (match)
        return val_bitmap_denies(match->map, qtype, p->qname->labels == 0) ? VAL_PROOF_SECURE
                                                                           : VAL_PROOF_NONE;
    if (!find_encloser(p, &encloser))
        return VAL_PROOF_NONE;
    if (encloser.gap->opt_out)
        return VAL_PROOF_OPT_OUT;
    match = find_match(p, hash_wildcard(p, &encloser, hash));
    return match && val_bitmap_denies(match->map, qtype, false) ? VAL_PROOF_SECURE : VAL_PROOF_NONE;
}

enum val_proof val_nsec3_nodata(const struct val_denial *d, const struct dns_name *qname,
                                uint16_t qtype)
{
    struct proof p;
    enum val_proof ready = proof_init(&p, d, qname);
    if (ready != VAL_PROOF_SECURE)
        return ready;
    return unless_spent(&p, prove_nodata(&p, qtype));
}

/* RFC 9824 5: a denial in compact form whose rcode was restored. The search for an encloser, which
 * came first, has the hash; if it ended above, there is no such record. */
static bool says_nonexistent(struct proof *p)
{
    unsigned labels = p->qname->labels;
    const struct nsec3 *match = p->hashed[labels] ? find_match(p, p->hash[labels]) : NULL;
    return match && val_bitmap_nonexistent(match->map);
}

/* RFC 5155 8.4. */
enum val_proof val_nsec3_nxdomain(const struct val_denial *d, const struct dns_name *qname)
{
    struct proof p;
    struct encloser encloser;
    uint8_t hash[HASH_LEN];
    enum val_proof ready = proof_init(&p, d, qname);
    if (ready != VAL_PROOF_SECURE)
        return ready;
    if (!find_encloser(&p, &encloser))
        return unless_spent(&p, says_nonexistent(&p) ? VAL_PROOF_SECURE : VAL_PROOF_NONE);
    if (!find_cover(&p, hash_wildcard(&p, &encloser, hash)))
        return unless_spent(&p, VAL_PROOF_NONE);
    return by_gap(encloser.gap);
}

/* RFC 5155 8.8: the signature proves the encloser, the gap that nothing closer exists. */
enum val_proof val_nsec3_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                  unsigned encloser_labels)
{
    struct proof p;
    enum val_proof ready = proof_init(&p, d, qname);
    if (ready != VAL_PROOF_SECURE)
        return ready;
    if (encloser_labels >= qname->labels || encloser_labels < d->zone->labels)
        return VAL_PROOF_NONE;
    const struct nsec3 *gap = find_cover(&p, hash_at(&p, encloser_labels + 1));
    return unless_spent(&p, gap ? by_gap(gap) : VAL_PROOF_NONE);
}

/* RFC 5155 8.6 and 8.9. A gap without opt-out: the name does not exist. */
static enum val_no_ds prove_no_ds(struct proof *p)
{
    struct encloser encloser;
    const struct nsec3 *match = find_match(p, hash_at(p, p->qname->labels));
    if (match)
        return val_bitmap_no_ds(match->map);
    if (!find_encloser(p, &encloser))
        return VAL_NO_DS_UNPROVEN;
    return encloser.gap->opt_out ? VAL_NO_DS_OPT_OUT : VAL_NO_DS_NOT_A_CUT;
}

enum val_no_ds val_nsec3_no_ds(const struct val_denial *d, const struct dns_name *name)
{
    struct proof p;
    switch (proof_init(&p, d, name)) {
    case VAL_PROOF_SECURE: break;
    case VAL_PROOF_BUDGET: return VAL_NO_DS_BUDGET;
    case VAL_PROOF_REFUSED: return VAL_NO_DS_REFUSED;
    case VAL_PROOF_ITERATIONS: return VAL_NO_DS_ITERATIONS;
    case VAL_PROOF_OPT_OUT:
    case VAL_PROOF_NONE: return VAL_NO_DS_UNPROVEN;
    }
    enum val_no_ds no_ds = prove_no_ds(&p);
    return p.spent ? VAL_NO_DS_BUDGET : no_ds;
}
