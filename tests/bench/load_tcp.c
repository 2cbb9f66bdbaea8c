// SPDX-License-Identifier: MIT
#include "load.h"
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_OCTETS (256u * 1024u)
#define OUT_OCTETS (64u * 1024u)
#define FRAME_MAX 300u

struct connection {
    int fd;
    uint16_t next_id;
    uint32_t outstanding;
    uint64_t sent_ns[65536];
    uint32_t in_len, out_off, out_len;
    uint8_t in[IN_OCTETS], out[OUT_OCTETS];
};

static bool open_connection(const struct load_options *o, struct connection *c)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&o->server, sizeof o->server) != 0)
        return false;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

static void write_more(struct connection *c, const struct load_options *o,
                       struct load_questions *questions, struct load_result *result)
{
    uint32_t share = o->window / o->sockets > 0 ? o->window / o->sockets : 1;
    uint64_t now_ns = load_now_ns();
    if (c->out_off == c->out_len)
        c->out_off = c->out_len = 0;
    while (c->outstanding < share && result->sent < o->total && c->sent_ns[c->next_id] == 0 &&
           OUT_OCTETS - c->out_len >= FRAME_MAX) {
        uint8_t *frame = c->out + c->out_len;
        uint16_t len = load_questions_next(questions, c->next_id, frame + 2);
        frame[0] = (uint8_t)(len >> 8);
        frame[1] = (uint8_t)len;
        c->out_len += 2u + len;
        c->sent_ns[c->next_id++] = now_ns;
        c->outstanding++;
        result->sent++;
    }
}

static bool send_out(struct connection *c)
{
    if (c->out_off == c->out_len)
        return true;
    ssize_t n =
        send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        c->out_off += (uint32_t)n;
    return true;
}

static void take_frames(struct connection *c, struct load_result *result)
{
    uint64_t now_ns = load_now_ns();
    uint32_t off = 0;
    while (c->in_len - off >= 2) {
        const uint8_t *frame = c->in + off;
        uint32_t len = (uint32_t)frame[0] << 8 | frame[1];
        if (c->in_len - off - 2 < len)
            break;
        off += 2 + len;
        uint64_t *sent_ns = len >= 12 ? &c->sent_ns[frame[2] << 8 | frame[3]] : NULL;
        if (!sent_ns || *sent_ns == 0)
            continue;
        load_note_answer(result, frame + 2, now_ns - *sent_ns, now_ns);
        *sent_ns = 0;
        c->outstanding--;
    }
    memmove(c->in, c->in + off, c->in_len - off);
    c->in_len -= off;
}

/* False: the server has closed. */
static bool receive_in(struct connection *c, struct load_result *result)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, IN_OCTETS - c->in_len, MSG_DONTWAIT);
    if (n == 0)
        return false;
    if (n > 0) {
        c->in_len += (uint32_t)n;
        take_frames(c, result);
    }
    return true;
}

static uint64_t outstanding(const struct connection *c, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += c[i].outstanding;
    return sum;
}

static bool run(const struct load_options *o, struct load_questions *questions,
                struct load_result *result, struct connection *c)
{
    uint64_t end_ns = result->began_ns + (uint64_t)(o->seconds * 1e9);
    for (;;) {
        struct pollfd fds[LOAD_SOCKETS_MAX];
        uint64_t now_ns = load_now_ns();
        bool over = now_ns >= end_ns || result->sent >= o->total;
        if (over && (outstanding(c, o->sockets) == 0 || now_ns > end_ns + LOAD_TIMEOUT_NS))
            return true;
        for (uint32_t i = 0; i < o->sockets; i++) {
            if (!over)
                write_more(&c[i], o, questions, result);
            if (!send_out(&c[i]))
                return false;
            short events = POLLIN | (c[i].out_off < c[i].out_len ? POLLOUT : 0);
            fds[i] = (struct pollfd){.fd = c[i].fd, .events = events};
        }
        (void)poll(fds, o->sockets, 10); /* however it ends: the loop looks anew */
        for (uint32_t i = 0; i < o->sockets; i++)
            if ((fds[i].revents & POLLIN) && !receive_in(&c[i], result))
                return false;
    }
}

bool load_tcp(const struct load_options *options, struct load_questions *questions,
              struct load_result *result)
{
    struct connection *c = calloc(options->sockets, sizeof *c);
    bool ok = c != NULL;
    for (uint32_t i = 0; ok && i < options->sockets; i++)
        ok = open_connection(options, &c[i]);
    result->began_ns = result->last_ns = load_now_ns();
    ok = ok && run(options, questions, result, c);
    result->lost += c ? outstanding(c, options->sockets) : 0;
    free(c);
    return ok;
}
