/* SPDX-License-Identifier: MIT */
/* What each worker has counted, where every worker can read it: for a health report that is about
 * the whole program. Nothing is decided by these numbers. */
#ifndef PROXY_TALLY_H
#define PROXY_TALLY_H

#include "proxy/server.h"

struct tally;
struct tally *tally_new(uint32_t workers); /* NULL: out of memory */
void tally_free(struct tally *tally);      /* NULL is fine; when no worker runs any more */

/* Of worker 1, 2... as they are now; by that worker's thread alone. */
void tally_server(struct tally *tally, uint32_t worker, const struct server_stats *stats);
void tally_resolver(struct tally *tally, uint32_t worker, const struct resolver_stats *stats);

/* Of all workers, from any thread. Each number is one that was true; those of a moment need not go
 * together. */
void tally_sum(const struct tally *tally, struct server_stats *ret_server,
               struct resolver_stats *ret_resolver);

#endif
