/* SPDX-License-Identifier: MIT */
/* Verdicts and why: stored where it is known, put into words where it is shown. */
#ifndef VALIDATE_REASON_H
#define VALIDATE_REASON_H

#include "dns/edns.h"
#include "dns/name.h"
#include "dns/types.h"

#include <stdint.h>

/* RFC 4033 5, in order of badness: the worst part decides for the whole. */
enum val_status { VAL_SECURE, VAL_INSECURE, VAL_INDETERMINATE, VAL_BOGUS };

/* id, words, EDE. INSECURE causes carry their proof; the rest is bogus or indeterminate. */
#define VAL_WHYS(X)                                                                                \
    X(VAL_WHY_NONE, "fine", DNS_EDE_NONE)                                                          \
    /* insecure, proven */                                                                         \
    X(VAL_WHY_NO_DS, "the parent proves that there is no DS", DNS_EDE_NONE)                        \
    X(VAL_WHY_OPT_OUT, "an NSEC3 opt-out span covers it", DNS_EDE_NONE)                            \
    X(VAL_WHY_ALGORITHM, "no DS has an algorithm that is supported here",                          \
      DNS_EDE_UNSUPPORTED_ALGORITHM)                                                               \
    X(VAL_WHY_DIGEST, "no DS has a digest type that is supported here",                            \
      DNS_EDE_UNSUPPORTED_DIGEST)                                                                  \
    X(VAL_WHY_ITERATIONS, "NSEC3 with more iterations than are worked through",                    \
      DNS_EDE_UNSUPPORTED_NSEC3_ITERATIONS)                                                        \
    X(VAL_WHY_NEGATIVE_ANCHOR, "a negative trust anchor covers it", DNS_EDE_NEGATIVE_TRUST_ANCHOR) \
    X(VAL_WHY_NO_ANCHOR, "no trust anchor is above it", DNS_EDE_NONE)                              \
    X(VAL_WHY_NOT_SIGNABLE, "records of this type are never signed", DNS_EDE_NONE)                 \
    /* indeterminate */                                                                            \
    X(VAL_WHY_FETCH, "a record of the chain could not be fetched", DNS_EDE_NO_REACHABLE_AUTHORITY) \
    X(VAL_WHY_MEMORY, "out of memory", DNS_EDE_INDETERMINATE)                                      \
    /* bogus */                                                                                    \
    X(VAL_WHY_NO_RRSIG, "it has no RRSIG", DNS_EDE_RRSIGS_MISSING)                                 \
    X(VAL_WHY_NO_MATCHING_RRSIG, "none of its RRSIGs is usable", DNS_EDE_RRSIGS_MISSING)           \
    X(VAL_WHY_EXPIRED, "its RRSIG has expired", DNS_EDE_SIGNATURE_EXPIRED)                         \
    X(VAL_WHY_NOT_YET, "its RRSIG is not yet valid", DNS_EDE_SIGNATURE_NOT_YET_VALID)              \
    X(VAL_WHY_TIMES, "its RRSIG expires before it begins", DNS_EDE_SIGNATURE_EXPIRED_BEFORE_VALID) \
    X(VAL_WHY_SIGNATURE, "its signature does not verify", DNS_EDE_BOGUS)                           \
    X(VAL_WHY_NO_KEY, "no DNSKEY fits its RRSIG", DNS_EDE_DNSKEY_MISSING)                          \
    X(VAL_WHY_SIGNER, "its RRSIG is by a zone that may not sign it", DNS_EDE_BOGUS)                \
    X(VAL_WHY_DNSKEY_DS, "no DNSKEY matches a DS of the parent", DNS_EDE_DNSKEY_MISSING)           \
    X(VAL_WHY_DNSKEY_ABSENT, "the zone's DNSKEY set is absent", DNS_EDE_DNSKEY_MISSING)            \
    X(VAL_WHY_ANCHOR_GONE, "no key of the trust anchor is left", DNS_EDE_DNSKEY_MISSING)           \
    X(VAL_WHY_ZONE_BIT, "the matching DNSKEY has no zone key bit", DNS_EDE_NO_ZONE_KEY_BIT)        \
    X(VAL_WHY_NO_DENIAL, "the denial of existence is not proven", DNS_EDE_NSEC_MISSING)            \
    X(VAL_WHY_DS_UNPROVEN, "neither a DS nor its absence is proven", DNS_EDE_NSEC_MISSING)         \
    X(VAL_WHY_WRONG_SIDE, "the DS question was answered by the child", DNS_EDE_NSEC_MISSING)       \
    X(VAL_WHY_DNAME, "the CNAME does not follow from the DNAME", DNS_EDE_BOGUS)                    \
    X(VAL_WHY_LOOP, "the CNAME chain has a loop or too many steps", DNS_EDE_BOGUS)                 \
    X(VAL_WHY_MALFORMED, "the message or a record in it is malformed", DNS_EDE_INVALID_DATA)       \
    X(VAL_WHY_RCODE, "the upstream answered with an error", DNS_EDE_NO_REACHABLE_AUTHORITY)        \
    X(VAL_WHY_ITERATIONS_REFUSED, "NSEC3 with more iterations than are accepted at all",           \
      DNS_EDE_UNSUPPORTED_NSEC3_ITERATIONS)                                                        \
    X(VAL_WHY_BUDGET, "proving it costs more than one question may", DNS_EDE_BOGUS)

#define X(id, words, ede) id,
enum val_why { VAL_WHYS(X) };
#undef X

const char *val_why_text(enum val_why why); /* static, never NULL */
uint16_t val_why_ede(enum val_why why);

#define VAL_ORIGIN_NONE UINT32_MAX

struct val_reason {
    enum val_why why;
    struct dns_name zone; /* whose keys or proofs failed, or where the insecure cut is */
    struct dns_name name; /* the record at fault */
    uint16_t type;
    uint16_t key_tag;  /* 0 when no key is concerned */
    uint8_t algorithm; /* 0 likewise */
    uint32_t origin;   /* as given with the message at fault, or VAL_ORIGIN_NONE */
};

/* EDE code and EXTRA-TEXT (at most DNS_EDE_TEXT_MAX octets): words, record (of
 * the apex its type alone), zone, key tag. Names that are too long for that lose their first
 * labels, so that the rest, and room for a short name of the upstream (VAL_EDE_ROOM octets), stays.
 */
#define VAL_EDE_ROOM 20u
void val_reason_ede(const struct val_reason *reason, struct dns_ede *ret);

#endif
