// SPDX-License-Identifier: MIT
/* The TCP half of plain DNS: answers at once and in order; some resolvers ask so for DNAME. */
#include "tests/upstream/plain.h"

#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 16, FRAME_MAX = 2 + 65535 };

struct plain_client {
    uv_tcp_t tcp;
    struct plain *plain;
    struct plain_client *next, **link;
    size_t len;
    uint8_t frame[FRAME_MAX];
};

struct writing {
    uv_write_t request;
    uint8_t length[2];
    struct outcome outcome;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void client_close(struct plain_client *client)
{
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    uv_close((uv_handle_t *)&client->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request); /* the first member of its struct writing */
}

static void answer(struct plain_client *client, const uint8_t *wire, size_t len)
{
    struct upstream *upstream = client->plain->upstream;
    struct writing *w = must_alloc(sizeof *w);
    struct origin origin = {.via = "tcp"};
    if (!upstream_ask(upstream, &origin, wire, len, &w->outcome) ||
        w->outcome.sending != SEND_ANSWER || w->outcome.len > DNS_MSG_MAX) {
        free(w);
        return;
    }
    w->length[0] = (uint8_t)(w->outcome.len >> 8);
    w->length[1] = (uint8_t)w->outcome.len;
    uv_buf_t bufs[2] = {
        uv_buf_init((char *)w->length, 2),
        uv_buf_init((char *)w->outcome.wire, w->outcome.len),
    };
    upstream_answered(upstream);
    if (uv_write(&w->request, (uv_stream_t *)&client->tcp, bufs, 2, on_written) != 0)
        free(w);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct plain_client *client = handle->data;
    *buf = uv_buf_init((char *)client->frame + client->len,
                       (unsigned)(sizeof client->frame - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void)buf;
    struct plain_client *client = stream->data;
    if (len < 0) {
        client_close(client);
        return;
    }
    client->len += (size_t)len;
    while (client->len >= 2) {
        size_t message_len = (size_t)client->frame[0] << 8 | client->frame[1];
        if (client->len - 2 < message_len)
            break;
        answer(client, client->frame + 2, message_len);
        client->len -= 2 + message_len;
        memmove(client->frame, client->frame + 2 + message_len, client->len);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct plain *plain = listener->data;
    if (status < 0)
        return;
    struct plain_client *client = must_alloc(sizeof *client);
    (void)uv_tcp_init(listener->loop, &client->tcp);
    client->tcp.data = client;
    client->plain = plain;
    client->next = plain->clients;
    client->link = &plain->clients;
    if (client->next)
        client->next->link = &client->next;
    plain->clients = client;
    if (uv_accept(listener, (uv_stream_t *)&client->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read) != 0)
        client_close(client);
}

bool plain_tcp_listen(struct plain *plain, uv_loop_t *loop, const struct sockaddr_in *address)
{
    (void)uv_tcp_init(loop, &plain->tcp);
    plain->tcp.data = plain;
    return uv_tcp_bind(&plain->tcp, (const struct sockaddr *)address, 0) == 0 &&
           uv_listen((uv_stream_t *)&plain->tcp, BACKLOG, on_connection) == 0;
}

void plain_tcp_close(struct plain *plain)
{
    while (plain->clients)
        client_close(plain->clients);
    uv_close((uv_handle_t *)&plain->tcp, NULL);
}
