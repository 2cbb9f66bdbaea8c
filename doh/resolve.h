/* SPDX-License-Identifier: MIT */
/* Plain DNS to named servers by c-ares on a libuv loop: for bootstrap and for routes. Never the
 * system's resolver configuration, which may be ourselves. */
#ifndef DOH_RESOLVE_H
#define DOH_RESOLVE_H

#include "doh/config.h"

#include <uv.h>

struct doh_resolve;
struct doh_resolve *doh_resolve_new(uv_loop_t *loop, const struct doh_address *servers,
                                    uint32_t count);
/* Silent for questions under way; frees itself once the loop has let go. */
void doh_resolve_close(struct doh_resolve *resolve);

/* `answer` NULL: no server answered. Its first two octets are an ID of no meaning. Borrowed. */
typedef void doh_resolve_fn(void *arg, const uint8_t *answer, uint32_t len);

struct doh_resolve_query;
/* `query` is a whole message whose ID is replaced; its OPT, if any, is the last record and bare
 * (c-ares 1.18 cuts eleven octets off when a server refuses EDNS). NULL: out of memory. `done` is
 * called once, never before this has returned. */
struct doh_resolve_query *doh_resolve_ask(struct doh_resolve *resolve, const uint8_t *query,
                                          uint32_t len, doh_resolve_fn *done, void *arg);
void doh_resolve_cancel(struct doh_resolve_query *query);

#endif
