/* SPDX-License-Identifier: MIT */
/* What a plain resolver says of its encrypted self (RFC 9462): the SVCB records of
 * _dns.resolver.arpa that designate a DoH server. Reading only; whether one of them is really that
 * resolver is for its certificate to say. */
#ifndef DOH_DISCOVER_H
#define DOH_DISCOVER_H

#include "dns/message.h"
#include "doh/url.h"

#define DOH_DESIGNATED_MAX 8u
#define DOH_DESIGNATED_ADDRESSES_MAX 16u

struct doh_designated {
    uint16_t priority;              /* lower is preferred */
    char target[DNS_NAME_TEXT_MAX]; /* without the final dot */
    uint16_t port;
    char path[DOH_PATH_MAX]; /* a URI template that ends in {?dns} (RFC 9461 5) */
    struct doh_address address[DOH_DESIGNATED_ADDRESSES_MAX]; /* the hints, with port */
    uint32_t address_count;
};

/* The question: _dns.resolver.arpa SVCB. */
struct dns_question doh_discover_question(void);

/* In the order of preference. Left out: records in alias form, without a target of their own,
 * without HTTP/2 among their protocols or without a dohpath, with a mandatory key that is not known
 * here (RFC 9460 8), and those that are not well-formed. */
uint32_t doh_discover_read(const struct dns_msg *msg, struct doh_designated ret[static 8]);

#endif
