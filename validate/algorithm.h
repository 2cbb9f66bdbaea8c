/* SPDX-License-Identifier: MIT */
/* What is known of each DNSSEC algorithm, and one verification by OpenSSL, of Ed25519 by libsodium
 * (RFC 3110, 5702, 6605, 8080). Knows neither policy nor budget. */
#ifndef VALIDATE_ALGORITHM_H
#define VALIDATE_ALGORITHM_H

#include "validate/digest.h"

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum val_family { VAL_RSA, VAL_ECDSA, VAL_EDDSA };

struct val_algorithm {
    uint8_t number; /* as in DNSKEY and RRSIG */
    enum val_family family;
    enum val_digest digest; /* NONE: the algorithm has its own */
    const char *name;       /* OpenSSL's name of the curve; NULL for RSA */
    uint8_t part_len;       /* octets of one coordinate, or of a raw key; 0 for RSA */
    uint8_t cost;           /* crypto units (budget.h); for RSA of up to 2048 bits */
    uint16_t bits;          /* of a key; 0 for RSA */
};

const struct val_algorithm *val_algorithm_find(uint8_t number); /* NULL when unknown here */

/* A key with all looked up that OpenSSL needs for a check by it, which else would be up to a fifth
 * of the check. Never changed, so that any thread may use it. One of the three is there. */
struct val_ready {
    EVP_PKEY_CTX *digest; /* checks a digest */
    EVP_MD_CTX *whole;    /* Ed448: checks the data itself; so does */
    uint8_t ed25519[32];  /* the key as in DNSKEY: libsodium has nothing to look up */
};

/* References to the key are its own. False: it cannot be had. */
bool val_ready_init(struct val_ready *ret, const struct val_algorithm *algorithm, EVP_PKEY *pkey);
void val_ready_deinit(struct val_ready *ready); /* a zeroed one is fine */

/* `sig` is in the form of an RRSIG. False also when OpenSSL could not do it. Leaves OpenSSL's error
 * queue as it was. */
bool val_algorithm_verify(const struct val_algorithm *algorithm, const struct val_ready *ready,
                          const uint8_t *data, size_t data_len, const uint8_t *sig, size_t sig_len);

#endif
