// SPDX-License-Identifier: MIT
#include "load.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32u
#define ANSWER_MAX 4096u
#define SWEEP_NS 200000000u
#define BUFFER_OCTETS (4 << 20)

struct socket {
    int fd;
    uint16_t next_id;
    uint32_t outstanding;
    uint64_t sent_ns[65536]; /* by ID; 0: free */
};

struct generator {
    const struct load_options *options;
    struct load_questions *questions;
    struct load_result *result;
    struct socket *socket;
    uint32_t outstanding;
    uint64_t swept_ns;
    struct mmsghdr message[BATCH];
    struct iovec octets_of[BATCH];
    uint8_t octets[BATCH][ANSWER_MAX];
};

/* A socket that is connected to itself answers its own questions. */
static bool find_self(int fd, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    return bind(fd, (const struct sockaddr *)address, len) == 0 &&
           getsockname(fd, (struct sockaddr *)address, &len) == 0;
}

static bool open_sockets(struct generator *g)
{
    for (uint32_t i = 0; i < g->options->sockets; i++) {
        int octets = BUFFER_OCTETS;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return false;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
        g->socket[i].fd = fd;
        struct sockaddr_in server = g->options->server;
        socklen_t len = sizeof server;
        if (g->options->alone && !find_self(fd, &server))
            return false;
        if (connect(fd, (const struct sockaddr *)&server, len) != 0)
            return false;
    }
    return true;
}

/* How many may leave now: by rate and by what is left of the total. */
static uint64_t due(const struct generator *g, uint64_t now_ns)
{
    const struct load_options *o = g->options;
    uint64_t left = o->total - g->result->sent;
    if (o->rate <= 0)
        return left;
    uint64_t until_now = (uint64_t)((double)(now_ns - g->result->began_ns) * o->rate / 1e9) + 1;
    uint64_t by_rate = until_now > g->result->sent ? until_now - g->result->sent : 0;
    return by_rate < left ? by_rate : left;
}

static uint32_t send_batch(struct generator *g, struct socket *s, uint64_t most)
{
    uint32_t share = g->options->window / g->options->sockets;
    uint16_t ids[BATCH];
    uint32_t count = 0;
    share = share > 0 ? share : 1;
    while (count < BATCH && count < most && s->outstanding + count < share &&
           g->outstanding + count < g->options->window && s->sent_ns[s->next_id] == 0) {
        uint16_t id = s->next_id++;
        ids[count] = id;
        uint16_t len = load_questions_next(g->questions, id, g->octets[count]);
        g->octets_of[count] = (struct iovec){.iov_base = g->octets[count], .iov_len = len};
        s->sent_ns[id] = 1; /* taken, so that the next turn of this loop sees it */
        count++;
    }
    if (count == 0)
        return 0;
    uint64_t now_ns = load_now_ns();
    int sent = sendmmsg(s->fd, g->message, count, 0);
    for (uint32_t i = 0; i < count; i++) {
        bool ok = sent > 0 && i < (uint32_t)sent;
        s->sent_ns[ids[i]] = ok ? now_ns : 0;
        s->outstanding += ok;
        g->outstanding += ok;
        g->result->lost += !ok;
    }
    g->result->sent += count;
    return count;
}

static uint32_t receive_batch(struct generator *g, struct socket *s)
{
    for (uint32_t i = 0; i < BATCH; i++)
        g->octets_of[i] = (struct iovec){.iov_base = g->octets[i], .iov_len = ANSWER_MAX};
    int count = s->outstanding > 0 ? recvmmsg(s->fd, g->message, BATCH, MSG_DONTWAIT, NULL) : 0;
    uint64_t now_ns = load_now_ns();
    for (int i = 0; i < count; i++) {
        const uint8_t *wire = g->octets[i];
        uint64_t *sent_ns = &s->sent_ns[wire[0] << 8 | wire[1]];
        if (g->message[i].msg_len < 12 || *sent_ns == 0)
            continue;
        load_note_answer(g->result, wire, now_ns - *sent_ns, now_ns);
        *sent_ns = 0;
        s->outstanding--;
        g->outstanding--;
    }
    return count > 0 ? (uint32_t)count : 0;
}

static void sweep(struct generator *g, uint64_t now_ns)
{
    if (now_ns - g->swept_ns < SWEEP_NS)
        return;
    g->swept_ns = now_ns;
    for (uint32_t k = 0; k < g->options->sockets; k++) {
        struct socket *s = &g->socket[k];
        for (uint32_t id = 0; s->outstanding > 0 && id < 65536; id++) {
            if (s->sent_ns[id] == 0 || now_ns < s->sent_ns[id] + LOAD_TIMEOUT_NS)
                continue;
            s->sent_ns[id] = 0;
            s->outstanding--;
            g->outstanding--;
            g->result->lost++;
        }
    }
}

static void rest(struct generator *g)
{
    if (g->options->awake) { /* nobody has to wake it; the upstream may be on the same core */
        (void)sched_yield();
        return;
    }
    struct pollfd fds[LOAD_SOCKETS_MAX];
    double gap_ns = g->options->rate > 0 ? 1e9 / g->options->rate : 1e6;
    struct timespec most = {.tv_nsec = gap_ns < 1e6 ? (long)gap_ns : 1000000};
    for (uint32_t i = 0; i < g->options->sockets; i++)
        fds[i] = (struct pollfd){.fd = g->socket[i].fd, .events = POLLIN};
    (void)ppoll(fds, g->options->sockets, &most, NULL); /* however it ends: the loop looks anew */
}

static void run(struct generator *g)
{
    uint64_t end_ns = g->result->began_ns + (uint64_t)(g->options->seconds * 1e9);
    uint32_t turn = 0;
    for (;;) {
        uint64_t now_ns = load_now_ns();
        bool over = now_ns >= end_ns || g->result->sent >= g->options->total;
        if (over && (g->outstanding == 0 || now_ns > end_ns + LOAD_TIMEOUT_NS))
            return;
        uint64_t most = over ? 0 : due(g, now_ns);
        uint32_t moved = 0;
        for (uint32_t i = 0; i < g->options->sockets && most > 0; i++) {
            uint32_t sent = send_batch(g, &g->socket[turn++ % g->options->sockets], most);
            most -= sent;
            moved += sent;
        }
        for (uint32_t i = 0; i < g->options->sockets; i++)
            moved += receive_batch(g, &g->socket[i]);
        sweep(g, now_ns);
        if (moved == 0)
            rest(g);
    }
}

bool load_udp(const struct load_options *options, struct load_questions *questions,
              struct load_result *result)
{
    struct generator *g = calloc(1, sizeof *g);
    struct socket *sockets = calloc(options->sockets, sizeof *sockets);
    bool ok = g && sockets;
    if (ok) {
        *g = (struct generator){
            .options = options, .questions = questions, .result = result, .socket = sockets};
        for (uint32_t i = 0; i < BATCH; i++)
            g->message[i].msg_hdr = (struct msghdr){.msg_iov = &g->octets_of[i], .msg_iovlen = 1};
        ok = open_sockets(g);
    }
    if (ok) {
        result->began_ns = result->last_ns = g->swept_ns = load_now_ns();
        run(g);
    }
    free(sockets);
    free(g);
    return ok;
}
