/* SPDX-License-Identifier: MIT */
/* IANA numbers and their names: types, classes, opcodes, rcodes, EDE codes, DNSSEC algorithms and
 * digests (registries as of 2026). Unknown numbers print as TYPE123, CLASS123 (RFC 3597 5) and so
 * on; parsing accepts both. */
#ifndef DNS_TYPES_H
#define DNS_TYPES_H

#include "dns/err.h"

#include <stdint.h>

enum {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_HINFO = 13,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_SIG = 24,
    DNS_TYPE_KEY = 25,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_NXT = 30,
    DNS_TYPE_SRV = 33,
    DNS_TYPE_NAPTR = 35,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_DS = 43,
    DNS_TYPE_RRSIG = 46,
    DNS_TYPE_NSEC = 47,
    DNS_TYPE_DNSKEY = 48,
    DNS_TYPE_NSEC3 = 50,
    DNS_TYPE_NSEC3PARAM = 51,
    DNS_TYPE_TLSA = 52,
    DNS_TYPE_CDS = 59,
    DNS_TYPE_CDNSKEY = 60,
    DNS_TYPE_SVCB = 64,
    DNS_TYPE_HTTPS = 65,
    DNS_TYPE_NXNAME = 128,
    DNS_TYPE_TSIG = 250,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_ANY = 255,
    DNS_TYPE_CAA = 257,
};

enum { DNS_CLASS_IN = 1, DNS_CLASS_CH = 3, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };

enum { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum {
    DNS_RCODE_NOERROR = 0,
    DNS_RCODE_FORMERR = 1,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3,
    DNS_RCODE_NOTIMP = 4,
    DNS_RCODE_REFUSED = 5,
    DNS_RCODE_YXDOMAIN = 6,
    DNS_RCODE_BADVERS = 16,
};

/* Extended DNS Errors (RFC 8914 and the IANA registry). */
#define DNS_EDES(X)                                                                                \
    X(DNS_EDE_OTHER, 0, "Other")                                                                   \
    X(DNS_EDE_UNSUPPORTED_ALGORITHM, 1, "Unsupported DNSKEY Algorithm")                            \
    X(DNS_EDE_UNSUPPORTED_DIGEST, 2, "Unsupported DS Digest Type")                                 \
    X(DNS_EDE_STALE, 3, "Stale Answer")                                                            \
    X(DNS_EDE_FORGED, 4, "Forged Answer")                                                          \
    X(DNS_EDE_INDETERMINATE, 5, "DNSSEC Indeterminate")                                            \
    X(DNS_EDE_BOGUS, 6, "DNSSEC Bogus")                                                            \
    X(DNS_EDE_SIGNATURE_EXPIRED, 7, "Signature Expired")                                           \
    X(DNS_EDE_SIGNATURE_NOT_YET_VALID, 8, "Signature Not Yet Valid")                               \
    X(DNS_EDE_DNSKEY_MISSING, 9, "DNSKEY Missing")                                                 \
    X(DNS_EDE_RRSIGS_MISSING, 10, "RRSIGs Missing")                                                \
    X(DNS_EDE_NO_ZONE_KEY_BIT, 11, "No Zone Key Bit Set")                                          \
    X(DNS_EDE_NSEC_MISSING, 12, "NSEC Missing")                                                    \
    X(DNS_EDE_CACHED_ERROR, 13, "Cached Error")                                                    \
    X(DNS_EDE_NOT_READY, 14, "Not Ready")                                                          \
    X(DNS_EDE_BLOCKED, 15, "Blocked")                                                              \
    X(DNS_EDE_CENSORED, 16, "Censored")                                                            \
    X(DNS_EDE_FILTERED, 17, "Filtered")                                                            \
    X(DNS_EDE_PROHIBITED, 18, "Prohibited")                                                        \
    X(DNS_EDE_STALE_NXDOMAIN, 19, "Stale NXDOMAIN Answer")                                         \
    X(DNS_EDE_NOT_AUTHORITATIVE, 20, "Not Authoritative")                                          \
    X(DNS_EDE_NOT_SUPPORTED, 21, "Not Supported")                                                  \
    X(DNS_EDE_NO_REACHABLE_AUTHORITY, 22, "No Reachable Authority")                                \
    X(DNS_EDE_NETWORK_ERROR, 23, "Network Error")                                                  \
    X(DNS_EDE_INVALID_DATA, 24, "Invalid Data")                                                    \
    X(DNS_EDE_SIGNATURE_EXPIRED_BEFORE_VALID, 25, "Signature Expired before Valid")                \
    X(DNS_EDE_TOO_EARLY, 26, "Too Early")                                                          \
    X(DNS_EDE_UNSUPPORTED_NSEC3_ITERATIONS, 27, "Unsupported NSEC3 Iterations Value")              \
    X(DNS_EDE_UNABLE_TO_CONFORM, 28, "Unable to conform to policy")                                \
    X(DNS_EDE_SYNTHESIZED, 29, "Synthesized")                                                      \
    X(DNS_EDE_INVALID_QTYPE, 30, "Invalid Query Type")                                             \
    X(DNS_EDE_NEGATIVE_TRUST_ANCHOR, 33, "Negative Trust Anchor")

#define X(id, code, words) id = code,
enum { DNS_EDES(X) DNS_EDE_NONE = 0xffff };
#undef X

/* DNSSEC algorithms (RFC 8624, 9904, 9905) and DS digests (RFC 4034, 4509, 6605). */
enum {
    DNS_ALG_RSASHA1 = 5,
    DNS_ALG_RSASHA1_NSEC3 = 7,
    DNS_ALG_RSASHA256 = 8,
    DNS_ALG_RSASHA512 = 10,
    DNS_ALG_ECDSAP256 = 13,
    DNS_ALG_ECDSAP384 = 14,
    DNS_ALG_ED25519 = 15,
    DNS_ALG_ED448 = 16,
};
enum { DNS_DIGEST_SHA1 = 1, DNS_DIGEST_SHA256 = 2, DNS_DIGEST_SHA384 = 4 };

#define DNS_NUMBER_TEXT_MAX 32u /* longest text any of these write, with NUL */

/* Each writes into `text` (DNS_NUMBER_TEXT_MAX) and returns it. */
const char *dns_type_text(uint16_t type, char text[static DNS_NUMBER_TEXT_MAX]);
const char *dns_class_text(uint16_t class_, char text[static DNS_NUMBER_TEXT_MAX]);
const char *dns_rcode_text(uint16_t rcode, char text[static DNS_NUMBER_TEXT_MAX]);
const char *dns_algorithm_text(uint8_t algorithm, char text[static DNS_NUMBER_TEXT_MAX]);
const char *dns_digest_text(uint8_t digest_type, char text[static DNS_NUMBER_TEXT_MAX]);
const char *dns_ede_text(uint16_t code); /* static; "Unassigned" for unknown codes */

/* Case-insensitive mnemonic or TYPE123 / plain algorithm number. */
enum dns_err dns_type_parse(const char *text, uint16_t *ret);
enum dns_err dns_class_parse(const char *text, uint16_t *ret);
enum dns_err dns_algorithm_parse(const char *text, uint8_t *ret);

#endif
