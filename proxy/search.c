// SPDX-License-Identifier: MIT
#include "proxy/search.h"

#include <string.h>
#include <strings.h>

#define BELOW_SVC_MAX 3u /* namespace, service, host */

/* The label that has `above` labels to its right. */
static bool label_is(const struct dns_name *name, unsigned above, const char *text)
{
    const uint8_t *label = name->wire + dns_name_suffix_off(name, above + 1u);
    return label[0] == strlen(text) && strncasecmp((const char *)label + 1, text, label[0]) == 0;
}

static bool is_in(const struct dns_name *search, uint32_t count, const struct dns_name *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (dns_name_equal(&search[i], name))
            return true;
    return false;
}

struct dns_name search_cluster(const struct dns_name *search, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (search[i].labels < 3 || !label_is(&search[i], search[i].labels - 2u, "svc"))
            continue;
        struct dns_name svc = dns_name_suffix(&search[i], search[i].labels - 1u);
        struct dns_name zone = dns_name_suffix(&search[i], search[i].labels - 2u);
        if (is_in(search, count, &svc) && is_in(search, count, &zone))
            return zone;
    }
    return dns_root;
}

static bool has_no_room(const struct dns_name *name, const struct dns_name *zone)
{
    unsigned below = (unsigned)name->labels - zone->labels;
    if (below < 2) /* perhaps an operator's own addition */
        return false;
    if (label_is(name, zone->labels, "svc") || label_is(name, zone->labels, "pod"))
        return below - 1u > BELOW_SVC_MAX;
    return !label_is(name, zone->labels, "dns"); /* ns.dns.ZONE is CoreDNS itself */
}

bool search_is_expansion(const struct doh_config *config, const struct dns_question *question,
                         struct dns_name *ret_zone)
{
    if (question->type != DNS_TYPE_A && question->type != DNS_TYPE_AAAA)
        return false; /* SRV names are longer; and resolvers' search lists are for addresses */
    for (uint32_t i = 0; i < config->route_count; i++) {
        const struct dns_name *zone = &config->routes[i].cluster;
        if (zone->labels == 0 || !dns_name_within(&question->name, zone) ||
            !has_no_room(&question->name, zone))
            continue;
        *ret_zone = *zone;
        return true;
    }
    return false;
}
