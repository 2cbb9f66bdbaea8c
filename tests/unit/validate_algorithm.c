// SPDX-License-Identifier: MIT
// Signatures that are nearly right: only the one form in which an RRSIG carries them verifies, and
// OpenSSL's complaints stay where they are. Ed25519, which libsodium checks, is signed by OpenSSL.
#include "dns/types.h"
#include "tests/test.h"
#include "validate/algorithm.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <stdlib.h>

#define SIG_MAX 300u

static const uint8_t data[] = "what is signed";

struct signature {
    uint8_t octets[SIG_MAX];
    size_t len;
};

/* Group orders, most significant octet first: of P-256 (SEC 2, 2.4.2), of Ed25519 (RFC 8032 5.1).
 */
#define P256_N "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define ED25519_L "1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED"

static EVP_PKEY *key_of(uint8_t algorithm)
{
    static EVP_PKEY *keys[256];
    if (keys[algorithm])
        return keys[algorithm];
    switch (algorithm) {
    case DNS_ALG_ED25519: keys[algorithm] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    case DNS_ALG_ECDSAP256: keys[algorithm] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); break;
    default: keys[algorithm] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024); break;
    }
    assert_non_null(keys[algorithm]);
    return keys[algorithm];
}

static int forget_keys(void **state)
{
    static const uint8_t used[] = {DNS_ALG_RSASHA256, DNS_ALG_ECDSAP256, DNS_ALG_ED25519};
    (void)state;
    for (size_t i = 0; i < COUNT(used); i++)
        EVP_PKEY_free(key_of(used[i]));
    return 0;
}

static void sign(uint8_t algorithm, struct signature *ret)
{
    uint8_t der[SIG_MAX];
    size_t len = sizeof der;
    const char *digest = algorithm == DNS_ALG_ED25519 ? NULL : "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key_of(algorithm), NULL),
                     1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, data, sizeof data), 1);
    EVP_MD_CTX_free(ctx);
    ret->len = len;
    memcpy(ret->octets, der, len);
    if (algorithm != DNS_ALG_ECDSAP256)
        return;
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret->octets, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret->octets + 32, 32), 32);
    ECDSA_SIG_free(sig);
    ret->len = 64;
}

/* --- what is done to them -------------------------------------------------------------------- */

static void as_it_is(struct signature *s)
{
    (void)s;
}
static void one_bit(struct signature *s)
{
    s->octets[s->len - 1] ^= 1;
}
static void shorter(struct signature *s)
{
    s->len--;
}
static void longer(struct signature *s)
{
    s->octets[s->len++] = 0;
}
static void zero_in_front(struct signature *s)
{
    memmove(s->octets + 1, s->octets, s->len);
    s->octets[0] = 0;
    s->len++;
}
static void empty(struct signature *s)
{
    s->len = 0;
}
static void all_zero(struct signature *s)
{
    memset(s->octets, 0, s->len);
}
static void all_ones(struct signature *s)
{
    memset(s->octets, 0xff, s->len);
}
static void r_zero(struct signature *s)
{
    memset(s->octets, 0, 32);
}
static void s_zero(struct signature *s)
{
    memset(s->octets + 32, 0, 32);
}
static void swapped(struct signature *s)
{
    uint8_t r[32];
    memcpy(r, s->octets, 32);
    memmove(s->octets, s->octets + 32, 32);
    memcpy(s->octets + 32, r, 32);
}

static void put_order(uint8_t *at)
{
    BIGNUM *n = NULL;
    assert_int_equal(BN_hex2bn(&n, P256_N), 64);
    assert_int_equal(BN_bn2binpad(n, at, 32), 32);
    BN_free(n);
}
static void r_order(struct signature *s)
{
    put_order(s->octets);
}
static void s_order(struct signature *s)
{
    put_order(s->octets + 32);
}
/* n - s is as good as s, by the arithmetic of ECDSA: it says nothing else than s does. */
static void s_negated(struct signature *s)
{
    BIGNUM *n = NULL, *old = BN_bin2bn(s->octets + 32, 32, NULL);
    assert_int_equal(BN_hex2bn(&n, P256_N), 64);
    assert_int_equal(BN_sub(n, n, old), 1);
    assert_int_equal(BN_bn2binpad(n, s->octets + 32, 32), 32);
    BN_free(n);
    BN_free(old);
}
/* The DER that OpenSSL itself uses. */
static void in_der(struct signature *s)
{
    uint8_t *at = s->octets;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    assert_int_equal(
        ECDSA_SIG_set0(sig, BN_bin2bn(s->octets, 32, NULL), BN_bin2bn(s->octets + 32, 32, NULL)),
        1);
    s->len = (size_t)i2d_ECDSA_SIG(sig, &at);
    ECDSA_SIG_free(sig);
}
/* S + L means the same to the curve, but is not the canonical number (RFC 8032 5.1.7). */
static void s_not_canonical(struct signature *s)
{
    BIGNUM *l = NULL, *old = BN_lebin2bn(s->octets + 32, 32, NULL);
    assert_int_equal(BN_hex2bn(&l, ED25519_L), 64);
    assert_int_equal(BN_add(l, l, old), 1);
    assert_int_equal(BN_bn2lebinpad(l, s->octets + 32, 32), 32);
    BN_free(l);
    BN_free(old);
}
/* The signature plus the modulus: the same number, but not below it (RFC 8017 8.2.2). */
static void plus_modulus(struct signature *s)
{
    BIGNUM *n = NULL, *old = BN_bin2bn(s->octets, (int)s->len, NULL);
    assert_int_equal(EVP_PKEY_get_bn_param(key_of(DNS_ALG_RSASHA256), "n", &n), 1);
    assert_int_equal(BN_add(n, n, old), 1);
    s->len = (size_t)BN_num_bytes(n);
    assert_int_equal(BN_bn2bin(n, s->octets), (int)s->len);
    BN_free(n);
    BN_free(old);
}

