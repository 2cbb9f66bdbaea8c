/* SPDX-License-Identifier: MIT */
/* One RRset against keys: filters before crypto, canonical form, verification (RFC 4035 5.3,
 * RFC 4034 6, RFC 6840 5). */
#ifndef VALIDATE_SIGNATURE_H
#define VALIDATE_SIGNATURE_H

#include "validate/budget.h"
#include "validate/policy.h"
#include "validate/rrset.h"
#include "validate/zone.h"

struct val_verified {
    bool secure;
    struct val_reason reason;  /* when not secure: the most telling failure */
    const struct val_sig *sig; /* the one that verified, or the one reason speaks of, or NULL */
    uint8_t wildcard_labels;   /* labels of the closest encloser when synthesised from a wildcard */
    bool expanded;             /* RRSIG labels < owner labels (RFC 4035 5.3.4): needs a denial */
    uint32_t ttl_s;            /* min(TTL, original TTL, RRSIG TTL, remaining validity) */
    uint64_t expires_s;        /* end of the signature's validity, since 1970 */
};

/* `zone` is secure. Only RRSIGs whose signer is exactly zone->name count; `set` is not DNSKEY at an
 * apex being lifted (see keys.h). The order of the filters: class, covered, signer an
 * ancestor-or-self of owner (a strict ancestor for DS), labels(signer) <= labels <= labels(owner),
 * algorithm, time window, key; then crypto, likely and cheap first, inside the budget. */
void val_rrset_verify(const struct val_rrset *set, const struct val_zone *zone, uint64_t now_s,
                      const struct val_policy *policy, struct val_budget *budget,
                      struct val_verified *ret);

/* The distinct signer names among a set's plausible RRSIGs: ancestor-or-self of the owner (strict
 * for DS); borrowed from the set. Writes at most `cap`, deepest first; returns the count. */
uint32_t val_rrset_signers(const struct val_rrset *set, const struct dns_name **ret, uint32_t cap);

/* RRSIG validity at now_s in serial arithmetic (RFC 1982): VAL_WHY_NONE, _EXPIRED, _NOT_YET,
 * _TIMES. */
enum val_why val_rrsig_window(const struct dns_rrsig *rrsig, uint64_t now_s, uint32_t skew_s);
/* Its expiration as seconds since 1970 in 64 bit, nearest to now_s. */
uint64_t val_rrsig_expires(const struct dns_rrsig *rrsig, uint64_t now_s);

#endif
