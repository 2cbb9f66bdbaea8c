/* SPDX-License-Identifier: MIT */
/* What one client question may cost, with everything it causes: one object, never reset, inherited
 * by every job and fetch on its behalf (KeyTrap CVE-2023-50387, CVE-2023-50868). Numbers are
 * counted down; a thing that would go below 0 is not done and the verdict is bogus, VAL_WHY_BUDGET.
 */
#ifndef VALIDATE_BUDGET_H
#define VALIDATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct val_limits {
    uint32_t crypto_units;      /* RSA-2048 = 1, P-256 = 3, RSA-4096 = 4, Ed25519 = 5, Ed448 = 15,
                                 * P-384 = 20; by OpenSSL: libsodium's Ed25519 takes less */
    uint32_t failed_signatures; /* verifications that came out false */
    uint32_t sha1_blocks;       /* compressions for NSEC3 hashes */
    uint32_t fetches;           /* DS and DNSKEY questions upstream */
    uint32_t flights;           /* rounds of them */
    uint32_t slice_units;       /* crypto units until a step yields (VAL_AGAIN) */
    /* The job's own tables bound these, too: what is configured (validation.budget) stays below. */
    uint32_t rrsigs_per_rrset; /* considered after the cheap filters */
    uint32_t keys_per_tag;     /* keys tried that share tag and algorithm */
    uint32_t ds_per_zone;
    uint32_t keys_per_zone;
    uint32_t nsec3_per_message;
    uint32_t nsec_per_message;
    uint32_t rrsets_per_message; /* verified */
    uint32_t hops;               /* CNAME and DNAME steps */
    uint32_t zones;              /* in one chain */
    uint32_t labels;             /* walked below the deepest known zone */
};
extern const struct val_limits
    val_limits_default; /* 240 6 1024 24 5 8 · 4 2 8 32 8 12 32 12 16 20 */

struct val_arena_pool;
struct val_memo;

struct val_budget {
    struct val_arena_pool *memory; /* what all questions share of it (arena.h), or NULL */
    const struct val_memo *memo;   /* what was paid for before (memo.h). NULL: nothing was */
    struct val_limits limits;      /* as configured; the totals below are what is left */
    uint32_t crypto_units, failed_signatures, sha1_blocks, fetches, flights;
    uint32_t slice_units; /* refilled at the start of each step */
    uint32_t signatures;  /* verified so far, for explain */
    uint32_t remembered;  /* known to verify without being checked again */
};
struct val_budget val_budget_init(const struct val_limits *limits);

/* Takes `amount` from *left, or takes nothing and returns false. */
bool val_budget_take(uint32_t *left, uint32_t amount);

#endif
