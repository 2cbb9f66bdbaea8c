// SPDX-License-Identifier: MIT
#include "doh/plain_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define IOV_COPY 16 /* parts sent at once; c-ares goes on with the rest */

static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
    (void)arg;
    int one = 1;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd >= 0 && type == SOCK_STREAM) /* better with it, possible without */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int close_socket(ares_socket_t fd, void *arg)
{
    (void)arg;
    return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t len,
                          void *arg)
{
    (void)arg;
    return connect(fd, to, len);
}

static ares_ssize_t receive(ares_socket_t fd, void *buf, size_t cap, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
    (void)arg;
    return recvfrom(fd, buf, cap, flags, from, from_len);
}

static ares_ssize_t transmit(ares_socket_t fd, const struct iovec *parts, int count, void *arg)
{
    (void)arg;
    struct iovec copy[IOV_COPY];
    struct msghdr msg = {.msg_iov = copy};
    while (msg.msg_iovlen < (size_t)count && msg.msg_iovlen < IOV_COPY) {
        copy[msg.msg_iovlen] = parts[msg.msg_iovlen];
        msg.msg_iovlen++;
    }
    return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

void doh_plain_own_sockets(ares_channel channel)
{
    static const struct ares_socket_functions functions = {
        .asocket = open_socket,
        .aclose = close_socket,
        .aconnect = connect_socket,
        .arecvfrom = receive,
        .asendv = transmit,
    };
    ares_set_socket_functions(channel, &functions, NULL);
}
