/* SPDX-License-Identifier: MIT */
/* What the kernel's routing messages (rtnetlink(7)) say that matters to connections. No I/O. */
#ifndef DOH_NETLINK_H
#define DOH_NETLINK_H

#include "doh/config.h"

#include <stddef.h>

#define DOH_NETLINK_GONE_MAX 16u

struct doh_netlink_news {
    bool changed;  /* something about links, addresses or routes: what failed may work now */
    bool rerouted; /* a default route came or went: what worked may not any more */
    struct doh_address gone[DOH_NETLINK_GONE_MAX]; /* of this machine no longer; port 0 */
    uint32_t gone_count;                           /* more than fit: `rerouted` */
};

/* Adds what a datagram from the kernel says. What is not understood is passed over. */
void doh_netlink_read(const void *octets, size_t len, struct doh_netlink_news *news);

/* Messages were lost: anything may have happened. */
void doh_netlink_lost(struct doh_netlink_news *news);

#endif
