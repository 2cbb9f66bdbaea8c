// SPDX-License-Identifier: MIT
#include "proxy/listener_stream.h"

#include "dns/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_FIRST 4096u
#define FRAME_HEAD 2u /* the length of what follows */
#define OUT_TURN                                                                                   \
    (64u * 1024u)              /* that much collected is written before more questions are taken   \
                                */
#define OUT_KEEP (16u * 1024u) /* an empty buffer larger than that goes back */

static const struct listener_limits *limits(const struct listener_stream *s)
{
    return &s->client.listener->limits;
}

static uint32_t unsent(const struct listener_stream *s)
{
    return s->out_end - s->out_off;
}

static void moved(struct listener_stream *s)
{
    s->since_ms = uv_now(s->client.listener->loop);
}

/* --- answers --------------------------------------------------------------------------------- */

static void forget_output(struct listener_stream *s)
{
    s->out_off = s->out_end = s->reserved = 0;
    if (s->out_cap > OUT_KEEP) {
        free(s->out);
        s->out = NULL;
        s->out_cap = 0;
    }
}

/* One send for everything that was collected. */
static void write_out(struct listener_stream *s)
{
    while (s->state != STREAM_CLOSED && unsent(s) > 0) {
        ssize_t sent = send(s->fd, s->out + s->out_off, unsent(s), MSG_NOSIGNAL | MSG_DONTWAIT);
        s->blocked = sent < 0 && errno == EAGAIN;
        if (sent > 0) {
            s->out_off += (uint32_t)sent;
            moved(s);
        } else if (s->blocked) {
            return;
        } else if (errno != EINTR) {
            listener_stream_close(s);
        }
    }
    if (s->state != STREAM_CLOSED)
        forget_output(s);
}

/* Room for a frame of `len` octets behind the others. */
static bool make_room(struct listener_stream *s, uint32_t len)
{
    if (len <= s->out_cap - s->out_end)
        return true;
    if (s->out_off > 0) {
        memmove(s->out, s->out + s->out_off, unsent(s));
        s->out_end = unsent(s);
        s->out_off = 0;
    }
    uint32_t cap = s->out_cap > OUT_FIRST ? s->out_cap : OUT_FIRST;
    while (len > cap - s->out_end)
        cap *= 2; /* bounded by tcp_write_max and one frame */
    if (cap == s->out_cap)
        return true;
    uint8_t *out = realloc(s->out, cap);
    if (!out)
        return false;
    s->out = out;
    s->out_cap = cap;
    return true;
}

/* What a client may leave unread; never less than one turn may collect, so that no client is sent
 * away for what it could not have read yet. */
static uint32_t share(const struct listener_stream *s)
{
    uint32_t least = OUT_TURN + FRAME_HEAD + DNS_MSG_MAX;
    return limits(s)->tcp_write_max > least ? limits(s)->tcp_write_max : least;
}

static bool has_share_left(struct listener_stream *s, uint32_t frame)
{
    if (unsent(s) + frame > share(s))
        write_out(s);
    return s->state != STREAM_CLOSED && unsent(s) + frame <= share(s);
}

