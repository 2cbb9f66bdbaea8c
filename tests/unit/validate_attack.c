// SPDX-License-Identifier: MIT
// What a hostile zone can make a question cost, counted: signatures, crypto units, SHA-1 blocks.
// KeyTrap (CVE-2023-50387) with its kin SigJam, LockCram and HashTrap, NSEC3 of many iterations and
// labels (CVE-2023-50868), ANY with many sets, long chains of aliases. Wall time:
// tests/bench/attack.
#include "tests/test.h"
#include "tests/unit/job_bench.h"

static struct world *world;
static struct world_zone *hostile; /* it has what keys it likes */

#define A DNS_TYPE_A
#define KEY DNS_TYPE_DNSKEY
#define WWW "www.hostile.test."
#define CHAIN 5u /* signatures of the chain: DNSKEY of root, test. and hostile.test., two DS */
#define CUT 1u   /* of the proof that there is no cut at www, which might be an excuse */

static int set_up(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)world_zone(world, ".", WORLD_NSEC, "");
    (void)world_zone(world, "test.", WORLD_NSEC, "");
    hostile = world_zone(world, "hostile.test.", WORLD_NSEC,
                         "www A 192.0.2.1\n"
                         "c1 CNAME c2\nc2 CNAME c3\nc3 CNAME c4\nc4 CNAME c5\nc5 CNAME c6\n"
                         "c6 CNAME c7\nc7 CNAME c8\nc8 CNAME c9\nc9 CNAME c10\nc10 CNAME c11\n"
                         "c11 CNAME c12\nc12 CNAME www\n");
    (void)world_zone(world, "deep.test.", WORLD_NSEC3, "www A 192.0.2.2");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

/* --- making it ------------------------------------------------------------------------------- */

/* A DNSKEY that nobody has the private half of, with the tag of the hostile zone's key. */
static void put_colliding_key(struct world_rr *rr, uint8_t number)
{
    *rr = (struct world_rr){.type = KEY, .ttl_s = WORLD_TTL, .len = 36};
    rr->rdata[0] = 1;
    rr->rdata[1] = 1;
    rr->rdata[2] = 3;
    rr->rdata[3] = DNS_ALG_ED25519;
    rr->rdata[4] = number;
    for (unsigned i = 0; i < 0x10000; i++) { /* the tag is a sum: one word of it sets it */
        rr->rdata[34] = (uint8_t)(i >> 8);
        rr->rdata[35] = (uint8_t)i;
        if (dns_key_tag(rr->rdata, rr->len) == hostile->tag)
            return;
    }
    fail_msg("no such tag");
}

static unsigned key_count, sig_count, ds_count, type_count;
static bool own_key_last; /* then it is found late, if at all */

static void many_keys(struct bench *b, struct world_answer *a)
{
    static struct world_rr set[80];
    unsigned others = own_key_last ? 0 : 1;
    (void)b;
    for (unsigned i = 0; i < key_count; i++)
        put_colliding_key(&set[others + i], (uint8_t)(i + 1));
    assert_int_equal(world_set(hostile, &hostile->name, KEY, &set[own_key_last ? key_count : 0]),
                     1);
    a->count = 0;
    world_put_set(a, DNS_ANSWER, hostile, &hostile->name, &hostile->name, set, key_count + 1);
}

/* RRSIGs that fit in all but the signature. */
static void many_sigs(struct bench *b, struct world_answer *a)
{
    (void)b;
    struct world_rr sig = a->rr[a->count - 1];
    assert_true(world_is(&sig, A, true));
    a->count--;
    for (unsigned i = 0; i < sig_count; i++) {
        world_put(a, DNS_ANSWER, &a->question.name, &sig);
        a->rr[a->count - 1].rdata[sig.len - 1 - i % 60] ^= (uint8_t)(1 + i / 60);
    }
}

static void both(struct bench *b, struct world_answer *a)
{
    if (a->question.type == KEY)
        many_keys(b, a);
    else
        many_sigs(b, a);
}

/* --- what it costs --------------------------------------------------------------------------- */

