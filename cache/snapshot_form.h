/* SPDX-License-Identifier: MIT */
/* Sizes of a snapshot's parts, in octets; what they hold: cache/snapshot.h. */
#ifndef CACHE_SNAPSHOT_FORM_H
#define CACHE_SNAPSHOT_FORM_H

#include "cache/snapshot.h"

#define SNAPSHOT_MAGIC "vdohsnap"
#define SNAPSHOT_VERSION 1u
#define SNAPSHOT_CHECK_LEN 8u
#define SNAPSHOT_HEADER_LEN 72u   /* its check, which ends it, included */
#define SNAPSHOT_RECORD_FIXED 21u /* behind the check and before the name */
#define SNAPSHOT_RECORD_LEAST 32u /* with check and name, padded */
#define SNAPSHOT_SLOT_LEN 8u
#define SNAPSHOT_UNIT 8u
/* Slots looked at for one question. At least half are empty: a longer run is a damaged file's. */
#define SNAPSHOT_PROBES_MAX 512u

extern const uint8_t snapshot_header_key[16]; /* there is no secret in a header */

/* The lower half says at which slot to begin to look, the upper half is kept in it. */
uint64_t snapshot_hash(const uint8_t seed[static 16], const struct dns_question *question);

struct snapshot_record {
    uint64_t check, stored_s;
    const uint8_t *octets; /* that the check is of; borrowed, like wire */
    uint32_t len;
    uint32_t ttl_s;
    struct dns_question question;
    const uint8_t *wire;
    uint32_t wire_len;
};

/* False: there can be none at this offset. What it says is not checked yet. */
bool snapshot_record_read(const struct snapshot *s, size_t off, struct snapshot_record *ret);
/* Its check is right and its TTL is not over. */
bool snapshot_record_is_good(const struct snapshot *s, const struct snapshot_record *record,
                             uint64_t now_s);

#endif
