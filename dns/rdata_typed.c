// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

enum dns_err dns_ds_read(struct dns_reader rdata, struct dns_ds *ret)
{
    struct dns_ds ds;
    ds.key_tag = dns_read_u16(&rdata);
    ds.algorithm = dns_read_u8(&rdata);
    ds.digest_type = dns_read_u8(&rdata);
    ds.digest_len = dns_reader_left(&rdata);
    ds.digest = dns_read_bytes(&rdata, ds.digest_len);
    if (rdata.err != DNS_OK)
        return rdata.err;
    if (ds.digest_len == 0)
        return DNS_E_SHORT;
    *ret = ds;
    return DNS_OK;
}

enum dns_err dns_dnskey_read(struct dns_reader rdata, struct dns_dnskey *ret)
{
    struct dns_dnskey key;
    key.flags = dns_read_u16(&rdata);
    key.protocol = dns_read_u8(&rdata);
    key.algorithm = dns_read_u8(&rdata);
    key.key_len = dns_reader_left(&rdata);
    key.key = dns_read_bytes(&rdata, key.key_len);
    if (rdata.err != DNS_OK)
        return rdata.err;
    if (key.key_len == 0)
        return DNS_E_SHORT;
    *ret = key;
    return DNS_OK;
}

uint16_t dns_key_tag(const uint8_t *dnskey_rdata, uint32_t len)
{
    if (len >= 7 && dnskey_rdata[3] == 1) /* RSA/MD5 takes octets of the modulus (B.1) */
        return (uint16_t)(dnskey_rdata[len - 3] << 8 | dnskey_rdata[len - 2]);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < len; i++) /* at most 65535 octets: no overflow */
        sum += i & 1 ? dnskey_rdata[i] : (uint32_t)dnskey_rdata[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

enum dns_err dns_rrsig_read(struct dns_reader rdata, struct dns_rrsig *ret)
{
    struct dns_rrsig sig;
    sig.covered = dns_read_u16(&rdata);
    sig.algorithm = dns_read_u8(&rdata);
    sig.labels = dns_read_u8(&rdata);
    sig.original_ttl_s = dns_read_u32(&rdata);
    sig.expiration = dns_read_u32(&rdata);
    sig.inception = dns_read_u32(&rdata);
    sig.key_tag = dns_read_u16(&rdata);
    (void)dns_name_read_plain(&rdata, &sig.signer); /* RFC 4034 3.1.7: never compressed */
    sig.signature_len = dns_reader_left(&rdata);
    sig.signature = dns_read_bytes(&rdata, sig.signature_len);
    if (rdata.err != DNS_OK)
        return rdata.err;
    if (sig.signature_len == 0)
        return DNS_E_SHORT;
    *ret = sig;
    return DNS_OK;
}

/* Takes the rest as type bit maps, checked. */
static void read_bitmap(struct dns_reader *r, const uint8_t **bitmap, uint32_t *len)
{
    struct dns_reader check = *r;
    *len = dns_reader_left(r);
    *bitmap = dns_read_bytes(r, *len);
    dns_field_skip(&check, DNS_FIELD_BITMAP);
    if (r->err == DNS_OK)
        r->err = check.err;
}

enum dns_err dns_nsec_read(struct dns_reader rdata, struct dns_nsec *ret)
{
    struct dns_nsec nsec;
    (void)dns_name_read_plain(&rdata, &nsec.next); /* RFC 4034 4.1.1: never compressed */
    read_bitmap(&rdata, &nsec.bitmap, &nsec.bitmap_len);
    if (rdata.err == DNS_OK)
        *ret = nsec;
    return rdata.err;
}

enum dns_err dns_nsec3_read(struct dns_reader rdata, struct dns_nsec3 *ret)
{
    struct dns_nsec3 n;
    n.hash_algorithm = dns_read_u8(&rdata);
    n.flags = dns_read_u8(&rdata);
    n.iterations = dns_read_u16(&rdata);
    n.salt_len = dns_read_u8(&rdata);
    n.salt = dns_read_bytes(&rdata, n.salt_len);
    n.next_hash_len = dns_read_u8(&rdata);
    n.next_hash = dns_read_bytes(&rdata, n.next_hash_len);
    read_bitmap(&rdata, &n.bitmap, &n.bitmap_len);
    if (rdata.err == DNS_OK && n.next_hash_len == 0)
        return DNS_E_FORM;
    if (rdata.err == DNS_OK)
        *ret = n;
    return rdata.err;
}

bool dns_bitmap_has(const uint8_t *bitmap, uint32_t len, uint16_t type)
{
    struct dns_reader r = dns_reader_init(bitmap, len);
    while (dns_reader_left(&r) > 0) {
        uint8_t window = dns_read_u8(&r);
        uint8_t count = dns_read_u8(&r);
        const uint8_t *bits = dns_read_bytes(&r, count);
        unsigned at = type & 0xff;
        if (bits && window == type >> 8)
            return at / 8 < count && (bits[at / 8] & (0x80 >> (at % 8))) != 0;
    }
    return false;
}

enum dns_err dns_soa_read(struct dns_reader rdata, struct dns_soa *ret)
{
    struct dns_soa soa;
    (void)dns_name_read(&rdata, &soa.mname);
    (void)dns_name_read(&rdata, &soa.rname);
    soa.serial = dns_read_u32(&rdata);
    soa.refresh_s = dns_read_u32(&rdata);
    soa.retry_s = dns_read_u32(&rdata);
    soa.expire_s = dns_read_u32(&rdata);
    soa.minimum_s = dns_read_u32(&rdata);
    enum dns_err err = dns_reader_finish(&rdata);
    if (err == DNS_OK)
        *ret = soa;
    return err;
}

enum dns_err dns_target_read(struct dns_reader rdata, struct dns_name *ret)
{
    struct dns_name name;
    (void)dns_name_read(&rdata, &name);
    enum dns_err err = dns_reader_finish(&rdata);
    if (err == DNS_OK)
        *ret = name;
    return err;
}
