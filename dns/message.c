// SPDX-License-Identifier: MIT
#include "dns/message.h"

#include <string.h>

bool dns_header_peek(const void *buf, size_t len, uint16_t *ret_id, uint16_t *ret_flags)
{
    if (len < DNS_HEADER_LEN)
        return false;
    struct dns_reader r = dns_reader_init(buf, len);
    *ret_id = dns_read_u16(&r);
    *ret_flags = dns_read_u16(&r);
    return true;
}

uint32_t dns_header_records(const void *buf, size_t len)
{
    struct dns_reader r = dns_reader_init(buf, len);
    uint32_t count = 0;
    (void)dns_read_bytes(&r, 6); /* ID, flags, QDCOUNT */
    for (unsigned i = 0; i < 3; i++)
        count += dns_read_u16(&r);
    return r.err == DNS_OK ? count : 0;
}

static enum dns_err read_questions(struct dns_reader *r, struct dns_msg *msg)
{
    for (uint16_t i = 0; i < msg->question_count; i++) {
        struct dns_question other;
        struct dns_question *q = i == 0 ? &msg->question : &other;
        enum dns_err err = dns_name_read(r, &q->name);
        q->type = dns_read_u16(r);
        q->class_ = dns_read_u16(r);
        if (err != DNS_OK || r->err != DNS_OK)
            return r->err;
    }
    msg->question_end = r->off;
    return DNS_OK;
}

/* OPT (RFC 6891 6.1.2): class is the UDP size, TTL holds extended RCODE, version and flags. */
static enum dns_err take_opt(struct dns_msg *msg, const struct dns_rr *rr)
{
    bool root_owner = msg->buf[rr->owner_off] == 0;
    if (msg->edns.present || rr->section != DNS_ADDITIONAL || !root_owner)
        return DNS_E_OPT;
    const uint8_t *ttl = msg->buf + rr->ttl_off;
    msg->edns = (struct dns_edns){
        .present = true,
        .dnssec_ok = (ttl[2] & 0x80) != 0,
        .version = ttl[1],
        .rcode_high = ttl[0],
        .udp_size = rr->class_,
        .options_off = rr->rdata_off,
        .options_len = rr->rdata_len,
    };
    struct dns_reader options = dns_rr_rdata(msg, rr);
    struct dns_option option;
    while (dns_option_next(&options, &option))
        ;
    return options.err == DNS_OK ? DNS_OK : DNS_E_OPT;
}

static void read_rr(struct dns_reader *r, struct dns_rr *rr)
{
    struct dns_name name;
    rr->owner_off = r->off;
    (void)dns_name_read(r, &name); /* so that dns_rr_owner() cannot fail later */
    rr->type = dns_read_u16(r);
    rr->class_ = dns_read_u16(r);
    rr->ttl_off = r->off;
    uint32_t ttl = dns_read_u32(r);
    rr->ttl_s = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181 8 */
    rr->rdata_len = dns_read_u16(r);
    rr->rdata_off = r->off;
    (void)dns_read_bytes(r, rr->rdata_len);
}

static enum dns_err read_section(struct dns_reader *r, struct dns_msg *msg, struct dns_rr *table,
                                 uint32_t cap, uint8_t section, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        struct dns_rr rr = {.section = section};
        read_rr(r, &rr);
        if (r->err != DNS_OK)
            return r->err;
        if (rr.type == DNS_TYPE_OPT) {
            enum dns_err err = take_opt(msg, &rr);
            if (err != DNS_OK)
                return err;
            continue;
        }
        if (msg->rr_count == cap)
            return DNS_E_COUNT;
        table[msg->rr_count++] = rr;
    }
    return DNS_OK;
}

enum dns_err dns_msg_read(const void *buf, size_t len, struct dns_rr *table, uint32_t table_cap,
                          struct dns_msg *ret)
{
    if (len > DNS_MSG_MAX) /* no transport of DNS carries more */
        return DNS_E_TRAILING;
    if (table_cap > DNS_RR_MAX)
        table_cap = DNS_RR_MAX;
    struct dns_reader r = dns_reader_init(buf, len);
    struct dns_msg msg = {.buf = r.buf, .len = (uint32_t)len, .rr = table};
    msg.id = dns_read_u16(&r);
    msg.flags = dns_read_u16(&r);
    msg.question_count = dns_read_u16(&r);
    uint16_t counts[3];
    for (unsigned i = 0; i < 3; i++)
        counts[i] = dns_read_u16(&r);
    if (r.err != DNS_OK)
        return r.err;
    msg.opcode = (uint8_t)(msg.flags >> 11 & 15);
    enum dns_err err = read_questions(&r, &msg);
    for (uint8_t s = DNS_ANSWER; err == DNS_OK && s <= DNS_ADDITIONAL; s++)
        err = read_section(&r, &msg, table, table_cap, s, counts[s]);
    if (err == DNS_OK)
        err = dns_reader_finish(&r);
    if (err != DNS_OK)
        return err;
    msg.rcode = (uint16_t)(msg.flags & 15);
    if (msg.edns.present)
        msg.rcode = (uint16_t)(msg.rcode | msg.edns.rcode_high << 4);
    *ret = msg;
    return DNS_OK;
}

struct dns_name dns_rr_owner(const struct dns_msg *msg, const struct dns_rr *rr)
{
    struct dns_reader r = {.buf = msg->buf, .off = rr->owner_off, .end = msg->len};
    struct dns_name name = dns_root;
    (void)dns_name_read(&r, &name); /* was read once by dns_msg_read() */
    return name;
}

struct dns_reader dns_rr_rdata(const struct dns_msg *msg, const struct dns_rr *rr)
{
    return (struct dns_reader){
        .buf = msg->buf, .off = rr->rdata_off, .end = rr->rdata_off + rr->rdata_len};
}

bool dns_msg_answers(const struct dns_msg *msg, const struct dns_question *question)
{
    return (msg->flags & DNS_FLAG_QR) && msg->opcode == DNS_OPCODE_QUERY &&
           msg->question_count == 1 && msg->question.type == question->type &&
           msg->question.class_ == question->class_ &&
           dns_name_equal(&msg->question.name, &question->name);
}
