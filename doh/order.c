// SPDX-License-Identifier: MIT
#include "doh/order.h"

#include "doh/address.h"

static bool is_v6(const struct doh_address *address)
{
    return address->sa.any.sa_family == AF_INET6;
}

static void pull(uint32_t *order, uint32_t from, uint32_t to)
{
    uint32_t chosen = order[from];
    for (uint32_t i = from; i > to; i--)
        order[i] = order[i - 1];
    order[to] = chosen;
}

void doh_order(const struct doh_address *address, uint32_t count, uint32_t fresh,
               const struct doh_address *winner, uint32_t *order)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = (fresh + i) % count;
    for (uint32_t i = 0; winner && i < count; i++)
        if (doh_address_equal(&address[order[i]], winner))
            pull(order, i, 0);
    for (uint32_t place = 1; place < count; place++) {
        bool want_v6 = !is_v6(&address[order[place - 1]]);
        uint32_t i = place;
        while (i < count && is_v6(&address[order[i]]) != want_v6)
            i++;
        if (i < count) /* else only the other family is left */
            pull(order, i, place);
    }
}
