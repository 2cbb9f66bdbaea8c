// SPDX-License-Identifier: MIT
#include "proxy/respond.h"

#include <string.h>

#define OPCODE_MASK 0x7800
#define ARCOUNT_OFF 10u

/* RFC 6840 5.8: AD goes to whoever asked with AD or DO; 5.9: CD is given back. */
static uint16_t flags_of(const struct request *request, const struct respond_how *how)
{
    unsigned copied = request->flags & (OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD);
    bool wants_ad = request->dnssec_ok || request->flags & DNS_FLAG_AD;
    unsigned ad = how->status == VAL_SECURE && wants_ad ? DNS_FLAG_AD : 0u;
    return (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RA | copied | ad | (how->rcode & 15u));
}

static struct dns_opt_out opt_of(const struct request *request, const struct respond_how *how)
{
    return (struct dns_opt_out){
        .udp_size = RESPOND_UDP_SIZE,
        .rcode_high = (uint8_t)(how->rcode >> 4),
        .dnssec_ok = request->dnssec_ok,
        .ede = how->ede,
        .keepalive = request->keepalive,
        .keepalive_ds = how->keepalive_ds,
    };
}

static size_t room(const struct request *request, size_t cap)
{
    return request->cap < cap ? request->cap : cap;
}

/* --- made here ------------------------------------------------------------------------------- */

void respond_begin(const struct request *request, const struct respond_how *how,
                   struct dns_msg_out *out, void *buf, size_t cap)
{
    struct dns_opt_out opt = opt_of(request, how);
    size_t reserved = request->edns ? dns_opt_len(&opt) : 0;
    size_t most = room(request, cap);
    dns_msg_out_init(out, buf, most > reserved ? most - reserved : 0, request->id,
                     flags_of(request, how));
    if (request->has_question)
        dns_msg_out_question(out, &request->question);
}

uint32_t respond_finish(const struct request *request, const struct respond_how *how,
                        struct dns_msg_out *out)
{
    struct dns_opt_out opt = opt_of(request, how);
    if (request->edns && out->w.err == DNS_OK) {
        out->w.cap += dns_opt_len(&opt); /* what _begin has held back */
        dns_msg_out_opt(out, &opt);
    }
    return dns_msg_out_finish(out);
}

uint32_t respond_empty(const struct request *request, const struct respond_how *how, void *buf,
                       size_t cap)
{
    struct dns_msg_out out;
    respond_begin(request, how, &out, buf, cap);
    return respond_finish(request, how, &out);
}

/* --- from an answer -------------------------------------------------------------------------- */

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + ('a' - 'A')) : octet;
}

/* The question stands first and uncompressed. Octets that are the same as a name's but for case
 * are that name: length octets are below 'A', so they are compared as they are. */
static bool same_question(const struct request *request, const uint8_t *buf, uint32_t len)
{
    const struct dns_name *name = &request->question.name;
    if (!request->has_question || len < DNS_HEADER_LEN + name->len + 4u)
        return false;
    const uint8_t *there = buf + DNS_HEADER_LEN;
    if (memcmp(there, name->wire, name->len) == 0) /* nearly always */
        return true;
    for (unsigned i = 0; i < name->len; i++)
        if (lower(there[i]) != lower(name->wire[i]))
            return false;
    return true;
}

uint32_t respond_in_place(const struct request *request, const struct respond_how *how,
                          uint8_t *buf, uint32_t len, size_t cap)
{
    struct dns_opt_out opt = opt_of(request, how);
    uint32_t opt_len = request->edns ? dns_opt_len(&opt) : 0;
    if (len + opt_len > room(request, cap) || !same_question(request, buf, len))
        return 0;
    struct dns_writer head = dns_writer_init(buf, len);
    dns_write_u16(&head, request->id);
    dns_write_u16(&head, flags_of(request, how));
    memcpy(buf + DNS_HEADER_LEN, request->question.name.wire, request->question.name.len);
    if (!request->edns)
        return len;
    struct dns_reader count = {.buf = buf, .off = ARCOUNT_OFF, .end = len};
    uint16_t additional = dns_read_u16(&count);
    struct dns_writer tail = {.buf = buf, .off = len, .cap = len + opt_len};
    dns_write_opt(&tail, &opt);
    dns_write_patch_u16(&tail, ARCOUNT_OFF, (uint16_t)(additional + 1u));
    return tail.err == DNS_OK ? tail.off : 0;
}

uint32_t respond_copy(const struct request *request, const struct respond_how *how,
                      const struct dns_msg *msg, void *buf, size_t cap)
{
    struct dns_opt_out opt = opt_of(request, how);
    struct dns_copy copy = {
        .id = request->id,
        .flags = flags_of(request, how),
        .question = &request->question,
        .opt = request->edns ? &opt : NULL,
        .strip_dnssec = !request->dnssec_ok,
    };
    return dns_msg_copy(msg, &copy, buf, room(request, cap));
}
