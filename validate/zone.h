/* SPDX-License-Identifier: MIT */
/* What was proven of one name: a zone with its keys, an insecure cut, or no cut at all. Immutable
 * and reference counted (atomically: workers share them); keys are parsed once and kept. */
#ifndef VALIDATE_ZONE_H
#define VALIDATE_ZONE_H

#include "validate/algorithm.h"
#include "validate/reason.h"

#include <stdbool.h>
#include <stddef.h>

enum val_zone_kind {
    VAL_ZONE_SECURE,    /* a signed zone; its keys are here */
    VAL_ZONE_INSECURE,  /* proven: nothing at or below can be secure; reason.why says by what */
    VAL_ZONE_NOT_A_CUT, /* proven: the name belongs to the zone above (also when nonexistent) */
    VAL_ZONE_BAD,       /* tried and found bogus lately; reason says why. Lives for seconds */
};

struct val_key {
    uint16_t tag, flags;
    uint8_t algorithm;
    uint8_t cost;   /* crypto units of one verification */
    uint8_t id[16]; /* half of a SHA-256 over algorithm and public key (memo.h) */
    EVP_PKEY *pkey;
    struct val_ready ready; /* for checks by it */
    uint16_t bits;          /* for explain */
};

struct val_zone {
    struct dns_name name;
    enum val_zone_kind kind;
    uint64_t expires_s;       /* min of TTLs and RRSIG validity of all that led here, since 1970 */
    struct val_reason reason; /* INSECURE, BAD */
    uint32_t key_count; /* SECURE: usable keys only (ZONE, not REVOKE, protocol 3, supported) */
    struct val_key *keys;
    int refs; /* atomic; only val_zone_ref/_unref touch it */
};

/* Keys are taken over; `zone` fields are copied. NULL when out of memory (keys are freed). */
const struct val_zone *val_zone_new(const struct dns_name *name, enum val_zone_kind kind,
                                    uint64_t expires_s, const struct val_reason *reason,
                                    struct val_key *keys_take, uint32_t key_count);
const struct val_zone *val_zone_ref(const struct val_zone *zone);
void val_zone_unref(const struct val_zone *zone);  /* NULL is fine */
size_t val_zone_size(const struct val_zone *zone); /* octets, EVP_PKEYs estimated */

#endif
