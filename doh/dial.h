/* SPDX-License-Identifier: MIT */
/* Getting an upstream a connection (RFC 8305): its addresses in turn, the families alternating,
 * each 250 ms after the one before or as soon as that has failed; the first that completes its TLS
 * handshake wins, and goes first for the next ten minutes. When all had their turn those of
 * which nothing is heard get another connection, each half second or three round trips, three in
 * all and in the time that the first ones have: what a middlebox has lost nobody sends again. One
 * race at a time; a failed one is followed by a back-off. An address that fails, or that another
 * overtakes by its whole head start, goes behind the others for a while. */
#ifndef DOH_DIAL_H
#define DOH_DIAL_H

#include "doh/connection.h"

#define DOH_CONNS_MAX 2u /* open ones, each upstream and pool */

void doh_dial_init(struct doh_upstream *up);
void doh_dial_close(struct doh_upstream *up);

/* Questions wait: races if that is possible now, else later by itself. */
void doh_dial_want(struct doh_upstream *up);

/* How long it has been at it; 0: it is not. */
uint64_t doh_dial_spent_ms(const struct doh_upstream *up);

/* The network has changed: what is under way may have begun on the old one. */
void doh_dial_anew(struct doh_upstream *up);

void doh_dial_opened(struct doh_upstream *up, struct doh_conn *winner);
void doh_dial_lost(struct doh_upstream *up, const struct doh_conn *conn, enum doh_err err,
                   const char *reason);

#endif
