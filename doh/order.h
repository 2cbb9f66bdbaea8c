/* SPDX-License-Identifier: MIT */
/* In which order the addresses of a host are tried (RFC 8305 4): the one that worked last, then the
 * others with the families alternating. No state. */
#ifndef DOH_ORDER_H
#define DOH_ORDER_H

#include "doh/config.h"

struct doh_preference {
    uint32_t fresh;   /* from this index on they were looked up last: those go first */
    uint32_t resting; /* bit set: those that failed lately go last of all */
    const struct doh_address *winner; /* goes first, if it is there and does not rest; NULL: none */
};

/* Writes `count` indices, of 32 at most. */
void doh_order(const struct doh_address *address, uint32_t count, const struct doh_preference *p,
               uint32_t *order);

#endif
