// SPDX-License-Identifier: MIT
#include "proxy/config_reference.h"
#include "proxy/config_value.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOOD_LISTEN "listen: [{address: 127.0.0.1:5300}]\n"
#define GOOD GOOD_LISTEN "upstreams: [{url: https://a.example/dns-query, addresses: [192.0.2.1]}]\n"

/* Reads `text` as a file; what was complained about lands in `errors`. */
static struct config *read_text(const char *text, size_t len, char *errors, size_t cap)
{
    char path[] = "/tmp/veridoh-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    (void)close(fd);
    FILE *f = fmemopen(errors, cap, "w");
    assert_non_null(f);
    struct config *config = config_read(path, f);
    (void)fclose(f);
    (void)unlink(path);
    return config;
}

struct bad_case {
    const char *what;
    const char *text;
    const char *want[3]; /* each must appear in what is said */
};

static const struct bad_case bad[] = {
    {"empty file", "", {":1:1: error: the file is empty"}},
    {"a list at the top", "- a\n", {":1:1: error: the file: expected keys"}},
    {"unknown key, with its neighbour",
     GOOD "cache:\n  min-tll: 0s\n",
     {":4:3: error: unknown key 'min-tll' in cache", "did you mean 'min-ttl'?"}},
    {"unknown key without a neighbour", GOOD "zebra: 1\n", {":3:1: error: unknown key 'zebra'"}},
    {"a key given twice",
     GOOD "log: {level: info}\nlog: {level: info}\n",
     {":4:1: error: key 'log' is given twice"}},
    {"a size that is none",
     GOOD "cache: {size: 64 megs}\n",
     {":3:15: error: size: '64 megs' is not a size like 64MiB"}},
    {"a duration without a unit",
     GOOD "clients: {deadline: 5}\n",
     {"deadline: '5' is not a duration", "from 500ms to 1m"}},
    {"yes is no bool", GOOD "log: {queries: yes}\n", {"queries: 'yes' is not true or false"}},
    {"a word that is none", GOOD "log: {level: loud}\n", {"one of the words: error, warning"}},
    {"a number too large", GOOD "process: {workers: 257}\n", {"from 1 to 256"}},
    {"a number that overflows",
     GOOD "process: {workers: 99999999999999999999999}\n",
     {"workers: '99999999999999999999999' is not a number"}},
    {"a negative number", GOOD "process: {workers: -1}\n", {"workers: '-1' is not a number"}},
    {"http without s",
     "listen: [{address: 127.0.0.1}]\nupstreams: [{url: \"http://a/\"}]\n",
     {":2:19: error: url: 'http://a/' is not a URL"}},
    {"no url",
     "listen: [{address: 127.0.0.1}]\nupstreams: [{name: x}]\n",
     {":2:13: error: upstreams: key 'url' is missing"}},
    {"no listen", "upstreams: [{url: https://192.0.2.1/q}]\n", {"key 'listen' is missing"}},
    {"a host without address",
     "listen: [{address: 127.0.0.1}]\nupstreams: [{url: https://a.b/q}]\n"
     "transport: {resolv-conf: none}\n",
     {":2:19: error: https://a.b/q: needs 'addresses'"}},
    {"a port too large",
     "listen: [{address: \"127.0.0.1:65536\"}]\nupstreams: []\n",
     {"address: '127.0.0.1:65536' is not an address"}},
    {"all at once",
     "listen: [{address: x}]\nupstreams: [{url: x}]\nzzz: 1\n",
     {":1:20: error: address", ":2:19: error: url", ":3:1: error: unknown key 'zzz'"}},
    {"an alias", GOOD "log: &a {level: info}\n", {":3:6: error: anchors and aliases"}},
    {"a second document", GOOD "---\nlog: {}\n", {"a second document"}},
    {"broken YAML", "listen: [\n", {":2:1: error: not valid YAML"}},
    {"bare bracket address", "listen:\n  - address: [::1]:53\n", {"error", "\"[::1]:53\""}},
    {"bad UTF-8", GOOD "log: {level: \xff}\n", {":3:14: error: not valid YAML"}},
    {"a map for a scalar", GOOD "log: {level: {a: b}}\n", {":3:14: error: level: expected"}},
    {"a scalar for a map", GOOD "log: info\n", {":3:6: error: log: expected keys"}},
    {"a scalar for a list", GOOD "routes: x\n", {":3:9: error: routes: expected a list"}},
    {"a route without servers",
     GOOD "routes: [{domains: [a.b]}]\n",
     {":3:10: error: routes: a route needs 'servers', 'servers-from' or 'upstreams'"}},
    {"a route without domains, the second",
     GOOD "routes:\n  - {domains: [a.b], servers: [192.0.2.1]}\n  - {servers: [192.0.2.1]}\n",
     {":5:5: error: routes: a route needs 'domains'", "      - {servers: [192.0.2.1]}\n        ^"}},
    {"an upstream that is not there, after one that is",
     GOOD_LISTEN "upstreams: [{url: https://192.0.2.1/q, name: one}]\n"
                 "routes:\n  - domains: [a.b]\n    upstreams: [one, nobody]\n",
     {":5:22: error: routes: there is no upstream named 'nobody'"}},
    {"an upstream that is not there, without brackets",
     GOOD "routes:\n  - domains: [a.b]\n    upstreams: nobody\n",
     {":5:16: error: routes: there is no upstream named 'nobody'"}},
    {"upstreams and servers",
     GOOD "routes: [{domains: [a.b], servers: [192.0.2.1], upstreams: a.example}]\n",
     {":3:60: error: routes: a route has 'upstreams' or plain 'servers', not both"}},
    {"no such file of domains",
     GOOD "routes: [{domains-from: /no/where, servers: [192.0.2.1]}]\n",
     {":3:25: error: routes: /no/where cannot be read"}},
    {"anchors of what is not validated",
     GOOD
     "routes: [{domains: [a.b], servers: [192.0.2.1], validate: off, trust-anchors: builtin}]\n",
     {":3:79: error: routes: trust-anchors with 'validate: off'"}},
    {"no such anchor file of a route",
     GOOD "routes: [{domains: [a.b], servers: [192.0.2.1], trust-anchors: [builtin, x.ds]}]\n",
     {":3:74: error: ", "/x.ds: cannot be read"}},
    {"upstreams that are all for routes",
     GOOD_LISTEN "upstreams: [{url: https://192.0.2.1/q, route-only: true}]\n",
     {":2:12: error: routes: every upstream is 'route-only'"}},
    {"no such anchor file",
     GOOD "validation: {trust-anchors: nowhere.ds}\n",
     {":3:29: error: ", "nowhere.ds: cannot be read"}},
    {"two networks for all clients",
     GOOD "transport: {client-subnet: [192.0.2.0/24, 192.0.3.0/24]}\n",
     {":3:28: error: client-subnet: one network, not several"}},
    {"no upstream at all",
     GOOD_LISTEN "upstreams: []\n",
     {":2:12: error: upstreams: at least one is needed"}},
    {"a URL that cannot be one",
     GOOD_LISTEN "upstreams: [{url: \"https://192.0.2.1:0/q\"}]\n",
     {":2:19: error: https://192.0.2.1:0/q: "}},
    {"a pin that is none, the second",
     GOOD_LISTEN
     "upstreams:\n  - url: https://192.0.2.1/q\n    pin:\n"
     "      - sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n      - sha256//AAAA\n",
     {":6:9: error: https://192.0.2.1/q: a pin is"}},
    {"a certificate without its key",
     GOOD_LISTEN "upstreams: [{url: https://192.0.2.1/q, client-cert: a.pem}]\n",
     {":2:53: error: https://192.0.2.1/q: client-cert and client-key belong together"}},
    {"a stamp that ends too soon, of the second upstream",
     GOOD_LISTEN "upstreams:\n  - url: https://192.0.2.1/q\n  - name: x\n    url: sdns://AgcA\n",
     {":5:10: error: sdns://AgcA: "}},
    {"a stamp of a plain server where a DoH server is wanted",
     GOOD_LISTEN "upstreams: [{url: \"sdns://AAcAAAAAAAAABzguOC44Ljg\"}]\n",
     {":2:19: error: sdns://AAcAAAAAAAAABzguOC44Ljg: the stamp is for plain DNS"}},
    {"a date that is none",
     GOOD "validation: {negative-trust-anchors: [{domain: a.b, until: soon}]}\n",
     {"until: 'soon' is not a date like 2026-12-31"}},
};

