/* SPDX-License-Identifier: MIT */
/* The UDP half of a listener: questions in batches, answers in batches, no allocation in between.
 *
 * Owner     struct listener; its loop's thread.
 * Bounds    one batch of questions a wakeup, so that other sockets get their turn; answers that the
 *           kernel does not take wait in a fixed buffer, those that do not fit are dropped. */
#ifndef PROXY_LISTENER_UDP_H
#define PROXY_LISTENER_UDP_H

#include "proxy/listener_parts.h"

/* Takes the descriptor when it succeeds. When the address it is bound to is a wildcard, the socket
 * reports the address asked, and answers say which one to leave from. NULL: out of memory. */
struct listener_udp *listener_udp_open(struct listener *listener, int fd,
                                       const struct doh_address *bound);
void listener_udp_answer(struct listener_udp *udp, const struct listener_client *client,
                         const uint8_t *wire, uint32_t len);
uint8_t *listener_udp_reserve(struct listener_udp *udp, uint32_t least, uint32_t *ret_cap);
void listener_udp_commit(struct listener_udp *udp, const struct listener_client *client,
                         uint32_t len);
void listener_udp_flush(struct listener_udp *udp); /* what is collected leaves */
void listener_udp_stop(struct listener_udp *udp);  /* no new questions */
/* `on_closed` may be NULL; called once the loop has let go and the memory is free. */
void listener_udp_close(struct listener_udp *udp, void (*on_closed)(void *arg), void *arg);

#endif
