// SPDX-License-Identifier: MIT
// Signatures against the published examples at their own time, and what the filters refuse.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/keys.h"
#include "validate/signature.h"

static struct val_policy lenient(void)
{
    struct val_policy policy = val_policy_default(true);
    policy.rsa_bits_min = 512; /* the examples of RFC 5155 and 5702 have such keys */
    return policy;
}

/* A zone of all the DNSKEYs in a file, believed without a DS. */
static const struct val_zone *zone_of(const struct records *records, const char *name,
                                      const struct val_policy *policy)
{
    const struct val_rrset *set = records_find(records, name, DNS_TYPE_DNSKEY);
    struct val_key *keys = calloc(set->count, sizeof(*keys));
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        struct dns_dnskey dnskey;
        struct dns_reader r = dns_reader_init(set->rr[i].data, set->rr[i].len);
        assert_int_equal(dns_dnskey_read(r, &dnskey), DNS_OK);
        uint16_t tag = dns_key_tag(set->rr[i].data, set->rr[i].len);
        if (val_key_parse(&dnskey, tag, policy, &keys[count]) == VAL_WHY_NONE)
            count++;
    }
    struct dns_name zone = name_of(name);
    return val_zone_new(&zone, VAL_ZONE_SECURE, UINT64_MAX, NULL, keys, count);
}

static struct val_verified verify(const struct val_rrset *set, const struct val_zone *zone,
                                  uint64_t now_s, const struct val_policy *policy)
{
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct val_verified verified;
    val_rrset_verify(set, zone, now_s, policy, &budget, &verified);
    return verified;
}

/* Every RRset of the file that has an RRSIG verifies, and fails once an octet of it changes. */
struct vector {
    const char *file, *zone;
    uint64_t now_s;
    uint32_t signed_sets;
};
static const struct vector vectors[] = {
    {"rfc4035.zone", "example.", 1083412800, 19},
    {"rfc5155.zone", "example.", 1334966399, 13},
    {"rfc5702_256.zone", "example.net.", 1000000000, 1},
    {"rfc5702_512.zone", "example.net.", 1000000000, 1},
    {"rfc6605_256.zone", "example.net.", 1283000000, 1},
    {"rfc6605_384.zone", "example.net.", 1283000000, 1},
    {"rfc8080_25519.zone", "example.com.", 1439000000, 1},
    {"rfc8080_25519b.zone", "example.com.", 1439000000, 1},
    {"rfc8080_448.zone", "example.com.", 1439000000, 1},
};

static void flip_rdata(struct val_rrset *set, struct val_arena *arena)
{
    struct val_rdata *rr = val_arena_take(arena, set->count * sizeof(*rr));
    memcpy(rr, set->rr, set->count * sizeof(*rr));
    uint8_t *data = val_arena_take(arena, rr[0].len);
    memcpy(data, rr[0].data, rr[0].len);
    data[rr[0].len - 1] ^= 0x80;
    rr[0].data = data;
    set->rr = rr;
}

static void test_published(void **state)
{
    (void)state;
    const struct val_policy policy = lenient();
    for (size_t i = 0; i < COUNT(vectors); i++) {
        print_message("%s\n", vectors[i].file);
        struct records records = records_from_file(vectors[i].file);
        const struct val_zone *zone = zone_of(&records, vectors[i].zone, &policy);
        uint32_t signed_sets = 0;
        for (uint32_t j = 0; j < records.sets.count; j++) {
            struct val_rrset set = records.sets.set[j];
            if (set.sig_count == 0)
                continue;
            signed_sets++;
            struct val_verified v = verify(&set, zone, vectors[i].now_s, &policy);
            if (!v.secure)
                fail_msg("type %u: %s", set.type, val_why_text(v.reason.why));
            flip_rdata(&set, records.arena);
            v = verify(&set, zone, vectors[i].now_s, &policy);
            assert_false(v.secure);
        }
        assert_int_equal(signed_sets, vectors[i].signed_sets);
        val_zone_unref(zone);
        records_free(&records);
    }
}

