/* SPDX-License-Identifier: MIT */
/* A small signed world: zones as text, signed when asked, and the answers that an honest resolver
 * would give about them. Answers are lists of records that a test may bend before they become
 * octets. For the validate_job… tests; include after tests/test.h. */
#ifndef TESTS_UNIT_SIGNER_H
#define TESTS_UNIT_SIGNER_H

#include "dns/rdata.h"
#include "validate/denial.h"
#include "validate/keys.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>

#define WORLD_NOW UINT32_C(1800000000)
#define WORLD_TTL 3600u
#define WORLD_RDATA_MAX 600u
#define WORLD_RR_MAX 96u
#define WORLD_ZONES_MAX 32u
#define WORLD_NAMES_MAX 64u
#define WORLD_KEY_MAX 300u /* octets of a DNSKEY's RDATA */

struct world_rr {
    struct dns_name owner;
    uint16_t type;
    uint8_t section; /* enum dns_section; only in answers */
    uint32_t ttl_s;
    uint16_t len;
    uint8_t rdata[WORLD_RDATA_MAX];
};

enum world_denial { WORLD_NSEC, WORLD_NSEC3, WORLD_OPT_OUT, WORLD_UNSIGNED };

struct world_zone {
    struct dns_name name;
    enum world_denial denial;
    bool no_ds;       /* signed, but its parent says nothing of it */
    bool unusable_ds; /* its parent says something that nobody here understands */
    uint8_t algorithm;
    uint16_t iterations;
    EVP_PKEY *key;
    uint16_t tag;
    uint32_t inception, expiration;
    struct world_rr rr[WORLD_RR_MAX];
    uint32_t count;
};

struct world {
    struct world_zone zone[WORLD_ZONES_MAX];
    uint32_t count;
};

/* What a resolver answers, before it is octets. */
struct world_answer {
    struct dns_question question;
    uint16_t rcode, flags;
    struct world_rr rr[WORLD_RR_MAX];
    uint32_t count;
};

static inline struct dns_name world_name(const char *text)
{
    struct dns_name name;
    if (dns_name_parse(text, &name) != DNS_OK)
        fail_msg("no name: %s", text);
    return name;
}

/* --- keys and signatures --------------------------------------------------------------------- */

static size_t world_rsa_bits = 1024; /* quick; tests/bench asks for real ones */

/* Ed25519 keys are the same in every run, one after the other. */
static inline EVP_PKEY *world_keygen(uint8_t algorithm)
{
    static uint8_t seed[32];
    seed[0]++;
    switch (algorithm) {
    case DNS_ALG_ED25519: return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32);
    case DNS_ALG_RSASHA256: return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", world_rsa_bits);
    default: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    }
}

/* Exponent and modulus (RFC 3110 2). */
static inline uint16_t world_rsa_key(const struct world_zone *zone, uint8_t *ret)
{
    BIGNUM *e = NULL, *n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(zone->key, "e", &e), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(zone->key, "n", &n), 1);
    ret[0] = (uint8_t)BN_bn2bin(e, ret + 1);
    int len = BN_bn2bin(n, ret + 1 + ret[0]);
    BN_free(e);
    BN_free(n);
    return (uint16_t)(1 + ret[0] + len);
}

/* DNSKEY RDATA of a zone's one key (RFC 3110 2, RFC 6605 4, RFC 8080 3). */
static inline uint16_t world_dnskey(const struct world_zone *zone, uint8_t *rdata)
{
    uint8_t point[65];
    size_t len = sizeof point;
    rdata[0] = 1;
    rdata[1] = 1; /* ZONE and SEP */
    rdata[2] = 3;
    rdata[3] = zone->algorithm;
    if (zone->algorithm == DNS_ALG_RSASHA256)
        return (uint16_t)(4 + world_rsa_key(zone, rdata + 4));
    if (zone->algorithm == DNS_ALG_ED25519) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(zone->key, rdata + 4, &len), 1);
        return (uint16_t)(4 + len);
    }
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(zone->key, "encoded-pub-key", point, sizeof point, &len),
        1);
    memcpy(rdata + 4, point + 1, len - 1);
    return (uint16_t)(4 + len - 1);
}

