/* SPDX-License-Identifier: MIT */
/* The octets that an RRSIG signs (RFC 4034 3.1.8.1 and 6, RFC 6840 5.1). */
#ifndef VALIDATE_CANONICAL_H
#define VALIDATE_CANONICAL_H

#include "validate/rrset.h"

/* A set in canonical order: RDATA with names in lower case, sorted, duplicates removed. One block
 * of the heap, free() it. The same for every RRSIG of the set. */
struct val_canonical {
    uint32_t count;
    uint32_t rdata_len; /* of all together */
    struct val_rdata rr[];
};

/* DNS_E_SPACE when out of memory, else the record's fault. */
enum dns_err val_canonical_new(const struct val_rrset *set, struct val_canonical **ret);

/* What `sig` signs; *ret_data is the caller's to free(). The owner is reconstructed from a wildcard
 * when the RRSIG's labels say so (RFC 4035 5.3.2). DNS_E_SPACE when out of memory. */
enum dns_err val_canonical_signed(const struct val_canonical *canonical,
                                  const struct val_rrset *set, const struct val_sig *sig,
                                  uint8_t **ret_data, uint32_t *ret_len);

/* Labels of an owner as RRSIGs count them: without the root and without a leftmost "*" (RFC 4034
 * 3.1.3). */
unsigned val_canonical_labels(const struct dns_name *owner);

#endif
