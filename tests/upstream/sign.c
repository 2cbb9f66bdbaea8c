// SPDX-License-Identifier: MIT
#include "tests/upstream/sign.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <stdlib.h>
#include <string.h>

enum {
    HOUR_S = 3600,
    DAY_S = 24 * HOUR_S,
    SIGNED_MAX = 70000,
    KEYTRAP_SIGNATURES = 20,
    SIGJAM_SIGNATURES = 80
};

struct sign_times sign_times(uint64_t now_s, enum sign_when when)
{
    uint32_t now = (uint32_t)now_s; /* RRSIG times are serial numbers (RFC 4034 3.1.5) */
    switch (when) {
    case SIGN_EXPIRED: return (struct sign_times){now - 14 * DAY_S, now - 7 * DAY_S};
    case SIGN_FUTURE: return (struct sign_times){now + 7 * DAY_S, now + 14 * DAY_S};
    case SIGN_INVERTED: return (struct sign_times){now - HOUR_S, now - 2 * HOUR_S};
    case SIGN_VALID: break;
    }
    return (struct sign_times){now - HOUR_S, now + 7 * DAY_S};
}

static size_t name_len(const uint8_t *wire, size_t len)
{
    size_t off = 0;
    while (off < len && wire[off] != 0)
        off += 1u + wire[off];
    return off + 1;
}

static void lower(uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (octets[i] >= 'A' && octets[i] <= 'Z')
            octets[i] = (uint8_t)(octets[i] + 32);
}

/* RFC 4034 6.2 for the types that worlds use. A label length is never a capital letter, for those
 * begin at 65, so a name's octets can be lowered as they lie. */
static void make_canonical(uint16_t type, uint8_t *rdata, size_t len)
{
    size_t off = 0;
    switch (type) {
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_PTR:
    case DNS_TYPE_DNAME: lower(rdata, len); return;
    case DNS_TYPE_SOA:
        off = name_len(rdata, len);
        lower(rdata, off + name_len(rdata + off, len - off));
        return;
    case DNS_TYPE_MX: off = 2; break;
    case DNS_TYPE_SRV: off = 6; break;
    default: return;
    }
    if (len > off)
        lower(rdata + off, len - off);
}

static int compare_rdata(const void *a, const void *b)
{
    const struct octets *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->data, y->data, n);
    return order != 0 ? order : (int)x->len - (int)y->len;
}

/* The RRset's part of what is signed: each record as owner | type | class | TTL | length | RDATA,
 * sorted by RDATA (RFC 4034 6.3). */
static void write_canonical(struct dns_writer *w, const struct dns_name *owner,
                            const struct rrset *set)
{
    struct arena scratch = {0};
    struct octets *sorted = arena_alloc(&scratch, set->count * sizeof *sorted);
    struct dns_name name = *owner;
    lower(name.wire, name.len);
    for (unsigned i = 0; i < set->count; i++) {
        uint8_t *copy = arena_copy(&scratch, set->rdata[i].data, set->rdata[i].len);
        make_canonical(set->type, copy, set->rdata[i].len);
        sorted[i] = (struct octets){copy, set->rdata[i].len};
    }
    qsort(sorted, set->count, sizeof *sorted, compare_rdata);
    for (unsigned i = 0; i < set->count; i++) {
        dns_write_bytes(w, name.wire, name.len);
        dns_write_u16(w, set->type);
        dns_write_u16(w, DNS_CLASS_IN);
        dns_write_u32(w, set->ttl_s);
        dns_write_u16(w, sorted[i].len);
        dns_write_bytes(w, sorted[i].data, sorted[i].len);
    }
    arena_free(&scratch);
}

/* RFC 6605 4: r | s of fixed length instead of DER. */
static size_t der_to_fixed(const uint8_t *der, size_t der_len, int half, uint8_t *out)
{
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
    if (!sig)
        return 0;
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half);
    ECDSA_SIG_free(sig);
    return 2 * (size_t)half;
}

static const EVP_MD *digest_of(uint8_t algorithm)
{
    switch (algorithm) {
    case DNS_ALG_RSASHA1:
    case DNS_ALG_RSASHA1_NSEC3: return EVP_sha1();
    case DNS_ALG_RSASHA256:
    case DNS_ALG_ECDSAP256: return EVP_sha256();
    case DNS_ALG_ECDSAP384: return EVP_sha384();
    case DNS_ALG_RSASHA512: return EVP_sha512();
    default: return NULL; /* EdDSA hashes by itself */
    }
}

