// SPDX-License-Identifier: MIT
#include "tests/upstream/plain.h"

#include <stdlib.h>

/* A delayed answer waits here. */
struct waiting {
    uv_timer_t timer;
    struct plain *plain;
    struct sockaddr_storage peer;
    struct outcome outcome;
};

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_due(uv_timer_t *timer)
{
    struct waiting *w = timer->data;
    if (w->outcome.sending == SEND_ANSWER) {
        uv_buf_t buf = uv_buf_init((char *)w->outcome.wire, w->outcome.len);
        (void)uv_udp_try_send(&w->plain->udp, &buf, 1, (const struct sockaddr *)&w->peer);
        upstream_answered(w->plain->upstream);
    }
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct plain *plain = handle->data;
    *buf = uv_buf_init(plain->rx, sizeof plain->rx);
}

static void on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                        const struct sockaddr *peer, unsigned flags)
{
    (void)flags;
    struct plain *plain = udp->data;
    if (len <= 0 || !peer)
        return;
    struct waiting *w = must_alloc(sizeof *w);
    struct origin origin = {.via = "udp"};
    if (!upstream_ask(plain->upstream, &origin, (const uint8_t *)buf->base, (size_t)len,
                      &w->outcome)) {
        free(w);
        return;
    }
    w->plain = plain;
    *(struct sockaddr_in *)&w->peer = *(const struct sockaddr_in *)peer;
    (void)uv_timer_init(udp->loop, &w->timer);
    w->timer.data = w;
    (void)uv_timer_start(&w->timer, on_due, w->outcome.delay_ms, 0);
}

bool plain_listen(struct plain *plain, uv_loop_t *loop, uint16_t *port)
{
    struct sockaddr_in address;
    int len = sizeof address;
    (void)uv_ip4_addr("127.0.0.1", *port, &address);
    (void)uv_udp_init(loop, &plain->udp);
    plain->udp.data = plain;
    if (uv_udp_bind(&plain->udp, (const struct sockaddr *)&address, 0) != 0 ||
        uv_udp_recv_start(&plain->udp, on_alloc, on_datagram) != 0 ||
        uv_udp_getsockname(&plain->udp, (struct sockaddr *)&address, &len) != 0)
        return false;
    *port = ntohs(address.sin_port);
    return plain_tcp_listen(plain, loop, &address);
}

void plain_close(struct plain *plain)
{
    uv_close((uv_handle_t *)&plain->udp, NULL);
    plain_tcp_close(plain);
}
