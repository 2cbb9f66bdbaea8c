// SPDX-License-Identifier: MIT
// What the largest messages cost, counted in calls of what the work is made of: names compared and
// brought into canonical form, records and keys read, hashes, signatures. Twice the records may
// cost twice the calls and not four times as many, and none of them costs more than a bound that
// holds for all.
#include "tests/test.h"
#include "tests/unit/job_bench.h"
#include "validate/algorithm.h"

/* --- the counters ---------------------------------------------------------------------------- */

static struct work {
    uint64_t compared;  /* names with names */
    uint64_t canonical; /* records */
    uint64_t keys;      /* read by OpenSSL */
    uint64_t tags;      /* of keys, computed */
    uint64_t checks;    /* signatures */
    uint64_t octets;    /* hashed for them */
} work;

bool __real_dns_name_equal(const struct dns_name *a, const struct dns_name *b);
bool __wrap_dns_name_equal(const struct dns_name *a, const struct dns_name *b);
bool __wrap_dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    work.compared++;
    return __real_dns_name_equal(a, b);
}

int __real_dns_name_compare(const struct dns_name *a, const struct dns_name *b);
int __wrap_dns_name_compare(const struct dns_name *a, const struct dns_name *b);
int __wrap_dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
    work.compared++;
    return __real_dns_name_compare(a, b);
}

enum dns_err __real_dns_rdata_canonical(uint16_t type, uint8_t *rdata, uint32_t len);
enum dns_err __wrap_dns_rdata_canonical(uint16_t type, uint8_t *rdata, uint32_t len);
enum dns_err __wrap_dns_rdata_canonical(uint16_t type, uint8_t *rdata, uint32_t len)
{
    work.canonical++;
    return __real_dns_rdata_canonical(type, rdata, len);
}

uint16_t __real_dns_key_tag(const uint8_t *rdata, uint32_t len);
uint16_t __wrap_dns_key_tag(const uint8_t *rdata, uint32_t len);
uint16_t __wrap_dns_key_tag(const uint8_t *rdata, uint32_t len)
{
    work.tags++;
    return __real_dns_key_tag(rdata, len);
}

enum val_why __real_val_key_parse(const struct dns_dnskey *dnskey, uint16_t tag,
                                  const struct val_policy *policy, struct val_key *ret);
enum val_why __wrap_val_key_parse(const struct dns_dnskey *dnskey, uint16_t tag,
                                  const struct val_policy *policy, struct val_key *ret);
enum val_why __wrap_val_key_parse(const struct dns_dnskey *dnskey, uint16_t tag,
                                  const struct val_policy *policy, struct val_key *ret)
{
    work.keys++;
    return __real_val_key_parse(dnskey, tag, policy, ret);
}

bool __real_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len);
bool __wrap_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len);
bool __wrap_val_algorithm_verify(const struct val_algorithm *algorithm,
                                 const struct val_ready *ready, const uint8_t *data,
                                 size_t data_len, const uint8_t *sig, size_t sig_len)
{
    work.checks++;
    work.octets += data_len;
    return __real_val_algorithm_verify(algorithm, ready, data, data_len, sig, sig_len);
}

/* --- messages of the largest kind ------------------------------------------------------------ */

#define ZONE "hostile.test."
#define WWW "www.hostile.test."

static struct world *world;
static struct world_zone *hostile;
static uint8_t buf[DNS_MSG_MAX];
static struct dns_rr table[DNS_RR_MAX];

static int set_up(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)world_zone(world, ".", WORLD_NSEC, "");
    (void)world_zone(world, "test.", WORLD_NSEC3, "");
    hostile = world_zone(world, ZONE, WORLD_NSEC, "www A 192.0.2.1\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static void put(struct dns_msg_out *out, enum dns_section section, const struct dns_name *owner,
                uint16_t type, const void *rdata, uint32_t len)
{
    dns_msg_out_rr(out, section, owner, type, DNS_CLASS_IN, 3600, rdata, (uint16_t)len);
}

/* RRSIG RDATA that passes every filter, and does not verify. */
static uint32_t rrsig_make(uint8_t *ret, const struct dns_name *owner, uint16_t type, uint32_t nth)
{
    struct dns_writer w = dns_writer_init(ret, 400);
    uint8_t signature[64] = {(uint8_t)nth, (uint8_t)(nth >> 8)};
    dns_write_u16(&w, type);
    dns_write_u8(&w, hostile->algorithm);
    dns_write_u8(&w, owner->labels);
    dns_write_u32(&w, 3600);
    dns_write_u32(&w, hostile->expiration);
    dns_write_u32(&w, hostile->inception);
    dns_write_u16(&w, hostile->tag);
    dns_write_name(&w, &hostile->name);
    dns_write_bytes(&w, signature, sizeof signature);
    return w.off;
}

