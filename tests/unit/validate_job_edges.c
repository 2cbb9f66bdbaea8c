// SPDX-License-Identifier: MIT
// Corners: what is forged by moving genuine records about, cuts behind gaps, kept keys of another
// age, limits, TTLs, and records that must not be handed on.
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
#define MX DNS_TYPE_MX
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY
#define WWW "www.example.test."

static void expect(struct bench *b, const char *name, uint16_t type, enum val_status status,
                   enum val_why why)
{
    (void)bench_ask(b, name, type); /* the verdict is looked at by its job */
    if (!bench_is(b, name, status, why))
        fail_msg("%s", name);
}

static void bend(struct bench *b, const char *name, uint16_t type,
                 void (*custom)(struct bench *bench, struct world_answer *answer))
{
    b->custom = custom;
    b->bend[0] = (struct bend){name, type, BEND_CUSTOM, 0, 0};
}

/* --- genuine records in wrong places --------------------------------------------------------- */

static void move_to_additional(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].section == DNS_ANSWER)
            a->rr[i].section = DNS_ADDITIONAL;
}

static void move_aliases(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].type == DNS_TYPE_CNAME || world_is(&a->rr[i], DNS_TYPE_CNAME, true))
            a->rr[i].section = DNS_ADDITIONAL;
}

static void test_wrong_section(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, WWW, A, move_to_additional);
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bend(&b, "alias.example.test.", A, move_aliases);
    expect(&b, "alias.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bench_deinit(&b);
}

/* The wildcard's own NSEC, expanded as if it were of the name asked for. */
static void expand_nsec(struct bench *b, struct world_answer *a)
{
    uint32_t kept = 0;
    (void)b;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!dns_name_is_wildcard(&a->rr[i].owner))
            continue;
        a->rr[kept] = a->rr[i];
        a->rr[kept++].owner = a->question.name;
    }
    a->count = kept;
}

static void test_expanded_nsec(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, "x.wild.example.test.", MX, expand_nsec);
    expect(&b, "x.wild.example.test.", MX, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    bench_deinit(&b);
}

/* An unsigned address, and nothing else. */
static void forge(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->count = 1;
    a->rr[0] = (struct world_rr){.owner = a->question.name,
                                 .type = A,
                                 .section = DNS_ANSWER,
                                 .ttl_s = 60,
                                 .len = 4,
                                 .rdata = {192, 0, 2, 99}};
}

static void test_forged_below_a_dname(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, "www.tree.example.test.", A, forge);
    expect(&b, "www.tree.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    const struct val_zone *zone = bench_zone(&b, "www.tree.example.test.");
    assert_non_null(zone);
    assert_int_equal(zone->kind, VAL_ZONE_NOT_A_CUT);
    bench_deinit(&b);
}

