// SPDX-License-Identifier: MIT
#include "validate/denial.h"
#include "validate/digest.h"

#include <string.h>

#define NSEC3_SHA1 1u /* the only algorithm there is (RFC 5155 11) */
#define SALT_MAX 255u
#define SHA1_LEN 20u

/* Compressions of one SHA-1 over `len` octets: 64 in each, nine or more for the padding. */
static uint32_t sha1_blocks(uint32_t len)
{
    return (len + 8) / 64 + 1;
}

bool val_nsec3_hash(const struct dns_name *name, const struct dns_nsec3 *params,
                    struct val_budget *budget, uint8_t ret[static 20])
{
    uint8_t input[DNS_NAME_MAX + SALT_MAX];
    uint8_t digest[VAL_DIGEST_MAX];
    if (params->hash_algorithm != NSEC3_SHA1 || params->salt_len > SALT_MAX)
        return false;
    uint32_t blocks = sha1_blocks(name->len + params->salt_len) +
                      params->iterations * sha1_blocks(SHA1_LEN + params->salt_len);
    if (!val_budget_take(&budget->sha1_blocks, blocks))
        return false;

    struct dns_name lower = *name;
    dns_name_lower(&lower);
    uint32_t len = lower.len;
    memcpy(input, lower.wire, len);
    for (uint32_t round = 0; round <= params->iterations; round++) {
        if (params->salt_len > 0)
            memcpy(input + len, params->salt, params->salt_len);
        (void)val_digest(VAL_SHA1, input, len + params->salt_len, digest);
        memcpy(input, digest, SHA1_LEN);
        len = SHA1_LEN;
    }
    memcpy(ret, digest, SHA1_LEN);
    return true;
}
