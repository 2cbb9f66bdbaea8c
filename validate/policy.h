/* SPDX-License-Identifier: MIT */
/* What the operator and this machine's OpenSSL allow. Immutable once made; shared. */
#ifndef VALIDATE_POLICY_H
#define VALIDATE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct val_policy {
    uint32_t algorithms;           /* bit n: DNSSEC algorithm n is supported (n < 32) */
    uint32_t digests;              /* bit n: DS digest type n is supported */
    uint32_t skew_s;               /* an inception that far in the future is still taken */
    uint16_t nsec3_insecure_above; /* iterations: more makes the zone's denials insecure */
    uint16_t nsec3_bogus_above;    /* iterations: more is bogus */
    uint16_t rsa_bits_min, rsa_bits_max;
};

/* Defaults of the manual; algorithms probed with a known vector each, so that one that OpenSSL's
 * own policy refuses is "unsupported", never "bad signature" (of Ed25519 it makes the key only).
 * `sha1`: algorithms 5 and 7 are taken as supported (RFC 9905: off by default, so that such zones
 * are insecure). */
struct val_policy val_policy_default(bool sha1);
bool val_policy_algorithm(const struct val_policy *policy, uint8_t algorithm);
bool val_policy_digest(const struct val_policy *policy, uint8_t digest_type);

#endif
