/* SPDX-License-Identifier: MIT */
/* The hash functions of DNSSEC without EVP, which at the length of a record costs more than the
 * hash itself: one stands before each check of a signature, hundreds in a proof by NSEC3. */
#ifndef VALIDATE_DIGEST_H
#define VALIDATE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define VAL_DIGEST_MAX 64u

enum val_digest { VAL_SHA1, VAL_SHA256, VAL_SHA384, VAL_SHA512, VAL_DIGEST_NONE };

/* Octets of the result; 0 for NONE. */
size_t val_digest(enum val_digest digest, const void *data, size_t len,
                  uint8_t ret[static VAL_DIGEST_MAX]);

#endif