static inline uint32_t world_sign_raw(const struct world_zone *zone, const uint8_t *data,
                                      size_t len, uint8_t *ret)
{
    uint8_t der[512];
    size_t der_len = sizeof der;
    bool ed = zone->algorithm == DNS_ALG_ED25519;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, ed ? NULL : EVP_sha256(), NULL, zone->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &der_len, data, len), 1);
    EVP_MD_CTX_free(ctx);
    if (zone->algorithm != DNS_ALG_ECDSAP256) {
        memcpy(ret, der, der_len);
        return (uint32_t)der_len;
    }
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + 32, 32), 32);
    ECDSA_SIG_free(sig);
    return 64;
}

static inline int world_compare_rdata(const void *left, const void *right)
{
    const struct world_rr *a = left;
    const struct world_rr *b = right;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->rdata, b->rdata, len);
    return order != 0 ? order : (int)a->len - (int)b->len;
}

/* RRSIG RDATA over a set (RFC 4034 3.1.8.1); `owner` is what is signed, perhaps a wildcard. */
static inline uint16_t world_rrsig(const struct world_zone *zone, const struct dns_name *owner,
                                   const struct world_rr *set, uint32_t count, uint8_t *ret)
{
    static uint8_t data[1u << 16];
    static struct world_rr sorted[WORLD_RR_MAX];
    struct dns_name lower = *owner;
    struct dns_name signer = zone->name;
    dns_name_lower(&lower);
    dns_name_lower(&signer);
    struct dns_writer w = dns_writer_init(data, sizeof data);
    dns_write_u16(&w, set->type);
    dns_write_u8(&w, zone->algorithm);
    dns_write_u8(&w, (uint8_t)(owner->labels - (dns_name_is_wildcard(owner) ? 1 : 0)));
    dns_write_u32(&w, set->ttl_s);
    dns_write_u32(&w, zone->expiration);
    dns_write_u32(&w, zone->inception);
    dns_write_u16(&w, zone->tag);
    dns_write_name(&w, &signer);
    uint32_t head = w.off;
    memcpy(ret, data, head);
    memcpy(sorted, set, count * sizeof *set);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(dns_rdata_canonical(set->type, sorted[i].rdata, sorted[i].len), DNS_OK);
    qsort(sorted, count, sizeof *sorted, world_compare_rdata);
    for (uint32_t i = 0; i < count; i++) {
        dns_write_name(&w, &lower);
        dns_write_u16(&w, set->type);
        dns_write_u16(&w, DNS_CLASS_IN);
        dns_write_u32(&w, set->ttl_s);
        dns_write_u16(&w, sorted[i].len);
        dns_write_bytes(&w, sorted[i].rdata, sorted[i].len);
    }
    assert_int_equal(w.err, DNS_OK);
    return (uint16_t)(head + world_sign_raw(zone, data, w.off, ret + head));
}

/* --- zones ----------------------------------------------------------------------------------- */

static inline void world_add_line(struct world_zone *zone, const char *line)
{
    struct dns_line head;
    struct world_rr *rr = &zone->rr[zone->count++];
    assert_in_range(zone->count, 1, WORLD_RR_MAX);
    struct dns_writer w = dns_writer_init(rr->rdata, sizeof rr->rdata);
    if (dns_line_parse(line, &zone->name, WORLD_TTL, &head, &w) != DNS_OK)
        fail_msg("no record: %s", line);
    rr->owner = head.owner;
    rr->type = head.type;
    rr->ttl_s = head.ttl_s;
    rr->len = (uint16_t)w.off;
}

static inline void world_add_rr(struct world_zone *zone, const struct dns_name *owner,
                                uint16_t type, const uint8_t *rdata, uint32_t len)
{
    struct world_rr *rr = &zone->rr[zone->count++];
    assert_in_range(zone->count, 1, WORLD_RR_MAX);
    *rr =
        (struct world_rr){.owner = *owner, .type = type, .ttl_s = WORLD_TTL, .len = (uint16_t)len};
    memcpy(rr->rdata, rdata, len);
}

