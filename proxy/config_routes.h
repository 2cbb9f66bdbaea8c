/* SPDX-License-Identifier: MIT */
/* What is checked and made of the routes once every key has been read: the search list's domains,
 * the upstreams that are named, whether it is validated. */
#ifndef PROXY_CONFIG_ROUTES_H
#define PROXY_CONFIG_ROUTES_H

#include "doh/resolv_conf.h"
#include "proxy/config.h"
#include "proxy/config_errors.h"

/* Says an error of each that does not fit. Adds to c->anchors, which the routes' own anchors are in
 * already. */
void config_routes_finish(struct config *c, struct config_errors *errors);

/* Replaces the domains and the cluster that the index-th route has of its file by what the file
 * says now, as far as no route has them already. False: out of memory, and all is as it was. */
bool config_route_search(struct doh_route_config *routes, uint32_t count, uint32_t index,
                         const struct doh_resolv_conf *file);

/* The reason of negative anchors that routes are. */
#define CONFIG_ROUTE_BELIEVED "routed to servers that are believed"

void config_route_free(struct doh_route_config *route); /* what it owns */

#endif
