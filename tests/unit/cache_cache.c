// SPDX-License-Identifier: MIT
#include "cache/cache.h"

#include "cache/siphash.h"
#include "dns/rdata.h"
#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUTE 0xffffffffu
static const uint8_t seed[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const struct cache_now start = {.mono_ms = 5000, .wall_s = 1800000000};

static struct cache *cache_of(size_t bytes)
{
    const struct cache_limits limits = {.bytes = bytes,
                                        .max_ttl_s = 86400,
                                        .negative_ttl_s = 600,
                                        .failure_ttl_s = 1,
                                        .failure_max_ttl_s = 8};
    struct cache *cache = cache_new(&limits, seed);
    assert_non_null(cache);
    return cache;
}

static struct dns_question question_of(const char *name, uint16_t type)
{
    struct dns_question q = {.type = type, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse(name, &q.name), DNS_OK);
    return q;
}

/* A message of lines of the answer section, then, behind NULL, of the authority section. */
static uint32_t message(const struct dns_question *q, uint16_t rcode, const char *const *lines,
                        uint8_t *buf, size_t cap)
{
    struct dns_msg_out out;
    enum dns_section section = DNS_ANSWER;
    dns_msg_out_init(&out, buf, cap, 0, (uint16_t)(DNS_FLAG_QR | rcode));
    dns_msg_out_question(&out, q);
    for (unsigned ends = 0; ends < 2; lines++) {
        uint8_t rdata[512];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_line line;
        if (!*lines) {
            section = DNS_AUTHORITY;
            ends++;
            continue;
        }
        assert_int_equal(dns_line_parse(*lines, &dns_root, 300, &line, &w), DNS_OK);
        dns_msg_out_rr(&out, section, &line.owner, line.type, line.class_, line.ttl_s, rdata,
                       (uint16_t)w.off);
    }
    return dns_msg_out_finish(&out);
}

static void put(struct cache *cache, const struct cache_key *key, uint16_t rcode,
                const char *const *lines, uint64_t expires_s, struct cache_now now)
{
    uint8_t wire[2048];
    struct cache_answer answer = {
        .wire = wire, .status = VAL_SECURE, .expires_s = expires_s, .ede = {.code = DNS_EDE_NONE}};
    answer.epoch = cache_epoch(cache);
    answer.len = message(key->question, rcode, lines, wire, sizeof wire);
    assert_true(answer.len > 0);
    cache_answer_put(cache, key, &answer, now);
}

static uint8_t buf[DNS_MSG_MAX];
static struct dns_rr table[64];

static bool find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                 struct cache_hit *hit, struct dns_msg *msg)
{
    if (!cache_answer_find(cache, key, now, buf, sizeof buf, hit))
        return false;
    assert_int_equal(dns_msg_read(buf, hit->len, table, 64, msg), DNS_OK);
    return true;
}

static struct cache_now later(uint64_t mono_s, int64_t wall_s)
{
    return (struct cache_now){.mono_ms = start.mono_ms + mono_s * 1000,
                              .wall_s = (uint64_t)((int64_t)start.wall_s + wall_s)};
}

static const char *const two_records[] = {"a.b. 100 IN A 192.0.2.1",
                                          "a.b. 100 IN RRSIG A 13 2 100 20300101000000 "
                                          "20200101000000 1 b. AAAA",
                                          NULL, NULL};

static void an_answer_ages_and_ends(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct dns_question upper = question_of("A.B", DNS_TYPE_A);
    struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_key as_upper = {.question = &upper, .route = ROUTE, .dnssec_ok = true};
    struct cache_hit hit;
    struct dns_msg msg;
    assert_false(find(cache, &key, start, &hit, &msg));
    put(cache, &key, 0, two_records, UINT64_MAX, start);
    assert_true(find(cache, &as_upper, later(30, 30), &hit, &msg)); /* case does not matter */
    assert_int_equal(hit.ttl_s, 70);
    assert_int_equal(msg.rr_count, 2);
    assert_int_equal(msg.rr[0].ttl_s, 70);
    assert_int_equal(hit.status, VAL_SECURE);
    assert_true(find(cache, &key, later(99, 99), &hit, &msg));
    assert_false(find(cache, &key, later(100, 100), &hit, &msg));
    cache_free(cache);
}

