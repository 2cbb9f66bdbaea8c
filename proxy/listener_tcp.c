// SPDX-License-Identifier: MIT
#include "proxy/listener_tcp.h"

#include "proxy/listener_socket.h"
#include "proxy/listener_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH 16u       /* connections a wakeup, so that other sockets get their turn */
#define ACCEPT_PAUSE_MS 100u   /* without a descriptor to accept with */
#define PATIENCE_LEAST 10u     /* a tenth of the idle time is what a crowd leaves of it */
#define SWEEPS_PER_PATIENCE 4u /* in the shortest patience: nobody stays a quarter too long */

struct slot {
    struct listener_stream *stream; /* NULL: free */
    uint32_t generation;            /* of the connection that is or will be here */
    uint32_t next_free;
};

struct listener_tcp {
    struct listener *listener;
    uv_poll_t poll;
    int fd;           /* -1 once stopped */
    uv_timer_t sweep; /* runs while there are connections */
    uv_timer_t pause; /* accepts again when it fires */
    struct slot *slot;
    uint32_t used, first_free;
    LIST_HEAD(, listener_stream) woken;
    uint32_t parts; /* not closed yet: three handles and the connections */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

static uint32_t slot_count(const struct listener_tcp *tcp)
{
    return tcp->listener->limits.tcp_clients;
}

/* --- connections by slot --------------------------------------------------------------------- */

static struct listener_stream *stream_of(const struct listener_tcp *tcp,
                                         const struct listener_client *client)
{
    if (client->connection >= slot_count(tcp))
        return NULL;
    const struct slot *slot = &tcp->slot[client->connection];
    return slot->generation == client->generation ? slot->stream : NULL;
}

void listener_tcp_answer(struct listener_tcp *tcp, const struct listener_client *client,
                         const uint8_t *wire, uint32_t len)
{
    struct listener_stream *stream = stream_of(tcp, client);
    if (stream)
        listener_stream_answer(stream, wire, len);
}

uint8_t *listener_tcp_reserve(struct listener_tcp *tcp, const struct listener_client *client,
                              uint32_t least, uint32_t *ret_cap)
{
    struct listener_stream *stream = stream_of(tcp, client);
    return stream ? listener_stream_reserve(stream, least, ret_cap) : NULL;
}

void listener_tcp_commit(struct listener_tcp *tcp, const struct listener_client *client,
                         uint32_t len)
{
    struct listener_stream *stream = stream_of(tcp, client);
    if (stream)
        listener_stream_commit(stream, len);
}

void listener_tcp_drop(struct listener_tcp *tcp, const struct listener_client *client)
{
    struct listener_stream *stream = stream_of(tcp, client);
    if (stream)
        listener_stream_drop(stream);
}

void listener_tcp_wake(struct listener_tcp *tcp, struct listener_stream *stream)
{
    if (stream->is_woken)
        return;
    stream->is_woken = true;
    LIST_INSERT_HEAD(&tcp->woken, stream, woken);
}

void listener_tcp_rest(struct listener_stream *stream)
{
    if (!stream->is_woken)
        return;
    stream->is_woken = false;
    LIST_REMOVE(stream, woken);
}

/* Ends: a turn reads nothing, so it only wakes others while questions that were read are left. */
void listener_tcp_flush(struct listener_tcp *tcp)
{
    for (struct listener_stream *stream; (stream = LIST_FIRST(&tcp->woken));)
        listener_stream_run(stream);
}

void listener_tcp_forget(struct listener_tcp *tcp, struct listener_stream *stream)
{
    struct slot *slot = &tcp->slot[stream->client.connection];
    listener_tcp_rest(stream);
    slot->stream = NULL;
    slot->generation++; /* answers that are still to come find nobody */
    slot->next_free = tcp->first_free;
    tcp->first_free = stream->client.connection;
    tcp->used--;
    if (tcp->used == 0)
        (void)uv_timer_stop(&tcp->sweep); /* always succeeds */
}

/* --- patience -------------------------------------------------------------------------------- */

/* All of it up to four fifths of the slots; then it shrinks with what is left of them, so that a
 * crowd of idle connections does not keep others out (RFC 7766 6.2.3). */
static uint64_t patience_ms(const struct listener_tcp *tcp)
{
    uint64_t all = tcp->listener->limits.tcp_idle_ms;
    uint64_t slots = slot_count(tcp);
    uint64_t left = slots - tcp->used;
    uint64_t part = left * 5 < slots ? all * left * 5 / slots : all;
    uint64_t least = all / PATIENCE_LEAST;
    return part > least ? part : least;
}

static void on_sweep(uv_timer_t *timer)
{
    struct listener_tcp *tcp = timer->data;
    uint64_t patience = patience_ms(tcp);
    for (uint32_t i = 0; i < slot_count(tcp); i++) {
        struct listener_stream *stream = tcp->slot[i].stream;
        if (stream && listener_stream_is_idle(stream, uv_now(tcp->listener->loop), patience)) {
            tcp->listener->stats.tcp_timeouts++;
            listener_stream_close(stream);
        }
    }
}

static void start_sweep(struct listener_tcp *tcp)
{
    uint64_t every = tcp->listener->limits.tcp_idle_ms / PATIENCE_LEAST / SWEEPS_PER_PATIENCE;
    every = every > 0 ? every : 1;
    (void)uv_timer_start(&tcp->sweep, on_sweep, every, every); /* only a closing one fails */
}

/* --- accepting ------------------------------------------------------------------------------- */

static uint32_t count_of_host(const struct listener_tcp *tcp, const struct doh_address *peer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < slot_count(tcp); i++) {
        const struct listener_stream *stream = tcp->slot[i].stream;
        count += stream && listener_address_same_host(&stream->client.peer, peer);
    }
    return count;
}

