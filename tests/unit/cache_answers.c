// SPDX-License-Identifier: MIT
/* How long answers are kept, with which TTLs, and in which form. */
#include "cache/cache.h"
#include "dns/rdata.h"
#include "tests/test.h"

#include <stdlib.h>

#define DAY 86400u
static const uint8_t seed[16] = {1};
static const struct cache_now start = {.mono_ms = 7000, .wall_s = 1800000000};

static const struct cache_limits usual = {.bytes = 4u << 20,
                                          .max_ttl_s = DAY,
                                          .negative_ttl_s = 3600,
                                          .failure_ttl_s = 1,
                                          .failure_max_ttl_s = 300};

struct fixture {
    struct cache *cache;
    struct dns_question question;
    struct cache_key full, plain;
    uint8_t wire[4096];
    struct cache_answer answer;
    uint8_t buf[DNS_MSG_MAX];
    struct dns_rr table[64];
    struct dns_msg msg; /* the last one found */
    struct cache_hit hit;
};

static struct fixture *fixture_new(const struct cache_limits *limits)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->cache = cache_new(limits, seed);
    assert_non_null(f->cache);
    f->question = (struct dns_question){.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse("www.example", &f->question.name), DNS_OK);
    f->full = (struct cache_key){.question = &f->question, .route = 9, .dnssec_ok = true};
    f->plain = (struct cache_key){.question = &f->question, .route = 9};
    f->answer = (struct cache_answer){
        .wire = f->wire, .expires_s = UINT64_MAX, .ede = {.code = DNS_EDE_NONE}};
    return f;
}

static void fixture_free(struct fixture *f)
{
    cache_free(f->cache);
    free(f);
}

/* Lines of the answer section, then those behind "--" in the authority section. */
static void write_message(struct fixture *f, uint16_t id, uint16_t flags, const char *const *lines)
{
    struct dns_msg_out out;
    enum dns_section section = DNS_ANSWER;
    dns_msg_out_init(&out, f->wire, sizeof f->wire, id, (uint16_t)(DNS_FLAG_QR | flags));
    dns_msg_out_question(&out, &f->question);
    for (; *lines; lines++) {
        uint8_t rdata[512];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_line line;
        if (strcmp(*lines, "--") == 0) {
            section = DNS_AUTHORITY;
            continue;
        }
        assert_int_equal(dns_line_parse(*lines, &dns_root, 300, &line, &w), DNS_OK);
        dns_msg_out_rr(&out, section, &line.owner, line.type, line.class_, line.ttl_s, rdata,
                       (uint16_t)w.off);
    }
    f->answer.len = dns_msg_out_finish(&out);
    assert_true(f->answer.len > 0);
}

static struct cache_now at(uint64_t mono_ms, int64_t wall_s)
{
    return (struct cache_now){.mono_ms = start.mono_ms + mono_ms,
                              .wall_s = (uint64_t)((int64_t)start.wall_s + wall_s)};
}

static bool find(struct fixture *f, const struct cache_key *key, struct cache_now now)
{
    if (!cache_answer_find(f->cache, key, now, f->buf, sizeof f->buf, &f->hit))
        return false;
    assert_int_equal(dns_msg_read(f->buf, f->hit.len, f->table, COUNT(f->table), &f->msg), DNS_OK);
    return true;
}

/* --- how long -------------------------------------------------------------------------------- */

#define SOA "example. 900 IN SOA m.example. r.example. 1 2 3 4 "
struct life_row {
    const char *what;
    const char *lines[6];
    uint16_t flags;
    uint32_t valid_s; /* of its signatures; 0: none */
    uint32_t min_ttl_s, max_ttl_s, negative_ttl_s;
    uint32_t want_s;     /* 0: not kept */
    uint32_t want_rr[3]; /* TTLs as answered, in order */
};