/* Neither clock alone can make an entry live too long. */
static void clocks_that_are_moved(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_hit hit;
    struct dns_msg msg;
    put(cache, &key, 0, two_records, start.wall_s + 50, start); /* the signature ends first */
    assert_true(find(cache, &key, later(10, 10), &hit, &msg));
    assert_int_equal(hit.ttl_s, 40);
    assert_int_equal(msg.rr[0].ttl_s, 40);
    assert_true(find(cache, &key, later(20, -86400), &hit, &msg)); /* set back: it still ages */
    assert_true(hit.ttl_s <= 30);
    assert_false(find(cache, &key, later(50, -86400), &hit, &msg));
    put(cache, &key, 0, two_records, start.wall_s + 50, start);
    assert_false(find(cache, &key, later(1, 86400), &hit, &msg)); /* set forward: it is over */
    cache_free(cache);
}

static void without_do_signatures_are_left_out(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct cache_key full = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_key plain = {.question = &q, .route = ROUTE};
    static const char *const other[] = {"a.b. 100 IN A 192.0.2.9", NULL, NULL};
    struct cache_hit hit;
    struct dns_msg msg;
    put(cache, &full, 0, two_records, UINT64_MAX, start);
    for (unsigned i = 0; i < 2; i++) { /* derived, then kept */
        assert_true(find(cache, &plain, later(10, 10), &hit, &msg));
        assert_int_equal(msg.rr_count, 1);
        assert_int_equal(hit.ttl_s, 90);
    }
    put(cache, &full, 0, other, UINT64_MAX, later(20, 20)); /* a newer answer replaces both forms */
    assert_true(find(cache, &plain, later(20, 20), &hit, &msg));
    assert_int_equal(buf[msg.rr[0].rdata_off + 3], 9);
    cache_free(cache);
}

static void populations_are_apart(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct dns_question aaaa = question_of("a.b", DNS_TYPE_AAAA);
    struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_key route = {.question = &q, .route = 0, .dnssec_ok = true};
    struct cache_key cd = {
        .question = &q, .route = ROUTE, .dnssec_ok = true, .checking_disabled = true};
    struct cache_key type = {.question = &aaaa, .route = ROUTE, .dnssec_ok = true};
    struct cache_hit hit;
    struct dns_msg msg;
    put(cache, &cd, 0, two_records, UINT64_MAX, start);
    assert_false(find(cache, &key, start, &hit, &msg)); /* unvalidated data reach nobody else */
    assert_true(find(cache, &cd, start, &hit, &msg));
    put(cache, &key, 0, two_records, UINT64_MAX, start);
    assert_false(find(cache, &route, start, &hit, &msg));
    assert_false(find(cache, &type, start, &hit, &msg));
    cache_free(cache);
}

static void negative_answers(void **state)
{
    (void)state;
    static const char *const with_soa[] = {NULL, "b. 900 IN SOA m. r. 1 2 3 4 120", NULL};
    static const char *const long_soa[] = {NULL, "b. 90000 IN SOA m. r. 1 2 3 4 90000", NULL};
    static const char *const nothing[] = {NULL, NULL};
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_hit hit;
    struct dns_msg msg;
    put(cache, &key, DNS_RCODE_NXDOMAIN, with_soa, UINT64_MAX, start);
    assert_true(find(cache, &key, start, &hit, &msg));
    assert_int_equal(hit.ttl_s, 120); /* RFC 2308 5 */
    assert_int_equal(hit.rcode, DNS_RCODE_NXDOMAIN);
    put(cache, &key, 0, long_soa, UINT64_MAX, start);
    assert_true(find(cache, &key, start, &hit, &msg));
    assert_int_equal(hit.ttl_s, 600); /* the cap */
    cache_flush(cache);
    put(cache, &key, 0, nothing, UINT64_MAX, start);
    assert_false(find(cache, &key, start, &hit, &msg));
    cache_free(cache);
}

