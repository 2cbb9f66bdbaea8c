// SPDX-License-Identifier: MIT
#include "tests/upstream/denial.h"

#include <string.h>

enum { TYPES_MAX = 64 };

static void insert_type(uint16_t *types, unsigned *count, uint16_t type)
{
    unsigned at = *count;
    if (at == TYPES_MAX)
        return;
    for (; at > 0 && types[at - 1] > type; at--)
        types[at] = types[at - 1];
    types[at] = type;
    ++*count;
}

/* A delegation speaks for NS and DS only; everything else there is the child's. */
static unsigned list_types(const struct zone *zone, const struct node *node, uint16_t own,
                           uint16_t types[static TYPES_MAX])
{
    bool cut = zone_is_cut(zone, node), has_signed = false;
    unsigned count = 0;
    for (const struct rrset *set = node->sets; set; set = set->next) {
        if (cut && set->type != DNS_TYPE_NS && set->type != DNS_TYPE_DS)
            continue;
        insert_type(types, &count, set->type);
        has_signed = has_signed || !cut || set->type == DNS_TYPE_DS;
    }
    if (own == DNS_TYPE_NSEC)
        insert_type(types, &count, own);
    if (has_signed || own == DNS_TYPE_NSEC)
        insert_type(types, &count, DNS_TYPE_RRSIG);
    return count;
}

void denial_bitmap(struct dns_writer *w, const struct zone *zone, const struct node *node,
                   uint16_t own)
{
    uint16_t types[TYPES_MAX];
    unsigned count = list_types(zone, node, own, types);
    for (unsigned i = 0; i < count;) {
        uint8_t window = (uint8_t)(types[i] >> 8), bits[32] = {0};
        unsigned last = 0;
        for (; i < count && types[i] >> 8 == window; i++) {
            last = (types[i] & 0xffu) / 8;
            bits[last] |= (uint8_t)(0x80u >> (types[i] & 7));
        }
        dns_write_u8(w, window);
        dns_write_u8(w, (uint8_t)(last + 1));
        dns_write_bytes(w, bits, last + 1);
    }
}

void denial_add(struct reply *reply, struct world *world, struct zone *zone,
                const struct dns_name *name, enum denial_kind kind)
{
    if (!zone->is_signed || !reply->dnssec)
        return;
    if (zone->nsec3)
        nsec3_deny(reply, world, zone, name, kind);
    else
        nsec_deny(reply, world, zone, name, kind);
}
