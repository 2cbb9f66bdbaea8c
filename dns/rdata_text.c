// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"
#include "dns/text_out.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

static void put_time(struct dns_text *t, uint32_t value)
{
    time_t when = (time_t)value;
    struct tm tm;
    char text[32];
    if (gmtime_r(&when, &tm) && strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm) > 0)
        dns_text_put(t, "%s", text);
    else
        dns_text_put(t, "%" PRIu32, value);
}

static void put_strings(struct dns_text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        const uint8_t *data = dns_read_bytes(&r, len);
        if (!data)
            return;
        dns_text_put(t, "%s", blank);
        dns_text_quoted(t, data, len);
        blank = " ";
    }
}

static void put_bitmap(struct dns_text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        unsigned window = dns_read_u8(&r);
        unsigned len = dns_read_u8(&r);
        const uint8_t *bits = dns_read_bytes(&r, len);
        for (unsigned i = 0; bits && i < len * 8; i++) {
            char name[DNS_NUMBER_TEXT_MAX];
            if (!(bits[i / 8] & (0x80 >> (i % 8))))
                continue;
            dns_text_put(t, "%s%s", blank, dns_type_text((uint16_t)(window << 8 | i), name));
            blank = " ";
        }
    }
}

static void put_eui(struct dns_text *t, const uint8_t *octets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        dns_text_put(t, "%s%02x", i ? "-" : "", octets[i]);
}

static void put_nid(struct dns_text *t, struct dns_reader r)
{
    for (unsigned i = 0; i < 4; i++)
        dns_text_put(t, "%s%04x", i ? ":" : "", dns_read_u16(&r));
}

static void put_name(struct dns_text *t, struct dns_reader r)
{
    struct dns_name name;
    char text[DNS_NAME_TEXT_MAX];
    if (dns_name_read_plain(&r, &name) == DNS_OK) {
        (void)dns_name_text(&name, text);
        dns_text_put(t, "%s", text);
    }
}

static void put_address(struct dns_text *t, int family, const uint8_t *octets)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, octets, text, sizeof text))
        dns_text_put(t, "%s", text);
}

static void put_salt(struct dns_text *t, const uint8_t *salt, uint32_t len)
{
    if (len == 0)
        dns_text_put(t, "-"); /* RFC 5155 3.3 */
    dns_text_hex(t, salt, len);
}

/* One field whose octets, already checked, are just those of `r`. */
static void put_field(struct dns_text *t, enum dns_field field, struct dns_reader r)
{
    const uint8_t *octets = r.buf + r.off;
    uint32_t len = dns_reader_left(&r);
    char name[DNS_NUMBER_TEXT_MAX];
    switch (field) {
    case DNS_FIELD_END: return;
    case DNS_FIELD_U8:
    case DNS_FIELD_ALGORITHM: dns_text_put(t, "%u", dns_read_u8(&r)); return;
    case DNS_FIELD_U16: dns_text_put(t, "%u", dns_read_u16(&r)); return;
    case DNS_FIELD_U32: dns_text_put(t, "%" PRIu32, dns_read_u32(&r)); return;
    case DNS_FIELD_TYPE: dns_text_put(t, "%s", dns_type_text(dns_read_u16(&r), name)); return;
    case DNS_FIELD_TIME: put_time(t, dns_read_u32(&r)); return;
    case DNS_FIELD_IPV4: put_address(t, AF_INET, octets); return;
    case DNS_FIELD_IPV6: put_address(t, AF_INET6, octets); return;
    case DNS_FIELD_NAME:
    case DNS_FIELD_NAME_MAYBE: put_name(t, r); return;
    case DNS_FIELD_STRING:
    case DNS_FIELD_STRING_MAYBE:
    case DNS_FIELD_STRINGS: put_strings(t, r); return;
    case DNS_FIELD_TAG: dns_text_put(t, "%.*s", (int)(len - 1), (const char *)octets + 1); return;
    case DNS_FIELD_REST_TEXT: dns_text_quoted(t, octets, len); return;
    case DNS_FIELD_SALT: put_salt(t, octets + 1, len - 1); return;
    case DNS_FIELD_HASH: dns_text_coded(t, octets + 1, len - 1, dns_base32hex_text); return;
    case DNS_FIELD_BITMAP: put_bitmap(t, r); return;
    case DNS_FIELD_BASE64: dns_text_coded(t, octets, len, dns_base64_text); return;
    case DNS_FIELD_HEX: dns_text_hex(t, octets, len); return;
    case DNS_FIELD_EUI48:
    case DNS_FIELD_EUI64: put_eui(t, octets, len); return;
    case DNS_FIELD_NID: put_nid(t, r); return;
    case DNS_FIELD_SVCPARAMS: dns_svcparams_text(t, r); return;
    case DNS_FIELD_A6: /* dns_rdata_text() has found no form for these two */
    case DNS_FIELD_REST: return;
    }
}

/* A CAA tag is letters and digits (RFC 8659 4.1); any other cannot be printed bare. */
static bool tag_is_word(const uint8_t *tag, uint32_t len)
{
    for (uint32_t i = 1; i < len; i++) {
        bool letter = (tag[i] | 0x20) >= 'a' && (tag[i] | 0x20) <= 'z';
        if (!letter && (tag[i] < '0' || tag[i] > '9'))
            return false;
    }
    return len > 1;
}

/* Whether every field of this RDATA, already checked, has a presentation form of its own. */
static bool has_form(const struct dns_rdata_shape *shape, struct dns_reader r)
{
    if (r.off == r.end) /* an empty line would be no form at all */
        return false;
    for (const uint8_t *f = dns_rdata_fields(shape); *f; f++) {
        uint32_t from = r.off;
        dns_field_skip(&r, *f);
        if (*f == DNS_FIELD_REST || *f == DNS_FIELD_A6)
            return false;
        if (*f == DNS_FIELD_TAG && !tag_is_word(r.buf + from, r.off - from))
            return false;
    }
    return true;
}

static void put_unknown(struct dns_text *t, const uint8_t *rdata, uint32_t len)
{
    dns_text_put(t, "\\# %" PRIu32 "%s", len, len ? " " : ""); /* RFC 3597 5 */
    dns_text_hex(t, rdata, len);
}

static void put_fields(struct dns_text *t, const struct dns_rdata_shape *shape, struct dns_reader r)
{
    for (const uint8_t *f = dns_rdata_fields(shape); *f; f++) {
        struct dns_reader field = r;
        dns_field_skip(&r, *f);
        field.end = r.off;
        bool shown = field.off < field.end || *f == DNS_FIELD_REST_TEXT;
        if (shown && f != shape->fields)
            dns_text_put(t, " ");
        if (shown)
            put_field(t, *f, field);
    }
}

size_t dns_rdata_text(uint16_t type, const uint8_t *rdata, uint32_t len, char *text, size_t cap)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    struct dns_text t = dns_text_init(text, cap);
    if (dns_rdata_check(type, rdata, len) != DNS_OK)
        return 0;
    struct dns_reader r = dns_reader_init(rdata, len);
    if (has_form(shape, r))
        put_fields(&t, shape, r);
    else
        put_unknown(&t, rdata, len);
    return t.full ? 0 : t.off;
}
