// SPDX-License-Identifier: MIT
#include "proxy/local.h"

#include <string.h>

#define LOCAL_TTL_S 10800u /* of RFC 6303 3's SOA: its retry, its minimum */

static void add_address(struct dns_msg_out *out, const struct dns_question *question)
{
    static const uint8_t v4[4] = {127, 0, 0, 1};
    static const uint8_t v6[16] = {[15] = 1};
    bool is_v4 = question->type == DNS_TYPE_A;
    dns_msg_out_rr(out, DNS_ANSWER, &question->name, question->type, DNS_CLASS_IN, LOCAL_TTL_S,
                   is_v4 ? v4 : v6, is_v4 ? sizeof v4 : sizeof v6);
}

/* The SOA of RFC 6303 3, with the zone itself as its server. */
static void add_soa(struct dns_msg_out *out, const struct dns_name *zone)
{
    static const struct dns_name nobody = {16, 2, "\6nobody\7invalid"};
    uint8_t rdata[2 * DNS_NAME_MAX + 20];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    dns_write_name(&w, zone);
    dns_write_name(&w, &nobody);
    dns_write_u32(&w, 1);           /* serial */
    dns_write_u32(&w, 3600);        /* refresh */
    dns_write_u32(&w, 1200);        /* retry */
    dns_write_u32(&w, 604800);      /* expire */
    dns_write_u32(&w, LOCAL_TTL_S); /* minimum */
    dns_msg_out_rr(out, DNS_AUTHORITY, zone, DNS_TYPE_SOA, DNS_CLASS_IN, LOCAL_TTL_S, rdata,
                   (uint16_t)w.off);
}

static struct respond_how unproven(uint16_t rcode, uint16_t keepalive_ds)
{
    return (struct respond_how){
        .status = VAL_INSECURE, .rcode = rcode, .keepalive_ds = keepalive_ds};
}

uint32_t local_answer(const struct request *request, const struct policy_local *local,
                      uint16_t keepalive_ds, void *buf, size_t cap)
{
    uint16_t rcode = local->answer == POLICY_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
    struct respond_how how = unproven(rcode, keepalive_ds);
    struct dns_msg_out out;
    respond_begin(request, &how, &out, buf, cap);
    if (local->answer == POLICY_LOCALHOST)
        add_address(&out, &request->question);
    else
        add_soa(&out, &local->zone);
    return respond_finish(request, &how, &out);
}

uint32_t local_text(const struct request *request, const char *const *line, uint32_t count,
                    uint16_t keepalive_ds, void *buf, size_t cap)
{
    struct respond_how how = unproven(DNS_RCODE_NOERROR, keepalive_ds);
    struct dns_msg_out out;
    respond_begin(request, &how, &out, buf, cap);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t rdata[256];
        size_t len = strnlen(line[i], 255);
        struct dns_msg_mark before = dns_msg_out_mark(&out);
        rdata[0] = (uint8_t)len;
        memcpy(rdata + 1, line[i], len);
        dns_msg_out_rr(&out, DNS_ANSWER, &request->question.name, DNS_TYPE_TXT,
                       request->question.class_, 0, rdata, (uint16_t)(len + 1));
        if (out.w.err == DNS_E_SPACE) {
            dns_msg_out_rewind(&out, before);
            break;
        }
    }
    return respond_finish(request, &how, &out);
}
