// SPDX-License-Identifier: MIT
#include "validate/algorithm.h"

#include "dns/types.h"

#include <openssl/err.h>

#include <sodium.h>
#include <string.h>

// clang-format off
static const struct val_algorithm algorithms[] = {
    {DNS_ALG_RSASHA1,       VAL_RSA,   VAL_SHA1,   NULL,      0,  1,  0},
    {DNS_ALG_RSASHA1_NSEC3, VAL_RSA,   VAL_SHA1,   NULL,      0,  1,  0},
    {DNS_ALG_RSASHA256,     VAL_RSA,   VAL_SHA256, NULL,      0,  1,  0},
    {DNS_ALG_RSASHA512,     VAL_RSA,   VAL_SHA512, NULL,      0,  1,  0},
    {DNS_ALG_ECDSAP256,     VAL_ECDSA, VAL_SHA256, "P-256",   32, 3,  256},
    {DNS_ALG_ECDSAP384,     VAL_ECDSA, VAL_SHA384, "P-384",   48, 20, 384},
    {DNS_ALG_ED25519,       VAL_EDDSA, VAL_DIGEST_NONE, "ED25519", 32, 5,  256},
    {DNS_ALG_ED448,         VAL_EDDSA, VAL_DIGEST_NONE, "ED448",   57, 15, 456},
};
// clang-format on

const struct val_algorithm *val_algorithm_find(uint8_t number)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (algorithms[i].number == number)
            return &algorithms[i];
    return NULL;
}

#define ECDSA_PART_MAX 48u
/* SEQUENCE and two INTEGERs, each with tag, one octet of length and perhaps a zero before a set top
 * bit: less than 128 octets, so every length is a single octet. */
#define ECDSA_DER_MAX (2u + 2u * (2u + 1u + ECDSA_PART_MAX))

/* One half of an RRSIG's r | s (RFC 6605 4) as a DER INTEGER: no zeros in front but the one that
 * keeps the number positive. */
static size_t der_integer(uint8_t *der, const uint8_t *part, size_t len)
{
    while (len > 1 && part[0] == 0) {
        part++;
        len--;
    }
    size_t pad = part[0] >> 7;
    der[0] = 0x02;
    der[1] = (uint8_t)(pad + len);
    der[2] = 0;
    memcpy(der + 2 + pad, part, len);
    return 2 + pad + len;
}

/* `part_len` is at most ECDSA_PART_MAX; sig has twice that. */
static size_t ecdsa_der(uint8_t der[static ECDSA_DER_MAX], const uint8_t *sig, size_t part_len)
{
    size_t len = 2;
    len += der_integer(der + len, sig, part_len);
    len += der_integer(der + len, sig + part_len, part_len);
    der[0] = 0x30;
    der[1] = (uint8_t)(len - 2);
    return len;
}

/* --- checks ---------------------------------------------------------------------------------- */

static const EVP_MD *digest_of(const struct val_algorithm *algorithm)
{
    switch (algorithm->digest) {
    case VAL_SHA1: return EVP_sha1();
    case VAL_SHA256: return EVP_sha256();
    case VAL_SHA384: return EVP_sha384();
    case VAL_SHA512: return EVP_sha512();
    case VAL_DIGEST_NONE: break;
    }
    return NULL;
}

static bool init_whole(EVP_MD_CTX *ctx, EVP_PKEY *pkey)
{
    return ctx && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1;
}

static bool init_digest(EVP_PKEY_CTX *ctx, const EVP_MD *digest)
{
    return ctx && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, digest) == 1;
}

/* libsodium's check takes less than half of OpenSSL's time (tests/bench/validate). */
static bool init_ed25519(struct val_ready *ret, const EVP_PKEY *pkey)
{
    struct val_ready ready = {.whole = NULL};
    size_t len = sizeof ready.ed25519;
    if (sodium_init() < 0 || EVP_PKEY_get_raw_public_key(pkey, ready.ed25519, &len) != 1)
        return false;
    *ret = ready;
    return true;
}

bool val_ready_init(struct val_ready *ret, const struct val_algorithm *algorithm, EVP_PKEY *pkey)
{
    const EVP_MD *digest = digest_of(algorithm);
    struct val_ready ready = {.whole = NULL};
    if (algorithm->number == DNS_ALG_ED25519)
        return init_ed25519(ret, pkey);
    if (digest)
        ready.digest = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    else
        ready.whole = EVP_MD_CTX_new();
    if (digest ? init_digest(ready.digest, digest) : init_whole(ready.whole, pkey)) {
        *ret = ready;
        return true;
    }
    val_ready_deinit(&ready);
    return false;
}

void val_ready_deinit(struct val_ready *ready)
{
    EVP_PKEY_CTX_free(ready->digest);
    EVP_MD_CTX_free(ready->whole);
    *ready = (struct val_ready){.whole = NULL};
}

/* A check writes to its context: each has a copy, which is cheap. */
static bool verify_digest(enum val_digest digest, const EVP_PKEY_CTX *ready, const uint8_t *data,
                          size_t data_len, const uint8_t *sig, size_t sig_len)
{
    uint8_t octets[VAL_DIGEST_MAX];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(ready);
    if (!ctx)
        return false;
    size_t len = val_digest(digest, data, data_len, octets);
    bool good = EVP_PKEY_verify(ctx, sig, sig_len, octets, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

/* The first releases of OpenSSL 3.0 refuse to copy a context that has no digest. */
static bool copy_whole(EVP_MD_CTX *ctx, const EVP_MD_CTX *ready)
{
    return EVP_MD_CTX_copy_ex(ctx, ready) == 1 ||
           init_whole(ctx, EVP_PKEY_CTX_get0_pkey(EVP_MD_CTX_get_pkey_ctx(ready)));
}

static bool verify_whole(const EVP_MD_CTX *ready, const uint8_t *data, size_t data_len,
                         const uint8_t *sig, size_t sig_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx && copy_whole(ctx, ready) && EVP_DigestVerify(ctx, sig, sig_len, data, data_len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* Refuses what RFC 8032 5.1.7 does, and keys and signatures of small order, too: those of no key
 * that was made by chance. */
static bool verify_ed25519(const uint8_t *key, const uint8_t *data, size_t data_len,
                           const uint8_t *sig, size_t sig_len)
{
    return sig_len == crypto_sign_BYTES &&
           crypto_sign_verify_detached(sig, data, data_len, key) == 0;
}

bool val_algorithm_verify(const struct val_algorithm *algorithm, const struct val_ready *ready,
                          const uint8_t *data, size_t data_len, const uint8_t *sig, size_t sig_len)
{
    uint8_t der[ECDSA_DER_MAX];
    if (algorithm->number == DNS_ALG_ED25519)
        return verify_ed25519(ready->ed25519, data, data_len, sig, sig_len);
    if (algorithm->family == VAL_ECDSA) {
        if (sig_len != 2u * algorithm->part_len || algorithm->part_len > ECDSA_PART_MAX)
            return false;
        sig_len = ecdsa_der(der, sig, algorithm->part_len);
        sig = der;
    }
    /* Whoever looks at the queue next, as TLS does, must not find our bad signature there. */
    ERR_set_mark();
    bool good = ready->whole
                    ? verify_whole(ready->whole, data, data_len, sig, sig_len)
                    : verify_digest(algorithm->digest, ready->digest, data, data_len, sig, sig_len);
    ERR_pop_to_mark();
    return good;
}
