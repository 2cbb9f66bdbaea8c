// SPDX-License-Identifier: MIT
// Extended DNS errors (RFC 8914) of the validator: each code comes of what it stands for, and the
// text names the record, the zone and the key.
#include "tests/test.h"
#include "tests/unit/job_bench.h"

#define A DNS_TYPE_A
#define MX DNS_TYPE_MX
#define DS DNS_TYPE_DS
#define KEY DNS_TYPE_DNSKEY

static struct world *world;

/* The zone's key says that it is none, and the DS above says so, too. */
static void unset_zone_bit(const char *name_text)
{
    struct world_zone *zone = world_find_zone(world, name_text);
    struct world_zone *parent = world_parent(world, &zone->name);
    struct world_rr *key = NULL;
    for (uint32_t i = 0; i < zone->count; i++)
        if (zone->rr[i].type == KEY)
            key = &zone->rr[i];
    assert_non_null(key);
    key->rdata[0] = 0;
    zone->tag = dns_key_tag(key->rdata, key->len);
    for (uint32_t i = 0; i < parent->count; i++) {
        struct world_rr *ds = &parent->rr[i];
        if (ds->type != DS || !dns_name_equal(&ds->owner, &zone->name))
            continue;
        ds->rdata[0] = (uint8_t)(zone->tag >> 8);
        ds->rdata[1] = (uint8_t)zone->tag;
        assert_int_equal(
            val_ds_digest(&zone->name, key->rdata, key->len, DNS_DIGEST_SHA256, ds->rdata + 4), 32);
    }
}

static int set_up(void **state)
{
    (void)state;
    world = world_new();
    struct world_zone *zone = world_find_zone(world, "sub.example.test.");
    zone->inception = WORLD_NOW - 7200;
    zone->expiration = WORLD_NOW - 10;
    zone = world_find_zone(world, "signed.optout.");
    zone->inception = WORLD_NOW + 3600;
    zone = world_find_zone(world, "p256.test.");
    zone->inception = WORLD_NOW + 3600;
    zone->expiration = WORLD_NOW - 3600;
    unset_zone_bit("zone.gap.example.test.");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

struct ede_case {
    uint16_t code;
    const char *name;
    uint16_t type;
    const char *distrust; /* a negative anchor there, or NULL */
    enum val_status status;
    const char *text; /* %u is the tag of the key of `keys` */
    const char *keys;
    struct bend bend;
};

#define WWW "www.example.test."

// clang-format off
static const struct ede_case cases[] = {
    {DNS_EDE_UNSUPPORTED_ALGORITHM, "www.unknownalg.test.", A, NULL, VAL_INSECURE,
     "no DS has an algorithm that is supported here: DS, zone unknownalg.test.", NULL, {0}},
    {DNS_EDE_UNSUPPORTED_DIGEST, "www.unknowndigest.test.", A, NULL, VAL_INSECURE,
     "no DS has a digest type that is supported here: DS, zone unknowndigest.test.", NULL, {0}},
    {DNS_EDE_BOGUS, WWW, A, NULL, VAL_BOGUS,
     "its signature does not verify: www.example.test. A, zone example.test., key tag %u", "example.test.", {WWW, A, BEND_FLIP, A, 0}},
    {DNS_EDE_SIGNATURE_EXPIRED, "www.sub.example.test.", A, NULL, VAL_BOGUS,
     "its RRSIG has expired: DNSKEY, zone sub.example.test., key tag %u", "sub.example.test.", {0}},
    {DNS_EDE_SIGNATURE_NOT_YET_VALID, "www.signed.optout.", A, NULL, VAL_BOGUS,
     "its RRSIG is not yet valid: DNSKEY, zone signed.optout., key tag %u", "signed.optout.", {0}},
    {DNS_EDE_DNSKEY_MISSING, WWW, A, NULL, VAL_BOGUS,
     "no DNSKEY matches a DS of the parent: DNSKEY, zone example.test., key tag %u", "example.test.", {"example.test.", KEY, BEND_FLIP, KEY, 0}},
    {DNS_EDE_DNSKEY_MISSING, WWW, A, NULL, VAL_BOGUS,
     "the zone's DNSKEY set is absent: DNSKEY, zone example.test.", NULL, {"example.test.", KEY, BEND_EMPTY, 0, 0}},
    {DNS_EDE_RRSIGS_MISSING, WWW, A, NULL, VAL_BOGUS,
     "it has no RRSIG: www.example.test. A, zone example.test.", NULL, {WWW, A, BEND_DROP_SIG, 0, 0}},
    {DNS_EDE_NO_ZONE_KEY_BIT, "www.zone.gap.example.test.", A, NULL, VAL_BOGUS,
     "the matching DNSKEY has no zone key bit: DNSKEY, zone zone.gap.example.test., key tag %u", "zone.gap.example.test.", {0}},
    {DNS_EDE_NSEC_MISSING, WWW, MX, NULL, VAL_BOGUS,
     "the denial of existence is not proven: www.example.test. MX, zone example.test.", NULL, {WWW, MX, BEND_DROP, DNS_TYPE_NSEC, 0}},
    {DNS_EDE_NSEC_MISSING, WWW, A, NULL, VAL_BOGUS,
     "neither a DS nor its absence is proven: example.test. DS, zone test.", NULL, {"example.test.", DS, BEND_EMPTY, 0, 0}},
    {DNS_EDE_NO_REACHABLE_AUTHORITY, WWW, A, NULL, VAL_INDETERMINATE,
     "a record of the chain could not be fetched: DNSKEY, zone example.test.", NULL, {"example.test.", KEY, BEND_FAIL, 0, 0}},
    {DNS_EDE_INVALID_DATA, WWW, A, NULL, VAL_BOGUS,
     "the message or a record in it is malformed: A, zone www.example.test.", NULL, {WWW, A, BEND_CUSTOM, 0, 0}},
    {DNS_EDE_SIGNATURE_EXPIRED_BEFORE_VALID, "www.p256.test.", A, NULL, VAL_BOGUS,
     "its RRSIG expires before it begins: DNSKEY, zone p256.test., key tag %u", "p256.test.", {0}},
    {DNS_EDE_UNSUPPORTED_NSEC3_ITERATIONS, "none.many.test.", A, NULL, VAL_INSECURE,
     "NSEC3 with more iterations than are worked through: none.many.test. A, zone many.test.", NULL, {0}},
    {DNS_EDE_UNSUPPORTED_NSEC3_ITERATIONS, "none.toomany.test.", A, NULL, VAL_BOGUS,
     "NSEC3 with more iterations than are accepted at all: ...test. A, zone toomany.test.", NULL, {0}},
    {DNS_EDE_NEGATIVE_TRUST_ANCHOR, WWW, A, "example.test.", VAL_INSECURE,
     "a negative trust anchor covers it: www.example.test. A, zone example.test.", NULL, {WWW, A, BEND_FLIP, A, 0}},
};
// clang-format on

static void cut_short(struct bench *b, struct world_answer *a)
{
    (void)b;
    a->rr[0].len--;
}

static bool has_ede(const struct bench *b, const struct ede_case *c)
{
    const struct val_verdict *v = val_job_verdict(b->job);
    struct dns_ede ede;
    char text[256];
    (void)snprintf(text, sizeof text, c->text, c->keys ? world_find_zone(world, c->keys)->tag : 0);
    val_reason_ede(&v->reason, &ede);
    if (v->status == c->status && ede.code == c->code && !strcmp(ede.text, text) &&
        strlen(ede.text) <= DNS_EDE_TEXT_MAX - VAL_EDE_ROOM)
        return true;
    print_error("%s: wanted %s, EDE %u, %s\n got %s, EDE %u, %s\n", c->name,
                bench_status(c->status), c->code, text, bench_status(v->status), ede.code,
                ede.text);
    return false;
}

static void test_codes(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench b;
        bench_init(&b, world, ".");
        if (cases[i].distrust)
            bench_distrust(&b, cases[i].distrust);
        b.bend[0] = cases[i].bend;
        b.custom = cut_short;
        (void)bench_ask(&b, cases[i].name, cases[i].type);
        failures += !has_ede(&b, &cases[i]);
        bench_deinit(&b);
    }
    assert_int_equal(failures, 0);
}

