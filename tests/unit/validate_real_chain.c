// SPDX-License-Identifier: MIT
// Whole chains from a trust anchor to a leaf, signed by others: RFC 9102 appendix A under its own
// root, and names of 2024 under the real one.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/anchors.h"
#include "validate/denial.h"

struct chain {
    struct records records;
    struct val_policy policy;
    struct val_budget budget;
    uint64_t now_s;
};

/* All of it must fit what one client question may cost. */
static struct chain chain_of(struct records records, uint64_t now_s)
{
    return (struct chain){.records = records,
                          .policy = val_policy_default(false),
                          .budget = val_budget_init(&val_limits_default),
                          .now_s = now_s};
}

static const struct val_zone *lift(struct chain *c, const char *name, struct val_ds_set ds)
{
    struct dns_name zone = name_of(name);
    struct val_reason reason;
    const struct val_sig *sig = NULL;
    const struct val_rdata *used = NULL;
    const struct val_zone *lifted =
        val_zone_lift(&zone, &ds, UINT64_MAX, records_find(&c->records, name, DNS_TYPE_DNSKEY),
                      c->now_s, &c->policy, &c->budget, &reason, &sig, &used);
    if (!lifted)
        fail_msg("%s: %s", name, val_why_text(reason.why));
    assert_non_null(sig);
    assert_non_null(used);
    return lifted;
}

static struct val_verified verify(struct chain *c, const struct val_zone *zone, const char *owner,
                                  uint16_t type)
{
    struct val_verified v;
    val_rrset_verify(records_find(&c->records, owner, type), zone, c->now_s, &c->policy, &c->budget,
                     &v);
    if (!v.secure)
        fail_msg("%s: %s", owner, val_why_text(v.reason.why));
    return v;
}

/* From `parent`, which is let go, to the zone `name` by its signed DS. */
static const struct val_zone *descend(struct chain *c, const struct val_zone *parent,
                                      const char *name)
{
    const struct val_rrset *ds = records_find(&c->records, name, DNS_TYPE_DS);
    (void)verify(c, parent, name, DNS_TYPE_DS); /* it fails the test itself */
    val_zone_unref(parent);
    return lift(c, name, (struct val_ds_set){ds->rr, ds->count});
}

static const struct val_zone *descend_all(struct chain *c, const struct val_anchors *anchors,
                                          const char *const names[])
{
    struct val_anchor_hit hit = val_anchors_find(anchors, &dns_root, c->now_s);
    assert_int_equal(hit.kind, VAL_ANCHOR_POSITIVE);
    const struct val_zone *zone = lift(c, ".", hit.ds);
    for (size_t i = 0; names[i]; i++)
        zone = descend(c, zone, names[i]);
    return zone;
}

static struct records rfc9102_records(void)
{
    uint8_t msg[4096] = {0x00, 0x00, 0x80, 0x00, 0, 0, 0, 18}; /* QR, 18 answers */
    uint32_t len = 0;
    char *text = file_text("rfc9102.hex");
    struct dns_writer w = dns_writer_init(msg + DNS_HEADER_LEN, sizeof(msg) - DNS_HEADER_LEN);
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n"))
        assert_int_equal(dns_hex_read(line, &w), DNS_OK);
    len = DNS_HEADER_LEN + w.off;
    return records_from_message(msg, len);
}

static void test_rfc9102(void **state)
{
    (void)state;
    static const char *const names[] = {"com.", "example.com.", NULL};
    struct chain c = chain_of(rfc9102_records(), 1575000000);
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_line(anchors,
                                          ". IN DS 47005 13 2 2eb6e9f2480126691594d649a5a613de"
                                          "3052e37861634641bb568746f2ffc4d4"),
                     DNS_OK);
    const struct val_zone *zone = descend_all(&c, anchors, names);
    struct val_verified v = verify(&c, zone, "_443._tcp.www.example.com.", DNS_TYPE_TLSA);
    assert_int_equal(v.expires_s, 1606867200);
    assert_false(v.expanded);
    assert_int_equal(v.ttl_s, 3600);
    val_zone_unref(zone);

    val_anchors_free(anchors);
    records_free(&c.records);
}

#define NOW_2024 1709056800

static void leaf_2024(const char *const names[], const char *owner, uint16_t type)
{
    struct chain c = chain_of(records_from_file("chain_2024.zone"), NOW_2024);
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    const struct val_zone *zone = descend_all(&c, anchors, names);
    (void)verify(&c, zone, owner, type); /* it fails the test itself */
    val_zone_unref(zone);
    val_anchors_free(anchors);
    records_free(&c.records);
}

#define PROOFS "dnssec_proof_tests.bitcoin.ninja."
static const char *const to_mattcorallo[] = {"com.", "mattcorallo.com.", NULL};
static const char *const to_bitcoin[] = {"ninja.", "bitcoin.ninja.", NULL};
static const char *const to_nsec[] = {"ninja.", "bitcoin.ninja.", "nsec_tests." PROOFS, NULL};

static void test_leaves(void **state)
{
    (void)state;
    leaf_2024(to_mattcorallo, "matt.user._bitcoin-payment.mattcorallo.com.", DNS_TYPE_TXT);
    leaf_2024(to_bitcoin, "txt_test." PROOFS, DNS_TYPE_TXT);
    leaf_2024(to_bitcoin, "cname_test." PROOFS, DNS_TYPE_CNAME);
    leaf_2024(to_nsec, "a.nsec_tests." PROOFS, DNS_TYPE_TXT);
}

