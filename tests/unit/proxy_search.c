// SPDX-License-Identifier: MIT
#include "proxy/search.h"
#include "tests/test.h"

static struct dns_name name(const char *text)
{
    struct dns_name n;
    assert_int_equal(dns_name_parse(text, &n), DNS_OK);
    return n;
}

static void which_list_is_a_pods(void **state)
{
    (void)state;
    static const struct {
        const char *search[4];
        const char *want;
    } cases[] = {
        {{"default.svc.cluster.local", "svc.cluster.local", "cluster.local"}, "cluster.local."},
        {{"corp.example", "x.svc.k8s.example", "k8s.example", "svc.k8s.example"}, "k8s.example."},
        {{"DEFAULT.SVC.cluster.local", "svc.CLUSTER.local", "cluster.LOCAL"}, "cluster.local."},
        {{"default.svc.cluster.local", "svc.cluster.local"}, "."},
        {{"default.svc.cluster.local", "cluster.local"}, "."},
        {{"svc.cluster.local", "cluster.local"}, "."},
        {{"a.b.c.d", "b.c.d", "c.d"}, "."},
        {{"corp.example"}, "."},
        {{"svc"}, "."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dns_name search[4];
        uint32_t count = 0;
        while (count < 4 && cases[i].search[count]) {
            search[count] = name(cases[i].search[count]);
            count++;
        }
        struct dns_name want = name(cases[i].want);
        struct dns_name got = search_cluster(search, count);
        print_message("%s\n", cases[i].search[0]);
        assert_true(dns_name_equal(&got, &want));
    }
}

static void which_names_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t type;
        bool want;
    } cases[] = {
        {"cluster.local", DNS_TYPE_A, false},
        {"registry.cluster.local", DNS_TYPE_A, false}, /* an operator's own */
        {"kubernetes.default.svc.cluster.local", DNS_TYPE_A, false},
        {"pod-0.db.default.svc.cluster.local", DNS_TYPE_AAAA, false},
        {"10-0-0-7.default.pod.cluster.local", DNS_TYPE_A, false},
        {"ns.dns.cluster.local", DNS_TYPE_A, false},
        {"example.com.svc.cluster.local", DNS_TYPE_A, false}, /* a service in a namespace "com" */
        {"www.example.com.cluster.local", DNS_TYPE_A, true},
        {"example.com.cluster.local", DNS_TYPE_AAAA, true},
        {"WWW.Example.COM.Default.SVC.Cluster.Local", DNS_TYPE_A, true},
        {"www.example.com.default.svc.cluster.local", DNS_TYPE_A, true},
        {"www.example.com.default.pod.cluster.local", DNS_TYPE_A, true},
        {"a.www.example.com.svc.cluster.local", DNS_TYPE_A, true},
        {"www.example.com.default.svc.cluster.local", DNS_TYPE_SRV, false},
        {"_https._tcp.kubernetes.default.svc.cluster.local", DNS_TYPE_SRV, false},
        {"www.example.com", DNS_TYPE_A, false},
        {"www.example.com.local", DNS_TYPE_A, false},
    };
    struct doh_route_config routes[2] = {{.domain_count = 0}, {.cluster = name("cluster.local")}};
    struct doh_config config = {.routes = routes, .route_count = 2};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dns_question q = {name(cases[i].name), cases[i].type, DNS_CLASS_IN};
        struct dns_name zone = name("untouched.example");
        struct dns_name untouched = zone;
        print_message("%s\n", cases[i].name);
        assert_int_equal(search_is_expansion(&config, &q, &zone), cases[i].want);
        assert_true(dns_name_equal(&zone, cases[i].want ? &routes[1].cluster : &untouched));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_list_is_a_pods),
        cmocka_unit_test(which_names_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