/* RFC 4035 B.6: labels 2 below an owner of 4 is an expansion of *.w.example. */
static void test_wildcard(void **state)
{
    (void)state;
    const struct val_policy policy = lenient();
    struct records records = records_from_file("rfc4035.zone");
    const struct val_zone *zone = zone_of(&records, "example.", &policy);
    const struct val_rrset *mx = records_find(&records, "a.z.w.example.", DNS_TYPE_MX);
    struct val_verified v = verify(mx, zone, 1083412800, &policy);
    assert_true(v.secure && v.expanded);
    assert_int_equal(v.wildcard_labels, 2);

    const struct val_rrset *literal = records_find(&records, "*.w.example.", DNS_TYPE_MX);
    v = verify(literal, zone, 1083412800, &policy);
    assert_true(v.secure && !v.expanded);

    struct val_rrset dname = *mx; /* even a good signature would not make it expand */
    struct val_sig sig = mx->sigs[0];
    dname.type = sig.rrsig.covered = DNS_TYPE_DNAME;
    dname.sigs = &sig;
    v = verify(&dname, zone, 1083412800, &policy);
    assert_int_equal(v.reason.why, VAL_WHY_NO_MATCHING_RRSIG);
    val_zone_unref(zone);
    records_free(&records);
}

/* --- what one changed field does -------------------------------------------------------------- */

#define P256_NOW 1283000000u
#define P256_INCEPTION 1281607479u
#define P256_EXPIRATION 1284026679u

struct spoil {
    const char *what;
    void (*spoil)(struct val_rrset *set, struct val_sig *sig);
    uint64_t now_s;
    enum val_why why; /* NONE: still secure */
};

static void nothing(struct val_rrset *set, struct val_sig *sig)
{
    (void)set, (void)sig;
}
static void upper_case(struct val_rrset *set, struct val_sig *sig)
{
    set->owner = name_of("WWW.eXample.NET.");
    sig->rrsig.signer = name_of("Example.Net.");
}
static void unsigned_set(struct val_rrset *set, struct val_sig *sig)
{
    (void)sig;
    set->sig_count = 0;
}
static void class_ch(struct val_rrset *set, struct val_sig *sig)
{
    (void)sig;
    set->class_ = DNS_CLASS_CH;
}
static void covers_other(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.covered = DNS_TYPE_AAAA;
}
static void signer_sibling(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.signer = name_of("example.org.");
}
static void signer_below(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.signer = name_of("a.www.example.net.");
}
static void signer_above(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.signer = name_of("net.");
}
static void labels_more(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.labels = 4;
}
static void labels_above_signer(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.labels = 1;
}
static void labels_wildcard(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.labels = 2;
}
static void algorithm_other(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.algorithm = 253;
}
static void tag_other(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.key_tag++;
}
static void ttl_other(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.original_ttl_s++;
}
static void expiration_later(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.expiration++;
}
static void inception_earlier(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.inception--;
}
static void backwards(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.expiration = sig->rrsig.inception - 1;
}
static void owner_other(struct val_rrset *set, struct val_sig *sig)
{
    (void)sig;
    set->owner = name_of("ftp.example.net.");
}
static void signature_short(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.signature_len--;
}
static void signature_zero(struct val_rrset *set, struct val_sig *sig)
{
    static const uint8_t zero[64];
    (void)set;
    sig->rrsig.signature = zero;
}
static void signature_empty(struct val_rrset *set, struct val_sig *sig)
{
    (void)set;
    sig->rrsig.signature_len = 0;
}