/* clang-format off */
static const struct life_row life_rows[] = {
    {"as its record says", {"www.example. 300 IN A 192.0.2.1"}, 0, 0, 0, DAY, 3600, 300, {300}},
    {"as the lowest, each keeping its own",
     {"www.example. 3600 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.1", "--",
      "example. 7200 IN NS n.example."},
     0, 0, 0, DAY, 3600, 60, {3600, 60, 7200}},
    {"TTL 0", {"www.example. 0 IN A 192.0.2.1"}, 0, 0, 0, DAY, 3600, 0, {0}},
    {"TTL 0, but a floor", {"www.example. 0 IN A 192.0.2.1"}, 0, 0, 30, DAY, 3600, 30, {30}},
    {"the floor ends with the signature",
     {"www.example. 5 IN A 192.0.2.1"}, 0, 20, 30, DAY, 3600, 20, {20}},
    {"the ceiling is for each",
     {"www.example. 9000 IN CNAME a.example.", "a.example. 600 IN A 192.0.2.1"},
     0, 0, 0, 500, 3600, 500, {500, 500}},
    {"a signature's end is for each",
     {"www.example. 9000 IN CNAME a.example.", "a.example. 600 IN A 192.0.2.1"},
     0, 100, 0, DAY, 3600, 100, {100, 100}},
    {"NXDOMAIN: the SOA's minimum", {"--", SOA "120"}, 3, 0, 0, DAY, 3600, 120, {120}},
    {"NXDOMAIN: the SOA's TTL", {"--", SOA "5000"}, 3, 0, 0, DAY, 3600, 900, {900}},
    {"NODATA: the cap", {"--", SOA "5000"}, 0, 0, 0, DAY, 600, 600, {600}},
    {"the cap is above the floor", {"--", SOA "5"}, 0, 0, 700, DAY, 600, 600, {600}},
    {"a denial's own TTL is lower",
     {"--", SOA "500", "a.example. 40 IN NSEC z.example. A"}, 3, 0, 0, DAY, 3600, 40, {40, 40}},
    {"an alias to nothing is negative",
     {"www.example. 50000 IN CNAME a.example.", "--", SOA "100"}, 0, 0, 0, DAY, 3600, 100,
     {100, 100}},
    {"NXDOMAIN behind an alias of the type asked for",
     {"www.example. 50000 IN A 192.0.2.1", "--", SOA "100"}, 3, 0, 0, DAY, 3600, 100, {100, 100}},
    {"NODATA without SOA", {"--", "example. 7200 IN NS n.example."}, 0, 0, 0, DAY, 3600, 0, {0}},
    {"a SOA in the answer section denies nothing",
     {SOA "100"}, 0, 0, 0, DAY, 3600, 0, {0}},
    {"SERVFAIL", {"www.example. 300 IN A 192.0.2.1"}, 2, 0, 0, DAY, 3600, 0, {0}},
    {"REFUSED with a SOA", {"--", SOA "120"}, 5, 0, 0, DAY, 3600, 0, {0}},
    {"cut short", {"www.example. 300 IN A 192.0.2.1"}, DNS_FLAG_TC, 0, 0, DAY, 3600, 0, {0}},
};
/* clang-format on */

static void lives_as_long_as_it_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(life_rows); i++) {
        const struct life_row *row = &life_rows[i];
        print_message("%s\n", row->what);
        struct cache_limits limits = usual;
        limits.min_ttl_s = row->min_ttl_s;
        limits.max_ttl_s = row->max_ttl_s;
        limits.negative_ttl_s = row->negative_ttl_s;
        struct fixture *f = fixture_new(&limits);
        f->answer.expires_s = row->valid_s ? start.wall_s + row->valid_s : UINT64_MAX;
        write_message(f, 0, row->flags, row->lines);
        cache_answer_put(f->cache, &f->full, &f->answer, start);
        assert_int_equal(find(f, &f->full, start), row->want_s > 0);
        if (row->want_s > 0) {
            assert_int_equal(f->hit.ttl_s, row->want_s);
            for (uint32_t r = 0; r < f->msg.rr_count; r++)
                assert_int_equal(f->msg.rr[r].ttl_s, row->want_rr[r]);
            uint64_t last_ms = row->want_s * UINT64_C(1000) - 1;
            assert_true(find(f, &f->full, at(last_ms, 0)));
            assert_int_equal(f->hit.ttl_s, 1);
            assert_false(find(f, &f->full, at(last_ms + 1, 0)));
        }
        assert_int_equal(cache_stats(f->cache).answers, 0); /* never was, or has gone by now */
        fixture_free(f);
    }
}

