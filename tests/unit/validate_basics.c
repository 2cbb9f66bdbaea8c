// SPDX-License-Identifier: MIT
// Arena, budget, reasons, trace, zones, and RRsets copied out of a message.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/budget.h"
#include "validate/trace.h"

static void test_arena(void **state)
{
    (void)state;
    struct val_arena *arena = val_arena_new(100000, NULL);
    static const size_t lens[] = {0, 1, 15, 16, 17, 4096, 20000, 60000};
    for (size_t i = 0; i < COUNT(lens); i++) {
        uint8_t *taken = val_arena_take(arena, lens[i]);
        assert_non_null(taken);
        assert_int_equal((uintptr_t)taken % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < lens[i]; j++)
            assert_int_equal(taken[j], 0);
        memset(taken, 0xff, lens[i]); /* must not show in the next one */
    }
    assert_null(val_arena_take(arena, 60000));
    volatile size_t whole = SIZE_MAX; /* the compiler is not to see what is asked for */
    assert_null(val_arena_take(arena, whole));
    assert_non_null(val_arena_take(arena, 100));
    val_arena_free(arena);
    val_arena_free(NULL);
    arena = val_arena_new(20, NULL);
    assert_null(val_arena_take(arena, 17)); /* would take 32 */
    assert_non_null(val_arena_take(arena, 16));
    assert_null(val_arena_take(arena, 16));
    val_arena_free(arena);
}

static void test_arenas_that_share(void **state)
{
    (void)state;
    struct val_arena_pool pool = {.left = 100000};
    struct val_arena *one = val_arena_new(200000, &pool), *other = val_arena_new(200000, &pool);
    assert_non_null(val_arena_take(one, 60000));
    assert_true(pool.left < 40000);
    assert_null(val_arena_take(other, 60000));
    assert_null(val_arena_take(one, 60000));
    assert_non_null(val_arena_take(other, 20000));
    val_arena_free(one);
    assert_non_null(val_arena_take(other, 60000));
    val_arena_free(other);
    assert_int_equal(pool.left, 100000);
    val_arena_pool_deinit(&pool);
}

/* What somebody else had before does not show. */
static void test_arena_used_again(void **state)
{
    (void)state;
    struct val_arena_pool pool = {.left = 0};
    for (unsigned i = 0; i < 3; i++) {
        struct val_arena *one = val_arena_new(8000, &pool), *other = val_arena_new(8000, &pool);
        uint8_t *taken[] = {val_arena_take(one, 5000), val_arena_take(other, 5000)};
        for (unsigned j = 0; j < 5000; j++)
            assert_int_equal(taken[0][j] | taken[1][j], 0);
        memset(taken[0], 0xff, 5000);
        memset(taken[1], 0xff, 5000);
        val_arena_free(one);
        val_arena_free(other);
    }
    assert_true(pool.spare_count <= 2);
    val_arena_pool_deinit(&pool);
    assert_null(pool.spare);
}

static void test_budget(void **state)
{
    (void)state;
    struct val_budget budget = val_budget_init(&val_limits_default);
    assert_int_equal(budget.crypto_units, 240);
    assert_int_equal(budget.fetches, 24);
    uint32_t left = 3;
    assert_true(val_budget_take(&left, 3));
    assert_false(val_budget_take(&left, 1));
    assert_true(val_budget_take(&left, 0));
    left = 2;
    assert_false(val_budget_take(&left, 3));
    assert_int_equal(left, 2);
}

static void test_reason(void **state)
{
    (void)state;
    struct dns_ede ede;
    struct val_reason reason = {.why = VAL_WHY_EXPIRED,
                                .zone = name_of("example.com."),
                                .name = name_of("www.example.com."),
                                .type = DNS_TYPE_AAAA,
                                .key_tag = 12345,
                                .algorithm = 13,
                                .origin = VAL_ORIGIN_NONE};
    val_reason_ede(&reason, &ede);
    assert_int_equal(ede.code, DNS_EDE_SIGNATURE_EXPIRED);
    assert_string_equal(ede.text, "its RRSIG has expired: www.example.com. AAAA, "
                                  "zone example.com., key tag 12345");
    reason = (struct val_reason){.why = VAL_WHY_FETCH};
    val_reason_ede(&reason, &ede);
    assert_string_equal(ede.text, "a record of the chain could not be fetched");
    char longest[254];
    memset(longest, 'a', sizeof(longest));
    for (size_t i = 50; i < sizeof(longest) - 1; i += 51)
        longest[i] = '.';
    longest[sizeof(longest) - 1] = '\0';
    reason.name = reason.zone = name_of(longest);
    val_reason_ede(&reason, &ede);
    assert_string_equal(ede.text,
                        "a record of the chain could not be fetched: ...aaaaaaaaaaaaaaa., "
                        "zone ...aaaaaaaaaaaaaaa.");
    reason.zone = name_of("example.com.");
    reason.type = DNS_TYPE_AAAA;
    reason.algorithm = 13;
    reason.key_tag = 1;
    reason.why = VAL_WHY_EXPIRED;
    val_reason_ede(&reason, &ede);
    assert_string_equal(ede.text, "its RRSIG has expired: "
                                  "...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa. AAAA, "
                                  "zone example.com., key tag 1");
    reason.name = reason.zone;
    val_reason_ede(&reason, &ede);
    assert_string_equal(ede.text, "its RRSIG has expired: AAAA, zone example.com., key tag 1");
    for (int why = VAL_WHY_NONE; why <= VAL_WHY_BUDGET; why++)
        assert_true(strlen(val_why_text((enum val_why)why)) > 3);
    assert_string_equal(val_why_text((enum val_why)999), "unknown");
    assert_int_equal(val_why_ede((enum val_why)999), DNS_EDE_NONE);
}

