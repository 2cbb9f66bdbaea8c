/* SPDX-License-Identifier: MIT */
/* The TCP half of a listener: accepts, knows the connections by slot and generation, keeps the
 * limits on their number and on their patience.
 *
 * Owner     struct listener; its loop's thread. It owns its connections (listener_stream.h). */
#ifndef PROXY_LISTENER_TCP_H
#define PROXY_LISTENER_TCP_H

#include "proxy/listener_parts.h"

struct listener_stream;

/* Takes the descriptor, which listens, when it succeeds. NULL: out of memory. */
struct listener_tcp *listener_tcp_open(struct listener *listener, int fd);
void listener_tcp_answer(struct listener_tcp *tcp, const struct listener_client *client,
                         const uint8_t *wire, uint32_t len);
uint8_t *listener_tcp_reserve(struct listener_tcp *tcp, const struct listener_client *client,
                              uint32_t least, uint32_t *ret_cap);
void listener_tcp_commit(struct listener_tcp *tcp, const struct listener_client *client,
                         uint32_t len);
void listener_tcp_drop(struct listener_tcp *tcp, const struct listener_client *client);
void listener_tcp_flush(struct listener_tcp *tcp); /* connections with news get their turn */
void listener_tcp_stop(struct listener_tcp *tcp);  /* no new connections, no new questions */
/* `on_closed` may be NULL; called once the loop has let go of everything and the memory is free. */
void listener_tcp_close(struct listener_tcp *tcp, void (*on_closed)(void *arg), void *arg);

/* For connections: it wants a turn in the next flush; it has had it; it has closed; its memory is
 * free. */
void listener_tcp_wake(struct listener_tcp *tcp, struct listener_stream *stream);
void listener_tcp_rest(struct listener_stream *stream);
void listener_tcp_forget(struct listener_tcp *tcp, struct listener_stream *stream);
void listener_tcp_part_closed(struct listener_tcp *tcp);

#endif
