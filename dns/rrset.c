// SPDX-License-Identifier: MIT
#include "dns/rrset.h"

#include <stdlib.h>
#include <string.h>

/* A cheap summary of owner, type and class: most comparisons end here. */
static uint32_t summary(const struct dns_name *owner, uint16_t type, uint16_t class_)
{
    uint32_t h = 2166136261u;
    for (unsigned i = 0; i < owner->len; i++) {
        uint8_t c = owner->wire[i];
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
    }
    return (h ^ type ^ (uint32_t)class_ << 16) * 16777619u;
}

struct grouping {
    struct dns_rrsets *sets;
    uint32_t cap;
    uint32_t summaries[DNS_RRSET_MAX];
};

/* The set of owner, type and class, or UINT32_MAX. */
static uint32_t find(const struct grouping *g, const struct dns_name *owner, uint16_t type,
                     uint16_t class_)
{
    uint32_t h = summary(owner, type, class_);
    for (uint32_t i = 0; i < g->sets->count; i++) {
        const struct dns_rrset *set = &g->sets->set[i];
        if (g->summaries[i] == h && set->type == type && set->class_ == class_ &&
            dns_name_equal(&set->owner, owner))
            return i;
    }
    return UINT32_MAX;
}

static enum dns_err count_record(struct grouping *g, const struct dns_msg *msg,
                                 const struct dns_rr *rr)
{
    struct dns_name owner = dns_rr_owner(msg, rr);
    uint32_t at = find(g, &owner, rr->type, rr->class_);
    if (at == UINT32_MAX) {
        if (g->sets->count == g->cap)
            return DNS_E_COUNT;
        at = g->sets->count++;
        g->summaries[at] = summary(&owner, rr->type, rr->class_);
        g->sets->set[at] = (struct dns_rrset){.owner = owner,
                                              .type = rr->type,
                                              .class_ = rr->class_,
                                              .ttl_s = rr->ttl_s,
                                              .section = rr->section};
    }
    struct dns_rrset *set = &g->sets->set[at];
    set->count++;
    if (rr->ttl_s < set->ttl_s)
        set->ttl_s = rr->ttl_s;
    return DNS_OK;
}

/* The set that an RRSIG covers, or UINT32_MAX. */
static uint32_t covered_by(const struct grouping *g, const struct dns_msg *msg,
                           const struct dns_rr *rr)
{
    struct dns_reader r = dns_rr_rdata(msg, rr);
    struct dns_name owner = dns_rr_owner(msg, rr);
    uint16_t type = dns_read_u16(&r);
    return r.err == DNS_OK ? find(g, &owner, type, rr->class_) : UINT32_MAX;
}

enum dns_err dns_rrsets_group(const struct dns_msg *msg, struct dns_rrset *table, uint32_t cap,
                              uint16_t *order, struct dns_rrsets *ret)
{
    struct dns_rrsets sets = {.set = table, .order = order};
    struct grouping g = {.sets = &sets, .cap = cap < DNS_RRSET_MAX ? cap : DNS_RRSET_MAX};
    bool want_rrsigs = msg->question_count > 0 && msg->question.type == DNS_TYPE_RRSIG;
    enum dns_err err = DNS_OK;
    for (uint32_t i = 0; i < msg->rr_count && err == DNS_OK; i++)
        if (msg->rr[i].type != DNS_TYPE_RRSIG || want_rrsigs)
            err = count_record(&g, msg, &msg->rr[i]);
    if (err != DNS_OK)
        return err;
    for (uint32_t i = 0; i < msg->rr_count && !want_rrsigs; i++) {
        uint32_t at =
            msg->rr[i].type == DNS_TYPE_RRSIG ? covered_by(&g, msg, &msg->rr[i]) : UINT32_MAX;
        if (at != UINT32_MAX)
            table[at].sig_count++;
    }
    uint16_t off = 0; /* at most DNS_RR_MAX records in all */
    for (uint32_t s = 0; s < sets.count; s++) {
        table[s].first = off;
        table[s].sig_first = (uint16_t)(off + table[s].count);
        off = (uint16_t)(off + table[s].count + table[s].sig_count);
        table[s].count = table[s].sig_count = 0; /* counted again while filling */
    }
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        bool sig = rr->type == DNS_TYPE_RRSIG && !want_rrsigs;
        struct dns_name owner = dns_rr_owner(msg, rr);
        uint32_t at = sig ? covered_by(&g, msg, rr) : find(&g, &owner, rr->type, rr->class_);
        if (at == UINT32_MAX)
            continue;
        if (sig)
            order[table[at].sig_first + table[at].sig_count++] = (uint16_t)i;
        else
            order[table[at].first + table[at].count++] = (uint16_t)i;
    }
    *ret = sets;
    return DNS_OK;
}
