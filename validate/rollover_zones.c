// SPDX-License-Identifier: MIT
/* The zones that are followed, with what is known of each one's keys. */
#include "validate/rollover_parts.h"

#include <stdio.h>
#include <stdlib.h>

struct rollover_zone *rollover_zone_find(struct val_rollover *rollover, const struct dns_name *name)
{
    for (uint32_t i = 0; i < rollover->zone_count; i++)
        if (dns_name_equal(&rollover->zone[i].name, name))
            return &rollover->zone[i];
    return NULL;
}

struct rollover_zone *rollover_zone_add(struct val_rollover *rollover, const struct dns_name *name)
{
    if (rollover->zone_count == ROLLOVER_ZONES_MAX)
        return NULL;
    struct rollover_zone *z = &rollover->zone[rollover->zone_count];
    *z = (struct rollover_zone){.name = *name, .key = calloc(ROLLOVER_KEYS_MAX, sizeof *z->key)};
    if (!z->key)
        return NULL;
    rollover->zone_count++;
    return z;
}

/* The order in which anchors are configured, and their dates, do not matter. */
static void find_basis(const struct val_anchors *configured, struct rollover_zone *z)
{
    struct val_ds_set set = val_anchors_ds(configured, &z->name);
    uint8_t sum[ROLLOVER_BASIS_LEN / 2] = {0};
    for (uint32_t i = 0; i < set.count; i++) {
        uint8_t digest[48];
        (void)val_ds_digest(&z->name, set.rr[i].data, set.rr[i].len, DNS_DIGEST_SHA256, digest);
        for (unsigned j = 0; j < sizeof sum; j++)
            sum[j] ^= digest[j];
    }
    for (unsigned j = 0; j < sizeof sum; j++)
        (void)snprintf(z->basis + 2 * j, 3, "%02x", sum[j]);
}

/* More zones than are followed stay with their configured anchors. */
struct val_rollover *val_rollover_new(const struct val_anchors *configured)
{
    struct val_rollover *rollover = calloc(1, sizeof *rollover);
    if (!rollover)
        return NULL;
    rollover->configured = val_anchors_ref(configured);
    for (uint32_t i = 0; i < val_anchors_count(configured); i++) {
        struct val_anchor anchor = val_anchors_at(configured, i);
        if (rollover->zone_count == ROLLOVER_ZONES_MAX ||
            rollover_zone_find(rollover, &anchor.zone))
            continue;
        struct rollover_zone *z = rollover_zone_add(rollover, &anchor.zone);
        if (!z) {
            val_rollover_free(rollover);
            return NULL;
        }
        find_basis(configured, z);
    }
    return rollover;
}

void val_rollover_free(struct val_rollover *rollover)
{
    if (!rollover)
        return;
    for (uint32_t i = 0; i < rollover->zone_count; i++)
        free(rollover->zone[i].key);
    val_anchors_unref(rollover->configured);
    free(rollover);
}

uint32_t val_rollover_count(const struct val_rollover *rollover)
{
    return rollover->zone_count;
}

const struct dns_name *val_rollover_zone(const struct val_rollover *rollover, uint32_t index)
{
    return &rollover->zone[index].name;
}

uint64_t val_rollover_due_s(const struct val_rollover *rollover, uint32_t index)
{
    return rollover->zone[index].due_s;
}

uint64_t val_rollover_seen_s(const struct val_rollover *rollover, uint32_t index)
{
    return rollover->zone[index].seen_s;
}

uint32_t val_rollover_keys(const struct val_rollover *rollover, uint32_t index,
                           struct val_rollover_key *ret, uint32_t cap)
{
    const struct rollover_zone *z = &rollover->zone[index];
    uint32_t count = 0;
    for (; count < z->key_count && count < cap; count++) {
        const struct rollover_key *k = &z->key[count];
        ret[count] = (struct val_rollover_key){k->state, dns_key_tag(k->rdata, k->len), k->rdata[3],
                                               k->since_s, k->due_s};
    }
    return count;
}

void rollover_zone_forget_trust(struct rollover_zone *z)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < z->key_count; i++)
        if (rollover_is_gone(z->key[i].state))
            z->key[kept++] = z->key[i];
    z->key_count = kept;
    z->seen_s = z->due_s = z->expires_s = 0;
    z->ttl_s = 0;
}
