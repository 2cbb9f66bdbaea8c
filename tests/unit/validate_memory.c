// SPDX-License-Identifier: MIT
// Each allocation fails once: of the validator's own, and of OpenSSL's on its behalf. The verdict
// is then indeterminate for want of memory or what it was; never better, never another; nothing
// leaks (the sanitizer looks), and what was learned on the way is true. Linked with --wrap for
// malloc and its kin (tests/CMakeLists.txt): the validator's calls come here.
#include "tests/test.h"
#include "tests/unit/told.h"

#include <openssl/crypto.h>

/* --- failing --------------------------------------------------------------------------------- */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void *__real_reallocarray(void *old, size_t count, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
void *__wrap_reallocarray(void *old, size_t count, size_t len);

enum whose { OURS, OF_OPENSSL };

static bool armed;         /* only while the validator runs, */
static enum whose failing; /* only allocations of this one, */
static unsigned left;      /* only the one after so many */
static bool failed;

static bool must_fail(enum whose whose)
{
    if (!armed || whose != failing || left == 0)
        return false;
    left--;
    failed = left == 0;
    return failed;
}

void *__wrap_malloc(size_t len)
{
    return must_fail(OURS) ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
    return must_fail(OURS) ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *old, size_t len)
{
    return must_fail(OURS) ? NULL : __real_realloc(old, len);
}

void *__wrap_reallocarray(void *old, size_t count, size_t len)
{
    return must_fail(OURS) ? NULL : __real_reallocarray(old, count, len);
}

static void *openssl_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail(OF_OPENSSL) ? NULL : __real_malloc(len);
}

static void *openssl_realloc(void *old, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail(OF_OPENSSL) ? NULL : __real_realloc(old, len);
}

static void openssl_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* --- the world ------------------------------------------------------------------------------- */

static struct world *world;
static struct told_list list;

static int set_up(void **state)
{
    (void)state;
    world = world_new();
    (void)world_zone_flags(world, "rsa.test.", WORLD_NSEC3, DNS_ALG_RSASHA256, false,
                           "www A 192.0.2.30");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

struct scenario {
    const char *name;
    uint16_t type;
    bool bare; /* no CNAME comes with the DNAME: it is made here */
};

static const struct scenario scenarios[] = {
    {"www.example.test.", DNS_TYPE_A, false},      {"www.p256.test.", DNS_TYPE_A, false},
    {"www.rsa.test.", DNS_TYPE_A, false},          {"www.tree.example.test.", DNS_TYPE_A, true},
    {"none.nsec3.test.", DNS_TYPE_A, false},       {"x.wild.nsec3.test.", DNS_TYPE_A, false},
    {"www.insecure.test.", DNS_TYPE_A, false},     {"www.cut.optout.", DNS_TYPE_A, false},
    {"www.unknownalg.test.", DNS_TYPE_A, false},   {"www.many.test.", DNS_TYPE_MX, false},
    {"cross.example.test.", DNS_TYPE_AAAA, false}, {"www.nods.test.", DNS_TYPE_A, false},
};

/* --- one run --------------------------------------------------------------------------------- */

static void give(struct val_job *job, const struct val_need *need)
{
    struct told *t = told_find(&list, &need->name, need->type);
    (void)val_job_give(job, &need->name, need->type, t && t->fetched ? &t->octets.msg : NULL, 0, 7);
}

static void give_needs(struct val_job *job)
{
    struct val_need needs[64];
    uint32_t count;
    const struct val_need *named = val_job_needs(job, &count);
    assert_in_range(count, 1, 64);
    memcpy(needs, named, count * sizeof *needs);
    for (uint32_t i = 0; i < count; i++)
        give(job, &needs[i]);
}

/* False: there is no job at all, for want of memory. */
static bool prove(struct bench *b, struct val_verdict *ret)
{
    struct val_budget budget = val_budget_init(&b->limits);
    struct val_job *job = val_job_new(&list.question, &b->env, &budget, NULL);
    if (!job)
        return false;
    told_give(job, &list, 0);
    for (enum val_step step = VAL_AGAIN; step != VAL_DONE;) {
        step = val_job_step(job, WORLD_NOW);
        if (step == VAL_NEED)
            give_needs(job);
    }
    *ret = *val_job_verdict(job);
    val_job_free(job);
    return true;
}

static bool prove_armed(struct bench *b, enum whose whose, unsigned at, struct val_verdict *ret)
{
    failing = whose;
    left = at;
    failed = false;
    armed = true;
    bool proven = prove(b, ret);
    armed = false;
    return proven;
}

/* INSECURE may only be believed of what is so without a failure, too. */
static void check_learned(const struct bench *b, const struct bench *honest)
{
    for (uint32_t i = 0; i < b->zone_count; i++) {
        const struct val_zone *zone = b->zone[i];
        if (zone->kind == VAL_ZONE_BAD)
            continue;
        const struct val_zone *was = bench_find((void *)(uintptr_t)honest, &zone->name, 0);
        assert_non_null(was);
        assert_int_equal(was->kind, zone->kind);
        assert_int_equal(was->key_count, zone->key_count);
        val_zone_unref(was);
    }
}

/* --- the tests ------------------------------------------------------------------------------- */

typedef bool allowed_fn(const struct val_verdict *v);

/* A message that there was no room for is one that could not be fetched. */
static bool by_memory(const struct val_verdict *v)
{
    return v->status == VAL_INDETERMINATE &&
           (v->reason.why == VAL_WHY_MEMORY || v->reason.why == VAL_WHY_FETCH);
}

/* OpenSSL does not always say that it was memory: then a signature or a key does not fit. */
static bool refused(const struct val_verdict *v)
{
    return v->status == VAL_INDETERMINATE || v->status == VAL_BOGUS;
}

static void check_each(const struct scenario *s, enum whose whose, allowed_fn *allowed)
{
    struct bench honest, b;
    struct val_verdict v;
    unsigned mattered = 0;
    bench_init(&honest, world, ".");
    if (s->bare)
        honest.bend[0] = (struct bend){s->name, s->type, BEND_DROP, DNS_TYPE_CNAME, 0};
    const struct val_verdict want = *told_collect(&list, &honest, s->name, s->type);
    bench_init(&b, world, ".");
    unsigned at = 0;
    do {
        bench_forget(&b);
        if (!prove_armed(&b, whose, ++at, &v)) {
            mattered++;
            continue;
        }
        bool same = v.status == want.status && v.reason.why == want.reason.why;
        mattered += !same;
        if (!same && !allowed(&v))
            fail_msg("%s type %u, allocation %u: %s (%s)", s->name, s->type, at,
                     bench_status(v.status), val_why_text(v.reason.why));
        check_learned(&b, &honest);
    } while (failed);
    print_message("%-24s type %2u: %4u allocations, %4u matter\n", s->name, s->type, at - 1,
                  mattered);
    assert_true(mattered > 5);
    bench_deinit(&b);
    bench_deinit(&honest);
}

static void test_each_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenarios); i++)
        check_each(&scenarios[i], OURS, by_memory);
}

static void test_each_allocation_of_openssl(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenarios); i++)
        check_each(&scenarios[i], OF_OPENSSL, refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_each_allocation_of_openssl),
    };
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
