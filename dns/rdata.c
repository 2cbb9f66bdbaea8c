// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

/* Nothing in it may be compressed: it is what it is. */
static enum dns_err copy_plain(struct dns_reader r, const uint8_t *fields, struct dns_writer *w)
{
    uint32_t from = r.off;
    for (const uint8_t *f = fields; *f && r.err == DNS_OK; f++)
        dns_field_skip(&r, *f);
    enum dns_err err = dns_reader_finish(&r);
    if (err == DNS_OK)
        dns_write_bytes(w, r.buf + from, r.off - from);
    return err != DNS_OK ? err : w->err;
}

enum dns_err dns_rdata_expand(const struct dns_msg *msg, const struct dns_rr *rr,
                              struct dns_writer *w)
{
    struct dns_reader r = dns_rr_rdata(msg, rr);
    const struct dns_rdata_shape *shape = dns_rdata_shape(rr->type);
    enum dns_rdata_names names = shape ? shape->names : DNS_NAMES_PLAIN;
    uint32_t start = w->off;
    if (names == DNS_NAMES_PLAIN)
        return copy_plain(r, dns_rdata_fields(shape), w);
    for (const uint8_t *f = dns_rdata_fields(shape); *f && r.err == DNS_OK; f++) {
        struct dns_name name;
        uint32_t from = r.off;
        dns_field_read(&r, *f, names, &name);
        if (r.err != DNS_OK)
            break;
        if (dns_field_is_name(*f) && r.off > from)
            dns_write_name(w, &name);
        else
            dns_write_bytes(w, r.buf + from, r.off - from);
    }
    enum dns_err err = dns_reader_finish(&r);
    if (err == DNS_OK && w->err == DNS_OK && w->off - start > UINT16_MAX)
        err = DNS_E_SPACE; /* no RDLENGTH could say so */
    return err != DNS_OK ? err : w->err;
}

enum dns_err dns_rdata_canonical(uint16_t type, uint8_t *rdata, uint32_t len)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    if (!shape || !shape->lower)
        return DNS_OK;
    struct dns_reader r = dns_reader_init(rdata, len);
    for (const uint8_t *f = shape->fields; *f && r.err == DNS_OK; f++) {
        uint32_t from = r.off;
        dns_field_skip(&r, *f);
        if (!dns_field_is_name(*f) || r.err != DNS_OK)
            continue;
        for (uint32_t i = from; i < r.off; i++)
            if (rdata[i] >= 'A' && rdata[i] <= 'Z') /* length octets are below 'A' */
                rdata[i] = (uint8_t)(rdata[i] + ('a' - 'A'));
    }
    return dns_reader_finish(&r);
}
