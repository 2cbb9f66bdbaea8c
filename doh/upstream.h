/* SPDX-License-Identifier: MIT */
/* One upstream of one pool: the questions that wait for it, its connections, and what its answers
 * and failures mean. */
#ifndef DOH_UPSTREAM_H
#define DOH_UPSTREAM_H

#include "doh/connection.h"

void doh_upstream_init(struct doh_upstream *up, struct doh_pool *pool, uint32_t index);
void doh_upstream_close(struct doh_upstream *up); /* its asks must be gone */

bool doh_upstream_has_good(const struct doh_upstream *up); /* a connection to be counted on */
void doh_upstream_warm(struct doh_upstream *up);           /* has a connection ready */
uint32_t doh_upstream_hold_ms(const struct doh_upstream *up);
bool doh_upstream_is_away(const struct doh_upstream *up); /* no question should wait for it */
/* In a turn with questions: whoever is away is dialled, when its back-off is over. */
void doh_upstream_probe(struct doh_upstream *up);
struct doh_upstream_status doh_upstream_status(const struct doh_upstream *up);

void doh_upstream_ask(struct doh_upstream *up, struct doh_ask *ask, struct doh_fetch *fetch);
void doh_upstream_forget(struct doh_ask *ask); /* silent; idle asks too */
/* Another upstream has answered that question; idle asks too. */
void doh_upstream_outrun(const struct doh_ask *ask);
void doh_upstream_pump(struct doh_upstream *up);  /* waiting questions onto connections */
void doh_upstream_flush(struct doh_upstream *up); /* and out */

/* A question ran into its fetch's patience: choose this upstream less for now. */
void doh_upstream_slow(struct doh_upstream *up);
void doh_upstream_lied(struct doh_upstream *up, const char *how);

/* From the network watch. */
void doh_upstream_network(struct doh_upstream *up, bool rerouted);
void doh_upstream_address_gone(struct doh_upstream *up, const struct doh_address *address);

/* From its connections. Asks that went early and that no answer can come for are put back, for
 * their replay; nobody is told. */
struct doh_ask *doh_upstream_next(const struct doh_upstream *up); /* NULL: none waits */
void doh_upstream_take_back(struct doh_upstream *up, struct doh_list *asks);
void doh_upstream_doubted(struct doh_upstream *up, struct doh_conn *conn); /* it is suspect */
void doh_upstream_stuck(struct doh_upstream *up, struct doh_ask *ask); /* on a lively connection */
void doh_upstream_opened(struct doh_upstream *up, struct doh_conn *conn);
void doh_upstream_response(struct doh_upstream *up, struct doh_conn *conn, struct doh_ask *ask,
                           const struct doh_h2_response *response);
/* `before` is the state it was in; `asks` are what it left unanswered. `reason` is NULL when the
 * peer closed it in good order. */
void doh_upstream_lost(struct doh_upstream *up, struct doh_conn *conn, enum doh_conn_state before,
                       struct doh_list *asks, enum doh_err err, const char *reason);

/* From its dialling: no address could be reached. */
void doh_upstream_unreachable(struct doh_upstream *up, enum doh_err err, const char *reason);
void doh_upstream_pause_early(struct doh_upstream *up); /* it did harm: for a while without */

#endif
