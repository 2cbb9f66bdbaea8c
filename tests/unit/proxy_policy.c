// SPDX-License-Identifier: MIT
#include "proxy/policy.h"
#include "tests/test.h"

#include <arpa/inet.h>

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return name;
}

struct name_case {
    const char *name;
    uint16_t type;
    enum policy_answer want;
    const char *zone;
};

// clang-format off
static const struct name_case names[] = {
    {"localhost.", DNS_TYPE_A, POLICY_LOCALHOST, "localhost."},
    {"a.b.LocalHost.", DNS_TYPE_AAAA, POLICY_LOCALHOST, "localhost."},
    {"localhost.", DNS_TYPE_MX, POLICY_NODATA, "localhost."},
    {"localhost.", DNS_TYPE_DS, POLICY_NODATA, "localhost."},
    {"xlocalhost.", DNS_TYPE_A, POLICY_FORWARD, NULL},
    {"localhost.example.", DNS_TYPE_A, POLICY_FORWARD, NULL},
    {".", DNS_TYPE_NS, POLICY_FORWARD, NULL},
    {"invalid.", DNS_TYPE_DS, POLICY_NXDOMAIN, "invalid."},
    {"x.ONION.", DNS_TYPE_A, POLICY_NXDOMAIN, "onion."},
    {"printer.local.", DNS_TYPE_SRV, POLICY_NXDOMAIN, "local."},
    {"local.", DNS_TYPE_SOA, POLICY_NXDOMAIN, "local."},
    {"x.alt.", DNS_TYPE_ANY, POLICY_NXDOMAIN, "alt."},
    {"test.", DNS_TYPE_A, POLICY_FORWARD, NULL},
    {"example.", DNS_TYPE_A, POLICY_FORWARD, NULL},
    {"home.arpa.", DNS_TYPE_SOA, POLICY_NODATA, "home.arpa."},
    {"home.arpa.", DNS_TYPE_DS, POLICY_FORWARD, NULL},
    {"x.home.arpa.", DNS_TYPE_DS, POLICY_NXDOMAIN, "home.arpa."},
    {"_dns.resolver.arpa.", 64, POLICY_NXDOMAIN, "resolver.arpa."},
    {"arpa.", DNS_TYPE_NS, POLICY_FORWARD, NULL},
    {"ipv4only.arpa.", DNS_TYPE_A, POLICY_FORWARD, NULL},
    {"10.in-addr.arpa.", DNS_TYPE_NS, POLICY_NODATA, "10.in-addr.arpa."},
    {"10.in-addr.arpa.", DNS_TYPE_DS, POLICY_FORWARD, NULL},
    {"4.3.2.10.IN-ADDR.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "10.in-addr.arpa."},
    {"110.in-addr.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"1.15.172.in-addr.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"1.16.172.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "16.172.in-addr.arpa."},
    {"1.31.172.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "31.172.in-addr.arpa."},
    {"1.32.172.in-addr.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"172.in-addr.arpa.", DNS_TYPE_NS, POLICY_FORWARD, NULL},
    {"1.0.168.192.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "168.192.in-addr.arpa."},
    {"9.254.169.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "254.169.in-addr.arpa."},
    {"1.0.0.127.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "127.in-addr.arpa."},
    {"1.0.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "0.in-addr.arpa."},
    {"255.255.255.255.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NODATA, "255.255.255.255.in-addr.arpa."},
    {"254.255.255.255.in-addr.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"7.2.0.192.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "2.0.192.in-addr.arpa."},
    {"7.100.51.198.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "100.51.198.in-addr.arpa."},
    {"7.113.0.203.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "113.0.203.in-addr.arpa."},
    {"1.d.f.ip6.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "d.f.ip6.arpa."},
    {"0.c.f.ip6.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"0.8.E.F.ip6.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "8.e.f.ip6.arpa."},
    {"0.b.e.f.ip6.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "b.e.f.ip6.arpa."},
    {"0.c.e.f.ip6.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
    {"0.8.b.d.0.1.0.0.2.ip6.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "8.b.d.0.1.0.0.2.ip6.arpa."},
    {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", DNS_TYPE_PTR, POLICY_NODATA,
     "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."},
    {"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", DNS_TYPE_PTR, POLICY_NODATA,
     "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."},
    {"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL},
};
// clang-format on

static void check_name(const struct config *config, const struct name_case *c)
{
    struct dns_question q = {.name = name_of(c->name), .type = c->type, .class_ = DNS_CLASS_IN};
    struct policy_local local;
    policy_local(config, &q, 0, &local);
    print_message("%s %u\n", c->name, c->type);
    assert_int_equal(local.answer, c->want);
    if (c->zone) {
        struct dns_name zone = name_of(c->zone);
        assert_true(dns_name_equal(&local.zone, &zone));
    }
}

static void test_names(void **state)
{
    (void)state;
    struct config config = {.anchors = val_anchors_new()};
    assert_non_null(config.anchors);
    /* The root's own key is above every special name: it overrules none. */
    assert_int_equal(val_anchors_add_builtin(config.anchors), DNS_OK);
    for (size_t i = 0; i < COUNT(names); i++)
        check_name(&config, &names[i]);
    val_anchors_free(config.anchors);
}

static void test_operator_overrules(void **state)
{
    static const struct name_case overruled[] = {
        {"x.lan.local.", DNS_TYPE_A, POLICY_FORWARD, NULL}, /* a route */
        {"lan.local.", DNS_TYPE_DS, POLICY_FORWARD, NULL},
        {"x.local.", DNS_TYPE_A, POLICY_NXDOMAIN, "local."},
        {"x.home.arpa.", DNS_TYPE_A, POLICY_FORWARD, NULL},           /* a negative anchor */
        {"1.2.10.in-addr.arpa.", DNS_TYPE_PTR, POLICY_FORWARD, NULL}, /* a positive one below */
        {"1.3.10.in-addr.arpa.", DNS_TYPE_PTR, POLICY_NXDOMAIN, "10.in-addr.arpa."},
        {"x.alt.", DNS_TYPE_A, POLICY_NXDOMAIN, "alt."},
    };
    (void)state;
    struct dns_name domain = name_of("lan.local.");
    struct dns_name home = name_of("home.arpa.");
    struct doh_route_config route = {.domains = &domain, .domain_count = 1};
    struct config config = {.anchors = val_anchors_new(),
                            .doh = {.routes = &route, .route_count = 1}};
    assert_non_null(config.anchors);
    assert_int_equal(val_anchors_add_negative(config.anchors, &home, UINT64_MAX, "ours"), DNS_OK);
    assert_int_equal(val_anchors_add_line(config.anchors, "2.10.in-addr.arpa. IN DS 1 8 2 "
                                                          "00112233445566778899aabbccddeeff"
                                                          "00112233445566778899aabbccddeeff"),
                     DNS_OK);
    for (size_t i = 0; i < COUNT(overruled); i++)
        check_name(&config, &overruled[i]);
    val_anchors_free(config.anchors);
}

/* --- who ------------------------------------------------------------------------------------- */

struct peer_case {
    const char *peer;
    bool want;
};

static const struct peer_case peers[] = {
    {"127.0.0.1", true},     {"127.255.0.9", true},      {"128.0.0.1", false},
    {"192.0.2.7", true},     {"192.0.2.8", false},       {"::1", true},
    {"::2", false},          {"::ffff:192.0.2.1", true}, {"::ffff:10.0.0.1", false},
    {"2001:db8:8::1", true}, {"2001:db8:f::1", true},    {"2001:db8:10::1", false},
};

static void test_peers(void **state)
{
    (void)state;
    struct config_network allow[] = {
        {.address = {[10] = 0xff, 0xff, 127}, .bits = 104},
        {.address = {[10] = 0xff, 0xff, 192, 0, 2, 0}, .bits = 125},
        {.address = {[15] = 1}, .bits = 128},
        {.address = {0x20, 1, 0x0d, 0xb8, 0, 8}, .bits = 45},
    };
    struct config config = {.allow = allow, .allow_count = COUNT(allow)};
    for (size_t i = 0; i < COUNT(peers); i++) {
        struct doh_address peer = {.sa.any.sa_family = AF_INET};
        print_message("%s\n", peers[i].peer);
        if (inet_pton(AF_INET, peers[i].peer, &peer.sa.v4.sin_addr) != 1) {
            peer.sa.any.sa_family = AF_INET6;
            assert_int_equal(inet_pton(AF_INET6, peers[i].peer, &peer.sa.v6.sin6_addr), 1);
        }
        assert_int_equal(policy_allows(&config, &peer), peers[i].want);
    }
    struct doh_address anyone = {.sa.any.sa_family = AF_INET};
    struct config all = {.allow = &(struct config_network){.bits = 0}, .allow_count = 1};
    assert_true(policy_allows(&all, &anyone));
    all.allow_count = 0;
    assert_false(policy_allows(&all, &anyone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_operator_overrules),
        cmocka_unit_test(test_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
