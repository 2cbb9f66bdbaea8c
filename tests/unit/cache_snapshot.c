// SPDX-License-Identifier: MIT
#include "cache/cache.h"
#include "cache/siphash.h"
#include "cache/snapshot_form.h"
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
        assert_null(snapshot_read(f.octets, f.len, &s));
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
    assert_null(snapshot_read(f.octets, f.len, &s));
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
    assert_null(snapshot_read(f.octets, f.len, &s));
    assert_true(has_number(&s, 0, NOW + 199));
    assert_false(has_number(&s, 0, NOW + 200));
    assert_true(has_number(&s, 99, NOW + 100));
    assert_false(has_number(&s, 99, NOW + 101));
    for (unsigned i = 0; i < 100; i++)
        assert_false(has_number(&s, i, NOW - 1)); /* the clock is behind */
    assert_true(has_number(&s, 0, NOW));          /* and was set */
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
            bool usable = snapshot_read(f.octets, f.len, &s) == NULL;
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
        assert_non_null(snapshot_read(exact, len, &s));
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
        assert_non_null(snapshot_read(f.octets, f.len, &s));
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

/* --- records of whoever may write the file ---------------------------------------------------- */

static void write_u64(struct dns_writer *w, uint64_t value)
{
    dns_write_u32(w, (uint32_t)(value >> 32));
    dns_write_u32(w, (uint32_t)value);
}

/* Where question 0's slots lead: to a record with `wire_len` octets of message. */
static void put_record(struct file *f, uint64_t off, uint32_t wire_len, bool good)
{
    struct dns_question q = numbered(0);
    size_t cap = wire_len + 512;
    uint8_t *octets = calloc(1, cap);
    assert_non_null(octets);
    struct dns_writer w = dns_writer_init(octets, (uint32_t)cap);
    write_u64(&w, 0);
    dns_write_u32(&w, SNAPSHOT_RECORD_FIXED + q.name.len + wire_len);
    write_u64(&w, NOW);
    dns_write_u32(&w, 200);
    dns_write_u16(&w, q.type);
    dns_write_u16(&w, q.class_);
    dns_write_u8(&w, q.name.len);
    dns_write_name(&w, &q.name);
    size_t len = w.off - SNAPSHOT_CHECK_LEN + wire_len;
    uint64_t check = cache_siphash(seed, octets + SNAPSHOT_CHECK_LEN, len);
    struct dns_writer at = dns_writer_init(octets, SNAPSHOT_CHECK_LEN);
    write_u64(&at, good ? check : ~check);
    assert_true(write_file(f, off, octets, SNAPSHOT_CHECK_LEN + len));
    free(octets);
}

/* A file of 16 slots, one after the other leading to record 0, 1, 0, 1...; records are `room`
 * apart. */
static void finish_by_hand(struct file *f, uint64_t room, uint32_t records)
{
    struct dns_question q = numbered(0);
    uint64_t slots_off = SNAPSHOT_HEADER_LEN + room * records, hash = snapshot_hash(seed, &q);
    uint8_t header[SNAPSHOT_HEADER_LEN], slots[16 * SNAPSHOT_SLOT_LEN];
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t at = ((uint32_t)hash + i) & 15;
        struct dns_writer w = dns_writer_init(slots + (size_t)at * SNAPSHOT_SLOT_LEN, 8);
        dns_write_u32(&w, (uint32_t)(hash >> 32));
        dns_write_u32(&w, (uint32_t)((SNAPSHOT_HEADER_LEN + room * (i % records)) / 8));
    }
    struct dns_writer w = dns_writer_init(header, sizeof header);
    dns_write_bytes(&w, SNAPSHOT_MAGIC, 8);
    dns_write_u32(&w, SNAPSHOT_VERSION);
    dns_write_u32(&w, 16);
    dns_write_u32(&w, records);
    dns_write_u32(&w, 0);
    write_u64(&w, NOW);
    write_u64(&w, slots_off);
    write_u64(&w, slots_off + sizeof slots);
    dns_write_bytes(&w, seed, sizeof seed);
    write_u64(&w, cache_siphash(snapshot_header_key, header, w.off));
    assert_true(write_file(f, slots_off, slots, sizeof slots));
    assert_true(write_file(f, 0, header, sizeof header));
}

