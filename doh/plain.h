/* SPDX-License-Identifier: MIT */
/* Questions to plain DNS servers, by c-ares: UDP, then TCP when the answer is truncated, the next
 * server when one is silent. Used for routes, and for the addresses of the upstreams' hosts.
 *
 * Owner     a pool or a bootstrap; one loop. Memory goes back in the last close callback.
 * Belief    an answer is handed out only when it is a DNS response to the question with the id
 *           that we drew, and not truncated. */
#ifndef DOH_PLAIN_H
#define DOH_PLAIN_H

#include "doh/parts.h"

struct doh_plain;
struct doh_plain_query;

/* `wire` is borrowed for the call; NULL with an error. Never called before _ask() has returned
 * with a query, nor after _cancel(). */
typedef void doh_plain_done_fn(void *arg, enum doh_err err, const uint8_t *wire, uint32_t len);

/* NULL when out of memory. `servers` are copied. */
struct doh_plain *doh_plain_open(struct doh_pool *pool, const struct doh_address *servers,
                                 uint32_t count);
/* Cancels what is left, silently. NULL is fine. */
void doh_plain_close(struct doh_plain *plain);

/* Takes the channel: it closes itself after the last of its queries has ended, or in
 * doh_plain_close_retired() of the list it is put in. */
void doh_plain_retire(struct doh_plain *plain, struct doh_list *retired);
void doh_plain_close_retired(struct doh_list *retired);

/* RD as always; of `flags` CD is kept. NULL when out of memory, or no server can be sent to. */
struct doh_plain_query *doh_plain_ask(struct doh_plain *plain, const struct dns_question *question,
                                      uint16_t flags, bool dnssec_ok, doh_plain_done_fn *done,
                                      void *arg);
void doh_plain_cancel(struct doh_plain_query *query);

#endif
