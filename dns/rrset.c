// SPDX-License-Identifier: MIT
#include "dns/rrset.h"

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

/* Different names with one summary are made on purpose; more of them than this are not compared. */
#define STRANGERS_MAX 256u
#define NO_SET UINT16_MAX

struct grouping {
    const struct dns_msg *msg;
    struct dns_rrsets sets;
    uint32_t cap;
    uint32_t strangers;
    uint32_t summaries[DNS_RRSET_MAX];
    uint16_t set_of[DNS_RR_MAX]; /* by index into msg->rr */
};

/* `h` is the summary of the rest. */
static enum dns_err find(struct grouping *g, uint32_t h, const struct dns_name *owner,
                         uint16_t type, uint16_t class_, uint16_t *ret)
{
    *ret = NO_SET;
    for (uint16_t i = 0; i < g->sets.count; i++) {
        const struct dns_rrset *set = &g->sets.set[i];
        if (g->summaries[i] != h)
            continue;
        if (set->type == type && set->class_ == class_ && dns_name_equal(&set->owner, owner)) {
            *ret = i;
            return DNS_OK;
        }
        if (++g->strangers > STRANGERS_MAX)
            return DNS_E_COUNT;
    }
    return DNS_OK;
}

/* Where the name begins that an owner's octets are or lead to. */
static uint32_t start_of(const struct dns_msg *msg, const struct dns_rr *rr)
{
    const uint8_t *owner = msg->buf + rr->owner_off; /* was read once by dns_msg_read() */
    return owner[0] >= 0xc0 ? (owner[0] & 0x3fu) << 8 | owner[1] : rr->owner_off;
}

/* Mostly a record, or what signs it, stands behind others of its set, with the same owner octet
 * for octet: then that need not be read. */
static bool follows_its_set(const struct grouping *g, uint32_t index, uint16_t type)
{
    const struct dns_rr *rr = &g->msg->rr[index];
    if (index == 0 || g->set_of[index - 1] == NO_SET)
        return false;
    const struct dns_rrset *set = &g->sets.set[g->set_of[index - 1]];
    return set->type == type && set->class_ == rr->class_ &&
           start_of(g->msg, rr) == start_of(g->msg, rr - 1);
}

static void join(struct grouping *g, uint32_t index, uint16_t at)
{
    struct dns_rrset *set = &g->sets.set[at];
    set->count++;
    if (g->msg->rr[index].ttl_s < set->ttl_s)
        set->ttl_s = g->msg->rr[index].ttl_s;
    g->set_of[index] = at;
}

/* Counts a record to the set of its owner, type and class, which may be a new one. */
static enum dns_err count_record(struct grouping *g, uint32_t index)
{
    const struct dns_rr *rr = &g->msg->rr[index];
    uint16_t at;
    if (follows_its_set(g, index, rr->type)) {
        join(g, index, g->set_of[index - 1]);
        return DNS_OK;
    }
    struct dns_name owner = dns_rr_owner(g->msg, rr);
    uint32_t h = summary(&owner, rr->type, rr->class_);
    enum dns_err err = find(g, h, &owner, rr->type, rr->class_, &at);
    if (err != DNS_OK)
        return err;
    if (at == NO_SET) {
        if (g->sets.count == g->cap)
            return DNS_E_COUNT;
        at = (uint16_t)g->sets.count++;
        g->summaries[at] = h;
        g->sets.set[at] = (struct dns_rrset){.owner = owner,
                                             .type = rr->type,
                                             .class_ = rr->class_,
                                             .ttl_s = rr->ttl_s,
                                             .section = rr->section};
    }
    join(g, index, at);
    return DNS_OK;
}

/* Counts an RRSIG to the set that it covers, in whatever section either of them is. */
static enum dns_err count_signature(struct grouping *g, uint32_t index)
{
    const struct dns_rr *rr = &g->msg->rr[index];
    struct dns_reader rdata = dns_rr_rdata(g->msg, rr);
    uint16_t covered = dns_read_u16(&rdata);
    if (rdata.err != DNS_OK || covered == DNS_TYPE_RRSIG) /* RFC 4035 2.2: RRSIGs are not signed */
        return DNS_OK;
    if (follows_its_set(g, index, covered)) {
        g->set_of[index] = g->set_of[index - 1];
        g->sets.set[g->set_of[index]].sig_count++;
        return DNS_OK;
    }
    struct dns_name owner = dns_rr_owner(g->msg, rr);
    uint32_t h = summary(&owner, covered, rr->class_);
    enum dns_err err = find(g, h, &owner, covered, rr->class_, &g->set_of[index]);
    if (err == DNS_OK && g->set_of[index] != NO_SET)
        g->sets.set[g->set_of[index]].sig_count++;
    return err;
}

static enum dns_err count_all(struct grouping *g)
{
    const struct dns_msg *msg = g->msg;
    bool want_rrsigs = msg->question_count > 0 && msg->question.type == DNS_TYPE_RRSIG;
    enum dns_err err = DNS_OK;
    for (uint32_t i = 0; i < msg->rr_count && err == DNS_OK; i++)
        if (msg->rr[i].type != DNS_TYPE_RRSIG)
            err = count_record(g, i);
        else
            g->set_of[i] = NO_SET;
    for (uint32_t i = 0; i < msg->rr_count && err == DNS_OK; i++) {
        if (msg->rr[i].type != DNS_TYPE_RRSIG)
            continue;
        err = count_signature(g, i);
        if (err == DNS_OK && want_rrsigs && g->set_of[i] == NO_SET)
            err = count_record(g, i);
    }
    return err;
}

/* Gives each set its two ranges of `order` and sorts the records into them. */
static void fill(struct grouping *g)
{
    uint16_t off = 0; /* at most DNS_RR_MAX records in all */
    for (uint32_t i = 0; i < g->sets.count; i++) {
        struct dns_rrset *set = &g->sets.set[i];
        set->first = off;
        set->sig_first = (uint16_t)(off + set->count);
        off = (uint16_t)(off + set->count + set->sig_count);
        set->count = set->sig_count = 0; /* counted again while filling */
    }
    for (uint32_t i = 0; i < g->msg->rr_count; i++) {
        if (g->set_of[i] == NO_SET)
            continue;
        struct dns_rrset *set = &g->sets.set[g->set_of[i]];
        if (set->type == g->msg->rr[i].type)
            g->sets.order[set->first + set->count++] = (uint16_t)i;
        else
            g->sets.order[set->sig_first + set->sig_count++] = (uint16_t)i;
    }
}

enum dns_err dns_rrsets_group(const struct dns_msg *msg, struct dns_rrset *table, uint32_t cap,
                              uint16_t *order, struct dns_rrsets *ret)
{
    struct grouping g;
    g.msg = msg;
    g.sets = (struct dns_rrsets){.set = table, .order = order};
    g.cap = cap < DNS_RRSET_MAX ? cap : DNS_RRSET_MAX;
    g.strangers = 0;
    if (msg->rr_count > DNS_RR_MAX)
        return DNS_E_COUNT;
    enum dns_err err = count_all(&g);
    if (err != DNS_OK)
        return err;
    fill(&g);
    *ret = g.sets;
    return DNS_OK;
}