static bool may_enter(const struct listener_tcp *tcp, const struct doh_address *peer)
{
    return tcp->used < slot_count(tcp) &&
           count_of_host(tcp, peer) < tcp->listener->limits.tcp_per_client;
}

static bool is_here(int fd, const struct doh_address *peer)
{
    struct doh_address local = {.sa.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof local.sa;
    (void)getsockname(fd, &local.sa.any, &len); /* else it is the address of nobody */
    return listener_peer_is_here(peer, &local);
}

static void enter(struct listener_tcp *tcp, int fd, const struct doh_address *peer)
{
    struct listener *listener = tcp->listener;
    struct listener_stream *stream = NULL;
    if (may_enter(tcp, peer)) {
        struct listener_client client = {.listener = listener,
                                         .peer = *peer,
                                         .connection = tcp->first_free,
                                         .generation = tcp->slot[tcp->first_free].generation,
                                         .tcp = true,
                                         .here = is_here(fd, peer)};
        listener_connection_options(fd);
        stream = listener_stream_open(tcp, &client, fd);
    }
    if (!stream) {
        listener->stats.tcp_refused++;
        (void)close(fd); /* nothing was written to it */
        return;
    }
    struct slot *slot = &tcp->slot[tcp->first_free];
    tcp->first_free = slot->next_free;
    slot->stream = stream;
    tcp->parts++;
    if (tcp->used++ == 0)
        start_sweep(tcp);
    listener->stats.tcp_accepted++;
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void accept_more(struct listener_tcp *tcp)
{
    (void)uv_poll_start(&tcp->poll, UV_READABLE, on_connection); /* cannot fail: it is open */
}

static void on_pause_over(uv_timer_t *timer)
{
    struct listener_tcp *tcp = timer->data;
    if (tcp->fd >= 0)
        accept_more(tcp);
}

/* The connection stays in the backlog and the socket readable: to poll on would spin. */
static void pause_accepting(struct listener_tcp *tcp)
{
    (void)uv_poll_stop(&tcp->poll); /* cannot fail: it is open; nor can this timer */
    (void)uv_timer_start(&tcp->pause, on_pause_over, ACCEPT_PAUSE_MS, 0);
}

static bool is_shortage(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct listener_tcp *tcp = poll->data;
    (void)events;     /* only ever readable */
    if (status < 0) { /* libuv has stopped to poll: the socket holds an error */
        pause_accepting(tcp);
        return;
    }
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct doh_address peer = {.sa.any.sa_family = AF_UNSPEC};
        socklen_t len = sizeof peer.sa;
        int fd = accept4(tcp->fd, &peer.sa.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            enter(tcp, fd, &peer);
        } else if (is_shortage(errno)) {
            pause_accepting(tcp);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else: this one has gone meanwhile, the next may not */
    }
}

/* --- life ------------------------------------------------------------------------------------ */

struct listener_tcp *listener_tcp_open(struct listener *listener, int fd)
{
    struct listener_tcp *tcp = calloc(1, sizeof *tcp);
    uint32_t slots = listener->limits.tcp_clients;
    struct slot *slot = calloc(slots > 0 ? slots : 1, sizeof *slot);
    if (!tcp || !slot || uv_poll_init(listener->loop, &tcp->poll, fd) != 0) {
        free(slot);
        free(tcp);
        return NULL;
    }
    for (uint32_t i = 0; i < slots; i++)
        slot[i].next_free = i + 1;
    tcp->listener = listener;
    tcp->fd = fd;
    tcp->slot = slot;
    tcp->parts = 3;
    LIST_INIT(&tcp->woken);
    (void)uv_timer_init(listener->loop, &tcp->sweep); /* always succeeds */
    (void)uv_timer_init(listener->loop, &tcp->pause);
    tcp->poll.data = tcp->sweep.data = tcp->pause.data = tcp;
    accept_more(tcp);
    return tcp;
}

/* The kernel then sends new connections to the other sockets of this port. */
void listener_tcp_stop(struct listener_tcp *tcp)
{
    if (tcp->fd < 0)
        return;
    (void)uv_poll_stop(&tcp->poll); /* before close(): libuv aborts on descriptors it lost */
    (void)close(tcp->fd);
    tcp->fd = -1;
    for (uint32_t i = 0; i < slot_count(tcp); i++)
        if (tcp->slot[i].stream)
            listener_stream_drain(tcp->slot[i].stream);
}

void listener_tcp_part_closed(struct listener_tcp *tcp)
{
    if (--tcp->parts > 0)
        return;
    void (*on_closed)(void *arg) = tcp->on_closed;
    void *arg = tcp->on_closed_arg;
    free(tcp->slot);
    free(tcp);
    if (on_closed)
        on_closed(arg);
}

static void on_handle_closed(uv_handle_t *handle)
{
    listener_tcp_part_closed(handle->data);
}

void listener_tcp_close(struct listener_tcp *tcp, void (*on_closed)(void *arg), void *arg)
{
    listener_tcp_stop(tcp);
    listener_tcp_flush(tcp); /* a last try to write; questions are taken no more */
    tcp->on_closed = on_closed;
    tcp->on_closed_arg = arg;
    for (uint32_t i = 0; i < slot_count(tcp); i++)
        if (tcp->slot[i].stream)
            listener_stream_close(tcp->slot[i].stream);
    uv_close((uv_handle_t *)&tcp->poll, on_handle_closed);
    uv_close((uv_handle_t *)&tcp->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&tcp->pause, on_handle_closed);
}
