/* SPDX-License-Identifier: MIT */
/* An RRset as the validator keeps it: a copy in a job's arena, RDATA expanded, signatures parsed.
 * No pointer leads back into the message it came from. */
#ifndef VALIDATE_RRSET_H
#define VALIDATE_RRSET_H

#include "dns/rdata.h"
#include "validate/arena.h"

struct val_rdata {
    const uint8_t *data; /* expanded, case kept; in the arena */
    uint32_t len;
};

struct val_sig {
    struct dns_rrsig rrsig; /* pointers into the arena */
    struct val_rdata rdata;
    uint32_t ttl_s; /* of the RRSIG record itself */
};

struct val_rrset {
    struct dns_name owner; /* case kept */
    uint16_t type, class_;
    uint32_t ttl_s;  /* the lowest of its records' */
    uint8_t section; /* enum dns_section */
    const struct val_rdata *rr;
    uint32_t count;
    const struct val_sig *sigs; /* those that parse and cover this type */
    uint32_t sig_count;
};

struct val_rrsets {
    struct val_rrset *set;
    uint32_t count;
};

/* All RRsets of a message. A record whose RDATA does not fit its type makes its RRset disappear and
 * sets *malformed. DNS_E_COUNT, DNS_E_SPACE (arena) otherwise. */
enum dns_err val_rrsets_split(const struct dns_msg *msg, struct val_arena *arena,
                              struct val_rrsets *ret, bool *malformed);

/* NULL when there is none. */
const struct val_rrset *val_rrsets_find(const struct val_rrsets *sets, const struct dns_name *owner,
                                        uint16_t type);

#endif