// clang-format off
static const struct spoil spoils[] = {
    {"as published",               nothing,             P256_NOW,             VAL_WHY_NONE},
    {"upper case",                 upper_case,          P256_NOW,             VAL_WHY_NONE},
    {"no RRSIG",                   unsigned_set,        P256_NOW,             VAL_WHY_NO_RRSIG},
    {"class CH",                   class_ch,            P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"covers another type",        covers_other,        P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"signed by a sibling",        signer_sibling,      P256_NOW,             VAL_WHY_SIGNER},
    {"signed from below",          signer_below,        P256_NOW,             VAL_WHY_SIGNER},
    {"signed by a zone above",     signer_above,        P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"labels > owner",             labels_more,         P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"labels < signer",            labels_above_signer, P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"labels say wildcard",        labels_wildcard,     P256_NOW,             VAL_WHY_SIGNATURE},
    {"unknown algorithm",          algorithm_other,     P256_NOW,             VAL_WHY_NO_MATCHING_RRSIG},
    {"no such key",                tag_other,           P256_NOW,             VAL_WHY_NO_KEY},
    {"original TTL",               ttl_other,           P256_NOW,             VAL_WHY_SIGNATURE},
    {"expiration",                 expiration_later,    P256_NOW,             VAL_WHY_SIGNATURE},
    {"inception",                  inception_earlier,   P256_NOW,             VAL_WHY_SIGNATURE},
    {"expires before it begins",   backwards,           P256_NOW,             VAL_WHY_TIMES},
    {"another owner",              owner_other,         P256_NOW,             VAL_WHY_SIGNATURE},
    {"signature one octet short",  signature_short,     P256_NOW,             VAL_WHY_SIGNATURE},
    {"r and s zero",               signature_zero,      P256_NOW,             VAL_WHY_SIGNATURE},
    {"no signature at all",        signature_empty,     P256_NOW,             VAL_WHY_SIGNATURE},
    {"last second",                nothing,             P256_EXPIRATION,      VAL_WHY_NONE},
    {"a second too late",          nothing,             P256_EXPIRATION + 1,  VAL_WHY_EXPIRED},
    {"first second",               nothing,             P256_INCEPTION,       VAL_WHY_NONE},
    {"a clock 60 s behind",        nothing,             P256_INCEPTION - 60,  VAL_WHY_NONE},
    {"a clock 61 s behind",        nothing,             P256_INCEPTION - 61,  VAL_WHY_NOT_YET},
};
// clang-format on

static void test_spoiled(void **state)
{
    (void)state;
    const struct val_policy policy = val_policy_default(false);
    struct records records = records_from_file("rfc6605_256.zone");
    const struct val_zone *zone = zone_of(&records, "example.net.", &policy);
    for (size_t i = 0; i < COUNT(spoils); i++) {
        print_message("%s\n", spoils[i].what);
        struct val_rrset set = *records_find(&records, "www.example.net.", DNS_TYPE_A);
        struct val_sig sig = set.sigs[0];
        set.sigs = &sig;
        spoils[i].spoil(&set, &sig);
        struct val_verified v = verify(&set, zone, spoils[i].now_s, &policy);
        assert_int_equal(v.reason.why, spoils[i].why);
        assert_int_equal(v.secure, spoils[i].why == VAL_WHY_NONE);
    }
    val_zone_unref(zone);
    records_free(&records);
}

/* RFC 4035 5.3.1: a DS is signed by the parent only. */
static void test_signers(void **state)
{
    (void)state;
    struct val_sig sigs[5] = {0};
    const char *const signers[] = {"com.", "www.example.com.", "example.com.", "EXAMPLE.com.",
                                   "example.org."};
    struct val_rrset set = {.owner = name_of("www.example.com."),
                            .type = DNS_TYPE_A,
                            .class_ = DNS_CLASS_IN,
                            .sigs = sigs,
                            .sig_count = 5};
    for (size_t i = 0; i < COUNT(signers); i++) {
        sigs[i].rrsig.signer = name_of(signers[i]);
        sigs[i].rrsig.covered = DNS_TYPE_A;
        sigs[i].rrsig.labels = 3;
    }
    const struct dns_name *found[4];
    assert_int_equal(val_rrset_signers(&set, found, 4), 3);
    assert_int_equal(found[0]->labels, 3);
    assert_int_equal(found[1]->labels, 2);
    assert_int_equal(found[2]->labels, 1);
    assert_int_equal(val_rrset_signers(&set, found, 2), 2);
    assert_int_equal(found[0]->labels, 3);
    assert_int_equal(found[1]->labels, 2);

    set.type = DNS_TYPE_DS;
    for (size_t i = 0; i < COUNT(signers); i++)
        sigs[i].rrsig.covered = DNS_TYPE_DS;
    assert_int_equal(val_rrset_signers(&set, found, 4), 2);
    assert_int_equal(found[0]->labels, 2);
}

