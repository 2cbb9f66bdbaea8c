/* SPDX-License-Identifier: MIT */
/* What an upstream's answers say of the upstream itself: that it answers by a policy of its own
 * (Extended DNS Errors 15 to 18), or that it knows no DNSSEC. Neither makes an answer true or
 * false; both tell people what to think of one that does not prove. And whether it failed at all.
 */
#ifndef PROXY_CLAIMS_H
#define PROXY_CLAIMS_H

#include "dns/message.h"

struct claims {
    uint16_t policy; /* the EDE code; 0: none (0 says nothing, RFC 8914 4.1) */
    bool no_dnssec;  /* no OPT came back (RFC 6891 7), or it does not know the type */
};

/* Adds what `msg`, an answer to a question for `type`, says. */
void claims_note(struct claims *claims, uint16_t type, const struct dns_msg *msg);

/* It does not fail to answer but decides not to: by its policy, or because its own validation found
 * the data wrong (6 to 12). */
bool claims_decision(const struct dns_msg *msg);

/* The policy that an answer admits to, as it says; code DNS_EDE_NONE: none. */
void claims_passed(const struct dns_msg *msg, struct dns_ede *ret);

/* Appends " via NAME" and what it claims to the text, which is cut for it where it must be. */
void claims_append(const struct claims *claims, const char *name, struct dns_ede *ede);

/* "it answers by a policy (Filtered)", "it knows no DNSSEC", or "". */
#define CLAIMS_TEXT_MAX 64u
const char *claims_text(const struct claims *claims, char text[static CLAIMS_TEXT_MAX]);

#endif
