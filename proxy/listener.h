/* SPDX-License-Identifier: MIT */
/* Where clients' questions come in and answers go out: UDP and TCP sockets of one worker, on one
 * libuv loop. Own descriptors under uv_poll; UDP by recvmmsg and sendmmsg, TCP pipelined with
 * answers out of order (RFC 7766). Knows octets and frames, nothing of what they say. */
#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "doh/config.h"

#include <uv.h>

struct listener;

/* Whom to answer; a value, copied by whoever keeps a question. A TCP connection that has closed
 * meanwhile is recognised by its generation. */
struct listener_client {
    struct listener *listener;
    struct doh_address peer;
    uint8_t
        local[16]; /* destination address of a UDP question (IPV6_PKTINFO form), to answer from */
    uint32_t ifindex;
    uint32_t connection; /* TCP: slot */
    uint32_t generation; /* TCP: of the slot */
    bool tcp;
    bool here; /* the peer is this machine: it asks from a loopback address, or from the very one
                * that it asks. A packet from outside that says so is dropped by Linux as martian,
                * unless accept_local is set. By IPv6 it is dropped for loopback only: there the
                * very address counts for TCP alone, as no connection comes of such packets */
};

struct listener_query {
    struct listener_client client;
    const uint8_t *wire;
    uint32_t len;
};

/* Questions that came at once, 1 to LISTENER_BATCH, borrowed for the call. The callee answers each
 * at once with listener_answer(), or keeps a copy of its client and answers later, or never. For
 * TCP each counts as one in flight until listener_answer() or listener_drop(). */
#define LISTENER_BATCH 32u
typedef void listener_queries_fn(void *arg, const struct listener_query *query, uint32_t count);

struct listener_limits {
    uint32_t tcp_clients;    /* connections; the next one is closed at once */
    uint32_t tcp_per_client; /* connections of one address */
    uint32_t tcp_in_flight;  /* questions of one connection; reading stops there */
    uint32_t tcp_idle_ms;    /* without a question in flight; shrinks when connections are scarce */
    uint32_t sharing;        /* listeners of this address, one a worker; 0: as 1 */
    uint32_t tcp_write_max;  /* octets waiting to be read by a client; more closes it */
};

struct listener_stats {
    uint64_t udp_questions, udp_answers, udp_send_errors, udp_overflows; /* SO_RXQ_OVFL */
    uint64_t tcp_accepted, tcp_refused, tcp_questions, tcp_answers, tcp_timeouts;
};

/* Binds UDP and TCP of one address with SO_REUSEPORT and starts to listen. Port 0 is resolved and
 * returned in *bound (may be NULL); both sockets get the same one. NULL and a sentence in `error`
 * when that fails; EACCES and EADDRINUSE name the remedy. */
struct listener *listener_open(uv_loop_t *loop, const struct doh_address *address,
                               const struct listener_limits *limits,
                               listener_queries_fn *on_queries, void *arg,
                               struct doh_address *bound, char *error, size_t error_cap);

/* One answer, copied. UDP answers of one wakeup leave in one sendmmsg at the end of the batch. */
void listener_answer(const struct listener_client *client, const uint8_t *wire, uint32_t len);
/* The same without the copy: the answer is made in the listener's own room, of `least` octets or
 * more, and _commit sends it from there. NULL: there is none; what listener_answer() makes of that
 * is then right. Nothing has to be given back: what is reserved is so until the next answer to
 * anybody, or the end of the turn. A _commit after that, of more or of nothing is an answer that
 * could not be sent. */
uint8_t *listener_reserve(const struct listener_client *client, uint32_t least, uint32_t *ret_cap);
void listener_commit(const struct listener_client *client, uint32_t len);
/* There will be no answer. */
void listener_drop(const struct listener_client *client);

/* No new questions; those in flight may still be answered until _close. */
void listener_stop(struct listener *listener);
void listener_close(struct listener *listener, void (*on_closed)(void *arg), void *arg);
void listener_stats(const struct listener *listener, struct listener_stats *ret);

#endif