static void settle(struct listener_stream *s)
{
    if (s->in_flight > 0)
        s->in_flight--;
    listener_tcp_wake(s->tcp, s);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Nothing is written out for it, nor anybody sent away. */
uint8_t *listener_stream_reserve(struct listener_stream *s, uint32_t least, uint32_t *ret_cap)
{
    s->reserved = 0;
    if (s->state == STREAM_CLOSED || least > DNS_MSG_MAX ||
        unsent(s) + FRAME_HEAD + least > share(s) || !make_room(s, FRAME_HEAD + least))
        return NULL;
    uint32_t room = smaller(s->out_cap - s->out_end, share(s) - unsent(s));
    *ret_cap = s->reserved = smaller(room - FRAME_HEAD, DNS_MSG_MAX);
    return s->out + s->out_end + FRAME_HEAD;
}

void listener_stream_commit(struct listener_stream *s, uint32_t len)
{
    if (len == 0 || len > s->reserved) {
        listener_stream_drop(s);
        return;
    }
    struct dns_writer head = dns_writer_init(s->out + s->out_end, FRAME_HEAD);
    dns_write_u16(&head, (uint16_t)len);
    s->out_end += FRAME_HEAD + len;
    s->reserved = 0;
    s->client.listener->stats.tcp_answers++;
    moved(s);
    settle(s);
}

void listener_stream_answer(struct listener_stream *s, const uint8_t *wire, uint32_t len)
{
    uint32_t cap;
    if (s->state == STREAM_CLOSED)
        return;
    if (len > DNS_MSG_MAX) { /* no frame holds it */
        listener_stream_drop(s);
        return;
    }
    bool may_wait = has_share_left(s, FRAME_HEAD + len);
    uint8_t *room = may_wait ? listener_stream_reserve(s, len, &cap) : NULL;
    if (!room) {
        listener_stream_close(s); /* fine when it is closed already */
        return;
    }
    memcpy(room, wire, len);
    listener_stream_commit(s, len);
}

void listener_stream_drop(struct listener_stream *s)
{
    if (s->state != STREAM_CLOSED)
        settle(s);
}

/* --- questions ------------------------------------------------------------------------------- */

static bool takes_questions(const struct listener_stream *s)
{
    return (s->state == STREAM_OPEN || s->state == STREAM_HALF_CLOSED) && !s->blocked &&
           s->in_flight < limits(s)->tcp_in_flight;
}

enum frame { FRAME_WHOLE, FRAME_PARTIAL, FRAME_BAD };

static enum frame read_frame(struct dns_reader *r, const uint8_t **ret_wire, uint32_t *ret_len)
{
    uint32_t len = dns_read_u16(r);
    if (r->err == DNS_OK && (len < DNS_HEADER_LEN || len > LISTENER_QUESTION_MAX))
        return FRAME_BAD;
    const uint8_t *wire = dns_read_bytes(r, len);
    if (r->err != DNS_OK)
        return FRAME_PARTIAL;
    *ret_wire = wire;
    *ret_len = len;
    return FRAME_WHOLE;
}

static void keep_rest(struct listener_stream *s, uint32_t off)
{
    memmove(s->in, s->in + off, s->in_len - off);
    s->in_len -= off;
}

/* Hands out what is whole. True: it has stopped only to let the answers so far leave. */
static bool take_questions(struct listener_stream *s)
{
    struct listener *listener = s->client.listener;
    struct dns_reader r = dns_reader_init(s->in, s->in_len);
    while (takes_questions(s) && unsent(s) < OUT_TURN) {
        struct dns_reader next = r;
        const uint8_t *wire;
        uint32_t len;
        enum frame frame = read_frame(&next, &wire, &len);
        if (frame == FRAME_BAD || (frame == FRAME_PARTIAL && s->state == STREAM_HALF_CLOSED))
            s->state = STREAM_DRAINING; /* no frame can follow */
        if (frame != FRAME_WHOLE)
            break;
        r = next;
        s->in_flight++;
        listener->stats.tcp_questions++;
        moved(s);
        const struct listener_query query = {s->client, wire, len};
        listener->on_queries(listener->arg, &query, 1); /* may answer, may close us */
    }
    keep_rest(s, r.off);
    return takes_questions(s) && unsent(s) >= OUT_TURN;
}

/* --- the turn -------------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct listener_stream *s)
{
    bool reads = s->state == STREAM_OPEN && takes_questions(s) && s->in_len < sizeof s->in;
    int events = (reads ? UV_READABLE : 0) | (unsent(s) > 0 ? UV_WRITABLE : 0);
    if (events == s->events)
        return; /* each change costs system calls */
    s->events = events;
    if (events == 0)
        (void)uv_poll_stop(&s->poll); /* cannot fail for an open handle; nor can start */
    else
        (void)uv_poll_start(&s->poll, events, on_ready);
}

void listener_stream_run(struct listener_stream *s)
{
    bool more = true;
    while (more && s->state != STREAM_CLOSED) {
        more = take_questions(s);
        write_out(s);
    }
    if (s->state == STREAM_DRAINING && s->in_flight == 0 && unsent(s) == 0)
        listener_stream_close(s);
    if (s->state == STREAM_CLOSED)
        return;
    watch(s);
    listener_tcp_rest(s);
}

static void read_in(struct listener_stream *s)
{
    ssize_t got = recv(s->fd, s->in + s->in_len, sizeof s->in - s->in_len, MSG_DONTWAIT);
    if (got > 0)
        s->in_len += (uint32_t)got;
    else if (got == 0)
        s->state = STREAM_HALF_CLOSED; /* it may still wait for its answers (RFC 7766 6.2.4) */
    else if (errno != EAGAIN && errno != EINTR)
        listener_stream_close(s);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct listener_stream *s = poll->data;
    if (status < 0) { /* reset by the client */
        listener_stream_close(s);
        return;
    }
    if (events & UV_WRITABLE)
        s->blocked = false;
    if ((events & UV_READABLE) && s->state == STREAM_OPEN && s->in_len < sizeof s->in)
        read_in(s);
    listener_stream_run(s);
}

/* --- life ------------------------------------------------------------------------------------ */

struct listener_stream *listener_stream_open(struct listener_tcp *tcp,
                                             const struct listener_client *client, int fd)
{
    struct listener_stream *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    memset(s, 0, offsetof(struct listener_stream, in));
    s->tcp = tcp;
    s->client = *client;
    s->fd = fd;
    if (uv_poll_init(client->listener->loop, &s->poll, fd) != 0) {
        free(s);
        return NULL;
    }
    s->poll.data = s;
    moved(s);
    watch(s);
    return s;
}

void listener_stream_drain(struct listener_stream *s)
{
    if (s->state == STREAM_CLOSED)
        return;
    s->state = STREAM_DRAINING;
    listener_tcp_wake(s->tcp, s);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct listener_stream *s = handle->data;
    struct listener_tcp *tcp = s->tcp;
    free(s->out);
    free(s);
    listener_tcp_part_closed(tcp);
}

void listener_stream_close(struct listener_stream *s)
{
    if (s->state == STREAM_CLOSED)
        return;
    s->state = STREAM_CLOSED;
    listener_tcp_forget(s->tcp, s);
    uv_close((uv_handle_t *)&s->poll, on_poll_closed); /* stops to poll: then close(), not before */
    (void)close(s->fd);                                /* what was not sent is not owed any more */
}

bool listener_stream_is_idle(const struct listener_stream *s, uint64_t now_ms, uint64_t patience_ms)
{
    bool clients_turn = s->in_flight == 0 || unsent(s) > 0;
    return clients_turn && now_ms - s->since_ms >= patience_ms;
}
