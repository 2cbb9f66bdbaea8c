// SPDX-License-Identifier: MIT
/* What configured anchors mean, and which anchors they and the keys that were learnt give. */
#include "validate/rollover_parts.h"

#include <string.h>

static bool is_trusted(enum val_rollover_state state)
{
    return state == VAL_ROLLOVER_VALID || state == VAL_ROLLOVER_MISSING;
}

/* The configured DS is one of this key, in whatever digest. */
static bool means(const struct val_anchor *anchor, const struct dns_name *zone,
                  const uint8_t *rdata, uint32_t len)
{
    struct dns_ds ds;
    uint8_t digest[48];
    if (!dns_name_equal(&anchor->zone, zone) ||
        dns_ds_read(dns_reader_init(anchor->ds.data, anchor->ds.len), &ds) != DNS_OK ||
        ds.key_tag != dns_key_tag(rdata, len) || ds.algorithm != rdata[3])
        return false;
    return val_ds_digest(zone, rdata, len, ds.digest_type, digest) == ds.digest_len &&
           memcmp(digest, ds.digest, ds.digest_len) == 0;
}

struct rollover_meant rollover_meant_by(const struct val_rollover *rollover,
                                        const struct dns_name *zone, const uint8_t *rdata,
                                        uint32_t len, uint64_t now_s)
{
    struct rollover_meant meant = {false, false};
    for (uint32_t i = 0; i < val_anchors_count(rollover->configured); i++) {
        struct val_anchor anchor = val_anchors_at(rollover->configured, i);
        if (!means(&anchor, zone, rdata, len))
            continue;
        meant.ever = true;
        meant.now = meant.now || val_anchor_valid(&anchor, now_s);
    }
    return meant;
}

static bool means_a_gone_key(const struct val_rollover *rollover, const struct val_anchor *anchor)
{
    for (uint32_t i = 0; i < rollover->zone_count; i++) {
        const struct rollover_zone *z = &rollover->zone[i];
        for (uint32_t j = 0; j < z->key_count; j++)
            if (rollover_is_gone(z->key[j].state) &&
                means(anchor, &z->name, z->key[j].rdata, z->key[j].len))
                return true;
    }
    return false;
}

/* A key that configured anchors mean is subject to their dates. */
static enum dns_err add_learnt(const struct val_rollover *rollover, const struct rollover_zone *z,
                               uint64_t now_s, struct val_anchors *made)
{
    enum dns_err err = DNS_OK;
    for (uint32_t i = 0; i < z->key_count && err == DNS_OK; i++) {
        const struct rollover_key *k = &z->key[i];
        struct rollover_meant meant =
            rollover_meant_by(rollover, &z->name, k->rdata, k->len, now_s);
        uint8_t rdata[64];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        if (!is_trusted(k->state) || (meant.ever && !meant.now))
            continue;
        err = val_anchor_ds_of(&z->name, k->rdata, k->len, &w);
        struct val_anchor anchor = {z->name, {rdata, w.off}, 0, VAL_ANCHOR_ALWAYS, "rollover"};
        if (err == DNS_OK)
            err = val_anchors_add(made, &anchor);
    }
    return err;
}

/* RFC 5011 5: a trust point without keys is as if it had never been configured; what is above it
 * decides. Where nothing is, that would make everything insecure: then it is closed instead. */
static enum dns_err close_empty(const struct val_rollover *rollover, struct val_anchors *made)
{
    enum dns_err err = DNS_OK;
    for (uint32_t i = 0; i < val_anchors_count(rollover->configured) && err == DNS_OK; i++) {
        struct val_anchor anchor = val_anchors_at(rollover->configured, i);
        if (val_anchors_ds(made, &anchor.zone).count == 0 &&
            !val_anchors_above(rollover->configured, &anchor.zone))
            err = val_anchors_close(made, &anchor.zone);
    }
    return err;
}

struct val_anchors *val_rollover_anchors(const struct val_rollover *rollover, uint64_t now_s,
                                         uint64_t *ret_until_s)
{
    struct val_anchors *made = val_anchors_new();
    struct val_anchors *dated = val_anchors_in_use(rollover->configured, now_s, ret_until_s);
    enum dns_err err = made && dated ? val_anchors_add_negatives(made, dated) : DNS_E_SPACE;
    for (uint32_t i = 0; err == DNS_OK && i < val_anchors_count(dated); i++) {
        struct val_anchor anchor = val_anchors_at(dated, i);
        if (!means_a_gone_key(rollover, &anchor))
            err = val_anchors_add(made, &anchor);
    }
    for (uint32_t i = 0; err == DNS_OK && i < rollover->zone_count; i++)
        err = add_learnt(rollover, &rollover->zone[i], now_s, made);
    if (err == DNS_OK)
        err = close_empty(rollover, made);
    val_anchors_unref(dated);
    if (err == DNS_OK)
        return made;
    val_anchors_unref(made);
    return NULL;
}
