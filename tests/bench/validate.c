// SPDX-License-Identifier: MIT
// bench-validate [ROUNDS]: what a proof costs beside the bare signature check that it cannot do
// without. Everything is measured in turns within a round, in CPU time of this thread; ratios are
// taken within a round, and shown as median and range over the rounds. See tests/bench/README.md.
#include "cache/cache.h"
#include "tests/test.h"
#include "tests/unit/job_bench.h"
#include "validate/algorithm.h"
#include "validate/canonical.h"
#include "validate/signature.h"

#include <sodium.h>
#include <time.h>

#define ROUNDS_MAX 101u
#define A DNS_TYPE_A

static unsigned rounds = 9;

static double cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* --- figures --------------------------------------------------------------------------------- */

struct figures {
    double value[ROUNDS_MAX];
    unsigned count;
};

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void figures_print(struct figures *f, const char *what, const char *unit, int digits)
{
    qsort(f->value, f->count, sizeof f->value[0], by_value);
    (void)printf("  %-46s %.*f%s [%.*f to %.*f]\n", what, digits, f->value[f->count / 2], unit,
                 digits, f->value[0], digits, f->value[f->count - 1]);
}

/* --- the world ------------------------------------------------------------------------------- */

struct algorithm {
    const char *words, *zone, *name;
    uint8_t number;
    unsigned checks; /* in one turn */
};
static const struct algorithm algorithms[] = {
    {"RSA-2048 / SHA-256", "rsa.test.", "www.rsa.test.", DNS_ALG_RSASHA256, 1000},
    {"ECDSA P-256", "p256.test.", "www.p256.test.", DNS_ALG_ECDSAP256, 400},
    {"Ed25519", "ed.test.", "www.ed.test.", DNS_ALG_ED25519, 300},
};

static struct world *world_for_bench(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    world_rsa_bits = 2048;
    (void)world_zone(w, ".", WORLD_NSEC, "");
    (void)world_zone(w, "test.", WORLD_NSEC3, "");
    for (size_t i = 0; i < COUNT(algorithms); i++)
        (void)world_zone_flags(w, algorithms[i].zone, WORLD_NSEC3, algorithms[i].number, false,
                               "www A 192.0.2.1\nmail A 192.0.2.2");
    (void)world_zone(w, "insecure.test.", WORLD_UNSIGNED, "www A 192.0.2.3");
    return w;
}

/* --- one check: bare, and through val_rrset_verify() ----------------------------------------- */

struct check {
    const struct algorithm *algorithm;
    const struct val_zone *zone;
    const struct val_rrset *set;
    const struct val_policy *policy;
    uint8_t *data; /* what is signed */
    uint32_t data_len;
    uint8_t sig[512]; /* as OpenSSL wants it */
    size_t sig_len;
    EVP_MD_CTX *ctx;
};

static void check_sig(struct check *c)
{
    const struct dns_rrsig *rrsig = &c->set->sigs[0].rrsig;
    memcpy(c->sig, rrsig->signature, rrsig->signature_len);
    c->sig_len = rrsig->signature_len;
    if (c->algorithm->number != DNS_ALG_ECDSAP256)
        return;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    uint8_t *at = c->sig;
    (void)ECDSA_SIG_set0(sig, BN_bin2bn(rrsig->signature, 32, NULL),
                         BN_bin2bn(rrsig->signature + 32, 32, NULL));
    c->sig_len = (size_t)i2d_ECDSA_SIG(sig, &at);
    ECDSA_SIG_free(sig);
}

