/* SPDX-License-Identifier: MIT */
/* DS to DNSKEY: which keys of a zone may be believed (RFC 4035 5.2, RFC 4509 3, RFC 6840 5.11,
 * RFC 8624, RFC 9905). */
#ifndef VALIDATE_KEYS_H
#define VALIDATE_KEYS_H

#include "validate/signature.h"

/* Parses a DNSKEY's public key (RFC 3110, 5702, 6605, 8080) into an EVP_PKEY, raw and bounds
 * checked: RSA modulus and exponent within policy and 33 bits, odd; EC point on the curve.
 * VAL_WHY_NONE, or _ALGORITHM (not supported here), _MALFORMED, _MEMORY. */
enum val_why val_key_parse(const struct dns_dnskey *dnskey, uint16_t tag,
                           const struct val_policy *policy, struct val_key *ret);
void val_key_deinit(struct val_key *key);

struct val_ds_set { /* secure DS records, or a trust anchor's */
    const struct val_rdata *rr;
    uint32_t count;
};

/* What a secure DS RRset says before any key is looked at: VAL_WHY_NONE: some DS is usable;
 * VAL_WHY_ALGORITHM or _DIGEST: none is, so the child is insecure (RFC 4035 5.2). */
enum val_why val_ds_usable(const struct val_ds_set *ds, const struct val_policy *policy);

/* Lifts a zone: a DNSKEY with ZONE set, REVOKE clear and protocol 3 that a usable DS matches must
 * itself have signed `dnskeys`; then every usable key of the set is believed. SHA-1 DS count only
 * where no SHA-2 DS stands (RFC 4509 3). On success a new SECURE zone (expires_s the least of
 * ds_expires_s, TTL and RRSIG validity); else NULL and *reason. *ret_sig (may be NULL) tells which
 * RRSIG and *ret_ds which DS carried it, for the trace.
 * reason->why VAL_WHY_ALGORITHM or _DIGEST is no failure of the zone: no usable DS stands, or every
 * one means a key of a size that is not supported here, so the zone is insecure (RFC 4035 5.2). */
const struct val_zone *val_zone_lift(const struct dns_name *zone, const struct val_ds_set *ds,
                                     uint64_t ds_expires_s, const struct val_rrset *dnskeys,
                                     uint64_t now_s, const struct val_policy *policy,
                                     struct val_budget *budget, struct val_reason *reason,
                                     const struct val_sig **ret_sig,
                                     const struct val_rdata **ret_ds);

/* Digest of owner | DNSKEY RDATA (RFC 4034 5.1.4). Returns its length, 0 for unknown digests. */
uint32_t val_ds_digest(const struct dns_name *zone, const uint8_t *dnskey_rdata, uint32_t len,
                       uint8_t digest_type, uint8_t ret[static 48]);

#endif
