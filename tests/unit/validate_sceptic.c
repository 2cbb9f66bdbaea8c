// SPDX-License-Identifier: MIT
// What an expert would try that the other tests do not: see tests/musts.md, "forty tests".
#include "tests/test.h"
#include "tests/unit/job_bench.h"

static struct world *world;

#define A DNS_TYPE_A
#define MX DNS_TYPE_MX
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY
#define WWW "www.example.test."
#define TYPE_UNKNOWN 65280u

static int set_up(void **state)
{
    (void)state;
    world = world_new();
    (void)world_zone(world, "odd.test.", WORLD_NSEC,
                     "* A 192.0.2.40\n"
                     "c1 CNAME c2\nc2 CNAME c3\nc3 CNAME c4\nc4 CNAME c5\nc5 CNAME c6\n"
                     "c6 CNAME c7\nc7 CNAME c8\nc8 CNAME c9\nc9 CNAME c10\nc10 CNAME c11\n"
                     "c11 CNAME c12\nc12 CNAME end\nc0 CNAME c1\nend A 192.0.2.41\n"
                     "far CNAME hop.plain.test.\n"
                     "self DNAME self\n"
                     "www TYPE65280 \\# 6 03574f5203ff\n");
    (void)world_zone(world, "plain.test.", WORLD_UNSIGNED, "hop CNAME none.nsec3.test.");
    (void)world_zone(world, "out.test.", WORLD_OPT_OUT,
                     "*.w A 192.0.2.42\na.ent A 192.0.2.43\n*.alias CNAME www.example.test.");
    (void)world_zone(world, "cut.out.test.", WORLD_UNSIGNED, "");
    (void)world_zone_flags(world, "rsa.test.", WORLD_NSEC, DNS_ALG_RSASHA256, false,
                           "www A 192.0.2.44");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static void expect(struct bench *b, const char *name, uint16_t type, enum val_status status,
                   enum val_why why)
{
    (void)bench_ask(b, name, type); /* the verdict is looked at by its job */
    if (!bench_is(b, name, status, why))
        fail_msg("%s", name);
}

typedef void custom_fn(struct bench *bench, struct world_answer *answer);

static void expect_bent(struct bench *b, custom_fn *custom, const char *name, uint16_t type,
                        enum val_status status, enum val_why why)
{
    b->custom = custom;
    b->bend[0] = (struct bend){name, type, BEND_CUSTOM, 0, 0};
    expect(b, name, type, status, why);
    b->bend[0].name = NULL;
}

/* --- sections and order ---------------------------------------------------------------------- */

static void move_rrsigs(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].type == DNS_TYPE_RRSIG)
            a->rr[i].section = DNS_ADDITIONAL;
}

static void only_rrsigs(struct bench *b, struct world_answer *a)
{
    (void)b;
    world_drop(a, A, false);
}

/* Another name's records in the middle of a set, which is also in reverse, and one comes twice. */
static void split_set(struct bench *b, struct world_answer *a)
{
    struct world_rr rr = {.type = A, .ttl_s = 60, .len = 4};
    struct dns_name other = world_name("stray.test.");
    (void)b;
    struct world_rr first = a->rr[0], second = a->rr[1];
    assert_true(first.type == A && second.type == A);
    a->rr[0] = second;
    a->rr[1] = rr;
    a->rr[1].owner = other;
    world_put(a, DNS_ANSWER, &first.owner, &first);
    world_put(a, DNS_ANSWER, &second.owner, &second);
}

/* RRSIGs count for their set in whatever section they come; by themselves they are nothing. */
static void test_rrsigs_elsewhere(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, move_rrsigs, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_RRSIG), 1);
    expect_bent(&b, only_rrsigs, WWW, A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    expect_bent(&b, split_set, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_RRSIG), 1);
    bench_deinit(&b);
}

static uint8_t section;

static void move_denials(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].section == DNS_AUTHORITY)
            a->rr[i].section = section;
}