static size_t sign_octets(const struct zone_key *key, const uint8_t *data, size_t len,
                          uint8_t out[static 600])
{
    uint8_t raw[600];
    size_t raw_len = sizeof raw;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = EVP_DigestSignInit(ctx, NULL, digest_of(key->algorithm), NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, raw, &raw_len, data, len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return 0;
    if (key->algorithm == DNS_ALG_ECDSAP256)
        return der_to_fixed(raw, raw_len, 32, out);
    if (key->algorithm == DNS_ALG_ECDSAP384)
        return der_to_fixed(raw, raw_len, 48, out);
    memcpy(out, raw, raw_len);
    return raw_len;
}

struct octets sign_rrset(struct arena *arena, struct sign_times times, const struct zone_key *key,
                         const struct dns_name *signer, const struct dns_name *owner,
                         const struct rrset *set)
{
    uint8_t *buf = must_alloc(SIGNED_MAX), signature[600];
    struct dns_writer w = dns_writer_init(buf, SIGNED_MAX);
    struct dns_name signer_lower = *signer;
    lower(signer_lower.wire, signer_lower.len);
    dns_write_u16(&w, set->type);
    dns_write_u8(&w, key->algorithm);
    dns_write_u8(&w, (uint8_t)(owner->labels - (dns_name_is_wildcard(owner) ? 1 : 0)));
    dns_write_u32(&w, set->ttl_s);
    dns_write_u32(&w, times.expiration);
    dns_write_u32(&w, times.inception);
    dns_write_u16(&w, key->tag);
    dns_write_bytes(&w, signer_lower.wire, signer_lower.len);
    uint32_t head_len = w.off;
    write_canonical(&w, owner, set);
    size_t len = sign_octets(key, buf, w.off, signature);
    uint8_t *rdata = arena_alloc(arena, head_len + len);
    memcpy(rdata, buf, head_len);
    memcpy(rdata + head_len, signature, len);
    free(buf);
    return (struct octets){rdata, (uint16_t)(head_len + len)};
}

static enum sign_when when_of(const struct zone *zone)
{
    if (zone->faults & FAULT_EXPIRED)
        return SIGN_EXPIRED;
    if (zone->faults & FAULT_FUTURE)
        return SIGN_FUTURE;
    return zone->faults & FAULT_INVERTED ? SIGN_INVERTED : SIGN_VALID;
}

/* A signature with its last octet changed by `mask`, or as it is. */
static struct octets spoiled(struct arena *arena, struct octets sig, uint8_t mask)
{
    uint8_t *copy = arena_copy(arena, sig.data, sig.len);
    copy[sig.len - 1] ^= mask;
    return (struct octets){copy, sig.len};
}

/* In front of the right one, if there is one. */
static unsigned wrong_signatures(unsigned faults)
{
    if (faults & FAULT_SIGJAM)
        return SIGJAM_SIGNATURES;
    if (faults & FAULT_KEYTRAP)
        return KEYTRAP_SIGNATURES;
    return faults & FAULT_LOCKCRAM ? 1 : 0;
}

void zone_sign(struct world *world, const struct zone *zone, const struct dns_name *owner,
               struct rrset *set)
{
    if (set->epoch == world->epoch)
        return;
    bool keys = set->type == DNS_TYPE_DNSKEY;
    set->epoch = world->epoch;
    set->sig_count = 0;
    if (!zone->is_signed || zone->faults & (keys ? FAULT_UNSIGNED_KEYS : FAULT_UNSIGNED_DATA))
        return;
    struct arena *arena = &world->signatures;
    unsigned wrong = keys ? 0 : wrong_signatures(zone->faults);
    set->sig = arena_alloc(arena, (zone->key_count + wrong) * sizeof *set->sig);
    for (unsigned i = 0; i < zone->key_count; i++) {
        const struct zone_key *key = &zone->key[i];
        if (keys ? !key->signs_keys : !key->signs_data)
            continue;
        struct octets sig = sign_rrset(arena, sign_times(world->now_s, when_of(zone)), key,
                                       &zone->name, owner, set);
        for (uint8_t mask = 1; mask <= wrong; mask++)
            set->sig[set->sig_count++] = spoiled(arena, sig, mask);
        set->sig[set->sig_count++] = zone->faults & FAULT_CORRUPT ? spoiled(arena, sig, 1) : sig;
    }
}