static void every_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char errors[4096] = "";
        struct config *config = read_text(bad[i].text, strlen(bad[i].text), errors, sizeof errors);
        if (config)
            print_error("%s: was taken\n", bad[i].what);
        assert_null(config);
        for (size_t w = 0; w < COUNT(bad[i].want) && bad[i].want[w]; w++) {
            if (!strstr(errors, bad[i].want[w]))
                print_error("%s: wanted '%s' in:\n%s", bad[i].what, bad[i].want[w], errors);
            assert_non_null(strstr(errors, bad[i].want[w]));
        }
    }
}

static void a_nul_octet_is_refused(void **state)
{
    (void)state;
    const char text[] = GOOD "log: {level: in\0fo}\n";
    char errors[1024] = "";
    assert_null(read_text(text, sizeof text - 1, errors, sizeof errors));
    assert_non_null(strstr(errors, ":3:"));
}

static void values_arrive_where_they_belong(void **state)
{
    (void)state;
    const char *text =
        "listen: [{address: \"[::1]:5353\"}, {address: 127.0.0.2}]\n"
        "upstreams:\n"
        "  - {url: \"https://u.example:8443/q{?dns}\", get: true, operator: Op,\n"
        "     addresses: [192.0.2.1, 2001:db8::1]}\n"
        "  - {url: \"https://[2001:db8::2]/q\", name: two, bootstrap: [\"192.0.2.53:5353\"]}\n"
        "routes: [{domains: [corp.example], servers: [10.0.0.53, \"10.0.1.53:54\"]}]\n"
        "cache: {size: 2MiB, max-ttl: 2h}\n"
        "validation: {skew: 5m, nsec3-iterations: 7, rsa-min-bits: 2048, "
        "budget: {fetches: 11, aliases: 9}}\n"
        "clients: {allow: [10.0.0.0/8, \"fd00::/8\"], deadline: 3s}\n"
        "process: {workers: 3}\n"
        "log: {level: debug, format: json, queries: true}\n";
    char errors[1024] = "";
    struct config *c = read_text(text, strlen(text), errors, sizeof errors);
    if (!c)
        print_error("%s", errors);
    assert_non_null(c);
    assert_int_equal(c->listen_count, 2);
    assert_int_equal(c->listen[0].sa.any.sa_family, AF_INET6);
    assert_int_equal(ntohs(c->listen[0].sa.v6.sin6_port), 5353);
    assert_int_equal(ntohs(c->listen[1].sa.v4.sin_port), 53);
    assert_int_equal(c->doh.upstream_count, 2);
    assert_string_equal(c->doh.upstreams[0].name, "u.example");
    assert_string_equal(c->doh.upstreams[0].operator_, "Op");
    assert_true(c->doh.upstreams[0].get);
    assert_int_equal(c->doh.upstreams[0].address_count, 2);
    assert_string_equal(c->doh.upstreams[1].name, "two");
    assert_string_equal(c->doh.upstreams[1].operator_, "2001:db8::2");
    assert_int_equal(ntohs(c->doh.upstreams[1].bootstrap[0].sa.v4.sin_port), 5353);
    assert_int_equal(ntohs(c->doh.routes[0].servers[0].sa.v4.sin_port), 53);
    assert_int_equal(ntohs(c->doh.routes[0].servers[1].sa.v4.sin_port), 54);
    assert_int_equal(c->cache.bytes, 2 << 20);
    assert_int_equal(c->cache.max_ttl_s, 7200);
    assert_int_equal(c->policy.skew_s, 300);
    assert_int_equal(c->policy.nsec3_insecure_above, 7);
    assert_int_equal(c->limits.fetches, 11);
    assert_int_equal(c->limits.zones, val_limits_default.zones);
    assert_int_equal(c->limits.hops, 9);
    assert_int_equal(c->policy.rsa_bits_min, 2048);
    assert_int_equal(c->allow_count, 2);
    assert_int_equal(c->allow[0].bits, 104);
    assert_int_equal(c->allow[1].bits, 8);
    assert_int_equal(c->query_ms, 3000);
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log_format, LOG_FORMAT_JSON);
    assert_true(c->log_queries);
    struct dns_name below;
    assert_int_equal(dns_name_parse("www.corp.example", &below), DNS_OK);
    assert_int_equal(val_anchors_find(c->anchors, &below, 0).kind, VAL_ANCHOR_NEGATIVE);
    config_free(c);
}

