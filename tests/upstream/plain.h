/* SPDX-License-Identifier: MIT */
/* Plain DNS over UDP and TCP, for tools that check our signatures and for plain routes. Loopback
 * carries any size, so nothing is ever truncated. Lies about HTTP and connections do not reach
 * here; a question that is to get no answer gets none. */
#ifndef UPSTREAM_PLAIN_H
#define UPSTREAM_PLAIN_H

#include "tests/upstream/upstream.h"

#include <uv.h>

struct plain {
    uv_udp_t udp;
    uv_tcp_t tcp; /* the same port */
    struct upstream *upstream;
    struct plain_client *clients;
    char rx[65536];
};

bool plain_listen(struct plain *plain, uv_loop_t *loop, uint16_t *port);
void plain_close(struct plain *plain);

bool plain_tcp_listen(struct plain *plain, uv_loop_t *loop, const struct sockaddr_in *address);
void plain_tcp_close(struct plain *plain);

#endif
