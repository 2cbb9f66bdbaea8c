/* SPDX-License-Identifier: MIT */
/* Denial by NSEC (RFC 4035 5.4, RFC 6840 4.1-4.4, RFC 4592). Same meaning as in denial.h. */
#ifndef VALIDATE_DENIAL_NSEC_H
#define VALIDATE_DENIAL_NSEC_H

#include "validate/denial.h"

enum val_proof val_nsec_nodata(const struct val_denial *d, const struct dns_name *qname,
                               uint16_t qtype);
enum val_proof val_nsec_nxdomain(const struct val_denial *d, const struct dns_name *qname);
enum val_proof val_nsec_wildcard(const struct val_denial *d, const struct dns_name *qname,
                                 unsigned encloser_labels);
enum val_no_ds val_nsec_no_ds(const struct val_denial *d, const struct dns_name *name);

#endif
