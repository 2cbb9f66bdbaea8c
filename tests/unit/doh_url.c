// SPDX-License-Identifier: MIT
/* URL templates (RFC 8484 4.1, RFC 6570, RFC 3986). */
#include "doh/url.h"
#include "tests/test.h"

#include <arpa/inet.h>

struct good {
    const char *text, *host, *authority, *path, *get;
    uint16_t port;
    bool is_ip;
};
/* clang-format off */
static const struct good good[] = {
    {"https://dns.test/dns-query{?dns}", "dns.test", "dns.test", "/dns-query", "/dns-query?dns=AAEC_w", 443, false},
    {"https://dns.test/dns-query",       "dns.test", "dns.test", "/dns-query", "/dns-query?dns=AAEC_w", 443, false},
    {"HTTPS://DNS.Test:8443/q",          "dns.test", "dns.test:8443", "/q", "/q?dns=AAEC_w", 8443, false},
    {"https://dns.test:443/q",           "dns.test", "dns.test", "/q", "/q?dns=AAEC_w", 443, false},
    {"https://dns.test",                 "dns.test", "dns.test", "/", "/?dns=AAEC_w", 443, false},
    {"https://dns.test{?dns}",           "dns.test", "dns.test", "/", "/?dns=AAEC_w", 443, false},
    {"https://dns.test/q?user=x{&dns}",  "dns.test", "dns.test", "/q?user=x", "/q?user=x&dns=AAEC_w", 443, false},
    {"https://dns.test/q?user=x",        "dns.test", "dns.test", "/q?user=x", "/q?user=x&dns=AAEC_w", 443, false},
    {"https://1.1.1.1/dns-query",        "1.1.1.1", "1.1.1.1", "/dns-query", "/dns-query?dns=AAEC_w", 443, true},
    {"https://[2620:fe::fe]:853/dns-query", "2620:fe::fe", "[2620:fe::fe]:853", "/dns-query", "/dns-query?dns=AAEC_w", 853, true},
};
static const struct { const char *what, *text; } bad[] = {
    {"empty", ""}, {"no TLS", "http://dns.test/"}, {"no scheme", "dns.test/dns-query"},
    {"no host", "https:///dns-query"}, {"no host, port", "https://:443/"},
    {"user", "https://me@dns.test/"}, {"password", "https://me:secret@dns.test/"},
    {"port 0", "https://dns.test:0/"}, {"port too large", "https://dns.test:65536/"},
    {"port long", "https://dns.test:000443/"}, {"port not a number", "https://dns.test:4a3/"},
    {"port empty", "https://dns.test:/"}, {"half an IPv4", "https://1.1.1/"},
    {"not in brackets", "https://2620:fe::fe/"}, {"bracket open", "https://[2620:fe::fe/"},
    {"not an IPv6", "https://[dns.test]/"}, {"behind the bracket", "https://[::1]x/"},
    {"space in host", "https://dns test/"}, {"label empty", "https://dns..test/"},
    {"dot at the end", "https://dns.test./"}, {"control", "https://dns.test/\x01"},
    {"space in path", "https://dns.test/a b"}, {"fragment", "https://dns.test/a#b"},
    {"other variable", "https://dns.test/{dns}"}, {"two variables", "https://dns.test/{?dns,x}"},
    {"not at the end", "https://dns.test/{?dns}/x"}, {"not closed", "https://dns.test/{?dns"},
    {"{?dns} behind a query", "https://dns.test/q?a=b{?dns}"},
    {"{&dns} without a query", "https://dns.test/q{&dns}"},
    {"eight bits", "https://d\xc3\xbcns.test/"},
};
/* clang-format on */

static void what_is_good(void **state)
{
    (void)state;
    static const uint8_t query[] = {0, 1, 2, 255};
    for (size_t i = 0; i < COUNT(good); i++) {
        print_message("%s\n", good[i].text);
        struct doh_url url;
        char path[600];
        assert_null(doh_url_parse(good[i].text, &url));
        assert_string_equal(url.host, good[i].host);
        assert_string_equal(url.authority, good[i].authority);
        assert_string_equal(url.path, good[i].path);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.is_ip, good[i].is_ip);
        size_t len = doh_url_get_path(&url, query, sizeof query, path);
        assert_string_equal(path, good[i].get);
        assert_int_equal(len, strlen(path));
        assert_true(len < doh_url_get_room(&url, sizeof query));
    }
}

static void what_is_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        print_message("%s\n", bad[i].what);
        struct doh_url url, untouched;
        memset(&url, 0x5a, sizeof url);
        memcpy(&untouched, &url, sizeof url);
        assert_non_null(doh_url_parse(bad[i].text, &url));
        assert_memory_equal(&url, &untouched, sizeof url);
    }
}

static void what_is_too_long(void **state)
{
    (void)state;
    char text[2000];
    struct doh_url url;
    memset(text, 'a', sizeof text);
    memcpy(text, "https://dns.test/", 17);
    text[16 + DOH_PATH_MAX - 2] = '\0'; /* with its slash just what fits */
    assert_null(doh_url_parse(text, &url));
    assert_int_equal(strlen(url.path), DOH_PATH_MAX - 2);
    text[16 + DOH_PATH_MAX - 2] = 'a';
    text[16 + DOH_PATH_MAX] = '\0';
    assert_non_null(doh_url_parse(text, &url));
    memset(text + 8, 'a', 300); /* a label of 300 */
    assert_non_null(doh_url_parse(text, &url));
    for (unsigned i = 8; i < 308; i += 2)
        text[i + 1] = '.'; /* 150 labels */
    assert_non_null(doh_url_parse(text, &url));
}

static void addresses_carry_the_port(void **state)
{
    (void)state;
    struct doh_url url;
    assert_null(doh_url_parse("https://192.0.2.1:8443/", &url));
    assert_int_equal(url.address.sa.v4.sin_family, AF_INET);
    assert_int_equal(ntohs(url.address.sa.v4.sin_port), 8443);
    assert_null(doh_url_parse("https://[2001:db8::1]:8443/", &url));
    assert_int_equal(url.address.sa.v6.sin6_family, AF_INET6);
    assert_int_equal(ntohs(url.address.sa.v6.sin6_port), 8443);
}

static void base64url_ends(void **state) /* RFC 4648 10, without padding */
{
    (void)state;
    static const char *const want[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
    struct doh_url url;
    assert_null(doh_url_parse("https://dns.test/", &url));
    for (uint32_t len = 0; len < COUNT(want); len++) {
        char path[64];
        (void)doh_url_get_path(&url, (const uint8_t *)"foobar", len, path);
        assert_string_equal(path + strlen("/?dns="), want[len]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good),     cmocka_unit_test(what_is_bad),
        cmocka_unit_test(what_is_too_long), cmocka_unit_test(addresses_carry_the_port),
        cmocka_unit_test(base64url_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
