/* SPDX-License-Identifier: MIT */
/* Bound sockets with the options that a listener wants, and what went wrong in a sentence. */
#ifndef PROXY_LISTENER_SOCKET_H
#define PROXY_LISTENER_SOCKET_H

#include "doh/config.h"

#include <stddef.h>

struct listener_sockets {
    int udp, tcp;               /* non-blocking, closed on exec */
    struct doh_address address; /* with the port that was bound */
};

/* Both on one port, shared by SO_REUSEPORT with other workers. False, and a sentence, when that
 * fails: then nothing is open. */
bool listener_sockets_open(const struct doh_address *address, struct listener_sockets *ret,
                           char *error, size_t error_cap);

/* Whether that would succeed with nobody else there: our own sockets let others of the same user
 * share the port, in which half of the questions would then get lost. To be called before the first
 * of them is open. 0, or errno and a sentence. */
int listener_sockets_probe(const struct doh_address *address, char *error, size_t error_cap);

socklen_t listener_address_len(const struct doh_address *address);
uint16_t listener_address_port(const struct doh_address *address); /* host order */
bool listener_address_is_wildcard(const struct doh_address *address);
bool listener_address_is_loopback(const struct doh_address *address);
/* An IPv6 loopback or wildcard address, and why it could not be had is that there is no IPv6. */
bool listener_address_lacks_ipv6(const struct doh_address *address, int number);
bool listener_address_same_host(const struct doh_address *a, const struct doh_address *b);
/* This machine itself asks: from loopback, or from `local`, the address that is asked. */
bool listener_peer_is_here(const struct doh_address *peer, const struct doh_address *local);

/* What an accepted connection is given. */
void listener_connection_options(int fd);

#endif
