/* SPDX-License-Identifier: MIT */
/* Proofs that something does not exist (RFC 4035 5.4, RFC 5155 8, RFC 6840 4, RFC 7129, RFC 4592).
 * Pure: the records given are already verified with the keys of `zone`. */
#ifndef VALIDATE_DENIAL_H
#define VALIDATE_DENIAL_H

#include "validate/budget.h"
#include "validate/policy.h"
#include "validate/reason.h"
#include "validate/rrset.h"

/* Verified NSEC and NSEC3 RRsets of one zone out of one message. Sets that were expanded from a
 * wildcard are left out by the caller, except an NSEC of a literal wildcard owner. Rules of
 * research section 5: owner and next name lie in the zone; NSEC3 owners are hash.zone; all NSEC3 of
 * a proof share algorithm, iterations and salt. */
struct val_denial {
    const struct dns_name *zone;
    const struct val_rrset *const *sets;
    uint32_t count;
    const struct val_policy *policy;
    struct val_budget *budget; /* NSEC3 hashing */
};

enum val_proof {
    VAL_PROOF_NONE, /* not proven */
    VAL_PROOF_SECURE,
    VAL_PROOF_OPT_OUT,    /* holds, but an opt-out span is part of it: insecure */
    VAL_PROOF_ITERATIONS, /* NSEC3 above policy->nsec3_insecure_above: insecure (RFC 9276 3.2) */
    VAL_PROOF_REFUSED,    /* NSEC3 above policy->nsec3_bogus_above: bogus */
    VAL_PROOF_BUDGET,     /* spent: bogus */
};

/* NODATA: qname exists or is an empty non-terminal without qtype, or a wildcard without it stands
 * for qname. */
enum val_proof val_prove_nodata(const struct val_denial *d, const struct dns_name *qname,
                                uint16_t qtype);
enum val_proof val_prove_nxdomain(const struct val_denial *d, const struct dns_name *qname);

/* For an answer synthesised from the wildcard of the closest encloser with `encloser_labels`
 * labels: no closer match for qname exists (RFC 4035 5.3.4, RFC 5155 8.8). */
enum val_proof val_prove_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                  unsigned encloser_labels);

/* The three meanings of "no DS" at `name`, judged by the records and never by the rcode:
 *   CUT         NS set, DS and SOA clear, or opt-out: a proven insecure delegation
 *   NOT_A_CUT   NS clear, an empty non-terminal, or the name does not exist
 *   WRONG_SIDE  SOA set: the child answered; proves nothing
 * `name` lies strictly below zone. */
enum val_no_ds {
    VAL_NO_DS_UNPROVEN,
    VAL_NO_DS_CUT,
    VAL_NO_DS_OPT_OUT,
    VAL_NO_DS_ITERATIONS,
    VAL_NO_DS_NOT_A_CUT,
    VAL_NO_DS_WRONG_SIDE,
    VAL_NO_DS_REFUSED,
    VAL_NO_DS_BUDGET,
};
enum val_no_ds val_prove_no_ds(const struct val_denial *d, const struct dns_name *name);

/* NSEC3 hash of a name (RFC 5155 5): 20 octets. False when the budget is spent or the algorithm is
 * unknown. Counts SHA-1 compressions, not iterations. */
bool val_nsec3_hash(const struct dns_name *name, const struct dns_nsec3 *params,
                    struct val_budget *budget, uint8_t ret[static 20]);

#endif
