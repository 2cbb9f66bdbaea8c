// SPDX-License-Identifier: MIT
/* DNSKEY and DS records of a zone's keys. */
#include "tests/upstream/keys.h"

#include "dns/rdata.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include <stdio.h>
#include <string.h>

/* RFC 3110 2: exponent length, exponent, modulus. */
static void write_rsa(struct dns_writer *w, const EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    uint8_t octets[1024];
    (void)EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
    (void)EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
    dns_write_u8(w, (uint8_t)BN_num_bytes(e));
    dns_write_bytes(w, octets, (size_t)BN_bn2bin(e, octets));
    dns_write_bytes(w, octets, (size_t)BN_bn2bin(n, octets));
    BN_free(n);
    BN_free(e);
}

/* RFC 6605 4: the two coordinates, without the octet that says "uncompressed". */
static void write_ec(struct dns_writer *w, const EVP_PKEY *pkey)
{
    uint8_t point[133];
    size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len))
        dns_write_bytes(w, point + 1, len - 1);
}

static void write_raw(struct dns_writer *w, const EVP_PKEY *pkey) /* RFC 8080 3 */
{
    uint8_t raw[57];
    size_t len = sizeof raw;
    if (EVP_PKEY_get_raw_public_key(pkey, raw, &len))
        dns_write_bytes(w, raw, len);
}

static void make_key(struct arena *arena, struct zone *zone, const char *seed, const char *role,
                     uint16_t flags)
{
    char text[DNS_NAME_TEXT_MAX], whole[400];
    (void)dns_name_text(&zone->name, text);
    (void)snprintf(whole, sizeof whole, "%.100s/%s/%d/%.250s", seed, role, zone->algorithm, text);
    struct zone_key *key = &zone->key[zone->key_count];
    key->algorithm = zone->algorithm;
    key->pkey = key_derive(whole, zone->algorithm, zone->rsa_bits);
    if (!key->pkey)
        return;
    uint8_t rdata[1100];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_u16(&w, flags);
    dns_write_u8(&w, 3); /* RFC 4034 2.1.2 */
    dns_write_u8(&w, zone->algorithm);
    if (EVP_PKEY_is_a(key->pkey, "RSA"))
        write_rsa(&w, key->pkey);
    else if (EVP_PKEY_is_a(key->pkey, "EC"))
        write_ec(&w, key->pkey);
    else
        write_raw(&w, key->pkey);
    key->dnskey = (struct octets){arena_copy(arena, rdata, w.off), (uint16_t)w.off};
    key->tag = dns_key_tag(rdata, w.off);
    zone->key_count++;
}

bool zone_make_keys(struct arena *arena, struct zone *zone, const char *seed)
{
    uint16_t flags = zone->faults & FAULT_NO_ZONE_FLAG ? 0 : DNS_KEY_ZONE;
    uint16_t secure_entry = DNS_KEY_SEP;
    if (zone->faults & FAULT_REVOKED)
        secure_entry |= DNS_KEY_REVOKE;
    if (zone->csk) {
        make_key(arena, zone, seed, "csk", flags | secure_entry);
        zone->key[0].signs_keys = zone->key[0].signs_data = true;
        return zone->key_count == 1;
    }
    bool zsk_only = (zone->faults & FAULT_ZSK_ONLY) != 0;
    make_key(arena, zone, seed, "ksk", flags | secure_entry);
    zone->key[0].signs_keys = !zsk_only;
    make_key(arena, zone, seed, "zsk", flags);
    zone->key[1].signs_data = true;
    zone->key[1].signs_keys = zsk_only;
    return zone->key_count == 2;
}

/* The tag is a sum of 16 bit words with the carry added once (RFC 4034 appendix B): what one word
 * gains another loses. The words lie inside the modulus, behind its first octets. */
struct octets key_collide(struct arena *arena, const struct zone_key *key, uint16_t n)
{
    enum { GAIN = 40, LOSS = 80 };
    uint8_t *rdata = arena_copy(arena, key->dnskey.data, key->dnskey.len);
    for (unsigned tries = 0; tries < 65536; tries++) {
        uint16_t other = (uint16_t)(tries + n);
        rdata[GAIN] ^= (uint8_t)(n >> 8);
        rdata[GAIN + 1] ^= (uint8_t)n;
        rdata[LOSS] = (uint8_t)(other >> 8);
        rdata[LOSS + 1] = (uint8_t)other;
        if (dns_key_tag(rdata, key->dnskey.len) == key->tag)
            break;
        rdata[GAIN] ^= (uint8_t)(n >> 8);
        rdata[GAIN + 1] ^= (uint8_t)n;
    }
    return (struct octets){rdata, key->dnskey.len};
}

static const EVP_MD *digest_of(enum ds_kind kind, uint8_t *ret_type)
{
    switch (kind) {
    case DS_SHA1: *ret_type = DNS_DIGEST_SHA1; return EVP_sha1();
    case DS_SHA384: *ret_type = DNS_DIGEST_SHA384; return EVP_sha384();
    case DS_UNKNOWN_DIGEST: *ret_type = 200; return EVP_sha256();
    case DS_GOOD:
    case DS_WRONG:
    case DS_UNKNOWN_ALGORITHM: break;
    }
    *ret_type = DNS_DIGEST_SHA256;
    return EVP_sha256();
}

struct octets key_ds(struct arena *arena, const struct dns_name *owner, const struct zone_key *key,
                     enum ds_kind kind)
{
    uint8_t digest[EVP_MAX_MD_SIZE], digest_type = 0, rdata[4 + EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    const EVP_MD *md = digest_of(kind, &digest_type);
    struct dns_name lower = *owner;
    dns_name_lower(&lower);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    (void)EVP_DigestInit_ex(ctx, md, NULL);
    (void)EVP_DigestUpdate(ctx, lower.wire, lower.len);
    (void)EVP_DigestUpdate(ctx, key->dnskey.data, key->dnskey.len);
    (void)EVP_DigestFinal_ex(ctx, digest, &digest_len);
    EVP_MD_CTX_free(ctx);
    if (kind == DS_WRONG)
        digest[0] ^= 0xff;
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_u16(&w, key->tag);
    dns_write_u8(&w, kind == DS_UNKNOWN_ALGORITHM ? 200 : key->algorithm);
    dns_write_u8(&w, digest_type);
    dns_write_bytes(&w, digest, digest_len);
    return (struct octets){arena_copy(arena, rdata, w.off), (uint16_t)w.off};
}
