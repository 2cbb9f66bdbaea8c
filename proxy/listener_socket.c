// SPDX-License-Identifier: MIT
#include "proxy/listener_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_OCTETS (4 * 1024 * 1024) /* some milliseconds of questions at full rate */
#define BACKLOG 1024
#define PORT_TRIES 16u

enum when {
    ALWAYS,
    WILDCARD, /* on an address of our own the kernel knows what to answer from */
    SHARED,   /* by other workers */
};

struct option {
    const char *name;
    int level, id, value;
    enum when when;
};

#define OPTION(level, id, value, when)                                                             \
    {                                                                                              \
#id, level, id, value, when                                                                \
    }

/* PMTUDISC_OMIT: no fragment lists of ours can be poisoned by forged ICMP "too big". */
static const struct option for_udp4[] = {
    OPTION(SOL_SOCKET, SO_REUSEPORT, 1, SHARED),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL, 1, ALWAYS),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, ALWAYS),
    OPTION(IPPROTO_IP, IP_PKTINFO, 1, WILDCARD),
    {.name = NULL},
};
static const struct option for_udp6[] = {
    OPTION(SOL_SOCKET, SO_REUSEPORT, 1, SHARED),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL, 1, ALWAYS),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY, 1, ALWAYS),
    OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT, ALWAYS),
    OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, WILDCARD),
    {.name = NULL},
};
/* SO_REUSEADDR: connections of the run before, in TIME_WAIT, do not keep us from starting. */
static const struct option for_tcp4[] = {
    OPTION(SOL_SOCKET, SO_REUSEADDR, 1, ALWAYS),
    OPTION(SOL_SOCKET, SO_REUSEPORT, 1, SHARED),
    {.name = NULL},
};
static const struct option for_tcp6[] = {
    OPTION(SOL_SOCKET, SO_REUSEADDR, 1, ALWAYS),
    OPTION(SOL_SOCKET, SO_REUSEPORT, 1, SHARED),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY, 1, ALWAYS),
    {.name = NULL},
};

/* --- addresses ------------------------------------------------------------------------------- */

static bool is_v6(const struct doh_address *address)
{
    return address->sa.any.sa_family == AF_INET6;
}

socklen_t listener_address_len(const struct doh_address *address)
{
    return is_v6(address) ? sizeof address->sa.v6 : sizeof address->sa.v4;
}

uint16_t listener_address_port(const struct doh_address *address)
{
    return ntohs(is_v6(address) ? address->sa.v6.sin6_port : address->sa.v4.sin_port);
}

