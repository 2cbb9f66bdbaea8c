// SPDX-License-Identifier: MIT
#include "proxy/listener.h"

#include "proxy/listener_parts.h"
#include "proxy/listener_socket.h"
#include "proxy/listener_steer.h"
#include "proxy/listener_tcp.h"
#include "proxy/listener_udp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void flush(struct listener *listener)
{
    listener_udp_flush(listener->udp);
    listener_tcp_flush(listener->tcp);
}

static void on_after_poll(uv_check_t *check)
{
    flush(check->data);
}

static void on_before_sleep(uv_prepare_t *prepare)
{
    flush(prepare->data);
}

/* Handles of their own kind; neither they nor starting them can fail in libuv. */
static void start_hooks(struct listener *listener)
{
    (void)uv_check_init(listener->loop, &listener->after_poll);
    (void)uv_prepare_init(listener->loop, &listener->before_sleep);
    listener->after_poll.data = listener->before_sleep.data = listener;
    (void)uv_check_start(&listener->after_poll, on_after_poll);
    (void)uv_prepare_start(&listener->before_sleep, on_before_sleep);
}

/* True: both halves stand and own their descriptors. Else nothing is left. */
static bool open_halves(struct listener *listener, const struct listener_sockets *sockets)
{
    listener->udp = listener_udp_open(listener, sockets->udp, &sockets->address);
    if (listener->udp)
        listener->tcp = listener_tcp_open(listener, sockets->tcp);
    if (listener->tcp)
        return true;
    (void)close(sockets->tcp); /* nothing was written to it */
    if (listener->udp)
        listener_udp_close(listener->udp, NULL, NULL);
    else
        (void)close(sockets->udp);
    return false;
}

struct listener *listener_open(uv_loop_t *loop, const struct doh_address *address,
                               const struct listener_limits *limits,
                               listener_queries_fn *on_queries, void *arg,
                               struct doh_address *bound, char *error, size_t error_cap)
{
    struct listener_sockets sockets;
    if (!listener_sockets_open(address, &sockets, error, error_cap))
        return NULL;
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener) {
        (void)close(sockets.udp);
        (void)close(sockets.tcp);
        (void)snprintf(error, error_cap, "cannot listen: out of memory");
        return NULL;
    }
    listener->loop = loop;
    listener->limits = *limits;
    listener->on_queries = on_queries;
    listener->arg = arg;
    if (limits->sharing > 1) /* else the kernel spreads by address and port: fine, too */
        (void)listener_steer(sockets.udp, limits->sharing);
    if (!open_halves(listener, &sockets)) {
        free(listener); /* the half that may still close does not know it any more */
        (void)snprintf(error, error_cap, "cannot listen: out of memory");
        return NULL;
    }
    listener->parts = 4;
    start_hooks(listener);
    if (bound)
        *bound = sockets.address;
    return listener;
}

void listener_answer(const struct listener_client *client, const uint8_t *wire, uint32_t len)
{
    if (client->tcp)
        listener_tcp_answer(client->listener->tcp, client, wire, len);
    else
        listener_udp_answer(client->listener->udp, client, wire, len);
}

uint8_t *listener_reserve(const struct listener_client *client, uint32_t least, uint32_t *ret_cap)
{
    return client->tcp ? listener_tcp_reserve(client->listener->tcp, client, least, ret_cap)
                       : listener_udp_reserve(client->listener->udp, least, ret_cap);
}

void listener_commit(const struct listener_client *client, uint32_t len)
{
    if (client->tcp)
        listener_tcp_commit(client->listener->tcp, client, len);
    else
        listener_udp_commit(client->listener->udp, client, len);
}

void listener_drop(const struct listener_client *client)
{
    if (client->tcp) /* UDP keeps no account */
        listener_tcp_drop(client->listener->tcp, client);
}

void listener_stop(struct listener *listener)
{
    listener_udp_stop(listener->udp);
    listener_tcp_stop(listener->tcp);
}

static void part_closed(void *arg)
{
    struct listener *listener = arg;
    if (--listener->parts > 0)
        return;
    void (*on_closed)(void *arg) = listener->on_closed;
    void *on_closed_arg = listener->on_closed_arg;
    free(listener);
    if (on_closed)
        on_closed(on_closed_arg);
}

static void on_hook_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void listener_close(struct listener *listener, void (*on_closed)(void *arg), void *arg)
{
    listener->on_closed = on_closed;
    listener->on_closed_arg = arg;
    uv_close((uv_handle_t *)&listener->after_poll, on_hook_closed);
    uv_close((uv_handle_t *)&listener->before_sleep, on_hook_closed);
    listener_udp_close(listener->udp, part_closed, listener);
    listener_tcp_close(listener->tcp, part_closed, listener);
}

void listener_stats(const struct listener *listener, struct listener_stats *ret)
{
    *ret = listener->stats;
}
