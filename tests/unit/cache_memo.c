// SPDX-License-Identifier: MIT
/* A signature that verified is not checked again; anything that is not just that one is. */
#include "cache/cache.h"
#include "cache/memo.h"
#include "cache/siphash.h"
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/keys.h"
#include "validate/signature.h"

#define NOW 1283000000u /* of RFC 6605 6.1 */
static const uint8_t seed[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

struct world {
    struct cache *cache;
    struct val_memo memo;
    struct val_policy policy;
    struct records records;
    const struct val_zone *zone;
    struct val_rrset set; /* www.example.net. A with one signature */
    struct val_sig sig;
};

static struct val_key key_of(const struct val_rrset *keys, uint32_t i, const struct val_policy *p)
{
    struct dns_dnskey dnskey;
    struct val_key key;
    struct dns_reader r = dns_reader_init(keys->rr[i].data, keys->rr[i].len);
    assert_int_equal(dns_dnskey_read(r, &dnskey), DNS_OK);
    assert_int_equal(
        val_key_parse(&dnskey, dns_key_tag(keys->rr[i].data, keys->rr[i].len), p, &key),
        VAL_WHY_NONE);
    return key;
}

static void open_world(struct world *w)
{
    const struct cache_limits limits = {.bytes = (size_t)4 << 20, .max_ttl_s = 86400};
    w->cache = cache_new(&limits, seed);
    assert_non_null(w->cache);
    cache_memo_open(w->cache, &w->memo);
    w->policy = val_policy_default(false);
    w->records = records_from_file("rfc6605_256.zone");
    const struct val_rrset *keys = records_find(&w->records, "example.net.", DNS_TYPE_DNSKEY);
    struct val_key *key = malloc(sizeof *key);
    struct dns_name apex = name_of("example.net.");
    assert_non_null(key);
    *key = key_of(keys, 0, &w->policy);
    w->zone = val_zone_new(&apex, VAL_ZONE_SECURE, UINT64_MAX, NULL, key, 1);
    assert_non_null(w->zone);
    w->set = *records_find(&w->records, "www.example.net.", DNS_TYPE_A);
    w->sig = w->set.sigs[0];
    w->set.sigs = &w->sig;
}

static void close_world(struct world *w)
{
    val_zone_unref(w->zone);
    records_free(&w->records);
    cache_free(w->cache);
}

struct cost {
    bool secure;
    enum val_why why;
    uint32_t signatures, remembered, units, failed;
};

static struct cost verify_with(const struct world *w, const struct val_zone *zone, uint64_t now_s,
                               const struct val_limits *limits)
{
    struct val_budget budget = val_budget_init(limits);
    struct val_verified v;
    budget.memo = &w->memo;
    val_rrset_verify(&w->set, zone, now_s, &w->policy, &budget, &v);
    return (struct cost){v.secure,
                         v.reason.why,
                         budget.signatures,
                         budget.remembered,
                         limits->crypto_units - budget.crypto_units,
                         limits->failed_signatures - budget.failed_signatures};
}

static struct cost verify(const struct world *w)
{
    return verify_with(w, w->zone, NOW, &val_limits_default);
}

static void the_second_time_costs_nothing(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct cost first = verify(&w), second = verify(&w);
    assert_true(first.secure && second.secure);
    assert_int_equal(first.signatures, 1);
    assert_int_equal(first.remembered, 0);
    assert_int_equal(first.units, 3);
    assert_int_equal(second.signatures, 0);
    assert_int_equal(second.remembered, 1);
    assert_int_equal(second.units, 0);
    struct val_limits poor = val_limits_default;
    poor.crypto_units = 0;
    assert_true(verify_with(&w, w.zone, NOW, &poor).secure);
    cache_flush(w.cache);
    assert_int_equal(verify(&w).signatures, 1);
    close_world(&w);
}

/* With the right one remembered: one octet of the signature or of the data makes another. */
static void what_is_not_the_same_is_checked(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_true(verify(&w).secure);
    uint8_t signature[64], address[4];
    memcpy(signature, w.sig.rrsig.signature, sizeof signature);
    memcpy(address, w.set.rr[0].data, sizeof address);
    struct val_rdata rdata = {address, sizeof address};
    w.sig.rrsig.signature = signature;
    w.set.rr = &rdata;
    assert_int_equal(verify(&w).remembered, 1); /* copies are the same */
    for (size_t i = 0; i < sizeof signature + sizeof address; i++) {
        uint8_t *octet = i < sizeof signature ? &signature[i] : &address[i - sizeof signature];
        *octet ^= 1;
        struct cost c = verify(&w);
        assert_false(c.secure);
        assert_int_equal(c.remembered, 0);
        assert_int_equal(c.failed, 1);
        assert_int_equal(verify(&w).failed, 1); /* failures are not remembered */
        *octet ^= 1;
    }
    w.sig.rrsig.original_ttl_s++;
    assert_false(verify(&w).secure);
    w.sig.rrsig.original_ttl_s--;
    w.set.owner = name_of("wwx.example.net.");
    assert_false(verify(&w).secure);
    close_world(&w);
}

/* The same tag and algorithm, and octets that verified, but not by this key. */
static void another_key_knows_nothing_of_it(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_true(verify(&w).secure);
    struct val_zone zone = *w.zone;
    struct val_key key = w.zone->keys[0];
    zone.keys = &key;
    key.id[15] ^= 1;
    struct cost c = verify_with(&w, &zone, NOW, &val_limits_default);
    assert_int_equal(c.remembered, 0);
    assert_int_equal(c.signatures, 1);
    close_world(&w);
}

static void keys_have_ids(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct records other = records_from_file("rfc4035.zone");
    const struct val_policy sha1 = val_policy_default(true);
    const struct val_rrset *keys = records_find(&other, "example.", DNS_TYPE_DNSKEY);
    struct val_key a = key_of(keys, 0, &sha1), b = key_of(keys, 1, &sha1);
    struct val_key again = key_of(keys, 0, &sha1);
    assert_memory_equal(a.id, again.id, sizeof a.id);
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
    assert_memory_not_equal(a.id, w.zone->keys[0].id, sizeof a.id);
    val_key_deinit(&a);
    val_key_deinit(&b);
    val_key_deinit(&again);
    records_free(&other);
    close_world(&w);
}

static void time_is_judged_all_the_same(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_true(verify(&w).secure);
    struct cost late =
        verify_with(&w, w.zone, w.sig.rrsig.expiration + UINT64_C(1), &val_limits_default);
    assert_false(late.secure);
    assert_int_equal(late.why, VAL_WHY_EXPIRED);
    struct cost early =
        verify_with(&w, w.zone, w.sig.rrsig.inception - UINT64_C(61), &val_limits_default);
    assert_int_equal(early.why, VAL_WHY_NOT_YET);
    close_world(&w);
}

/* Another process, another secret. */
static void tags_are_secret(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct val_memo other = w.memo;
    other.secret[0] ^= 1;
    const uint8_t *sig = w.sig.rrsig.signature;
    struct val_memo_tag a = val_memo_tag(&w.memo, &w.zone->keys[0], seed, 16, sig, 64);
    struct val_memo_tag b = val_memo_tag(&other, &w.zone->keys[0], seed, 16, sig, 64);
    struct val_memo_tag c = val_memo_tag(&w.memo, &w.zone->keys[0], seed, 15, sig, 64);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    close_world(&w);
}

/* As digests are: nothing in one half tells of the other. */
static struct val_memo_tag tag_of(uint64_t i)
{
    struct val_memo_tag tag;
    for (uint64_t half = 0; half < 2; half++) {
        uint64_t from[2] = {i, half};
        tag.word[half] = cache_siphash(seed, from, sizeof from);
    }
    return tag;
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct cache_memo *memo = cache_memo_new((size_t)64 << 10);
    assert_non_null(memo);
    size_t bytes = cache_memo_bytes(memo);
    assert_in_range(bytes, 64 << 10, (64 << 10) + 512);
    for (uint64_t i = 0; i < 100000; i++) {
        struct val_memo_tag tag = tag_of(i);
        assert_false(cache_memo_find(memo, &tag));
        cache_memo_learn(memo, &tag);
        assert_true(cache_memo_find(memo, &tag));
    }
    assert_int_equal(cache_memo_bytes(memo), bytes);
    unsigned kept = 0;
    for (uint64_t i = 96000; i < 100000; i++) {
        struct val_memo_tag tag = tag_of(i);
        kept += cache_memo_find(memo, &tag);
    }
    assert_in_range(kept, 2000, 4000); /* newer ones stay longer */
    cache_memo_clear(memo);
    struct val_memo_tag last = tag_of(99999);
    assert_false(cache_memo_find(memo, &last));
    cache_memo_free(memo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_time_costs_nothing),
        cmocka_unit_test(what_is_not_the_same_is_checked),
        cmocka_unit_test(another_key_knows_nothing_of_it),
        cmocka_unit_test(keys_have_ids),
        cmocka_unit_test(time_is_judged_all_the_same),
        cmocka_unit_test(tags_are_secret),
        cmocka_unit_test(the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
