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

/* RFC 8305 4: each of another family than the one before, as long as there are two. */
static void alternate(const struct doh_address *address, uint32_t count, uint32_t *order)
{
    for (uint32_t place = 1; place < count; place++) {
        bool want_v6 = !is_v6(&address[order[place - 1]]);
        uint32_t i = place;
        while (i < count && is_v6(&address[order[i]]) != want_v6)
            i++;
        if (i < count) /* else only the other family is left */
            pull(order, i, place);
    }
}

void doh_order(const struct doh_address *address, uint32_t count, const struct doh_preference *p,
               uint32_t *order)
{
    uint32_t good = 0, n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!(p->resting >> (p->fresh + i) % count & 1))
            order[good++] = (p->fresh + i) % count;
    for (uint32_t i = 0; i < count; i++)
        if (p->resting >> (p->fresh + i) % count & 1)
            order[good + n++] = (p->fresh + i) % count;
    for (uint32_t i = 0; p->winner && i < good; i++)
        if (doh_address_equal(&address[order[i]], p->winner))
            pull(order, i, 0);
    alternate(address, good, order);
    alternate(address, count - good, order + good);
}
