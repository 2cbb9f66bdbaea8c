// SPDX-License-Identifier: MIT
#include "validate/zone.h"

#include "validate/keys.h"

#include <stdlib.h>

/* What OpenSSL keeps beside the key's own octets, for the key and its context: measured on 3.0 with
 * RSA-2048 and P-256 keys, rounded up. The cache counts octets, so an estimate that is too small
 * would break its bound. */
#define PKEY_LEN ((size_t)4096)

static void keys_free(struct val_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        val_key_deinit(&keys[i]);
    free(keys);
}

const struct val_zone *val_zone_new(const struct dns_name *name, enum val_zone_kind kind,
                                    uint64_t expires_s, const struct val_reason *reason,
                                    struct val_key *keys_take, uint32_t key_count)
{
    struct val_zone *zone = calloc(1, sizeof(*zone));
    if (!zone) {
        keys_free(keys_take, key_count);
        return NULL;
    }
    zone->name = *name;
    zone->kind = kind;
    zone->expires_s = expires_s;
    if (reason)
        zone->reason = *reason;
    zone->keys = keys_take;
    zone->key_count = key_count;
    zone->refs = 1;
    return zone;
}

/* Guards: the count alone. Who else runs: every worker that holds a reference. A new reference is
 * made from one that lives, so nothing need be ordered before it. */
const struct val_zone *val_zone_ref(const struct val_zone *zone)
{
    if (zone)
        __atomic_fetch_add(&((struct val_zone *)(uintptr_t)zone)->refs, 1, __ATOMIC_RELAXED);
    return zone;
}

/* Release: our last reads come before the count goes down. Acquire: the one who frees sees those of
 * everyone else. */
void val_zone_unref(const struct val_zone *zone)
{
    if (!zone)
        return;
    struct val_zone *mine = (struct val_zone *)(uintptr_t)zone;
    if (__atomic_sub_fetch(&mine->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    keys_free(mine->keys, mine->key_count);
    free(mine);
}

size_t val_zone_size(const struct val_zone *zone)
{
    return sizeof(*zone) + zone->key_count * (sizeof(struct val_key) + PKEY_LEN);
}