/* Else the answer would be handed on without what proves it. */
static void test_denials_elsewhere(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    for (unsigned i = 0; i < 2; i++) {
        section = i ? DNS_ADDITIONAL : DNS_ANSWER;
        expect_bent(&b, move_denials, WWW, MX, VAL_BOGUS, VAL_WHY_NO_DENIAL);
        expect_bent(&b, move_denials, "none.nsec3.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    }
    bench_deinit(&b);
}

/* --- aliases --------------------------------------------------------------------------------- */

static void test_hops(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    assert_int_equal(b.limits.hops, 12);
    expect(&b, "c1.odd.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "c0.odd.test.", A, VAL_BOGUS, VAL_WHY_LOOP);
    bench_deinit(&b);
}

/* Secure, insecure, secure, nothing there: as good as its worst part, and each part is proven. */
static void test_through_an_unsigned_zone(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "far.odd.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    assert_true(val_job_verdict(b.job)->denial);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rcode, DNS_RCODE_NXDOMAIN);
    b.bend[0] = (struct bend){"far.odd.test.", A, BEND_DROP, DNS_TYPE_NSEC3, 0};
    expect(&b, "far.odd.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    b.bend[0] = (struct bend){"far.odd.test.", A, BEND_DROP_SIG, DNS_TYPE_CNAME, 0};
    expect(&b, "far.odd.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    bench_deinit(&b);
}

static void put_address(struct world_answer *a, bool is_signed)
{
    const struct world_zone *zone = world_find_zone(world, "example.test.");
    struct world_rr rr = {.type = A, .ttl_s = 60, .len = 4, .rdata = {192, 0, 2, 66}};
    if (is_signed)
        world_put_set(a, DNS_ANSWER, zone, &a->question.name, &a->question.name, &rr, 1);
    else
        world_put(a, DNS_ANSWER, &a->question.name, &rr);
}

static void add_signed(struct bench *b, struct world_answer *a)
{
    (void)b;
    put_address(a, true);
}

static void add_unsigned(struct bench *b, struct world_answer *a)
{
    (void)b;
    put_address(a, false);
}

/* A CNAME with other data beside it: what was asked for counts, and has to be proven. */
static void test_cname_and_other_data(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, add_unsigned, "alias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    expect_bent(&b, add_signed, "alias.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(octets_count(&o, DNS_ANSWER, A), 1);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_CNAME), 0);
    bench_deinit(&b);
}

static void no_ttl(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].type == DNS_TYPE_CNAME)
            a->rr[i].ttl_s = 0;
}

static void once_only(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->count = 3; /* the DNAME, its RRSIG, and one CNAME */
}

/* Old servers synthesize with TTL 0 (RFC 2672 4.1); the DNAME's own TTL is meant (RFC 6672 3.1). */
static void test_dnames(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, no_ttl, "www.tree.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    for (uint32_t i = 0; i < o.msg.rr_count; i++)
        assert_int_equal(o.msg.rr[i].ttl_s, WORLD_TTL);
    expect_bent(&b, once_only, "x.self.odd.test.", A, VAL_BOGUS, VAL_WHY_LOOP);
    bench_deinit(&b);
}

/* A second target beside the first (RFC 2181 10.1, RFC 6672 2.4). */
static void twice(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->rr[i].type != DNS_TYPE_DNAME && a->rr[i].type != DNS_TYPE_CNAME)
            continue;
        world_put(a, DNS_ANSWER, &a->rr[i].owner, &a->rr[i]);
        a->rr[a->count - 1].rdata[1] ^= 1;
        return;
    }
}

static void twice_below_dname(struct bench *b, struct world_answer *a)
{
    struct world_rr kept = a->rr[0];
    assert_int_equal(kept.type, DNS_TYPE_DNAME);
    a->rr[0].type = 0; /* the CNAME is what comes twice */
    twice(b, a);
    a->rr[0] = kept;
}

