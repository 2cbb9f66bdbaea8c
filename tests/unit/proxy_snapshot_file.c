// SPDX-License-Identifier: MIT
/* The snapshot's file is replaced by what the next process knows and what it holds itself, up to a
 * size, but not by something poorer while the clock is behind it. */
#include "doh/pool.h"
#include "proxy/snapshot_file.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW UINT64_C(1800000000)

static char directory[] = "/tmp/veridoh-snapshot-XXXXXX";

/* A cache of answers to that many names from n<first>.example. on, written at `wall_s`. */
static int64_t write_file(unsigned first, unsigned count, uint64_t wall_s, uint64_t octets_max,
                          char error[static SNAPSHOT_ERROR_MAX])
{
    static const uint8_t seed[16] = {1}, address[4] = {192, 0, 2, 1};
    const struct cache_limits limits = {.bytes = (size_t)1 << 20, .max_ttl_s = 86400};
    struct cache_now now = {.mono_ms = 5000, .wall_s = wall_s};
    struct cache *cache = cache_new(&limits, seed);
    assert_non_null(cache);
    for (unsigned i = first; i < first + count; i++) {
        char name[32];
        uint8_t wire[512];
        struct dns_question q = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
        struct dns_msg_out out;
        (void)snprintf(name, sizeof name, "n%u.example.", i);
        assert_int_equal(dns_name_parse(name, &q.name), DNS_OK);
        dns_msg_out_init(&out, wire, sizeof wire, 0, DNS_FLAG_QR);
        dns_msg_out_question(&out, &q);
        dns_msg_out_rr(&out, DNS_ANSWER, &q.name, q.type, q.class_, 3600, address, sizeof address);
        struct cache_key key = {.question = &q, .route = DOH_ROUTE_DEFAULT};
        struct cache_answer a = {.wire = wire,
                                 .len = dns_msg_out_finish(&out),
                                 .status = VAL_SECURE,
                                 .expires_s = UINT64_MAX,
                                 .ede = {.code = DNS_EDE_NONE}};
        cache_answer_put(cache, &key, &a, now);
    }
    error[0] = '\0';
    int64_t records = snapshot_file_write(directory, cache, octets_max, now, error);
    cache_free(cache);
    return records;
}

static uint32_t records_there(uint64_t *ret_written_s)
{
    char error[SNAPSHOT_ERROR_MAX];
    struct snapshot_file *file = snapshot_file_open(directory, error);
    assert_non_null(file);
    uint32_t records = snapshot_file_get(file)->record_count;
    *ret_written_s = snapshot_file_get(file)->written_s;
    snapshot_file_close(file);
    return records;
}

static void what_is_there_is_kept_up_to_a_size(void **state)
{
    char error[SNAPSHOT_ERROR_MAX];
    (void)state;
    assert_int_equal(write_file(0, 100, NOW, UINT64_MAX, error), 100);
    assert_int_equal(write_file(100, 1, NOW + 1, UINT64_MAX, error), 101);
    int64_t left = write_file(0, 0, NOW + 2, 2000, error);
    assert_in_range(left, 1, 50); /* of more than 40 octets each */
    assert_int_equal(write_file(0, 0, NOW + 3, 0, error), 0);
}

static void a_clock_that_is_behind_loses_nothing(void **state)
{
    char error[SNAPSHOT_ERROR_MAX];
    uint64_t written_s;
    (void)state;
    assert_int_equal(write_file(0, 5, NOW + 100, UINT64_MAX, error), 5);
    assert_int_equal(write_file(10, 4, NOW, UINT64_MAX, error), -1);
    assert_non_null(strstr(error, "kept as it is"));
    assert_int_equal(records_there(&written_s), 5);
    assert_int_equal(written_s, NOW + 100);
    assert_int_equal(write_file(10, 5, NOW, UINT64_MAX, error), 5); /* as much, of a time that is */
    assert_string_equal(error, "");
    assert_int_equal(records_there(&written_s), 5);
    assert_int_equal(written_s, NOW);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[256];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/" SNAPSHOT_FILE_NAME, directory);
    (void)unlink(path);
    return rmdir(directory); /* nothing else is left there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_kept_up_to_a_size),
        cmocka_unit_test(a_clock_that_is_behind_loses_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