static void test_dname_made_short(void **state)
{
    (void)state;
    static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.long.example.test.";
    struct bench b;
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){name, A, BEND_RCODE_ONLY, DNS_RCODE_NOERROR, 0};
    expect(&b, name, A, VAL_BOGUS, VAL_WHY_DNAME);
    b.bend[0] =
        (struct bend){"www.tree.example.test.", DNS_TYPE_CNAME, BEND_DROP, DNS_TYPE_CNAME, 0};
    expect(&b, "www.tree.example.test.", DNS_TYPE_CNAME, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* --- cuts behind gaps ------------------------------------------------------------------------ */

static void test_gap(void **state)
{
    (void)state;
    static const char name[] = "www.zone.gap.example.test.";
    struct bench b;
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){"gap.example.test.", DS, BEND_FAIL, 0, 0};
    expect(&b, name, A, VAL_SECURE, VAL_WHY_NONE); /* the DS below says who signed it */
    bench_forget(&b);
    b.bend[0] = (struct bend){"x.gap.example.test.", A, BEND_DROP_SIG, 0, 0};
    expect(&b, "x.gap.example.test.", A, VAL_BOGUS, VAL_WHY_NO_DENIAL);
    assert_int_equal(bench_zone(&b, "gap.example.test.")->kind, VAL_ZONE_NOT_A_CUT);
    expect(&b, name, A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* A DS that only says that the zone above the unsigned one signed it. */
static void claim_test(struct bench *b, struct world_answer *a)
{
    const struct world_zone *test = world_find_zone(b->world, "test.");
    struct world_rr ds = {.type = DS, .ttl_s = WORLD_TTL, .len = 36};
    ds.rdata[2] = DNS_ALG_ED25519;
    ds.rdata[3] = DNS_DIGEST_SHA256;
    a->count = 0;
    world_put_set(a, DNS_ANSWER, test, &a->question.name, &a->question.name, &ds, 1);
    world_flip(a, DS, true);
}

static void test_claimed_ds_below_an_unsigned_zone(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, "signed.insecure.test.", DS, claim_test);
    expect(&b, "www.signed.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    bench_deinit(&b);
}

/* --- kept zones ------------------------------------------------------------------------------ */

static void learn_kind(struct bench *b, const char *text, enum val_zone_kind kind)
{
    struct dns_name name = world_name(text);
    const struct val_zone *zone = val_zone_new(&name, kind, WORLD_NOW + 1000, NULL, NULL, 0);
    bench_learn(b, zone);
    val_zone_unref(zone);
}

/* What was proven above an island's anchor has no say in it. */
static void test_island_below_an_unsigned_zone(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, "example.test.");
    learn_kind(&b, "test.", VAL_ZONE_INSECURE);
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_deinit(&b);
}

/* What rests on kept keys ends with them. */
static void test_ends_with_what_is_above(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    expect(&b, "test.", DNS_TYPE_SOA, VAL_SECURE, VAL_WHY_NONE);
    b.now_s = WORLD_NOW + WORLD_TTL - 50;
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(bench_zone(&b, "example.test.")->expires_s, WORLD_NOW + WORLD_TTL);
    expect(&b, "www.unknownalg.test.", A, VAL_INSECURE, VAL_WHY_ALGORITHM);
    assert_int_equal(bench_zone(&b, "unknownalg.test.")->expires_s, WORLD_NOW + WORLD_TTL);
    b.now_s = WORLD_NOW + WORLD_TTL; /* and then all is proven anew */
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(b.asked, 6);
    bench_deinit(&b);
}

/* nsec3.test. as it was: another key, that the parent's DS still names. */
static struct world_zone *old_generation(void)
{
    static struct world_zone old;
    uint8_t rdata[128];
    struct world_zone *test = world_find_zone(world, "test.");
    old = *world_find_zone(world, "nsec3.test.");
    old.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    uint16_t len = world_dnskey(&old, rdata);
    old.tag = dns_key_tag(rdata, len);
    for (uint32_t i = 0; i < old.count; i++)
        if (old.rr[i].type == KEY)
            memcpy(old.rr[i].rdata, rdata, len);
    world_add_rr(test, &old.name, DS, rdata, world_ds(&old, rdata));
    return &old;
}

static void keep_keys(struct bench *b, const struct world_zone *zone)
{
    struct val_key *keys = calloc(1, sizeof *keys);
    uint8_t rdata[128];
    struct dns_dnskey dnskey;
    assert_non_null(keys);
    uint16_t len = world_dnskey(zone, rdata);
    assert_int_equal(dns_dnskey_read(dns_reader_init(rdata, len), &dnskey), DNS_OK);
    assert_int_equal(val_key_parse(&dnskey, zone->tag, &b->policy, keys), VAL_WHY_NONE);
    const struct val_zone *kept =
        val_zone_new(&zone->name, VAL_ZONE_SECURE, WORLD_NOW + 1000, NULL, keys, 1);
    bench_learn(b, kept);
    val_zone_unref(kept);
}

/* The old keys are kept, and an old answer with them is at hand, genuine as it is: only a fresh one
 * shows the keys of today. */
static void test_old_keys_at_hand(void **state)
{
    (void)state;
    static const char *const names[] = {"www.nsec3.test.", "none.nsec3.test."};
    static struct world_answer keys;
    static struct world_octets octets;
    struct world_zone *old = old_generation();
    for (size_t i = 0; i < COUNT(names); i++) {
        struct dns_question question = {world_name(names[i]), A, DNS_CLASS_IN};
        struct bench b;
        bench_init(&b, world, ".");
        keep_keys(&b, old);
        keys =
            (struct world_answer){.question = {old->name, KEY, DNS_CLASS_IN}, .flags = DNS_FLAG_QR};
        assert_true(world_put_type(&keys, DNS_ANSWER, old, &old->name, &old->name, KEY));
        world_write(&keys, &octets);
        bench_begin(&b, &question);
        assert_int_equal(val_job_give(b.job, &old->name, KEY, &octets.msg, 0, 7), DNS_OK);
        (void)bench_finish(&b);
        assert_true(bench_is(&b, names[i], VAL_SECURE, VAL_WHY_NONE));
        assert_true(b.fresh > 0);
        bench_deinit(&b);
    }
    EVP_PKEY_free(old->key);
    world_find_zone(world, "test.")->count--; /* the DS of the old key, added last */
}

/* --- limits ---------------------------------------------------------------------------------- */

static void test_limits(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.limits.slice_units = 0; /* as good as one */
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_forget(&b);
    b.limits.zones = 3;
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_forget(&b);
    b.limits.zones = 2;
    expect(&b, WWW, A, VAL_BOGUS, VAL_WHY_BUDGET);
    bench_forget(&b);
    b.limits = val_limits_default;
    b.bend[0] = (struct bend){"a.b.ent.example.test.", A, BEND_DROP_SIG, 0, 0};
    b.limits.labels = 3;
    expect(&b, "a.b.ent.example.test.", A, VAL_BOGUS, VAL_WHY_NO_RRSIG);
    bench_forget(&b);
    b.limits.labels = 2;
    expect(&b, "a.b.ent.example.test.", A, VAL_BOGUS, VAL_WHY_BUDGET);
    bench_forget(&b);
    b.limits = val_limits_default;
    b.limits.rrsets_per_message = 1;
    expect(&b, "alias.example.test.", A, VAL_BOGUS, VAL_WHY_BUDGET);
    bench_deinit(&b);
}

/* Guesses about one name of the chain leave enough for what the others need. */
static void test_guesses_leave_enough(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.limits.fetches = 6;
    expect(&b, "back.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    bench_deinit(&b);
}

/* --- what is handed on ----------------------------------------------------------------------- */

static void test_age(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.age_s = 100;
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(val_job_verdict(b.job)->ttl_s, WORLD_TTL - 100);
    assert_int_equal(bench_zone(&b, "example.test.")->expires_s, WORLD_NOW + WORLD_TTL - 100);
    b.age_s = 1000000;
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(val_job_verdict(b.job)->ttl_s, 0);
    bench_deinit(&b);
}

static void test_earliest_end(void **state)
{
    (void)state;
    struct bench b;
    struct world_zone *zone = world_find_zone(world, "nsec3.test.");
    uint32_t before = zone->expiration;
    zone->expiration = WORLD_NOW + 50;
    bench_init(&b, world, ".");
    expect(&b, "cross.example.test.", A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(val_job_verdict(b.job)->expires_s, WORLD_NOW + 50);
    assert_int_equal(val_job_verdict(b.job)->ttl_s, 50);
    expect(&b, "alias.nsec3.test.", A, VAL_SECURE, VAL_WHY_NONE);
    assert_int_equal(val_job_verdict(b.job)->expires_s, WORLD_NOW + 50);
    zone->expiration = before;
    bench_deinit(&b);
}

static void stray_soa(struct bench *b, struct world_answer *a)
{
    (void)b;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->rr[i].type == DNS_TYPE_SOA)
            a->rr[i].owner = world_name("elsewhere.test.");
}

/* Records that were not proven, or say nothing of the question, go no further. */
static void add_strays(struct bench *b, struct world_answer *a)
{
    struct world_rr rr = {.type = A, .ttl_s = 60, .len = 4};
    struct dns_name name = world_name("stray.test.");
    (void)b;
    world_put(a, DNS_ANSWER, &name, &rr);
    world_put(a, DNS_AUTHORITY, &name, &rr);
    world_put(a, DNS_ADDITIONAL, &name, &rr);
    rr.type = DNS_TYPE_NS;
    rr.len = name.len;
    memcpy(rr.rdata, name.wire, name.len);
    world_put(a, DNS_AUTHORITY, &a->question.name, &rr);
}

static void test_strays(void **state)
{
    (void)state;
    static struct world_octets o;
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, "www.insecure.test.", MX, stray_soa);
    expect(&b, "www.insecure.test.", MX, VAL_INSECURE, VAL_WHY_NO_DS);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rr_count, 0);
    bend(&b, WWW, A, add_strays);
    expect(&b, WWW, A, VAL_SECURE, VAL_WHY_NONE);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rr_count, 3); /* two addresses, one RRSIG */
    bend(&b, "www.insecure.test.", A, add_strays);
    expect(&b, "www.insecure.test.", A, VAL_INSECURE, VAL_WHY_NO_DS);
    bench_write(&b, &o);
    assert_int_equal(o.msg.rr_count, 1);
    bench_deinit(&b);
}

