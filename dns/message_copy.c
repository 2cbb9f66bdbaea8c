// SPDX-License-Identifier: MIT
#include "dns/rdata.h"

struct copying {
    const struct dns_msg *msg;
    const struct dns_copy *how;
    struct dns_msg_out *out;
    uint8_t *scratch; /* one RDATA, expanded */
};

#define SCRATCH_LEN DNS_MSG_MAX

/* RFC 4035 3.2.1: DNSSEC records go only to those who ask for them, or for that type. */
static bool wanted(const struct copying *c, const struct dns_rr *rr)
{
    uint16_t qtype = c->msg->question.type;
    bool dnssec =
        rr->type == DNS_TYPE_RRSIG || rr->type == DNS_TYPE_NSEC || rr->type == DNS_TYPE_NSEC3;
    return !c->how->strip_dnssec || !dnssec || rr->type == qtype || qtype == DNS_TYPE_ANY;
}

static void write_rr(struct copying *c, const struct dns_rr *rr)
{
    struct dns_writer w = dns_writer_init(c->scratch, SCRATCH_LEN);
    if (dns_rdata_expand(c->msg, rr, &w) != DNS_OK) {
        if (c->out->w.err == DNS_OK)
            c->out->w.err = DNS_E_FORM;
        return;
    }
    struct dns_name owner = dns_rr_owner(c->msg, rr);
    uint32_t ttl_s = rr->ttl_s > c->how->age_s ? rr->ttl_s - c->how->age_s : 0;
    dns_msg_out_rr(c->out, rr->section, &owner, rr->type, rr->class_, ttl_s, c->scratch,
                   (uint16_t)w.off);
}

static uint16_t covered(const struct dns_msg *msg, const struct dns_rr *rr)
{
    struct dns_reader r = dns_rr_rdata(msg, rr);
    return rr->type == DNS_TYPE_RRSIG ? dns_read_u16(&r) : rr->type;
}

/* Neighbours of one section with the same owner that are one RRset, or its signatures. */
static bool same_group(const struct dns_msg *msg, const struct dns_rr *a, const struct dns_rr *b)
{
    if (a->section != b->section || a->class_ != b->class_ || covered(msg, a) != covered(msg, b))
        return false;
    struct dns_name a_owner = dns_rr_owner(msg, a);
    struct dns_name b_owner = dns_rr_owner(msg, b);
    return dns_name_equal(&a_owner, &b_owner);
}

/* Writes records from *at on as long as they belong together; whole or not at all. */
static bool write_group(struct copying *c, uint32_t *at)
{
    struct dns_msg_mark mark = dns_msg_out_mark(c->out);
    const struct dns_rr *first = &c->msg->rr[*at];
    do {
        if (wanted(c, &c->msg->rr[*at]))
            write_rr(c, &c->msg->rr[*at]);
        (*at)++;
    } while (c->out->w.err == DNS_OK && *at < c->msg->rr_count &&
             same_group(c->msg, first, &c->msg->rr[*at]));
    if (c->out->w.err != DNS_E_SPACE)
        return true;
    dns_msg_out_rewind(c->out, mark);
    return false;
}

uint32_t dns_msg_copy(const struct dns_msg *msg, const struct dns_copy *how, void *buf, size_t cap)
{
    uint8_t scratch[SCRATCH_LEN];
    struct dns_msg_out out;
    struct copying c = {.msg = msg, .how = how, .out = &out, .scratch = scratch};
    uint32_t reserved = how->opt ? dns_opt_len(how->opt) : 0;
    if (cap > DNS_MSG_MAX)
        cap = DNS_MSG_MAX;
    if (cap < reserved)
        return 0;
    dns_msg_out_init(&out, buf, cap - reserved, how->id, how->flags);
    const struct dns_question *question = how->question ? how->question : &msg->question;
    if (msg->question_count > 0 || how->question)
        dns_msg_out_question(&out, question);
    bool truncated = false;
    for (uint32_t i = 0; i < msg->rr_count && out.w.err == DNS_OK;) {
        uint8_t section = msg->rr[i].section;
        if (!write_group(&c, &i)) {
            truncated = section != DNS_ADDITIONAL;
            break;
        }
    }
    out.w.cap = (uint32_t)cap;
    if (how->opt)
        dns_msg_out_opt(&out, how->opt);
    if (truncated)
        dns_write_patch_u16(&out.w, 2, (uint16_t)(how->flags | DNS_FLAG_TC));
    return dns_msg_out_finish(&out);
}
