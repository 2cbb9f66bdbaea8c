// SPDX-License-Identifier: MIT
#include "proxy/request.h"

#define PLAIN_UDP_MAX 512u     /* RFC 1035 4.2.1 */
#define LOOPBACK_UDP_MAX 4096u /* the loopback interface fragments nothing of this size */
#define RECORDS_MAX 64u        /* in a question: OPT, TSIG, SIG(0) and what the curious add */

enum { TYPE_TKEY = 249, TYPE_MAILB = 253, TYPE_MAILA = 254 };

static const struct request_fault fine = {.rcode = DNS_RCODE_NOERROR, .ede = DNS_EDE_NONE};

static struct request_fault fault(uint16_t rcode)
{
    return (struct request_fault){.rcode = rcode, .ede = DNS_EDE_NONE};
}

static uint32_t answer_max(const struct request_path *path, const struct dns_edns *edns)
{
    if (path->tcp)
        return DNS_MSG_MAX;
    if (!edns->present)
        return PLAIN_UDP_MAX;
    uint32_t most = path->loopback ? LOOPBACK_UDP_MAX : path->udp_size;
    uint32_t wanted = edns->udp_size < PLAIN_UDP_MAX ? PLAIN_UDP_MAX : edns->udp_size;
    return wanted < most ? wanted : most;
}

static bool has_keepalive(const struct dns_msg *msg)
{
    struct dns_reader options = {.buf = msg->buf,
                                 .off = msg->edns.options_off,
                                 .end = msg->edns.options_off + msg->edns.options_len};
    struct dns_option option;
    while (dns_option_next(&options, &option))
        if (option.code == DNS_OPTION_KEEPALIVE)
            return true;
    return false;
}

static struct request_fault judge_type(uint16_t type)
{
    switch (type) {
    case DNS_TYPE_NXNAME: /* RFC 9824 3.1: exists in type bit maps only */
        return (struct request_fault){.rcode = DNS_RCODE_FORMERR, .ede = DNS_EDE_INVALID_QTYPE};
    case DNS_TYPE_OPT:
    case TYPE_TKEY:
    case DNS_TYPE_TSIG:
    case DNS_TYPE_IXFR:
    case DNS_TYPE_AXFR:
    case TYPE_MAILB:
    case TYPE_MAILA: return fault(DNS_RCODE_NOTIMP);
    default: return fine;
    }
}

struct request_fault request_read(const uint8_t *wire, uint32_t len,
                                  const struct request_path *path, struct request *ret)
{
    static const struct dns_edns none;
    ret->id = ret->flags = 0;
    ret->has_question = ret->edns = ret->dnssec_ok = ret->keepalive = false;
    ret->cap = answer_max(path, &none);
    if (!dns_header_peek(wire, len, &ret->id, &ret->flags) || ret->flags & DNS_FLAG_QR)
        return (struct request_fault){.drop = true, .ede = DNS_EDE_NONE};
    if ((ret->flags >> 11 & 15) != DNS_OPCODE_QUERY) /* the sections of others mean other things */
        return fault(DNS_RCODE_NOTIMP);
    struct dns_rr table[RECORDS_MAX];
    struct dns_msg msg;
    if (dns_msg_read(wire, len, table, RECORDS_MAX, &msg) != DNS_OK)
        return fault(DNS_RCODE_FORMERR);
    ret->edns = msg.edns.present;
    ret->dnssec_ok = msg.edns.dnssec_ok;
    ret->keepalive = path->tcp && has_keepalive(&msg); /* RFC 7828 3.2.1: not over UDP */
    ret->cap = answer_max(path, &msg.edns);
    if (msg.edns.version > 0) /* before the rest: a later version may mean something else by it */
        return fault(DNS_RCODE_BADVERS);
    if (msg.question_count != 1) /* RFC 9619 */
        return fault(DNS_RCODE_FORMERR);
    ret->has_question = true;
    ret->question = msg.question;
    return judge_type(msg.question.type);
}
