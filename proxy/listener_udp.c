// SPDX-License-Identifier: MIT
#include "proxy/listener_udp.h"

#include "proxy/listener_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCHES 8u /* system calls a wakeup: hits wait behind no work for those before them */
#define OUT_COUNT 64u
#define OUT_OCTETS (256u * 1024u)

/* Room for the address asked, in either form, and the count of packets lost. */
struct control {
    _Alignas(struct cmsghdr)
        uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))];
};

/* Questions: read by one recvmmsg, handed out, forgotten. */
struct udp_in {
    struct mmsghdr message[LISTENER_BATCH];
    struct iovec octets_of[LISTENER_BATCH];
    struct doh_address peer[LISTENER_BATCH];
    struct control control[LISTENER_BATCH];
    struct listener_query query[LISTENER_BATCH];
    uint8_t octets[LISTENER_BATCH][LISTENER_QUESTION_MAX];
};

/* Answers: first to count wait for sendmmsg. Room is used again once all have left. */
struct udp_out {
    uint32_t first, count;
    uint32_t used;     /* of octets */
    uint32_t reserved; /* behind those, for the next answer */
    struct mmsghdr message[OUT_COUNT];
    struct iovec octets_of[OUT_COUNT];
    struct doh_address peer[OUT_COUNT];
    struct control control[OUT_COUNT];
    uint8_t octets[OUT_OCTETS];
};

struct listener_udp {
    struct listener *listener;
    uv_poll_t poll;
    int fd; /* -1 once closed */
    struct doh_address bound;
    bool wildcard; /* that is one */
    bool reading;
    bool blocked;       /* the kernel takes no answer for now; we wait for "writable" */
    uint32_t overflows; /* the kernel's count when last seen; it may wrap */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
    struct udp_in in;
    struct udp_out out;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct listener_udp *udp)
{
    int events = (udp->reading ? UV_READABLE : 0) | (udp->blocked ? UV_WRITABLE : 0);
    if (events == 0)
        (void)uv_poll_stop(&udp->poll); /* cannot fail for an open handle; nor can start */
    else
        (void)uv_poll_start(&udp->poll, events, on_ready);
}

/* --- answers --------------------------------------------------------------------------------- */

static void set_blocked(struct listener_udp *udp, bool blocked)
{
    if (udp->blocked == blocked)
        return;
    udp->blocked = blocked;
    watch(udp);
}

void listener_udp_flush(struct listener_udp *udp)
{
    struct udp_out *out = &udp->out;
    bool full = false;
    out->reserved = 0;
    while (udp->fd >= 0 && out->first < out->count && !full) {
        int sent = sendmmsg(udp->fd, out->message + out->first, out->count - out->first,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            out->first += (uint32_t)sent;
            udp->listener->stats.udp_answers += (uint32_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            full = true;
        } else if (sent < 0 && errno != EINTR) {
            out->first++; /* this one cannot be sent, the next may go elsewhere */
            udp->listener->stats.udp_send_errors++;
        }
    }
    if (udp->fd < 0)
        return;
    if (!full)
        out->first = out->count = out->used = 0;
    set_blocked(udp, full);
}

/* An answer leaves from the address that was asked: clients take it from no other. The interface
 * is named for link-local addresses only; elsewhere that would go past the routing table. */
static size_t write_source(struct control *control, const struct listener_client *client)
{
    struct msghdr header = {.msg_control = control->octets,
                            .msg_controllen = sizeof control->octets};
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    if (client->peer.sa.any.sa_family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_ifindex = 0};
        memcpy(&info.ipi6_addr, client->local, sizeof info.ipi6_addr);
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            info.ipi6_ifindex = client->ifindex;
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info),
                              .cmsg_level = IPPROTO_IPV6,
                              .cmsg_type = IPV6_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in_pktinfo info = {.ipi_ifindex = 0};
    memcpy(&info.ipi_spec_dst, client->local + 12, sizeof info.ipi_spec_dst);
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

static bool has_room(const struct udp_out *out, uint32_t len)
{
    return out->count < OUT_COUNT && len <= OUT_OCTETS - out->used;
}

uint8_t *listener_udp_reserve(struct listener_udp *udp, uint32_t least, uint32_t *ret_cap)
{
    struct udp_out *out = &udp->out;
    if (!has_room(out, least) && !udp->blocked)
        listener_udp_flush(udp);
    bool takes = udp->fd >= 0 && has_room(out, least);
    out->reserved = takes ? OUT_OCTETS - out->used : 0;
    *ret_cap = out->reserved;
    return takes ? out->octets + out->used : NULL;
}

void listener_udp_commit(struct listener_udp *udp, const struct listener_client *client,
                         uint32_t len)
{
    struct udp_out *out = &udp->out;
    if (len == 0 || len > out->reserved) {
        udp->listener->stats.udp_send_errors++;
        return;
    }
    uint32_t i = out->count++;
    uint8_t *octets = out->octets + out->used;
    out->used += len;
    out->reserved = 0;
    out->peer[i] = client->peer;
    out->octets_of[i] = (struct iovec){.iov_base = octets, .iov_len = len};
    struct msghdr *header = &out->message[i].msg_hdr;
    *header = (struct msghdr){.msg_name = &out->peer[i],
                              .msg_namelen = listener_address_len(&client->peer),
                              .msg_iov = &out->octets_of[i],
                              .msg_iovlen = 1};
    if (udp->wildcard) {
        header->msg_control = out->control[i].octets;
        header->msg_controllen = write_source(&out->control[i], client);
    }
}

void listener_udp_answer(struct listener_udp *udp, const struct listener_client *client,
                         const uint8_t *wire, uint32_t len)
{
    uint32_t cap;
    uint8_t *room = listener_udp_reserve(udp, len, &cap);
    if (!room) {
        udp->listener->stats.udp_send_errors++;
        return;
    }
    memcpy(room, wire, len);
    listener_udp_commit(udp, client, len);
}

/* --- questions ------------------------------------------------------------------------------- */

static void note_overflows(struct listener_udp *udp, uint32_t count)
{
    udp->listener->stats.udp_overflows += (uint32_t)(count - udp->overflows);
    udp->overflows = count;
}

static void read_control(struct listener_udp *udp, struct msghdr *header,
                         struct listener_client *client)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(client->local, &info.ipi6_addr, sizeof client->local);
            client->ifindex = info.ipi6_ifindex;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            client->local[10] = client->local[11] = 0xff; /* ::ffff:a.b.c.d */
            memcpy(client->local + 12, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
            client->ifindex = (uint32_t)info.ipi_ifindex;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t count;
            memcpy(&count, CMSG_DATA(c), sizeof count);
            note_overflows(udp, count);
        }
    }
}