static const char *const one_record[] = {"www.example. 100 IN A 192.0.2.1", NULL};
static const char *const signed_record[] = {
    "www.example. 100 IN A 192.0.2.1",
    "www.example. 100 IN RRSIG A 13 2 100 20300101000000 20200101000000 1 example. AAAA", NULL};

static void the_limits_of_a_message(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, one_record);
    f->answer.len--; /* ends too early */
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    f->answer.len = 0;
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    f->answer.len = DNS_MSG_MAX + 1;
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_int_equal(cache_stats(f->cache).answers, 0);
    write_message(f, 0, 0, one_record);
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    fixture_free(f);
}

/* It stays, is told of, and counts as nothing; what is not there is no answer of any length. */
static void an_answer_longer_than_the_room_for_it(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    struct cache_hit hit = {.len = 77};
    assert_false(cache_answer_find(f->cache, &f->full, start, f->buf, 1, &hit));
    assert_int_equal(hit.len, 0);
    write_message(f, 0, 0, one_record);
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    uint8_t before[DNS_HEADER_LEN];
    memset(f->buf, 0xee, sizeof before);
    memset(before, 0xee, sizeof before);
    assert_false(cache_answer_find(f->cache, &f->full, start, f->buf, f->answer.len - 1, &hit));
    assert_int_equal(hit.len, f->answer.len);
    assert_memory_equal(f->buf, before, sizeof before);
    assert_int_equal(cache_stats(f->cache).hits, 0);
    assert_int_equal(cache_stats(f->cache).misses, 1);
    assert_true(cache_answer_find(f->cache, &f->full, start, f->buf, f->answer.len, &hit));
    assert_int_equal(hit.len, f->answer.len);
    assert_int_equal(cache_stats(f->cache).hits, 1);
    assert_false(
        cache_answer_find(f->cache, &f->full, at(100000, 100), f->buf, f->answer.len - 1, &hit));
    assert_int_equal(hit.len, 0);
    fixture_free(f);
}

static void what_is_said_about_an_answer_is_kept(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    f->answer.status = VAL_INSECURE;
    f->answer.ede = (struct dns_ede){.code = DNS_EDE_UNSUPPORTED_ALGORITHM, .text = "why it is"};
    write_message(f, 0x1234, DNS_FLAG_RA | 3, (const char *const[]){"--", SOA "120", NULL});
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    const struct cache_key *forms[] = {&f->full, &f->plain, &f->plain};
    for (size_t i = 0; i < COUNT(forms); i++) {
        assert_true(find(f, forms[i], start));
        assert_int_equal(f->hit.status, VAL_INSECURE);
        assert_int_equal(f->hit.rcode, DNS_RCODE_NXDOMAIN);
        assert_int_equal(f->hit.ede.code, DNS_EDE_UNSUPPORTED_ALGORITHM);
        assert_string_equal(f->hit.ede.text, "why it is");
        assert_int_equal(f->msg.id, 0);
        assert_int_equal(f->msg.flags, DNS_FLAG_QR | DNS_FLAG_RA | 3);
    }
    struct cache_stats stats = cache_stats(f->cache);
    assert_int_equal(stats.answers, 1); /* both forms are one entry */
    assert_int_equal(stats.hits, 3);
    assert_int_equal(stats.misses, 0);
    assert_int_equal(stats.puts, 1);
    fixture_free(f);
}

/* --- clocks ---------------------------------------------------------------------------------- */

