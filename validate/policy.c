// SPDX-License-Identifier: MIT
#include "validate/policy.h"

#include "dns/name.h"
#include "dns/types.h"
#include "validate/keys.h"
#include "validate/policy_vectors.h"

static const uint8_t digest_types[] = {DNS_DIGEST_SHA1, DNS_DIGEST_SHA256, DNS_DIGEST_SHA384};

static uint32_t digests_probe(void)
{
    uint32_t digests = 0;
    uint8_t digest[48];
    for (size_t i = 0; i < sizeof(digest_types); i++)
        if (val_ds_digest(&dns_root, NULL, 0, digest_types[i], digest) > 0)
            digests |= 1u << digest_types[i];
    return digests;
}

struct val_policy val_policy_default(bool sha1)
{
    const uint32_t sha1_algorithms = 1u << DNS_ALG_RSASHA1 | 1u << DNS_ALG_RSASHA1_NSEC3;
    struct val_policy policy = {
        .skew_s = 60,
        .nsec3_insecure_above = 50,
        .nsec3_bogus_above = 500,
        .rsa_bits_min = 1024,
        .rsa_bits_max = 4096,
    };
    policy.algorithms = val_policy_vectors_pass(&policy);
    if (!sha1) /* RFC 9905 2 */
        policy.algorithms &= ~sha1_algorithms;
    policy.digests = digests_probe();
    return policy;
}

bool val_policy_algorithm(const struct val_policy *policy, uint8_t algorithm)
{
    return algorithm < 32 && (policy->algorithms >> algorithm & 1) != 0;
}

bool val_policy_digest(const struct val_policy *policy, uint8_t digest_type)
{
    return digest_type < 32 && (policy->digests >> digest_type & 1) != 0;
}