static void put_rrsigs(struct dns_msg_out *out, enum dns_section section,
                       const struct dns_name *owner, uint16_t type, uint32_t count)
{
    uint8_t rdata[400];
    for (uint32_t i = 0; i < count; i++)
        put(out, section, owner, DNS_TYPE_RRSIG, rdata, rrsig_make(rdata, owner, type, i));
}

static struct dns_name nth_name(uint32_t n)
{
    char label[16];
    struct dns_name name;
    int len = snprintf(label, sizeof label, "n%u", n);
    assert_int_equal(dns_name_prepend(label, (size_t)len, &hostile->name, &name), DNS_OK);
    return name;
}

/* Each writes `n` records, or as many as go with them. */
static void one_large_set(struct dns_msg_out *out, uint32_t n)
{
    struct dns_name www = world_name(WWW);
    for (uint32_t i = 0; i < n; i++)
        put(out, DNS_ANSWER, &www, DNS_TYPE_A, (uint8_t[]){10, 0, (uint8_t)(i >> 8), (uint8_t)i},
            4);
    put_rrsigs(out, DNS_ANSWER, &www, DNS_TYPE_A, 4);
}

static void the_same_record(struct dns_msg_out *out, uint32_t n)
{
    struct dns_name www = world_name(WWW);
    for (uint32_t i = 0; i < n; i++)
        put(out, DNS_ANSWER, &www, DNS_TYPE_A, "\x0a\0\0\1", 4);
    put_rrsigs(out, DNS_ANSWER, &www, DNS_TYPE_A, 4);
}

static void many_signatures(struct dns_msg_out *out, uint32_t n)
{
    struct dns_name www = world_name(WWW);
    put(out, DNS_ANSWER, &www, DNS_TYPE_A, "\x0a\0\0\1", 4);
    put_rrsigs(out, DNS_ANSWER, &www, DNS_TYPE_A, n / 4); /* they are large */
}

static void many_sets(struct dns_msg_out *out, uint32_t n)
{
    for (uint32_t i = 0; i < n / 8; i++) {
        struct dns_name name = nth_name(i);
        put(out, DNS_ANSWER, &name, DNS_TYPE_A, "\x0a\0\0\1", 4);
        put(out, DNS_ANSWER, &name, DNS_TYPE_A, "\x0a\0\0\2", 4);
        put_rrsigs(out, DNS_ANSWER, &name, DNS_TYPE_A, 1);
    }
}

/* www is n0, n0 is n1, and so on: further than anybody follows. */
static void many_aliases(struct dns_msg_out *out, uint32_t n)
{
    struct dns_name owner = world_name(WWW);
    for (uint32_t i = 0; i < n / 8; i++) {
        struct dns_name next = nth_name(i);
        put(out, DNS_ANSWER, &owner, DNS_TYPE_CNAME, next.wire, next.len);
        put_rrsigs(out, DNS_ANSWER, &owner, DNS_TYPE_CNAME, 1);
        owner = next;
    }
}

/* A DNAME at every third name, none of which is above the question. */
static void many_dnames(struct dns_msg_out *out, uint32_t n)
{
    for (uint32_t i = 0; i < n / 8; i++) {
        struct dns_name name = nth_name(i);
        put(out, DNS_ANSWER, &name, DNS_TYPE_DNAME, hostile->name.wire, hostile->name.len);
        put_rrsigs(out, DNS_ANSWER, &name, DNS_TYPE_DNAME, 1);
    }
}

static void many_denials(struct dns_msg_out *out, uint32_t n)
{
    for (uint32_t i = 0; i < n / 8; i++) {
        uint8_t rdata[300];
        struct dns_name name = nth_name(i), next = nth_name(i + 1);
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        dns_write_name(&w, &next);
        dns_write_bytes(&w, "\0\1\x40", 3);
        put(out, DNS_AUTHORITY, &name, DNS_TYPE_NSEC, rdata, w.off);
        put_rrsigs(out, DNS_AUTHORITY, &name, DNS_TYPE_NSEC, 1);
    }
}

