// SPDX-License-Identifier: MIT
#include "proxy/request.h"
#include "tests/test.h"

struct room_case {
    const char *what;
    bool edns;
    uint16_t udp_size; /* of the client's OPT */
    struct request_path path;
    uint32_t want;
};

#define NETWORK                                                                                    \
    {                                                                                              \
        false, false, 1232                                                                         \
    }
#define LOOPBACK                                                                                   \
    {                                                                                              \
        false, true, 1232                                                                          \
    }
#define TCP                                                                                        \
    {                                                                                              \
        true, false, 1232                                                                          \
    }

static const struct room_case rooms[] = {
    {"no EDNS", false, 0, NETWORK, 512},
    {"no EDNS, loopback", false, 0, LOOPBACK, 512},
    {"no EDNS, TCP", false, 0, TCP, 65535},
    {"below the least", true, 0, NETWORK, 512},
    {"what is wanted", true, 700, NETWORK, 700},
    {"more than we send", true, 4096, NETWORK, 1232},
    {"loopback", true, 4000, LOOPBACK, 4000},
    {"more than loopback gets", true, 65535, LOOPBACK, 4096},
    {"TCP knows no UDP size", true, 512, TCP, 65535},
};

static uint32_t write_query(uint8_t buf[static 512], bool edns, const struct dns_opt_out *opt)
{
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, 512, 7, DNS_FLAG_RD | DNS_FLAG_CD);
    dns_msg_out_question(
        &out, &(struct dns_question){.name = dns_root, .type = DNS_TYPE_NS, .class_ = 1});
    if (edns)
        dns_msg_out_opt(&out, opt);
    uint32_t len = dns_msg_out_finish(&out);
    assert_int_not_equal(len, 0);
    return len;
}

static void test_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rooms); i++) {
        const struct room_case *c = &rooms[i];
        struct dns_opt_out opt = {.udp_size = c->udp_size};
        struct request request;
        uint8_t query[512];
        print_message("%s\n", c->what);
        uint32_t len = write_query(query, c->edns, &opt);
        struct request_fault fault = request_read(query, len, &c->path, &request);
        assert_int_equal(fault.rcode, DNS_RCODE_NOERROR);
        assert_int_equal(request.cap, c->want);
        assert_int_equal(request.edns, c->edns);
    }
}

/* RFC 7828 3.2.1: over UDP the option is ignored, and must not be sent. */
static void test_keepalive(void **state)
{
    (void)state;
    static const struct request_path paths[] = {NETWORK, LOOPBACK, TCP};
    for (size_t i = 0; i < COUNT(paths); i++) {
        for (unsigned has = 0; has < 2; has++) {
            struct dns_opt_out opt = {.udp_size = 512, .keepalive = has};
            struct request request;
            uint8_t query[512];
            uint32_t len = write_query(query, true, &opt);
            (void)request_read(query, len, &paths[i], &request);
            assert_int_equal(request.keepalive, has && paths[i].tcp);
        }
    }
}

/* Cut anywhere, it is dropped or a fault, and the reader stays inside (ASan watches). */
static void test_cut(void **state)
{
    (void)state;
    struct dns_opt_out opt = {.udp_size = 512, .dnssec_ok = true, .keepalive = true};
    struct request_path path = NETWORK;
    struct request request;
    uint8_t query[512];
    uint32_t len = write_query(query, true, &opt);
    assert_int_equal(request_read(query, len, &path, &request).rcode, DNS_RCODE_NOERROR);
    assert_true(request.dnssec_ok);
    for (uint32_t cut = 0; cut < len; cut++) {
        uint8_t exact[512];
        memcpy(exact + sizeof exact - cut, query, cut);
        struct request_fault fault = request_read(exact + sizeof exact - cut, cut, &path, &request);
        assert_int_equal(fault.drop, cut < DNS_HEADER_LEN);
        assert_true(fault.drop || fault.rcode == DNS_RCODE_FORMERR);
        assert_int_equal(request.cap, 512);
        if (!fault.drop)
            assert_int_equal(request.id, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
