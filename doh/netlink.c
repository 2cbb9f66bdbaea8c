// SPDX-License-Identifier: MIT
#include "doh/netlink.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

/* Both headers define it, so it is spelt out: the carrier is there (linux/if.h). */
#define LINK_LOWER_UP (1u << 16)

/* The payload, copied to `ret` since nothing says that it is aligned; false when it is shorter. */
static bool payload(const uint8_t *message, size_t len, void *ret, size_t ret_len)
{
    if (len < NLMSG_HDRLEN + ret_len)
        return false;
    memcpy(ret, message + NLMSG_HDRLEN, ret_len);
    return true;
}

static void read_link(const uint8_t *message, size_t len, struct doh_netlink_news *news)
{
    struct ifinfomsg link;
    if (payload(message, len, &link, sizeof link) &&
        (link.ifi_change & (IFF_UP | IFF_RUNNING | LINK_LOWER_UP)))
        news->changed = true; /* else statistics, wireless scans, names */
}

static void read_route(const uint8_t *message, size_t len, struct doh_netlink_news *news)
{
    struct rtmsg route;
    if (!payload(message, len, &route, sizeof route) || route.rtm_table == RT_TABLE_LOCAL ||
        (route.rtm_flags & RTM_F_CLONED) || route.rtm_type != RTN_UNICAST)
        return;
    news->changed = true;
    news->rerouted = news->rerouted || route.rtm_dst_len == 0;
}

static void add_gone(struct doh_netlink_news *news, unsigned family, const uint8_t *octets)
{
    if (news->gone_count == DOH_NETLINK_GONE_MAX) {
        news->rerouted = true;
        return;
    }
    struct doh_address *a = &news->gone[news->gone_count++];
    memset(a, 0, sizeof *a);
    a->sa.any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        memcpy(&a->sa.v4.sin_addr, octets, sizeof a->sa.v4.sin_addr);
    else
        memcpy(&a->sa.v6.sin6_addr, octets, sizeof a->sa.v6.sin6_addr);
}

/* IFA_LOCAL is ours; where there is none, IFA_ADDRESS is (on a point-to-point link it is the
 * other end). */
static void read_gone(const uint8_t *message, size_t len, struct doh_netlink_news *news)
{
    struct ifaddrmsg address;
    const uint8_t *local = NULL, *other = NULL;
    if (!payload(message, len, &address, sizeof address))
        return;
    size_t want = address.ifa_family == AF_INET ? 4 : address.ifa_family == AF_INET6 ? 16 : 0;
    size_t off = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof address);
    struct rtattr attr;
    while (want > 0 && off < len && len - off >= sizeof attr) {
        memcpy(&attr, message + off, sizeof attr);
        if (attr.rta_len < sizeof attr || attr.rta_len > len - off)
            break;
        const uint8_t **place = attr.rta_type == IFA_LOCAL     ? &local
                                : attr.rta_type == IFA_ADDRESS ? &other
                                                               : NULL;
        if (place && attr.rta_len - sizeof attr == want)
            *place = message + off + sizeof attr;
        off += RTA_ALIGN(attr.rta_len);
    }
    if (local || other)
        add_gone(news, address.ifa_family, local ? local : other);
}

static void read_message(uint16_t type, const uint8_t *message, size_t len,
                         struct doh_netlink_news *news)
{
    switch (type) {
    case RTM_NEWLINK: read_link(message, len, news); break;
    case RTM_DELADDR:
        read_gone(message, len, news);
        news->changed = true;
        break;
    case RTM_DELLINK:
    case RTM_NEWADDR: news->changed = true; break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: read_route(message, len, news); break;
    default: break;
    }
}

void doh_netlink_read(const void *octets, size_t len, struct doh_netlink_news *news)
{
    const uint8_t *at = octets;
    struct nlmsghdr head;
    while (len >= sizeof head) {
        memcpy(&head, at, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > len)
            return;
        read_message(head.nlmsg_type, at, head.nlmsg_len, news);
        size_t step = NLMSG_ALIGN(head.nlmsg_len);
        if (step >= len)
            return;
        at += step;
        len -= step;
    }
}

void doh_netlink_lost(struct doh_netlink_news *news)
{
    news->changed = news->rerouted = true;
}