static inline struct world_zone *world_parent(struct world *world, const struct dns_name *name)
{
    struct world_zone *best = NULL;
    for (uint32_t i = 0; i < world->count; i++) {
        struct world_zone *z = &world->zone[i];
        if (dns_name_within(name, &z->name) && z->name.labels < name->labels &&
            (!best || z->name.labels > best->name.labels))
            best = z;
    }
    return best;
}

/* DS RDATA of a zone's key (RFC 4034 5.1). */
static inline uint32_t world_ds(const struct world_zone *zone, uint8_t *ret)
{
    uint8_t dnskey[WORLD_KEY_MAX];
    uint16_t len = world_dnskey(zone, dnskey);
    ret[0] = (uint8_t)(zone->tag >> 8);
    ret[1] = (uint8_t)zone->tag;
    ret[2] = zone->algorithm;
    ret[3] = DNS_DIGEST_SHA256;
    uint32_t digest_len = val_ds_digest(&zone->name, dnskey, len, DNS_DIGEST_SHA256, ret + 4);
    return 4 + digest_len;
}

/* Parents first. `text`: one record a line. SOA and NS, the delegation above and its DS are added.
 */
static inline struct world_zone *world_zone_flags(struct world *world, const char *name,
                                                  enum world_denial denial, uint8_t algorithm,
                                                  bool no_ds, const char *text)
{
    struct world_zone *zone = &world->zone[world->count];
    uint8_t rdata[WORLD_KEY_MAX];
    assert_in_range(world->count, 0, WORLD_ZONES_MAX - 1);
    *zone = (struct world_zone){.name = world_name(name),
                                .denial = denial,
                                .no_ds = no_ds,
                                .algorithm = algorithm,
                                .inception = WORLD_NOW - 3600,
                                .expiration = WORLD_NOW + 86400};
    zone->key = world_keygen(algorithm);
    assert_non_null(zone->key);
    uint16_t len = world_dnskey(zone, rdata);
    zone->tag = dns_key_tag(rdata, len);
    world_add_line(zone, "@ SOA ns hostmaster 1 7200 3600 86400 600");
    world_add_line(zone, "@ NS ns");
    if (denial != WORLD_UNSIGNED)
        world_add_rr(zone, &zone->name, DNS_TYPE_DNSKEY, rdata, len);
    if (denial == WORLD_NSEC3 || denial == WORLD_OPT_OUT)
        world_add_line(zone, "@ NSEC3PARAM 1 0 0 AB");
    char *copy = strdup(text);
    char *rest = copy;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (line[0] != '\0')
            world_add_line(zone, line);
    free(copy);
    struct world_zone *parent = world_parent(world, &zone->name);
    world->count++;
    if (!parent)
        return zone;
    uint8_t ns[DNS_NAME_MAX];
    memcpy(ns, zone->name.wire, zone->name.len);
    world_add_rr(parent, &zone->name, DNS_TYPE_NS, ns, zone->name.len);
    if (denial != WORLD_UNSIGNED && !no_ds)
        world_add_rr(parent, &zone->name, DNS_TYPE_DS, rdata, world_ds(zone, rdata));
    return zone;
}

static inline struct world_zone *world_zone(struct world *world, const char *name,
                                            enum world_denial denial, const char *text)
{
    return world_zone_flags(world, name, denial, DNS_ALG_ED25519, false, text);
}

static inline void world_free(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        EVP_PKEY_free(world->zone[i].key);
    free(world);
}

static inline struct world_zone *world_find_zone(struct world *world, const char *name)
{
    struct dns_name wanted = world_name(name);
    for (uint32_t i = 0; i < world->count; i++)
        if (dns_name_equal(&world->zone[i].name, &wanted))
            return &world->zone[i];
    fail_msg("no zone %s", name);
    return NULL;
}

