// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/addresses.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void assert_known(struct doh_addresses *a, const char *host, const char *want)
{
    struct doh_address got[DOH_ADDRESSES_EACH_MAX];
    char text[2048] = "", one[DOH_ADDRESS_TEXT_MAX];
    uint32_t count = doh_addresses_get(a, host, got, DOH_ADDRESSES_EACH_MAX);
    for (uint32_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                       doh_address_text(&got[i], one));
    assert_string_equal(text, want);
}

static void what_a_file_says(void **state)
{
    (void)state;
    static const struct {
        const char *what, *text, *want; /* of a.example */
    } cases[] = {
        {"nothing", "", ""},
        {"one", "a.example 192.0.2.1\n", "192.0.2.1:0"},
        {"both families, no newline", "a.example 192.0.2.1 2001:db8::1",
         "192.0.2.1:0 [2001:db8::1]:0"},
        {"another host", "b.example 192.0.2.1\n", ""},
        {"the second of two", "b.example 192.0.2.1\na.example 192.0.2.2\n", "192.0.2.2:0"},
        {"the first of one twice", "a.example 192.0.2.1\na.example 192.0.2.2\n", "192.0.2.1:0"},
        {"no address", "a.example\n", ""},
        {"what is none", "a.example x 192.0.2.1 192.0.2\n", "192.0.2.1:0"},
        {"no host", "../a 192.0.2.1\na/example 192.0.2.1\n", ""},
        {"an address for a host", "192.0.2.9 192.0.2.1\n", ""},
        {"upper case is not as we write it", "A.example 192.0.2.1\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].what);
        struct doh_addresses *a = doh_addresses_new(NULL);
        assert_non_null(a);
        doh_addresses_parse(a, cases[i].text, strlen(cases[i].text));
        assert_known(a, "a.example", cases[i].want);
        doh_addresses_free(a);
    }
}

static void bounds(void **state)
{
    (void)state;
    struct doh_address many[DOH_ADDRESSES_EACH_MAX + 4];
    struct doh_addresses *a = doh_addresses_new(NULL);
    char host[64];
    for (uint32_t i = 0; i < DOH_ADDRESSES_EACH_MAX + 4; i++)
        many[i] = address("192.0.2.1", (uint16_t)i);
    for (unsigned i = 0; i < DOH_ADDRESSES_HOSTS_MAX + 4; i++) {
        (void)snprintf(host, sizeof host, "h%u.example", i);
        assert_true(doh_addresses_put(a, host, many, DOH_ADDRESSES_EACH_MAX + 4));
    }
    struct doh_address got[DOH_ADDRESSES_EACH_MAX];
    assert_int_equal(doh_addresses_get(a, "h0.example", got, DOH_ADDRESSES_EACH_MAX),
                     DOH_ADDRESSES_EACH_MAX);
    assert_int_equal(doh_addresses_get(a, "h0.example", got, 3), 3);
    assert_int_equal(doh_addresses_get(a, host, got, 3), 0); /* no room for so many hosts */
    char text[4096] = "x.example";
    memset(text + 9, ' ', 4000);
    text[4009] = '\0';
    doh_addresses_parse(a, text, strlen(text));
    doh_addresses_free(a);
}

static void kept_for_the_next_start(void **state)
{
    (void)state;
    char directory[] = "/tmp/veridoh-addresses-XXXXXX", path[128];
    struct doh_address known[2] = {address("192.0.2.1", 443), address("2001:db8::1", 443)};
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/upstream-addresses", directory);
    struct doh_addresses *a = doh_addresses_new(directory);
    assert_known(a, "a.example", "");
    assert_true(doh_addresses_put(a, "a.example", known, 2));
    assert_true(doh_addresses_put(a, "b.example", known, 1));
    assert_true(doh_addresses_put(a, "a.example", known + 1, 1)); /* replaces */
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    known[1] = address("2001:db8::1", 8443);
    assert_true(doh_addresses_put(a, "a.example", known + 1, 1)); /* the same, but for the port */
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino); /* not written again */
    doh_addresses_free(a);
    a = doh_addresses_new(directory);
    assert_known(a, "a.example", "[2001:db8::1]:0");
    assert_known(a, "b.example", "192.0.2.1:0");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    assert_false(doh_addresses_put(a, "c.example", known, 1)); /* nowhere to write, but known */
    assert_known(a, "c.example", "192.0.2.1:0");
    doh_addresses_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_file_says),
        cmocka_unit_test(bounds),
        cmocka_unit_test(kept_for_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
