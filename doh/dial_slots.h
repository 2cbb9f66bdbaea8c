/* SPDX-License-Identifier: MIT */
/* How many connections a loop begins at one time, in all upstreams together. When a network comes
 * back, or many are away, dials stand in line, first come, first served. A connection that has not
 * been answered for its head start (RFC 8305) holds up nobody any more, so the line always moves.
 * Each loop has its own: one for all would only make the last worker wait. */
#ifndef DOH_DIAL_SLOTS_H
#define DOH_DIAL_SLOTS_H

#include "doh/connection.h"

#define DOH_STAGGER_MS 250u  /* RFC 8305 5 */
#define DOH_DIAL_SLOTS 4u    /* connections begun, and younger than that */
#define DOH_DIAL_LOOK_MS 10u /* whoever stands in line looks again then */

/* True: it may begin one more now. False: it stands in line. */
bool doh_dial_slot(struct doh_upstream *up);

#endif
