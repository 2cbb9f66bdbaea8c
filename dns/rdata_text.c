// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Text under construction; the first lack of room sticks. */
struct text {
    char *at;
    size_t off, cap;
    bool full;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = t->full ? -1 : vsnprintf(t->at + t->off, t->cap - t->off, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->cap - t->off)
        t->full = true;
    else
        t->off += (size_t)n;
}

static void put_quoted(struct text *t, const uint8_t *data, uint32_t len)
{
    put(t, "\"");
    for (uint32_t i = 0; i < len; i++) {
        if (data[i] == '"' || data[i] == '\\')
            put(t, "\\%c", data[i]);
        else if (data[i] >= 0x20 && data[i] < 0x7f)
            put(t, "%c", data[i]);
        else
            put(t, "\\%03u", data[i]);
    }
    put(t, "\"");
}

static void put_hex(struct text *t, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        put(t, "%02X", data[i]);
}

static void put_coded(struct text *t, const uint8_t *data, uint32_t len,
                      size_t (*code)(const uint8_t *, size_t, char *, size_t))
{
    if (t->full || len == 0)
        return;
    size_t n = code(data, len, t->at + t->off, t->cap - t->off);
    t->full = n == 0;
    t->off += n;
}

static void put_time(struct text *t, uint32_t value)
{
    time_t when = (time_t)value;
    struct tm tm;
    char text[32];
    if (gmtime_r(&when, &tm) && strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm) > 0)
        put(t, "%s", text);
    else
        put(t, "%" PRIu32, value);
}

static void put_strings(struct text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        const uint8_t *data = dns_read_bytes(&r, len);
        if (!data)
            return;
        put(t, "%s", blank);
        put_quoted(t, data, len);
        blank = " ";
    }
}

static void put_bitmap(struct text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        uint8_t window = dns_read_u8(&r);
        uint8_t len = dns_read_u8(&r);
        const uint8_t *bits = dns_read_bytes(&r, len);
        for (unsigned i = 0; bits && i < len * 8u; i++) {
            char name[DNS_NUMBER_TEXT_MAX];
            if (!(bits[i / 8] & (0x80 >> (i % 8))))
                continue;
            put(t, "%s%s", blank, dns_type_text((uint16_t)(window << 8 | i), name));
            blank = " ";
        }
    }
}

static const char *const svc_keys[] = {"mandatory", "alpn",     "no-default-alpn",
                                       "port",      "ipv4hint", "ech",
                                       "ipv6hint",  "dohpath",  "ohttp"};

static void put_svc_name(struct text *t, uint16_t key)
{
    if (key < sizeof svc_keys / sizeof *svc_keys)
        put(t, "%s", svc_keys[key]);
    else
        put(t, "key%u", key);
}

static void put_svc_alpn(struct text *t, struct dns_reader r)
{
    const char *comma = "\"";
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        const uint8_t *id = dns_read_bytes(&r, len);
        put(t, "%s", comma);
        for (unsigned i = 0; id && i < len; i++) {
            if (id[i] == ',' || id[i] == '\\') /* escaped in the list, and again in the string */
                put(t, "\\\\%s%c", id[i] == '\\' ? "\\" : "", id[i]);
            else if (id[i] == '"')
                put(t, "\\\"");
            else if (id[i] > 0x20 && id[i] < 0x7f)
                put(t, "%c", id[i]);
            else
                put(t, "\\%03u", id[i]);
        }
        comma = ",";
    }
    put(t, "\"");
}

static void put_svc_value(struct text *t, uint16_t key, struct dns_reader r)
{
    uint32_t len = dns_reader_left(&r);
    char address[INET6_ADDRSTRLEN];
    uint32_t step = key == 4 ? 4 : key == 6 ? 16 : 2;
    bool list = (key == 0 || key == 4 || key == 6) && len > 0 && len % step == 0;
    if (key == 1) {
        put_svc_alpn(t, r);
    } else if (key == 3 && len == 2) {
        put(t, "%u", dns_read_u16(&r));
    } else if (list) {
        for (uint32_t i = 0; i < len; i += step) {
            put(t, "%s", i ? "," : "");
            if (key == 0)
                put_svc_name(t, dns_read_u16(&r));
            else if (inet_ntop(key == 4 ? AF_INET : AF_INET6, dns_read_bytes(&r, step), address,
                               sizeof address))
                put(t, "%s", address);
        }
    } else if (key == 5) {
        put(t, "\"");
        put_coded(t, dns_read_bytes(&r, len), len, dns_base64_text);
        put(t, "\"");
    } else {
        put_quoted(t, dns_read_bytes(&r, len), len);
    }
}

static void put_svcparams(struct text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        uint16_t key = dns_read_u16(&r);
        uint16_t len = dns_read_u16(&r);
        struct dns_reader value = dns_read_child(&r, len);
        put(t, "%s", blank);
        put_svc_name(t, key);
        if (len > 0) {
            put(t, "=");
            put_svc_value(t, key, value);
        }
        blank = " ";
    }
}

