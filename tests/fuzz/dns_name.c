// SPDX-License-Identifier: MIT
/* What reads must print, and what it prints must read back as the same name (RFC 1035 5.1); a text
 * that parses must print as a text that parses to the same. */
#include "dns/name.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void go_round(const struct dns_name *name)
{
    char text[DNS_NAME_TEXT_MAX];
    struct dns_name again;
    struct dns_reader r = dns_reader_init(name->wire, name->len);
    must(dns_name_text(name, text) == strlen(text));
    must(dns_name_parse(text, &again) == DNS_OK && again.labels == name->labels);
    must(again.len == name->len && memcmp(again.wire, name->wire, name->len) == 0);
    must(dns_name_read_plain(&r, &again) == DNS_OK && dns_reader_finish(&r) == DNS_OK);
    dns_name_lower(&again);
    must(dns_name_equal(name, &again) && dns_name_compare(name, &again) == 0);
    must(dns_name_common_labels(name, &again) == name->labels);
}

/* Order and ancestry agree with each other. */
static void compare(const struct dns_name *a, const struct dns_name *b)
{
    unsigned common = dns_name_common_labels(a, b);
    struct dns_name suffix = dns_name_suffix(b, common);
    int order = dns_name_compare(a, b);
    must((order < 0) == (dns_name_compare(b, a) > 0));
    must((order == 0) == dns_name_equal(a, b));
    must(dns_name_within(a, &suffix) && dns_name_within(b, &suffix));
    must(dns_name_within(a, b) == (common == b->labels));
}

/* RFC 1035 4.1.4, octet by octet, with our rule that a pointer leads to before where its labels
 * began. False: no name. */
static bool read_slowly(const uint8_t *data, size_t len, size_t at, struct dns_name *ret,
                        size_t *behind)
{
    size_t began = at, jumps = 0, total = 0;
    *ret = (struct dns_name){.len = 0};
    for (; at < len && data[at] != 0;) {
        if (data[at] >= 0xc0) {
            if (at + 1 >= len || ++jumps > 127)
                return false;
            size_t target = (size_t)(data[at] & 0x3f) << 8 | data[at + 1];
            *behind = jumps == 1 ? at + 2 : *behind;
            if (target >= began)
                return false;
            at = began = target;
            continue;
        }
        size_t label = data[at] + 1u;
        if (label > 64 || label > len - at || total + label > 254)
            return false;
        memcpy(ret->wire + total, data + at, label);
        total += label;
        ret->labels++;
        at += label;
    }
    *behind = jumps == 0 ? at + 1 : *behind;
    ret->len = (uint8_t)(total + 1);
    return at < len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dns_reader r = dns_reader_init(data, len);
    struct dns_name name, same;
    struct dns_name last = dns_root;
    size_t behind = 0;
    for (;;) {
        bool is_name = read_slowly(data, len, r.off, &same, &behind);
        must(is_name == (dns_name_read(&r, &name) == DNS_OK));
        if (!is_name)
            break;
        must(behind == r.off && name.len == same.len && name.labels == same.labels &&
             memcmp(name.wire, same.wire, name.len) == 0);
        go_round(&name);
        compare(&name, &last);
        last = name;
    }
    char text[1200];
    size_t n = len < sizeof text ? len : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    if (dns_name_parse(text, &name) == DNS_OK)
        go_round(&name);
    return 0;
}
