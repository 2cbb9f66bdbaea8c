/* SPDX-License-Identifier: MIT */
/* One TCP connection of a client (RFC 7766): frames in, frames out, in any order.
 *
 * Owner     struct listener_tcp; freed by itself in its close callback.
 * Bounds    questions in flight, octets not yet taken by the client: beyond either no question is
 *           read, so that the client's own TCP slows it down. */
#ifndef PROXY_LISTENER_STREAM_H
#define PROXY_LISTENER_STREAM_H

#include "proxy/listener_tcp.h"

#include <sys/queue.h>

#define STREAM_IN_OCTETS 8192u /* more than one question, so that a read always makes progress */

/*             octets       end of file   bad frame, stop   nothing owed   error, timeout, close
 * OPEN        questions    HALF_CLOSED   DRAINING          -              CLOSED
 * HALF_CLOSED -            -             DRAINING          DRAINING       CLOSED
 * DRAINING    -            -             -                 CLOSED         CLOSED
 * HALF_CLOSED still takes the questions that were read before the end of file. */
enum stream_state { STREAM_OPEN, STREAM_HALF_CLOSED, STREAM_DRAINING, STREAM_CLOSED };

struct listener_stream {
    struct listener_tcp *tcp;
    struct listener_client client; /* what every question of it carries */
    LIST_ENTRY(listener_stream) woken;
    bool is_woken;
    uv_poll_t poll;
    int fd;
    int events; /* polled for now */
    enum stream_state state;
    uint32_t in_flight;
    bool blocked;      /* the kernel takes no more: no new questions until it does */
    uint64_t since_ms; /* uv_now() of the last whole question or answer taken */
    uint8_t *out;      /* frames; NULL when none were for a while */
    uint32_t out_cap, out_off, out_end;
    uint32_t reserved; /* octets, for the answer of a frame that begins at out_end */
    uint32_t in_len;
    uint8_t in[STREAM_IN_OCTETS];
};

/* Takes the descriptor when it succeeds. NULL: out of memory. */
struct listener_stream *listener_stream_open(struct listener_tcp *tcp,
                                             const struct listener_client *client, int fd);
void listener_stream_answer(struct listener_stream *stream, const uint8_t *wire, uint32_t len);
uint8_t *listener_stream_reserve(struct listener_stream *stream, uint32_t least, uint32_t *ret_cap);
void listener_stream_commit(struct listener_stream *stream, uint32_t len);
void listener_stream_drop(struct listener_stream *stream);
/* Takes what questions it may, writes what it can, and sees what to wait for. */
void listener_stream_run(struct listener_stream *stream);
void listener_stream_drain(struct listener_stream *stream); /* takes no questions any more */
void listener_stream_close(struct listener_stream *stream);
/* Nothing has moved for that long although it is the client's turn. */
bool listener_stream_is_idle(const struct listener_stream *stream, uint64_t now_ms,
                             uint64_t patience_ms);

#endif