static void to_chaos(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->question.class_ = DNS_CLASS_CH;
}

static void test_other_class(void **state)
{
    (void)state;
    struct dns_question question = {world_name(WWW), A, DNS_CLASS_CH};
    struct bench b;
    bench_init(&b, world, ".");
    bend(&b, WWW, A, to_chaos);
    bench_begin(&b, &question);
    (void)bench_finish(&b);
    assert_true(bench_is(&b, "class CH", VAL_INSECURE, VAL_WHY_NO_ANCHOR));
    bench_deinit(&b);
}

/* --- the table of states --------------------------------------------------------------------- */

static void test_states(void **state)
{
    (void)state;
    static struct world_octets good, other;
    static struct world_answer answer;
    struct dns_question question = {world_name("www.insecure.test."), A, DNS_CLASS_IN};
    uint32_t count;
    uint8_t buf[512];
    struct bench b;
    bench_init(&b, world, NULL);
    b.budget = val_budget_init(&b.limits);
    world_ask(world, "www.insecure.test.", A, &answer);
    world_write(&answer, &good);
    answer.rcode = DNS_RCODE_SERVFAIL;
    world_write(&answer, &other);

    b.job = val_job_new(&question, &b.env, &b.budget, NULL);
    assert_int_equal(val_job_step(b.job, WORLD_NOW), VAL_NEED); /* waiting: for the answer */
    (void)val_job_needs(b.job, &count);
    assert_int_equal(count, 0);
    assert_int_equal(val_job_write(b.job, buf, sizeof buf), 0);
    assert_int_equal(val_job_give(b.job, &dns_root, KEY, NULL, 0, 0), DNS_OK);
    assert_int_equal(val_job_answer(b.job, &good.msg, 0, 0), DNS_OK);
    assert_int_equal(val_job_answer(b.job, &other.msg, 0, 0), DNS_OK); /* proving: ignored */
    assert_int_equal(val_job_step(b.job, WORLD_NOW), VAL_DONE);
    assert_int_equal(val_job_verdict(b.job)->status, VAL_INSECURE);
    assert_int_equal(val_job_answer(b.job, &other.msg, 0, 0), DNS_OK); /* done: ignored */
    assert_int_equal(val_job_give(b.job, &dns_root, KEY, &good.msg, 0, 0), DNS_OK);
    assert_int_equal(val_job_step(b.job, WORLD_NOW), VAL_DONE);
    assert_int_equal(val_job_verdict(b.job)->status, VAL_INSECURE);
    assert_true(val_job_write(b.job, buf, sizeof buf) > 0);
    assert_int_equal(val_job_write(b.job, buf, 20), 0);
    val_job_free(NULL);
    bench_deinit(&b);
}