static void the_zone_s_key(struct dns_msg_out *out)
{
    uint8_t rdata[WORLD_KEY_MAX];
    put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_DNSKEY, rdata, world_dnskey(hostile, rdata));
}

/* Keys that share one tag: two octets of the same place in a 16-bit word change places. */
static void many_keys(struct dns_msg_out *out, uint32_t n)
{
    uint8_t rdata[WORLD_KEY_MAX];
    uint16_t len = world_dnskey(hostile, rdata);
    for (uint32_t i = 0; i < n / 2; i++) {
        uint8_t other[WORLD_KEY_MAX];
        memcpy(other, rdata, len);
        uint16_t high = (uint16_t)(rdata[10] << 8 | rdata[11]), by = (uint16_t)(i + 1);
        uint16_t low = (uint16_t)(rdata[20] << 8 | rdata[21]);
        if (by > high || by > UINT16_MAX - low)
            by = 0; /* the key itself, once more */
        high = (uint16_t)(high - by);
        low = (uint16_t)(low + by);
        other[10] = (uint8_t)(high >> 8);
        other[11] = (uint8_t)high;
        other[20] = (uint8_t)(low >> 8);
        other[21] = (uint8_t)low;
        put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_DNSKEY, other, len);
    }
    the_zone_s_key(out);
    put_rrsigs(out, DNS_ANSWER, &hostile->name, DNS_TYPE_DNSKEY, 8);
}

/* The zone signed them all: each that is kept is read, and compared with those before it. */
static void many_signed_keys(struct dns_msg_out *out, uint32_t n)
{
    static struct world_rr set[WORLD_RR_MAX];
    uint8_t rdata[600];
    uint32_t count = n / 22 < WORLD_RR_MAX ? n / 22 : WORLD_RR_MAX;
    for (uint32_t i = 0; i < count; i++) {
        set[i] = (struct world_rr){.type = DNS_TYPE_DNSKEY, .ttl_s = 3600};
        set[i].len = world_dnskey(hostile, set[i].rdata);
        set[i].rdata[35] ^= (uint8_t)i; /* the first is the right one */
        put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_DNSKEY, set[i].rdata, set[i].len);
    }
    uint16_t len = world_rrsig(hostile, &hostile->name, set, count, rdata);
    put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_RRSIG, rdata, len);
}

/* Above them all, a DS set with a right signature: the parent is in league. */
static void many_ds(struct dns_msg_out *out, uint32_t n)
{
    static struct world_rr set[WORLD_RR_MAX];
    uint8_t rdata[600];
    uint32_t count = n / 16 < WORLD_RR_MAX ? n / 16 : WORLD_RR_MAX;
    const struct world_zone *parent = world_find_zone(world, "test.");
    for (uint32_t i = 0; i < count; i++) {
        set[i] = (struct world_rr){.type = DNS_TYPE_DS, .ttl_s = 3600};
        set[i].len = (uint16_t)world_ds(hostile, set[i].rdata);
        set[i].rdata[35] ^= (uint8_t)(i + 1);
        put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_DS, set[i].rdata, set[i].len);
    }
    uint16_t len = world_rrsig(parent, &hostile->name, set, count, rdata);
    put(out, DNS_ANSWER, &hostile->name, DNS_TYPE_RRSIG, rdata, len);
}

struct kind {
    const char *what, *name;
    uint16_t type; /* of the question whose answer it is */
    void (*write)(struct dns_msg_out *out, uint32_t n);
};
static const struct kind kinds[] = {
    {"one set of many records", WWW, DNS_TYPE_A, one_large_set},
    {"one record many times", WWW, DNS_TYPE_A, the_same_record},
    {"many RRSIGs of one set", WWW, DNS_TYPE_A, many_signatures},
    {"many sets", WWW, DNS_TYPE_A, many_sets},
    {"many aliases", WWW, DNS_TYPE_A, many_aliases},
    {"many DNAMEs", WWW, DNS_TYPE_A, many_dnames},
    {"many denials", WWW, DNS_TYPE_A, many_denials},
    {"many keys of one tag", ZONE, DNS_TYPE_DNSKEY, many_keys},
    {"many keys, all signed", ZONE, DNS_TYPE_DNSKEY, many_signed_keys},
    {"many DS", ZONE, DNS_TYPE_DS, many_ds},
};

/* --- the run --------------------------------------------------------------------------------- */

