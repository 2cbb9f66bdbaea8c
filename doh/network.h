/* SPDX-License-Identifier: MIT */
/* Watches the network under a pool: links, addresses and routes by rtnetlink, and whether the
 * machine has slept. What the pool does about it:
 *
 *   one of our addresses is gone     the connections from it are lost at once
 *   a default route came or went,    every connection is suspect: it has to give a sign of life
 *   the machine has slept
 *   any of these, any other change   back-offs end, dials and look-ups under way begin anew, plain
 *                                    servers are asked through other sockets
 *
 * Changes come in bursts: but for the first all is done once for what has come in 200 ms. When they
 * go on (containers start), what was begun anew needs time: then once in 400 ms, 800 ms and so on,
 * until nothing comes for that long. A default route never waits for more than 200 ms.
 * Where netlink is not permitted, all goes on without. One loop, one thread. */
#ifndef DOH_NETWORK_H
#define DOH_NETWORK_H

#include "doh/netlink.h"

#include <uv.h>

#define DOH_NETWORK_SETTLE_MS 200u
#define DOH_NETWORK_SETTLE_MAX_MS 3200u /* any handshake that is worth waiting for takes less */
#define DOH_SLEPT_MS 2000u              /* less sleep than that no server has noticed */

struct doh_pool;

struct doh_network {
    struct doh_pool *pool;
    uv_poll_t poll;
    uv_timer_t settle;  /* active: it is not quiet */
    uint32_t settle_ms; /* for which it runs */
    uint32_t hurry_ms;  /* the most for which another default route waits, until it is quiet */
    int fd;             /* -1: not watched */
    bool changed;       /* to be done when it has settled: */
    bool rerouted;
    uint64_t asleep_ms; /* that the machine has slept since it was started */
};

/* Not permitted, or out of descriptors: then an event says so. */
void doh_network_open(struct doh_network *n, struct doh_pool *pool);
void doh_network_close(struct doh_network *n);

/* Something has, and it has settled. `rerouted`: connections may lead nowhere now. */
void doh_network_changed(struct doh_network *n, bool rerouted);

/* In each turn: a machine that wakes up has no other way to notice. */
void doh_network_turn(struct doh_network *n);

/* Has it slept, when it is now asleep_ms in all? Remembers that. */
bool doh_network_slept(struct doh_network *n, uint64_t asleep_ms);

#endif
