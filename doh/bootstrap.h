/* SPDX-License-Identifier: MIT */
/* The addresses of an upstream's host, asked by plain DNS from the servers that the configuration
 * names for it; the system's resolver is not asked, since that may be us. What they say is not
 * trusted: the certificate decides. */
#ifndef DOH_BOOTSTRAP_H
#define DOH_BOOTSTRAP_H

#include "doh/parts.h"

struct doh_bootstrap;

/* Called once each for the IPv6 and IPv4 addresses, as they come, with a count that is not 0; or
 * once with count 0 when there are none at all. `address` is borrowed for the call. */
typedef void doh_bootstrap_fn(void *arg, const struct doh_address *address, uint32_t count,
                              uint32_t ttl_s);

struct doh_bootstrap *doh_bootstrap_new(struct doh_pool *pool,
                                        const struct doh_upstream_config *config, const char *host);
void doh_bootstrap_close(struct doh_bootstrap *b); /* silent; NULL is fine */

/* False when nothing could be asked; then nothing is called. A look-up that still runs is replaced.
 */
bool doh_bootstrap_start(struct doh_bootstrap *b, doh_bootstrap_fn *done, void *arg);

#endif
