/* SPDX-License-Identifier: MIT */
/* Sockets for c-ares that are non-blocking, close on exec, and whose writes raise no SIGPIPE: its
 * own TCP writes use writev(). And they know links, without which a link-local address means
 * nothing (RFC 4007 6), while c-ares' addresses of servers have no scope. */
#ifndef DOH_PLAIN_SOCKET_H
#define DOH_PLAIN_SOCKET_H

#include <ares.h>

#include <netinet/in.h>

void doh_plain_own_sockets(ares_channel channel);
/* Into the address, if it is link-local: so c-ares is to know it, and so it is told of senders. */
void doh_plain_hide_scope(struct sockaddr_in6 *address);

#endif
