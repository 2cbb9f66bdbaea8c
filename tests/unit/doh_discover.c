// SPDX-License-Identifier: MIT
/* Which designations (RFC 9462) are taken, and in which order. */
#include "doh/address.h"
#include "doh/discover.h"
#include "tests/test.h"

#define OWNER "_dns.resolver.arpa"
#define ALPN "\0\1\0\3\2h2"
#define PATH "\0\7\0\20/dns-query{?dns}"
#define TARGET "\3doh\4test\0"
#define RDATA(octets) octets, sizeof(octets) - 1

struct record {
    const char *what, *rdata;
    size_t len;
    bool taken;
    const char *owner; /* NULL: OWNER */
    uint16_t class_;   /* 0: IN */
    bool additional;
};

static void write_record(struct dns_writer *w, const struct record *r)
{
    struct dns_name owner;
    assert_int_equal(dns_name_parse(r->owner ? r->owner : OWNER, &owner), DNS_OK);
    dns_write_name(w, &owner);
    dns_write_u16(w, DNS_TYPE_SVCB);
    dns_write_u16(w, r->class_ ? r->class_ : DNS_CLASS_IN);
    dns_write_u32(w, 300);
    dns_write_u16(w, (uint16_t)r->len);
    dns_write_bytes(w, r->rdata, (uint32_t)r->len);
}

/* All of them in one message. */
static uint32_t read_records(const struct record *records, uint16_t count,
                             struct doh_designated ret[static DOH_DESIGNATED_MAX])
{
    static uint8_t wire[4096];
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_writer w = dns_writer_init(wire, sizeof wire);
    struct dns_question question = doh_discover_question();
    struct dns_msg msg;
    bool additional = records[0].additional;
    const uint16_t header[] = {7, 0x8180, 1, additional ? 0 : count, 0, additional ? count : 0};
    for (unsigned i = 0; i < COUNT(header); i++)
        dns_write_u16(&w, header[i]);
    dns_write_name(&w, &question.name);
    dns_write_u16(&w, DNS_TYPE_SVCB);
    dns_write_u16(&w, DNS_CLASS_IN);
    for (uint16_t i = 0; i < count; i++)
        write_record(&w, &records[i]);
    assert_int_equal(w.err, DNS_OK);
    assert_int_equal(dns_msg_read(wire, w.off, table, DNS_RR_MAX, &msg), DNS_OK);
    return doh_discover_read(&msg, ret);
}