/* Else one of megabytes, whose check alone takes long, would hold up a worker's loop. */
static void no_record_is_longer_than_a_message(void **state)
{
    (void)state;
    static const struct {
        uint32_t wire_len;
        bool found;
    } cases[] = {{DNS_MSG_MAX, true}, {DNS_MSG_MAX + 300, false}, {1u << 20, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct file f = {0};
        struct snapshot s;
        struct snapshot_message m;
        struct dns_question q = numbered(0);
        print_message("%u octets\n", cases[i].wire_len);
        put_record(&f, SNAPSHOT_HEADER_LEN, cases[i].wire_len, true);
        finish_by_hand(&f, (cases[i].wire_len / 8 + 16) * 8, 1);
        assert_null(snapshot_read(f.octets, f.len, &s));
        assert_int_equal(snapshot_find(&s, &q, NOW, &m), cases[i].found);
        free(f.octets);
    }
}

/* Else each of hundreds of slots would lead to another 64 KiB to check. */
static void the_first_record_of_a_question_decides(void **state)
{
    (void)state;
    for (unsigned good = 0; good < 2; good++) {
        struct file f = {0};
        struct snapshot s;
        struct snapshot_message m;
        struct dns_question q = numbered(0);
        put_record(&f, SNAPSHOT_HEADER_LEN, 40, good == 0);
        put_record(&f, SNAPSHOT_HEADER_LEN + 512, 48, good == 1);
        finish_by_hand(&f, 512, 2);
        assert_null(snapshot_read(f.octets, f.len, &s));
        assert_int_equal(snapshot_find(&s, &q, NOW, &m), good == 0);
        free(f.octets);
    }
}

static void a_record_that_cannot_be_is_not_good(void **state)
{
    (void)state;
    struct file f = {0};
    struct snapshot s;
    struct snapshot_record record;
    put_record(&f, SNAPSHOT_HEADER_LEN, 40, true);
    finish_by_hand(&f, 512, 1);
    assert_null(snapshot_read(f.octets, f.len, &s));
    assert_true(snapshot_record_read(&s, SNAPSHOT_HEADER_LEN, &record));
    assert_true(snapshot_record_is_good(&s, &record, NOW + 5));
    struct snapshot_record empty = record, later = record;
    empty.wire_len = 0;
    assert_false(snapshot_record_is_good(&s, &empty, NOW + 5));
    later.stored_s = s.written_s + 1; /* than the file itself */
    assert_false(snapshot_record_is_good(&s, &later, NOW + 5));
    free(f.octets);
}

/* --- what an older one holds ------------------------------------------------------------------ */

/* `count` records from `first` on, anew as of now_s, and what `old` has besides. */
static int64_t write_upon(struct file *f, const struct snapshot *old, unsigned first,
                          unsigned count, uint64_t now_s, uint64_t octets_max)
{
    struct snapshot_out *out = snapshot_out_new(now_s, seed, write_file, f);
    assert_non_null(out);
    for (unsigned i = first; i < first + count; i++) {
        struct dns_question q = numbered(i);
        struct snapshot_entry entry = {.question = &q,
                                       .wire = (const uint8_t *)"new",
                                       .len = 3,
                                       .stored_s = now_s,
                                       .ttl_s = 200};
        snapshot_out_add(out, &entry);
    }
    snapshot_out_carry(out, old, octets_max);
    return snapshot_out_finish(out);
}

static void what_was_there_is_carried_on(void **state)
{
    (void)state;
    struct file older = {0}, f = {0};
    struct snapshot old, s;
    struct snapshot_message m;
    assert_int_equal(write_numbered(&older, 500), 500);
    assert_null(snapshot_read(older.octets, older.len, &old));
    /* By then those that were stored 50 s and more before are over, each second half hundred. */
    uint64_t later_s = NOW + 150;
    assert_int_equal(write_upon(&f, &old, 0, 10, later_s, UINT64_MAX), 250);
    assert_null(snapshot_read(f.octets, f.len, &s));
    for (unsigned i = 0; i < 500; i++) {
        struct dns_question q = numbered(i);
        print_message("record %u\n", i);
        assert_int_equal(snapshot_find(&s, &q, later_s, &m), i % 100 < 50);
        if (i < 10) { /* the newest wins */
            assert_int_equal(m.len, 3);
            assert_int_equal(m.age_s, 0);
        } else if (i % 100 < 50) {
            assert_true(has_number(&s, i, later_s));
        }
    }
    free(older.octets);
    free(f.octets);
}

static void not_more_is_carried_on_than_may_be(void **state)
{
    (void)state;
    struct file older = {0};
    struct snapshot old, s;
    assert_int_equal(write_numbered(&older, 500), 500);
    assert_null(snapshot_read(older.octets, older.len, &old));
    for (uint64_t octets_max = 0; octets_max < 40000; octets_max += 1000) {
        struct file f = {0};
        int64_t records = write_upon(&f, &old, 1000, 100, NOW, octets_max);
        assert_in_range(records, 100, 600);
        assert_null(snapshot_read(f.octets, f.len, &s));
        assert_true(s.slots_off <= octets_max + 64 || records == 100);
        free(f.octets);
    }
    struct file f = {0}; /* nor is looked at: room was left, and all up to there was known */
    assert_int_equal(write_upon(&f, &old, 0, 100, NOW, 5400), 100);
    assert_null(snapshot_read(f.octets, f.len, &s));
    assert_in_range(s.slots_off, 4000, 5100);
    free(f.octets);
    free(older.octets);
}

/* What has been reserved is for so many as the header says, however many there are. */
static void not_more_is_carried_on_than_the_header_says(void **state)
{
    (void)state;
    struct file older = {0}, f = {0};
    struct snapshot old;
    assert_int_equal(write_numbered(&older, 12), 12);
    assert_null(snapshot_read(older.octets, older.len, &old));
    old.record_count = 5;
    assert_int_equal(write_upon(&f, &old, 0, 2, NOW, UINT64_MAX), 2 + 5);
    free(older.octets);
    free(f.octets);
}

static void what_is_damaged_or_of_the_future_is_not_carried_on(void **state)
{
    (void)state;
    struct file older = {0}, f = {0};
    struct snapshot old;
    assert_int_equal(write_numbered(&older, 20), 20);
    assert_null(snapshot_read(older.octets, older.len, &old));
    assert_int_equal(write_upon(&f, &old, 0, 0, NOW - 1, UINT64_MAX), 0);
    struct file but_one = {0};
    older.octets[SNAPSHOT_HEADER_LEN] ^= 1; /* the first one's check */
    assert_int_equal(write_upon(&but_one, &old, 0, 0, NOW, UINT64_MAX), 19);
    free(but_one.octets);
    for (size_t at = SNAPSHOT_HEADER_LEN + 8; at < old.slots_off; at += 8)
        older.octets[at] ^= 1; /* in each record: check, length, time... */
    assert_int_equal(write_upon(&f, &old, 0, 0, NOW, UINT64_MAX), 0);
    free(older.octets);
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
        cmocka_unit_test(no_record_is_longer_than_a_message),
        cmocka_unit_test(the_first_record_of_a_question_decides),
        cmocka_unit_test(a_record_that_cannot_be_is_not_good),
        cmocka_unit_test(what_was_there_is_carried_on),
        cmocka_unit_test(not_more_is_carried_on_than_may_be),
        cmocka_unit_test(not_more_is_carried_on_than_the_header_says),
        cmocka_unit_test(what_is_damaged_or_of_the_future_is_not_carried_on),
        cmocka_unit_test(the_cache_hands_out_what_was_validated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