/* The records of one set; `ret` has room for all of a zone. */
static inline uint32_t world_set(const struct world_zone *zone, const struct dns_name *owner,
                                 uint16_t type, struct world_rr *ret)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < zone->count; i++)
        if (zone->rr[i].type == type && dns_name_equal(&zone->rr[i].owner, owner))
            ret[count++] = zone->rr[i];
    return count;
}

static inline bool world_has(const struct world_zone *zone, const struct dns_name *owner,
                             uint16_t type)
{
    for (uint32_t i = 0; i < zone->count; i++)
        if ((type == DNS_TYPE_ANY || zone->rr[i].type == type) &&
            dns_name_equal(&zone->rr[i].owner, owner))
            return true;
    return false;
}

/* Also as an empty non-terminal. */
static inline bool world_exists(const struct world_zone *zone, const struct dns_name *name)
{
    for (uint32_t i = 0; i < zone->count; i++)
        if (dns_name_within(&zone->rr[i].owner, name))
            return true;
    return false;
}

/* --- answers --------------------------------------------------------------------------------- */

static inline void world_put(struct world_answer *a, enum dns_section section,
                             const struct dns_name *owner, const struct world_rr *rr)
{
    struct world_rr *new = &a->rr[a->count++];
    assert_in_range(a->count, 1, WORLD_RR_MAX);
    *new = *rr;
    new->owner = *owner;
    new->section = (uint8_t)section;
}

/* A set that stands at `at` in the zone, given as records of `owner`, with its RRSIG. */
static inline void world_put_set(struct world_answer *a, enum dns_section section,
                                 const struct world_zone *zone, const struct dns_name *at,
                                 const struct dns_name *owner, const struct world_rr *set,
                                 uint32_t count)
{
    struct world_rr sig = {.type = DNS_TYPE_RRSIG, .ttl_s = set->ttl_s};
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].type == set->type && dns_name_equal(&a->rr[i].owner, owner))
            return; /* it is there already */
    for (uint32_t i = 0; i < count; i++)
        world_put(a, section, owner, &set[i]);
    if (zone->denial == WORLD_UNSIGNED)
        return;
    sig.len = world_rrsig(zone, at, set, count, sig.rdata);
    world_put(a, section, owner, &sig);
}

static inline bool world_put_type(struct world_answer *a, enum dns_section section,
                                  const struct world_zone *zone, const struct dns_name *at,
                                  const struct dns_name *owner, uint16_t type)
{
    static struct world_rr set[WORLD_RR_MAX];
    uint32_t count = world_set(zone, at, type, set);
    if (count > 0)
        world_put_set(a, section, zone, at, owner, set, count);
    return count > 0;
}

/* What ANY means: every set at the name. */
static inline bool world_put_any(struct world_answer *a, const struct world_zone *zone,
                                 const struct dns_name *owner)
{
    bool any = false;
    for (uint16_t type = 1; type < DNS_TYPE_ANY; type++)
        any = world_put_type(a, DNS_ANSWER, zone, owner, owner, type) || any;
    return any;
}

/* --- NSEC and NSEC3 -------------------------------------------------------------------------- */

/* Below a delegation, and so not of this zone. */
static inline bool world_is_glue(const struct world_zone *zone, const struct dns_name *name)
{
    for (unsigned labels = name->labels; labels-- > zone->name.labels + 1u;) {
        struct dns_name above = dns_name_suffix(name, labels);
        if (world_has(zone, &above, DNS_TYPE_NS))
            return true;
    }
    return false;
}

static inline void world_write_bitmap(const struct world_zone *zone, const struct dns_name *name,
                                      bool nsec, struct dns_writer *w)
{
    uint8_t map[256 / 8] = {0};
    unsigned octets = 0;
    bool cut = world_has(zone, name, DNS_TYPE_NS) && !dns_name_equal(name, &zone->name);
    bool any = false;
    for (unsigned type = 1; type < 256; type++) {
        bool set = type < DNS_TYPE_ANY && world_has(zone, name, (uint16_t)type);
        if (cut && type != DNS_TYPE_NS && type != DNS_TYPE_DS)
            set = false;
        any = any || set;
        if (type == DNS_TYPE_NSEC && nsec)
            set = true;
        /* What a set of bits means to NSEC3 of an unsigned delegation: no RRSIG there. */
        if (type == DNS_TYPE_RRSIG &&
            (nsec || (any && (!cut || world_has(zone, name, DNS_TYPE_DS)))))
            set = true;
        if (set) {
            map[type / 8] |= (uint8_t)(0x80 >> type % 8);
            octets = type / 8 + 1;
        }
    }
    if (octets == 0)
        return;
    dns_write_u8(w, 0);
    dns_write_u8(w, (uint8_t)octets);
    dns_write_bytes(w, map, octets);
}

