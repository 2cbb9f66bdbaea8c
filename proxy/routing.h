/* SPDX-License-Identifier: MIT */
/* The routes of one worker: a copy of the configuration, in which the domains that a route has of a
 * file (domains-from) follow the file. A file that is gone or cannot be read says nothing: what it
 * said is better. Every worker looks for itself, so that nothing has to be shared. */
#ifndef PROXY_ROUTING_H
#define PROXY_ROUTING_H

#include "proxy/config.h"

#include <uv.h>

struct routing;

/* Some route has other domains than before. */
typedef void routing_changed_fn(void *arg, const struct doh_route_config *route);

/* `config` is borrowed. NULL when out of memory. */
struct routing *routing_open(uv_loop_t *loop, const struct config *config,
                             routing_changed_fn *changed, void *arg);
/* Borrowed until routing_free(). */
const struct config *routing_config(const struct routing *routing);
void routing_close(struct routing *routing); /* the loop lets go of it; NULL is fine */
void routing_free(struct routing *routing);  /* when it has; NULL is fine */

#endif
