// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED
#include "validate/digest.h"

#include <openssl/sha.h>

/* None of these functions can fail. */

static void sha1(const void *data, size_t len, uint8_t *ret)
{
    SHA_CTX ctx;
    (void)SHA1_Init(&ctx);
    (void)SHA1_Update(&ctx, data, len);
    (void)SHA1_Final(ret, &ctx);
}

static void sha256(const void *data, size_t len, uint8_t *ret)
{
    SHA256_CTX ctx;
    (void)SHA256_Init(&ctx);
    (void)SHA256_Update(&ctx, data, len);
    (void)SHA256_Final(ret, &ctx);
}

static void sha384(const void *data, size_t len, uint8_t *ret)
{
    SHA512_CTX ctx;
    (void)SHA384_Init(&ctx);
    (void)SHA384_Update(&ctx, data, len);
    (void)SHA384_Final(ret, &ctx);
}

static void sha512(const void *data, size_t len, uint8_t *ret)
{
    SHA512_CTX ctx;
    (void)SHA512_Init(&ctx);
    (void)SHA512_Update(&ctx, data, len);
    (void)SHA512_Final(ret, &ctx);
}

size_t val_digest(enum val_digest digest, const void *data, size_t len,
                  uint8_t ret[static VAL_DIGEST_MAX])
{
    switch (digest) {
    case VAL_SHA1: sha1(data, len, ret); return SHA_DIGEST_LENGTH;
    case VAL_SHA256: sha256(data, len, ret); return SHA256_DIGEST_LENGTH;
    case VAL_SHA384: sha384(data, len, ret); return SHA384_DIGEST_LENGTH;
    case VAL_SHA512: sha512(data, len, ret); return SHA512_DIGEST_LENGTH;
    case VAL_DIGEST_NONE: break;
    }
    return 0;
}