struct world_chain {
    struct dns_name name[WORLD_NAMES_MAX]; /* as they stand in the zone */
    uint8_t hash[WORLD_NAMES_MAX][20];
    uint32_t count;
};

static inline void world_hash(const struct world_zone *zone, const struct dns_name *name,
                              uint8_t ret[20])
{
    static const uint8_t salt[] = {0xab};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct dns_nsec3 params = {
        .hash_algorithm = 1, .iterations = zone->iterations, .salt = salt, .salt_len = 1};
    budget.sha1_blocks = UINT32_MAX;
    assert_true(val_nsec3_hash(name, &params, &budget, ret));
}

static inline void world_chain_add(const struct world_zone *zone, struct world_chain *chain,
                                   const struct dns_name *name)
{
    bool hashed = zone->denial != WORLD_NSEC;
    uint8_t hash[20] = {0};
    if (hashed)
        world_hash(zone, name, hash);
    uint32_t at = 0;
    for (; at < chain->count; at++) {
        if (dns_name_equal(&chain->name[at], name))
            return;
        if (hashed ? memcmp(chain->hash[at], hash, 20) > 0
                   : dns_name_compare(&chain->name[at], name) > 0)
            break;
    }
    assert_in_range(chain->count, 0, WORLD_NAMES_MAX - 1);
    memmove(&chain->name[at + 1], &chain->name[at], (chain->count - at) * sizeof *chain->name);
    memmove(&chain->hash[at + 1], &chain->hash[at], (chain->count - at) * sizeof *chain->hash);
    chain->name[at] = *name;
    memcpy(chain->hash[at], hash, 20);
    chain->count++;
}

/* Opt-out leaves unsigned delegations out (RFC 5155 6); NSEC leaves empty non-terminals out. */
static inline void world_chain(const struct world_zone *zone, struct world_chain *chain)
{
    chain->count = 0;
    for (uint32_t i = 0; i < zone->count; i++) {
        const struct dns_name *owner = &zone->rr[i].owner;
        bool cut = !dns_name_equal(owner, &zone->name) && world_has(zone, owner, DNS_TYPE_NS);
        if (world_is_glue(zone, owner) ||
            (zone->denial == WORLD_OPT_OUT && cut && !world_has(zone, owner, DNS_TYPE_DS)))
            continue;
        unsigned top = zone->denial == WORLD_NSEC ? owner->labels : zone->name.labels;
        for (unsigned labels = owner->labels + 1u; labels-- > top;) {
            struct dns_name name = dns_name_suffix(owner, labels);
            world_chain_add(zone, chain, &name);
        }
    }
}

static inline void world_put_nsec(struct world_answer *a, const struct world_zone *zone,
                                  const struct world_chain *chain, uint32_t at)
{
    struct world_rr rr = {.type = DNS_TYPE_NSEC, .ttl_s = 600};
    const struct dns_name *next = &chain->name[(at + 1) % chain->count];
    struct dns_name owner = chain->name[at];
    struct dns_writer w = dns_writer_init(rr.rdata, sizeof rr.rdata);
    if (zone->denial == WORLD_NSEC) {
        dns_write_name(&w, next);
    } else {
        char label[64];
        rr.type = DNS_TYPE_NSEC3;
        size_t len = dns_base32hex_text(chain->hash[at], 20, label, sizeof label);
        assert_int_equal(dns_name_prepend(label, len, &zone->name, &owner), DNS_OK);
        dns_write_u8(&w, 1);
        dns_write_u8(&w, zone->denial == WORLD_OPT_OUT);
        dns_write_u16(&w, zone->iterations);
        dns_write_u8(&w, 1);
        dns_write_u8(&w, 0xab);
        dns_write_u8(&w, 20);
        dns_write_bytes(&w, chain->hash[(at + 1) % chain->count], 20);
    }
    world_write_bitmap(zone, &chain->name[at], zone->denial == WORLD_NSEC, &w);
    rr.len = (uint16_t)w.off;
    world_put_set(a, DNS_AUTHORITY, zone, &owner, &owner, &rr, 1);
}

