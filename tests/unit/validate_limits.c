// SPDX-License-Identifier: MIT
// Every limit of struct val_limits: with just as much as the proof takes it holds, with one less it
// does not.
#include "tests/test.h"
#include "tests/unit/job_bench.h"
#include "validate/signature.h"

#define A DNS_TYPE_A
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY

static struct world *world;

/* Four DS that mean no key stand before the one that does; five aliases in a row. */
static int set_up(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)world_zone(world, ".", WORLD_NSEC, "");
    struct world_zone *test = world_zone(world, "test.", WORLD_NSEC3, "www A 192.0.2.1");
    for (unsigned i = 1; i <= 4; i++) {
        char line[120];
        (void)snprintf(line, sizeof line, "child DS %u 15 2 %064u", i, i);
        world_add_line(test, line);
    }
    (void)world_zone(world, "child.test.", WORLD_NSEC,
                     "www A 192.0.2.1\n"
                     "a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1\n"
                     "a.b.c.d.deep A 192.0.2.1\n"
                     "one CNAME two\ntwo CNAME three\nthree CNAME four\nfour CNAME five\n"
                     "five CNAME www\n");
    (void)world_zone(world, "low.child.test.", WORLD_NSEC, "www A 192.0.2.1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

/* --- how the answers are made dearer --------------------------------------------------------- */

/* Three wrong RRSIGs that look newer than the right one: they are tried first. */
static void add_wrong_signatures(struct bench *b, struct world_answer *a)
{
    (void)b;
    uint32_t count = a->count;
    for (uint32_t i = 0; i < count; i++) {
        for (uint8_t n = 1; n <= 3 && a->rr[i].type == DNS_TYPE_RRSIG; n++) {
            struct world_rr wrong = a->rr[i];
            struct dns_name owner = wrong.owner;
            wrong.rdata[15] = (uint8_t)(wrong.rdata[15] + n); /* last octet of the inception */
            world_put(a, wrong.section, &owner, &wrong);
        }
    }
}

/* The denials of three more names. */
static void add_denials(struct bench *b, struct world_answer *a)
{
    static const char *const labels[] = {"a", "b", "c"};
    const struct world_zone *zone = world_zone_of(b->world, &a->question.name, A);
    for (size_t i = 0; i < COUNT(labels); i++) {
        struct dns_name name;
        assert_int_equal(dns_name_prepend(labels[i], 1, &zone->name, &name), DNS_OK);
        (void)world_put_proof(a, zone, &name);
    }
}

/* --- the table ------------------------------------------------------------------------------- */

struct limit_case {
    const char *what;
    size_t off;
    uint32_t enough;
    const char *name;
    uint16_t type;
    enum val_status want;
    enum val_why why; /* with one less: bogus, and why */
    struct bend bend;
    void (*custom)(struct bench *bench, struct world_answer *answer);
};

#define LIMIT(field) offsetof(struct val_limits, field)
#define WWW "www.child.test."

// clang-format off
static const struct limit_case cases[] = {
    /* Ed25519 is 5: three key sets, two DS sets and the answer; two imports of each key */
    {"crypto-units", LIMIT(crypto_units), 6 * 5 + 3 * 2, WWW, A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"failed-signatures", LIMIT(failed_signatures), 4, WWW, A, VAL_SECURE, VAL_WHY_BUDGET, {WWW, A, BEND_CUSTOM, 0, 0}, add_wrong_signatures},
    {"signatures-per-rrset", LIMIT(rrsigs_per_rrset), 4, WWW, A, VAL_SECURE, VAL_WHY_SIGNATURE, {WWW, A, BEND_CUSTOM, 0, 0}, add_wrong_signatures},
    /* apex, next closer name and wildcard, each of one block */
    {"sha1-blocks", LIMIT(sha1_blocks), 3, "none.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"fetches", LIMIT(fetches), 5, WWW, A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"fetches, a negative answer", LIMIT(fetches), 3, "none.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"flights", LIMIT(flights), 1, WWW, A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"ds-per-zone", LIMIT(ds_per_zone), 5, WWW, A, VAL_SECURE, VAL_WHY_DNSKEY_DS, {0}, NULL},
    {"nsec-per-message", LIMIT(nsec_per_message), 5, "none.child.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {"none.child.test.", A, BEND_CUSTOM, 0, 0}, add_denials},
    {"nsec3-per-message", LIMIT(nsec3_per_message), 3, "none.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"rrsets-per-message", LIMIT(rrsets_per_message), 6, "one.child.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"rrsets-per-message, and the absence", LIMIT(rrsets_per_message), 6, "one.child.test.", DNS_TYPE_MX, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"aliases", LIMIT(hops), 5, "one.child.test.", A, VAL_SECURE, VAL_WHY_LOOP, {0}, NULL},
    {"zones", LIMIT(zones), 4, "www.low.child.test.", A, VAL_SECURE, VAL_WHY_BUDGET, {0}, NULL},
    {"labels", LIMIT(labels), 5, "a.b.c.d.deep.child.test.", A, VAL_BOGUS, VAL_WHY_BUDGET, {"a.b.c.d.deep.child.test.", A, BEND_DROP_SIG, 0, 0}, NULL},
};
// clang-format on

static bool try_limit(struct bench *b, const struct limit_case *c, uint32_t limit,
                      enum val_status want, enum val_why why)
{
    b->limits = val_limits_default;
    memcpy((char *)&b->limits + c->off, &limit, sizeof limit);
    b->bend[0] = c->bend;
    b->custom = c->custom;
    bench_forget(b);
    (void)bench_ask(b, c->name, c->type);
    return bench_is(b, c->what, want, why);
}

static void test_each(void **state)
{
    (void)state;
    struct bench b;
    unsigned failures = 0;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct limit_case *c = &cases[i];
        enum val_why why = c->want == VAL_SECURE ? VAL_WHY_NONE : VAL_WHY_NO_RRSIG;
        failures += !try_limit(&b, c, c->enough, c->want, why);
        failures += !try_limit(&b, c, c->enough - 1, VAL_BOGUS, c->why);
    }
    bench_deinit(&b);
    assert_int_equal(failures, 0);
}

/* The five signatures and six imports before the last signature have used up the slice, or left one
 * unit of it. */
static void test_slice(void **state)
{
    (void)state;
    struct dns_question question = {world_name(WWW), A, DNS_CLASS_IN};
    struct bench b;
    bench_init(&b, world, ".");
    b.plan = true;
    for (uint32_t slice = 31; slice <= 32; slice++) {
        b.limits.slice_units = slice;
        bench_forget(&b);
        bench_begin(&b, &question);
        assert_int_equal(val_job_step(b.job, b.now_s), slice == 31 ? VAL_AGAIN : VAL_DONE);
        (void)bench_finish(&b);
        assert_true(bench_is(&b, "slice", VAL_SECURE, VAL_WHY_NONE));
    }
    bench_deinit(&b);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* The answer's set and its zone, proven. */
static const struct val_rrset *an_answer(struct bench *b, struct val_arena *arena,
                                         const struct val_zone **ret_zone)
{
    static struct world_octets octets;
    static struct val_rrsets sets;
    struct dns_name name = world_name(WWW);
    bool malformed;
    (void)bench_ask(b, WWW, A);
    *ret_zone = bench_zone(b, "child.test.");
    assert_true(bench_fetch(b, &name, A, &octets));
    assert_int_equal(val_rrsets_split(&octets.msg, arena, &sets, &malformed), DNS_OK);
    return val_rrsets_find(&sets, &name, A);
}

/* Three keys of the same tag stand before the one that signed. */
static void test_keys_per_tag(void **state)
{
    (void)state;
    struct bench b;
    const struct val_zone *zone;
    struct val_arena *arena = val_arena_new(1u << 16, NULL);
    bench_init(&b, world, ".");
    const struct val_rrset *set = an_answer(&b, arena, &zone);
    const struct val_zone *other = bench_zone(&b, "test.");
    struct val_key keys[4] = {other->keys[0], other->keys[0], other->keys[0], zone->keys[0]};
    struct val_zone many = *zone;
    for (uint32_t i = 0; i < 3; i++)
        keys[i].tag = zone->keys[0].tag;
    many.keys = keys;
    many.key_count = COUNT(keys);
    for (uint32_t limit = 3; limit <= 4; limit++) {
        struct val_limits limits = val_limits_default;
        struct val_verified v;
        limits.keys_per_tag = limit;
        struct val_budget budget = val_budget_init(&limits);
        val_rrset_verify(set, &many, WORLD_NOW, &b.policy, &budget, &v);
        assert_int_equal(v.secure, limit == 4);
        assert_int_equal(budget.signatures, limit);
    }
    val_arena_free(arena);
    bench_deinit(&b);
}

/* Two DNSKEYs with the tag of a DS: the second is the one that it means. */
static void test_keys_per_tag_of_ds(void **state)
{
    (void)state;
    static struct world_octets octets;
    struct bench b;
    struct val_reason reason;
    struct dns_name name = world_name("child.test.");
    struct val_rrsets sets;
    bool malformed;
    uint8_t wrong[36], digest[64];
    struct val_arena *arena = val_arena_new(1u << 16, NULL);
    bench_init(&b, world, ".");
    assert_true(bench_fetch(&b, &name, KEY, &octets));
    assert_int_equal(val_rrsets_split(&octets.msg, arena, &sets, &malformed), DNS_OK);
    struct val_rrset set = *val_rrsets_find(&sets, &name, KEY);
    memcpy(wrong, set.rr[0].data, sizeof wrong);
    for (size_t i = 0; i < 2; i++) { /* two octets apart change places: the tag is a sum */
        wrong[8 + i] = set.rr[0].data[10 + i];
        wrong[10 + i] = set.rr[0].data[8 + i];
    }
    assert_int_equal(dns_key_tag(wrong, 36), dns_key_tag(set.rr[0].data, 36));
    const struct val_rdata two[] = {{wrong, sizeof wrong}, set.rr[0]};
    set.rr = two;
    set.count = 2; /* its signature is wrong then: what is looked at is how far it gets */
    const struct val_rdata ds = {digest, world_ds(world_find_zone(world, "child.test."), digest)};
    const struct val_ds_set ds_set = {&ds, 1};
    for (uint32_t limit = 1; limit <= 2; limit++) {
        struct val_limits limits = val_limits_default;
        limits.keys_per_tag = limit;
        struct val_budget budget = val_budget_init(&limits);
        assert_null(val_zone_lift(&name, &ds_set, UINT64_MAX, &set, WORLD_NOW, &b.policy, &budget,
                                  &reason, NULL, NULL));
        assert_int_equal(reason.why, limit == 1 ? VAL_WHY_DNSKEY_DS : VAL_WHY_SIGNATURE);
    }
    val_arena_free(arena);
    bench_deinit(&b);
}

/* More keys than are kept: the rest is passed over, nothing is refused for it. */
static void test_keys_per_zone(void **state)
{
    (void)state;
    struct bench b;
    struct world_zone *zone = world_find_zone(world, "child.test.");
    uint32_t before = zone->count;
    for (uint8_t i = 1; i <= 5; i++) {
        uint8_t rdata[36] = {1, 0, 3, DNS_ALG_ED25519, i};
        world_add_rr(zone, &zone->name, KEY, rdata, sizeof rdata);
    }
    bench_init(&b, world, ".");
    for (uint32_t limit = 5; limit <= 7; limit++) {
        b.limits.keys_per_zone = limit;
        bench_forget(&b);
        (void)bench_ask(&b, WWW, A);
        assert_true(bench_is(&b, "keys-per-zone", VAL_SECURE, VAL_WHY_NONE));
        assert_int_equal(bench_zone(&b, "child.test.")->key_count, limit < 6 ? limit : 6);
    }
    zone->count = before;
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),          cmocka_unit_test(test_slice),
        cmocka_unit_test(test_keys_per_tag),  cmocka_unit_test(test_keys_per_tag_of_ds),
        cmocka_unit_test(test_keys_per_zone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
