// SPDX-License-Identifier: MIT
#include "tests/upstream/control.h"

#include <stdlib.h>
#include <string.h>

struct client {
    uv_tcp_t tcp;
    struct client *next, **link;
    struct upstream *upstream;
    size_t len;
    char line[4096];
};

struct writing {
    uv_write_t request;
    char *text;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void client_close(struct client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->tcp))
        return;
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    uv_close((uv_handle_t *)&client->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    struct writing *writing = (struct writing *)request;
    free(writing->text);
    free(writing);
}

static void run_line(struct client *client, const char *line)
{
    struct writing *writing = must_alloc(sizeof *writing);
    writing->text = control_run(client->upstream, line);
    if (!writing->text) {
        free(writing);
        client_close(client);
        return;
    }
    uv_buf_t buf = uv_buf_init(writing->text, (unsigned)strlen(writing->text));
    if (uv_write(&writing->request, (uv_stream_t *)&client->tcp, &buf, 1, on_written) != 0)
        on_written(&writing->request, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct client *client = handle->data;
    *buf =
        uv_buf_init(client->line + client->len, (unsigned)(sizeof client->line - 1 - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void)buf;
    struct client *client = stream->data;
    if (len < 0) { /* also a line that does not fit: there is no room to read into */
        client_close(client);
        return;
    }
    client->len += (size_t)len;
    client->line[client->len] = '\0';
    char *end;
    while ((end = strchr(client->line, '\n')) != NULL) {
        *end = '\0';
        client->line[strcspn(client->line, "\r")] = '\0';
        run_line(client, client->line);
        client->len -= (size_t)(end + 1 - client->line);
        memmove(client->line, end + 1, client->len + 1);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *control = listener->data;
    if (status < 0)
        return;
    struct client *client = must_alloc(sizeof *client);
    (void)uv_tcp_init(listener->loop, &client->tcp);
    client->tcp.data = client;
    client->upstream = control->upstream;
    client->next = control->clients;
    client->link = &control->clients;
    if (client->next)
        client->next->link = &client->next;
    control->clients = client;
    if (uv_accept(listener, (uv_stream_t *)&client->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read) != 0)
        client_close(client);
}

bool control_listen(struct control *control, uv_loop_t *loop, uint16_t *port)
{
    struct sockaddr_in address;
    int len = sizeof address;
    (void)uv_ip4_addr("127.0.0.1", *port, &address);
    (void)uv_tcp_init(loop, &control->listener);
    control->listener.data = control;
    if (uv_tcp_bind(&control->listener, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&control->listener, 8, on_connection) != 0 ||
        uv_tcp_getsockname(&control->listener, (struct sockaddr *)&address, &len) != 0)
        return false;
    *port = ntohs(address.sin_port);
    return true;
}

void control_close(struct control *control)
{
    while (control->clients)
        client_close(control->clients);
    uv_close((uv_handle_t *)&control->listener, NULL);
}