static void test_two_targets(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, twice, "alias.example.test.", A, VAL_BOGUS, VAL_WHY_MALFORMED);
    expect_bent(&b, twice, "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_MALFORMED);
    expect_bent(&b, twice_below_dname, "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_MALFORMED);
    bench_deinit(&b);
}

/* So many sets are looked at and no more, whatever they are. */
static void test_limit_of_sets(void **state)
{
    (void)state;
    static const char *const names[] = {"alias.example.test.", "www.tree.example.test."};
    struct bench b;
    bench_init(&b, world, ".");
    for (uint8_t limit = 0; limit < 5; limit++)
        for (size_t i = 0; i < COUNT(names); i++) {
            bool enough = limit > i + 1; /* aliases and address; DNAME, CNAME, address */
            b.limits.rrsets_per_message = limit;
            expect(&b, names[i], A, enough ? VAL_SECURE : VAL_BOGUS,
                   enough ? VAL_WHY_NONE : VAL_WHY_BUDGET);
        }
    bench_deinit(&b);
}

/* Keys shorter than the policy's least are as good as an unknown algorithm, where every DS means
 * one (RFC 4035 5.2). */
static void test_weak_keys(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "www.rsa.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bench_forget(&b);
    b.policy.rsa_bits_min = 2048;
    expect(&b, "www.rsa.test.", A, VAL_INSECURE, VAL_WHY_ALGORITHM);
    assert_int_equal(bench_zone(&b, "rsa.test.")->kind, VAL_ZONE_INSECURE);
    bench_deinit(&b);
}

/* --- wildcards and denials ------------------------------------------------------------------- */

/* The gap of another name, genuine as it is, in place of the one that matters. */
static void other_denial(struct bench *b, struct world_answer *a)
{
    const struct world_zone *zone = world_find_zone(b->world, "example.test.");
    struct dns_name other = world_name("zzz.example.test.");
    world_drop(a, DNS_TYPE_NSEC, true);
    world_drop(a, DNS_TYPE_NSEC, false);
    (void)world_put_proof(a, zone, &other);
}

static void test_wildcards(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "x.odd.test.", A, VAL_SECURE, VAL_WHY_NONE); /* at the apex of a child */
    expect(&b, "x.y.odd.test.", A, VAL_SECURE, VAL_WHY_NONE);
    expect_bent(&b, other_denial, "x.wild.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    expect_bent(&b, other_denial, "x.wild.example.test.", MX, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    expect_bent(&b, other_denial, "none.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bench_deinit(&b);
}

/* Never AD where an opt-out gap is part of the proof (RFC 5155 9.2). */
static void test_opt_out(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
        enum val_status want;
        enum val_why why;
    } rows[] = {
        {"x.w.out.test.", A, VAL_INSECURE, VAL_WHY_OPT_OUT},
        {"x.w.out.test.", MX, VAL_INSECURE, VAL_WHY_OPT_OUT},
        {"x.alias.out.test.", A, VAL_INSECURE, VAL_WHY_OPT_OUT},
        {"none.out.test.", A, VAL_INSECURE, VAL_WHY_OPT_OUT},
        {"cut.out.test.", DS, VAL_INSECURE, VAL_WHY_OPT_OUT},
        {"ent.out.test.", A, VAL_SECURE, VAL_WHY_NONE}, /* it has an NSEC3 of its own */
        {"a.ent.out.test.", MX, VAL_SECURE, VAL_WHY_NONE},
    };
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(&b, rows[i].name, rows[i].type, rows[i].want, rows[i].why);
        bench_write(&b, &o);
        assert_int_equal((o.msg.flags & DNS_FLAG_AD) != 0, rows[i].want == VAL_SECURE);
    }
    bench_deinit(&b);
}

/* RFC 5155 10.3, RFC 9276 3.2: what says so many iterations must itself be signed. */
static void test_iterations_are_signed(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "none.many.test.", A, VAL_INSECURE, VAL_WHY_ITERATIONS);
    bench_forget(&b);
    b.bend[0] = (struct bend){"none.many.test.", A, BEND_FLIP_SIG, DNS_TYPE_NSEC3, 0};
    b.bend[1] = (struct bend){"none.many.test.", DS, BEND_FLIP_SIG, DNS_TYPE_NSEC3, 0};
    expect(&b, "none.many.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bench_deinit(&b);
}

/* --- replay ---------------------------------------------------------------------------------- */

