// SPDX-License-Identifier: MIT
/* Input is the octets of a stamp, or its text. One that parses has a URL that parses, lists within
 * their bounds, and addresses of a known family with a port. */
#include "doh/address.h"
#include "doh/stamp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_address(const struct doh_address *address)
{
    sa_family_t family = address->sa.any.sa_family;
    return (family == AF_INET || family == AF_INET6) && doh_address_port(address) != 0;
}

static void check(const char *text)
{
    struct doh_stamp stamp;
    struct doh_url url;
    if (doh_stamp_parse(text, &stamp) != NULL)
        return;
    must(doh_stamp_is(text));
    must(stamp.hash_count <= DOH_STAMP_LIST_MAX && stamp.bootstrap_count <= DOH_STAMP_LIST_MAX);
    must(stamp.address.sa.any.sa_family == AF_UNSPEC || is_address(&stamp.address));
    for (uint32_t i = 0; i < stamp.bootstrap_count; i++)
        must(is_address(&stamp.bootstrap[i]));
    if (stamp.kind != DOH_STAMP_DOH) {
        must(is_address(&stamp.address));
        return;
    }
    must(doh_url_parse(stamp.url, &url) == NULL);
    if (stamp.address.sa.any.sa_family != AF_UNSPEC)
        must(doh_address_port(&stamp.address) == url.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char text[4096] = "sdns://";
    size_t n = len < sizeof text - 1 ? len : sizeof text - 1;
    size_t off = strlen(text);
    uint32_t bits = 0, count = 0;
    for (size_t i = 0; i < len && off + 4 < sizeof text; i++) {
        bits = (bits << 8 | data[i]) & 0xffff;
        for (count += 8; count >= 6; count -= 6)
            text[off++] = digits[bits >> (count - 6) & 63];
    }
    if (count > 0)
        text[off++] = digits[bits << (6 - count) & 63];
    text[off] = '\0';
    check(text);
    memcpy(text, data, n);
    text[n] = '\0';
    check(text);
    return 0;
}