/* RFC 1982 on either side of 2^31 and 2^32. */
struct window {
    uint32_t inception, expiration;
    uint64_t now_s;
    enum val_why why;
};
static const struct window windows[] = {
    {100, 200, 150, VAL_WHY_NONE},
    {100, 100, 100, VAL_WHY_NONE},
    {200, 100, 150, VAL_WHY_TIMES},
    {100, 200, 201, VAL_WHY_EXPIRED},
    {200, 300, 139, VAL_WHY_NOT_YET},
    {0x7ffffff0, 0x80000010, 0x80000000, VAL_WHY_NONE},
    {0x7ffffff0, 0x80000010, 0x80000011, VAL_WHY_EXPIRED},
    {0xfffffff0, 0x00000010, 0x100000000, VAL_WHY_NONE},
    {0xfffffff0, 0x00000010, 0x100000011, VAL_WHY_EXPIRED},
    {0xfffffff0, 0x00000010, 0xffffff00, VAL_WHY_NOT_YET},
    {0, 0x80000000, 5, VAL_WHY_TIMES}, /* the order of these two is undefined: refuse */
};

static void test_windows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(windows); i++) {
        print_message("window %zu\n", i);
        struct dns_rrsig rrsig = {.inception = windows[i].inception,
                                  .expiration = windows[i].expiration};
        assert_int_equal(val_rrsig_window(&rrsig, windows[i].now_s, 60), windows[i].why);
    }
    struct dns_rrsig wrapped = {.expiration = 0x10};
    assert_int_equal(val_rrsig_expires(&wrapped, 0xfffffff0), 0x100000010);
    assert_int_equal(val_rrsig_expires(&wrapped, 0x100000020), 0x100000010);
    assert_int_equal(val_rrsig_expires(&wrapped, 0x20), 0x10);
}

/* As much before its inception as the policy says, and not a second more. */
static void test_skew(void **state)
{
    static const uint32_t skews[] = {0, 1, 3600};
    (void)state;
    struct val_policy policy = val_policy_default(false);
    struct records records = records_from_file("rfc6605_256.zone");
    const struct val_zone *zone = zone_of(&records, "example.net.", &policy);
    const struct val_rrset *set = records_find(&records, "www.example.net.", DNS_TYPE_A);
    for (size_t i = 0; i < COUNT(skews); i++) {
        uint64_t first_s = set->sigs[0].rrsig.inception - (uint64_t)skews[i];
        policy.skew_s = skews[i];
        assert_true(verify(set, zone, first_s, &policy).secure);
        assert_int_equal(verify(set, zone, first_s - 1, &policy).reason.why, VAL_WHY_NOT_YET);
    }
    val_zone_unref(zone);
    records_free(&records);
}

/* The lowest of TTL, original TTL, the RRSIG's TTL, and what is left of its validity. */
static void test_ttl(void **state)
{
    (void)state;
    const struct val_policy policy = val_policy_default(false);
    struct records records = records_from_file("rfc6605_256.zone");
    const struct val_zone *zone = zone_of(&records, "example.net.", &policy);
    struct val_rrset set = *records_find(&records, "www.example.net.", DNS_TYPE_A);
    struct val_sig sig = set.sigs[0];
    set.sigs = &sig;
    assert_int_equal(verify(&set, zone, P256_NOW, &policy).ttl_s, 3600);
    set.ttl_s = 0x7fffffff;
    sig.ttl_s = 0x7fffffff;
    assert_int_equal(verify(&set, zone, P256_NOW, &policy).ttl_s, 3600);
    sig.ttl_s = 30;
    assert_int_equal(verify(&set, zone, P256_NOW, &policy).ttl_s, 30);
    set.ttl_s = 20;
    assert_int_equal(verify(&set, zone, P256_NOW, &policy).ttl_s, 20);
    struct val_verified v = verify(&set, zone, P256_EXPIRATION - 5, &policy);
    assert_int_equal(v.ttl_s, 5);
    assert_int_equal(v.expires_s, P256_EXPIRATION);
    val_zone_unref(zone);
    records_free(&records);
}

