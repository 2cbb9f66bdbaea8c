// SPDX-License-Identifier: MIT
/* The NSEC3 chain: hashes of every name of the zone, empty non-terminals too, without insecure
 * delegations when the zone opts out (RFC 5155 7.1). */
#include "tests/upstream/denial.h"

#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

static void hash_name(const struct zone *zone, const struct dns_name *name,
                      uint8_t ret[static SHA_DIGEST_LENGTH])
{
    uint8_t buf[DNS_NAME_MAX + 255];
    struct dns_name lower = *name;
    dns_name_lower(&lower);
    memcpy(buf, lower.wire, lower.len);
    size_t len = lower.len;
    for (unsigned i = 0; i <= zone->iterations; i++) { /* RFC 5155 5: IH(salt, x, k) */
        if (zone->salt.len > 0)
            memcpy(buf + len, zone->salt.data, zone->salt.len);
        (void)SHA1(buf, len + zone->salt.len, ret);
        memcpy(buf, ret, SHA_DIGEST_LENGTH);
        len = SHA_DIGEST_LENGTH;
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct nsec3_entry *x = a, *y = b;
    return memcmp(x->hash, y->hash, sizeof x->hash);
}

static bool in_chain(const struct zone *zone, const struct node *node)
{
    if (zone_occluded(zone, node))
        return false;
    return !(zone->opt_out && zone_is_cut(zone, node) && !node_set(node, DNS_TYPE_DS));
}

static void build_chain(struct world *world, struct zone *zone)
{
    if (zone->nsec3_chain)
        return;
    zone->nsec3_chain = arena_alloc(&world->arena, zone->node_count * sizeof *zone->nsec3_chain);
    for (unsigned i = 0; i < zone->node_count; i++) {
        if (!in_chain(zone, zone->node[i]))
            continue;
        struct nsec3_entry *entry = &zone->nsec3_chain[zone->nsec3_count++];
        char label[64];
        entry->node = zone->node[i];
        hash_name(zone, &entry->node->name, entry->hash);
        size_t len = dns_base32hex_text(entry->hash, sizeof entry->hash, label, sizeof label);
        (void)dns_name_prepend(label, len, &zone->name, &entry->owner);
    }
    qsort(zone->nsec3_chain, zone->nsec3_count, sizeof *zone->nsec3_chain, compare_entries);
}

/* Index of the entry with this hash, or of the last one before it, around the end. */
static unsigned find(const struct zone *zone, const uint8_t *hash, bool *ret_match)
{
    unsigned at = zone->nsec3_count - 1;
    *ret_match = false;
    for (unsigned i = 0; i < zone->nsec3_count; i++) {
        int order = memcmp(zone->nsec3_chain[i].hash, hash, SHA_DIGEST_LENGTH);
        if (order > 0)
            break;
        at = i;
        *ret_match = order == 0;
    }
    return at;
}

static struct rrset *make_set(struct world *world, const struct zone *zone, unsigned at)
{
    const struct nsec3_entry *entry = &zone->nsec3_chain[at];
    const struct nsec3_entry *next = &zone->nsec3_chain[(at + 1) % zone->nsec3_count];
    uint8_t rdata[600];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_u8(&w, 1); /* SHA-1 */
    dns_write_u8(&w, zone->opt_out ? 1 : 0);
    dns_write_u16(&w, zone->iterations);
    dns_write_u8(&w, (uint8_t)zone->salt.len);
    dns_write_bytes(&w, zone->salt.data, zone->salt.len);
    dns_write_u8(&w, sizeof next->hash);
    dns_write_bytes(&w, next->hash, sizeof next->hash);
    denial_bitmap(&w, zone, entry->node, DNS_TYPE_NSEC3);
    struct rrset *set = arena_alloc(&world->arena, sizeof *set);
    set->type = DNS_TYPE_NSEC3;
    set->ttl_s = zone_negative_ttl(zone);
    set->rdata = arena_alloc(&world->arena, sizeof *set->rdata);
    set->rdata[0] = (struct octets){arena_copy(&world->arena, rdata, w.off), (uint16_t)w.off};
    set->count = 1;
    return set;
}

static bool matches(const struct zone *zone, const struct dns_name *name)
{
    uint8_t hash[SHA_DIGEST_LENGTH];
    bool match;
    hash_name(zone, name, hash);
    (void)find(zone, hash, &match);
    return match;
}

/* The NSEC3 that matches the name, or the one that covers it. */
static void add_nsec3(struct reply *reply, struct world *world, const struct zone *zone,
                      const struct dns_name *name)
{
    uint8_t hash[SHA_DIGEST_LENGTH];
    bool match;
    hash_name(zone, name, hash);
    unsigned at = find(zone, hash, &match);
    struct nsec3_entry *entry = &zone->nsec3_chain[at];
    if (!entry->set)
        entry->set = make_set(world, zone, at);
    reply_add_set(reply, world, zone, DNS_AUTHORITY, &entry->owner, &entry->owner, entry->set);
}

/* The closest encloser that the chain can show, and the name one label longer (RFC 5155 7.2.1). */
static struct dns_name closest_provable(const struct zone *zone, const struct dns_name *name,
                                        struct dns_name *ret_next_closer)
{
    struct dns_name up = zone_closest(zone, name)->name;
    if (dns_name_equal(&up, name)) /* an insecure delegation that opted out */
        up = dns_name_suffix(name, name->labels - 1u);
    while (up.labels > zone->name.labels && !matches(zone, &up))
        up = dns_name_suffix(&up, up.labels - 1u);
    *ret_next_closer = dns_name_suffix(name, up.labels + 1u);
    return up;
}

void nsec3_deny(struct reply *reply, struct world *world, struct zone *zone,
                const struct dns_name *name, enum denial_kind kind)
{
    build_chain(world, zone);
    if (kind == DENY_TYPE && matches(zone, name)) {
        add_nsec3(reply, world, zone, name);
        return;
    }
    struct dns_name next_closer, wildcard;
    struct dns_name closest = closest_provable(zone, name, &next_closer);
    if (kind != DENY_EXACT) /* RFC 5155 7.2.6: the encloser shows in the RRSIG's label count */
        add_nsec3(reply, world, zone, &closest);
    add_nsec3(reply, world, zone, &next_closer);
    bool wild = kind == DENY_NAME || kind == DENY_WILDCARD_TYPE;
    if (wild && dns_name_wildcard(&closest, &wildcard) == DNS_OK)
        add_nsec3(reply, world, zone, &wildcard);
}
