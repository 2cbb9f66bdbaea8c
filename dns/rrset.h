/* SPDX-License-Identifier: MIT */
/* The records of a message grouped into RRsets, each with the RRSIGs that cover it re-attached from
 * any section (RFC 2181 5, RFC 4035 2.2). Indices into msg->rr; nothing is copied. */
#ifndef DNS_RRSET_H
#define DNS_RRSET_H

#include "dns/message.h"

#define DNS_RRSET_MAX 256u /* RRsets looked at in one message */

struct dns_rrset {
    struct dns_name owner;
    uint16_t type, class_;
    uint32_t ttl_s;                /* the lowest of its records' (RFC 2181 5.2) */
    uint8_t section;               /* of its first record */
    uint16_t first, count;         /* its records: order[first .. first+count) */
    uint16_t sig_first, sig_count; /* RRSIGs covering it: order[sig_first .. +sig_count) */
};

/* Groups by (owner, type, class). RRSIGs that cover nothing here form no set and are left out,
 * except when the question is for type RRSIG: then they are a set of their own. An RRset spread
 * over sections counts for the first. `order` has room for msg->rr_count entries. DNS_E_COUNT when
 * there are more sets than `cap` or DNS_RRSET_MAX. */
struct dns_rrsets {
    struct dns_rrset *set; /* the caller's table */
    uint32_t count;
    uint16_t *order; /* indices into msg->rr */
};
enum dns_err dns_rrsets_group(const struct dns_msg *msg, struct dns_rrset *table, uint32_t cap,
                              uint16_t *order, struct dns_rrsets *ret);

#endif
