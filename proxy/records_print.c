// SPDX-License-Identifier: MIT
#include "proxy/records_print.h"

#define RDATA_TEXT_MAX 4096u

/* Presentation form of a record's data; "?" when it does not read. */
static const char *rdata_text(const struct dns_msg *msg, const struct dns_rr *rr, char *text,
                              size_t cap)
{
    static uint8_t expanded[DNS_MSG_MAX]; /* one thread: the command line */
    struct dns_writer w = dns_writer_init(expanded, sizeof expanded);
    if (dns_rdata_expand(msg, rr, &w) != DNS_OK ||
        !dns_rdata_text(rr->type, expanded, w.off, text, cap))
        return "?";
    return text;
}

uint32_t records_print(FILE *out, const struct dns_msg *msg, bool dnssec)
{
    uint32_t printed = 0;
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        bool asked = rr->type == msg->question.type;
        if (rr->section != DNS_ANSWER || (rr->type == DNS_TYPE_RRSIG && !dnssec && !asked))
            continue;
        static char data[RDATA_TEXT_MAX];
        char owner[DNS_NAME_TEXT_MAX];
        char type[DNS_NUMBER_TEXT_MAX];
        struct dns_name name = dns_rr_owner(msg, rr);
        (void)dns_name_text(&name, owner);
        (void)fprintf(out, "%s %u IN %s %s\n", owner, rr->ttl_s, dns_type_text(rr->type, type),
                      rdata_text(msg, rr, data, sizeof data));
        printed++;
    }
    return printed;
}

void records_first(const struct dns_msg *msg, char *text, size_t cap)
{
    text[0] = '\0';
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        bool asked = rr->type == msg->question.type || msg->question.type == DNS_TYPE_ANY;
        if (rr->section != DNS_ANSWER || !asked)
            continue;
        static char data[RDATA_TEXT_MAX];
        (void)snprintf(text, cap, "%s", rdata_text(msg, rr, data, sizeof data));
        return;
    }
}
