/* SPDX-License-Identifier: MIT */
/* The addresses of an upstream's host that its dial knows (struct doh_dial): first those of the
 * configuration, which stay; then those that were looked up, which are kept for the next start, and
 * asked for anew when they have outlived their TTL. */
#ifndef DOH_DIAL_ADDRESSES_H
#define DOH_DIAL_ADDRESSES_H

#include "doh/connection.h"

/* Those that are configured, and those at which its host was reached last. */
void doh_dial_addresses_init(struct doh_upstream *up);

bool doh_dial_can_look_up(const struct doh_upstream *up); /* there is somebody to ask */

/* Looked up, in one or two parts: the first one replaces the old ones, when dial.expires_ms is 0.
 */
void doh_dial_addresses_found(struct doh_upstream *up, const struct doh_address *address,
                              uint32_t count, uint32_t ttl_s);

/* A connection has been made to dial.winner: what was looked up is worth keeping; and if it is old,
 * now there is an upstream to ask. */
void doh_dial_addresses_worked(struct doh_upstream *up);

#endif
