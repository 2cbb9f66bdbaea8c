// SPDX-License-Identifier: MIT
/* The NSEC chain: every name that owns data of the zone, in canonical order. */
#include "tests/upstream/denial.h"

static bool in_chain(const struct zone *zone, const struct node *node)
{
    return node->sets && !zone_occluded(zone, node);
}

static const struct node *next_in_chain(const struct zone *zone, const struct node *node)
{
    unsigned at = zone_index(zone, &node->name);
    for (unsigned step = 1; step <= zone->node_count; step++) {
        const struct node *next = zone->node[(at + step) % zone->node_count];
        if (in_chain(zone, next))
            return next;
    }
    return node;
}

struct rrset *nsec_of(struct world *world, struct zone *zone, struct node *node)
{
    if (zone->nsec3 || !zone->is_signed || !in_chain(zone, node))
        return NULL;
    if (node->nsec)
        return node->nsec;
    uint8_t rdata[512];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_name(&w, &next_in_chain(zone, node)->name);
    denial_bitmap(&w, zone, node, DNS_TYPE_NSEC);
    struct rrset *set = arena_alloc(&world->arena, sizeof *set);
    set->type = DNS_TYPE_NSEC;
    set->ttl_s = zone_negative_ttl(zone);
    set->rdata = arena_alloc(&world->arena, sizeof *set->rdata);
    set->rdata[0] = (struct octets){arena_copy(&world->arena, rdata, w.off), (uint16_t)w.off};
    set->count = 1;
    node->nsec = set;
    return set;
}

/* The NSEC at `name`, or the one whose gap it falls into. */
static void add_nsec(struct reply *reply, struct world *world, struct zone *zone,
                     const struct dns_name *name)
{
    unsigned at = zone_index(zone, name);
    while (!in_chain(zone, zone->node[at]))
        at--; /* ends at the apex, which has data */
    struct node *node = zone->node[at];
    reply_add_set(reply, world, zone, DNS_AUTHORITY, &node->name, &node->name,
                  nsec_of(world, zone, node));
}

void nsec_deny(struct reply *reply, struct world *world, struct zone *zone,
               const struct dns_name *name, enum denial_kind kind)
{
    add_nsec(reply, world, zone, name);
    if (kind != DENY_NAME && kind != DENY_WILDCARD_TYPE)
        return;
    struct dns_name wildcard;
    if (dns_name_wildcard(&zone_closest(zone, name)->name, &wildcard) == DNS_OK)
        add_nsec(reply, world, zone, &wildcard);
}
