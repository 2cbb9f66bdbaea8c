// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/stamp.h"
#include "tests/test.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

/* The text of a stamp with these octets behind "sdns://". */
static const char *stamp_of(const void *octets, size_t len, char text[static 2048])
{
    unsigned char base64[2048];
    int n = EVP_EncodeBlock(base64, octets, (int)len);
    while (n > 0 && base64[n - 1] == '=')
        n--;
    for (int i = 0; i < n; i++)
        base64[i] = base64[i] == '+' ? '-' : base64[i] == '/' ? '_' : base64[i];
    (void)snprintf(text, 2048, "sdns://%.*s", n, (const char *)base64);
    return text;
}

#define PROPS "\1\0\0\0\0\0\0\0"
#define H16 "0123456789abcdef"
#define H64 H16 H16 H16 H16
#define BOOT                                                                                       \
    "\207"                                                                                         \
    "1.2.3.4"
#define HASH "\240" H16 H16
#define STAMP(octets) octets, sizeof(octets) - 1

// clang-format off
struct stamp_case {
    const char *what, *octets;
    size_t len;
    const char *url, *address;
    uint32_t hashes, bootstrap;
};

static void good(void **state)
{
    (void)state;
    static const struct stamp_case cases[] = {
        {"all there is",
         STAMP("\2" PROPS "\7" "9.9.9.9" "\40" H16 H16 "\16" "dns9.quad9.net" "\12" "/dns-query"
               "\7" "8.8.8.8"),
         "https://dns9.quad9.net/dns-query", "9.9.9.9:443", 1, 1},
        {"no address, no hash", STAMP("\2" PROPS "\0" "\0" "\12" "dns.google" "\12" "/dns-query"),
         "https://dns.google/dns-query", "", 0, 0},
        {"only a port", STAMP("\2" PROPS "\5" ":8443" "\0" "\3" "a.b" "\2" "/q"),
         "https://a.b:8443/q", "", 0, 0},
        {"a port at the host", STAMP("\2" PROPS "\7" "1.2.3.4" "\0" "\7" "a.b:444" "\1" "/"),
         "https://a.b:444/", "1.2.3.4:444", 0, 0},
        {"a port at the address", STAMP("\2" PROPS "\14" "1.2.3.4:8443" "\0" "\3" "a.b" "\1" "/"),
         "https://a.b:8443/", "1.2.3.4:8443", 0, 0},
        {"IPv6", STAMP("\2" PROPS "\15" "[2620:fe::fe]" "\0" "\3" "a.b" "\1" "/"), "https://a.b/",
         "[2620:fe::fe]:443", 0, 0},
        {"IPv6 with port", STAMP("\2" PROPS "\21" "[2620:fe::fe]:444" "\0" "\3" "a.b" "\1" "/"),
         "https://a.b:444/", "[2620:fe::fe]:444", 0, 0},
        {"an IP host", STAMP("\2" PROPS "\0" "\0" "\7" "1.1.1.1" "\12" "/dns-query"),
         "https://1.1.1.1/dns-query", "", 0, 0},
        {"two hashes, two bootstrap servers",
         STAMP("\2" PROPS "\0" "\240" H16 H16 "\40" H16 H16 "\3" "a.b" "\1" "/" "\207" "1.2.3.4"
               "\3" "::1"),
         "https://a.b/", "", 2, 2},
        {"plain", STAMP("\0" PROPS "\7" "8.8.8.8"), NULL, "8.8.8.8:53", 0, 0},
        {"plain with port", STAMP("\0" PROPS "\13" "[::1]:53535"), NULL, "[::1]:53535", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048], address[DOH_ADDRESS_TEXT_MAX] = "";
        struct doh_stamp stamp;
        print_message("%s\n", cases[i].what);
        const char *wrong = doh_stamp_parse(stamp_of(cases[i].octets, cases[i].len, text), &stamp);
        assert_string_equal(wrong ? wrong : "", "");
        if (stamp.address.sa.any.sa_family != AF_UNSPEC)
            (void)doh_address_text(&stamp.address, address);
        assert_string_equal(address, cases[i].address);
        assert_int_equal(stamp.kind, cases[i].url ? DOH_STAMP_DOH : DOH_STAMP_PLAIN);
        assert_string_equal(stamp.url, cases[i].url ? cases[i].url : "");
        assert_int_equal(stamp.hash_count, cases[i].hashes);
        assert_int_equal(stamp.bootstrap_count, cases[i].bootstrap);
        for (uint32_t h = 0; h < stamp.hash_count; h++)
            assert_memory_equal(stamp.hash[h], H16 H16, 32);
    }
}

