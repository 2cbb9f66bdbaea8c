// SPDX-License-Identifier: MIT
// Public keys as octets, and which of a zone's keys a DS lifts.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/canonical.h"
#include "validate/keys.h"

#include <openssl/evp.h>

/* --- val_key_parse ---------------------------------------------------------------------------- */

struct rsa_case {
    const char *what;
    uint8_t exponent[16]; /* with its length in front, as in RFC 3110 */
    uint32_t exponent_len;
    uint32_t zeros; /* in front of the modulus */
    uint32_t modulus_len;
    uint8_t first, last; /* octets of the modulus; 0xff between */
    enum val_why want;
    uint16_t bits;
};

// clang-format off
static const struct rsa_case rsa_cases[] = {
    {"65537 and 1024 bits",      HEX(3, 1, 0, 1),          0, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"exponent 3",               HEX(1, 3),                0, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"length in three octets",   HEX(0, 0, 3, 1, 0, 1),    0, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"zeros before the modulus", HEX(3, 1, 0, 1),          9, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"zeros before the exponent",HEX(5, 0, 0, 1, 0, 1),    0, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"2^32 + 1",                 HEX(5, 1, 0, 0, 0, 1),    0, 128, 0x80, 1, VAL_WHY_NONE,      1024},
    {"34 bits of exponent",      HEX(5, 2, 0, 0, 0, 1),    0, 128, 0x80, 1, VAL_WHY_ALGORITHM, 0},
    {"exponent 1",               HEX(1, 1),                0, 128, 0x80, 1, VAL_WHY_MALFORMED, 0},
    {"exponent 0",               HEX(1, 0),                0, 128, 0x80, 1, VAL_WHY_MALFORMED, 0},
    {"even exponent",            HEX(3, 1, 0, 0),          0, 128, 0x80, 1, VAL_WHY_MALFORMED, 0},
    {"even modulus",             HEX(3, 1, 0, 1),          0, 128, 0x80, 2, VAL_WHY_MALFORMED, 0},
    {"1023 bits",                HEX(3, 1, 0, 1),          0, 128, 0x40, 1, VAL_WHY_ALGORITHM, 0},
    {"512 bits",                 HEX(3, 1, 0, 1),          0,  64, 0x80, 1, VAL_WHY_ALGORITHM, 0},
    {"512 bits, padded to 1024", HEX(3, 1, 0, 1),         64,  64, 0x80, 1, VAL_WHY_ALGORITHM, 0},
    {"4096 bits",                HEX(3, 1, 0, 1),          0, 512, 0x80, 1, VAL_WHY_NONE,      4096},
    {"4097 bits",                HEX(3, 1, 0, 1),          0, 513, 0x01, 1, VAL_WHY_ALGORITHM, 0},
    {"no modulus",               HEX(3, 1, 0, 1),          0,   0, 0,    0, VAL_WHY_MALFORMED, 0},
    {"exponent ends too early",  HEX(9, 1, 0, 1),          0,   0, 0,    0, VAL_WHY_MALFORMED, 0},
    {"only a zero",              HEX(0),                   0,   0, 0,    0, VAL_WHY_MALFORMED, 0},
};
// clang-format on

static enum val_why parse(uint8_t algorithm, const uint8_t *octets, uint32_t len,
                          struct val_key *key)
{
    static struct val_policy policy;
    if (policy.algorithms == 0)
        policy = val_policy_default(false);
    const struct dns_dnskey dnskey = {
        .flags = 256, .protocol = 3, .algorithm = algorithm, .key = octets, .key_len = len};
    return val_key_parse(&dnskey, 1, &policy, key);
}

