// SPDX-License-Identifier: MIT
#include "validate/canonical.h"

#include <stdlib.h>
#include <string.h>

/* RFC 4034 6.3: as left-justified octet strings, a missing octet before a zero one. */
static int by_rdata(const void *left, const void *right)
{
    const struct val_rdata *a = left, *b = right;
    uint32_t common = a->len < b->len ? a->len : b->len;
    int order = common > 0 ? memcmp(a->data, b->data, common) : 0;
    if (order != 0)
        return order;
    return (a->len > b->len) - (a->len < b->len);
}

static void sort_unique(struct val_canonical *canonical)
{
    uint32_t kept = 0;
    canonical->rdata_len = 0;
    qsort(canonical->rr, canonical->count, sizeof(canonical->rr[0]), by_rdata);
    for (uint32_t i = 0; i < canonical->count; i++) {
        if (kept > 0 && by_rdata(&canonical->rr[kept - 1], &canonical->rr[i]) == 0)
            continue;
        canonical->rr[kept++] = canonical->rr[i];
        canonical->rdata_len += canonical->rr[i].len;
    }
    canonical->count = kept;
}

enum dns_err val_canonical_new(const struct val_rrset *set, struct val_canonical **ret)
{
    size_t octets = 0;
    for (uint32_t i = 0; i < set->count; i++)
        octets += set->rr[i].len;
    struct val_canonical *canonical =
        malloc(sizeof(*canonical) + set->count * sizeof(canonical->rr[0]) + octets);
    if (!canonical)
        return DNS_E_SPACE;

    uint8_t *at = (uint8_t *)&canonical->rr[set->count];
    canonical->count = set->count;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t len = set->rr[i].len;
        if (len > 0)
            memcpy(at, set->rr[i].data, len);
        enum dns_err err = dns_rdata_canonical(set->type, at, len);
        if (err != DNS_OK) {
            free(canonical);
            return err;
        }
        canonical->rr[i] = (struct val_rdata){at, len};
        at += len;
    }
    sort_unique(canonical);
    *ret = canonical;
    return DNS_OK;
}

unsigned val_canonical_labels(const struct dns_name *owner)
{
    return owner->labels - (dns_name_is_wildcard(owner) ? 1u : 0u);
}

static enum dns_err signed_owner(const struct dns_name *owner, unsigned labels,
                                 struct dns_name *ret)
{
    enum dns_err err = DNS_OK;
    if (labels < val_canonical_labels(owner)) {
        struct dns_name encloser = dns_name_suffix(owner, labels);
        err = dns_name_wildcard(&encloser, ret);
    } else
        *ret = *owner;
    if (err == DNS_OK)
        dns_name_lower(ret);
    return err;
}

/* RRSIG RDATA without the signature, its signer in lower case. */
static void write_rrsig(struct dns_writer *w, const struct dns_rrsig *rrsig)
{
    struct dns_name signer = rrsig->signer;
    dns_name_lower(&signer);
    dns_write_u16(w, rrsig->covered);
    dns_write_u8(w, rrsig->algorithm);
    dns_write_u8(w, rrsig->labels);
    dns_write_u32(w, rrsig->original_ttl_s);
    dns_write_u32(w, rrsig->expiration);
    dns_write_u32(w, rrsig->inception);
    dns_write_u16(w, rrsig->key_tag);
    dns_write_name(w, &signer);
}

#define RRSIG_FIXED_LEN 18u /* in front of the signer */
#define RR_FIXED_LEN 10u    /* type, class, TTL, length */

enum dns_err val_canonical_signed(const struct val_canonical *canonical,
                                  const struct val_rrset *set, const struct val_sig *sig,
                                  uint8_t **ret_data, uint32_t *ret_len)
{
    struct dns_name owner;
    enum dns_err err = signed_owner(&set->owner, sig->rrsig.labels, &owner);
    if (err != DNS_OK)
        return err;
    size_t cap = RRSIG_FIXED_LEN + sig->rrsig.signer.len +
                 canonical->count * ((size_t)owner.len + RR_FIXED_LEN) + canonical->rdata_len;
    uint8_t *data = malloc(cap);
    if (!data)
        return DNS_E_SPACE;

    struct dns_writer w = dns_writer_init(data, cap);
    write_rrsig(&w, &sig->rrsig);
    for (uint32_t i = 0; i < canonical->count; i++) {
        dns_write_name(&w, &owner);
        dns_write_u16(&w, set->type);
        dns_write_u16(&w, set->class_);
        dns_write_u32(&w, sig->rrsig.original_ttl_s);
        dns_write_u16(&w, (uint16_t)canonical->rr[i].len); /* rrset.c lets no longer one in */
        dns_write_bytes(&w, canonical->rr[i].data, canonical->rr[i].len);
    }
    if (w.err != DNS_OK) {
        free(data);
        return w.err;
    }
    *ret_data = data;
    *ret_len = w.off;
    return DNS_OK;
}