/* Linux takes IPv6 packets from outside whose source is an address of ours, unless that is
 * loopback: there only that one proves anything. IPv4 packets of the kind it drops as martian. */
static bool is_here(const struct listener_udp *udp, const struct listener_client *client)
{
    if (client->peer.sa.any.sa_family == AF_INET6)
        return listener_address_is_loopback(&client->peer);
    struct doh_address asked = udp->bound;
    if (udp->wildcard) /* then read_control() has found it */
        memcpy(&asked.sa.v4.sin_addr, client->local + 12, sizeof asked.sa.v4.sin_addr);
    return listener_peer_is_here(&client->peer, &asked);
}

/* False: there is nothing to answer, or nobody. */
static bool take_question(struct listener_udp *udp, uint32_t i, struct listener_query *ret)
{
    struct mmsghdr *message = &udp->in.message[i];
    *ret = (struct listener_query){.client = {.listener = udp->listener, .peer = udp->in.peer[i]},
                                   .wire = udp->in.octets[i],
                                   .len = message->msg_len};
    read_control(udp, &message->msg_hdr, &ret->client);
    ret->client.here = is_here(udp, &ret->client);
    bool cut = message->msg_hdr.msg_flags & MSG_TRUNC;
    return !cut && listener_address_port(&ret->client.peer) != 0;
}

/* False: no more is waiting, for now. */
static bool read_batch(struct listener_udp *udp)
{
    for (uint32_t i = 0; i < LISTENER_BATCH; i++) { /* the kernel has written over these */
        struct msghdr *header = &udp->in.message[i].msg_hdr;
        header->msg_namelen = sizeof udp->in.peer[i];
        header->msg_controllen = sizeof udp->in.control[i].octets;
    }
    struct listener *listener = udp->listener;
    int got = recvmmsg(udp->fd, udp->in.message, LISTENER_BATCH, MSG_DONTWAIT, NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; got > 0 && i < (uint32_t)got; i++)
        count += take_question(udp, i, &udp->in.query[count]);
    listener->stats.udp_questions += got > 0 ? (uint32_t)got : 0;
    if (count > 0)
        listener->on_queries(listener->arg, udp->in.query, count); /* may stop or close us */
    listener_udp_flush(udp);
    return got == (int)LISTENER_BATCH;
}

static void read_all(struct listener_udp *udp)
{
    for (unsigned n = 0; n < BATCHES && udp->reading && read_batch(udp);)
        n++;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct listener_udp *udp = poll->data;
    if (status < 0) { /* libuv has stopped: the socket holds an error, which reading clears */
        watch(udp);
        events = UV_READABLE | UV_WRITABLE;
    }
    if (events & UV_WRITABLE)
        listener_udp_flush(udp);
    if (events & UV_READABLE)
        read_all(udp);
}

/* --- life ------------------------------------------------------------------------------------ */

static void prepare_input(struct udp_in *in)
{
    for (uint32_t i = 0; i < LISTENER_BATCH; i++) {
        in->octets_of[i] =
            (struct iovec){.iov_base = in->octets[i], .iov_len = sizeof in->octets[i]};
        in->message[i].msg_hdr = (struct msghdr){.msg_name = &in->peer[i],
                                                 .msg_iov = &in->octets_of[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = in->control[i].octets};
    }
}

struct listener_udp *listener_udp_open(struct listener *listener, int fd,
                                       const struct doh_address *bound)
{
    struct listener_udp *udp = calloc(1, sizeof *udp);
    if (!udp || uv_poll_init(listener->loop, &udp->poll, fd) != 0) {
        free(udp);
        return NULL;
    }
    udp->listener = listener;
    udp->poll.data = udp;
    udp->fd = fd;
    udp->bound = *bound;
    udp->wildcard = listener_address_is_wildcard(bound);
    udp->reading = true;
    prepare_input(&udp->in);
    watch(udp);
    return udp;
}

void listener_udp_stop(struct listener_udp *udp)
{
    if (!udp->reading)
        return;
    udp->reading = false;
    watch(udp);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct listener_udp *udp = handle->data;
    void (*on_closed)(void *arg) = udp->on_closed;
    void *arg = udp->on_closed_arg;
    free(udp);
    if (on_closed)
        on_closed(arg);
}

void listener_udp_close(struct listener_udp *udp, void (*on_closed)(void *arg), void *arg)
{
    listener_udp_flush(udp); /* a last try */
    udp->on_closed = on_closed;
    udp->on_closed_arg = arg;
    udp->reading = false;
    uv_close((uv_handle_t *)&udp->poll,
             on_poll_closed); /* stops to poll: then close(), not before */
    (void)close(udp->fd);
    udp->fd = -1;
}