static void test_rsa(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rsa_cases); i++) {
        const struct rsa_case *c = &rsa_cases[i];
        uint8_t octets[1024] = {0};
        uint32_t len = c->exponent_len;
        print_message("%s\n", c->what);
        memcpy(octets, c->exponent, len);
        len += c->zeros;
        if (c->modulus_len > 0) {
            memset(octets + len, 0xff, c->modulus_len);
            octets[len] = c->first;
            octets[len + c->modulus_len - 1] = c->last;
            len += c->modulus_len;
        }
        struct val_key key = {.bits = 7};
        assert_int_equal(parse(DNS_ALG_RSASHA256, octets, len, &key), c->want);
        assert_int_equal(key.bits, c->want == VAL_WHY_NONE ? c->bits : 7);
        if (c->want == VAL_WHY_NONE)
            val_key_deinit(&key);
    }
}

static void test_curves(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t algorithm;
        uint32_t len;
        uint8_t fill;
        enum val_why want;
    } rows[] = {
        {"P-256, not on the curve", DNS_ALG_ECDSAP256, 64, 1, VAL_WHY_MALFORMED},
        {"P-256, zero", DNS_ALG_ECDSAP256, 64, 0, VAL_WHY_MALFORMED},
        {"P-256, too short", DNS_ALG_ECDSAP256, 63, 1, VAL_WHY_MALFORMED},
        {"P-256, too long", DNS_ALG_ECDSAP256, 65, 1, VAL_WHY_MALFORMED},
        {"P-384, not on the curve", DNS_ALG_ECDSAP384, 96, 1, VAL_WHY_MALFORMED},
        {"P-384, of P-256's length", DNS_ALG_ECDSAP384, 64, 1, VAL_WHY_MALFORMED},
        {"Ed25519, too short", DNS_ALG_ED25519, 31, 1, VAL_WHY_MALFORMED},
        {"Ed25519, empty", DNS_ALG_ED25519, 0, 1, VAL_WHY_MALFORMED},
        {"Ed448, too long", DNS_ALG_ED448, 58, 1, VAL_WHY_MALFORMED},
        {"RSA/MD5", 1, 64, 1, VAL_WHY_ALGORITHM},
        {"DSA", 3, 64, 1, VAL_WHY_ALGORITHM},
        {"RSA/SHA-1, by policy", DNS_ALG_RSASHA1, 131, 1, VAL_WHY_ALGORITHM},
        {"GOST", 12, 64, 1, VAL_WHY_ALGORITHM},
        {"private", 253, 64, 1, VAL_WHY_ALGORITHM},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t octets[256];
        struct val_key key;
        print_message("%s\n", rows[i].what);
        memset(octets, rows[i].fill, sizeof(octets));
        assert_int_equal(parse(rows[i].algorithm, octets, rows[i].len, &key), rows[i].want);
    }
}

/* --- DS --------------------------------------------------------------------------------------- */

/* Each RFC prints the DS of its DNSKEY. */
static void test_digests(void **state)
{
    static const struct {
        const char *zone, *dnskey, *ds;
    } rows[] = {
        {"dskey.example.com.", /* RFC 4034 5.4 */
         "dskey.example.com. DNSKEY 256 3 5 "
         "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmm"
         "AphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
         "dskey.example.com. DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
        {"DSkey.eXample.com.", /* RFC 4509 2.3; the owner is hashed in lower case */
         "DSkey.eXample.com. DNSKEY 256 3 5 "
         "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmm"
         "AphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==",
         "DSkey.eXample.com. DS 60485 5 2 "
         "D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"},
        {"example.net.", NULL, "rfc6605_256.zone"},
        {"example.net.", NULL, "rfc6605_384.zone"},
        {"example.com.", NULL, "rfc8080_25519.zone"},
        {"example.com.", NULL, "rfc8080_25519b.zone"},
        {"example.com.", NULL, "rfc8080_448.zone"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].ds);
        char text[2048];
        (void)snprintf(text, sizeof(text), "%s\n%s", rows[i].dnskey ? rows[i].dnskey : "",
                       rows[i].ds);
        struct records records =
            rows[i].dnskey ? records_from_text(text) : records_from_file(rows[i].ds);
        const struct val_rdata *key = records_find(&records, rows[i].zone, DNS_TYPE_DNSKEY)->rr;
        const struct val_rdata *rr = records_find(&records, rows[i].zone, DNS_TYPE_DS)->rr;
        struct dns_name zone = name_of(rows[i].zone);
        struct dns_ds ds;
        uint8_t digest[48];
        assert_int_equal(dns_ds_read(dns_reader_init(rr->data, rr->len), &ds), DNS_OK);
        assert_int_equal(dns_key_tag(key->data, key->len), ds.key_tag);
        assert_int_equal(val_ds_digest(&zone, key->data, key->len, ds.digest_type, digest),
                         ds.digest_len);
        assert_memory_equal(digest, ds.digest, ds.digest_len);
        records_free(&records);
    }
    uint8_t digest[48];
    assert_int_equal(val_ds_digest(&dns_root, digest, 0, 3, digest), 0); /* GOST */
    assert_int_equal(val_ds_digest(&dns_root, digest, 0, 0, digest), 0);
}

