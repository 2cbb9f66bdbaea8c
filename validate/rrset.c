// SPDX-License-Identifier: MIT
#include "validate/rrset.h"

#include "dns/rrset.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 8u   /* that expanding may add to one record */
#define SMALL_SETS 24u /* as much room on the stack as these take: some 6 KB */

/* What splitting needs for its own duration only, as much as this message can make use of. */
struct scratch {
    uint32_t set_cap, rdata_cap;
    struct dns_rrset *table;
    uint16_t *order; /* behind the table */
    uint8_t *rdata;  /* behind that */
};

/* `small`: room that does for nearly every message. What is returned is the heap's unless it is
 * that; NULL: out of memory. */
static void *scratch_init(struct scratch *s, const struct dns_msg *msg, void *small,
                          size_t small_len)
{
    s->set_cap = msg->rr_count < DNS_RRSET_MAX ? msg->rr_count : DNS_RRSET_MAX;
    s->rdata_cap = msg->len + NAMES_MAX * DNS_NAME_MAX;
    size_t len =
        s->set_cap * sizeof s->table[0] + msg->rr_count * sizeof s->order[0] + s->rdata_cap;
    void *room = len <= small_len ? small : malloc(len);
    s->table = room;
    s->order = room ? (uint16_t *)&s->table[s->set_cap] : NULL;
    s->rdata = room ? (uint8_t *)&s->order[msg->rr_count] : NULL;
    return room;
}

struct splitter {
    const struct dns_msg *msg;
    struct val_arena *arena;
    const struct scratch *scratch;
};

/* DNS_E_SPACE is the arena's end; anything else is the record's fault. */
static enum dns_err copy_rdata(const struct splitter *s, const struct dns_rr *rr,
                               struct val_rdata *ret)
{
    struct dns_writer w = dns_writer_init(s->scratch->rdata, s->scratch->rdata_cap);
    enum dns_err err = dns_rdata_expand(s->msg, rr, &w);
    if (err == DNS_OK)
        err = w.err;
    if (err != DNS_OK)
        return err == DNS_E_SPACE ? DNS_E_FORM : err; /* longer than any record can be */
    if (w.off > UINT16_MAX)
        return DNS_E_FORM; /* it could not be sent again, nor signed (RFC 4034 6.2) */
    uint8_t *data = val_arena_take_unset(s->arena, w.off);
    if (!data)
        return DNS_E_SPACE;
    if (w.off > 0)
        memcpy(data, s->scratch->rdata, w.off);
    *ret = (struct val_rdata){data, w.off};
    return DNS_OK;
}

static enum dns_err copy_records(const struct splitter *s, const struct dns_rrset *group,
                                 struct val_rrset *set)
{
    struct val_rdata *rr = val_arena_take_unset(s->arena, group->count * sizeof(*rr));
    if (!rr)
        return DNS_E_SPACE;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct dns_rr *record = &s->msg->rr[s->scratch->order[group->first + i]];
        enum dns_err err = copy_rdata(s, record, &rr[i]);
        if (err != DNS_OK)
            return err;
    }
    set->rr = rr;
    set->count = group->count;
    return DNS_OK;
}

/* An RRSIG that does not parse is as good as absent. */
static enum dns_err copy_sigs(const struct splitter *s, const struct dns_rrset *group,
                              struct val_rrset *set)
{
    struct val_sig *sigs = val_arena_take_unset(s->arena, group->sig_count * sizeof(*sigs));
    if (!sigs)
        return DNS_E_SPACE;
    for (uint32_t i = 0; i < group->sig_count; i++) {
        const struct dns_rr *record = &s->msg->rr[s->scratch->order[group->sig_first + i]];
        struct val_sig *sig = &sigs[set->sig_count];
        enum dns_err err = copy_rdata(s, record, &sig->rdata);
        if (err == DNS_E_SPACE)
            return err;
        if (err != DNS_OK)
            continue;
        struct dns_reader r = dns_reader_init(sig->rdata.data, sig->rdata.len);
        if (dns_rrsig_read(r, &sig->rrsig) != DNS_OK)
            continue;
        sig->ttl_s = record->ttl_s;
        set->sig_count++;
    }
    set->sigs = sigs;
    return DNS_OK;
}

/* After an error *set is not to be used. */
static enum dns_err copy_group(const struct splitter *s, const struct dns_rrset *group,
                               struct val_rrset *set)
{
    *set = (struct val_rrset){
        .owner = group->owner,
        .type = group->type,
        .class_ = group->class_,
        .ttl_s = group->ttl_s,
        .section = group->section,
    };
    enum dns_err err = copy_records(s, group, set);
    return err == DNS_OK ? copy_sigs(s, group, set) : err;
}

static enum dns_err split(const struct splitter *s, struct val_rrsets *ret, bool *malformed)
{
    struct dns_rrsets groups;
    enum dns_err err = dns_rrsets_group(s->msg, s->scratch->table, s->scratch->set_cap,
                                        s->scratch->order, &groups);
    if (err != DNS_OK)
        return err;
    size_t len = groups.count * sizeof(struct val_rrset);
    struct val_rrsets sets = {.set = val_arena_take_unset(s->arena, len)};
    if (!sets.set)
        return DNS_E_SPACE;
    bool bad = false;
    for (uint32_t i = 0; i < groups.count; i++) {
        err = copy_group(s, &groups.set[i], &sets.set[sets.count]);
        if (err == DNS_E_SPACE)
            return err;
        if (err == DNS_OK)
            sets.count++;
        else
            bad = true;
    }
    *ret = sets;
    *malformed = bad;
    return DNS_OK;
}

enum dns_err val_rrsets_split(const struct dns_msg *msg, struct val_arena *arena,
                              struct val_rrsets *ret, bool *malformed)
{
    if (msg->rr_count > DNS_RR_MAX)
        return DNS_E_COUNT;
    struct dns_rrset small[SMALL_SETS];
    struct scratch scratch;
    void *room = scratch_init(&scratch, msg, small, sizeof small);
    if (!room)
        return DNS_E_SPACE;
    const struct splitter s = {msg, arena, &scratch};
    enum dns_err err = split(&s, ret, malformed);
    if (room != small)
        free(room);
    return err;
}

const struct val_rrset *val_rrsets_find(const struct val_rrsets *sets, const struct dns_name *owner,
                                        uint16_t type)
{
    for (uint32_t i = 0; i < sets->count; i++)
        if (sets->set[i].type == type && sets->set[i].class_ == DNS_CLASS_IN &&
            dns_name_equal(&sets->set[i].owner, owner))
            return &sets->set[i];
    return NULL;
}
