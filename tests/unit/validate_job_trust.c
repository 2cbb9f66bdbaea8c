// SPDX-License-Identifier: MIT
// Where trust begins and ends: anchors above and below each other, signers that have no say, what
// is learned and for how long, clocks, budgets, and the trace.
#include "tests/test.h"
#include "tests/unit/job_bench.h"

static struct world *world;

static int set_up(void **state)
{
    (void)state;
    world = world_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define A DNS_TYPE_A
#define WWW "www.example.test."

static void expect(struct bench *b, const char *name, uint16_t type, enum val_status status,
                   enum val_why why)
{
    (void)bench_ask(b, name, type); /* the verdict is looked at by its job */
    if (!bench_is(b, name, status, why))
        fail_msg("%s", name);
}

/* --- anchors --------------------------------------------------------------------------------- */

static void test_no_anchor(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, NULL);
    expect(&b, WWW, A, VAL_INSECURE, VAL_WHY_NO_ANCHOR);
    assert_int_equal(b.flights, 1);
    bench_deinit(&b);
}

static void test_island(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, "example.test.");
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(b.asked, 2); /* the island's own keys; nothing above it is looked at */
    expect(&b, "none.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "www.sub.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "cross.example.test.", A, VAL_INSECURE, VAL_WHY_NO_ANCHOR);
    expect(&b, "www.nsec3.test.", A, VAL_INSECURE, VAL_WHY_NO_ANCHOR);
    expect(&b, "example.test.", DNS_TYPE_DS, VAL_INSECURE, VAL_WHY_NO_ANCHOR);
    expect(&b, "sub.example.test.", DNS_TYPE_DS, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

static void test_negative_anchor(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bench_distrust(&b, "example.test.");
    bench_trust(&b, "sub.example.test.");
    expect(&b, WWW, A, VAL_INSECURE, VAL_WHY_NEGATIVE_ANCHOR);
    expect(&b, "www.sub.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "www.nsec3.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "www.tree.example.test.", A, VAL_INSECURE, VAL_WHY_NEGATIVE_ANCHOR);
    b.bend[0] = (struct bend){"www.sub.example.test.", A, BEND_FLIP, A, 0};
    expect(&b, "www.sub.example.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    bench_deinit(&b);
}

static void test_two_anchors(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    assert_int_equal(val_anchors_add_line(b.anchors,
                                          ". IN DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e8"
                                          "80409bbc683457104237c7f8ec8d"),
                     DNS_OK);
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* --- signers --------------------------------------------------------------------------------- */

static const char *resigner;

/* Every set of the answer, signed by another zone in its own name. */
static void resign(struct bench *b, struct world_answer *a)
{
    const struct world_zone *zone = world_find_zone(b->world, resigner);
    world_drop(a, 0, true);
    uint32_t count = a->count;
    for (uint32_t i = 0; i < count; i++) {
        struct world_rr sig = {.type = DNS_TYPE_RRSIG, .ttl_s = a->rr[i].ttl_s};
        uint32_t size = 1;
        while (i + size < count && a->rr[i + size].type == a->rr[i].type)
            size++;
        sig.len = world_rrsig(zone, &a->rr[i].owner, &a->rr[i], size, sig.rdata);
        world_put(a, a->rr[i].section, &a->rr[i].owner, &sig);
        i += size - 1;
    }
}

struct signer_case {
    const char *what, *signer;
    enum val_status want;
    enum val_why why;
};
static const struct signer_case signer_cases[] = {
    {"its own zone", "example.test.", VAL_SECURE, VAL_WHY_NONE},
    {"a sibling", "nsec3.test.", VAL_BOGUS, VAL_WHY_NO_MATCHING_RRSIG},
    {"a child", "sub.example.test.", VAL_BOGUS, VAL_WHY_NO_MATCHING_RRSIG},
    {"an unsigned sibling", "insecure.test.", VAL_BOGUS, VAL_WHY_NO_MATCHING_RRSIG},
    {"one without a DS", "nods.test.", VAL_BOGUS, VAL_WHY_NO_MATCHING_RRSIG},
};

static void test_signers(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = resign;
    b.bend[0] = (struct bend){WWW, A, BEND_CUSTOM, 0, 0};
    for (size_t i = 0; i < COUNT(signer_cases); i++) {
        resigner = signer_cases[i].signer;
        (void)bench_ask(&b, WWW, A);
        assert_true(bench_is(&b, signer_cases[i].what, signer_cases[i].want, signer_cases[i].why));
    }
    bench_deinit(&b);
}

/* What a zone above the anchor signs, or a distrusted one, excuses nothing below the anchor. */
static void test_signer_above_the_anchor(void **state)
{
    (void)state;
    static const char *const above[] = {".", "test."};
    struct bench b;
    bench_init(&b, world, "example.test.");
    bench_distrust(&b, "test.");
    b.custom = resign;
    for (size_t i = 0; i < COUNT(above); i++) {
        resigner = above[i];
        b.bend[0] = (struct bend){WWW, A, BEND_CUSTOM, 0, 0};
        expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_NO_MATCHING_RRSIG);
        b.bend[0] = (struct bend){WWW, DNS_TYPE_MX, BEND_CUSTOM, 0, 0};
        expect(&b, WWW, DNS_TYPE_MX, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    }
    bench_deinit(&b);
}

/* --- aliases --------------------------------------------------------------------------------- */

static const char *target;

/* The CNAME leads elsewhere than the DNAME says. */
static void redirect(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->rr[i].type != DNS_TYPE_CNAME)
            continue;
        struct dns_name name = world_name(target);
        memcpy(a->rr[i].rdata, name.wire, name.len);
        a->rr[i].len = name.len;
    }
}

static void test_dname_says_otherwise(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = redirect;
    target = "alias.nsec3.test.";
    b.bend[0] = (struct bend){"www.tree.example.test.", A, BEND_CUSTOM, 0, 0};
    expect(&b, "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_DNAME);
    target = "wWw.NSEC3.test."; /* the same but for its case */
    expect(&b, "www.tree.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    target = WWW; /* as it should be */
    b.bend[0] = (struct bend){"www.tree.insecure.test.", A, BEND_CUSTOM, 0, 0};
    expect(&b, "www.tree.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    target = "www.nsec3.test."; /* an unsigned zone may say what it likes, for itself */
    expect(&b, "www.tree.insecure.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bench_deinit(&b);
}

/* An answer without the CNAME that its DNAME means is given one. */
static void test_dname_without_cname(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){"www.tree.example.test.", A, BEND_DROP, DNS_TYPE_CNAME, 0};
    expect(&b, "www.tree.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_DNAME), 1);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_CNAME), 1);
    assert_int_equal(octets_count(&o, DNS_ANSWER, A), 1);
    assert_int_equal(o.msg.rr[2].type, DNS_TYPE_CNAME); /* DNAME, its RRSIG, then the CNAME */
    bench_deinit(&b);
}

/* --- cuts ------------------------------------------------------------------------------------ */

/* Aliases answer DS questions, too: then there is no cut. */
static void test_no_cut_at_aliases(void **state)
{
    (void)state;
    static const struct {
        const char *name, *no_cut;
    } rows[] = {
        {"alias.example.test.", "alias.example.test."},
        {"www.tree.example.test.", "www.tree.example.test."},
    };
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(rows); i++) {
        b.bend[0] = (struct bend){rows[i].name, A, BEND_DROP_SIG, 0, 0};
        (void)bench_ask(&b, rows[i].name, A);
        assert_true(bench_is(&b, rows[i].name, VAL_BOGUS, VAL_WHY_NO_RRSIG));
        const struct val_zone *zone = bench_zone(&b, rows[i].no_cut);
        assert_true(i > 0 || zone);
        if (zone)
            assert_int_equal(zone->kind, VAL_ZONE_NOT_A_CUT);
        bench_forget(&b);
    }
    bench_deinit(&b);
}

/* A CNAME made from a wildcard says nothing of cuts at the name itself. */
static void test_wildcard_alias_proves_no_cut(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){"x.wildalias.example.test.", A, BEND_DROP_SIG, 0, 0};
    b.bend[1] =
        (struct bend){"x.wildalias.example.test.", DNS_TYPE_DS, BEND_DROP, DNS_TYPE_NSEC, 0};
    expect(&b, "x.wildalias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    assert_int_equal(bench_zone(&b, "x.wildalias.example.test.")->kind, VAL_ZONE_BAD);
    bench_deinit(&b);
}

/* --- what is learned ------------------------------------------------------------------------- */

struct learned_case {
    const char *zone;
    enum val_zone_kind kind;
    enum val_why why;
    uint64_t expires_s;
};

static void check_learned(const struct bench *b, const struct learned_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct val_zone *zone = bench_zone(b, cases[i].zone);
        if (!zone)
            fail_msg("%s is not known", cases[i].zone);
        assert_int_equal(zone->kind, cases[i].kind);
        assert_int_equal(zone->reason.why, cases[i].why);
        assert_int_equal(zone->expires_s, cases[i].expires_s);
        assert_int_equal(zone->key_count, cases[i].kind == VAL_ZONE_SECURE ? 1 : 0);
    }
}

static void test_learned(void **state)
{
    (void)state;
    static const struct learned_case insecure[] = {
        {".", VAL_ZONE_SECURE, VAL_WHY_NONE, WORLD_NOW + WORLD_TTL},
        {"test.", VAL_ZONE_SECURE, VAL_WHY_NONE, WORLD_NOW + WORLD_TTL},
        {"insecure.test.", VAL_ZONE_INSECURE, VAL_WHY_NO_DS, WORLD_NOW + 600},
    };
    static const struct learned_case no_cut[] = {
        {"example.test.", VAL_ZONE_SECURE, VAL_WHY_NONE, WORLD_NOW + WORLD_TTL},
        {WWW, VAL_ZONE_NOT_A_CUT, VAL_WHY_NONE, WORLD_NOW + 600},
    };
    static const struct learned_case bad[] = {
        {"test.", VAL_ZONE_SECURE, VAL_WHY_NONE, WORLD_NOW + WORLD_TTL},
        {"example.test.", VAL_ZONE_BAD, VAL_WHY_DNSKEY_DS, WORLD_NOW + 5},
    };
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "www.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    check_learned(&b, insecure, COUNT(insecure));
    b.bend[0] = (struct bend){WWW, A, BEND_DROP_SIG, 0, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    check_learned(&b, no_cut, COUNT(no_cut));
    bench_forget(&b);
    b.bend[0] = (struct bend){"example.test.", DNS_TYPE_DNSKEY, BEND_FLIP, DNS_TYPE_DNSKEY, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_DS);
    check_learned(&b, bad, COUNT(bad));
    assert_int_equal(b.fresh, 2); /* DS and DNSKEY, once each */
    bench_deinit(&b);
}

/* Nothing below the first signature that ends lives longer. */
static void test_expiry_of_all_above(void **state)
{
    (void)state;
    struct bench b;
    struct world_zone *test = world_find_zone(world, "test.");
    uint32_t before = test->expiration;
    test->expiration = WORLD_NOW + 100;
    bench_init(&b, world, ".");
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(bench_zone(&b, ".")->expires_s, WORLD_NOW + WORLD_TTL);
    assert_int_equal(bench_zone(&b, "test.")->expires_s, WORLD_NOW + 100);
    assert_int_equal(bench_zone(&b, "example.test.")->expires_s, WORLD_NOW + 100);
    test->expiration = before;
    bench_deinit(&b);
}

/* A zone has new keys, and the kept ones do not fit any more. */
static void test_kept_keys_are_old(void **state)
{
    (void)state;
    struct bench b;
    struct world_zone *zone = world_find_zone(world, "nsec3.test.");
    const struct world_zone *old = world_find_zone(world, "p256.test.");
    struct val_key *keys = calloc(1, sizeof *keys);
    uint8_t rdata[128];
    struct dns_dnskey dnskey;
    assert_non_null(keys);
    bench_init(&b, world, ".");
    uint16_t len = world_dnskey(old, rdata);
    assert_int_equal(dns_dnskey_read(dns_reader_init(rdata, len), &dnskey), DNS_OK);
    assert_int_equal(val_key_parse(&dnskey, old->tag, &b.policy, keys), VAL_WHY_NONE);
    const struct val_zone *kept =
        val_zone_new(&zone->name, VAL_ZONE_SECURE, WORLD_NOW + 1000, NULL, keys, 1);
    bench_learn(&b, kept);
    val_zone_unref(kept);
    expect(&b, "www.nsec3.test.", A, VAL_SECURE, VAL_WHY_NONE);
    assert_true(b.fresh > 0);
    expect(&b, "none.nsec3.test.", A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(b.fresh, 0); /* the new ones were learned */
    bench_deinit(&b);
}

/* What somebody found bad lately may have been one upstream's lie: it is looked at again. */
static void test_bad_is_tried_again(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){"example.test.", DNS_TYPE_DNSKEY, BEND_FLIP, DNS_TYPE_DNSKEY, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_DS);
    b.bend[0].name = NULL;
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* --- clocks ---------------------------------------------------------------------------------- */

static void test_clock(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t ahead_s;
        enum val_status want;
        enum val_why why;
    } rows[] = {
        {"as it is", 0, VAL_SECURE, VAL_WHY_NONE},
        {"at the end", 86400, VAL_SECURE, VAL_WHY_NONE},
        {"a second late", 86401, VAL_BOGUS, VAL_WHY_EXPIRED},
        {"a year late", 31536000, VAL_BOGUS, VAL_WHY_EXPIRED},
        {"at the beginning", -3600, VAL_SECURE, VAL_WHY_NONE},
        {"as early as is allowed", -3660, VAL_SECURE, VAL_WHY_NONE},
        {"too early", -3661, VAL_BOGUS, VAL_WHY_NOT_YET},
        {"1970", -(int64_t)WORLD_NOW, VAL_BOGUS, VAL_WHY_NOT_YET},
    };
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(rows); i++) {
        b.now_s = (uint64_t)((int64_t)WORLD_NOW + rows[i].ahead_s);
        (void)bench_ask(&b, WWW, A);
        assert_true(bench_is(&b, rows[i].what, rows[i].want, rows[i].why));
        bench_forget(&b);
    }
    bench_deinit(&b);
}

/* The clock jumps while an answer is being proven, or kept zones end. */
static void test_clock_jumps(void **state)
{
    (void)state;
    struct bench b;
    struct dns_question question = {world_name(WWW), A, DNS_CLASS_IN};
    bench_init(&b, world, ".");
    b.limits.slice_units = 1;
    for (unsigned at = 0; at < 12; at++) {
        bench_begin(&b, &question);
        b.now_s = WORLD_NOW;
        for (unsigned i = 0; i < at; i++) {
            enum val_step step = val_job_step(b.job, b.now_s);
            if (step == VAL_NEED)
                bench_give_all(&b);
        }
        b.now_s = WORLD_NOW + 90000;
        const struct val_verdict *v = bench_finish(&b);
        assert_true(v->status == VAL_BOGUS || (v->status == VAL_SECURE && at > 5));
        assert_true(v->status == VAL_SECURE || v->reason.why == VAL_WHY_EXPIRED);
        bench_forget(&b);
    }
    bench_deinit(&b);
}

/* --- budgets --------------------------------------------------------------------------------- */

/* Every total from nothing up: bogus for want of it, and from some amount on the true verdict. */
static void check_budget(size_t off, uint32_t most, const char *name, uint16_t type,
                         enum val_status want)
{
    struct bench b;
    uint32_t enough = UINT32_MAX;
    bench_init(&b, world, ".");
    for (uint32_t amount = 0; amount <= most; amount++) {
        b.limits = val_limits_default;
        memcpy((char *)&b.limits + off, &amount, sizeof amount);
        const struct val_verdict *v = bench_ask(&b, name, type);
        if (v->status == want)
            enough = amount < enough ? amount : enough;
        else if (!bench_is(&b, name, VAL_BOGUS, VAL_WHY_BUDGET) || enough < amount)
            fail_msg("%s with %u", name, amount);
        bench_forget(&b);
    }
    assert_in_range(enough, 1, most);
    bench_deinit(&b);
}

static void test_budgets(void **state)
{
    (void)state;
    static const char none[] = "none.nsec3.test.";
    check_budget(offsetof(struct val_limits, crypto_units), 60, none, A, VAL_SECURE);
    check_budget(offsetof(struct val_limits, sha1_blocks), 40, none, A, VAL_SECURE);
    check_budget(offsetof(struct val_limits, fetches), 8, none, A, VAL_SECURE);
    check_budget(offsetof(struct val_limits, flights), 6, none, A, VAL_SECURE);
    check_budget(offsetof(struct val_limits, fetches), 8, "www.insecure.test.", A, VAL_INSECURE);
}

/* --- refused messages ------------------------------------------------------------------------ */

static enum world_bad { BAD_QUESTION, BAD_QUERY, BAD_TRUNCATED, BAD_RDATA } bad_kind;

static void spoil(struct bench *b, struct world_answer *a)
{
    (void)b;
    switch (bad_kind) {
    case BAD_QUESTION: a->question.type = DNS_TYPE_TXT; break;
    case BAD_QUERY: a->flags = DNS_FLAG_RD; break;
    case BAD_TRUNCATED: a->flags |= DNS_FLAG_TC; break;
    case BAD_RDATA: a->rr[0].len--; break;
    }
}

static void test_refused_messages(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = spoil;
    for (bad_kind = BAD_QUESTION; bad_kind <= BAD_RDATA; bad_kind++) {
        b.bend[0] = (struct bend){WWW, A, BEND_CUSTOM, 0, 0};
        expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_MALFORMED);
        b.bend[0] = (struct bend){"www.insecure.test.", A, BEND_CUSTOM, 0, 0};
        expect(&b, "www.insecure.test.", A, VAL_BOGUS, VAL_WHY_MALFORMED);
        bench_forget(&b);
        b.bend[0] = (struct bend){"test.", DNS_TYPE_DNSKEY, BEND_CUSTOM, 0, 0};
        if (bad_kind != BAD_RDATA)
            expect(&b, WWW, A, VAL_INDETERMINATE, VAL_WHY_FETCH);
        bench_forget(&b);
    }
    bench_deinit(&b);
}

static void test_not_signable(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, WWW, DNS_TYPE_RRSIG, VAL_INSECURE, VAL_WHY_NOT_SIGNABLE);
    bench_write(&b, &o);
    assert_int_equal(o.msg.flags & DNS_FLAG_AD, 0);
    bench_deinit(&b);
}

/* --- trace ----------------------------------------------------------------------------------- */

static unsigned trace_count(const struct bench *b, enum val_trace_kind kind, const char *zone)
{
    struct dns_name name = world_name(zone);
    unsigned count = 0;
    for (uint32_t i = 0; i < b->trace.count; i++)
        count += b->trace.step[i].kind == kind && dns_name_equal(&b->trace.step[i].zone, &name);
    return count;
}

static void test_trace(void **state)
{
    (void)state;
    static const char *const zones[] = {".", "test.", "example.test."};
    struct bench b;
    bench_init(&b, world, ".");
    b.limits.slice_units = 1; /* yielding repeats nothing */
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(b.trace.step[0].kind, VAL_TRACE_ANCHOR);
    assert_int_equal(trace_count(&b, VAL_TRACE_ANCHOR, "."), 1);
    for (size_t i = 0; i < COUNT(zones); i++) {
        assert_int_equal(trace_count(&b, VAL_TRACE_DNSKEY, zones[i]), 1);
        assert_int_equal(trace_count(&b, VAL_TRACE_KEY, zones[i]), 1);
        assert_int_equal(trace_count(&b, VAL_TRACE_CACHED, zones[i]), 0);
    }
    assert_int_equal(trace_count(&b, VAL_TRACE_DS, "."), 1);
    assert_int_equal(trace_count(&b, VAL_TRACE_DS, "test."), 1);
    assert_int_equal(trace_count(&b, VAL_TRACE_RRSET, "example.test."), 1);
    assert_int_equal(b.trace.step[b.trace.count - 1].kind, VAL_TRACE_VERDICT);

    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    for (size_t i = 0; i < COUNT(zones); i++) {
        assert_int_equal(trace_count(&b, VAL_TRACE_CACHED, zones[i]), 1);
        assert_int_equal(trace_count(&b, VAL_TRACE_KEY, zones[i]), 1);
        assert_int_equal(trace_count(&b, VAL_TRACE_DNSKEY, zones[i]), 0);
    }
    expect(&b, "www.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    assert_int_equal(trace_count(&b, VAL_TRACE_NO_DS, "test."), 1);
    bench_deinit(&b);
}

/* The reason names the record, the zone, the key and who said so. */
static void test_reason(void **state)
{
    (void)state;
    struct bench b;
    struct dns_name zone = world_name("example.test.");
    struct dns_name www = world_name(WWW);
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){WWW, A, BEND_FLIP, A, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    const struct val_reason *r = &val_job_verdict(b.job)->reason;
    assert_true(dns_name_equal(&r->zone, &zone) && dns_name_equal(&r->name, &www));
    assert_int_equal(r->type, A);
    assert_int_equal(r->key_tag, world_find_zone(world, "example.test.")->tag);
    assert_int_equal(r->algorithm, DNS_ALG_ED25519);
    assert_int_equal(r->origin, 5);
    bench_forget(&b);
    b.bend[0] = (struct bend){"example.test.", DNS_TYPE_DNSKEY, BEND_FLIP_SIG, DNS_TYPE_DNSKEY, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    r = &val_job_verdict(b.job)->reason;
    assert_true(dns_name_equal(&r->zone, &zone) && dns_name_equal(&r->name, &zone));
    assert_int_equal(r->type, DNS_TYPE_DNSKEY);
    assert_int_equal(r->origin, 7);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_anchor),
        cmocka_unit_test(test_island),
        cmocka_unit_test(test_negative_anchor),
        cmocka_unit_test(test_two_anchors),
        cmocka_unit_test(test_signers),
        cmocka_unit_test(test_signer_above_the_anchor),
        cmocka_unit_test(test_dname_says_otherwise),
        cmocka_unit_test(test_dname_without_cname),
        cmocka_unit_test(test_no_cut_at_aliases),
        cmocka_unit_test(test_wildcard_alias_proves_no_cut),
        cmocka_unit_test(test_learned),
        cmocka_unit_test(test_expiry_of_all_above),
        cmocka_unit_test(test_kept_keys_are_old),
        cmocka_unit_test(test_bad_is_tried_again),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_refused_messages),
        cmocka_unit_test(test_not_signable),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_reason),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