static void put_eui(struct text *t, const uint8_t *octets, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put(t, "%s%02x", i ? "-" : "", octets[i]);
}

static void put_name(struct text *t, struct dns_reader r)
{
    struct dns_name name;
    char text[DNS_NAME_TEXT_MAX];
    if (dns_name_read(&r, &name) == DNS_OK) {
        (void)dns_name_text(&name, text);
        put(t, "%s", text);
    }
}

static void put_address(struct text *t, int family, const uint8_t *octets)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, octets, text, sizeof text))
        put(t, "%s", text);
}

/* One field whose octets, already checked, are just those of `r`. */
static void put_field(struct text *t, enum dns_field field, struct dns_reader r)
{
    const uint8_t *octets = r.buf + r.off;
    uint32_t len = dns_reader_left(&r);
    char name[DNS_NUMBER_TEXT_MAX];
    switch (field) {
    case DNS_FIELD_END: return;
    case DNS_FIELD_U8:
    case DNS_FIELD_ALGORITHM: put(t, "%u", dns_read_u8(&r)); return;
    case DNS_FIELD_U16: put(t, "%u", dns_read_u16(&r)); return;
    case DNS_FIELD_U32: put(t, "%" PRIu32, dns_read_u32(&r)); return;
    case DNS_FIELD_TYPE: put(t, "%s", dns_type_text(dns_read_u16(&r), name)); return;
    case DNS_FIELD_TIME: put_time(t, dns_read_u32(&r)); return;
    case DNS_FIELD_IPV4: put_address(t, AF_INET, octets); return;
    case DNS_FIELD_IPV6: put_address(t, AF_INET6, octets); return;
    case DNS_FIELD_NAME: put_name(t, r); return;
    case DNS_FIELD_STRING:
    case DNS_FIELD_STRINGS: put_strings(t, r); return;
    case DNS_FIELD_TAG: put(t, "%.*s", (int)(len - 1), (const char *)octets + 1); return;
    case DNS_FIELD_REST_TEXT: put_quoted(t, octets, len); return;
    case DNS_FIELD_SALT:
        if (len == 1)
            put(t, "-");
        put_hex(t, octets + 1, len - 1);
        return;
    case DNS_FIELD_HASH: put_coded(t, octets + 1, len - 1, dns_base32hex_text); return;
    case DNS_FIELD_BITMAP: put_bitmap(t, r); return;
    case DNS_FIELD_BASE64: put_coded(t, octets, len, dns_base64_text); return;
    case DNS_FIELD_HEX: put_hex(t, octets, len); return;
    case DNS_FIELD_EUI48:
    case DNS_FIELD_EUI64: put_eui(t, octets, len); return;
    case DNS_FIELD_NID:
        for (unsigned i = 0; i < 4; i++)
            put(t, "%s%x", i ? ":" : "", dns_read_u16(&r));
        return;
    case DNS_FIELD_SVCPARAMS: put_svcparams(t, r); return;
    case DNS_FIELD_REST: return;
    }
}

/* Types whose fields all have a presentation form of their own. */
static bool printable(const struct dns_rdata_shape *shape)
{
    if (!shape)
        return false;
    for (const uint8_t *f = shape->fields; *f; f++)
        if (*f == DNS_FIELD_REST)
            return false;
    return true;
}

static bool tag_is_word(const uint8_t *tag, uint32_t len)
{
    for (uint32_t i = 1; i < len; i++)
        if (tag[i] <= ' ' || tag[i] >= 0x7f || tag[i] == '"' || tag[i] == '\\' || tag[i] == ';')
            return false;
    return len > 1;
}

static void put_unknown(struct text *t, const uint8_t *rdata, uint32_t len)
{
    put(t, "\\# %" PRIu32 "%s", len, len ? " " : "");
    put_hex(t, rdata, len);
}

size_t dns_rdata_text(uint16_t type, const uint8_t *rdata, uint32_t len, char *text, size_t cap)
{
    struct text t = {.at = text, .cap = cap};
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    struct dns_reader r = dns_reader_init(rdata, len);
    if (cap == 0)
        return 0;
    text[0] = '\0';
    if (!printable(shape)) {
        put_unknown(&t, rdata, len);
        return t.full ? 0 : t.off;
    }
    for (const uint8_t *f = shape->fields; *f && r.err == DNS_OK; f++) {
        struct dns_reader field = r;
        dns_field_skip(&r, *f, NULL);
        if (r.err != DNS_OK)
            break;
        field.end = r.off;
        if (*f == DNS_FIELD_TAG && !tag_is_word(field.buf + field.off, field.end - field.off)) {
            t.off = 0; /* an illegal CAA tag: RFC 3597's form keeps it readable back */
            put_unknown(&t, rdata, len);
            return t.full ? 0 : t.off;
        }
        put(&t, "%s", f == shape->fields || field.off == field.end ? "" : " ");
        put_field(&t, *f, field);
    }
    return dns_reader_finish(&r) == DNS_OK && !t.full ? t.off : 0;
}
