/* SPDX-License-Identifier: MIT */
/* Proofs that something does not exist: NSEC (RFC 4035 3.1.3) and NSEC3 (RFC 5155 7.2). */
#ifndef UPSTREAM_DENIAL_H
#define UPSTREAM_DENIAL_H

#include "tests/upstream/reply.h"

enum denial_kind {
    DENY_TYPE,          /* the name exists, the type does not */
    DENY_NAME,          /* neither the name nor a wildcard for it */
    DENY_EXACT,         /* a wildcard answers, since the name itself does not exist */
    DENY_WILDCARD_TYPE, /* a wildcard matches, without that type */
};

/* Adds the proof to the authority section; nothing for an unsigned zone or without DO. */
void denial_add(struct reply *reply, struct world *world, struct zone *zone,
                const struct dns_name *name, enum denial_kind kind);

/* The type bit map of a node (RFC 4034 4.1.2) with `own`, the denial's own type, or 0. */
void denial_bitmap(struct dns_writer *w, const struct zone *zone, const struct node *node,
                   uint16_t own);

/* The NSEC set of a node that has one; NULL for glue and empty non-terminals. */
struct rrset *nsec_of(struct world *world, struct zone *zone, struct node *node);
void nsec_deny(struct reply *reply, struct world *world, struct zone *zone,
               const struct dns_name *name, enum denial_kind kind);
void nsec3_deny(struct reply *reply, struct world *world, struct zone *zone,
                const struct dns_name *name, enum denial_kind kind);

#endif