static void failures_double(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = question_of("a.b", DNS_TYPE_A);
    struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
    struct cache_failure failure = {.status = VAL_BOGUS,
                                    .why = VAL_WHY_SIGNATURE,
                                    .ede = {.code = DNS_EDE_BOGUS, .text = "why"}};
    struct cache_failure got;
    static const unsigned waits[] = {1, 2, 4, 8, 8};
    uint64_t at = 0;
    for (size_t i = 0; i < COUNT(waits); i++) {
        cache_failure_put(cache, &key, &failure, later(at, 0));
        cache_failure_put(cache, &key, &failure, later(at, 0)); /* a twin does not double */
        assert_true(cache_failure_find(cache, &key, later(at + waits[i] - 1, 0), &got));
        assert_int_equal(got.ede.code, DNS_EDE_BOGUS);
        assert_int_equal(got.status, VAL_BOGUS);
        assert_int_equal(got.why, VAL_WHY_SIGNATURE);
        assert_string_equal(got.ede.text, "why");
        assert_false(cache_failure_find(cache, &key, later(at + waits[i], 0), &got));
        at += waits[i];
    }
    cache_failure_clear(cache, &key);
    cache_failure_put(cache, &key, &failure, later(at, 0));
    assert_false(cache_failure_find(cache, &key, later(at + 1, 0), &got)); /* small again */
    cache_free(cache);
}

static void zones_are_kept_by_reference(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct val_reason reason = {.why = VAL_WHY_NO_DS};
    struct dns_name name = question_of("Zone.Example", 0).name;
    struct dns_name lower = question_of("zone.example", 0).name;
    const struct val_zone *zone =
        val_zone_new(&name, VAL_ZONE_INSECURE, start.wall_s + 10, &reason, NULL, 0);
    assert_non_null(zone);
    cache_zone_put(cache, zone, cache_epoch(cache));
    val_zone_unref(zone);
    zone = cache_zone_find(cache, &lower, start.wall_s + 9);
    assert_non_null(zone);
    assert_null(cache_zone_find(cache, &lower, start.wall_s + 10));
    assert_int_equal(zone->reason.why,
                     VAL_WHY_NO_DS); /* ours, though the cache let go of its own */
    val_zone_unref(zone);
    cache_free(cache);
}

/* Many more than fit: the bound holds, and what is asked for again and again stays. */
static void the_bound_holds_and_the_hot_stay(void **state)
{
    (void)state;
    const size_t bytes = 2 << 20;
    struct cache *cache = cache_of(bytes);
    struct dns_question hot = question_of("hot.example", DNS_TYPE_A);
    struct cache_key hot_key = {.question = &hot, .route = ROUTE, .dnssec_ok = true};
    static const char *const record[] = {"x. 1000 IN A 192.0.2.1", NULL, NULL};
    struct cache_hit hit;
    struct dns_msg msg;
    put(cache, &hot_key, 0, (const char *const[]){"hot.example. 1000 IN A 192.0.2.1", NULL, NULL},
        UINT64_MAX, start);
    unsigned hot_hits = 0;
    for (unsigned i = 0; i < 30000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%u.example", i);
        struct dns_question q = question_of(name, DNS_TYPE_ANY); /* any record answers it */
        struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = true};
        put(cache, &key, 0, record, UINT64_MAX, start);
        if (i % 4 == 0)
            hot_hits += find(cache, &hot_key, start, &hit, &msg);
        if (i % 1000 == 0)
            assert_true(cache_stats(cache).bytes <= bytes);
    }
    struct cache_stats stats = cache_stats(cache);
    assert_true(stats.bytes <= bytes && stats.bytes > bytes / 2);
    assert_true(stats.evictions > 1000);
    assert_int_equal(hot_hits, 7500);
    cache_free(cache);
}

