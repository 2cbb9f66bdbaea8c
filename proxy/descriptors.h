/* SPDX-License-Identifier: MIT */
/* File descriptors of this process: whoever lets clients take them all can reach no upstream any
 * more. So what everything else needs is reckoned first, and TCP connections share the rest. */
#ifndef PROXY_DESCRIPTORS_H
#define PROXY_DESCRIPTORS_H

#include "proxy/config.h"

/* At the start of main(): where 0, 1 or 2 is closed, /dev/null is opened. Else a socket or libuv's
 * epoll would become "stderr", be written to, and end the process when it is closed. */
void descriptors_hold_standard(void);

/* Raises the soft limit to the hard one and returns what may be open now. */
uint64_t descriptors_raise(void);

/* What has to be allowed for so many TCP connections, each worker and listening address. */
uint64_t descriptors_needed(const struct config *config, uint32_t tcp_clients);

/* So many of config->tcp_clients fit below `limit`; one at least. */
uint32_t descriptors_tcp_clients(const struct config *config, uint64_t limit);

#endif
