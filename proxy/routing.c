// SPDX-License-Identifier: MIT
#include "proxy/routing.h"

#include "doh/resolv_conf.h"
#include "proxy/config_routes.h"

#include <stdlib.h>
#include <string.h>

#define WATCH_MS 2000u

struct watch {
    struct routing *routing;
    uint32_t route;
    uv_fs_poll_t poll;
};

struct routing {
    struct config config; /* a copy; its routes are ours, and of these the domains of files */
    routing_changed_fn *changed;
    void *arg;
    uint32_t watch_count;
    struct watch watch[]; /* one each route that has a file */
};

const struct config *routing_config(const struct routing *routing)
{
    return &routing->config;
}

static bool says_the_same(const struct doh_route_config *a, const struct doh_route_config *b)
{
    bool same = a->domain_count == b->domain_count && dns_name_equal(&a->cluster, &b->cluster);
    for (uint32_t i = 0; same && i < a->domain_count; i++)
        same = dns_name_equal(&a->domains[i], &b->domains[i]);
    return same;
}

/* True: it says something new. */
static bool read_again(struct routing *r, uint32_t index)
{
    struct doh_route_config *route = &r->config.doh.routes[index];
    struct doh_route_config before = *route;
    struct doh_resolv_conf file;
    if (!doh_resolv_conf_read(route->domains_from, &file))
        return false;
    before.domains = calloc(before.domain_count + 1u, sizeof *before.domains);
    if (!before.domains)
        return false;
    memcpy(before.domains, route->domains, before.domain_count * sizeof *before.domains);
    bool is_new =
        config_route_search(r->config.doh.routes, r->config.doh.route_count, index, &file) &&
        !says_the_same(route, &before);
    free(before.domains);
    return is_new;
}

static void on_file(uv_fs_poll_t *poll, int status, const uv_stat_t *before, const uv_stat_t *after)
{
    (void)before;
    (void)after;
    struct watch *w = poll->data;
    struct routing *r = w->routing;
    if (status == 0 && read_again(r, w->route))
        r->changed(r->arg, &r->config.doh.routes[w->route]);
}

static bool copy_domains(struct doh_route_config *route)
{
    struct dns_name *copy = calloc(route->domain_count + 1u, sizeof *copy);
    if (copy && route->domain_count > 0)
        memcpy(copy, route->domains, route->domain_count * sizeof *copy);
    route->domains = copy;
    return copy != NULL;
}

static bool copy_routes(struct routing *r)
{
    struct doh_config *doh = &r->config.doh;
    struct doh_route_config *routes = calloc(doh->route_count + 1u, sizeof *routes);
    if (routes && doh->route_count > 0)
        memcpy(routes, doh->routes, doh->route_count * sizeof *routes);
    doh->routes = routes;
    bool ok = routes != NULL;
    for (uint32_t i = 0; routes && i < doh->route_count; i++)
        if (routes[i].domains_from)
            ok = copy_domains(&routes[i]) && ok;
    return ok;
}

/* Not watched for want of memory, the domains stay those of now. */
static void watch(struct routing *r, uv_loop_t *loop, uint32_t index)
{
    struct watch *w = &r->watch[r->watch_count++];
    w->routing = r;
    w->route = index;
    w->poll.data = w;
    (void)uv_fs_poll_init(loop, &w->poll); /* cannot fail */
    (void)uv_fs_poll_start(&w->poll, on_file, r->config.doh.routes[index].domains_from, WATCH_MS);
}

struct routing *routing_open(uv_loop_t *loop, const struct config *config,
                             routing_changed_fn *changed, void *arg)
{
    struct routing *r = calloc(1, sizeof *r + config->doh.route_count * sizeof r->watch[0]);
    if (!r)
        return NULL;
    r->config = *config;
    r->changed = changed;
    r->arg = arg;
    if (!copy_routes(r)) {
        routing_free(r);
        return NULL;
    }
    for (uint32_t i = 0; i < config->doh.route_count; i++)
        if (config->doh.routes[i].domains_from)
            watch(r, loop, i);
    return r;
}

void routing_close(struct routing *r)
{
    for (uint32_t i = 0; r && i < r->watch_count; i++)
        uv_close((uv_handle_t *)&r->watch[i].poll, NULL);
}

void routing_free(struct routing *r)
{
    if (!r)
        return;
    const struct doh_config *doh = &r->config.doh;
    for (uint32_t i = 0; doh->routes && i < doh->route_count; i++)
        if (doh->routes[i].domains_from)
            free(doh->routes[i].domains);
    free(doh->routes);
    free(r);
}