/* Beside what is written: an address, a hash as a pin, a server to ask for the host. */
static void what_a_stamp_has_is_added(void **state)
{
    (void)state;
    static const char text[] = GOOD_LISTEN
        "upstreams:\n"
        "  - url: "
        "sdns://AgEAAAAAAAAABzkuOS45LjkgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYOZG5zOS5xd"
        "WFkOS5uZXQKL2Rucy1xdWVyeQc4LjguOC44\n"
        "    addresses: [192.0.2.1]\n    bootstrap: [192.0.2.2]\n";
    char errors[1024] = "", ip[INET_ADDRSTRLEN];
    struct config *c = read_text(text, sizeof text - 1, errors, sizeof errors);
    assert_string_equal(errors, "");
    const struct doh_upstream_config *u = &c->doh.upstreams[0];
    assert_string_equal(u->url, "https://dns9.quad9.net/dns-query");
    assert_string_equal(u->name, "dns9.quad9.net");
    assert_int_equal(u->address_count, 2);
    assert_string_equal(inet_ntop(AF_INET, &u->addresses[1].sa.v4.sin_addr, ip, sizeof ip),
                        "9.9.9.9");
    assert_int_equal(u->bootstrap_count, 2);
    assert_string_equal(inet_ntop(AF_INET, &u->bootstrap[1].sa.v4.sin_addr, ip, sizeof ip),
                        "8.8.8.8");
    assert_int_equal(u->pin_count, 1);
    assert_string_equal(u->pins[0], "tbs-sha256//MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    config_free(c);
}

/* Every default in the table is a value that its own key takes. */
static void check_state_directory(const char *granted, const char *text, const char *want)
{
    char errors[1024] = "";
    if (granted)
        (void)setenv("STATE_DIRECTORY", granted, 1);
    else
        (void)unsetenv("STATE_DIRECTORY");
    struct config *c = read_text(text, strlen(text), errors, sizeof errors);
    assert_non_null(c);
    if (want)
        assert_string_equal(c->state_directory, want);
    else
        assert_null(c->state_directory);
    config_free(c);
}

/* The table of keys, which the manual is made from, and the library agree. */
static void unnamed_budgets_are_the_librarys(void **state)
{
    (void)state;
    char errors[1024] = "";
    struct config *c = read_text(GOOD, strlen(GOOD), errors, sizeof errors);
    assert_non_null(c);
    assert_memory_equal(&c->limits, &val_limits_default, sizeof val_limits_default);
    struct val_policy policy = val_policy_default(false);
    assert_memory_equal(&c->policy, &policy, sizeof policy);
    config_free(c);
}

static void the_state_directory_is_granted_or_named(void **state)
{
    (void)state;
    check_state_directory(NULL, GOOD, NULL);
    check_state_directory("not/absolute", GOOD, NULL);
    check_state_directory("/var/lib/veridoh", GOOD, "/var/lib/veridoh");
    check_state_directory("/var/lib/a:/var/lib/b", GOOD, "/var/lib/a");
    check_state_directory("/var/lib/a", GOOD "process: {state-directory: /srv/x}\n", "/srv/x");
    (void)unsetenv("STATE_DIRECTORY");
}

static void check_defaults(const struct config_key *keys)
{
    for (const struct config_key *key = keys; key->name; key++) {
        assert_non_null(key->doc ? key->doc : key->name[0] ? NULL : "");
        if (key->children)
            check_defaults(key->children);
        if (!key->fallback)
            continue;
        union {
            char *text;
            uint64_t number;
            struct dns_name name;
        } at = {.text = NULL};
        char expected[CONFIG_WORDS_MAX];
        const struct config_key *one = key->kind == CONFIG_LIST ? key->children : key;
        char *words = strdup(key->fallback);
        char *rest = NULL;
        for (char *word = strtok_r(words, one == key ? "" : " ", &rest); word;
             word = strtok_r(NULL, " ", &rest)) {
            if (!config_value_store(one, word, "/", &at, expected))
                print_error("%s: its default '%s' is not %s\n", key->name, word, expected);
            assert_true(config_value_store(one, word, "/", &at, expected));
            if (one->kind == CONFIG_STRING || one->kind == CONFIG_PATH)
                free(at.text);
            at.text = NULL;
        }
        free(words);
    }
}

static void the_tables_defaults_are_legal(void **state)
{
    (void)state;
    check_defaults(config_root.children);
}

/* The shipped example says of each key what its default is. */
static void the_example_is_the_default(void **state)
{
    (void)state;
    struct config *example = config_read(TEST_DATA "/../../conf/veridoh.yaml", stderr);
    char errors[1024] = "";
    struct config *plain = read_text(GOOD, strlen(GOOD), errors, sizeof errors);
    assert_non_null(example);
    assert_non_null(plain);
    assert_true(example->doh.upstream_count >= 3);
    assert_memory_equal(&example->cache, &plain->cache, sizeof plain->cache);
    assert_memory_equal(&example->limits, &plain->limits, sizeof plain->limits);
    assert_memory_equal(&example->policy, &plain->policy, sizeof plain->policy);
    assert_int_equal(example->doh.connect_ms, plain->doh.connect_ms);
    assert_int_equal(example->doh.deadline_ms, plain->doh.deadline_ms);
    assert_int_equal(example->doh.idle_ms, plain->doh.idle_ms);
    assert_int_equal(example->doh.pad_to, plain->doh.pad_to);
    assert_int_equal(example->query_ms, plain->query_ms);
    assert_int_equal(example->queries_max, plain->queries_max);
    assert_int_equal(example->udp_size, plain->udp_size);
    assert_int_equal(example->tcp_clients, plain->tcp_clients);
    assert_int_equal(example->tcp_in_flight, plain->tcp_in_flight);
    assert_int_equal(example->tcp_idle_ms, plain->tcp_idle_ms);
    assert_int_equal(example->workers, plain->workers);
    assert_int_equal(example->log_level, plain->log_level);
    assert_int_equal(example->log_format, plain->log_format);
    config_free(example);
    config_free(plain);
}

/* The example names every scalar key that stands at a fixed place. */
static void check_named(const char *text, const struct config_key *keys)
{
    for (const struct config_key *key = keys; key->name; key++) {
        char line[64];
        (void)snprintf(line, sizeof line, "%s:", key->name);
        if (!strstr(text, line))
            print_error("conf/veridoh.yaml does not name %s\n", key->name);
        assert_non_null(strstr(text, line));
        if (key->kind == CONFIG_MAP)
            check_named(text, key->children);
    }
}

static void the_example_names_every_key(void **state)
{
    (void)state;
    static char text[1 << 16];
    FILE *f = fopen(TEST_DATA "/../../conf/veridoh.yaml", "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    check_named(text, config_root.children);
}

/* conf/veridoh.yaml.5 holds the list that `veridoh config-reference --mdoc` prints. */
static void the_manual_lists_the_table(void **state)
{
    (void)state;
    static char manual[1 << 16];
    FILE *f = fopen(TEST_DATA "/../../conf/veridoh.yaml.5", "r");
    assert_non_null(f);
    manual[fread(manual, 1, sizeof manual - 1, f)] = '\0';
    (void)fclose(f);
    char *list = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&list, &len);
    assert_non_null(out);
    config_reference_mdoc(out);
    (void)fclose(out);
    assert_non_null(strstr(manual, list));
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_named_with_its_place),
        cmocka_unit_test(what_a_stamp_has_is_added),
        cmocka_unit_test(a_nul_octet_is_refused),
        cmocka_unit_test(values_arrive_where_they_belong),
        cmocka_unit_test(unnamed_budgets_are_the_librarys),
        cmocka_unit_test(the_state_directory_is_granted_or_named),
        cmocka_unit_test(the_tables_defaults_are_legal),
        cmocka_unit_test(the_example_is_the_default),
        cmocka_unit_test(the_example_names_every_key),
        cmocka_unit_test(the_manual_lists_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
