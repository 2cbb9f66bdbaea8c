/* SPDX-License-Identifier: MIT */
/* The addresses of an upstream's host, asked anew by DoH of whichever upstream is up, when those
 * that were looked up by plain DNS have outlived their TTL. The old ones stay in use meanwhile. */
#ifndef DOH_REFRESH_H
#define DOH_REFRESH_H

#include "doh/bootstrap.h"

struct doh_refresh;

struct doh_refresh *doh_refresh_new(struct doh_pool *pool, const char *host);
void doh_refresh_free(struct doh_refresh *refresh); /* silent; NULL is fine */

/* Both families at once. `done` as of a bootstrap, except that nothing is called when there are no
 * addresses. While it runs a second start does nothing. */
void doh_refresh_start(struct doh_refresh *refresh, doh_bootstrap_fn *done, void *arg);

#endif