static void check_init(struct check *c, struct bench *b, struct val_arena *arena,
                       const struct algorithm *algorithm)
{
    static struct world_octets octets;
    static struct val_rrsets sets;
    struct val_canonical *canonical;
    struct dns_name name = world_name(algorithm->name);
    bool malformed;
    *c = (struct check){.algorithm = algorithm, .policy = &b->policy, .ctx = EVP_MD_CTX_new()};
    assert_int_equal(bench_ask(b, algorithm->name, A)->status, VAL_SECURE);
    c->zone = bench_zone(b, algorithm->zone);
    assert_true(bench_fetch(b, &name, A, &octets));
    assert_int_equal(val_rrsets_split(&octets.msg, arena, &sets, &malformed), DNS_OK);
    c->set = val_rrsets_find(&sets, &name, A);
    assert_int_equal(val_canonical_new(c->set, &canonical), DNS_OK);
    assert_int_equal(
        val_canonical_signed(canonical, c->set, &c->set->sigs[0], &c->data, &c->data_len), DNS_OK);
    free(canonical);
    check_sig(c);
}

static void check_deinit(struct check *c)
{
    EVP_MD_CTX_free(c->ctx);
    free(c->data);
}

static void check_by_openssl(const struct check *c)
{
    const struct val_key *key = &c->zone->keys[0];
    assert_int_equal(EVP_MD_CTX_reset(c->ctx), 1);
    assert_int_equal(EVP_DigestVerifyInit_ex(c->ctx, NULL, "SHA256", NULL, NULL, key->pkey, NULL),
                     1);
    assert_int_equal(EVP_DigestVerify(c->ctx, c->sig, c->sig_len, c->data, c->data_len), 1);
}

static void check_by_sodium(const struct check *c)
{
    const uint8_t *key = c->zone->keys[0].ready.ed25519;
    assert_int_equal(crypto_sign_verify_detached(c->sig, c->data, c->data_len, key), 0);
}

/* The key is ready, the context is kept: nothing can be cheaper. */
static double bare_us(const struct check *c, unsigned count)
{
    void (*bare)(const struct check *c) =
        c->algorithm->number == DNS_ALG_ED25519 ? check_by_sodium : check_by_openssl;
    double began = cpu_us();
    for (unsigned i = 0; i < count; i++)
        bare(c);
    return (cpu_us() - began) / count;
}

static double ours_us(const struct check *c, unsigned count)
{
    double began = cpu_us();
    for (unsigned i = 0; i < count; i++) {
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct val_verified v;
        val_rrset_verify(c->set, c->zone, WORLD_NOW, c->policy, &budget, &v);
        assert_true(v.secure);
    }
    return (cpu_us() - began) / count;
}

/* --- whole answers --------------------------------------------------------------------------- */

struct answer {
    struct dns_question question;
    struct world_octets octets;
    enum val_status status;
    uint32_t signatures; /* that one proof checked */
};

static void answer_init(struct answer *a, struct bench *b, const char *name, enum val_status want)
{
    a->question = (struct dns_question){world_name(name), A, DNS_CLASS_IN};
    a->status = want;
    assert_int_equal(bench_ask(b, name, A)->status, want); /* and now the chain is known */
    assert_true(bench_fetch(b, &a->question.name, A, &a->octets));
}

/* From the message to what the cache keeps, with the chain of trust known. */
static double job_us(struct answer *a, const struct bench *b, const struct val_memo *memo,
                     unsigned count)
{
    static uint8_t out[4096];
    double began = cpu_us();
    for (unsigned i = 0; i < count; i++) {
        struct val_budget budget = val_budget_init(&b->limits);
        budget.memo = memo;
        struct val_job *job = val_job_new(&a->question, &b->env, &budget, NULL);
        assert_int_equal(val_job_answer(job, &a->octets.msg, 0, 0), DNS_OK);
        while (val_job_step(job, WORLD_NOW) == VAL_AGAIN)
            ;
        assert_int_equal(val_job_verdict(job)->status, a->status);
        assert_true(val_job_write(job, out, sizeof out) > 0);
        a->signatures = budget.signatures;
        val_job_free(job);
    }
    return (cpu_us() - began) / count;
}

/* --- what is printed ------------------------------------------------------------------------- */