/* KeyTrap: RRSIGs and keys that collide cost what the limits say, and no more. */
static void test_costs(void **state)
{
    (void)state;
    const struct val_policy policy = val_policy_default(false);
    struct records records = records_from_file("rfc6605_256.zone");
    const struct val_zone *zone = zone_of(&records, "example.net.", &policy);
    struct val_rrset set = *records_find(&records, "www.example.net.", DNS_TYPE_A);
    static const uint8_t wrong[64] = {1};
    struct val_sig sigs[50];
    struct val_key keys[50];
    for (size_t i = 0; i < COUNT(sigs); i++) {
        sigs[i] = set.sigs[0];
        sigs[i].rrsig.signature = wrong;
        keys[i] = zone->keys[0];
    }
    struct val_zone many = *zone;
    many.keys = keys;
    many.key_count = COUNT(keys);
    set.sigs = sigs;
    set.sig_count = COUNT(sigs);

    struct val_budget budget = val_budget_init(&val_limits_default);
    struct val_verified v;
    val_rrset_verify(&set, &many, P256_NOW, &policy, &budget, &v);
    assert_int_equal(budget.signatures, 6); /* failed_signatures ends it before 4 x 2 */
    assert_int_equal(v.reason.why, VAL_WHY_BUDGET);

    struct val_limits limits = val_limits_default;
    limits.failed_signatures = 100;
    limits.slice_units = 32;
    budget = val_budget_init(&limits);
    val_rrset_verify(&set, &many, P256_NOW, &policy, &budget, &v);
    assert_int_equal(budget.signatures, limits.rrsigs_per_rrset * limits.keys_per_tag);
    assert_int_equal(v.reason.why, VAL_WHY_SIGNATURE);
    assert_int_equal(budget.crypto_units, limits.crypto_units - 3 * 8);
    assert_int_equal(budget.slice_units, limits.slice_units - 3 * 8);

    limits.crypto_units = 2; /* P-256 costs 3 */
    budget = val_budget_init(&limits);
    val_rrset_verify(&set, zone, P256_NOW, &policy, &budget, &v);
    assert_int_equal(v.reason.why, VAL_WHY_BUDGET);
    assert_int_equal(budget.signatures, 0);
    val_zone_unref(zone);
    records_free(&records);
}

/* Only the key that the RRSIG names is tried, wherever it stands. */
static void test_named_key(void **state)
{
    (void)state;
    const struct val_policy policy = lenient();
    struct records records = records_from_file("rfc4035.zone");
    const struct val_zone *zone = zone_of(&records, "example.", &policy);
    const struct val_rrset *set = records_find(&records, "example.", DNS_TYPE_DNSKEY);
    for (uint32_t i = 0; i < set->sig_count; i++) {
        struct val_rrset one = *set;
        struct val_verified v;
        struct val_budget budget = val_budget_init(&val_limits_default);
        one.sigs = &set->sigs[i];
        one.sig_count = 1;
        val_rrset_verify(&one, zone, 1083412800, &policy, &budget, &v);
        assert_true(v.secure);
        assert_int_equal(budget.signatures, 1);
    }
    val_zone_unref(zone);
    records_free(&records);
}

/* RFC 2181 5 and RFC 4034 6.3: neither order nor duplicates matter. */
static void test_order(void **state)
{
    (void)state;
    const struct val_policy policy = lenient();
    struct records records = records_from_file("rfc4035.zone");
    const struct val_zone *zone = zone_of(&records, "example.", &policy);
    struct val_rrset ns = *records_find(&records, "example.", DNS_TYPE_NS);
    const struct val_rdata shuffled[] = {ns.rr[1], ns.rr[0], ns.rr[1]};
    ns.rr = shuffled;
    ns.count = 3;
    assert_true(verify(&ns, zone, 1083412800, &policy).secure);
    ns.count = 1;
    assert_false(verify(&ns, zone, 1083412800, &policy).secure);
    val_zone_unref(zone);
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_wildcard),
        cmocka_unit_test(test_spoiled),   cmocka_unit_test(test_signers),
        cmocka_unit_test(test_windows),   cmocka_unit_test(test_skew),
        cmocka_unit_test(test_ttl),       cmocka_unit_test(test_costs),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_named_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
