// SPDX-License-Identifier: MIT
/* One gap: the octets it is sorted by, and how it lies in its allocation. */
#include "cache/gaps_parts.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define SET_MAX 4096u /* octets of one RRset with its RRSIGs */

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

int gap_compare(const struct gap *gap, const struct gap_key *key)
{
    uint32_t shorter = gap->key_len < key->len ? gap->key_len : key->len;
    int order = memcmp(gap->data, key->octets, shorter);
    return order != 0 ? order : (int)gap->key_len - (int)key->len;
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

struct gap *gap_new(const struct val_proven *p, enum gap_kind kind, const struct gap_key *key)
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