/* What left together with the question is no flight of its own, in whatever order it comes. */
static enum val_status with_flights(uint32_t flights, bool expected)
{
    struct bench b;
    struct val_need plan[VAL_PLAN_MAX];
    struct dns_question question = {world_name(WWW), A, DNS_CLASS_IN};
    static struct world_octets octets;
    bench_init(&b, world, ".");
    b.limits.flights = flights;
    b.budget = val_budget_init(&b.limits);
    b.job = val_job_new(&question, &b.env, &b.budget, NULL);
    assert_non_null(b.job);
    uint32_t count = val_plan(&question, &b.env, b.now_s, plan, VAL_PLAN_MAX);
    for (uint32_t i = 0; expected && i < count; i++)
        val_job_expect(b.job, &plan[i]);
    assert_true(bench_fetch(&b, &question.name, question.type, &octets));
    (void)val_job_answer(b.job, &octets.msg, 0, 5);
    enum val_status status = bench_finish(&b)->status;
    bench_deinit(&b);
    return status;
}

static void test_expected_is_no_flight(void **state)
{
    (void)state;
    assert_int_equal(with_flights(0, true), VAL_SECURE);
    assert_int_equal(with_flights(0, false), VAL_BOGUS);
    assert_int_equal(with_flights(2, false), VAL_SECURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_section),
        cmocka_unit_test(test_expanded_nsec),
        cmocka_unit_test(test_forged_below_a_dname),
        cmocka_unit_test(test_dname_made_short),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_claimed_ds_below_an_unsigned_zone),
        cmocka_unit_test(test_island_below_an_unsigned_zone),
        cmocka_unit_test(test_ends_with_what_is_above),
        cmocka_unit_test(test_old_keys_at_hand),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_guesses_leave_enough),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_earliest_end),
        cmocka_unit_test(test_strays),
        cmocka_unit_test(test_other_class),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_expected_is_no_flight),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
