// SPDX-License-Identifier: MIT
#include "doh/route.h"

#include "doh/plain.h"
#include "doh/resolv_conf.h"

#include <stdlib.h>
#include <string.h>

#define QUESTIONS_MAX 64u /* of one channel */
#define WATCH_MS 2000u
#define SERVERS_MAX 16u

struct doh_route {
    struct doh_pool *pool;
    const struct doh_route_config *config;
    struct doh_address server[SERVERS_MAX];
    uint32_t server_count;
    struct doh_plain *plain; /* NULL: to be opened */
    uint32_t asked;          /* through it */
    struct doh_list retired; /* channels that end with their last question */
    uv_fs_poll_t watch;      /* of config->servers_from, when there is one */
};

static void add_server(struct doh_route *route, const struct doh_address *server)
{
    if (route->server_count < SERVERS_MAX)
        route->server[route->server_count++] = *server;
}

static void find_servers(struct doh_route *route)
{
    const struct doh_route_config *config = route->config;
    const struct doh_config *doh = route->pool->config;
    struct doh_resolv_conf file;
    route->server_count = 0;
    for (uint32_t i = 0; i < config->server_count; i++)
        add_server(route, &config->servers[i]);
    if (!config->servers_from || !doh_resolv_conf_read(config->servers_from, &file))
        return; /* a file that is not there now will be */
    doh_resolv_conf_drop_self(&file, doh->self, doh->self_count);
    for (uint32_t i = 0; i < file.server_count; i++)
        add_server(route, &file.server[i]);
}

static void retire(struct doh_route *route)
{
    if (route->plain)
        doh_plain_retire(route->plain, &route->retired);
    route->plain = NULL;
}

void doh_route_renew(struct doh_route *route)
{
    if (!route)
        return;
    find_servers(route);
    retire(route);
}

static void on_file(uv_fs_poll_t *watch, int status, const uv_stat_t *before,
                    const uv_stat_t *after)
{
    (void)before;
    (void)after;
    struct doh_route *route = DOH_ITEM(watch, struct doh_route, watch);
    if (status == 0) /* else it is gone: what it said is better than nothing */
        doh_route_renew(route);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct doh_route *route = DOH_ITEM(handle, struct doh_route, watch);
    struct doh_pool *pool = route->pool;
    free(route);
    doh_pool_handle_closed(pool);
}

struct doh_route *doh_route_open(struct doh_pool *pool, const struct doh_route_config *config)
{
    struct doh_route *route = calloc(1, sizeof *route);
    if (!route)
        return NULL;
    route->pool = pool;
    route->config = config;
    doh_list_init(&route->retired);
    find_servers(route);
    if (!config->servers_from)
        return route;
    (void)uv_fs_poll_init(pool->loop, &route->watch); /* cannot fail */
    pool->handles++;
    /* Not watched for want of memory, the servers stay those of now. */
    (void)uv_fs_poll_start(&route->watch, on_file, config->servers_from, WATCH_MS);
    return route;
}

void doh_route_close(struct doh_route *route)
{
    if (!route)
        return;
    retire(route);
    doh_plain_close_retired(&route->retired);
    if (route->config->servers_from)
        uv_close((uv_handle_t *)&route->watch, on_watch_closed);
    else
        free(route);
}

struct doh_plain *doh_route_plain(struct doh_route *route)
{
    if (route->asked >= QUESTIONS_MAX)
        retire(route);
    if (!route->plain && route->server_count > 0) {
        route->plain = doh_plain_open(route->pool, route->server, route->server_count);
        route->asked = 0;
    }
    route->asked++;
    return route->plain;
}
