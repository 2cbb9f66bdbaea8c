// SPDX-License-Identifier: MIT
#include "dns/writer.h"

#include <string.h>

struct dns_writer dns_writer_init(void *buf, size_t cap)
{
    return (struct dns_writer){.buf = buf, .cap = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap};
}

void dns_write_bytes(struct dns_writer *w, const void *bytes, size_t len)
{
    if (w->err == DNS_OK && len > w->cap - w->off)
        w->err = DNS_E_SPACE;
    if (w->err != DNS_OK || len == 0)
        return;
    memcpy(w->buf + w->off, bytes, len);
    w->off += (uint32_t)len;
}

void dns_write_u8(struct dns_writer *w, uint8_t value)
{
    dns_write_bytes(w, &value, 1);
}

void dns_write_u16(struct dns_writer *w, uint16_t value)
{
    const uint8_t octets[] = {(uint8_t)(value >> 8), (uint8_t)value};
    dns_write_bytes(w, octets, sizeof octets);
}

void dns_write_u32(struct dns_writer *w, uint32_t value)
{
    const uint8_t octets[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    dns_write_bytes(w, octets, sizeof octets);
}

void dns_write_patch_u16(struct dns_writer *w, uint32_t off, uint16_t value)
{
    if (w->err != DNS_OK)
        return;
    if (off > w->off || w->off - off < 2) {
        w->err = DNS_E_FORM;
        return;
    }
    w->buf[off] = (uint8_t)(value >> 8);
    w->buf[off + 1] = (uint8_t)value;
}
