/* SPDX-License-Identifier: MIT */
/* Denial by NSEC3 (RFC 5155 8, RFC 9276). Same meaning as in denial.h. */
#ifndef VALIDATE_DENIAL_NSEC3_H
#define VALIDATE_DENIAL_NSEC3_H

#include "validate/denial.h"

enum val_proof val_nsec3_nodata(const struct val_denial *d, const struct dns_name *qname,
                                uint16_t qtype);
enum val_proof val_nsec3_nxdomain(const struct val_denial *d, const struct dns_name *qname);
enum val_proof val_nsec3_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                  unsigned encloser_labels);
enum val_no_ds val_nsec3_no_ds(const struct val_denial *d, const struct dns_name *name);

#endif