static void read_out(const struct kind *kind, uint32_t n, struct dns_msg *ret)
{
    struct dns_msg_out out;
    const struct dns_question question = {world_name(kind->name), kind->type, DNS_CLASS_IN};
    dns_msg_out_init(&out, buf, sizeof buf, 0, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
    dns_msg_out_question(&out, &question);
    kind->write(&out, n);
    uint32_t len = dns_msg_out_finish(&out);
    assert_true(len > 0);
    assert_int_equal(dns_msg_read(buf, len, table, DNS_RR_MAX, ret), DNS_OK);
    assert_true(ret->rr_count > 0);
}

static void give(struct bench *b, const struct kind *kind, const struct dns_msg *large,
                 const struct val_need *need)
{
    static struct world_octets octets;
    struct dns_name bent = world_name(kind->name);
    bool is_large = need->type == kind->type && dns_name_equal(&need->name, &bent);
    if (!is_large)
        assert_true(bench_fetch(b, &need->name, need->type, &octets));
    (void)val_job_give(b->job, &need->name, need->type, is_large ? large : &octets.msg, 0, 7);
}

/* www.hostile.test. with that message in its place, from nothing to the verdict. */
static struct work run(const struct kind *kind, uint32_t n)
{
    static struct world_octets octets;
    static struct dns_msg large;
    struct bench b;
    const struct dns_question question = {world_name(WWW), DNS_TYPE_A, DNS_CLASS_IN};
    bench_init(&b, world, ".");
    b.budget = val_budget_init(&b.limits);
    read_out(kind, n, &large);
    if (kind->type != DNS_TYPE_A)
        assert_true(bench_fetch(&b, &question.name, question.type, &octets));
    b.job = val_job_new(&question, &b.env, &b.budget, NULL);
    struct work before = work;
    (void)val_job_answer(b.job, kind->type == DNS_TYPE_A ? &large : &octets.msg, 0, 5);
    for (enum val_step step = VAL_AGAIN; step != VAL_DONE; b.steps++) {
        uint32_t count = 0;
        assert_in_range(b.steps, 0, 200);
        step = val_job_step(b.job, b.now_s);
        const struct val_need *needs = step == VAL_NEED ? val_job_needs(b.job, &count) : NULL;
        for (uint32_t i = 0; i < count; i++)
            give(&b, kind, &large, &needs[i]);
    }
    struct work cost = {.compared = work.compared - before.compared,
                        .canonical = work.canonical - before.canonical,
                        .keys = work.keys - before.keys,
                        .tags = work.tags - before.tags,
                        .checks = work.checks - before.checks,
                        .octets = work.octets - before.octets};
    print_message("%-26s %4u: %7llu compared %5llu canonical %3llu keys %5llu tags %2llu checks "
                  "%7llu octets, %s\n",
                  kind->what, n, (unsigned long long)cost.compared,
                  (unsigned long long)cost.canonical, (unsigned long long)cost.keys,
                  (unsigned long long)cost.tags, (unsigned long long)cost.checks,
                  (unsigned long long)cost.octets, bench_status(val_job_verdict(b.job)->status));
    bench_deinit(&b);
    return cost;
}

/* Twice as much and what does not depend on n. */
static bool at_most_double(uint64_t half, uint64_t whole, uint64_t fixed)
{
    return whole <= 2 * half + fixed;
}

static void test_no_more_than_linear(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct work half = run(&kinds[i], 1000), whole = run(&kinds[i], 2000);
        bool good = at_most_double(half.compared, whole.compared, 2000) &&
                    at_most_double(half.canonical, whole.canonical, 100) &&
                    at_most_double(half.keys, whole.keys, 16) &&
                    at_most_double(half.tags, whole.tags, 64) &&
                    at_most_double(half.octets, whole.octets, 4096);
        good = good && whole.compared <= 4 * DNS_RR_MAX && whole.canonical <= 4 * DNS_RR_MAX &&
               whole.keys <= val_limits_default.keys_per_zone + 8 &&
               whole.tags <= 16 * DNS_RR_MAX && whole.checks <= 16 && whole.octets <= (1u << 20);
#ifdef VERIDOH_SANITIZED                                 /* else calls may have been inlined */
        good = good && whole.compared > DNS_RR_MAX / 32; /* what stands together is not */
#endif
        if (!good)
            print_error("%s costs too much\n", kinds[i].what);
        failures += !good;
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_more_than_linear)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
