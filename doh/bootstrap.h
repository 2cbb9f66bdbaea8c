/* SPDX-License-Identifier: MIT */
/* The addresses of an upstream's host, asked by plain DNS from the servers that the configuration
 * names for it; when it names neither servers nor addresses, from those of the system's
 * resolv.conf that are not ourselves. What they say is not trusted: the certificate decides. */
#ifndef DOH_BOOTSTRAP_H
#define DOH_BOOTSTRAP_H

#include "doh/parts.h"

struct doh_bootstrap;

/* Called once each for the IPv6 and IPv4 addresses, as they come; with count 0 only at the end,
 * when the last answer has none. `address` is borrowed for the call. */
typedef void doh_bootstrap_fn(void *arg, const struct doh_address *address, uint32_t count,
                              uint32_t ttl_s);

#define DOH_BOOTSTRAP_MAX 8u /* addresses of one family */

/* Whether there is anybody to ask for this upstream's host. */
bool doh_bootstrap_possible(const struct doh_config *config, const struct doh_upstream_config *up,
                            const struct doh_url *url);

struct doh_bootstrap *doh_bootstrap_new(struct doh_pool *pool,
                                        const struct doh_upstream_config *config, const char *host);
void doh_bootstrap_close(struct doh_bootstrap *b);      /* silent; NULL is fine */
bool doh_bootstrap_runs(const struct doh_bootstrap *b); /* more may come; NULL is fine */

/* False when nothing could be asked; then nothing is called. A look-up that still runs is replaced.
 * Each start begins with another server: the one before may have lied. */
bool doh_bootstrap_start(struct doh_bootstrap *b, doh_bootstrap_fn *done, void *arg);

/* The addresses of one family in an answer, at most DOH_BOOTSTRAP_MAX, with port 0 and the least of
 * their TTLs. Aliases are not followed: the server did that, and put the addresses behind them. */
uint32_t doh_bootstrap_collect(const struct dns_msg *msg, uint16_t type,
                               struct doh_address address[static DOH_BOOTSTRAP_MAX],
                               uint32_t *ret_ttl_s);

#endif
