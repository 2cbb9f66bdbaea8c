// SPDX-License-Identifier: MIT
/* The digest without EVP, which costs more than the hash itself at these lengths: this stands
 * beside each check of a signature, and an RSA check is 17 us. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "validate/memo.h"

#include <openssl/sha.h>

#include <string.h>

void val_memo_key_id(uint8_t algorithm, const uint8_t *key, size_t len, uint8_t ret[static 16])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX ctx;
    (void)SHA256_Init(&ctx); /* these cannot fail */
    (void)SHA256_Update(&ctx, &algorithm, sizeof algorithm);
    (void)SHA256_Update(&ctx, key, len);
    (void)SHA256_Final(digest, &ctx);
    memcpy(ret, digest, 16);
}

struct val_memo_tag val_memo_tag(const struct val_memo *memo, const struct val_key *key,
                                 const uint8_t *data, size_t len, const uint8_t *sig,
                                 size_t sig_len)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    struct val_memo_tag tag;
    uint64_t lengths[2] = {sig_len, len}; /* so that no octet can change sides */
    SHA256_CTX ctx;
    /* These cannot fail. */
    (void)SHA256_Init(&ctx);
    (void)SHA256_Update(&ctx, memo->secret, sizeof memo->secret);
    (void)SHA256_Update(&ctx, key->id, sizeof key->id);
    (void)SHA256_Update(&ctx, lengths, sizeof lengths);
    (void)SHA256_Update(&ctx, sig, sig_len);
    (void)SHA256_Update(&ctx, data, len);
    (void)SHA256_Final(digest, &ctx);
    memcpy(tag.word, digest, sizeof tag.word);
    return tag;
}