static void a_hash_depends_on_its_key(void **state)
{
    (void)state;
    uint8_t other[16];
    memcpy(other, seed, sizeof other);
    other[3] ^= 1;
    for (size_t len = 0; len < 20; len++) {
        static const uint8_t data[20] = {1, 2, 3};
        assert_true(cache_siphash(seed, data, len) != cache_siphash(other, data, len));
        assert_true(len == 0 ||
                    cache_siphash(seed, data, len) != cache_siphash(seed, data, len - 1));
    }
}

/* --- epochs ---------------------------------------------------------------------------------- */

static struct dns_question numbered(unsigned i)
{
    char name[16];
    (void)snprintf(name, sizeof name, "n%u.example", i);
    return question_of(name, DNS_TYPE_A);
}

/* An answer whose TTL, and a zone whose end, tells what was trusted when they were proven. */
static void put_proven(struct cache *cache, const struct dns_question *q, unsigned trusted,
                       uint64_t epoch)
{
    uint8_t wire[512];
    char line[64];
    const char *const lines[] = {line, NULL, NULL};
    struct val_reason reason = {.why = VAL_WHY_NO_DS};
    struct cache_key key = {.question = q, .route = ROUTE, .dnssec_ok = true};
    struct cache_answer answer = {
        .wire = wire, .expires_s = UINT64_MAX, .ede = {.code = DNS_EDE_NONE}, .epoch = epoch};
    (void)snprintf(line, sizeof line, "x. %u IN A 192.0.2.1", 1000 + trusted);
    answer.len = message(q, 0, lines, wire, sizeof wire);
    cache_answer_put(cache, &key, &answer, start);
    const struct val_zone *zone =
        val_zone_new(&q->name, VAL_ZONE_INSECURE, start.wall_s + 1000 + trusted, &reason, NULL, 0);
    cache_zone_put(cache, zone, epoch);
    val_zone_unref(zone);
}

/* What of it is there was proven with as much as that. */
static void check_proven(struct cache *cache, const struct dns_question *q, unsigned trusted,
                         bool *ret_answer, bool *ret_zone)
{
    uint8_t wire[512];
    struct cache_hit hit;
    struct cache_key key = {.question = q, .route = ROUTE, .dnssec_ok = true};
    const struct val_zone *zone = cache_zone_find(cache, &q->name, start.wall_s);
    *ret_answer = cache_answer_find(cache, &key, start, wire, sizeof wire, &hit);
    *ret_zone = zone != NULL;
    if (*ret_answer)
        assert_in_range(hit.ttl_s, 1000 + trusted, 1000000);
    if (zone)
        assert_in_range(zone->expires_s, start.wall_s + 1000 + trusted, start.wall_s + 1000000);
    val_zone_unref(zone);
}

static void what_was_begun_before_a_flush_is_not_kept(void **state)
{
    (void)state;
    struct cache *cache = cache_of(4 << 20);
    struct dns_question q = numbered(0);
    bool answer, zone;
    uint64_t begun = cache_epoch(cache);
    for (unsigned i = 0; i < 3; i++) {
        put_proven(cache, &q, i, begun);
        check_proven(cache, &q, i, &answer, &zone);
        assert_true(answer && zone);
        cache_flush(cache);
        put_proven(cache, &q, i, begun);
        check_proven(cache, &q, i, &answer, &zone);
        assert_false(answer || zone);
        assert_true(cache_epoch(cache) > begun);
        begun = cache_epoch(cache);
    }
    assert_int_equal(cache_stats(cache).puts, 3);
    cache_free(cache);
}

#define NAMES 8u
struct proving {
    struct cache *cache;
    atomic_uint trusted; /* moves before each flush */
    atomic_bool ended;
};

/* Half of what is proven rests on a zone that is known. */
static void *prove(void *arg)
{
    struct proving *p = arg;
    for (unsigned i = 0; !atomic_load(&p->ended); i++) {
        struct dns_question q = numbered(i % NAMES);
        uint64_t epoch = cache_epoch(p->cache);
        unsigned trusted = atomic_load(&p->trusted);
        struct dns_question other = numbered((i + 1) % NAMES);
        const struct val_zone *zone =
            i % 2 ? cache_zone_find(p->cache, &other.name, start.wall_s) : NULL;
        if (zone)
            trusted = (unsigned)(zone->expires_s - start.wall_s - 1000);
        val_zone_unref(zone);
        put_proven(p->cache, &q, trusted, epoch);
    }
    return arg;
}

