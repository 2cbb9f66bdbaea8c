// SPDX-License-Identifier: MIT
#include "dns/reader.h"

struct dns_reader dns_reader_init(const void *buf, size_t len)
{
    static const uint8_t nothing[1];
    struct dns_reader r = {.buf = len > 0 ? buf : nothing}; /* NULL with 0 octets is fine */
    if (len > UINT32_MAX)
        r.err = DNS_E_COUNT;
    else
        r.end = (uint32_t)len;
    return r;
}

const uint8_t *dns_read_bytes(struct dns_reader *r, uint32_t len)
{
    if (r->err == DNS_OK && len > r->end - r->off)
        r->err = DNS_E_SHORT;
    if (r->err != DNS_OK)
        return NULL;
    const uint8_t *p = r->buf + r->off;
    r->off += len;
    return p;
}

uint8_t dns_read_u8(struct dns_reader *r)
{
    const uint8_t *p = dns_read_bytes(r, 1);
    return p ? p[0] : 0;
}

uint16_t dns_read_u16(struct dns_reader *r)
{
    const uint8_t *p = dns_read_bytes(r, 2);
    if (!p)
        return 0;
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t dns_read_u32(struct dns_reader *r)
{
    const uint8_t *p = dns_read_bytes(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

struct dns_reader dns_read_child(struct dns_reader *r, uint32_t len)
{
    struct dns_reader child = *r;
    if (dns_read_bytes(r, len))
        child.end = child.off + len;
    else
        child.err = r->err;
    return child;
}

uint32_t dns_reader_left(const struct dns_reader *r)
{
    return r->err == DNS_OK ? r->end - r->off : 0;
}

enum dns_err dns_reader_finish(const struct dns_reader *r)
{
    if (r->err != DNS_OK)
        return r->err;
    return r->off == r->end ? DNS_OK : DNS_E_TRAILING;
}