/* --- val_zone_lift with keys of our own ------------------------------------------------------- */

#define KEYS_MAX 4
#define NOW 1700000000u

struct own_key {
    uint16_t flags;
    uint8_t protocol, seed; /* equal seeds are equal keys; 0 ends the list */
};

struct own_set {
    struct val_rdata rr[KEYS_MAX];
    uint8_t octets[KEYS_MAX][36];
    struct val_sig sig;
    uint8_t signature[64];
    struct val_rrset set;
};

static EVP_PKEY *own_pkey(uint8_t seed)
{
    uint8_t secret[32];
    memset(secret, seed, sizeof(secret));
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
}

static void own_dnskey(const struct own_key *key, uint8_t octets[36])
{
    size_t len = 32;
    EVP_PKEY *pkey = own_pkey(key->seed);
    struct dns_writer w = dns_writer_init(octets, 4);
    dns_write_u16(&w, key->flags);
    dns_write_u8(&w, key->protocol);
    dns_write_u8(&w, DNS_ALG_ED25519);
    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, octets + 4, &len), 1);
    EVP_PKEY_free(pkey);
}

static void own_sign(struct own_set *own, uint8_t seed, uint16_t tag)
{
    struct val_canonical *canonical;
    uint8_t *data;
    uint32_t len;
    size_t signature_len = sizeof(own->signature);
    own->sig = (struct val_sig){.rrsig = {.covered = DNS_TYPE_DNSKEY,
                                          .algorithm = DNS_ALG_ED25519,
                                          .labels = 1,
                                          .original_ttl_s = 3600,
                                          .inception = NOW - 1000,
                                          .expiration = NOW + 1000,
                                          .key_tag = tag,
                                          .signer = name_of("example."),
                                          .signature = own->signature,
                                          .signature_len = sizeof(own->signature)},
                                .ttl_s = 3600};
    assert_int_equal(val_canonical_new(&own->set, &canonical), DNS_OK);
    assert_int_equal(val_canonical_signed(canonical, &own->set, &own->sig, &data, &len), DNS_OK);
    EVP_PKEY *pkey = own_pkey(seed);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
    assert_int_equal(EVP_DigestSign(ctx, own->signature, &signature_len, data, len), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    free(data);
    free(canonical);
}

static void own_make(struct own_set *own, const struct own_key keys[KEYS_MAX], uint32_t signer)
{
    memset(own, 0, sizeof(*own));
    own->set = (struct val_rrset){.owner = name_of("example."),
                                  .type = DNS_TYPE_DNSKEY,
                                  .class_ = DNS_CLASS_IN,
                                  .ttl_s = 3600,
                                  .rr = own->rr,
                                  .sigs = &own->sig,
                                  .sig_count = 1};
    for (uint32_t i = 0; i < KEYS_MAX && keys[i].seed != 0; i++) {
        own_dnskey(&keys[i], own->octets[i]);
        own->rr[i] = (struct val_rdata){own->octets[i], sizeof(own->octets[i])};
        own->set.count++;
    }
    own_sign(own, keys[signer].seed, dns_key_tag(own->octets[signer], 36));
}

/* DS RDATA for a DNSKEY; `change` goes over one octet of the digest. */
static uint32_t ds_make(const uint8_t *dnskey, uint32_t len, uint8_t digest_type, uint8_t change,
                        uint8_t out[64])
{
    struct dns_name zone = name_of("example.");
    uint8_t digest[48];
    struct dns_writer w = dns_writer_init(out, 64);
    uint32_t digest_len = val_ds_digest(&zone, dnskey, len, digest_type, digest);
    digest[0] ^= change;
    dns_write_u16(&w, dns_key_tag(dnskey, len));
    dns_write_u8(&w, dnskey[3]);
    dns_write_u8(&w, digest_type);
    dns_write_bytes(&w, digest, digest_len);
    return w.off;
}

static const struct val_zone *lift(const struct val_rrset *set, const struct val_rdata *ds,
                                   uint32_t count, struct val_reason *reason)
{
    static struct val_policy policy;
    if (policy.algorithms == 0)
        policy = val_policy_default(false);
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct dns_name zone = name_of("example.");
    const struct val_ds_set ds_set = {ds, count};
    return val_zone_lift(&zone, &ds_set, NOW + 500, set, NOW, &policy, &budget, reason, NULL, NULL);
}

static const struct {
    const char *what;
    struct own_key keys[KEYS_MAX];
    uint32_t ds, signer; /* which key the DS means, which one signs the set */
    enum val_why want;
    uint32_t usable;
} lifts[] = {
    {"the DS's key signs", {{257, 3, 1}, {256, 3, 2}}, 0, 0, VAL_WHY_NONE, 2},
    {"without the SEP flag", {{256, 3, 1}, {256, 3, 2}}, 0, 0, VAL_WHY_NONE, 2},
    {"another key signs", {{257, 3, 1}, {256, 3, 2}}, 0, 1, VAL_WHY_NO_KEY, 0},
    {"revoked", {{385, 3, 1}, {256, 3, 2}}, 0, 0, VAL_WHY_DNSKEY_DS, 0},
    {"no zone key", {{1, 3, 1}, {256, 3, 2}}, 0, 0, VAL_WHY_ZONE_BIT, 0},
    {"protocol 4", {{257, 4, 1}, {256, 3, 2}}, 0, 0, VAL_WHY_DNSKEY_DS, 0},
    {"a revoked one beside it", {{257, 3, 1}, {385, 3, 2}}, 0, 0, VAL_WHY_NONE, 1},
    {"no zone key beside it", {{257, 3, 1}, {0, 3, 2}}, 0, 0, VAL_WHY_NONE, 1},
    {"protocol 4 beside it", {{257, 3, 1}, {256, 4, 2}}, 0, 0, VAL_WHY_NONE, 1},
    {"the same twice", {{257, 3, 1}, {257, 3, 1}}, 0, 0, VAL_WHY_NONE, 1},
};

static void test_lift(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lifts); i++) {
        struct own_set own;
        struct val_reason reason;
        uint8_t ds[64];
        print_message("%s\n", lifts[i].what);
        own_make(&own, lifts[i].keys, lifts[i].signer);
        uint32_t len = ds_make(own.octets[lifts[i].ds], 36, DNS_DIGEST_SHA256, 0, ds);
        struct val_rdata rr = {ds, len};
        const struct val_zone *zone = lift(&own.set, &rr, 1, &reason);
        assert_int_equal(reason.why, lifts[i].want);
        assert_int_equal(zone != NULL, lifts[i].want == VAL_WHY_NONE);
        if (zone) {
            assert_int_equal(zone->key_count, lifts[i].usable);
            assert_int_equal(zone->expires_s, NOW + 500);
        }
        val_zone_unref(zone);
    }
}

