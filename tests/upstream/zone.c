// SPDX-License-Identifier: MIT
#include "tests/upstream/zone.h"

#include <stdlib.h>
#include <string.h>

/* Where `name` is, or would have to be inserted. */
static unsigned lower_bound(const struct zone *zone, const struct dns_name *name, bool *ret_found)
{
    unsigned low = 0, high = zone->node_count;
    *ret_found = false;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = dns_name_compare(&zone->node[middle]->name, name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct node *zone_node(const struct zone *zone, const struct dns_name *name)
{
    bool found;
    unsigned at = lower_bound(zone, name, &found);
    return found ? zone->node[at] : NULL;
}

unsigned zone_index(const struct zone *zone, const struct dns_name *name)
{
    bool found;
    unsigned at = lower_bound(zone, name, &found);
    return found ? at : at - 1; /* the apex sorts first, so at is not 0 */
}

static void grow(struct arena *arena, struct zone *zone)
{
    unsigned cap = zone->node_cap ? zone->node_cap * 2 : 32;
    struct node **bigger = arena_alloc(arena, cap * sizeof(struct node *));
    if (zone->node_count > 0)
        memcpy(bigger, zone->node, zone->node_count * sizeof(struct node *));
    zone->node = bigger;
    zone->node_cap = cap;
}

static struct node *node_ensure(struct arena *arena, struct zone *zone, const struct dns_name *name)
{
    bool found;
    unsigned at = lower_bound(zone, name, &found);
    if (found)
        return zone->node[at];
    if (zone->node_count == zone->node_cap)
        grow(arena, zone);
    memmove(&zone->node[at + 1], &zone->node[at], (zone->node_count - at) * sizeof(struct node *));
    zone->node_count++;
    zone->node[at] = arena_alloc(arena, sizeof(struct node));
    zone->node[at]->name = *name;
    return zone->node[at];
}

struct rrset *node_set(const struct node *node, uint16_t type)
{
    for (struct rrset *set = node->sets; set; set = set->next)
        if (set->type == type)
            return set;
    return NULL;
}

static struct rrset *set_ensure(struct arena *arena, struct node *node, uint16_t type,
                                uint32_t ttl_s)
{
    struct rrset **end = &node->sets;
    for (; *end; end = &(*end)->next)
        if ((*end)->type == type)
            return *end;
    *end = arena_alloc(arena, sizeof **end);
    (*end)->type = type;
    (*end)->ttl_s = ttl_s; /* the first record's TTL is the set's (RFC 2181 5.2) */
    return *end;
}

void zone_add(struct arena *arena, struct zone *zone, const struct dns_name *owner, uint16_t type,
              uint32_t ttl_s, const void *rdata, size_t len)
{
    for (unsigned labels = zone->name.labels; labels < owner->labels; labels++) {
        struct dns_name above = dns_name_suffix(owner, labels);
        (void)node_ensure(arena, zone, &above);
    }
    struct rrset *set = set_ensure(arena, node_ensure(arena, zone, owner), type, ttl_s);
    for (unsigned i = 0; i < set->count; i++)
        if (set->rdata[i].len == len && memcmp(set->rdata[i].data, rdata, len) == 0)
            return;
    struct octets *more = arena_alloc(arena, (set->count + 1) * sizeof *more);
    if (set->count > 0)
        memcpy(more, set->rdata, set->count * sizeof *more);
    more[set->count++] = (struct octets){arena_copy(arena, rdata, len), (uint16_t)len};
    set->rdata = more;
}

bool zone_is_cut(const struct zone *zone, const struct node *node)
{
    return node->name.labels > zone->name.labels && node_set(node, DNS_TYPE_NS);
}

struct node *zone_cut(const struct zone *zone, const struct dns_name *name)
{
    for (unsigned labels = zone->name.labels + 1u; labels <= name->labels; labels++) {
        struct dns_name above = dns_name_suffix(name, labels);
        struct node *node = zone_node(zone, &above);
        if (node && zone_is_cut(zone, node))
            return node;
    }
    return NULL;
}

bool zone_occluded(const struct zone *zone, const struct node *node)
{
    for (unsigned labels = zone->name.labels; labels < node->name.labels; labels++) {
        struct dns_name above = dns_name_suffix(&node->name, labels);
        const struct node *up = zone_node(zone, &above);
        if (up && (zone_is_cut(zone, up) || node_set(up, DNS_TYPE_DNAME)))
            return true;
    }
    return false;
}

struct node *zone_closest(const struct zone *zone, const struct dns_name *name)
{
    for (unsigned labels = name->labels; labels > zone->name.labels; labels--) {
        struct dns_name above = dns_name_suffix(name, labels);
        struct node *node = zone_node(zone, &above);
        if (node)
            return node;
    }
    return zone_node(zone, &zone->name);
}

uint32_t zone_negative_ttl(const struct zone *zone)
{
    const struct rrset *set = node_set(zone_node(zone, &zone->name), DNS_TYPE_SOA);
    struct dns_soa soa;
    if (dns_soa_read(dns_reader_init(set->rdata[0].data, set->rdata[0].len), &soa) != DNS_OK)
        return set->ttl_s;
    return soa.minimum_s < set->ttl_s ? soa.minimum_s : set->ttl_s;
}