// clang-format off
static const struct record cases[] = {
    {.what = "all that is needed", .rdata = RDATA("\0\1" TARGET ALPN PATH), .taken = true},
    {.what = "with a port", .rdata = RDATA("\0\1" TARGET ALPN "\0\3\0\2\1\274" PATH), .taken = true},
    {.what = "with hints", .rdata = RDATA("\0\1" TARGET ALPN "\0\4\0\4\300\0\2\1" PATH), .taken = true},
    {.what = "several protocols", .rdata = RDATA("\0\1" TARGET "\0\1\0\6\2h3\2h2" PATH), .taken = true},
    {.what = "a mandatory key that is known", .rdata = RDATA("\0\1" TARGET "\0\0\0\2\0\1" ALPN PATH), .taken = true},
    {.what = "a key that is not known", .rdata = RDATA("\0\1" TARGET ALPN PATH "\2\233\0\1x"), .taken = true},
    {.what = "the alias form", .rdata = RDATA("\0\0" TARGET ALPN PATH)},
    {.what = "no target but its owner", .rdata = RDATA("\0\1\0" ALPN PATH)},
    {.what = "a target that no URL can have", .rdata = RDATA("\0\1\3a/b\4test\0" ALPN PATH)},
    {.what = "no protocol", .rdata = RDATA("\0\1" TARGET PATH)},
    {.what = "another protocol", .rdata = RDATA("\0\1" TARGET "\0\1\0\3\2h3" PATH)},
    {.what = "a protocol cut off", .rdata = RDATA("\0\1" TARGET "\0\1\0\4\2h2\2" PATH)},
    {.what = "no path", .rdata = RDATA("\0\1" TARGET ALPN)},
    {.what = "a path without slash", .rdata = RDATA("\0\1" TARGET ALPN "\0\7\0\7q{?dns}")},
    {.what = "a path with a NUL", .rdata = RDATA("\0\1" TARGET ALPN "\0\7\0\11/\0q{?dns}")},
    {.what = "an empty path", .rdata = RDATA("\0\1" TARGET ALPN "\0\7\0\0")},
    {.what = "a mandatory key of the future", .rdata = RDATA("\0\1" TARGET "\0\0\0\2\2\233" ALPN PATH "\2\233\0\1x")},
    {.what = "half a mandatory key", .rdata = RDATA("\0\1" TARGET "\0\0\0\1\0" ALPN PATH)},
    {.what = "a key twice", .rdata = RDATA("\0\1" TARGET ALPN ALPN PATH)},
    {.what = "keys out of order", .rdata = RDATA("\0\1" TARGET PATH ALPN)},
    {.what = "port 0", .rdata = RDATA("\0\1" TARGET ALPN "\0\3\0\2\0\0" PATH)},
    {.what = "a port of three octets", .rdata = RDATA("\0\1" TARGET ALPN "\0\3\0\3\1\274\0" PATH)},
    {.what = "a hint of five octets", .rdata = RDATA("\0\1" TARGET ALPN "\0\4\0\5\300\0\2\1\0" PATH)},
    {.what = "an IPv6 hint of four octets", .rdata = RDATA("\0\1" TARGET ALPN "\0\6\0\4\300\0\2\1" PATH)},
    {.what = "another owner", .rdata = RDATA("\0\1" TARGET ALPN PATH), .owner = "_dns.example.arpa"},
    {.what = "another class", .rdata = RDATA("\0\1" TARGET ALPN PATH), .class_ = 3},
    {.what = "not in the answer", .rdata = RDATA("\0\1" TARGET ALPN PATH), .additional = true},
};
// clang-format on

static void which_are_taken(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct doh_designated got[DOH_DESIGNATED_MAX];
        print_message("%s\n", cases[i].what);
        assert_int_equal(read_records(&cases[i], 1, got), cases[i].taken);
        if (!cases[i].taken)
            continue;
        assert_string_equal(got[0].target, "doh.test");
        assert_string_equal(got[0].path, "/dns-query{?dns}");
    }
}

static void ports_and_addresses(void **state)
{
    (void)state;
    static const struct record record = {
        .rdata = "\0\1" TARGET ALPN "\0\3\0\2\1\274\0\4\0\10\300\0\2\1\300\0\2\2" PATH,
        .len = sizeof("\0\1" TARGET ALPN "\0\3\0\2\1\274\0\4\0\10\300\0\2\1\300\0\2\2" PATH) - 1};
    static const char *const want[] = {"192.0.2.1:444", "192.0.2.2:444"};
    struct doh_designated got[DOH_DESIGNATED_MAX];
    char text[DOH_ADDRESS_TEXT_MAX];
    assert_int_equal(read_records(&record, 1, got), 1);
    assert_int_equal(got[0].port, 444);
    assert_int_equal(got[0].address_count, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_string_equal(doh_address_text(&got[0].address[i], text), want[i]);
}

static void the_preferred_first_and_no_more_than_fit(void **state)
{
    (void)state;
    static const char numbers[] = "\5\1\4\2\3\7\6\5\1\1";
    char rdata[sizeof numbers - 1][64];
    struct record records[sizeof numbers - 1];
    struct doh_designated got[DOH_DESIGNATED_MAX];
    for (unsigned i = 0; i < COUNT(records); i++) {
        memcpy(rdata[i], cases[0].rdata, cases[0].len);
        rdata[i][1] = numbers[i];
        records[i] = (struct record){.rdata = rdata[i], .len = cases[0].len};
    }
    assert_int_equal(read_records(records, 5, got), 5);
    for (uint16_t i = 0; i < 5; i++)
        assert_int_equal(got[i].priority, i + 1);
    assert_int_equal(read_records(records, COUNT(records), got), DOH_DESIGNATED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_are_taken),
        cmocka_unit_test(ports_and_addresses),
        cmocka_unit_test(the_preferred_first_and_no_more_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
