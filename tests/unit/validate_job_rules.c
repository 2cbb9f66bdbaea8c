// SPDX-License-Identifier: MIT
// Answers that are odd and yet honest, or look honest and are not: chains through zones of every
// kind, more records at one name than may be, letters in another case, answers to ANY.
#include "tests/test.h"
#include "tests/unit/job_bench.h"

#define A DNS_TYPE_A
#define MX DNS_TYPE_MX
#define ANY DNS_TYPE_ANY
#define CNAME DNS_TYPE_CNAME

static struct world *world;

static int set_up(void **state)
{
    char many[2048] = "";
    (void)state;
    for (unsigned i = 0, at = 0; i < 30; i++)
        at +=
            (unsigned)snprintf(many + at, sizeof many - at, "many TYPE%u \\# 1 %02x\n", 150 + i, i);
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)world_zone(world, ".", WORLD_NSEC, "");
    (void)world_zone(world, "test.", WORLD_NSEC3, "");
    (void)world_zone(world, "a.test.", WORLD_NSEC,
                     "www A 192.0.2.1\n"
                     "hop CNAME hop.plain.test.\n"
                     "pair CNAME www\n"
                     "both CNAME www\n"
                     "ring DNAME ring.ring\n"
                     "mixed CNAME WwW.B.tEsT.\n"
                     "Upper MX 10 Mail.A.Test.\n");
    (void)world_zone(world, "b.test.", WORLD_NSEC3, "www A 192.0.2.2\nhop CNAME none.a.test.\n");
    (void)world_zone(world, "plain.test.", WORLD_UNSIGNED, "hop CNAME hop.b.test.\n");
    (void)world_zone(world, "many.test.", WORLD_NSEC, many);
    (void)world_zone(world, "out.test.", WORLD_OPT_OUT, "www A 192.0.2.3\n");
    (void)world_zone(world, "cut.out.test.", WORLD_UNSIGNED, "www A 192.0.2.4\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static void expect(struct bench *b, const char *name, uint16_t type, enum val_status want,
                   enum val_why why)
{
    (void)bench_ask(b, name, type);
    assert_true(bench_is(b, name, want, why));
}

static void bend(struct bench *b, const char *name, uint16_t type,
                 void (*custom)(struct bench *bench, struct world_answer *answer))
{
    b->bend[0] = (struct bend){name, type, BEND_CUSTOM, 0, 0};
    b->custom = custom;
}

/* --- signed, unsigned, signed, and then no such name ----------------------------------------- */

static void test_through_every_kind(void **state)
{
    (void)state;
    static const char name[] = "hop.a.test.";
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, name, A, VAL_INSECURE, VAL_WHY_NO_DS);
    /* each part that can be proven must be, behind the unsigned one, too */
    static const struct bend bends[] = {
        {name, A, BEND_DROP, DNS_TYPE_NSEC, 0},
        {name, A, BEND_FLIP_SIG, DNS_TYPE_NSEC, 0},
        {name, A, BEND_FLIP_SIG, CNAME, 0},
        {name, A, BEND_RCODE_ONLY, 0, 0},
    };
    for (size_t i = 0; i < COUNT(bends); i++) {
        b.bend[0] = bends[i];
        assert_int_equal(bench_ask(&b, name, A)->status, VAL_BOGUS);
    }
    bench_deinit(&b);
}

/* --- what may not stand together ------------------------------------------------------------- */

/* Another CNAME at the same name, and a signature over both (RFC 2181 10.1). */
static void second_cname(struct bench *b, struct world_answer *a)
{
    const struct world_zone *zone = world_find_zone(b->world, "a.test.");
    struct dns_name owner = a->question.name, other = world_name("none.a.test.");
    struct world_rr set[2] = {a->rr[0], a->rr[0]};
    set[1].len = other.len;
    memcpy(set[1].rdata, other.wire, other.len);
    a->count = 0;
    world_put_set(a, DNS_ANSWER, zone, &owner, &owner, set, 2);
}

/* An address beside the CNAME, signed; the CNAME's own target is left out. */
static void address_beside(struct bench *b, struct world_answer *a)
{
    const struct world_zone *zone = world_find_zone(b->world, "a.test.");
    struct dns_name owner = a->question.name;
    struct world_rr address = {.type = A, .ttl_s = WORLD_TTL, .len = 4, .rdata = {192, 0, 2, 9}};
    a->count = 2; /* CNAME and RRSIG */
    world_put_set(a, DNS_ANSWER, zone, &owner, &owner, &address, 1);
}

static void forged_address_beside(struct bench *b, struct world_answer *a)
{
    address_beside(b, a);
    world_flip(a, A, true);
}