bool listener_address_is_wildcard(const struct doh_address *address)
{
    return is_v6(address) ? IN6_IS_ADDR_UNSPECIFIED(&address->sa.v6.sin6_addr)
                          : address->sa.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool listener_address_is_loopback(const struct doh_address *address)
{
    return is_v6(address) ? IN6_IS_ADDR_LOOPBACK(&address->sa.v6.sin6_addr)
                          : ntohl(address->sa.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool listener_address_lacks_ipv6(const struct doh_address *address, int number)
{
    return is_v6(address) && (number == EADDRNOTAVAIL || number == EAFNOSUPPORT) &&
           (listener_address_is_loopback(address) || listener_address_is_wildcard(address));
}

bool listener_address_same_host(const struct doh_address *a, const struct doh_address *b)
{
    if (a->sa.any.sa_family != b->sa.any.sa_family)
        return false;
    return is_v6(a) ? IN6_ARE_ADDR_EQUAL(&a->sa.v6.sin6_addr, &b->sa.v6.sin6_addr) &&
                          a->sa.v6.sin6_scope_id == b->sa.v6.sin6_scope_id
                    : a->sa.v4.sin_addr.s_addr == b->sa.v4.sin_addr.s_addr;
}

bool listener_peer_is_here(const struct doh_address *peer, const struct doh_address *local)
{
    return listener_address_is_loopback(peer) ||
           (listener_address_same_host(peer, local) && !listener_address_is_wildcard(peer));
}

#define ADDRESS_TEXT_MAX 64u

static const char *address_text(const struct doh_address *address,
                                char text[static ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "?";
    const void *octets = is_v6(address) ? (const void *)&address->sa.v6.sin6_addr
                                        : (const void *)&address->sa.v4.sin_addr;
    (void)inet_ntop(address->sa.any.sa_family, octets, ip, sizeof ip); /* else "?" */
    (void)snprintf(text, ADDRESS_TEXT_MAX, is_v6(address) ? "[%s]:%u" : "%s:%u", ip,
                   listener_address_port(address));
    return text;
}

/* --- what went wrong ------------------------------------------------------------------------- */

static const char *remedy(int number)
{
    switch (number) {
    case EACCES:
        return "; a port below 1024 needs CAP_NET_BIND_SERVICE, or a lower "
               "net.ipv4.ip_unprivileged_port_start";
    case EADDRINUSE:
        return "; another program listens there, `ss -lnptu` names it: stop it, or listen on "
               "another address or port";
    case EADDRNOTAVAIL:
        return "; no interface has this address: `ip address` lists those that there are";
    case EAFNOSUPPORT: return "; this kernel has no IPv6: leave the address out";
    default: return "";
    }
}

static void explain(const struct doh_address *address, const char *protocol, const char *what,
                    int number, char *error, size_t error_cap)
{
    char text[ADDRESS_TEXT_MAX];
    (void)snprintf(error, error_cap, "cannot listen on %s (%s): %s: %s%s",
                   address_text(address, text), protocol, what, strerror(number), remedy(number));
}

/* --- sockets --------------------------------------------------------------------------------- */

/* Root may go beyond net.core.rmem_max; everybody else gets what that allows. */
static void widen_receive_buffer(int fd)
{
    int octets = RECEIVE_OCTETS;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets); /* a wish */
}

/* NULL, or the option that was refused, errno set. */
static const char *set_options(int fd, const struct option *option, bool wildcard, bool shared)
{
    for (; option->name; option++) {
        if ((option->when == WILDCARD && !wildcard) || (option->when == SHARED && !shared))
            continue;
        if (setsockopt(fd, option->level, option->id, &option->value, sizeof option->value) != 0)
            return option->name;
    }
    return NULL;
}

/* The descriptor, or -1 and errno; *ret_what says which step failed. */
static int open_bound(const struct doh_address *address, int type, bool shared,
                      const char **ret_what)
{
    bool udp = type == SOCK_DGRAM;
    const struct option *options =
        is_v6(address) ? (udp ? for_udp6 : for_tcp6) : (udp ? for_udp4 : for_tcp4);
    *ret_what = "socket";
    int fd = socket(address->sa.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const char *refused = set_options(fd, options, listener_address_is_wildcard(address), shared);
    *ret_what = refused ? refused : "bind";
    if (!refused && bind(fd, &address->sa.any, listener_address_len(address)) == 0)
        return fd;
    int number = errno;
    (void)close(fd); /* nothing was written to it */
    errno = number;
    return -1;
}

static int open_udp(struct doh_address *address, char *error, size_t error_cap)
{
    const char *what;
    int fd = open_bound(address, SOCK_DGRAM, true, &what);
    if (fd < 0) {
        explain(address, "UDP", what, errno, error, error_cap);
        return -1;
    }
    widen_receive_buffer(fd);
    socklen_t len = sizeof address->sa;
    (void)getsockname(fd, &address->sa.any, &len); /* cannot fail for a bound socket */
    return fd;
}

static int open_tcp(const struct doh_address *address, char *error, size_t error_cap)
{
    const char *what;
    int fd = open_bound(address, SOCK_STREAM, true, &what);
    if (fd >= 0) {
        what = "listen";
        if (listen(fd, BACKLOG) == 0)
            return fd;
    }
    int number = errno;
    explain(address, "TCP", what, number, error, error_cap);
    if (fd >= 0)
        (void)close(fd); /* nothing was written to it */
    errno = number;
    return -1;
}

bool listener_sockets_open(const struct doh_address *address, struct listener_sockets *ret,
                           char *error, size_t error_cap)
{
    bool any_port = listener_address_port(address) == 0;
    for (unsigned tries = any_port ? PORT_TRIES : 1; tries > 0; tries--) {
        struct listener_sockets got = {.address = *address};
        got.udp = open_udp(&got.address, error, error_cap);
        if (got.udp < 0)
            return false;
        got.tcp = open_tcp(&got.address, error, error_cap);
        if (got.tcp >= 0) {
            *ret = got;
            return true;
        }
        int number = errno;
        (void)close(got.udp); /* nothing was written to it */
        if (number != EADDRINUSE)
            return false; /* else: the UDP port we were given is taken for TCP, try another */
    }
    return false;
}

static bool is_free(const struct doh_address *address, int type, char *error, size_t error_cap)
{
    const char *what;
    int fd = open_bound(address, type, false, &what);
    int number = errno;
    if (fd < 0)
        explain(address, type == SOCK_DGRAM ? "UDP" : "TCP", what, number, error, error_cap);
    else
        (void)close(fd); /* nothing was written to it */
    errno = number;
    return fd >= 0;
}

int listener_sockets_probe(const struct doh_address *address, char *error, size_t error_cap)
{
    bool ok = is_free(address, SOCK_DGRAM, error, error_cap) &&
              is_free(address, SOCK_STREAM, error, error_cap);
    return ok ? 0 : errno;
}

void listener_connection_options(int fd)
{
    int on = 1;
    /* Answers leave in few large writes of our own; Nagle would only delay the last of them. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
