// SPDX-License-Identifier: MIT
#include "proxy/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define OF_PROCESS 32u /* standard ones, the journal, state and snapshot while they are written */
#define OF_LOOP 16u    /* epoll, pipes, netlink, a file being read, a client being turned away */
#define OF_LISTENER 2u
#define OF_UPSTREAM 4u /* connections that last, the next one, a look-up of its host */
#define OF_ROUTE 8u    /* sockets to plain servers */
/* Connections being opened, by all upstreams of a loop together: doh/dial_slots.h. */
#define DIALS_A_SECOND 16u

void descriptors_hold_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO); /* the lowest that is free is given out first */
    if (fd >= 0)
        (void)close(fd); /* nothing was written to it */
}

uint64_t descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return UINT64_MAX; /* unheard of */
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    /* Where it is so already there is nothing to ask for. */
    return soft == limit.rlim_max || setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : soft;
}

uint64_t descriptors_needed(const struct config *config, uint32_t tcp_clients)
{
    uint64_t listeners = (uint64_t)config->listen_count * (OF_LISTENER + tcp_clients);
    uint64_t dials = (uint64_t)config->doh.connect_ms * DIALS_A_SECOND / 1000;
    uint64_t upstreams = (uint64_t)config->doh.upstream_count * OF_UPSTREAM + dials;
    uint64_t routes = (uint64_t)config->doh.route_count * OF_ROUTE;
    return OF_PROCESS + config->workers * (OF_LOOP + listeners + upstreams + routes);
}

uint32_t descriptors_tcp_clients(const struct config *config, uint64_t limit)
{
    uint64_t others = descriptors_needed(config, 0);
    uint64_t shares = (uint64_t)config->workers * config->listen_count;
    uint64_t fit = limit > others && shares > 0 ? (limit - others) / shares : 0;
    if (fit > config->tcp_clients)
        return config->tcp_clients;
    return fit > 0 ? (uint32_t)fit : 1;
}
