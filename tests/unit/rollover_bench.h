/* SPDX-License-Identifier: MIT */
/* A zone whose keys a test rolls as it likes, with moved time: its DNSKEY answers, signed by the
 * keys it says, and the rollover that looks at them. Include after tests/test.h. */
#ifndef TESTS_UNIT_ROLLOVER_BENCH_H
#define TESTS_UNIT_ROLLOVER_BENCH_H

#include "tests/unit/signer.h"
#include "validate/rollover.h"

#define DAY VAL_ROLLOVER_DAY_S
#define BEGIN (UINT64_C(100) * DAY + 1700000000) /* when most stories start */
#define BENCH_KEYS 20u
#define NOBODY 0u

/* Bits of what is published and who signs: key i is 1 << i; its revoked form REVOKED(1 << i). */
#define K(i) (1u << (i))
#define REVOKED_FORM(bits) ((uint64_t)(bits) << 32)

struct rollover_bench {
    struct dns_name zone;
    struct world_zone key[BENCH_KEYS]; /* only what signing needs */
    uint16_t tag[BENCH_KEYS], revoked_tag[BENCH_KEYS];
    uint16_t flags;
    uint32_t ttl_s;
    uint64_t validity_s; /* of signatures */
    struct val_anchors *configured;
    struct val_rollover *rollover;
    struct val_policy policy;
    uint64_t now_s;
    char changes[512]; /* "0:start>valid 1:valid>missing " since it was emptied */
    struct world_octets octets;
};

