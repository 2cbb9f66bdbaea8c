// SPDX-License-Identifier: MIT
#include "cache/cache.h"
#include "cache/snapshot.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW UINT64_C(1800000000)
static const uint8_t seed[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* --- a file in memory ------------------------------------------------------------------------ */

struct file {
    uint8_t *octets;
    size_t len, cap;
    size_t fails_at; /* a write that reaches this offset fails; 0: none does */
};

static bool write_file(void *arg, uint64_t off, const void *octets, size_t len)
{
    struct file *f = arg;
    size_t end = (size_t)off + len;
    if (f->fails_at && end >= f->fails_at)
        return false;
    if (end > f->cap) {
        f->octets = realloc(f->octets, 2 * end);
        assert_non_null(f->octets);
        memset(f->octets + f->cap, 0, 2 * end - f->cap);
        f->cap = 2 * end;
    }
    memcpy(f->octets + off, octets, len);
    f->len = end > f->len ? end : f->len;
    return true;
}

static struct dns_question question_of(const char *name, uint16_t type)
{
    struct dns_question q = {.type = type, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse(name, &q.name), DNS_OK);
    return q;
}

static struct dns_question numbered(unsigned i)
{
    char name[32];
    (void)snprintf(name, sizeof name, "n%u.example.", i);
    return question_of(name, DNS_TYPE_A);
}

/* Record i says "messageI", stored i % 100 seconds before NOW, to live for 200 s. */
static int64_t write_numbered(struct file *f, unsigned count)
{
    struct snapshot_out *out = snapshot_out_new(NOW, seed, write_file, f);
    assert_non_null(out);
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        struct dns_question q = numbered(i);
        int len = snprintf(text, sizeof text, "message%u", i);
        struct snapshot_entry entry = {.question = &q,
                                       .wire = (const uint8_t *)text,
                                       .len = (uint32_t)len,
                                       .stored_s = NOW - i % 100,
                                       .ttl_s = 200};
        snapshot_out_add(out, &entry);
    }
    return snapshot_out_finish(out);
}

static bool has_number(const struct snapshot *s, unsigned i, uint64_t now_s)
{
    char text[32];
    struct dns_question q = numbered(i);
    struct snapshot_message m;
    if (!snapshot_find(s, &q, now_s, &m))
        return false;
    int len = snprintf(text, sizeof text, "message%u", i);
    assert_int_equal(m.len, len);
    assert_memory_equal(m.wire, text, (size_t)len);
    assert_int_equal(m.age_s, now_s - (NOW - i % 100));
    return true;
}

/* --- tests ----------------------------------------------------------------------------------- */

static void what_is_written_is_found(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 7, 8, 9, 5000};
    for (size_t n = 0; n < COUNT(counts); n++) {
        struct file f = {0};
        struct snapshot s;
        print_message("%u records\n", counts[n]);
        assert_int_equal(write_numbered(&f, counts[n]), counts[n]);
        assert_null(snapshot_read(f.octets, f.len, NOW, &s));
        assert_int_equal(s.record_count, counts[n]);
        for (unsigned i = 0; i < counts[n]; i++)
            assert_true(has_number(&s, i, NOW));
        for (unsigned i = counts[n]; i < counts[n] + 100; i++)
            assert_false(has_number(&s, i, NOW));
        free(f.octets);
    }
}

static void type_class_and_case(void **state)
{
    (void)state;
    struct file f = {0};
    struct snapshot s;
    struct snapshot_message m;
    assert_int_equal(write_numbered(&f, 3), 3);
    assert_null(snapshot_read(f.octets, f.len, NOW, &s));
    struct dns_question q = question_of("N1.eXample.", DNS_TYPE_A);
    assert_true(snapshot_find(&s, &q, NOW, &m));
    q.type = DNS_TYPE_AAAA;
    assert_false(snapshot_find(&s, &q, NOW, &m));
    q.type = DNS_TYPE_A;
    q.class_ = DNS_CLASS_CH;
    assert_false(snapshot_find(&s, &q, NOW, &m));
    free(f.octets);
}

static void time_passes(void **state)
{
    (void)state;
    struct file f = {0};
    struct snapshot s;
    assert_int_equal(write_numbered(&f, 100), 100);
    assert_string_equal(snapshot_read(f.octets, f.len, NOW - 1, &s),
                        "it was written later than now");
    assert_null(snapshot_read(f.octets, f.len, NOW, &s));
    assert_true(has_number(&s, 0, NOW + 199));
    assert_false(has_number(&s, 0, NOW + 200));
    assert_true(has_number(&s, 99, NOW + 100));
    assert_false(has_number(&s, 99, NOW + 101));
    assert_false(has_number(&s, 0, NOW - 1)); /* the clock was set back since */
    free(f.octets);
}

/* Whatever octet is wrong: refused, or found as it was, or not found; never another message. */
static void no_wrong_octet_is_believed(void **state)
{
    (void)state;
    struct file f = {0};
    struct snapshot s;
    unsigned lost = 0;
    assert_int_equal(write_numbered(&f, 5), 5);
    for (size_t at = 0; at < f.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            f.octets[at] ^= (uint8_t)(1u << bit);
            bool usable = snapshot_read(f.octets, f.len, NOW, &s) == NULL;
            assert_true(at >= 72 || !usable); /* the header */
            for (unsigned i = 0; usable && i < 5; i++)
                lost += !has_number(&s, i, NOW);
            f.octets[at] ^= (uint8_t)(1u << bit);
        }
    }
    assert_true(lost > 5 * 8); /* damage was noticed */
    free(f.octets);
}