static void bad(void **state)
{
    (void)state;
    static const struct stamp_case cases[] = {
        {.what = "nothing", STAMP("")},
        {.what = "DNSCrypt", STAMP("\1" PROPS "\7" "9.9.9.9")},
        {.what = "DoT", STAMP("\3" PROPS "\7" "9.9.9.9" "\0" "\3" "a.b")},
        {.what = "properties cut off", STAMP("\2\1\0\0")},
        {.what = "no host", STAMP("\2" PROPS "\0" "\0")},
        {.what = "empty host", STAMP("\2" PROPS "\0" "\0" "\0" "\1" "/")},
        {.what = "no path", STAMP("\2" PROPS "\0" "\0" "\3" "a.b")},
        {.what = "empty path", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\0")},
        {.what = "a path without slash", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\1" "q")},
        {.what = "a template for a path", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\6" "/{?dn}")},
        {.what = "a path in the host", STAMP("\2" PROPS "\0" "\0" "\5" "a.b/c" "\1" "/")},
        {.what = "a user in the host", STAMP("\2" PROPS "\0" "\0" "\5" "u@a.b" "\1" "/")},
        {.what = "NUL in the host", STAMP("\2" PROPS "\0" "\0" "\3" "a\0b" "\1" "/")},
        {.what = "a blank in the path", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\3" "/ q")},
        {.what = "a name for an address", STAMP("\2" PROPS "\3" "a.b" "\0" "\3" "a.b" "\1" "/")},
        {.what = "port 0", STAMP("\2" PROPS "\11" "1.2.3.4:0" "\0" "\3" "a.b" "\1" "/")},
        {.what = "port 65536", STAMP("\2" PROPS "\15" "1.2.3.4:65536" "\0" "\3" "a.b" "\1" "/")},
        {.what = "a hash of 31 octets", STAMP("\2" PROPS "\0" "\37" H16 "0123456789abcde" "\3" "a.b" "\1" "/")},
        {.what = "the hash cut off", STAMP("\2" PROPS "\0" "\40" H16)},
        {.what = "hashes without end", STAMP("\2" PROPS "\0" "\240" H16 H16)},
        {.what = "a bootstrap server that is none", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\1" "/" "\3" "x.y")},
        {.what = "something behind it", STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\1" "/" "\0" "x")},
        {.what = "plain without address", STAMP("\0" PROPS "\0")},
        {.what = "an address of 64 octets", STAMP("\2" PROPS "\100" H64 "\0" "\3" "a.b" "\1" "/")},
        {.what = "a list of hosts", STAMP("\2" PROPS "\0" "\0" "\203" "a.b" "\1" "/")},
        {.what = "a query in the host", STAMP("\2" PROPS "\0" "\0" "\5" "a.b?c" "\1" "/")},
        {.what = "a fragment in the host", STAMP("\2" PROPS "\0" "\0" "\5" "a.b#c" "\1" "/")},
        {.what = "a template in the host", STAMP("\2" PROPS "\0" "\0" "\5" "a.b{c" "\1" "/")},
        {.what = "nine hashes",
         STAMP("\2" PROPS "\0" HASH HASH HASH HASH HASH HASH HASH HASH "\40" H16 H16 "\3" "a.b" "\1" "/")},
        {.what = "nine bootstrap servers",
         STAMP("\2" PROPS "\0" "\0" "\3" "a.b" "\1" "/" BOOT BOOT BOOT BOOT BOOT BOOT BOOT BOOT "\7" "1.2.3.4")},
        {.what = "plain at port 0", STAMP("\0" PROPS "\11" "8.8.8.8:0")},
        {.what = "plain and more", STAMP("\0" PROPS "\7" "8.8.8.8" "x")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048];
        struct doh_stamp stamp, untouched;
        memset(&stamp, 0x55, sizeof stamp);
        untouched = stamp;
        print_message("%s\n", cases[i].what);
        assert_non_null(doh_stamp_parse(stamp_of(cases[i].octets, cases[i].len, text), &stamp));
        assert_memory_equal(&stamp, &untouched, sizeof stamp);
    }
}

static void texts(void **state)
{
    (void)state;
    struct doh_stamp stamp;
    /* as resolver lists publish it */
    assert_null(doh_stamp_parse(
        "sdns://AgcAAAAAAAAABzEuMC4wLjEAEmRucy5jbG91ZGZsYXJlLmNvbQovZG5zLXF1ZXJ5", &stamp));
    assert_string_equal(stamp.url, "https://dns.cloudflare.com/dns-query");
    assert_non_null(doh_stamp_parse("https://a.b/", &stamp));
    assert_non_null(doh_stamp_parse("sdns://", &stamp));
    assert_non_null(doh_stamp_parse("sdns://A", &stamp));      /* 6 bits are no octet */
    assert_non_null(doh_stamp_parse("sdns://AAcAAAAAAAAABzguOC44LjgB", &stamp)); /* one more */
    assert_non_null(doh_stamp_parse("sdns://AAcAAAAAAAAABzguOC44Ljg=", &stamp)); /* padding */
    assert_null(doh_stamp_parse("sdns://AAcAAAAAAAAABzguOC44Ljg", &stamp));
    assert_non_null(doh_stamp_parse("sdns://AAcAAAAAAAAABzguOC44Ljh", &stamp)); /* bits left over */
    assert_null(doh_stamp_parse("SDNS://AAcAAAAAAAAABzguOC44Ljg", &stamp));
    assert_non_null(doh_stamp_parse("sdns://AAcAAAAAAAAABzguOC44Lj+", &stamp)); /* not URL-safe */
    char longer[4096] = "sdns://";
    memset(longer + 7, 'A', 4000);
    assert_non_null(doh_stamp_parse(longer, &stamp));
}

// clang-format on
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