/* The record that stands at `name`, or the one before it. Returns whether it stands at it. */
static inline bool world_put_proof(struct world_answer *a, const struct world_zone *zone,
                                   const struct dns_name *name)
{
    static struct world_chain chain;
    uint8_t hash[20] = {0};
    world_chain(zone, &chain);
    if (zone->denial != WORLD_NSEC)
        world_hash(zone, name, hash);
    uint32_t at = chain.count - 1; /* the last one covers what is before the first */
    for (uint32_t i = 0; i < chain.count; i++) {
        int order = zone->denial == WORLD_NSEC ? dns_name_compare(&chain.name[i], name)
                                               : memcmp(chain.hash[i], hash, 20);
        if (order <= 0)
            at = i;
    }
    world_put_nsec(a, zone, &chain, at);
    return dns_name_equal(&chain.name[at], name);
}

static inline struct dns_name world_encloser(const struct world_zone *zone,
                                             const struct dns_name *name)
{
    unsigned labels = name->labels;
    while (labels > zone->name.labels) {
        struct dns_name above = dns_name_suffix(name, labels);
        if (world_exists(zone, &above))
            break;
        labels--;
    }
    return dns_name_suffix(name, labels);
}

/* `name` does not exist; NSEC3 needs its closest encloser shown, too. */
static inline void world_put_absence(struct world_answer *a, const struct world_zone *zone,
                                     const struct dns_name *name, bool with_encloser)
{
    struct dns_name encloser = world_encloser(zone, name);
    struct dns_name closer = dns_name_suffix(name, encloser.labels + 1u);
    if (zone->denial == WORLD_UNSIGNED)
        return;
    if (zone->denial != WORLD_NSEC && with_encloser)
        (void)world_put_proof(a, zone, &encloser);                               /* it is there */
    (void)world_put_proof(a, zone, zone->denial == WORLD_NSEC ? name : &closer); /* covers */
}

/* It exists, without the type. An unsigned delegation that opts out is shown by its gap. */
static inline void world_put_nodata(struct world_answer *a, const struct world_zone *zone,
                                    const struct dns_name *name)
{
    if (zone->denial == WORLD_UNSIGNED || world_put_proof(a, zone, name) ||
        zone->denial == WORLD_NSEC)
        return;
    a->count -= 2; /* the covering record comes with its encloser */
    unsigned labels = name->labels;
    do {
        struct dns_name above = dns_name_suffix(name, --labels);
        if (world_put_proof(a, zone, &above))
            break;
        a->count -= 2;
    } while (labels > zone->name.labels);
    struct dns_name closer = dns_name_suffix(name, labels + 1);
    (void)world_put_proof(a, zone, &closer); /* covers */
}

/* --- the resolver ---------------------------------------------------------------------------- */

static inline const struct world_zone *world_zone_of(struct world *world,
                                                     const struct dns_name *name, uint16_t type)
{
    if (type == DNS_TYPE_DS && name->labels > 0)
        return world_parent(world, name);
    for (uint32_t i = 0; i < world->count; i++)
        if (dns_name_equal(&world->zone[i].name, name))
            return &world->zone[i];
    return world_parent(world, name);
}

static inline const struct dns_name *world_target(const struct world_rr *rr, struct dns_name *ret)
{
    assert_int_equal(dns_target_read(dns_reader_init(rr->rdata, rr->len), ret), DNS_OK);
    return ret;
}