// clang-format off
static const struct {
    uint8_t algorithm, by; /* made with one, verified as the other */
    const char *what;
    void (*change)(struct signature *s);
    bool want;
} rows[] = {
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA", as_it_is, true},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, one bit", one_bit, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, shorter", shorter, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, longer", longer, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, zero in front", zero_in_front, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, empty", empty, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, zero", all_zero, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, ones", all_ones, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA256, "RSA, plus the modulus", plus_modulus, false},
    {DNS_ALG_RSASHA256, DNS_ALG_RSASHA512, "RSA, another digest", as_it_is, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256", as_it_is, true},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, one bit", one_bit, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, shorter", shorter, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, longer", longer, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, empty", empty, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, zero", all_zero, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, ones", all_ones, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, r = 0", r_zero, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, s = 0", s_zero, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, r = n", r_order, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, s = n", s_order, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, -s", s_negated, true},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, swapped", swapped, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP256, "P-256, DER", in_der, false},
    {DNS_ALG_ECDSAP256, DNS_ALG_ECDSAP384, "P-256, as P-384", as_it_is, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519", as_it_is, true},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, one bit", one_bit, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, shorter", shorter, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, longer", longer, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, empty", empty, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, zero", all_zero, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, ones", all_ones, false},
    {DNS_ALG_ED25519,   DNS_ALG_ED25519,   "Ed25519, S + L", s_not_canonical, false},
};
// clang-format on

static void test_forms(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct signature s;
        sign(rows[i].algorithm, &s);
        rows[i].change(&s);
        uint8_t *exact = malloc(s.len > 0 ? s.len : 1); /* a sanitizer sees its end */
        assert_non_null(exact);
        memcpy(exact, s.octets, s.len);
        const struct val_algorithm *by = val_algorithm_find(rows[i].by);
        struct val_ready ready;
        assert_true(val_ready_init(&ready, by, key_of(rows[i].algorithm)));
        bool good = val_algorithm_verify(by, &ready, data, sizeof data, exact, s.len);
        val_ready_deinit(&ready);
        free(exact);
        if (good != rows[i].want)
            print_error("%s: %d\n", rows[i].what, good);
        failures += good != rows[i].want;
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_int_equal(failures, 0);
}

static bool verified_by(EVP_PKEY *key, const uint8_t *octets, size_t len, const uint8_t sig[64])
{
    const struct val_algorithm *by = val_algorithm_find(DNS_ALG_ED25519);
    struct val_ready ready;
    assert_true(val_ready_init(&ready, by, key));
    bool good = val_algorithm_verify(by, &ready, octets, len, sig, 64);
    val_ready_deinit(&ready);
    return good;
}

/* By the neutral element everything is signed: its own octets and S = 0 fit whatever is said. */
static void test_ed25519_small_order(void **state)
{
    (void)state;
    static const uint8_t neutral[32] = {1};
    static const uint8_t sig[64] = {1};
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, neutral, sizeof neutral);
    assert_non_null(key);
    assert_false(verified_by(key, data, sizeof data, sig));
    EVP_PKEY_free(key);
}

/* One library signs, the other checks: any length, and no octet may be another. */
static void test_ed25519_lengths(void **state)
{
    (void)state;
    uint8_t octets[300], sig[64];
    EVP_PKEY *key = key_of(DNS_ALG_ED25519);
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(7 * i);
    for (size_t len = 0; len <= sizeof octets; len++) {
        size_t sig_len = sizeof sig;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL), 1);
        assert_int_equal(EVP_DigestSign(ctx, sig, &sig_len, octets, len), 1);
        EVP_MD_CTX_free(ctx);
        assert_true(verified_by(key, octets, len, sig));
        octets[len / 2] ^= 1;
        assert_true(len == 0 || !verified_by(key, octets, len, sig));
        octets[len / 2] ^= 1;
        sig[len % sizeof sig] ^= 1;
        assert_false(verified_by(key, octets, len, sig));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_ed25519_small_order),
        cmocka_unit_test(test_ed25519_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, forget_keys);
}
