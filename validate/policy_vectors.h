/* SPDX-License-Identifier: MIT */
/* Known signatures, one per algorithm: what does not verify here is refused by this machine's
 * OpenSSL configuration, and its zones are insecure rather than bogus. */
#ifndef VALIDATE_POLICY_VECTORS_H
#define VALIDATE_POLICY_VECTORS_H

#include "validate/policy.h"

/* Bit n: algorithm n parses its key and verifies its signature. Only the sizes in `sizes` count. */
uint32_t val_policy_vectors_pass(const struct val_policy *sizes);

#endif
