// SPDX-License-Identifier: MIT
#include "tests/upstream/reply.h"

#include "tests/upstream/sign.h"

#include <string.h>

void reply_free(struct reply *reply)
{
    arena_free(&reply->arena);
}

void reply_add(struct reply *reply, enum dns_section section, const struct dns_name *owner,
               uint16_t type, uint32_t ttl_s, const void *rdata, uint16_t len)
{
    if (reply->count == RECORDS_MAX)
        return;
    reply->record[reply->count++] = (struct record){
        section, *owner, type, ttl_s, arena_copy(&reply->arena, rdata, len), len,
    };
}

void reply_remove(struct reply *reply, unsigned index)
{
    reply->count--;
    memmove(&reply->record[index], &reply->record[index + 1],
            (reply->count - index) * sizeof reply->record[0]);
}

void reply_clear(struct reply *reply)
{
    reply->count = 0;
}

static bool has_set(const struct reply *reply, const struct dns_name *owner, uint16_t type)
{
    for (unsigned i = 0; i < reply->count; i++)
        if (reply->record[i].type == type && dns_name_equal(&reply->record[i].owner, owner))
            return true;
    return false;
}

void reply_add_set(struct reply *reply, struct world *world, const struct zone *zone,
                   enum dns_section section, const struct dns_name *shown,
                   const struct dns_name *owner, struct rrset *set)
{
    if (has_set(reply, shown, set->type))
        return;
    for (unsigned i = 0; i < set->count; i++)
        reply_add(reply, section, shown, set->type, set->ttl_s, set->rdata[i].data,
                  set->rdata[i].len);
    if (!reply->dnssec || (set->type == DNS_TYPE_NS && !dns_name_equal(owner, &zone->name)))
        return; /* a delegation is not the parent's own data (RFC 4035 2.2) */
    zone_sign(world, zone, owner, set);
    for (unsigned i = 0; i < set->sig_count; i++)
        reply_add(reply, section, shown, DNS_TYPE_RRSIG, set->ttl_s, set->sig[i].data,
                  set->sig[i].len);
}

uint32_t reply_write(const struct reply *reply, const struct dns_msg *query, void *buf, size_t cap)
{
    /* a recursive resolver that does not validate: RA, never AD; RD and CD as asked */
    uint16_t flags =
        (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RA | (query->flags & (DNS_FLAG_RD | DNS_FLAG_CD)) |
                   (reply->rcode & 0xf));
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, cap, query->id, flags);
    dns_msg_out_question(&out, &reply->question);
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        for (unsigned i = 0; i < reply->count; i++) {
            const struct record *r = &reply->record[i];
            if ((int)r->section == section)
                dns_msg_out_rr(&out, r->section, &r->owner, r->type, DNS_CLASS_IN, r->ttl_s,
                               r->rdata, r->len);
        }
    const struct dns_ede ede = {.code = reply->ede, .text = "house rules"};
    struct dns_opt_out opt = {
        .udp_size = 1232,
        .rcode_high = (uint8_t)(reply->rcode >> 4),
        .dnssec_ok = query->edns.dnssec_ok,
        .ede = reply->ede ? &ede : NULL,
    };
    if (query->edns.present && !reply->no_opt)
        dns_msg_out_opt(&out, &opt);
    return dns_msg_out_finish(&out);
}