struct cost {
    unsigned signatures, units, sha1, failed;
};

static struct cost cost_of(const struct bench *b)
{
    const struct val_limits *limits = &b->budget.limits;
    return (struct cost){b->budget.signatures, limits->crypto_units - b->budget.crypto_units,
                         limits->sha1_blocks - b->budget.sha1_blocks,
                         limits->failed_signatures - b->budget.failed_signatures};
}

static struct cost ask(struct bench *b, const char *what, const char *name, uint16_t type,
                       enum val_status status)
{
    bench_forget(b);
    const struct val_verdict *v = bench_ask(b, name, type);
    struct cost cost = cost_of(b);
    print_message("%-12s %3u signatures (%u false), %3u units, %4u SHA-1 blocks, %s (%s)\n", what,
                  cost.signatures, cost.failed, cost.units, cost.sha1, bench_status(v->status),
                  val_why_text(v->reason.why));
    assert_int_equal(v->status, status);
    return cost;
}

static void bend_all(struct bench *b)
{
    b->custom = both;
    b->bend[0] = (struct bend){"hostile.test.", KEY, BEND_CUSTOM, 0, 0};
    b->bend[1] = (struct bend){WWW, A, BEND_CUSTOM, 0, 0};
}

/* keys x signatures, as many as fit: it ends at the failures that one question may have. */
static void test_keytrap(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend_all(&b);
    key_count = 60;
    sig_count = 80;
    struct cost cost = ask(&b, "KeyTrap", WWW, A, VAL_BOGUS);
    assert_int_equal(cost.failed, b.limits.failed_signatures);
    assert_true(cost.signatures <= CHAIN + CUT + b.limits.failed_signatures);
    assert_true(cost.units <= b.limits.crypto_units);
    bench_deinit(&b);
}

/* One key, many signatures: four are looked at. */
static void test_sigjam(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend_all(&b);
    key_count = 0;
    sig_count = 80;
    struct cost cost = ask(&b, "SigJam", WWW, A, VAL_BOGUS);
    assert_int_equal(cost.failed, b.limits.rrsigs_per_rrset);
    assert_true(cost.signatures <= CHAIN + CUT + b.limits.rrsigs_per_rrset);
    bench_deinit(&b);
}

/* One signature, many keys: two are tried (and a set of keys that begins so lifts no zone). */
static void test_lockcram(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend_all(&b);
    key_count = 70;
    sig_count = 1;
    struct cost cost = ask(&b, "LockCram", WWW, A, VAL_BOGUS);
    assert_int_equal(cost.failed, b.limits.keys_per_tag);
    assert_true(cost.signatures <= CHAIN + CUT + b.limits.keys_per_tag);
    own_key_last = true;
    cost = ask(&b, "own key last", WWW, A, VAL_BOGUS);
    assert_true(cost.signatures <= CHAIN);
    /* One beside the real one is what chance may bring; then all is well. */
    b.bend[1].name = NULL;
    key_count = 1;
    cost = ask(&b, "two of a tag", WWW, A, VAL_SECURE);
    assert_true(cost.signatures <= CHAIN + 1 + 2);
    own_key_last = false;
    bench_deinit(&b);
}

/* DS that each would have to be hashed with each key: eight DS, two keys of a tag. */
static void many_ds(struct bench *b, struct world_answer *a)
{
    static struct world_rr set[60];
    const struct world_zone *parent = world_find_zone(b->world, "test.");
    for (unsigned i = 0; i < ds_count; i++) {
        set[i] = (struct world_rr){.type = DNS_TYPE_DS, .ttl_s = WORLD_TTL};
        set[i].len = (uint16_t)world_ds(hostile, set[i].rdata);
        if (i + 1 < ds_count)
            set[i].rdata[4 + i % 32] ^= (uint8_t)(1 + i / 32); /* the last one is right */
    }
    a->count = 0;
    world_put_set(a, DNS_ANSWER, parent, &hostile->name, &hostile->name, set, ds_count);
}