/* The DS of a key that the zone no longer has, signed by the parent as it once was. */
static void old_ds(struct bench *b, struct world_answer *a)
{
    const struct world_zone *parent = world_find_zone(b->world, "test.");
    struct world_rr ds = {.type = DS, .ttl_s = WORLD_TTL};
    struct world_zone old = *world_find_zone(b->world, "p256.test.");
    old.name = a->question.name;
    ds.len = (uint16_t)world_ds(&old, ds.rdata);
    a->count = 0;
    world_put_set(a, DNS_ANSWER, parent, &a->question.name, &a->question.name, &ds, 1);
}

static void test_old_ds(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = old_ds;
    b.bend[0] = (struct bend){"example.test.", DS, BEND_CUSTOM, 0, 0};
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_DNSKEY_DS);
    assert_int_equal(b.fresh, 2); /* DS and DNSKEY, once more */
    b.bend[0].first = 1;          /* only a cache was behind */
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* --- records --------------------------------------------------------------------------------- */

static void large_set(struct bench *b, struct world_answer *a)
{
    const struct world_zone *zone = world_find_zone(b->world, "example.test.");
    static struct world_rr set[90];
    for (uint8_t i = 0; i < COUNT(set); i++)
        set[i] = (struct world_rr){.type = A, .ttl_s = 60, .len = 4, .rdata = {192, 0, 2, i}};
    a->count = 0;
    world_put_set(a, DNS_ANSWER, zone, &a->question.name, &a->question.name, set, COUNT(set));
    a->rr[90] = a->rr[3]; /* twice; what is signed has it once */
    a->rr[91] = a->rr[90];
    a->rr[91].type = DNS_TYPE_RRSIG;
    a->rr[91].len = world_rrsig(zone, &a->question.name, set, COUNT(set), a->rr[91].rdata);
    a->count = 92;
}

static void lower_case(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->rr[0].rdata[1] ^= 0x20;
}

/* An unknown type is octets (RFC 3597 7), also where they look like a name. */
static void test_records(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, large_set, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    expect(&b, "www.odd.test.", TYPE_UNKNOWN, VAL_SECURE, VAL_WHY_NONE);
    expect_bent(&b, lower_case, "www.odd.test.", TYPE_UNKNOWN, VAL_BOGUS, VAL_WHY_SIGNATURE);
    bench_deinit(&b);
}

/* --- signatures ------------------------------------------------------------------------------ */

static uint8_t *signature_of(struct world_answer *a, uint32_t len)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (world_is(&a->rr[i], A, true))
            return a->rr[i].rdata + a->rr[i].len - len;
    fail_msg("no RRSIG");
    return NULL;
}

/* S + L says the same as S to who does not look (RFC 8032 5.1.7). */
static void add_order(struct bench *b, struct world_answer *a)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    uint8_t *s = signature_of(a, 64) + 32;
    unsigned carry = 0;
    (void)b;
    for (unsigned i = 0; i < 32; i++) {
        carry += (unsigned)s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
}

static const uint8_t p256_order[32] = {
    0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void s_is_order(struct bench *b, struct world_answer *a)
{
    (void)b;
    memcpy(signature_of(a, 64) + 32, p256_order, 32);
}

static void r_is_zero(struct bench *b, struct world_answer *a)
{
    (void)b;
    memset(signature_of(a, 64), 0, 32);
}

static void test_signatures(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect_bent(&b, add_order, WWW, A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    expect_bent(&b, s_is_order, "www.p256.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    expect_bent(&b, r_is_zero, "www.p256.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rrsigs_elsewhere),
        cmocka_unit_test(test_denials_elsewhere),
        cmocka_unit_test(test_hops),
        cmocka_unit_test(test_through_an_unsigned_zone),
        cmocka_unit_test(test_cname_and_other_data),
        cmocka_unit_test(test_dnames),
        cmocka_unit_test(test_two_targets),
        cmocka_unit_test(test_limit_of_sets),
        cmocka_unit_test(test_weak_keys),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_opt_out),
        cmocka_unit_test(test_iterations_are_signed),
        cmocka_unit_test(test_old_ds),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_signatures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
