// SPDX-License-Identifier: MIT
/* A cache that is flushed while a question is under way: what its proof began with is no longer
 * trusted. The pool and the clock are made up, and everything is insecure. */
#include "proxy/resolver.h"
#include "tests/test.h"

#include <stdlib.h>

#define FLUSHES_MAX 64u /* more looks at the clock than one question takes */

#define ADDRESS_LEN 16u /* a record A, its owner a pointer */
/* Of an algorithm that nobody has: the zone is insecure, whatever its keys are. */
#define UNUSABLE_ANCHOR                                                                            \
    "two.test. IN DS 1 253 2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SRV_MANY 400u

/* --- a pool that does as told ---------------------------------------------------------------- */

static struct fake {
    doh_done_fn *done;
    void *arg;
    uint8_t wire[32768]; /* the answer to what was asked last */
    uint32_t len, started;
    struct cache *cache;
    doh_done_fn *keys_done; /* who needs the zone's keys */
    void *keys_arg;
    uint8_t keys[256];
    uint32_t keys_len;
    uint32_t looks, flush_at; /* at the clock; at which of them the cache is flushed; 0: at none */
    uint64_t passed_ms;       /* since the start */
    uint32_t told;
    enum val_status status; /* that was told last */
    bool has_wire;
} fake;

static void be_asked(const struct doh_request *request)
{
    static const uint8_t address[ADDRESS_LEN] = {0xc0, 12, 0, 1, 0,   1, 0, 0,
                                                 14,   16, 0, 4, 192, 0, 2, 7};
    uint32_t at = 12;
    while (request->wire[at] != 0)
        at += request->wire[at] + 1u;
    at += 5; /* the root, type and class */
    assert_in_range(at, 17, sizeof fake.wire - sizeof address);
    memcpy(fake.wire, request->wire, at);
    memcpy(fake.wire + at, address, sizeof address);
    fake.len = at + (uint32_t)sizeof address;
    fake.wire[2] = 0x81; /* QR, RD */
    fake.wire[7] = 1;    /* ANCOUNT */
    fake.wire[11] = 0;   /* ARCOUNT: no OPT */
}

static void be_asked_for_keys(const struct doh_request *request)
{
    static const uint8_t key[] = {0xc0, 12, 0, 48, 0, 1,   0, 0, 14, 16,
                                  0,    8,  1, 1,  3, 253, 1, 2, 3,  4};
    uint32_t at = 12 + request->question->name.len + 4;
    memcpy(fake.keys, request->wire, at);
    memcpy(fake.keys + at, key, sizeof key);
    fake.keys_len = at + (uint32_t)sizeof key;
    fake.keys[2] = 0x81;
    fake.keys[7] = 1;
    fake.keys[11] = 0;
}

/* Instead of the address: so many, each with the question's name for its target. */
static void be_answered_by_srv(uint32_t count)
{
    static const uint8_t srv[] = {0xc0, 12, 0, 33, 0, 1, 0, 0, 14,   16,
                                  0,    8,  0, 1,  0, 1, 0, 0, 0xc0, 12};
    uint32_t at = fake.len - ADDRESS_LEN;
    assert_in_range(at + count * sizeof srv, 1, sizeof fake.wire);
    for (uint32_t i = 0; i < count; i++, at += (uint32_t)sizeof srv) {
        memcpy(fake.wire + at, srv, sizeof srv);
        fake.wire[at + 16] = (uint8_t)(i >> 8); /* the port */
        fake.wire[at + 17] = (uint8_t)i;
    }
    fake.len = at;
    fake.wire[6] = (uint8_t)(count >> 8);
    fake.wire[7] = (uint8_t)count;
}

struct doh_fetch *doh_fetch_start(struct doh_pool *pool, const struct doh_request *request,
                                  doh_done_fn *done, void *arg)
{
    (void)pool;
    if (request->question->type == DNS_TYPE_DNSKEY && request->question->name.labels == 2) {
        be_asked_for_keys(request);
        fake.keys_done = done;
        fake.keys_arg = arg;
        return (struct doh_fetch *)&fake;
    }
    if (request->speculative)
        return (struct doh_fetch *)&fake; /* it takes for ever; nobody needs it */
    be_asked(request);
    fake.done = done;
    fake.arg = arg;
    fake.started++;
    return (struct doh_fetch *)&fake;
}

void doh_fetch_cancel(struct doh_fetch *fetch)
{
    assert_ptr_equal(fetch, &fake);
}

uint32_t doh_route_of(const struct doh_config *config, const struct dns_question *question)
{
    (void)config;
    (void)question;
    return DOH_ROUTE_DEFAULT;
}

uint32_t doh_route_find(const struct doh_config *config, const struct dns_name *name)
{
    (void)config;
    (void)name;
    return DOH_ROUTE_DEFAULT;
}

bool doh_route_is_plain(const struct doh_config *config, uint32_t route)
{
    (void)config;
    (void)route;
    return false;
}

uint32_t doh_pool_status(const struct doh_pool *pool, struct doh_upstream_status *ret, uint32_t cap)
{
    (void)pool;
    (void)ret;
    (void)cap;
    return 0;
}

void doh_pool_blame(struct doh_pool *pool, uint32_t upstream, enum doh_lie lie)
{
    (void)pool;
    (void)upstream;
    (void)lie;
    fail();
}

const char *doh_err_text(enum doh_err err)
{
    (void)err;
    return "";
}

uint16_t doh_err_ede(enum doh_err err)
{
    (void)err;
    return DNS_EDE_OTHER;
}

/* --- one question ---------------------------------------------------------------------------- */

static const struct cache_now start = {.mono_ms = 1000000, .wall_s = 1800000000};