/* What a running machine can hardly be brought to. */
static void test_out_of_memory(void **state)
{
    (void)state;
    const struct val_reason reason = {.why = VAL_WHY_MEMORY};
    struct dns_ede ede;
    val_reason_ede(&reason, &ede);
    assert_int_equal(ede.code, DNS_EDE_INDETERMINATE);
    assert_string_equal(ede.text, "out of memory");
}

/* What all questions together may take is gone: refused, and nothing is kept. */
static void test_out_of_shared_memory(void **state)
{
    (void)state;
    static const size_t left[] = {0, 5000, 12000, (size_t)1 << 20};
    for (size_t i = 0; i < COUNT(left); i++) {
        struct val_arena_pool memory = {.left = left[i]};
        struct bench b;
        bench_init(&b, world, ".");
        b.memory = &memory;
        const struct val_verdict *verdict = bench_ask(&b, WWW, A);
        bool enough = i + 1 == COUNT(left);
        assert_int_equal(verdict->status, enough ? VAL_SECURE : VAL_INDETERMINATE);
        assert_int_equal(verdict->reason.why, enough ? VAL_WHY_NONE : VAL_WHY_MEMORY);
        bench_deinit(&b);
        assert_int_equal(memory.left, left[i]);
        val_arena_pool_deinit(&memory);
    }
}

/* An answer that is secure, or insecure as its zone wants it, has none. */
static void test_no_code(void **state)
{
    (void)state;
    static const char *const names[] = {WWW, "www.insecure.test.", "www.cut.optout."};
    struct bench b;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(val_why_ede(bench_ask(&b, names[i], A)->reason.why), DNS_EDE_NONE);
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_out_of_shared_memory),
        cmocka_unit_test(test_no_code),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
