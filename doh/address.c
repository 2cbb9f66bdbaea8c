// SPDX-License-Identifier: MIT
#include "doh/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_v6(const struct doh_address *address)
{
    return address->sa.any.sa_family == AF_INET6;
}

const char *doh_address_text(const struct doh_address *address,
                             char text[static DOH_ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "?";
    const void *octets = is_v6(address) ? (const void *)&address->sa.v6.sin6_addr
                                        : (const void *)&address->sa.v4.sin_addr;
    (void)inet_ntop(address->sa.any.sa_family, octets, ip, sizeof ip); /* else "?" */
    (void)snprintf(text, DOH_ADDRESS_TEXT_MAX, is_v6(address) ? "[%s]:%u" : "%s:%u", ip,
                   doh_address_port(address));
    return text;
}

socklen_t doh_address_len(const struct doh_address *address)
{
    return is_v6(address) ? sizeof address->sa.v6 : sizeof address->sa.v4;
}

uint16_t doh_address_port(const struct doh_address *address)
{
    return ntohs(is_v6(address) ? address->sa.v6.sin6_port : address->sa.v4.sin_port);
}

void doh_address_set_port(struct doh_address *address, uint16_t port)
{
    if (is_v6(address))
        address->sa.v6.sin6_port = htons(port);
    else
        address->sa.v4.sin_port = htons(port);
}

bool doh_address_equal(const struct doh_address *a, const struct doh_address *b)
{
    if (a->sa.any.sa_family != b->sa.any.sa_family || doh_address_port(a) != doh_address_port(b))
        return false;
    if (is_v6(a))
        return memcmp(&a->sa.v6.sin6_addr, &b->sa.v6.sin6_addr, sizeof a->sa.v6.sin6_addr) == 0 &&
               a->sa.v6.sin6_scope_id == b->sa.v6.sin6_scope_id;
    return a->sa.v4.sin_addr.s_addr == b->sa.v4.sin_addr.s_addr;
}

bool doh_address_same_ip(const struct doh_address *a, const struct doh_address *b)
{
    if (a->sa.any.sa_family != b->sa.any.sa_family)
        return false;
    if (is_v6(a))
        return memcmp(&a->sa.v6.sin6_addr, &b->sa.v6.sin6_addr, sizeof a->sa.v6.sin6_addr) == 0;
    return a->sa.v4.sin_addr.s_addr == b->sa.v4.sin_addr.s_addr;
}