/* True: *name is an alias, and now its target. */
static inline bool world_follow_dname(struct world_answer *a, const struct world_zone *zone,
                                      struct dns_name *name)
{
    static struct world_rr set[WORLD_RR_MAX];
    struct dns_name target;
    for (unsigned labels = name->labels; labels-- > zone->name.labels;) {
        struct dns_name owner = dns_name_suffix(name, labels);
        if (world_set(zone, &owner, DNS_TYPE_DNAME, set) == 0)
            continue;
        (void)world_target(set, &target);
        (void)world_put_type(a, DNS_ANSWER, zone, &owner, &owner, DNS_TYPE_DNAME);
        struct dns_name from = *name;
        if (dns_name_substitute(&from, &owner, &target, name) != DNS_OK) {
            a->rcode = DNS_RCODE_YXDOMAIN;
            return false;
        }
        struct world_rr cname = {.type = DNS_TYPE_CNAME, .ttl_s = WORLD_TTL, .len = name->len};
        memcpy(cname.rdata, name->wire, name->len);
        world_put(a, DNS_ANSWER, &from, &cname);
        return true;
    }
    return false;
}

static inline bool world_follow(struct world_answer *a, const struct world_zone *zone,
                                const struct dns_name *at, struct dns_name *name)
{
    static struct world_rr set[WORLD_RR_MAX];
    struct dns_name owner = *name;
    if (a->question.type == DNS_TYPE_CNAME || world_set(zone, at, DNS_TYPE_CNAME, set) == 0)
        return false;
    (void)world_put_type(a, DNS_ANSWER, zone, at, &owner, DNS_TYPE_CNAME);
    (void)world_target(set, name);
    return true;
}

static inline void world_put_soa(struct world_answer *a, const struct world_zone *zone)
{
    (void)world_put_type(a, DNS_AUTHORITY, zone, &zone->name, &zone->name, DNS_TYPE_SOA);
}

/* One name of the chain. True: go on with *name. */
static inline bool world_hop(struct world_answer *a, const struct world_zone *zone,
                             struct dns_name *name)
{
    struct dns_name owner = *name;
    struct dns_name wildcard;
    if (world_put_type(a, DNS_ANSWER, zone, &owner, &owner, a->question.type) ||
        (a->question.type == DNS_TYPE_ANY && world_put_any(a, zone, &owner)))
        return false;
    if (world_follow(a, zone, &owner, name))
        return true;
    if (world_follow_dname(a, zone, name))
        return a->question.type != DNS_TYPE_CNAME;
    if (a->rcode == DNS_RCODE_YXDOMAIN)
        return false;
    if (world_exists(zone, &owner)) {
        world_put_soa(a, zone);
        world_put_nodata(a, zone, &owner);
        return false;
    }
    struct dns_name encloser = world_encloser(zone, &owner);
    assert_int_equal(dns_name_wildcard(&encloser, &wildcard), DNS_OK);
    if (world_put_type(a, DNS_ANSWER, zone, &wildcard, &owner, a->question.type)) {
        world_put_absence(a, zone, &owner, false);
        return false;
    }
    if (world_follow(a, zone, &wildcard, name)) {
        world_put_absence(a, zone, &owner, false);
        return true;
    }
    world_put_soa(a, zone);
    world_put_absence(a, zone, &owner, true);
    if (zone->denial != WORLD_UNSIGNED)
        (void)world_put_proof(a, zone, &wildcard); /* there without the type, or covered */
    if (!world_exists(zone, &wildcard))
        a->rcode = DNS_RCODE_NXDOMAIN;
    return false;
}

static inline void world_ask_name(struct world *world, const struct dns_name *qname, uint16_t type,
                                  struct world_answer *ret)
{
    struct dns_name name = *qname;
    *ret = (struct world_answer){.question = {*qname, type, DNS_CLASS_IN},
                                 .flags = DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA};
    for (unsigned hops = 0; hops < 20; hops++) {
        const struct world_zone *zone = world_zone_of(world, &name, type);
        if (!zone || !world_hop(ret, zone, &name))
            return;
    }
}

