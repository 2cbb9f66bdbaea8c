/* SPDX-License-Identifier: MIT */
/* A route to plain DNS servers, for one pool: opened when it is first asked. The servers are the
 * configured ones and those of a file in the form of resolv.conf, which is looked at again when it
 * changes. Every so many questions a new c-ares channel takes over, since a busy one keeps its
 * source port, and one that met a FORMERR asks without EDNS from then on. */
#ifndef DOH_ROUTE_H
#define DOH_ROUTE_H

#include "doh/parts.h"

struct doh_route;

/* NULL when out of memory. */
struct doh_route *doh_route_open(struct doh_pool *pool, const struct doh_route_config *config);
void doh_route_close(struct doh_route *route); /* NULL is fine; its questions end silently */

/* The network has changed: from now on through other sockets, and to what the file says now. */
void doh_route_renew(struct doh_route *route); /* NULL is fine */

/* Where the next question goes; NULL when no server is known, or out of memory. Borrowed until the
 * next call. */
struct doh_plain *doh_route_plain(struct doh_route *route);

#endif