static void test_trace(void **state)
{
    (void)state;
    static struct val_trace trace;
    const struct val_trace_step step = {.kind = VAL_TRACE_RRSET, .key_tag = 7};
    for (uint32_t i = 0; i < VAL_TRACE_MAX + 5; i++)
        val_trace_add(&trace, &step);
    assert_int_equal(trace.count, VAL_TRACE_MAX);
    assert_int_equal(trace.step[VAL_TRACE_MAX - 1].key_tag, 7);
    val_trace_add(NULL, &step);
}

static void test_zone(void **state)
{
    (void)state;
    const struct val_reason reason = {.why = VAL_WHY_NO_DS};
    struct dns_name name = name_of("example.");
    const struct val_zone *zone = val_zone_new(&name, VAL_ZONE_INSECURE, 5, &reason, NULL, 0);
    assert_ptr_equal(val_zone_ref(zone), zone);
    val_zone_unref(zone);
    assert_int_equal(zone->reason.why, VAL_WHY_NO_DS); /* still there */
    assert_int_equal(zone->expires_s, 5);
    assert_true(val_zone_size(zone) >= sizeof(*zone));
    val_zone_unref(zone);
    val_zone_unref(NULL);
}

/* --- RRsets ----------------------------------------------------------------------------------- */

static void put_line(struct dns_msg_out *out, enum dns_section section, const char *line)
{
    uint8_t rdata[512];
    struct dns_line record;
    struct dns_writer w = dns_writer_init(rdata, sizeof(rdata));
    assert_int_equal(dns_line_parse(line, &dns_root, 3600, &record, &w), DNS_OK);
    dns_msg_out_rr(out, section, &record.owner, record.type, record.class_, record.ttl_s, rdata,
                   (uint16_t)w.off);
}

#define RRSIG_A                                                                                    \
    "a.example. 60 IN RRSIG A 13 2 3600 20300101000000 20200101000000 1 example. "                 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static uint32_t message(uint8_t *buf, size_t cap)
{
    struct dns_msg_out out;
    const struct dns_name b = name_of("b.example.");
    dns_msg_out_init(&out, buf, cap, 0, DNS_FLAG_QR);
    put_line(&out, DNS_ANSWER, "a.example. 300 IN A 192.0.2.1");
    put_line(&out, DNS_ANSWER, "a.example. 200 IN A 192.0.2.2");
    put_line(&out, DNS_ANSWER, "a.example. 300 IN MX 10 Mail.example.");
    dns_msg_out_rr(&out, DNS_ANSWER, &b, DNS_TYPE_A, DNS_CLASS_IN, 300, "xyz", 3);
    dns_msg_out_rr(&out, DNS_ANSWER, &b, DNS_TYPE_AAAA, DNS_CLASS_IN, 300, "0123456789abcdef", 16);
    put_line(&out, DNS_AUTHORITY, "example. 300 IN NS ns.example.");
    put_line(&out, DNS_ADDITIONAL, RRSIG_A);
    return dns_msg_out_finish(&out);
}

static void test_split(void **state)
{
    (void)state;
    static uint8_t buf[4096];
    static struct dns_rr table[64];
    struct dns_msg msg;
    struct val_rrsets sets;
    bool malformed = false;
    uint32_t len = message(buf, sizeof(buf));
    assert_int_equal(dns_msg_read(buf, len, table, 64, &msg), DNS_OK);
    struct val_arena *arena = val_arena_new(1u << 20, NULL);
    assert_int_equal(val_rrsets_split(&msg, arena, &sets, &malformed), DNS_OK);
    assert_true(malformed);         /* an A record of three octets */
    memset(buf, 0xff, sizeof(buf)); /* nothing may point back into the message */

    struct dns_name a = name_of("A.example."), b = name_of("b.example.");
    const struct val_rrset *set = val_rrsets_find(&sets, &a, DNS_TYPE_A);
    assert_non_null(set);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->ttl_s, 200);
    assert_int_equal(set->section, DNS_ANSWER);
    assert_int_equal(set->sig_count, 1);
    assert_int_equal(set->sigs[0].ttl_s, 60);
    assert_int_equal(set->sigs[0].rrsig.labels, 2);
    set = val_rrsets_find(&sets, &a, DNS_TYPE_MX);
    assert_non_null(set);
    assert_int_equal(set->sig_count, 0);
    assert_memory_equal(set->rr[0].data, "\0\x0a\4Mail\7example", 16);
    assert_null(val_rrsets_find(&sets, &b, DNS_TYPE_A));
    assert_non_null(val_rrsets_find(&sets, &b, DNS_TYPE_AAAA));
    val_arena_free(arena);
}

static void test_split_memory(void **state)
{
    (void)state;
    static uint8_t buf[4096];
    static struct dns_rr table[64];
    struct dns_msg msg;
    uint32_t len = message(buf, sizeof(buf));
    assert_int_equal(dns_msg_read(buf, len, table, 64, &msg), DNS_OK);
    enum dns_err err = DNS_E_SPACE;
    size_t limit = 0;
    for (; err == DNS_E_SPACE && limit < 1u << 20; limit += 16) {
        struct val_rrsets sets = {.count = 77};
        bool malformed = false;
        struct val_arena *arena = val_arena_new(limit, NULL);
        err = val_rrsets_split(&msg, arena, &sets, &malformed);
        assert_int_equal(sets.count == 77, err != DNS_OK);
        val_arena_free(arena);
    }
    assert_int_equal(err, DNS_OK);
    assert_true(limit > 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arenas_that_share),
        cmocka_unit_test(test_arena_used_again),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