static inline void world_ask(struct world *world, const char *name, uint16_t type,
                             struct world_answer *ret)
{
    struct dns_name qname = world_name(name);
    world_ask_name(world, &qname, type, ret);
}

/* --- octets ---------------------------------------------------------------------------------- */

struct world_octets {
    uint8_t buf[1u << 15];
    uint32_t len;
    struct dns_rr table[256];
    struct dns_msg msg;
};

static inline void world_write(const struct world_answer *a, struct world_octets *ret)
{
    struct dns_msg_out out;
    dns_msg_out_init(&out, ret->buf, sizeof ret->buf, 0, (uint16_t)(a->flags | a->rcode));
    dns_msg_out_question(&out, &a->question);
    for (uint8_t section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        for (uint32_t i = 0; i < a->count; i++)
            if (a->rr[i].section == section)
                dns_msg_out_rr(&out, section, &a->rr[i].owner, a->rr[i].type, DNS_CLASS_IN,
                               a->rr[i].ttl_s, a->rr[i].rdata, a->rr[i].len);
    ret->len = dns_msg_out_finish(&out);
    assert_true(ret->len > 0);
    assert_int_equal(dns_msg_read(ret->buf, ret->len, ret->table, 256, &ret->msg), DNS_OK);
}

/* As world_write(), but uncompressed, and with record `at` (UINT32_MAX: none) replaced by these
 * octets. False: it does not fit, or cannot even be read. */
static inline bool world_write_raw(const struct world_answer *a, uint32_t at, const uint8_t *octets,
                                   uint32_t len, struct world_octets *ret)
{
    struct dns_writer w = dns_writer_init(ret->buf, sizeof ret->buf);
    uint16_t count[4] = {1, 0, 0, 0};
    for (uint32_t i = 0; i < a->count; i++)
        count[1 + a->rr[i].section]++;
    dns_write_u16(&w, 0);
    dns_write_u16(&w, (uint16_t)(a->flags | a->rcode));
    for (unsigned i = 0; i < 4; i++)
        dns_write_u16(&w, count[i]);
    dns_write_name(&w, &a->question.name);
    dns_write_u16(&w, a->question.type);
    dns_write_u16(&w, a->question.class_);
    for (uint8_t section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        for (uint32_t i = 0; i < a->count; i++) {
            const struct world_rr *rr = &a->rr[i];
            if (rr->section == section && i == at) {
                dns_write_bytes(&w, octets, len);
            } else if (rr->section == section) {
                dns_write_name(&w, &rr->owner);
                dns_write_u16(&w, rr->type);
                dns_write_u16(&w, DNS_CLASS_IN);
                dns_write_u32(&w, rr->ttl_s);
                dns_write_u16(&w, rr->len);
                dns_write_bytes(&w, rr->rdata, rr->len);
            }
        }
    ret->len = w.off;
    return w.err == DNS_OK &&
           dns_msg_read(ret->buf, ret->len, ret->table, 256, &ret->msg) == DNS_OK;
}

/* --- bending --------------------------------------------------------------------------------- */

/* A record of the type; with `sig` an RRSIG that covers it. */
static inline bool world_is(const struct world_rr *rr, uint16_t type, bool sig)
{
    if (!sig)
        return rr->type == type;
    return rr->type == DNS_TYPE_RRSIG && (rr->rdata[0] << 8 | rr->rdata[1]) == type;
}

/* Drops every record of the type (`sig`: every RRSIG that covers it); type 0: all. */
static inline void world_drop(struct world_answer *a, uint16_t type, bool sig)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        bool gone =
            type == 0 ? (!sig || a->rr[i].type == DNS_TYPE_RRSIG) : world_is(&a->rr[i], type, sig);
        if (!gone)
            a->rr[kept++] = a->rr[i];
    }
    a->count = kept;
}

/* Flips the last bit of every such record's RDATA. */
static inline void world_flip(struct world_answer *a, uint16_t type, bool sig)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (world_is(&a->rr[i], type, sig))
            a->rr[i].rdata[a->rr[i].len - 1] ^= 1;
}

#endif