static void test_hashtrap(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = many_ds;
    b.bend[0] = (struct bend){"hostile.test.", DNS_TYPE_DS, BEND_CUSTOM, 0, 0};
    ds_count = b.limits.ds_per_zone;
    struct cost cost = ask(&b, "eight DS", WWW, A, VAL_SECURE);
    assert_true(cost.signatures <= CHAIN + 1);
    ds_count = b.limits.ds_per_zone + 1u;
    cost = ask(&b, "nine DS", WWW, A, VAL_BOGUS);
    assert_true(cost.signatures <= CHAIN + 1); /* the fresh DS set, too */
    ds_count = 60;
    cost = ask(&b, "HashTrap", WWW, A, VAL_BOGUS);
    assert_true(cost.signatures <= CHAIN + 1);
    bench_deinit(&b);
}

/* Names of as many labels as there can be, below a zone with as many iterations as are worked
 * through: what is hashed is what exists of the name, and the next closer. */
static void test_deep_names(void **state)
{
    (void)state;
    static char name[DNS_NAME_TEXT_MAX];
    struct world_zone *deep = world_find_zone(world, "deep.test.");
    struct bench b;
    for (unsigned i = 0; i < 115; i++)
        memcpy(name + 2 * i, "x.", 2);
    memcpy(name + 230, "deep.test.", sizeof "deep.test.");
    bench_init(&b, world, ".");
    deep->iterations = 50;
    struct cost cost = ask(&b, "50868", name, A, VAL_SECURE);
    assert_true(cost.sha1 <= 4 * 51);
    deep->iterations = 2500;
    cost = ask(&b, "iterations", name, A, VAL_BOGUS);
    assert_int_equal(cost.sha1, 0);
    bench_deinit(&b);
}

static void many_types(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->count = 0;
    for (unsigned i = 0; i < type_count; i++) {
        struct world_rr rr = {.type = (uint16_t)(65280 + i), .ttl_s = 60, .len = 4};
        world_put_set(a, DNS_ANSWER, hostile, &a->question.name, &a->question.name, &rr, 1);
    }
}

static void test_any(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    b.custom = many_types;
    b.bend[0] = (struct bend){WWW, DNS_TYPE_ANY, BEND_CUSTOM, 0, 0};
    type_count = 30;
    struct cost cost = ask(&b, "ANY", WWW, DNS_TYPE_ANY, VAL_SECURE);
    assert_true(cost.signatures <= CHAIN + 24); /* as many as are handed on */
    type_count = 46;
    cost = ask(&b, "ANY, more", WWW, DNS_TYPE_ANY, VAL_SECURE);
    assert_true(cost.signatures <= CHAIN + 24);
    bench_deinit(&b);
}

static void test_aliases(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    struct cost cost = ask(&b, "12 aliases", "c1.hostile.test.", A, VAL_SECURE);
    assert_true(cost.signatures <= CHAIN + 13);
    bench_deinit(&b);
}

/* Whatever it is, it comes in slices: no step costs more than one and a signature. */
static void test_slices(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, world, ".");
    bend_all(&b);
    key_count = 60;
    sig_count = 80;
    b.limits.slice_units = 8;
    struct dns_question question = {world_name(WWW), A, DNS_CLASS_IN};
    bench_begin(&b, &question);
    uint32_t most = 0;
    for (enum val_step step = VAL_AGAIN; step != VAL_DONE;) {
        uint32_t before = b.budget.crypto_units;
        step = val_job_step(b.job, b.now_s);
        uint32_t spent = before - b.budget.crypto_units;
        most = spent > most ? spent : most;
        if (step == VAL_NEED)
            bench_give_all(&b);
    }
    print_message("at most %u units a step\n", most);
    assert_true(most <= 8 + 32 + 2 * 5 * 4); /* all keys of a zone read, the set's own signatures */
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keytrap),    cmocka_unit_test(test_sigjam),
        cmocka_unit_test(test_lockcram),   cmocka_unit_test(test_hashtrap),
        cmocka_unit_test(test_deep_names), cmocka_unit_test(test_any),
        cmocka_unit_test(test_aliases),    cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
