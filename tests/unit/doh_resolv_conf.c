// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/resolv_conf.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct doh_resolv_conf parse(const char *text)
{
    struct doh_resolv_conf conf;
    doh_resolv_conf_parse(text, strlen(text), &conf);
    return conf;
}

/* "ADDRESS ADDRESS | SEARCH SEARCH" */
static void describe(const struct doh_resolv_conf *conf, char *out, size_t cap)
{
    char text[DNS_NAME_TEXT_MAX];
    size_t off = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < conf->server_count; i++)
        off +=
            (size_t)snprintf(out + off, cap - off, "%s ", doh_address_text(&conf->server[i], text));
    off += (size_t)snprintf(out + off, cap - off, "|");
    for (uint32_t i = 0; i < conf->search_count; i++) {
        (void)dns_name_text(&conf->search[i], text);
        off += (size_t)snprintf(out + off, cap - off, " %s", text);
    }
}

static void files(void **state)
{
    (void)state;
    static const struct {
        const char *what, *text, *want;
    } cases[] = {
        {"nothing", "", "|"},
        {"a pod's",
         "search default.svc.cluster.local svc.cluster.local cluster.local\n"
         "nameserver 10.96.0.10\noptions ndots:5\n",
         "10.96.0.10:53 | default.svc.cluster.local. svc.cluster.local. cluster.local."},
        {"no newline at the end", "nameserver 10.0.0.1", "10.0.0.1:53 |"},
        {"CRLF", "nameserver 10.0.0.1\r\nsearch a.b\r\n", "10.0.0.1:53 | a.b."},
        {"blanks and tabs", "  nameserver\t 10.0.0.1 \n", "10.0.0.1:53 |"},
        {"comments", "#nameserver 10.0.0.1\n; nameserver 10.0.0.2\nnameserver 10.0.0.3 # three\n",
         "10.0.0.3:53 |"},
        {"ports", "nameserver [10.0.0.1]:5353\nnameserver [2001:db8::1]:53\nnameserver [::1]\n",
         "10.0.0.1:5353 [2001:db8::1]:53 [::1]:53 |"},
        {"no address",
         "nameserver\nnameserver example.com\nnameserver [::1\nnameserver [::1]x\n"
         "nameserver [::1]:0\nnameserver [::1]:70000\nnameserver 10.0.0\n",
         "|"},
        {"a link", "nameserver fe80::1%lo\n", "[fe80::1]:53 |"},
        {"no such link", "nameserver fe80::1%nowhere\n", "|"},
        {"the last list counts", "search a b\ndomain c d\n", "| c."},
        {"the last list counts, again", "domain c\nsearch a b\n", "| a. b."},
        {"the root expands nothing", "search . a\n", "| a."},
        {"no name", "search a..b c\n", "| c."},
        {"unknown words", "sortlist 10.0.0.0\nnameservers 10.0.0.1\n", "|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got[4096];
        print_message("%s\n", cases[i].what);
        struct doh_resolv_conf conf = parse(cases[i].text);
        describe(&conf, got, sizeof got);
        assert_string_equal(got, cases[i].want);
    }
}

static void a_link_local_address_keeps_its_link(void **state)
{
    (void)state;
    struct doh_resolv_conf conf = parse("nameserver fe80::1%lo\nnameserver fe80::1%7\n");
    assert_int_equal(conf.server_count, 2);
    assert_int_not_equal(conf.server[0].sa.v6.sin6_scope_id, 0);
    assert_int_equal(conf.server[1].sa.v6.sin6_scope_id, 7);
}

static void bounds(void **state)
{
    (void)state;
    char text[8192] = "";
    for (unsigned i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "nameserver 10.0.0.%u\n",
                       i);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "search");
    for (unsigned i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), " s%u", i);
    struct doh_resolv_conf conf = parse(text);
    assert_int_equal(conf.server_count, DOH_RESOLV_SERVERS_MAX);
    assert_int_equal(conf.search_count, DOH_RESOLV_SEARCH_MAX);
    memset(text, 'a', 4000);
    text[4000] = '\0';
    memcpy(text, "search ", 7);
    conf = parse(text);
    assert_int_equal(conf.search_count, 0);
}

