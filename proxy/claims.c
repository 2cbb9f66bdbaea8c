// SPDX-License-Identifier: MIT
#include "proxy/claims.h"

#include <stdio.h>
#include <string.h>

static bool is_policy(uint16_t code)
{
    return code == DNS_EDE_BLOCKED || code == DNS_EDE_CENSORED || code == DNS_EDE_FILTERED ||
           code == DNS_EDE_PROHIBITED;
}

void claims_passed(const struct dns_msg *msg, struct dns_ede *ret)
{
    *ret = (struct dns_ede){.code = DNS_EDE_NONE};
    if (msg->edns.present)
        dns_ede_find(msg->buf, &msg->edns, ret);
    if (!is_policy(ret->code))
        *ret = (struct dns_ede){.code = DNS_EDE_NONE};
}

bool claims_decision(const struct dns_msg *msg)
{
    struct dns_ede ede = {.code = DNS_EDE_NONE};
    bool answers = msg->rcode == DNS_RCODE_NOERROR || msg->rcode == DNS_RCODE_NXDOMAIN;
    if (msg->edns.present)
        dns_ede_find(msg->buf, &msg->edns, &ede);
    bool distrusts = ede.code >= DNS_EDE_BOGUS && ede.code <= DNS_EDE_NSEC_MISSING;
    return is_policy(ede.code) || (distrusts && !answers);
}

void claims_note(struct claims *claims, uint16_t type, const struct dns_msg *msg)
{
    struct dns_ede ede = {.code = DNS_EDE_NONE};
    bool answers = msg->rcode == DNS_RCODE_NOERROR || msg->rcode == DNS_RCODE_NXDOMAIN;
    bool unknown = msg->rcode == DNS_RCODE_NOTIMP || msg->rcode == DNS_RCODE_FORMERR;
    bool of_dnssec = type == DNS_TYPE_DS || type == DNS_TYPE_DNSKEY;
    if ((answers && !msg->edns.present) || (unknown && of_dnssec))
        claims->no_dnssec = true;
    claims_passed(msg, &ede);
    if (is_policy(ede.code))
        claims->policy = ede.code;
}

const char *claims_text(const struct claims *claims, char text[static CLAIMS_TEXT_MAX])
{
    text[0] = '\0';
    if (claims->policy)
        (void)snprintf(text, CLAIMS_TEXT_MAX, "it answers by a policy (%s)",
                       dns_ede_text(claims->policy));
    else if (claims->no_dnssec)
        (void)snprintf(text, CLAIMS_TEXT_MAX, "it knows no DNSSEC");
    return text;
}

void claims_append(const struct claims *claims, const char *name, struct dns_ede *ede)
{
    char claim[CLAIMS_TEXT_MAX];
    char tail[DNS_EDE_TEXT_MAX + 1];
    size_t len = strlen(ede->text);
    (void)claims_text(claims, claim);
    int room = snprintf(tail, sizeof tail, " via %s%s%s", name, claim[0] ? "; " : "", claim);
    if (room < 0 || (size_t)room > DNS_EDE_TEXT_MAX)
        return; /* a name that leaves no room */
    size_t keep = DNS_EDE_TEXT_MAX - (size_t)room;
    if (len > keep && !claim[0])
        return; /* what failed says more than who said it */
    len = len < keep ? len : keep;
    memcpy(ede->text + len, tail, (size_t)room + 1);
}
