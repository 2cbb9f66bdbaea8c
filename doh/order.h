/* SPDX-License-Identifier: MIT */
/* In which order the addresses of a host are tried (RFC 8305 4): the one that worked last, then the
 * others with the families alternating. No state. */
#ifndef DOH_ORDER_H
#define DOH_ORDER_H

#include "doh/config.h"

/* Writes `count` indices. From `fresh` on they were looked up last; those go before the others.
 * `winner` (or NULL) goes first, if it is among them. */
void doh_order(const struct doh_address *address, uint32_t count, uint32_t fresh,
               const struct doh_address *winner, uint32_t *order);

#endif