static inline void bench_make_key(struct rollover_bench *b, uint32_t i)
{
    uint8_t rdata[128];
    struct world_zone *k = &b->key[i];
    EVP_PKEY_free(k->key);
    *k = (struct world_zone){.name = b->zone,
                             .algorithm = DNS_ALG_ED25519,
                             .key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    assert_non_null(k->key);
    uint16_t len = world_dnskey(k, rdata);
    rdata[0] = (uint8_t)(b->flags >> 8);
    rdata[1] = (uint8_t)b->flags;
    b->tag[i] = dns_key_tag(rdata, len);
    rdata[1] |= DNS_KEY_REVOKE;
    b->revoked_tag[i] = dns_key_tag(rdata, len);
}

/* Tests tell keys by their tags: no two may be the same (of 40 some are, once in a hundred times).
 */
static inline bool bench_is_told(const struct rollover_bench *b, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (b->tag[i] == b->tag[j] || b->tag[i] == b->revoked_tag[j] ||
            b->revoked_tag[i] == b->tag[j] || b->revoked_tag[i] == b->revoked_tag[j])
            return false;
    return true;
}

static inline void bench_key(struct rollover_bench *b, uint32_t i)
{
    do
        bench_make_key(b, i);
    while (!bench_is_told(b, i));
}

static inline uint16_t bench_rdata(const struct rollover_bench *b, uint32_t i, bool revoked,
                                   uint8_t *rdata)
{
    uint16_t len = world_dnskey(&b->key[i], rdata);
    rdata[0] = (uint8_t)(b->flags >> 8);
    rdata[1] = (uint8_t)(b->flags | (revoked ? DNS_KEY_REVOKE : 0));
    return len;
}

static inline void bench_configure(struct rollover_bench *b, uint32_t i, uint64_t from_s,
                                   uint64_t until_s)
{
    uint8_t rdata[128];
    uint8_t ds[64];
    struct dns_writer w = dns_writer_init(ds, sizeof ds);
    uint16_t len = bench_rdata(b, i, false, rdata);
    assert_int_equal(val_anchor_ds_of(&b->zone, rdata, len, &w), DNS_OK);
    struct val_anchor anchor = {b->zone, {ds, w.off}, from_s, until_s, "test:1"};
    assert_int_equal(val_anchors_add(b->configured, &anchor), DNS_OK);
}

static inline void bench_follow(struct rollover_bench *b)
{
    val_rollover_free(b->rollover);
    b->rollover = val_rollover_new(b->configured);
    assert_non_null(b->rollover);
}

/* A zone with these keys configured, and nothing learnt. */
static inline void bench_open(struct rollover_bench *b, const char *zone, uint32_t configured)
{
    memset(b, 0, sizeof *b);
    b->zone = world_name(zone);
    b->flags = DNS_KEY_ZONE | DNS_KEY_SEP;
    b->ttl_s = 172800;
    b->validity_s = 21 * DAY;
    b->now_s = BEGIN;
    b->policy = val_policy_default(false);
    b->configured = val_anchors_new();
    for (uint32_t i = 0; i < BENCH_KEYS; i++) {
        bench_key(b, i);
        if (configured & K(i))
            bench_configure(b, i, 0, VAL_ANCHOR_ALWAYS);
    }
    bench_follow(b);
}

static inline void bench_close(struct rollover_bench *b)
{
    for (uint32_t i = 0; i < BENCH_KEYS; i++)
        EVP_PKEY_free(b->key[i].key);
    val_rollover_free(b->rollover);
    val_anchors_unref(b->configured);
}

/* A DNSKEY answer with these keys, signed by those. */
static inline void bench_answer(struct rollover_bench *b, uint64_t published, uint64_t signers,
                                struct world_answer *a)
{
    static struct world_rr set[2 * BENCH_KEYS];
    uint32_t count = 0;
    *a = (struct world_answer){.question = {b->zone, DNS_TYPE_DNSKEY, DNS_CLASS_IN},
                               .flags = DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA};
    for (uint32_t i = 0; i < BENCH_KEYS; i++)
        for (unsigned revoked = 0; revoked < 2; revoked++)
            if (published & (revoked ? REVOKED_FORM(K(i)) : K(i))) {
                set[count] =
                    (struct world_rr){.owner = b->zone, .type = DNS_TYPE_DNSKEY, .ttl_s = b->ttl_s};
                set[count].len = bench_rdata(b, i, revoked, set[count].rdata);
                world_put(a, DNS_ANSWER, &b->zone, &set[count++]);
            }
    for (uint32_t i = 0; i < BENCH_KEYS && count > 0; i++)
        for (unsigned revoked = 0; revoked < 2; revoked++) {
            if (!(signers & (revoked ? REVOKED_FORM(K(i)) : K(i))))
                continue;
            struct world_rr sig = {.type = DNS_TYPE_RRSIG, .ttl_s = b->ttl_s};
            b->key[i].tag = revoked ? b->revoked_tag[i] : b->tag[i];
            b->key[i].inception = (uint32_t)(b->now_s - 3600);
            b->key[i].expiration = (uint32_t)(b->now_s + b->validity_s);
            sig.len = world_rrsig(&b->key[i], &b->zone, set, count, sig.rdata);
            world_put(a, DNS_ANSWER, &b->zone, &sig);
        }
}

static inline void bench_on_change(void *arg, const struct dns_name *zone, uint16_t tag,
                                   enum val_rollover_state from, enum val_rollover_state to)
{
    struct rollover_bench *b = arg;
    size_t len = strlen(b->changes);
    assert_true(dns_name_equal(zone, &b->zone));
    for (uint32_t i = 0; i < BENCH_KEYS; i++)
        if (b->tag[i] == tag)
            (void)snprintf(b->changes + len, sizeof b->changes - len, "%u:%s>%s ", i,
                           val_rollover_state_text(from), val_rollover_state_text(to));
}

static inline enum val_rollover_seen bench_see_answer(struct rollover_bench *b,
                                                      const struct world_answer *a)
{
    const struct val_rollover_how how = {&b->policy, &val_limits_default, bench_on_change, b};
    b->changes[0] = '\0';
    if (a)
        world_write(a, &b->octets);
    return val_rollover_see(b->rollover, 0, a ? &b->octets.msg : NULL, b->now_s, &how);
}

static inline enum val_rollover_seen bench_see(struct rollover_bench *b, uint64_t published,
                                               uint64_t signers)
{
    static struct world_answer a;
    bench_answer(b, published, signers, &a);
    return bench_see_answer(b, &a);
}

/* "0:valid 1:addpend " in the order of the keys; what is not known is left out. */
static inline const char *bench_states(const struct rollover_bench *b)
{
    static char text[512];
    struct val_rollover_key keys[64];
    uint32_t count = val_rollover_keys(b->rollover, 0, keys, 64);
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < BENCH_KEYS; i++)
        for (uint32_t j = 0; j < count; j++)
            if (keys[j].tag == b->tag[i])
                len += (size_t)snprintf(text + len, sizeof text - len, "%u:%s ", i,
                                        val_rollover_state_text(keys[j].state));
    return text;
}

/* Which keys are trusted now, as bits. */
static inline uint32_t bench_trusted(const struct rollover_bench *b)
{
    uint64_t until_s;
    uint32_t bits = 0;
    struct val_anchors *used = val_rollover_anchors(b->rollover, b->now_s, &until_s);
    assert_non_null(used);
    for (uint32_t i = 0; i < BENCH_KEYS; i++) {
        bits |= val_anchors_has_tag(used, &b->zone, b->tag[i]) ? K(i) : 0;
        assert_false(val_anchors_has_tag(used, &b->zone, b->revoked_tag[i]));
    }
    val_anchors_unref(used);
    return bits;
}

#endif