static void compare(struct bench *b, struct val_arena *arena, const struct algorithm *algorithm)
{
    static struct answer answer;
    struct figures bare = {.count = rounds}, ours = bare, ratio = bare, job = bare, over = bare;
    struct check c;
    check_init(&c, b, arena, algorithm);
    answer_init(&answer, b, algorithm->name, VAL_SECURE);
    for (unsigned i = 0; i < rounds; i++) {
        unsigned count = algorithm->checks;
        bare.value[i] = bare_us(&c, count);
        ours.value[i] = ours_us(&c, count);
        job.value[i] = job_us(&answer, b, NULL, count);
        bare.value[i] = (bare.value[i] + bare_us(&c, count)) / 2; /* before and after */
        ratio.value[i] = bare.value[i] / ours.value[i];
        over.value[i] = job.value[i] / (bare.value[i] * answer.signatures);
    }
    (void)printf("%s\n", algorithm->words);
    figures_print(&bare, "the library's own check, key ready", " us", 2);
    figures_print(&ours, "val_rrset_verify", " us", 2);
    figures_print(&ratio, "verifications a second / bare (goal >= 0.95)", "", 3);
    figures_print(&job, "a secure answer, keys warm", " us", 2);
    figures_print(&over, "that / its bare checks (goal <= 1.20)", "", 3);
    check_deinit(&c);
}

static void measure(struct bench *b, const char *what, struct answer *a,
                    const struct val_memo *memo)
{
    struct figures f = {.count = rounds};
    (void)job_us(a, b, memo, 10); /* now the memo is warm */
    for (unsigned i = 0; i < rounds; i++)
        f.value[i] = job_us(a, b, memo, 2000);
    figures_print(&f, what, " us", 2);
    (void)printf("      signatures checked: %u\n", a->signatures);
}

static void jobs(struct bench *b)
{
    static struct answer insecure, secure, nxdomain;
    static const uint8_t seed[16] = {1};
    struct val_memo memo;
    struct cache_limits limits = {.bytes = 1u << 20, .max_ttl_s = 3600, .negative_ttl_s = 3600};
    struct cache *cache = cache_new(&limits, seed);
    assert_non_null(cache);
    cache_memo_open(cache, &memo);
    answer_init(&insecure, b, "www.insecure.test.", VAL_INSECURE);
    answer_init(&secure, b, "www.p256.test.", VAL_SECURE);
    answer_init(&nxdomain, b, "none.p256.test.", VAL_SECURE);
    (void)printf("a job, from the message to what is kept; the chain is known\n");
    measure(b, "insecure answer", &insecure, NULL);
    measure(b, "secure answer, P-256", &secure, NULL);
    measure(b, "secure answer, P-256, proven before", &secure, &memo);
    measure(b, "NXDOMAIN, NSEC3, P-256", &nxdomain, NULL);
    measure(b, "NXDOMAIN, NSEC3, P-256, proven before", &nxdomain, &memo);
    cache_free(cache);
}

static void all(void **state)
{
    struct bench b;
    struct world *world = world_for_bench();
    struct val_arena *arena = val_arena_new(1u << 20, NULL);
    (void)state;
    bench_init(&b, world, ".");
    for (size_t i = 0; i < COUNT(algorithms); i++)
        compare(&b, arena, &algorithms[i]);
    jobs(&b);
    val_arena_free(arena);
    bench_deinit(&b);
    world_free(world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all)};
    unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : rounds;
    if (wanted < 1 || wanted > ROUNDS_MAX) {
        (void)fprintf(stderr, "bench-validate [ROUNDS]: from 1 to %u\n", ROUNDS_MAX);
        return 2;
    }
    rounds = (unsigned)wanted;
    (void)printf("OpenSSL %s, %u rounds: median [lowest to highest]\n",
                 OpenSSL_version(OPENSSL_VERSION_STRING), rounds);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
