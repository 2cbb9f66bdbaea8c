/* SPDX-License-Identifier: MIT */
/* What the files of RFC 5011 share: rollover.c (a look, and the states), rollover_zones.c (what is
 * known), rollover_anchors.c (what is trusted for it), rollover_text.c (its file). */
#ifndef VALIDATE_ROLLOVER_PARTS_H
#define VALIDATE_ROLLOVER_PARTS_H

#include "validate/rollover.h"

#define ROLLOVER_ZONES_MAX 64u
#define ROLLOVER_KEYS_MAX 32u
#define ROLLOVER_PENDING_MAX 8u  /* of them, so that a zone cannot fill the table with new ones */
#define ROLLOVER_RDATA_MAX 1100u /* RSA-4096 with a long exponent; larger keys are not followed */

struct rollover_key {
    enum val_rollover_state state;
    uint64_t since_s, due_s;
    uint16_t len;
    uint8_t rdata[ROLLOVER_RDATA_MAX]; /* DNSKEY, REVOKE clear whatever the state */
};

/* Names the set of configured anchors that a state was learnt under: when somebody configures
 * others he starts anew. In hexadecimal. */
#define ROLLOVER_BASIS_LEN 32u

struct rollover_zone {
    struct dns_name name;
    char basis[ROLLOVER_BASIS_LEN + 1];
    uint64_t seen_s, due_s;
    uint32_t ttl_s;           /* original TTL of the last proven set; 0: none yet */
    uint64_t expires_s;       /* of the signature that proved it */
    struct rollover_key *key; /* ROLLOVER_KEYS_MAX of them */
    uint32_t key_count;
};

struct val_rollover {
    const struct val_anchors *configured;
    struct rollover_zone zone[ROLLOVER_ZONES_MAX];
    uint32_t zone_count;
};

static inline bool rollover_is_gone(enum val_rollover_state state)
{
    return state == VAL_ROLLOVER_REVOKED || state == VAL_ROLLOVER_REMOVED;
}

/* rollover_zones.c */
struct rollover_zone *rollover_zone_add(struct val_rollover *rollover, const struct dns_name *name);
/* A REVOKED or REMOVED key is so whatever is configured. */
void rollover_zone_forget_trust(struct rollover_zone *zone);
struct rollover_zone *rollover_zone_find(struct val_rollover *rollover,
                                         const struct dns_name *name);

/* rollover_anchors.c */
struct rollover_meant { /* a DNSKEY, by configured anchors */
    bool ever;          /* whatever their dates */
    bool now;
};
struct rollover_meant rollover_meant_by(const struct val_rollover *rollover,
                                        const struct dns_name *zone, const uint8_t *rdata,
                                        uint32_t len, uint64_t now_s);

#endif
