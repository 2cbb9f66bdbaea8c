// SPDX-License-Identifier: MIT
#include "tests/upstream/world.h"

#include "tests/upstream/keys.h"
#include "tests/upstream/world_file.h"

#include <stdio.h>
#include <string.h>

enum { KEYTRAP_KEYS = 40, HASHTRAP_DS = 40 };

struct zone *world_zone_named(const struct world *world, const struct dns_name *name)
{
    for (unsigned i = 0; i < world->zone_count; i++)
        if (dns_name_equal(&world->zone[i]->name, name))
            return world->zone[i];
    return NULL;
}

static struct zone *deepest(const struct world *world, const struct dns_name *name, bool strictly)
{
    struct zone *best = NULL;
    for (unsigned i = 0; i < world->zone_count; i++) {
        struct zone *zone = world->zone[i];
        if (!dns_name_within(name, &zone->name) || (strictly && zone->name.labels == name->labels))
            continue;
        if (!best || zone->name.labels > best->name.labels)
            best = zone;
    }
    return best;
}

struct zone *world_zone(const struct world *world, const struct dns_name *name, uint16_t type)
{
    /* RFC 4035 3.1.4.1: DS belongs to the parent side of the cut; the root has no parent */
    bool above = type == DNS_TYPE_DS && name->labels > 0;
    struct zone *zone = deepest(world, name, above);
    return zone || !above ? zone : deepest(world, name, false);
}

static void add_text(struct world *world, struct zone *zone, const char *line)
{
    uint8_t rdata[1024];
    struct dns_line parsed;
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    if (dns_line_parse(line, &zone->name, zone->ttl_s, &parsed, &w) == DNS_OK)
        zone_add(&world->arena, zone, &parsed.owner, parsed.type, parsed.ttl_s, rdata, w.off);
}

/* Every zone needs a SOA and a name server; few tests care which. */
static void add_missing(struct world *world, struct zone *zone)
{
    char apex[DNS_NAME_TEXT_MAX], line[5 * DNS_NAME_TEXT_MAX];
    (void)dns_name_text(&zone->name, apex);
    const char *below = zone->name.labels > 0 ? apex : "";
    const struct node *node = zone_node(zone, &zone->name);
    if (!node || !node_set(node, DNS_TYPE_SOA)) {
        (void)snprintf(line, sizeof line, "%s IN SOA ns.%s hostmaster.%s 1 7200 3600 1209600 300",
                       apex, below, below);
        add_text(world, zone, line);
    }
    node = zone_node(zone, &zone->name);
    if (node && !node_set(node, DNS_TYPE_NS)) {
        (void)snprintf(line, sizeof line, "%s IN NS ns.%s", apex, below);
        add_text(world, zone, line);
        (void)snprintf(line, sizeof line, "ns.%s IN A 192.0.2.53", below);
        add_text(world, zone, line);
    }
}

static void add_apex(struct world *world, struct zone *zone)
{
    for (unsigned i = 0; i < zone->key_count; i++)
        zone_add(&world->arena, zone, &zone->name, DNS_TYPE_DNSKEY, zone->ttl_s,
                 zone->key[i].dnskey.data, zone->key[i].dnskey.len);
    unsigned many = zone->faults & (FAULT_KEYTRAP | FAULT_LOCKCRAM | FAULT_HASHTRAP);
    for (uint16_t n = 1; many && n <= KEYTRAP_KEYS; n++) {
        struct octets key = key_collide(&world->arena, &zone->key[zone->key_count - 1], n);
        zone_add(&world->arena, zone, &zone->name, DNS_TYPE_DNSKEY, zone->ttl_s, key.data, key.len);
    }
    if (!zone->is_signed || !zone->nsec3)
        return;
    uint8_t rdata[300]; /* NSEC3PARAM (RFC 5155 4.2) */
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_u8(&w, 1);
    dns_write_u8(&w, 0);
    dns_write_u16(&w, zone->iterations);
    dns_write_u8(&w, (uint8_t)zone->salt.len);
    dns_write_bytes(&w, zone->salt.data, zone->salt.len);
    zone_add(&world->arena, zone, &zone->name, DNS_TYPE_NSEC3PARAM, 0, rdata, w.off);
}

/* Each of them has to be compared with the digest of each key. */
static void add_wrong_ds(struct world *world, struct zone *zone)
{
    for (unsigned i = 0; i < HASHTRAP_DS; i++) {
        struct octets ds = key_ds(&world->arena, &zone->name, &zone->key[0], DS_WRONG);
        uint8_t rdata[64];
        memcpy(rdata, ds.data, ds.len);
        rdata[ds.len - 1] ^= (uint8_t)i;
        zone_add(&world->arena, zone->parent, &zone->name, DNS_TYPE_DS, zone->parent->ttl_s, rdata,
                 ds.len);
    }
}

static void delegate(struct world *world, struct zone *zone)
{
    struct zone *parent = zone->parent;
    const struct rrset *ns = node_set(zone_node(zone, &zone->name), DNS_TYPE_NS);
    for (unsigned i = 0; i < ns->count; i++)
        zone_add(&world->arena, parent, &zone->name, DNS_TYPE_NS, ns->ttl_s, ns->rdata[i].data,
                 ns->rdata[i].len);
    if (zone->faults & FAULT_HASHTRAP && zone->key_count > 0) {
        add_wrong_ds(world, zone);
        return;
    }
    for (unsigned kind = DS_GOOD; kind <= DS_UNKNOWN_DIGEST; kind *= 2) {
        if (!(zone->ds & kind) || zone->key_count == 0)
            continue;
        struct octets ds = key_ds(&world->arena, &zone->name, &zone->key[0], (enum ds_kind)kind);
        zone_add(&world->arena, parent, &zone->name, DNS_TYPE_DS, parent->ttl_s, ds.data, ds.len);
    }
}

bool world_load(struct world *world, const char *path, const char *seed, uint64_t now_s,
                char *error, size_t error_cap)
{
    *world = (struct world){.epoch = 1, .now_s = now_s, .seed = seed};
    if (!world_file_read(world, path, error, error_cap))
        return false;
    for (unsigned i = 0; i < world->zone_count; i++) {
        struct zone *zone = world->zone[i];
        zone->parent = zone->name.labels > 0 ? deepest(world, &zone->name, true) : NULL;
        /* an unsigned zone has keys too when a DS shall point at one that is not published */
        bool wants_keys = zone->is_signed || zone->ds != 0;
        if (wants_keys && !zone_make_keys(&world->arena, zone, seed)) {
            (void)snprintf(error, error_cap, "%s: no keys for algorithm %d", path, zone->algorithm);
            return false;
        }
        add_missing(world, zone);
        if (zone->is_signed)
            add_apex(world, zone);
    }
    for (unsigned i = 0; i < world->zone_count; i++)
        if (world->zone[i]->parent)
            delegate(world, world->zone[i]);
    return true;
}

void world_set_now(struct world *world, uint64_t now_s)
{
    world->now_s = now_s;
    world->epoch++;
    arena_free(&world->signatures);
}

void world_free(struct world *world)
{
    for (unsigned i = 0; i < world->zone_count; i++)
        for (unsigned k = 0; k < world->zone[i]->key_count; k++)
            EVP_PKEY_free(world->zone[i]->key[k].pkey);
    arena_free(&world->signatures);
    arena_free(&world->arena);
}
