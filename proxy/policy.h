/* SPDX-License-Identifier: MIT */
/* Who may ask, and the names that never leave this machine: special-use names (RFC 6761, 7686,
 * 8375, 9476, appendix G of RFC 6762) and the reverse zones that are served locally (RFC 6303). */
#ifndef PROXY_POLICY_H
#define PROXY_POLICY_H

#include "proxy/config.h"

/* Whether another machine's address lies in one of config->allow. */
bool policy_allows(const struct config *config, const struct doh_address *peer);

enum policy_answer {
    POLICY_FORWARD, /* nothing special: ask */
    POLICY_NXDOMAIN,
    POLICY_NODATA,    /* the name exists, records of this type do not */
    POLICY_LOCALHOST, /* 127.0.0.1 for A, ::1 for AAAA */
};

struct policy_local {
    enum policy_answer answer;
    struct dns_name zone; /* the special name: owner of the SOA; unless POLICY_FORWARD */
    const char *why;      /* words that fit behind "it", static; likewise */
};

/* A configured route, or a trust anchor (also a negative one) at or below the special name, beats
 * the table. The answer is the same for every type, but one: DS of a reverse zone or of home.arpa
 * itself belongs to the parent, whose proof that there is none lets validators behind us accept
 * what is said here (RFC 6303 3, RFC 8375 4). */
void policy_local(const struct config *config, const struct dns_question *question, uint64_t now_s,
                  struct policy_local *ret);

/* An address of a time server is asked for, which may be given out unproven. */
bool policy_time_name(const struct config *config, const struct dns_question *question);

#endif