enum { SHA1 = DNS_DIGEST_SHA1, SHA256 = DNS_DIGEST_SHA256, SHA384 = DNS_DIGEST_SHA384 };
struct ds_choice {
    uint8_t digest_type, change, algorithm; /* algorithm 0: the key's own */
    int8_t longer;                          /* octets more or less of digest */
};
static const struct {
    const char *what;
    struct ds_choice ds[2];
    uint32_t count;
    enum val_why want;
} ds_rows[] = {
    {"SHA-256", {{SHA256, 0, 0, 0}}, 1, VAL_WHY_NONE},
    {"SHA-384", {{SHA384, 0, 0, 0}}, 1, VAL_WHY_NONE},
    {"SHA-1 alone", {{SHA1, 0, 0, 0}}, 1, VAL_WHY_NONE},
    {"SHA-256 wrong", {{SHA256, 1, 0, 0}}, 1, VAL_WHY_DNSKEY_DS},
    {"SHA-256 right, SHA-1 wrong", {{SHA1, 1, 0, 0}, {SHA256, 0, 0, 0}}, 2, VAL_WHY_NONE},
    {"SHA-256 wrong, SHA-1 right", {{SHA1, 0, 0, 0}, {SHA256, 1, 0, 0}}, 2, VAL_WHY_DNSKEY_DS},
    {"SHA-256 of no use, SHA-1 right", {{SHA1, 0, 0, 0}, {SHA256, 0, 250, 0}}, 2, VAL_WHY_NONE},
    {"one of two right", {{SHA256, 1, 0, 0}, {SHA384, 0, 0, 0}}, 2, VAL_WHY_NONE},
    {"unknown algorithm beside it", {{SHA256, 0, 250, 0}, {SHA256, 0, 0, 0}}, 2, VAL_WHY_NONE},
    {"unknown algorithm", {{SHA256, 0, 250, 0}}, 1, VAL_WHY_ALGORITHM},
    {"an algorithm by policy", {{SHA256, 0, 5, 0}}, 1, VAL_WHY_ALGORITHM},
    {"another algorithm", {{SHA256, 0, 13, 0}}, 1, VAL_WHY_DNSKEY_DS},
    {"digest too short", {{SHA256, 0, 0, -1}}, 1, VAL_WHY_DNSKEY_DS},
    {"digest too long", {{SHA256, 0, 0, 1}}, 1, VAL_WHY_DNSKEY_DS},
};