static void no_torn_file_is_used(void **state)
{
    (void)state;
    struct file f = {0};
    struct snapshot s;
    assert_int_equal(write_numbered(&f, 5), 5);
    for (size_t len = 0; len < f.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees where it ends */
        assert_non_null(exact);
        memcpy(exact, f.octets, len);
        assert_non_null(snapshot_read(exact, len, NOW, &s));
        free(exact);
    }
    free(f.octets);
}

static void a_failed_write_is_no_snapshot(void **state)
{
    (void)state;
    struct file whole = {0};
    struct snapshot s;
    assert_int_equal(write_numbered(&whole, 20), 20);
    for (size_t at = 1; at <= whole.len; at++) {
        struct file f = {.fails_at = at};
        assert_int_equal(write_numbered(&f, 20), -1);
        assert_non_null(snapshot_read(f.octets, f.len, NOW, &s));
        free(f.octets);
    }
    free(whole.octets);
}

static void what_is_from_the_future_is_left_out(void **state)
{
    (void)state;
    struct file f = {0};
    struct dns_question q = numbered(1);
    struct snapshot_entry entry = {
        .question = &q, .wire = seed, .len = 4, .stored_s = NOW + 1, .ttl_s = 10};
    struct snapshot_out *out = snapshot_out_new(NOW, seed, write_file, &f);
    assert_non_null(out);
    snapshot_out_add(out, &entry);
    assert_int_equal(snapshot_out_finish(out), 0);
    free(f.octets);
}

/* --- out of a cache --------------------------------------------------------------------------- */

static uint32_t answer(const struct dns_question *q, uint8_t *buf, size_t cap)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, cap, 0, DNS_FLAG_QR);
    dns_msg_out_question(&out, q);
    dns_msg_out_rr(&out, DNS_ANSWER, &q->name, q->type, q->class_, 300, address, sizeof address);
    return dns_msg_out_finish(&out);
}

struct seen {
    unsigned count, evidence;
    uint64_t stored_s;
};

static void see(void *arg, const struct snapshot_entry *entry)
{
    struct seen *seen = arg;
    uint8_t want[512];
    uint32_t len = answer(entry->question, want, sizeof want);
    assert_int_equal(entry->len, len);
    assert_memory_equal(entry->wire + 12, want + 12, len - 12);
    assert_int_equal(entry->ttl_s, 300);
    seen->count++;
    seen->evidence += entry->question->type == DNS_TYPE_DS;
    seen->stored_s = entry->stored_s;
}

static struct seen see_all(struct cache *cache, struct cache_now now)
{
    struct seen seen = {0};
    assert_true(cache_each(cache, 7, now, see, &seen));
    return seen;
}

static void put(struct cache *cache, unsigned i, uint32_t route, bool cd, struct cache_now now)
{
    uint8_t wire[512];
    struct dns_question q = numbered(i);
    struct cache_key key = {.question = &q, .route = route, .checking_disabled = cd};
    struct cache_answer a = {.wire = wire,
                             .len = answer(&q, wire, sizeof wire),
                             .status = VAL_SECURE,
                             .expires_s = UINT64_MAX,
                             .ede = {.code = DNS_EDE_NONE}};
    cache_answer_put(cache, &key, &a, now);
}

static void the_cache_hands_out_what_was_validated(void **state)
{
    (void)state;
    const struct cache_limits limits = {.bytes = (size_t)8 << 20, .max_ttl_s = 86400};
    struct cache *cache = cache_new(&limits, seed);
    struct cache_now now = {.mono_ms = 5000, .wall_s = NOW};
    uint8_t wire[512], buf[512];
    struct cache_hit hit;
    assert_non_null(cache);
    for (unsigned i = 0; i < 3000; i++)
        put(cache, i, 7, false, now);
    put(cache, 1, 8, false, now); /* another route's */
    put(cache, 2, 7, true, now);  /* not validated */
    struct dns_question q = numbered(3);
    struct cache_key key = {.question = &q, .route = 7};
    assert_true(cache_answer_find(cache, &key, now, buf, sizeof buf, &hit)); /* derives a form */
    struct dns_question ds = question_of("example.", DNS_TYPE_DS);
    cache_evidence_put(cache, &ds, wire, answer(&ds, wire, sizeof wire), now);
    assert_false(cache_answer_find(cache, &(struct cache_key){.question = &ds, .route = 7}, now,
                                   buf, sizeof buf, &hit)); /* it is no answer */
    struct seen seen = see_all(cache, now);
    assert_int_equal(seen.count, 3001);
    assert_int_equal(seen.evidence, 1);
    assert_int_equal(seen.stored_s, NOW);
    now.mono_ms += 1500; /* part of a second counts as a whole one */
    now.wall_s += 2;
    assert_int_equal(see_all(cache, now).stored_s, NOW);
    now.mono_ms += 299000;
    now.wall_s += 299;
    assert_int_equal(see_all(cache, now).count, 0);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_found),
        cmocka_unit_test(type_class_and_case),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(no_wrong_octet_is_believed),
        cmocka_unit_test(no_torn_file_is_used),
        cmocka_unit_test(a_failed_write_is_no_snapshot),
        cmocka_unit_test(what_is_from_the_future_is_left_out),
        cmocka_unit_test(the_cache_hands_out_what_was_validated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
