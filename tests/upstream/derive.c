// SPDX-License-Identifier: MIT
/* Private keys out of a SHA-256 counter stream. */
#include "tests/upstream/arena.h"
#include "tests/upstream/keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

#include <string.h>

enum { RSA_E = 65537, SIEVE_LIMIT = 2000 };

struct stream {
    const char *seed;
    uint32_t block;
};

static void stream_read(struct stream *s, uint8_t *out, size_t len)
{
    while (len > 0) {
        char text[512];
        uint8_t digest[SHA256_DIGEST_LENGTH];
        int text_len = snprintf(text, sizeof text, "%s#%u", s->seed, s->block++);
        (void)SHA256((const uint8_t *)text, (size_t)text_len, digest);
        size_t n = len < sizeof digest ? len : sizeof digest;
        memcpy(out, digest, n);
        out += n;
        len -= n;
    }
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

/* One Fermat test is enough for a number out of a hash: a composite passes with a probability far
 * below that of a broken disk, and would show at once as signatures that do not verify. */
static bool is_prime(const BIGNUM *n, BN_CTX *ctx)
{
    for (BN_ULONG d = 3; d < SIEVE_LIMIT; d += 2)
        if (BN_mod_word(n, d) == 0)
            return false;
    BN_CTX_start(ctx);
    BIGNUM *base = BN_CTX_get(ctx), *exponent = BN_CTX_get(ctx), *power = BN_CTX_get(ctx);
    bool prime = BN_set_word(base, 2) && BN_copy(exponent, n) && BN_sub_word(exponent, 1) &&
                 BN_mod_exp(power, base, exponent, n, ctx) && BN_is_one(power);
    BN_CTX_end(ctx);
    return prime;
}

static void derive_prime(struct stream *s, unsigned bits, BIGNUM *ret, BN_CTX *ctx)
{
    uint8_t start[512];
    stream_read(s, start, bits / 8);
    (void)BN_bin2bn(start, (int)(bits / 8), ret);
    (void)BN_set_bit(ret, (int)bits - 1);
    (void)BN_set_bit(ret, (int)bits - 2); /* so that the product has all its bits */
    (void)BN_set_bit(ret, 0);
    while (BN_mod_word(ret, RSA_E) == 1 || !is_prime(ret, ctx))
        (void)BN_add_word(ret, 2);
}

static EVP_PKEY *derive_rsa(struct stream *s, unsigned bits)
{
    BN_CTX *ctx = BN_CTX_new();
    BN_CTX_start(ctx);
    BIGNUM *p = BN_CTX_get(ctx), *q = BN_CTX_get(ctx), *n = BN_CTX_get(ctx), *e = BN_CTX_get(ctx);
    BIGNUM *p1 = BN_CTX_get(ctx), *q1 = BN_CTX_get(ctx), *phi = BN_CTX_get(ctx);
    BIGNUM *d = BN_CTX_get(ctx), *dp = BN_CTX_get(ctx), *dq = BN_CTX_get(ctx);
    BIGNUM *inverse = BN_CTX_get(ctx);
    derive_prime(s, bits / 2, p, ctx);
    derive_prime(s, bits / 2, q, ctx);
    bool ok = BN_set_word(e, RSA_E) && BN_mul(n, p, q, ctx) && BN_sub(p1, p, BN_value_one()) &&
              BN_sub(q1, q, BN_value_one()) && BN_mul(phi, p1, q1, ctx) &&
              BN_mod_inverse(d, e, phi, ctx) && BN_mod(dp, d, p1, ctx) && BN_mod(dq, d, q1, ctx) &&
              BN_mod_inverse(inverse, q, p, ctx);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    ok = ok && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR1, p) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_FACTOR2, q) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse);
    EVP_PKEY *pkey = ok ? from_params("RSA", build) : NULL;
    OSSL_PARAM_BLD_free(build);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *derive_ec(struct stream *s, int nid, const char *curve)
{
    uint8_t raw[64], point[133];
    stream_read(s, raw, sizeof raw);
    BN_CTX *ctx = BN_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    EC_POINT *public_ = EC_POINT_new(group);
    BIGNUM *scalar = BN_bin2bn(raw, sizeof raw, NULL);
    /* 1 .. order-1; that the reduction is a little uneven matters to nobody here */
    bool ok = BN_mod(scalar, scalar, EC_GROUP_get0_order(group), ctx) &&
              (!BN_is_zero(scalar) || BN_one(scalar)) &&
              EC_POINT_mul(group, public_, scalar, NULL, NULL, ctx);
    size_t len =
        EC_POINT_point2oct(group, public_, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, ctx);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    ok = ok && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
         OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len) &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
    EVP_PKEY *pkey = ok ? from_params("EC", build) : NULL;
    OSSL_PARAM_BLD_free(build);
    BN_free(scalar);
    EC_POINT_free(public_);
    EC_GROUP_free(group);
    BN_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *derive_raw(struct stream *s, int type, size_t len)
{
    uint8_t raw[57];
    stream_read(s, raw, len);
    return EVP_PKEY_new_raw_private_key(type, NULL, raw, len);
}

EVP_PKEY *key_derive(const char *seed, uint8_t algorithm, unsigned rsa_bits)
{
    struct stream s = {.seed = seed};
    switch (algorithm) {
    case DNS_ALG_RSASHA1:
    case DNS_ALG_RSASHA1_NSEC3:
    case DNS_ALG_RSASHA256:
    case DNS_ALG_RSASHA512: return derive_rsa(&s, rsa_bits);
    case DNS_ALG_ECDSAP256: return derive_ec(&s, NID_X9_62_prime256v1, "P-256");
    case DNS_ALG_ECDSAP384: return derive_ec(&s, NID_secp384r1, "P-384");
    case DNS_ALG_ED25519: return derive_raw(&s, EVP_PKEY_ED25519, 32);
    case DNS_ALG_ED448: return derive_raw(&s, EVP_PKEY_ED448, 57);
    default: return NULL;
    }
}