static void either_clock_ends_it(void **state)
{
    static const struct {
        const char *what;
        uint32_t valid_s; /* of its signatures; its TTL is 100 */
        uint64_t mono_ms;
        int64_t wall_s;
        uint32_t want_s; /* left; 0: over */
    } rows[] = {
        {"at once", 50, 0, 0, 50},
        {"later", 50, 20000, 20, 30},
        {"the signature ends", 50, 49000, 49, 1},
        {"the signature has ended", 50, 50000, 50, 0},
        {"the clock was set back by a day", 50, 20000, 20 - (int64_t)DAY, 30},
        {"the boot clock ends it then", 50, 50000, 50 - (int64_t)DAY, 0},
        {"the clock was set forward by a day", 50, 20000, 20 + (int64_t)DAY, 0},
        {"the clock runs fast", 50, 20000, 40, 10},
        {"the clock stands still", 500, 99999, 0, 1},
        {"the TTL has ended", 500, 100000, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct fixture *f = fixture_new(&usual);
        write_message(f, 0, 0, signed_record);
        f->answer.expires_s = start.wall_s + rows[i].valid_s;
        cache_answer_put(f->cache, &f->full, &f->answer, start);
        assert_int_equal(find(f, &f->full, at(rows[i].mono_ms, rows[i].wall_s)),
                         rows[i].want_s > 0);
        for (uint32_t r = 0; rows[i].want_s > 0 && r < f->msg.rr_count; r++)
            assert_int_equal(f->msg.rr[r].ttl_s, rows[i].want_s);
        if (rows[i].want_s > 0)
            assert_int_equal(f->hit.ttl_s, rows[i].want_s);
        fixture_free(f);
    }
}

/* Workers read the clock once a turn: one may look for what another has stored "later". */
static void a_now_that_lags_is_no_miss(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, one_record);
    cache_answer_put(f->cache, &f->full, &f->answer, at(5, 0));
    assert_true(find(f, &f->full, start));
    assert_int_equal(f->hit.ttl_s, 100);
    fixture_free(f);
}

/* --- the form without DNSSEC ----------------------------------------------------------------- */

static void the_derived_form_lives_no_longer(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, signed_record);
    f->answer.expires_s = start.wall_s + 90;
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_true(find(f, &f->plain, at(1900, 1))); /* derived in the middle of a second */
    assert_int_equal(f->hit.ttl_s, 89);
    assert_int_equal(f->msg.rr_count, 1);
    assert_true(find(f, &f->plain, at(89999, -500))); /* by the boot clock alone */
    assert_int_equal(f->hit.ttl_s, 1);
    assert_false(find(f, &f->plain, at(90000, -500)));
    fixture_free(f);
}

static void a_newer_answer_replaces_both_forms(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, signed_record);
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_true(find(f, &f->plain, start));
    write_message(f, 0, 0, (const char *const[]){"www.example. 7 IN A 192.0.2.9", NULL});
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_int_equal(cache_stats(f->cache).answers, 1);
    assert_true(find(f, &f->plain, start));
    assert_int_equal(f->hit.ttl_s, 7);
    fixture_free(f);
}

#define SIGNED(type) " 100 IN RRSIG " type " 13 2 100 20270101000000 20260101000000 7 example. AAAA"