static void test_ds(void **state)
{
    (void)state;
    static const struct own_key keys[KEYS_MAX] = {{257, 3, 1}, {256, 3, 2}};
    struct own_set own;
    own_make(&own, keys, 0);
    for (size_t i = 0; i < COUNT(ds_rows); i++) {
        struct val_rdata rr[2];
        uint8_t octets[2][64] = {{0}};
        struct val_reason reason;
        print_message("%s\n", ds_rows[i].what);
        for (uint32_t j = 0; j < ds_rows[i].count; j++) {
            const struct ds_choice *ds = &ds_rows[i].ds[j];
            uint32_t len = ds_make(own.octets[0], 36, ds->digest_type, ds->change, octets[j]);
            if (ds->algorithm)
                octets[j][2] = ds->algorithm;
            rr[j] = (struct val_rdata){octets[j], (uint32_t)((int)len + ds->longer)};
        }
        const struct val_zone *zone = lift(&own.set, rr, ds_rows[i].count, &reason);
        assert_int_equal(reason.why, ds_rows[i].want);
        assert_int_equal(zone != NULL, ds_rows[i].want == VAL_WHY_NONE);
        val_zone_unref(zone);
    }
}

/* Unknown digests make a zone insecure as unknown algorithms do. */
static void test_ds_usable(void **state)
{
    (void)state;
    static const struct {
        uint8_t algorithm, digest_type;
        enum val_why want;
    } rows[] = {
        {15, 2, VAL_WHY_NONE},     {15, 3, VAL_WHY_DIGEST},    {15, 0, VAL_WHY_DIGEST},
        {15, 255, VAL_WHY_DIGEST}, {12, 2, VAL_WHY_ALGORITHM}, {5, 1, VAL_WHY_ALGORITHM},
    };
    const struct val_policy policy = val_policy_default(false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t octets[36] = {0, 1, rows[i].algorithm, rows[i].digest_type};
        const struct val_rdata rr = {octets, sizeof(octets)};
        const struct val_ds_set ds = {&rr, 1};
        assert_int_equal(val_ds_usable(&ds, &policy), rows[i].want);
    }
}

