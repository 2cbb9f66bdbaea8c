// SPDX-License-Identifier: MIT
/* Input is a message. Whatever it designates makes a URL that parses, comes in the order of
 * preference, and has addresses at the very port of that URL. */
#include "doh/address.h"
#include "doh/discover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct doh_designated *d)
{
    char text[2048];
    struct doh_url url;
    must(d->priority > 0 && d->port > 0 && d->path[0] == '/');
    (void)snprintf(text, sizeof text, "https://%s:%u%s", d->target, d->port, d->path);
    must(doh_url_parse(text, &url) == NULL && url.port == d->port && !url.is_ip);
    must(d->address_count <= DOH_DESIGNATED_ADDRESSES_MAX);
    for (uint32_t i = 0; i < d->address_count; i++)
        must(doh_address_port(&d->address[i]) == d->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dns_rr table[DNS_RR_MAX];
    static struct doh_designated designated[DOH_DESIGNATED_MAX];
    struct dns_msg msg;
    if (dns_msg_read(data, len, table, DNS_RR_MAX, &msg) != DNS_OK)
        return 0;
    uint32_t count = doh_discover_read(&msg, designated);
    must(count <= DOH_DESIGNATED_MAX);
    for (uint32_t i = 0; i < count; i++) {
        must(i == 0 || designated[i - 1].priority <= designated[i].priority);
        check(&designated[i]);
    }
    return 0;
}
