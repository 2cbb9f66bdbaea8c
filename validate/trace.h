/* SPDX-License-Identifier: MIT */
/* What the validator did, step by step, for `explain`: who signed what, with which key, against
 * which DS. Optional; a job without a trace pays one test per step. */
#ifndef VALIDATE_TRACE_H
#define VALIDATE_TRACE_H

#include "validate/reason.h"
#include "validate/zone.h"

enum val_trace_kind {
    VAL_TRACE_ANCHOR,  /* zone's DS come from the configuration: key_tag, algorithm, digest */
    VAL_TRACE_DS,      /* a DS of `name`, signed by `zone` */
    VAL_TRACE_NO_DS,   /* `zone` proves that `name` has no DS: status INSECURE or a non-cut */
    VAL_TRACE_DNSKEY,  /* the DNSKEY set of `zone`, signed by key_tag */
    VAL_TRACE_KEY,     /* one key of that set: key_tag, algorithm, flags (SEP or not), bits */
    VAL_TRACE_CACHED,  /* the zone was known already */
    VAL_TRACE_RRSET,   /* an RRset of the answer */
    VAL_TRACE_DENIAL,  /* an NSEC or NSEC3 proof about `name`, type */
    VAL_TRACE_VERDICT, /* the whole */
};

struct val_trace_step {
    enum val_trace_kind kind;
    enum val_status status;
    enum val_why why;
    struct dns_name zone; /* the signer */
    struct dns_name name; /* what is spoken of */
    uint16_t type;
    uint16_t key_tag;
    uint16_t key_flags;
    uint16_t key_bits;
    uint8_t algorithm;
    uint8_t digest_type;
    bool expanded;                  /* from a wildcard */
    uint32_t inception, expiration; /* of the RRSIG, 0 when none */
};

#define VAL_TRACE_MAX 256u
struct val_trace {
    struct val_trace_step step[VAL_TRACE_MAX];
    uint32_t count; /* steps beyond VAL_TRACE_MAX are dropped */
};
void val_trace_add(struct val_trace *trace,
                   const struct val_trace_step *step); /* NULL trace: no-op */

#endif