/* A key of a size that is not supported: insecure when every DS means such a one, and only then. */
static void test_too_weak(void **state)
{
    (void)state;
    struct records records =
        records_from_text("example. DNSKEY 256 3 8 "
                          "AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAg"
                          "tvd4Qs8PkxUdp6p/DlUmObdk=");
    const struct val_rrset *weak = records_find(&records, "example.", DNS_TYPE_DNSKEY);
    static const struct own_key strong = {257, 3, 1};
    uint8_t octets[2][64], dnskey[36];
    struct val_reason reason;
    own_dnskey(&strong, dnskey);
    const struct val_rdata ds[] = {
        {octets[0], ds_make(weak->rr[0].data, weak->rr[0].len, SHA256, 0, octets[0])},
        {octets[1], ds_make(dnskey, sizeof(dnskey), SHA256, 0, octets[1])},
    };
    assert_null(lift(weak, ds, 1, &reason));
    assert_int_equal(reason.why, VAL_WHY_ALGORITHM);
    assert_null(lift(weak, ds, 2, &reason));
    assert_int_equal(reason.why, VAL_WHY_DNSKEY_DS);

    /* More DS than are looked at: the strong one is behind the limit, and yet counts. */
    struct val_rdata many[9];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = ds[0];
    assert_null(lift(weak, many, 8, &reason));
    assert_int_equal(reason.why, VAL_WHY_ALGORITHM);
    many[8] = ds[1];
    assert_null(lift(weak, many, 9, &reason));
    assert_int_equal(reason.why, VAL_WHY_DNSKEY_DS);
    records_free(&records);
}

/* One bit changed anywhere in a key, or in the signature, and nothing is lifted. */
static void test_every_bit(void **state)
{
    (void)state;
    static const struct own_key keys[KEYS_MAX] = {{257, 3, 1}, {256, 3, 2}};
    struct own_set own;
    struct val_reason reason;
    uint8_t octets[64];
    own_make(&own, keys, 0);
    const struct val_rdata ds = {octets, ds_make(own.octets[0], 36, SHA256, 0, octets)};
    for (size_t bit = 0; bit < 8 * sizeof(own.octets[0]); bit++)
        for (uint32_t key = 0; key < 2; key++) {
            own.octets[key][bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_null(lift(&own.set, &ds, 1, &reason));
            own.octets[key][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    for (size_t bit = 0; bit < 8 * sizeof(own.signature); bit++) {
        own.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_null(lift(&own.set, &ds, 1, &reason));
        assert_int_equal(reason.why, VAL_WHY_SIGNATURE);
        own.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    const struct val_zone *zone = lift(&own.set, &ds, 1, &reason);
    assert_non_null(zone);
    val_zone_unref(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rsa),      cmocka_unit_test(test_curves),
        cmocka_unit_test(test_digests),  cmocka_unit_test(test_lift),
        cmocka_unit_test(test_ds),       cmocka_unit_test(test_ds_usable),
        cmocka_unit_test(test_too_weak), cmocka_unit_test(test_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