/* The records of `type` at these owners, verified, as a denial wants them. */
struct proof {
    struct val_denial denial;
    const struct val_rrset *sets[2];
};

static void proof_of(struct chain *c, const struct val_zone *zone, uint16_t type,
                     const char *const owners[], uint32_t count, struct proof *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_false(verify(c, zone, owners[i], type).expanded);
        ret->sets[i] = records_find(&c->records, owners[i], type);
    }
    ret->denial = (struct val_denial){&zone->name, ret->sets, count, &c->policy, &c->budget};
}

static void test_wildcard_nsec3(void **state)
{
    (void)state;
    static const char *const txt[] = {"s5sn15c8lcpo7v7f1p0ms6vlbdejt0kd.bitcoin.ninja."};
    static const char *const cname[] = {"2tn37cu4ulmlqqke9a3dc9g8bt8b4f6s.bitcoin.ninja.",
                                        "cjqf7lfu6ev77k9m2o6iih56kbfnshin.bitcoin.ninja."};
    struct chain c = chain_of(records_from_file("chain_2024.zone"), NOW_2024);
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    const struct val_zone *zone = descend_all(&c, anchors, to_bitcoin);
    struct dns_name a = name_of("asdf.wildcard_test." PROOFS);
    struct dns_name b = name_of("asdf.cname_wildcard_test." PROOFS);
    struct val_verified v = verify(&c, zone, "asdf.wildcard_test." PROOFS, DNS_TYPE_TXT);
    assert_true(v.expanded);
    assert_int_equal(v.wildcard_labels, 4);

    struct proof proof;
    proof_of(&c, zone, DNS_TYPE_NSEC3, txt, 1, &proof);
    assert_int_equal(val_prove_wildcard(&proof.denial, &a, 4), VAL_PROOF_SECURE);
    assert_int_equal(val_prove_wildcard(&proof.denial, &b, 4), VAL_PROOF_NONE);

    v = verify(&c, zone, "asdf.cname_wildcard_test." PROOFS, DNS_TYPE_CNAME);
    assert_true(v.expanded);
    proof_of(&c, zone, DNS_TYPE_NSEC3, cname, 2, &proof);
    assert_int_equal(val_prove_wildcard(&proof.denial, &b, v.wildcard_labels), VAL_PROOF_SECURE);
    val_zone_unref(zone);
    val_anchors_free(anchors);
    records_free(&c.records);
}

/* One wildcard, one name "override" beside it: what either NSEC proves, and what neither does. */
static const struct {
    const char *qname;
    bool before, after; /* denied by the NSEC before the override, or by the one after it */
} overrides[] = {
    {"a", true, false},   {"a.b", true, false},       {"o", true, false},
    {"a.o", true, false}, {"override", false, false}, {"b.override", false, false},
    {"z", false, true},   {"a.z", false, true},
};

static void test_wildcard_nsec(void **state)
{
    (void)state;
    static const char *const before[] = {"*.wildcard_test.nsec_tests." PROOFS};
    static const char *const after[] = {"override.wildcard_test.nsec_tests." PROOFS};
    struct chain c = chain_of(records_from_file("chain_2024.zone"), NOW_2024);
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    const struct val_zone *zone = descend_all(&c, anchors, to_nsec);
    struct proof early, late;
    proof_of(&c, zone, DNS_TYPE_NSEC, before, 1, &early);
    proof_of(&c, zone, DNS_TYPE_NSEC, after, 1, &late);
    struct val_verified v = verify(&c, zone, "a.wildcard_test.nsec_tests." PROOFS, DNS_TYPE_TXT);
    assert_true(v.expanded);
    for (size_t i = 0; i < COUNT(overrides); i++) {
        char text[256];
        print_message("%s\n", overrides[i].qname);
        (void)snprintf(text, sizeof(text), "%s.wildcard_test.nsec_tests." PROOFS,
                       overrides[i].qname);
        struct dns_name qname = name_of(text);
        assert_int_equal(val_prove_wildcard(&early.denial, &qname, v.wildcard_labels),
                         overrides[i].before ? VAL_PROOF_SECURE : VAL_PROOF_NONE);
        assert_int_equal(val_prove_wildcard(&late.denial, &qname, v.wildcard_labels),
                         overrides[i].after ? VAL_PROOF_SECURE : VAL_PROOF_NONE);
    }
    val_zone_unref(zone);
    val_anchors_free(anchors);
    records_free(&c.records);
}

/* The key of one zone signs nothing of another, not even of its child or parent. */
static void test_wrong_zone(void **state)
{
    (void)state;
    struct chain c = chain_of(records_from_file("chain_2024.zone"), NOW_2024);
    struct val_anchors *anchors = val_anchors_new();
    assert_int_equal(val_anchors_add_builtin(anchors), DNS_OK);
    const struct val_zone *zone = descend_all(&c, anchors, to_bitcoin);
    struct val_verified v;
    val_rrset_verify(records_find(&c.records, "ninja.", DNS_TYPE_DS), zone, c.now_s, &c.policy,
                     &c.budget, &v);
    assert_false(v.secure);
    val_rrset_verify(records_find(&c.records, "a.nsec_tests." PROOFS, DNS_TYPE_TXT), zone, c.now_s,
                     &c.policy, &c.budget, &v);
    assert_false(v.secure);
    assert_int_equal(v.reason.why, VAL_WHY_NO_MATCHING_RRSIG);
    val_zone_unref(zone);
    val_anchors_free(anchors);
    records_free(&c.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc9102),        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_wildcard_nsec3), cmocka_unit_test(test_wildcard_nsec),
        cmocka_unit_test(test_wrong_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
