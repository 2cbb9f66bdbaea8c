// SPDX-License-Identifier: MIT
#include "dns/edns.h"

#include "dns/message.h"

#include <string.h>

#define OPT_FIXED_LEN 11u /* root, type, class, TTL and RDLENGTH */

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

/* Octets of the UTF-8 character that begins here and is no control character; 0: there is none. */
static uint32_t character_len(const uint8_t *data, uint32_t len)
{
    uint8_t lead = data[0];
    uint32_t want = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0x20 || lead == 0x7f || lead > 0xf4 || want > len)
        return 0;
    for (uint32_t i = 1; i < want; i++)
        if ((data[i] & 0xc0) != 0x80)
            return 0;
    bool control = lead == 0xc2 && data[1] < 0xa0; /* U+0080 to U+009F */
    bool too_long = (lead == 0xe0 && data[1] < 0xa0) || (lead == 0xf0 && data[1] < 0x90);
    bool no_scalar = (lead == 0xed && data[1] > 0x9f) || (lead == 0xf4 && data[1] > 0x8f);
    if (control || too_long || no_scalar)
        return 0;
    return want;
}

static void copy_text(char text[static DNS_EDE_TEXT_MAX + 1], const uint8_t *data, uint32_t len)
{
    uint32_t n = 0;
    while (len > 0) {
        uint32_t octets = character_len(data, len);
        uint32_t step = octets > 0 ? octets : 1;
        if (step > DNS_EDE_TEXT_MAX - n)
            break;
        if (octets > 0)
            memcpy(text + n, data, octets);
        else
            text[n] = '?';
        n += step;
        data += step;
        len -= step;
    }
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
    return OPT_FIXED_LEN + ede_len(opt->ede) + (opt->extra ? 4u + opt->extra->len : 0u) +
           (opt->keepalive ? 6u : 0u);
}

/* Octets of the whole padding option, 0 for none. When the multiple is out of reach, as much as
 * there is room for: padding never makes a message fail. */
static uint32_t padding_len(const struct dns_writer *w, const struct dns_opt_out *opt)
{
    uint32_t before = w->off + dns_opt_len(opt);
    if (opt->pad_to == 0 || w->err != DNS_OK || before > w->cap || w->cap - before < 4)
        return 0;
    uint32_t over = (before + 4u) % opt->pad_to;
    uint32_t wanted = 4u + (over > 0 ? opt->pad_to - over : 0);
    return wanted < w->cap - before ? wanted : w->cap - before;
}

static void write_ede(struct dns_writer *w, const struct dns_ede *ede)
{
    uint32_t len = ede_len(ede);
    if (len == 0)
        return;
    dns_write_u16(w, DNS_OPTION_EDE);
    dns_write_u16(w, (uint16_t)(len - 4u));
    dns_write_u16(w, ede->code);
    dns_write_bytes(w, ede->text, len - 6u);
}

static void write_padding(struct dns_writer *w, uint32_t len)
{
    static const uint8_t zeros[64];
    if (len == 0)
        return;
    dns_write_u16(w, DNS_OPTION_PADDING);
    dns_write_u16(w, (uint16_t)(len - 4u));
    for (uint32_t left = len - 4u; left > 0;) {
        uint32_t now = left < sizeof zeros ? left : (uint32_t)sizeof zeros;
        dns_write_bytes(w, zeros, now);
        left -= now;
    }
}

void dns_write_opt(struct dns_writer *w, const struct dns_opt_out *opt)
{
    uint32_t padding = padding_len(w, opt);
    dns_write_u8(w, 0); /* the root */
    dns_write_u16(w, DNS_TYPE_OPT);
    dns_write_u16(w, opt->udp_size);
    dns_write_u8(w, opt->rcode_high);
    dns_write_u8(w, 0); /* version */
    dns_write_u16(w, opt->dnssec_ok ? 0x8000 : 0);
    dns_write_u16(w, (uint16_t)(dns_opt_len(opt) - OPT_FIXED_LEN + padding));
    write_ede(w, opt->ede);
    if (opt->extra) {
        dns_write_u16(w, opt->extra->code);
        dns_write_u16(w, opt->extra->len);
        dns_write_bytes(w, opt->extra->data, opt->extra->len);
    }
    if (opt->keepalive) {
        dns_write_u16(w, DNS_OPTION_KEEPALIVE);
        dns_write_u16(w, 2);
        dns_write_u16(w, opt->keepalive_ds);
    }
    write_padding(w, padding); /* last, so that it can count all that is before it */
}
