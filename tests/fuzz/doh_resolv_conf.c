// SPDX-License-Identifier: MIT
/* Whatever a file says: counts within their bounds, addresses of a known family with a port, names
 * that are names; and of all addresses none is left that is said to be ourselves. */
#include "doh/address.h"
#include "doh/resolv_conf.h"

#include <stdlib.h>

static void must(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct doh_resolv_conf conf;
    doh_resolv_conf_parse((const char *)data, len, &conf);
    must(conf.server_count <= DOH_RESOLV_SERVERS_MAX);
    must(conf.search_count <= DOH_RESOLV_SEARCH_MAX);
    for (uint32_t i = 0; i < conf.server_count; i++) {
        sa_family_t family = conf.server[i].sa.any.sa_family;
        must(family == AF_INET || family == AF_INET6);
        must(doh_address_port(&conf.server[i]) != 0);
    }
    for (uint32_t i = 0; i < conf.search_count; i++) {
        char text[DNS_NAME_TEXT_MAX];
        struct dns_name again;
        (void)dns_name_text(&conf.search[i], text);
        must(dns_name_parse(text, &again) == DNS_OK);
        must(dns_name_equal(&conf.search[i], &again) && again.labels > 0);
    }
    struct doh_resolv_conf left = conf;
    doh_resolv_conf_drop_self(&left, conf.server, conf.server_count);
    must(left.server_count == 0);
    return 0;
}