/* Once a flush has returned nothing is found, then or later, that was begun with less. */
static void a_flush_is_not_overtaken(void **state)
{
    (void)state;
    struct proving p = {.cache = cache_of(2 << 20)};
    pthread_t thread[2];
    bool answer, zone;
    for (unsigned i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, prove, &p), 0);
    for (unsigned trusted = 1; trusted <= 2000; trusted++) {
        atomic_store(&p.trusted, trusted);
        cache_flush(p.cache);
        for (unsigned i = 0; i < NAMES; i++) {
            struct dns_question q = numbered(i);
            check_proven(p.cache, &q, trusted, &answer, &zone);
        }
    }
    atomic_store(&p.ended, true);
    for (unsigned i = 0; i < COUNT(thread); i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    cache_free(p.cache);
}

/* For the thread sanitizer: everything at once. */
static void *worker(void *arg)
{
    struct cache *cache = arg;
    uint8_t own[4096];
    uint8_t wire[512];
    static const char *const record[] = {"x. 1000 IN A 192.0.2.1", NULL, NULL};
    for (unsigned i = 0; i < 2000; i++) {
        char name[32];
        if (i % 2) /* a name of this thread's own, so that tables grow */
            (void)snprintf(name, sizeof name, "n%u.t%u.example", i, (unsigned)pthread_self() >> 12);
        else
            (void)snprintf(name, sizeof name, "n%u.example", i % 97);
        struct dns_question q = {.type = DNS_TYPE_ANY, .class_ = DNS_CLASS_IN};
        if (dns_name_parse(name, &q.name) != DNS_OK)
            return NULL;
        struct cache_key key = {.question = &q, .route = ROUTE, .dnssec_ok = i % 3 != 0};
        struct cache_answer answer = {
            .wire = wire, .expires_s = UINT64_MAX, .ede = {.code = DNS_EDE_NONE}};
        struct cache_hit hit;
        struct val_reason reason = {.why = VAL_WHY_NO_DS};
        answer.epoch = cache_epoch(cache);
        answer.len = message(&q, 0, record, wire, sizeof wire);
        cache_answer_put(cache, &key, &answer, start);
        struct cache_bytes_key place;
        cache_answer_seek(cache, &key, &place); /* the table may grow meanwhile */
        cache_answer_expect(cache, &place);
        (void)cache_answer_find_at(cache, &place, true, start, own, sizeof own, &hit);
        const struct val_zone *zone =
            val_zone_new(&q.name, VAL_ZONE_INSECURE, start.wall_s + 10, &reason, NULL, 0);
        cache_zone_put(cache, zone, cache_epoch(cache));
        val_zone_unref(zone);
        val_zone_unref(cache_zone_find(cache, &q.name, start.wall_s));
        if (i % 1500 == 1499)
            cache_flush(cache);
    }
    return cache;
}

static void many_threads(void **state)
{
    (void)state;
    struct cache *cache = cache_of(2 << 20);
    pthread_t thread[4];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, worker, cache), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *done;
        assert_int_equal(pthread_join(thread[i], &done), 0);
        assert_ptr_equal(done, cache);
    }
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_ages_and_ends),
        cmocka_unit_test(clocks_that_are_moved),
        cmocka_unit_test(without_do_signatures_are_left_out),
        cmocka_unit_test(populations_are_apart),
        cmocka_unit_test(negative_answers),
        cmocka_unit_test(failures_double),
        cmocka_unit_test(zones_are_kept_by_reference),
        cmocka_unit_test(the_bound_holds_and_the_hot_stay),
        cmocka_unit_test(a_hash_depends_on_its_key),
        cmocka_unit_test(what_was_begun_before_a_flush_is_not_kept),
        cmocka_unit_test(a_flush_is_not_overtaken),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
