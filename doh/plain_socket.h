/* SPDX-License-Identifier: MIT */
/* Sockets for c-ares that are non-blocking, close on exec, and whose writes raise no SIGPIPE: its
 * own TCP writes use writev(). */
#ifndef DOH_PLAIN_SOCKET_H
#define DOH_PLAIN_SOCKET_H

#include <ares.h>

void doh_plain_own_sockets(ares_channel channel);

#endif