/* A word that is too long is none, also where its beginning would be one; a line with a NUL in it
 * is none. */
static void what_is_cut_is_not_taken(void **state)
{
    (void)state;
    char text[512] = "search x";
    for (unsigned i = 0; i < 7; i++)
        strcat(text, "\\097\\097\\097\\097\\097\\097\\097\\097\\097\\097.");
    struct doh_resolv_conf conf = parse(text);
    assert_int_equal(conf.search_count, 0);
    text[7 + 255] = '\0';
    conf = parse(text);
    assert_int_equal(conf.search_count, 1);
    static const char with_nul[] = "nameserver 10.0.0.1\0 x\nnameserver 10.0.0.2\n";
    doh_resolv_conf_parse(with_nul, sizeof with_nul - 1, &conf);
    assert_int_equal(conf.server_count, 1);
}

static struct doh_address address(const char *text, uint16_t port)
{
    struct doh_address a = {0};
    if (inet_pton(AF_INET, text, &a.sa.v4.sin_addr) == 1)
        a.sa.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &a.sa.v6.sin6_addr) == 1)
        a.sa.v6.sin6_family = AF_INET6;
    doh_address_set_port(&a, port);
    return a;
}

static void self_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *what, *self, *want;
        uint16_t port;
    } cases[] = {
        {"the very address", "127.0.0.1", "127.0.0.1:5300 192.0.2.1:53 |", 53},
        {"the very address, other port", "127.0.0.1", "127.0.0.1:53 192.0.2.1:53 |", 5300},
        {"all addresses: only this machine's", "0.0.0.0", "127.0.0.1:5300 192.0.2.1:53 |", 53},
        {"all of IPv6 take IPv4, too", "::", "127.0.0.1:5300 192.0.2.1:53 |", 53},
        {"another", "127.0.0.2", "127.0.0.1:53 127.0.0.1:5300 192.0.2.1:53 |", 53},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got[4096];
        print_message("%s\n", cases[i].what);
        struct doh_resolv_conf conf =
            parse("nameserver 127.0.0.1\nnameserver [127.0.0.1]:5300\nnameserver 192.0.2.1\n");
        struct doh_address self = address(cases[i].self, cases[i].port);
        doh_resolv_conf_drop_self(&conf, &self, 1);
        describe(&conf, got, sizeof got);
        assert_string_equal(got, cases[i].want);
    }
}

/* [::] covers ::1, 0.0.0.0 does not. */
static void self_may_be_all_of_ipv6(void **state)
{
    (void)state;
    static const char *const self[] = {"::", "0.0.0.0"};
    for (unsigned i = 0; i < 2; i++) {
        struct doh_resolv_conf conf = parse("nameserver ::1\nnameserver 2001:db8::1\n");
        struct doh_address at = address(self[i], 53);
        doh_resolv_conf_drop_self(&conf, &at, 1);
        assert_int_equal(conf.server_count, 1 + i);
    }
}

static void the_largest_file(void **state)
{
    (void)state;
    static char text[DOH_RESOLV_FILE_MAX + 1];
    memset(text, '#', sizeof text);
    for (unsigned more = 0; more < 2; more++) {
        char path[] = "/tmp/veridoh-resolv-XXXXXX";
        FILE *f = fdopen(mkstemp(path), "w");
        struct doh_resolv_conf conf;
        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, DOH_RESOLV_FILE_MAX + more, f),
                         DOH_RESOLV_FILE_MAX + more);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(doh_resolv_conf_read(path, &conf), !more);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct doh_resolv_conf conf = {.server_count = 77};
    assert_false(doh_resolv_conf_read("/nowhere/at/all", &conf));
    assert_int_equal(conf.server_count, 77);
    assert_false(doh_resolv_conf_read("/proc/self", &conf));
    assert_true(doh_resolv_conf_read("/dev/null", &conf));
    assert_int_equal(conf.server_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(a_link_local_address_keeps_its_link),
        cmocka_unit_test(bounds),
        cmocka_unit_test(self_is_left_out),
        cmocka_unit_test(what_is_cut_is_not_taken),
        cmocka_unit_test(self_may_be_all_of_ipv6),
        cmocka_unit_test(the_largest_file),
        cmocka_unit_test(a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
