// SPDX-License-Identifier: MIT
#include "doh/plain_socket.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define IOV_COPY 16 /* parts sent at once; c-ares goes on with the rest */
#define SCOPE_AT 4  /* of the 54 bits that are zero in a link-local address (RFC 4291 2.5.6) */

void doh_plain_hide_scope(struct sockaddr_in6 *address)
{
    uint32_t scope = htonl(address->sin6_scope_id);
    if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
        memcpy(&address->sin6_addr.s6_addr[SCOPE_AT], &scope, sizeof scope);
}

static void reveal_scope(struct sockaddr_in6 *address)
{
    uint32_t scope;
    if (!IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
        return;
    memcpy(&scope, &address->sin6_addr.s6_addr[SCOPE_AT], sizeof scope);
    memset(&address->sin6_addr.s6_addr[SCOPE_AT], 0, sizeof scope);
    address->sin6_scope_id = ntohl(scope);
}

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
    struct sockaddr_in6 v6;
    if (to->sa_family != AF_INET6 || len < sizeof v6)
        return connect(fd, to, len);
    memcpy(&v6, to, sizeof v6);
    reveal_scope(&v6);
    return connect(fd, (const struct sockaddr *)&v6, sizeof v6);
}

static ares_ssize_t receive(ares_socket_t fd, void *buf, size_t cap, int flags,
                            struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
    (void)arg;
    struct sockaddr_in6 v6;
    ssize_t n = recvfrom(fd, buf, cap, flags, from, from_len);
    if (n < 0 || !from || *from_len < sizeof v6 || from->sa_family != AF_INET6)
        return n;
    memcpy(&v6, from, sizeof v6); /* c-ares compares it with the server's */
    doh_plain_hide_scope(&v6);
    memcpy(from, &v6, sizeof v6);
    return n;
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
