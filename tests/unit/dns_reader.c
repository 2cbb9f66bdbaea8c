// SPDX-License-Identifier: MIT
#include "dns/reader.h"
#include "dns/writer.h"
#include "tests/test.h"

static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void the_first_error_sticks(void **state)
{
    (void)state;
    struct dns_reader r = dns_reader_init(octets, sizeof octets);
    assert_int_equal(dns_read_u8(&r), 1);
    assert_int_equal(dns_read_u16(&r), 0x0203);
    assert_int_equal(dns_read_u32(&r), 0x04050607);
    assert_int_equal(dns_reader_finish(&r), DNS_E_TRAILING);
    assert_int_equal(dns_read_u16(&r), 0);
    assert_int_equal(r.err, DNS_E_SHORT);
    assert_int_equal(r.off, 7);
    assert_int_equal(dns_read_u8(&r), 0); /* it is there, but after an error nothing is */
    assert_int_equal(dns_reader_left(&r), 0);
    assert_null(dns_read_bytes(&r, 0));
    assert_int_equal(dns_reader_finish(&r), DNS_E_SHORT);
}

static void lengths_do_not_overflow(void **state)
{
    (void)state;
    struct dns_reader r = dns_reader_init(octets, sizeof octets);
    (void)dns_read_u8(&r);
    assert_null(dns_read_bytes(&r, UINT32_MAX));
    assert_int_equal(r.err, DNS_E_SHORT);
    r = dns_reader_init(octets, (size_t)UINT32_MAX + 1);
    assert_int_equal(r.err, DNS_E_COUNT);
    assert_null(dns_read_bytes(&r, 1));
    r = dns_reader_init(NULL, 0);
    assert_non_null(dns_read_bytes(&r, 0));
    assert_int_equal(dns_reader_finish(&r), DNS_OK);
}

static void a_child_sees_only_its_octets(void **state)
{
    (void)state;
    struct dns_reader r = dns_reader_init(octets, sizeof octets);
    (void)dns_read_u8(&r);
    struct dns_reader child = dns_read_child(&r, 3);
    assert_int_equal(dns_read_u32(&child), 0);
    assert_int_equal(child.err, DNS_E_SHORT);
    assert_int_equal(r.err, DNS_OK); /* the parent does not care */
    assert_int_equal(dns_read_u8(&r), 5);
    child = dns_read_child(&r, 4);
    assert_int_equal(child.err, DNS_E_SHORT);
    assert_int_equal(r.err, DNS_E_SHORT);
    assert_int_equal(dns_read_u8(&child), 0);
}

static void the_writer_stays_inside(void **state)
{
    (void)state;
    uint8_t buf[8] = {0};
    struct dns_writer w = dns_writer_init(buf, 6);
    dns_write_u8(&w, 1);
    dns_write_u32(&w, 0x02030405);
    dns_write_u16(&w, 0x0607); /* one octet too many */
    assert_int_equal(w.err, DNS_E_SPACE);
    assert_int_equal(w.off, 5);
    dns_write_u8(&w, 6); /* would fit, but after an error nothing does */
    assert_int_equal(w.off, 5);
    static const uint8_t want[8] = {1, 2, 3, 4, 5};
    assert_memory_equal(buf, want, sizeof want);
    w = dns_writer_init(buf, 8);
    dns_write_bytes(&w, octets, 4);
    dns_write_bytes(&w, octets, SIZE_MAX);
    assert_int_equal(w.err, DNS_E_SPACE);
    w = dns_writer_init(buf, 8);
    dns_write_bytes(&w, octets, 4);
    dns_write_patch_u16(&w, 2, 0xaabb);
    assert_int_equal(buf[3], 0xbb);
    dns_write_patch_u16(&w, 3, 0xccdd); /* not yet written */
    assert_int_equal(w.err, DNS_E_FORM);
    assert_int_equal(buf[3], 0xbb);
    dns_write_bytes(&(struct dns_writer){0}, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(lengths_do_not_overflow),
        cmocka_unit_test(a_child_sees_only_its_octets),
        cmocka_unit_test(the_writer_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
