/* SPDX-License-Identifier: MIT */
/* What is checked and made of the routes once every key has been read: the search list's domains,
 * the upstreams that are named, whether it is validated. */
#ifndef PROXY_CONFIG_ROUTES_H
#define PROXY_CONFIG_ROUTES_H

#include "proxy/config.h"
#include "proxy/config_errors.h"

/* Says an error of each that does not fit. Adds to c->anchors, which the routes' own anchors are in
 * already. */
void config_routes_finish(struct config *c, struct config_errors *errors);
void config_route_free(struct doh_route_config *route); /* what it owns */

#endif
