// SPDX-License-Identifier: MIT
#include "proxy/local.h"

#include <string.h>

#define TTL_S 3600u
#define FLAGS_OFF 2u

static void add_soa(struct dns_msg_out *out, const struct dns_name *zone)
{
    static const uint32_t numbers[] = {1, 3600, 1200, 604800, TTL_S};
    uint8_t rdata[2 * DNS_NAME_MAX + sizeof numbers];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    struct dns_name nobody;
    if (dns_name_parse("nobody.invalid.", &nobody) != DNS_OK)
        return;
    dns_write_name(&w, zone);
    dns_write_name(&w, &nobody);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        dns_write_u32(&w, numbers[i]);
    dns_msg_out_rr(out, DNS_AUTHORITY, zone, DNS_TYPE_SOA, DNS_CLASS_IN, TTL_S, rdata,
                   (uint16_t)w.off);
}

uint32_t local_answer(const struct request *request, const struct policy_local *local,
                      uint16_t keepalive_ds, void *buf, size_t cap)
{
    static const uint8_t v4[] = {127, 0, 0, 1};
    static const uint8_t v6[16] = {[15] = 1};
    uint16_t type = request->question.type;
    bool address =
        local->answer == POLICY_LOCALHOST && (type == DNS_TYPE_A || type == DNS_TYPE_AAAA);
    struct respond_how how = {
        .status = VAL_INSECURE,
        .rcode = local->answer == POLICY_NXDOMAIN ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR,
        .keepalive_ds = keepalive_ds,
    };
    struct dns_msg_out out;
    respond_begin(request, &how, &out, buf, cap);
    if (address && type == DNS_TYPE_A)
        dns_msg_out_rr(&out, DNS_ANSWER, &request->question.name, type, DNS_CLASS_IN, TTL_S, v4,
                       sizeof v4);
    else if (address)
        dns_msg_out_rr(&out, DNS_ANSWER, &request->question.name, type, DNS_CLASS_IN, TTL_S, v6,
                       sizeof v6);
    else
        add_soa(&out, &local->zone);
    return respond_finish(request, &how, &out);
}

static void add_text(struct dns_msg_out *out, const struct dns_question *question,
                     const char *string)
{
    uint8_t rdata[256];
    size_t len = strnlen(string, 255);
    rdata[0] = (uint8_t)len;
    memcpy(rdata + 1, string, len);
    dns_msg_out_rr(out, DNS_ANSWER, &question->name, DNS_TYPE_TXT, question->class_, 0, rdata,
                   (uint16_t)(len + 1));
}

uint32_t local_text(const struct request *request, const char *const *strings, uint32_t count,
                    void *buf, size_t cap)
{
    struct respond_how how = {.status = VAL_INSECURE};
    struct dns_msg_out out;
    respond_begin(request, &how, &out, buf, cap);
    bool cut = false;
    for (uint32_t i = 0; i < count && out.w.err == DNS_OK; i++) {
        struct dns_msg_mark before = dns_msg_out_mark(&out);
        add_text(&out, &request->question, strings[i]);
        if (out.w.err == DNS_E_SPACE) {
            dns_msg_out_rewind(&out, before);
            cut = true;
            break;
        }
    }
    if (cut) {
        struct dns_reader flags = {.buf = buf, .off = FLAGS_OFF, .end = out.w.off};
        dns_write_patch_u16(&out.w, FLAGS_OFF, (uint16_t)(dns_read_u16(&flags) | DNS_FLAG_TC));
    }
    return respond_finish(request, &how, &out);
}
