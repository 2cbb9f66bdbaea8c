// SPDX-License-Identifier: MIT
#include "dns/edns.h"

#include "dns/message.h"

#include <string.h>

bool dns_option_next(struct dns_reader *r, struct dns_option *ret)
{
    if (dns_reader_left(r) == 0)
        return false;
    struct dns_option option;
    option.code = dns_read_u16(r);
    option.len = dns_read_u16(r);
    option.data = dns_read_bytes(r, option.len);
    if (r->err != DNS_OK)
        return false;
    *ret = option;
    return true;
}

/* Whole UTF-8 characters that fit; what an octet cannot be shown as becomes '?'. */
static void copy_text(char text[static DNS_EDE_TEXT_MAX + 1], const uint8_t *data, uint32_t len)
{
    uint32_t n = len < DNS_EDE_TEXT_MAX ? len : DNS_EDE_TEXT_MAX;
    while (n < len && n > 0 && (data[n] & 0xc0) == 0x80) /* inside a character: back to its start */
        n--;
    for (uint32_t i = 0; i < n; i++)
        text[i] = data[i] < 0x20 || data[i] == 0x7f ? '?' : (char)data[i];
    text[n] = '\0';
}

void dns_ede_find(const uint8_t *msg, const struct dns_edns *edns, struct dns_ede *ret)
{
    *ret = (struct dns_ede){.code = DNS_EDE_NONE};
    struct dns_reader options = {
        .buf = msg, .off = edns->options_off, .end = edns->options_off + edns->options_len};
    struct dns_option option;
    while (dns_option_next(&options, &option)) {
        if (option.code != DNS_OPTION_EDE || option.len < 2)
            continue;
        ret->code = (uint16_t)(option.data[0] << 8 | option.data[1]);
        copy_text(ret->text, option.data + 2, option.len - 2u);
        return;
    }
}

static uint32_t ede_len(const struct dns_ede *ede)
{
    return ede && ede->code != DNS_EDE_NONE ? 6u + (uint32_t)strnlen(ede->text, DNS_EDE_TEXT_MAX)
                                            : 0;
}

uint32_t dns_opt_len(const struct dns_opt_out *opt)
{
    return 11u + ede_len(opt->ede) + (opt->keepalive ? 6u : 0u);
}

void dns_write_opt(struct dns_writer *w, const struct dns_opt_out *opt)
{
    uint32_t plain = dns_opt_len(opt);
    uint32_t pad = 0;
    if (opt->pad_to > 0) {
        uint32_t total = w->off + plain + 4u; /* with an empty padding option */
        uint32_t over = total % opt->pad_to;
        pad = over ? opt->pad_to - over : 0;
    }
    dns_write_u8(w, 0); /* the root */
    dns_write_u16(w, DNS_TYPE_OPT);
    dns_write_u16(w, opt->udp_size);
    dns_write_u8(w, opt->rcode_high);
    dns_write_u8(w, 0); /* version */
    dns_write_u16(w, opt->dnssec_ok ? 0x8000 : 0);
    dns_write_u16(w, (uint16_t)(plain - 11u + (opt->pad_to > 0 ? 4u + pad : 0)));
    uint32_t text_len = ede_len(opt->ede);
    if (text_len > 0) {
        dns_write_u16(w, DNS_OPTION_EDE);
        dns_write_u16(w, (uint16_t)(text_len - 4u));
        dns_write_u16(w, opt->ede->code);
        dns_write_bytes(w, opt->ede->text, text_len - 6u);
    }
    if (opt->keepalive) {
        dns_write_u16(w, DNS_OPTION_KEEPALIVE);
        dns_write_u16(w, 2);
        dns_write_u16(w, opt->keepalive_ds);
    }
    if (opt->pad_to > 0) {
        dns_write_u16(w, DNS_OPTION_PADDING);
        dns_write_u16(w, (uint16_t)pad);
        for (uint32_t i = 0; i < pad; i++)
            dns_write_u8(w, 0);
    }
}