static struct cache_now look(void *arg)
{
    (void)arg;
    if (++fake.looks == fake.flush_at)
        cache_flush(fake.cache);
    return (struct cache_now){.mono_ms = start.mono_ms + fake.passed_ms,
                              .wall_s = start.wall_s + fake.passed_ms / 1000};
}

struct world {
    uv_loop_t loop;
    struct config config;
    struct resolver *resolver;
    struct dns_question question;
};

static void on_closed(void *arg)
{
    (void)arg;
}

static void configure(struct config *config)
{
    *config = (struct config){.cache = {.bytes = 4 << 20,
                                        .max_ttl_s = 86400,
                                        .negative_ttl_s = 600,
                                        .failure_ttl_s = 1,
                                        .failure_max_ttl_s = 8,
                                        .max_stale_s = 86400},
                              .policy = val_policy_default(false),
                              .limits = val_limits_default,
                              .query_ms = 4000,
                              .queries_max = 16,
                              .anchors = val_anchors_new()};
    assert_non_null(config->anchors);
    assert_int_equal(val_anchors_add_line(config->anchors, UNUSABLE_ANCHOR), DNS_OK);
}

static int set_up(void **state)
{
    static const uint8_t seed[16] = {1};
    static const struct resolver_clock clock = {.now = look};
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    fake = (struct fake){0};
    assert_int_equal(uv_loop_init(&w->loop), 0);
    configure(&w->config);
    fake.cache = cache_new(&w->config.cache, seed);
    assert_non_null(fake.cache);
    w->resolver = resolver_new(&w->loop, &w->config, fake.cache, NULL, &clock);
    assert_non_null(w->resolver);
    w->question = (struct dns_question){.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse("www.two.test.", &w->question.name), DNS_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    resolver_close(w->resolver, on_closed, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    cache_free(fake.cache);
    val_anchors_free(w->config.anchors);
    free(w);
    return 0;
}

static void on_done(void *arg, const struct resolver_answer *answer)
{
    (void)arg;
    fake.status = answer->status;
    fake.has_wire = answer->wire != NULL;
    fake.told++;
}

static void turn(struct world *w)
{
    for (uint32_t i = 0; i < 4; i++)
        (void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void ask(struct world *w)
{
    const struct resolver_question q = {.question = &w->question};
    fake.started = fake.told = 0;
    assert_non_null(resolver_ask(w->resolver, &q, on_done, NULL));
    turn(w);
    assert_int_equal(fake.started, 1);
}

static void answer(struct world *w)
{
    const struct doh_answer a = {.wire = fake.wire, .len = fake.len};
    const struct doh_answer keys = {.wire = fake.keys, .len = fake.keys_len};
    doh_done_fn *keys_done = fake.keys_done;
    fake.keys_done = NULL;
    if (keys_done)
        keys_done(fake.keys_arg, DOH_OK, &keys);
    fake.done(fake.arg, DOH_OK, &a);
    turn(w);
}

static bool is_cached(const struct world *w)
{
    uint8_t wire[512];
    struct cache_hit hit;
    const struct cache_key key = {
        .question = &w->question, .route = DOH_ROUTE_DEFAULT, .dnssec_ok = true};
    return cache_answer_find(fake.cache, &key, start, wire, sizeof wire, &hit);
}

static bool is_zone_cached(void)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse("two.test.", &name), DNS_OK);
    const struct val_zone *zone = cache_zone_find(fake.cache, &name, start.wall_s);
    val_zone_unref(zone);
    return zone != NULL;
}

static void what_is_under_way_begins_again(void **state)
{
    struct world *w = *state;
    ask(w);
    cache_flush(fake.cache);
    answer(w);
    assert_int_equal(fake.told, 0);
    assert_int_equal(fake.started, 2);
    assert_false(is_cached(w));
    answer(w);
    assert_int_equal(fake.told, 1);
    assert_int_equal(fake.status, VAL_INSECURE);
    assert_true(is_cached(w));
    assert_true(is_zone_cached());
}

/* Wherever the other thread's flush comes, also where nobody looks any more. */
static void what_began_before_a_flush_is_not_kept(void **state)
{
    struct world *w = *state;
    uint32_t at = 0;
    do {
        assert_in_range(++at, 1, FLUSHES_MAX);
        ask(w);
        fake.looks = 0;
        fake.flush_at = at;
        answer(w);
        if (fake.started == 2) {
            answer(w);
        } else {
            assert_int_equal(is_cached(w), fake.looks < at);
            assert_int_equal(is_zone_cached(), fake.looks < at);
        }
        assert_int_equal(fake.told, 1);
        fake.flush_at = 0;
        cache_flush(fake.cache);
    } while (fake.looks >= at);
    assert_true(at > 1);
}

/* Nothing stale where the refresh did not fail: what came is longer than a message can be when its
 * names are written in full, as they must be in SRV (RFC 2782). */
static void what_cannot_be_written_is_not_stale(void **state)
{
    struct world *w = *state;
    const char *name = "a23456789012345678901234567890123456789012345678901234567890123."
                       "b23456789012345678901234567890123456789012345678901234567890123."
                       "c23456789012345678901234567890123456789012345678901234567890123.test.";
    assert_int_equal(dns_name_parse(name, &w->question.name), DNS_OK);
    w->question.type = DNS_TYPE_SRV;
    ask(w);
    be_answered_by_srv(1);
    answer(w);
    assert_true(fake.has_wire);
    fake.passed_ms = 7200 * UINT64_C(1000);
    ask(w);
    be_answered_by_srv(SRV_MANY);
    answer(w);
    assert_int_equal(fake.told, 1);
    assert_int_equal(fake.status, VAL_INDETERMINATE);
    assert_false(fake.has_wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_under_way_begins_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_not_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_began_before_a_flush_is_not_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
