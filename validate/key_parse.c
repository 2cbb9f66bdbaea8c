// SPDX-License-Identifier: MIT
// A DNSKEY's public key as an EVP_PKEY, from raw numbers: no ASN.1 is decoded.
#include "validate/algorithm.h"
#include "validate/keys.h"
#include "validate/memo.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <string.h>

#define RSA_EXPONENT_BITS_MAX 33u /* 2^32 + 1 is in use; longer ones only cost time */

struct number { /* unsigned, most significant octet first, without zeros in front */
    const uint8_t *data;
    uint32_t len;
};

static struct number number_read(struct dns_reader *r, uint32_t len)
{
    struct number n = {dns_read_bytes(r, len), len};
    while (r->err == DNS_OK && n.len > 0 && n.data[0] == 0) {
        n.data++;
        n.len--;
    }
    return n;
}

static uint32_t number_bits(struct number n)
{
    if (n.len == 0)
        return 0;
    uint32_t bits = n.len * 8;
    for (unsigned top = n.data[0]; top < 0x80; top <<= 1)
        bits--;
    return bits;
}

static bool number_odd(struct number n)
{
    return n.len > 0 && (n.data[n.len - 1] & 1) != 0;
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *rsa_pkey(struct number n, struct number e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL);
    BIGNUM *bn_e = BN_bin2bn(e.data, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!bn_n || !bn_e || !build)
        goto out;
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) != 1)
        goto out;
    params = OSSL_PARAM_BLD_to_param(build);
    if (params)
        pkey = pkey_from("RSA", params);
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn_e);
    BN_free(bn_n);
    return pkey;
}

/* RFC 3110 2: the exponent's length in one octet, or in two behind a zero; exponent; modulus. */
static enum val_why rsa_parse(const struct dns_dnskey *dnskey, const struct val_policy *policy,
                              struct val_key *key)
{
    struct dns_reader r = dns_reader_init(dnskey->key, dnskey->key_len);
    uint32_t e_len = dns_read_u8(&r);
    if (e_len == 0)
        e_len = dns_read_u16(&r);
    struct number e = number_read(&r, e_len);
    struct number n = number_read(&r, dns_reader_left(&r));
    if (r.err != DNS_OK || !number_odd(e) || !number_odd(n) || number_bits(e) < 2)
        return VAL_WHY_MALFORMED;

    uint32_t bits = number_bits(n);
    if (number_bits(e) > RSA_EXPONENT_BITS_MAX || bits < policy->rsa_bits_min ||
        bits > policy->rsa_bits_max)
        return VAL_WHY_ALGORITHM;
    key->pkey = rsa_pkey(n, e);
    key->bits = (uint16_t)bits;
    uint32_t squares = (bits / 1024) * (bits / 1024) / 4; /* a verification is quadratic */
    key->cost = (uint8_t)(squares > 1 ? squares : 1);
    return key->pkey ? VAL_WHY_NONE : VAL_WHY_MEMORY; /* nothing is wrong with these numbers */
}

/* RFC 6605 4: x | y. OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *ecdsa_pkey(const struct val_algorithm *algorithm, const uint8_t *point,
                            uint32_t len)
{
    uint8_t octets[1 + 2 * 48] = {0x04}; /* uncompressed (SEC 1, 2.3.3) */
    if (len + 1 > sizeof(octets))
        return NULL;
    memcpy(octets + 1, point, len);
    char *group = (char *)(uintptr_t)algorithm->name; /* only read, whatever its type says */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, len + 1),
        OSSL_PARAM_construct_end(),
    };
    return pkey_from("EC", params);
}

/* Whether OpenSSL made no key because of the point; else it was for want of memory, of which it
 * speaks in many ways or not at all. */
static bool was_point(void)
{
    unsigned long e = ERR_peek_last_error();
    int reason = ERR_GET_LIB(e) == ERR_LIB_EC ? ERR_GET_REASON(e) : 0;
    return reason == EC_R_POINT_IS_NOT_ON_CURVE || reason == EC_R_INVALID_ENCODING ||
           reason == EC_R_COORDINATES_OUT_OF_RANGE;
}

static enum val_why curve_parse(const struct val_algorithm *algorithm,
                                const struct dns_dnskey *dnskey, struct val_key *key)
{
    bool ecdsa = algorithm->family == VAL_ECDSA;
    if (dnskey->key_len != (ecdsa ? 2u : 1u) * algorithm->part_len)
        return VAL_WHY_MALFORMED;
    if (ecdsa)
        key->pkey = ecdsa_pkey(algorithm, dnskey->key, dnskey->key_len);
    else
        key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, algorithm->name, NULL, dnskey->key,
                                                   dnskey->key_len);
    key->bits = algorithm->bits;
    key->cost = algorithm->cost;
    if (key->pkey)
        return VAL_WHY_NONE;
    /* Any octets are a key of Edwards curves; a point may be off its curve. */
    return ecdsa && was_point() ? VAL_WHY_MALFORMED : VAL_WHY_MEMORY;
}

enum val_why val_key_parse(const struct dns_dnskey *dnskey, uint16_t tag,
                           const struct val_policy *policy, struct val_key *ret)
{
    const struct val_algorithm *algorithm = val_algorithm_find(dnskey->algorithm);
    if (!algorithm || !val_policy_algorithm(policy, dnskey->algorithm))
        return VAL_WHY_ALGORITHM;
    struct val_key key = {.tag = tag, .flags = dnskey->flags, .algorithm = dnskey->algorithm};
    ERR_set_mark();
    enum val_why why = algorithm->family == VAL_RSA ? rsa_parse(dnskey, policy, &key)
                                                    : curve_parse(algorithm, dnskey, &key);
    if (why == VAL_WHY_NONE && !val_ready_init(&key.ready, algorithm, key.pkey))
        why = VAL_WHY_MEMORY; /* what this library cannot do, the policy leaves out */
    ERR_pop_to_mark();
    if (why != VAL_WHY_NONE) {
        val_key_deinit(&key);
        return why;
    }
    val_memo_key_id(key.algorithm, dnskey->key, dnskey->key_len, key.id);
    *ret = key;
    return VAL_WHY_NONE;
}

void val_key_deinit(struct val_key *key)
{
    val_ready_deinit(&key->ready);
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}