static void test_beside_a_cname(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "pair.a.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bend(&b, "pair.a.test.", A, second_cname);
    expect(&b, "pair.a.test.", A, VAL_BOGUS, VAL_WHY_MALFORMED);
    bend(&b, "both.a.test.", A, address_beside); /* what was asked for is signed, and there */
    expect(&b, "both.a.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bend(&b, "both.a.test.", A, forged_address_beside);
    expect(&b, "both.a.test.", A, VAL_BOGUS, VAL_WHY_SIGNATURE);
    bench_deinit(&b);
}

/* ring.a.test. DNAME ring.ring.a.test.: each substitution is longer, and it comes to an end. */
static void test_dname_into_itself(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    assert_int_equal(bench_ask(&b, "x.ring.a.test.", A)->status, VAL_BOGUS);
    assert_int_equal(val_job_verdict(b.job)->reason.why, VAL_WHY_LOOP);
    assert_int_equal(b.budget.signatures, 0); /* not one of them was needed to know it */
    bench_deinit(&b);
}

/* --- letters --------------------------------------------------------------------------------- */

static void flip_case(struct dns_name *name)
{
    for (uint32_t i = 1; i < name->len; i += 2) {
        uint8_t lower = name->wire[i] | 0x20;
        if (lower >= 'a' && lower <= 'z')
            name->wire[i] ^= 0x20;
    }
}

/* As an upstream does that plays with letters (0x20): owners, and the names in the denials. */
static void change_case(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        flip_case(&a->rr[i].owner);
}

static void test_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
    } rows[] = {
        {"www.a.test.", A},    {"www.a.test.", MX},   {"none.a.test.", A},
        {"www.b.test.", MX},   {"none.b.test.", A},   {"mixed.a.test.", A},
        {"upper.a.test.", MX}, {"UPPER.A.TEST.", MX}, {"x.WWW.b.test.", A},
    };
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(&b, rows[i].name, rows[i].type, VAL_SECURE, VAL_WHY_NONE);
        bend(&b, rows[i].name, rows[i].type, change_case);
        expect(&b, rows[i].name, rows[i].type, VAL_SECURE, VAL_WHY_NONE);
    }
    bend(&b, "test.", DNS_TYPE_DNSKEY, change_case);
    b.bend[1] = (struct bend){"a.test.", DNS_TYPE_DS, BEND_CUSTOM, 0, 0};
    bench_forget(&b);
    expect(&b, "www.a.test.", A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* --- ANY ------------------------------------------------------------------------------------- */

/* A part answers as well as all (RFC 8482 4.1): of thirty sets 24 are proven and handed on. */
static void test_any(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "many.many.test.", ANY, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rr_count, 2 * 24);
    assert_int_equal(octets_count(&o, DNS_ANSWER, DNS_TYPE_RRSIG), 24);
    b.limits.rrsets_per_message = 10;
    expect(&b, "many.many.test.", ANY, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rr_count, 2 * 10);
    b.bend[0] = (struct bend){"many.many.test.", ANY, BEND_FLIP_SIG, 155, 0};
    expect(&b, "many.many.test.", ANY, VAL_BOGUS, VAL_WHY_SIGNATURE);
    bench_deinit(&b);
}

/* --- the SOA of insecure absences ------------------------------------------------------------ */

static unsigned soas_of(struct bench *b, const char *name)
{
    static struct world_octets o;
    expect(b, name, A, VAL_INSECURE, VAL_WHY_OPT_OUT);
    bench_write(b, &o);
    return octets_count(&o, DNS_AUTHORITY, DNS_TYPE_SOA);
}

/* Behind an opt-out span the zone that says so is signed, and so is its SOA. Below an unsigned
 * cut nothing is. */
static void test_soa_behind_opt_out(void **state)
{
    (void)state;
    static const struct bend bends[] = {
        {"none.out.test.", A, BEND_FLIP_SIG, DNS_TYPE_SOA, 0},
        {"none.out.test.", A, BEND_FLIP, DNS_TYPE_SOA, 0},
        {"none.out.test.", A, BEND_DROP_SIG, DNS_TYPE_SOA, 0},
        {"none.out.test.", A, BEND_DROP_SIG, 0, 0}, /* the DS question still shows the span */
    };
    struct bench b;
    bench_init(&b, world, ".");
    assert_int_equal(soas_of(&b, "none.out.test."), 1);
    assert_int_equal(soas_of(&b, "none.cut.out.test."), 1);
    for (size_t i = 0; i < COUNT(bends); i++) {
        b.bend[0] = bends[i];
        assert_int_equal(soas_of(&b, "none.out.test."), 0);
    }
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_through_every_kind),
        cmocka_unit_test(test_beside_a_cname),
        cmocka_unit_test(test_dname_into_itself),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_soa_behind_opt_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
