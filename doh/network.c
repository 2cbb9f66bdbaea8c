// SPDX-License-Identifier: MIT
#include "doh/network.h"

#include "doh/fetch.h"
#include "doh/parts.h"
#include "doh/route.h"
#include "doh/upstream.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_LEN 16384u
#define READS_MAX 16u

void doh_network_changed(struct doh_network *n, bool rerouted)
{
    struct doh_pool *pool = n->pool;
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        doh_upstream_network(&pool->upstreams[i], rerouted);
    for (uint32_t i = 0; i < pool->config->route_count; i++)
        doh_route_renew(pool->routes[i]);
    doh_fetch_plainly_again(pool);
    doh_pool_news(pool);
    doh_pool_busy(pool);
}

static void on_settled(uv_timer_t *timer);

static void settle(struct doh_network *n, uint32_t ms)
{
    n->settle_ms = ms < DOH_NETWORK_SETTLE_MAX_MS ? ms : DOH_NETWORK_SETTLE_MAX_MS;
    (void)uv_timer_start(&n->settle, on_settled, n->settle_ms, 0); /* has a callback */
}

static void on_settled(uv_timer_t *timer)
{
    struct doh_network *n = DOH_ITEM(timer, struct doh_network, settle);
    bool rerouted = n->rerouted;
    if (!n->changed)
        return; /* quiet */
    n->changed = n->rerouted = false;
    settle(n, n->settle_ms * 2);
    doh_network_changed(n, rerouted);
}

static void take(struct doh_network *n, const struct doh_netlink_news *news)
{
    for (uint32_t g = 0; g < news->gone_count; g++)
        for (uint32_t i = 0; i < n->pool->upstream_count; i++)
            doh_upstream_address_gone(&n->pool->upstreams[i], &news->gone[g]);
    n->changed = n->changed || news->changed || news->rerouted;
    n->rerouted = n->rerouted || news->rerouted;
    bool quiet = !uv_is_active((uv_handle_t *)&n->settle);
    if (n->changed && quiet) {
        n->hurry_ms = DOH_NETWORK_SETTLE_MS;
        settle(n, DOH_NETWORK_SETTLE_MS);
    } else if (n->rerouted && uv_timer_get_due_in(&n->settle) > n->hurry_ms) {
        settle(n, n->hurry_ms);
        n->hurry_ms *= 2;
    }
}

/* True: there may be more. Only the kernel (port 0) is believed. */
static bool read_one(struct doh_network *n, struct doh_netlink_news *news)
{
    uint8_t octets[READ_LEN];
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(n->fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &from_len);
    if (len < 0 && errno == ENOBUFS) {
        doh_netlink_lost(news);
        return true;
    }
    if (len > 0 && from.nl_pid == 0)
        doh_netlink_read(octets, (size_t)len, news);
    return len > 0 || (len < 0 && errno == EINTR);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct doh_network *n = DOH_ITEM(poll, struct doh_network, poll);
    struct doh_netlink_news news = {0};
    (void)status; /* an error is what recvfrom() tells, too */
    (void)events;
    for (unsigned i = 0; i < READS_MAX && read_one(n, &news); i++)
        ;
    take(n, &news);
}

/* --- sleep --------------------------------------------------------------------------------- */

static uint64_t ms_of(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t); /* both clocks exist since Linux 2.6.39 */
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* CLOCK_MONOTONIC, like the timers of the loop, stands still while the machine sleeps. */
static uint64_t asleep_ms(void)
{
    uint64_t awake = ms_of(CLOCK_MONOTONIC), all = ms_of(CLOCK_BOOTTIME);
    return all > awake ? all - awake : 0;
}

bool doh_network_slept(struct doh_network *n, uint64_t asleep_ms)
{
    bool slept = asleep_ms > n->asleep_ms + DOH_SLEPT_MS;
    if (slept)
        n->asleep_ms = asleep_ms;
    return slept;
}

void doh_network_turn(struct doh_network *n)
{
    if (doh_network_slept(n, asleep_ms()))
        doh_network_changed(n, true);
}

/* --- beginning and end --------------------------------------------------------------------- */

static int open_socket(void)
{
    struct sockaddr_nl at = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        int number = errno;
        (void)close(fd);
        errno = number;
        return -1;
    }
    return fd;
}

void doh_network_open(struct doh_network *n, struct doh_pool *pool)
{
    n->pool = pool;
    n->asleep_ms = asleep_ms();
    (void)uv_timer_init(pool->loop, &n->settle); /* cannot fail */
    pool->handles++;
    n->fd = open_socket();
    int rc = n->fd < 0 ? -errno : uv_poll_init(pool->loop, &n->poll, n->fd);
    if (rc == 0) {
        pool->handles++;
        rc = uv_poll_start(&n->poll, UV_READABLE, on_readable);
    } else if (n->fd >= 0) {
        (void)close(n->fd);
        n->fd = -1;
    }
    if (rc != 0)
        doh_pool_event(pool, DOH_EVENT_INFO,
                       "changes of the network are noticed by time-outs only: no netlink socket "
                       "(%s)",
                       strerror(-rc));
}

static void on_settle_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_network, settle)->pool);
}

static void on_poll_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_network, poll)->pool);
}

void doh_network_close(struct doh_network *n)
{
    uv_close((uv_handle_t *)&n->settle, on_settle_closed);
    if (n->fd < 0)
        return;
    (void)uv_poll_stop(&n->poll); /* before the descriptor is somebody else's */
    uv_close((uv_handle_t *)&n->poll, on_poll_closed);
    (void)close(n->fd);
    n->fd = -1;
}
