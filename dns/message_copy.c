// SPDX-License-Identifier: MIT
#include "dns/rdata.h"

struct copying {
    const struct dns_msg *msg;
    const struct dns_copy *how;
    uint16_t qtype;
    struct dns_msg_out out;
    uint8_t rdata[DNS_MSG_MAX]; /* one RDATA, expanded */
};

/* RFC 4035 3.2.1: these go only to those who ask for DNSSEC, or for that very type. */
static bool is_dnssec_only(uint16_t type, uint16_t qtype)
{
    bool dnssec = type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3;
    return dnssec && type != qtype && qtype != DNS_TYPE_ANY;
}

bool dns_rr_is_dnssec_only(const struct dns_msg *msg, const struct dns_rr *rr)
{
    return is_dnssec_only(rr->type, msg->question_count > 0 ? msg->question.type : 0);
}

static bool wanted(const struct copying *c, const struct dns_rr *rr)
{
    return !c->how->strip_dnssec || !is_dnssec_only(rr->type, c->qtype);
}

static void write_rr(struct copying *c, const struct dns_rr *rr)
{
    struct dns_writer w = dns_writer_init(c->rdata, sizeof c->rdata);
    if (c->out.w.err != DNS_OK)
        return;
    c->out.w.err = dns_rdata_expand(c->msg, rr, &w);
    if (c->out.w.err != DNS_OK)
        return;
    struct dns_name owner = dns_rr_owner(c->msg, rr);
    uint32_t ttl_s = rr->ttl_s > c->how->age_s ? rr->ttl_s - c->how->age_s : 0;
    dns_msg_out_rr(&c->out, rr->section, &owner, rr->type, rr->class_, ttl_s, c->rdata,
                   (uint16_t)w.off);
}

/* A summary of what makes records of one section one RRset with its signatures. That two strangers
 * share a summary is rare, and then the cut below only falls earlier than it had to. */
static uint32_t group_of(const struct dns_msg *msg, const struct dns_rr *rr)
{
    struct dns_name owner = dns_rr_owner(msg, rr);
    struct dns_reader rdata = dns_rr_rdata(msg, rr);
    uint16_t type = rr->type == DNS_TYPE_RRSIG ? dns_read_u16(&rdata) : rr->type;
    uint32_t h = 2166136261u;
    dns_name_lower(&owner);
    for (unsigned i = 0; i < owner.len; i++)
        h = (h ^ owner.wire[i]) * 16777619u;
    h = (h ^ type) * 16777619u;
    return (h ^ rr->class_) * 16777619u;
}

/* The last place, not behind `end`, that has no RRset on both of its sides: going back from there,
 * every group that reaches over the cut moves the cut to its own first record. */
static uint32_t whole_sets_before(const struct copying *c, uint32_t end)
{
    uint32_t group[DNS_RR_MAX];
    const struct dns_rr *rr = c->msg->rr;
    uint32_t start = end; /* of the section in which room ran out: no group leaves it */
    uint32_t stop = end;
    while (start > 0 && rr[start - 1].section == rr[end].section)
        start--;
    while (stop < c->msg->rr_count && rr[stop].section == rr[end].section)
        stop++;
    for (uint32_t i = start; i < stop; i++)
        group[i] = group_of(c->msg, &rr[i]);
    uint32_t cut = end;
    for (uint32_t i = stop; i-- > start && i >= cut;) {
        if (!wanted(c, &rr[i]))
            continue;
        for (uint32_t first = start; first < cut; first++)
            if (group[first] == group[i] && wanted(c, &rr[first]))
                cut = first;
    }
    return cut;
}

/* Writes records [0, end); returns where it ran out of room, or `end`. */
static uint32_t write_records(struct copying *c, uint32_t end)
{
    for (uint32_t i = 0; i < end; i++) {
        struct dns_msg_mark mark = dns_msg_out_mark(&c->out);
        if (wanted(c, &c->msg->rr[i]))
            write_rr(c, &c->msg->rr[i]);
        if (c->out.w.err == DNS_E_SPACE) {
            dns_msg_out_rewind(&c->out, mark);
            return i;
        }
    }
    return end;
}

/* Header, question, and as many whole RRsets as fit. */
static void write_body(struct copying *c, void *buf, size_t room)
{
    const struct dns_msg *msg = c->msg;
    const struct dns_question *question = c->how->question ? c->how->question : &msg->question;
    dns_msg_out_init(&c->out, buf, room, c->how->id, c->how->flags);
    if (c->how->question || msg->question_count > 0)
        dns_msg_out_question(&c->out, question);
    struct dns_msg_mark empty = dns_msg_out_mark(&c->out);
    if (c->out.w.err != DNS_OK)
        return;
    uint32_t end = write_records(c, msg->rr_count);
    if (end == msg->rr_count)
        return;
    dns_msg_out_rewind(&c->out, empty);
    (void)write_records(c, whole_sets_before(c, end)); /* the same octets as before, only fewer */
    if (msg->rr[end].section != DNS_ADDITIONAL)
        dns_write_patch_u16(&c->out.w, 2, (uint16_t)(c->how->flags | DNS_FLAG_TC));
}

uint32_t dns_msg_copy(const struct dns_msg *msg, const struct dns_copy *how, void *buf, size_t cap)
{
    struct copying c;
    c.msg = msg;
    c.how = how;
    c.qtype = how->question             ? how->question->type
              : msg->question_count > 0 ? msg->question.type
                                        : 0;
    uint32_t reserved = how->opt ? dns_opt_len(how->opt) : 0;
    if (cap > DNS_MSG_MAX)
        cap = DNS_MSG_MAX;
    if (cap < reserved || msg->rr_count > DNS_RR_MAX)
        return 0;
    write_body(&c, buf, cap - reserved);
    c.out.w.cap = (uint32_t)cap;
    if (how->opt && c.out.w.err == DNS_OK)
        dns_msg_out_opt(&c.out, how->opt);
    return dns_msg_out_finish(&c.out);
}