/* What is left without DNSSEC records is the beginning of the message, or a message of its own. */
static void either_form_is_whole(void **state)
{
    static const struct {
        const char *what;
        uint16_t rcode;
        const char *record[8];
        uint32_t full, plain; /* records */
    } rows[] = {
        {"an answer and its signature",
         0,
         {"www.example. 100 IN A 192.0.2.1", "www.example." SIGNED("A"), NULL},
         2,
         1},
        {"a wildcard's proof behind it",
         0,
         {"www.example. 100 IN A 192.0.2.1", "www.example." SIGNED("A"), "--",
          "a.example. 100 IN NSEC b.example. A", "a.example." SIGNED("NSEC"), NULL},
         4,
         1},
        {"no such name",
         3,
         {"--", SOA "120", "example." SIGNED("SOA"), "a.example. 100 IN NSEC b.example. A",
          "a.example." SIGNED("NSEC"), NULL},
         4,
         1},
        {"an alias: what stays is not all in front",
         0,
         {"www.example. 100 IN CNAME w.example.", "www.example." SIGNED("CNAME"),
          "w.example. 50 IN A 192.0.2.1", "w.example." SIGNED("A"), NULL},
         4,
         2},
        {"nothing to leave out", 0, {"www.example. 100 IN A 192.0.2.1", NULL}, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct fixture *f = fixture_new(&usual);
        write_message(f, 0, rows[i].rcode, rows[i].record);
        cache_answer_put(f->cache, &f->full, &f->answer, start);
        uint64_t bytes = cache_stats(f->cache).bytes;
        for (unsigned twice = 0; twice < 2; twice++) {
            assert_true(find(f, &f->full, at(10000, 10)));
            assert_int_equal(f->msg.rr_count, rows[i].full);
            assert_true(find(f, &f->plain, at(10000, 10)));
            assert_int_equal(f->msg.rr_count, rows[i].plain);
            for (uint32_t r = 0; r < f->msg.rr_count; r++) {
                assert_int_not_equal(f->msg.rr[r].type, DNS_TYPE_RRSIG);
                assert_int_not_equal(f->msg.rr[r].type, DNS_TYPE_NSEC);
                assert_in_range(f->msg.rr[r].ttl_s, 40, 110); /* aged by 10 s */
            }
        }
        assert_int_equal(cache_stats(f->cache).bytes, bytes); /* nothing is kept by finding */
        cache_flush(f->cache);
        assert_false(find(f, &f->plain, start));
        assert_false(find(f, &f->full, start));
        fixture_free(f);
    }
}

/* The source refers to a name in other letters, which our writer spells out. */
static void a_derived_form_may_be_the_longer_one(void **state)
{
    static const uint8_t wire[] = {
        0,    0,   0x80, 0, 0, 1, 0, 1, 0, 0,  0, 0,                  /* header */
        1,    'a', 0,    0, 5, 0, 1,                                  /* a. CNAME */
        0xc0, 12,  0,    5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'B', 0xc0, 12 /* a. CNAME B.a. */
    };
    (void)state;
    struct fixture *f = fixture_new(&usual);
    f->question.type = DNS_TYPE_CNAME;
    assert_int_equal(dns_name_parse("A.", &f->question.name), DNS_OK);
    f->answer.wire = wire;
    f->answer.len = sizeof wire;
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_true(find(f, &f->full, start));
    assert_true(find(f, &f->plain, start));
    assert_int_equal(f->msg.rr_count, 1);
    fixture_free(f);
}

/* --- over, and nearly over ------------------------------------------------------------------- */

static void stale_answers_end_too(void **state)
{
    static const struct {
        const char *what;
        uint32_t max_stale_s, valid_s; /* its TTL is 100 */
        uint64_t age_s;
        bool fresh, stale;
        enum val_status status;
    } rows[] = {
        {"its last second", 50, 1000, 99, true, true, VAL_SECURE},
        {"over", 50, 1000, 100, false, true, VAL_SECURE},
        {"its last second as a stale one", 50, 1000, 149, false, true, VAL_SECURE},
        {"past use", 50, 1000, 150, false, false, VAL_SECURE},
        {"its signature has ended", 50, 120, 120, false, false, VAL_SECURE},
        {"its signature ends in a second", 50, 121, 120, false, true, VAL_SECURE},
        {"its negative anchor has ended", 50, 120, 120, false, false, VAL_INSECURE},
        {"its negative anchor ends in a second", 50, 121, 120, false, true, VAL_INSECURE},
        {"not wanted", 0, 1000, 100, false, false, VAL_SECURE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct cache_limits limits = usual;
        limits.max_stale_s = rows[i].max_stale_s;
        struct fixture *f = fixture_new(&limits);
        struct cache_now now = at(rows[i].age_s * 1000, (int64_t)rows[i].age_s);
        write_message(f, 0, 0, signed_record);
        f->answer.status = rows[i].status;
        f->answer.expires_s = start.wall_s + rows[i].valid_s;
        cache_answer_put(f->cache, &f->full, &f->answer, start);
        assert_int_equal(find(f, &f->full, now), rows[i].fresh);
        for (unsigned form = 0; form < 2; form++) {
            const struct cache_key *key = form == 0 ? &f->full : &f->plain;
            bool found =
                cache_answer_find_stale(f->cache, key, now, f->buf, sizeof f->buf, &f->hit);
            assert_int_equal(found, rows[i].stale);
            if (!found)
                continue;
            assert_int_equal(f->hit.status, rows[i].status);
            assert_int_equal(dns_msg_read(f->buf, f->hit.len, f->table, COUNT(f->table), &f->msg),
                             DNS_OK);
            assert_int_equal(f->msg.rr_count, form == 0 ? 2 : 1);
            for (uint32_t r = 0; r < f->msg.rr_count; r++)
                assert_int_equal(f->msg.rr[r].ttl_s, CACHE_STALE_TTL_S);
        }
        assert_int_equal(cache_stats(f->cache).answers, rows[i].stale);
        fixture_free(f);
    }
}

static void what_was_not_validated_is_never_stale(void **state)
{
    (void)state;
    struct cache_limits limits = usual;
    limits.max_stale_s = 1000;
    struct fixture *f = fixture_new(&limits);
    f->full.checking_disabled = true;
    write_message(f, 0, 0, one_record);
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_true(find(f, &f->full, start));
    assert_false(cache_answer_find_stale(f->cache, &f->full, at(101000, 101), f->buf, sizeof f->buf,
                                         &f->hit));
    fixture_free(f);
}

static void asked_ahead_once(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, one_record); /* TTL 100 */
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    assert_true(find(f, &f->full, at(95000, 95)));
    assert_false(f->hit.prefetch); /* only once asked for */
    assert_true(find(f, &f->full, at(89000, 89)));
    assert_false(f->hit.prefetch); /* too early */
    assert_true(find(f, &f->plain, at(90000, 90)));
    assert_true(f->hit.prefetch);
    assert_true(find(f, &f->full, at(95000, 95)));
    assert_false(f->hit.prefetch); /* that was told */
    fixture_free(f);
}

/* Who had too little room has not had the answer: that is no use of it. */
static void a_look_without_room_does_not_count(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    write_message(f, 0, 0, one_record); /* TTL 100 */
    cache_answer_put(f->cache, &f->full, &f->answer, start);
    for (unsigned n = 0; n < 4; n++)
        assert_false(cache_answer_find(f->cache, &f->full, at(95000, 95), f->buf, 20, &f->hit));
    assert_true(find(f, &f->full, at(95000, 95)));
    assert_false(f->hit.prefetch); /* for the first time */
    assert_true(find(f, &f->full, at(95000, 95)));
    assert_true(f->hit.prefetch);
    fixture_free(f);
}

/* A tenth of them is no second, which is what is counted in. */
static void short_lives_are_asked_ahead(void **state)
{
    static const struct ahead {
        const char *lines[2];
        uint32_t from_s; /* 0: never */
    } rows[] = {{{"www.example. 19 IN A 192.0.2.1"}, 18},
                {{"www.example. 5 IN A 192.0.2.1"}, 4},
                {{"www.example. 4 IN A 192.0.2.1"}, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fixture_new(&usual);
        uint32_t from_s = rows[i].from_s;
        write_message(f, 0, 0, rows[i].lines);
        cache_answer_put(f->cache, &f->full, &f->answer, start);
        for (unsigned n = 0; n < 3; n++)
            assert_true(find(f, &f->full, start));
        assert_true(find(f, &f->full, at((from_s > 0 ? from_s : 4) * 1000 - 1, 0)));
        assert_false(f->hit.prefetch);
        if (from_s > 0)
            assert_true(find(f, &f->full, at(from_s * 1000, 0)));
        assert_int_equal(f->hit.prefetch, from_s > 0);
        fixture_free(f);
    }
}

/* --- failures -------------------------------------------------------------------------------- */

static void failures_are_kept_apart(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    struct cache_failure failure = {.status = VAL_BOGUS,
                                    .why = VAL_WHY_SIGNATURE,
                                    .ede = {.code = DNS_EDE_BOGUS, .text = "because"}};
    struct cache_failure got;
    struct cache_key route = f->full;
    struct cache_key unchecked = f->full;
    route.route = 8;
    unchecked.checking_disabled = true;
    cache_failure_put(f->cache, &f->full, &failure, start);
    assert_true(cache_failure_find(f->cache, &f->plain, start, &got)); /* either form fails */
    assert_int_equal(got.ede.code, DNS_EDE_BOGUS);
    assert_int_equal(got.status, VAL_BOGUS);
    assert_int_equal(got.why, VAL_WHY_SIGNATURE);
    assert_false(cache_failure_find(f->cache, &route, start, &got));
    assert_false(cache_failure_find(f->cache, &unchecked, start, &got));
    assert_false(find(f, &f->full, start)); /* never as an answer */
    assert_int_equal(cache_stats(f->cache).failures, 1);
    assert_int_equal(cache_stats(f->cache).answers, 0);
    cache_flush(f->cache);
    assert_false(cache_failure_find(f->cache, &f->full, start, &got));
    fixture_free(f);
}

static void failures_are_forgiven(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    struct cache_failure failure = {
        .status = VAL_INDETERMINATE, .why = VAL_WHY_FETCH, .ede = {.code = DNS_EDE_NETWORK_ERROR}};
    struct cache_failure got;
    cache_failure_put(f->cache, &f->full, &failure, at(10000, 0));
    cache_failure_put(f->cache, &f->full, &failure, at(11000, 0)); /* 2 s now */
    assert_true(cache_failure_find(f->cache, &f->full, at(12000, 0), &got));
    cache_failures_forgive(f->cache, at(12000, 0));
    assert_false(cache_failure_find(f->cache, &f->full, at(12000, 0), &got));
    cache_failure_put(f->cache, &f->full, &failure, at(12000, 0)); /* from the beginning */
    assert_true(cache_failure_find(f->cache, &f->full, at(12999, 0), &got));
    assert_false(cache_failure_find(f->cache, &f->full, at(13000, 0), &got));
    fixture_free(f);
}

static void failures_are_forgotten_in_the_end(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(&usual);
    struct cache_failure failure = {
        .status = VAL_INDETERMINATE, .why = VAL_WHY_FETCH, .ede = {.code = DNS_EDE_NONE}};
    struct cache_failure got;
    uint64_t now_ms = 0;
    for (uint64_t wait_s = 1; wait_s <= 256; wait_s *= 2) {
        cache_failure_put(f->cache, &f->full, &failure, at(now_ms, 0));
        now_ms += wait_s * 1000;
        assert_true(cache_failure_find(f->cache, &f->full, at(now_ms - 1, 0), &got));
        assert_false(cache_failure_find(f->cache, &f->full, at(now_ms, 0), &got));
    }
    cache_failure_put(f->cache, &f->full, &failure, at(now_ms, 0));
    now_ms += 300 * 1000; /* no longer than that (RFC 9520 3.2) */
    assert_true(cache_failure_find(f->cache, &f->full, at(now_ms - 1, 0), &got));
    assert_false(cache_failure_find(f->cache, &f->full, at(now_ms, 0), &got));
    now_ms += 600 * 1000;
    cache_failure_put(f->cache, &f->full, &failure, at(now_ms, 0));
    assert_false(cache_failure_find(f->cache, &f->full, at(now_ms + 1000, 0), &got));
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_as_long_as_it_may),
        cmocka_unit_test(the_limits_of_a_message),
        cmocka_unit_test(an_answer_longer_than_the_room_for_it),
        cmocka_unit_test(what_is_said_about_an_answer_is_kept),
        cmocka_unit_test(either_clock_ends_it),
        cmocka_unit_test(a_now_that_lags_is_no_miss),
        cmocka_unit_test(the_derived_form_lives_no_longer),
        cmocka_unit_test(a_newer_answer_replaces_both_forms),
        cmocka_unit_test(either_form_is_whole),
        cmocka_unit_test(a_derived_form_may_be_the_longer_one),
        cmocka_unit_test(stale_answers_end_too),
        cmocka_unit_test(what_was_not_validated_is_never_stale),
        cmocka_unit_test(asked_ahead_once),
        cmocka_unit_test(a_look_without_room_does_not_count),
        cmocka_unit_test(short_lives_are_asked_ahead),
        cmocka_unit_test(failures_are_kept_apart),
        cmocka_unit_test(failures_are_forgiven),
        cmocka_unit_test(failures_are_forgotten_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
