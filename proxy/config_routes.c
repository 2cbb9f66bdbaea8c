// SPDX-License-Identifier: MIT
#include "proxy/config_routes.h"

#include "proxy/search.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct finishing {
    struct config *c;
    struct config_errors *errors;
    uint32_t index; /* of the route that is looked at */
};

/* An error of that route's key, or of the route as a whole ("") as far as the key is not there. */
__attribute__((format(printf, 3, 4))) static void fail(struct finishing *r, const char *key,
                                                       const char *format, ...)
{
    char where[64], words[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    (void)snprintf(where, sizeof where, "routes[%u].%s", r->index, key);
    config_error_of(r->errors, where, "routes: %s", words);
}

/* --- search lists ---------------------------------------------------------------------------- */

static bool has_domain(const struct doh_route_config *route, const struct dns_name *domain)
{
    for (uint32_t i = 0; i < route->domain_count; i++)
        if (dns_name_equal(&route->domains[i], domain))
            return true;
    return false;
}

/* What the operator wrote down for a domain counts, not what a file says of it; of two files the
 * first. */
static bool is_routed(const struct doh_route_config *routes, uint32_t count,
                      const struct dns_name *domain)
{
    for (uint32_t i = 0; i < count; i++)
        if (has_domain(&routes[i], domain))
            return true;
    return false;
}

bool config_route_search(struct doh_route_config *routes, uint32_t count, uint32_t index,
                         const struct doh_resolv_conf *file)
{
    struct doh_route_config *route = &routes[index];
    struct dns_name *grown =
        realloc(route->domains, (route->written + DOH_RESOLV_SEARCH_MAX) * sizeof *grown);
    if (!grown)
        return false;
    route->domains = grown;
    route->domain_count = route->written;
    route->cluster = search_cluster(file->search, file->search_count);
    for (uint32_t i = 0; i < file->search_count; i++)
        if (!is_routed(routes, count, &file->search[i]))
            grown[route->domain_count++] = file->search[i];
    return true;
}

static void add_search_list(struct finishing *r, struct doh_route_config *route)
{
    struct doh_resolv_conf file;
    if (!doh_resolv_conf_read(route->domains_from, &file))
        fail(r, "domains-from", "%s cannot be read", route->domains_from);
    else if (!config_route_search(r->c->doh.routes, r->c->doh.route_count, r->index, &file))
        fail(r, "", "out of memory");
}

/* --- a route --------------------------------------------------------------------------------- */

static void find_group(struct finishing *r, struct doh_route_config *route)
{
    for (uint32_t g = 0; g < route->group_count; g++) {
        uint32_t found = 0;
        for (uint32_t u = 0; u < r->c->doh.upstream_count; u++)
            if (r->c->doh.upstreams[u].name &&
                !strcmp(r->c->doh.upstreams[u].name, route->groups[g]))
                found |= UINT32_C(1) << u;
        if (found == 0) {
            char key[32];
            (void)snprintf(key, sizeof key, "upstreams[%u]", g);
            fail(r, key, "there is no upstream named '%s'", route->groups[g]);
        }
        route->upstreams |= found;
    }
}

static void decide_validation(struct finishing *r, struct doh_route_config *route)
{
    bool wanted = route->trust_anchor_count > 0;
    if (wanted && route->validate == DOH_ROUTE_BELIEVED)
        fail(r, "trust-anchors", "trust-anchors with 'validate: off'");
    if (route->validate == DOH_ROUTE_AUTO)
        route->validate =
            wanted || route->upstreams != 0 ? DOH_ROUTE_VALIDATED : DOH_ROUTE_BELIEVED;
    if (route->validate == DOH_ROUTE_VALIDATED)
        return;
    for (uint32_t d = 0; d < route->written; d++) /* those of files: resolver_anchors() */
        if (val_anchors_add_negative(r->c->anchors, &route->domains[d], UINT64_MAX,
                                     CONFIG_ROUTE_BELIEVED) != DNS_OK)
            fail(r, "", "out of memory");
}

static void finish_route(struct finishing *r, struct doh_route_config *route)
{
    bool plain = route->server_count > 0 || route->servers_from;
    if (route->domains_from)
        add_search_list(r, route);
    else if (route->domain_count == 0)
        fail(r, "", "a route needs 'domains' or 'domains-from'");
    if (plain && route->group_count > 0)
        fail(r, "upstreams", "a route has 'upstreams' or plain 'servers', not both");
    if (!plain && route->group_count == 0)
        fail(r, "", "a route needs 'servers', 'servers-from' or 'upstreams'");
    find_group(r, route);
    decide_validation(r, route);
}

/* Upstreams that only routes may ask are not for everything else. */
static void find_unrouted(struct finishing *r)
{
    struct doh_config *doh = &r->c->doh;
    bool any = false;
    for (uint32_t i = 0; i < doh->upstream_count; i++)
        any = any || doh->upstreams[i].route_only;
    if (!any)
        return;
    for (uint32_t i = 0; i < doh->upstream_count && i < DOH_UPSTREAMS_MAX; i++)
        if (!doh->upstreams[i].route_only)
            doh->unrouted |= UINT32_C(1) << i;
    if (doh->unrouted == 0)
        config_error_of(
            r->errors, "upstreams",
            "routes: every upstream is 'route-only': nobody is left for names without a route");
}

void config_routes_finish(struct config *c, struct config_errors *errors)
{
    struct finishing r = {.c = c, .errors = errors};
    for (uint32_t i = 0; i < c->doh.route_count; i++)
        c->doh.routes[i].written = c->doh.routes[i].domain_count;
    for (r.index = 0; r.index < c->doh.route_count; r.index++)
        finish_route(&r, &c->doh.routes[r.index]);
    find_unrouted(&r);
    c->doh.self = c->listen;
    c->doh.self_count = c->listen_count;
}

void config_route_free(struct doh_route_config *route)
{
    for (uint32_t i = 0; i < route->group_count; i++)
        free(route->groups[i]);
    for (uint32_t i = 0; i < route->trust_anchor_count; i++)
        free(route->trust_anchors[i]);
    free(route->groups);
    free(route->trust_anchors);
    free(route->domains);
    free(route->domains_from);
    free(route->servers);
    free(route->servers_from);
}
