// SPDX-License-Identifier: MIT
#include "doh/dial_slots.h"

static uint32_t count_young(const struct doh_upstream *up)
{
    uint32_t count = 0;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next) {
        const struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
        count +=
            conn->state < DOH_CONN_OPEN && doh_now(up->pool) - conn->started_ms < DOH_STAGGER_MS;
    }
    return count;
}

static bool has_room(const struct doh_pool *pool)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < pool->upstream_count; i++)
        count += count_young(&pool->upstreams[i]);
    return count < DOH_DIAL_SLOTS;
}

bool doh_dial_slot(struct doh_upstream *up)
{
    struct doh_list *line = &up->pool->dialling;
    bool first = doh_list_empty(line) || line->next == &up->dial.line;
    if (first && has_room(up->pool)) {
        doh_list_remove(&up->dial.line);
        return true;
    }
    if (doh_list_empty(&up->dial.line))
        doh_list_append(line, &up->dial.line);
    return false;
}
