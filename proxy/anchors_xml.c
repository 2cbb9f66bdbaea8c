// SPDX-License-Identifier: MIT
#include "proxy/anchors_xml.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_MAX 2048u /* a PublicKey of RSA-4096 has about 700 octets */
#define KEYS_MAX 64u

enum field { F_ZONE, F_TAG, F_ALGORITHM, F_TYPE, F_DIGEST, F_KEY, F_FLAGS, F_NONE };

static const struct {
    const char *element;
    unsigned depth; /* below which TrustAnchor (1) or KeyDigest (2) */
} fields[F_NONE] = {
    [F_ZONE] = {"Zone", 1},       [F_TAG] = {"KeyTag", 2},    [F_ALGORITHM] = {"Algorithm", 2},
    [F_TYPE] = {"DigestType", 2}, [F_DIGEST] = {"Digest", 2}, [F_KEY] = {"PublicKey", 2},
    [F_FLAGS] = {"Flags", 2},
};

struct key_digest {
    unsigned line;
    uint64_t from_s, until_s;
    bool given[F_NONE];
    char value[F_NONE][VALUE_MAX];
};

struct reading {
    XML_Parser parser;
    struct val_anchors *anchors;
    const char *name;
    struct anchors_xml_error *error;
    bool failed;
    unsigned depth;
    unsigned skipped; /* elements that mean nothing here and are open */
    enum field field; /* the element whose text is being read */
    size_t len;
    bool has_zone, in_key;
    struct dns_name zone;
    struct key_digest key;
    unsigned count;
};

__attribute__((format(printf, 2, 3))) static void fail(struct reading *r, const char *format, ...)
{
    va_list arguments;
    if (r->failed)
        return;
    r->failed = true;
    r->error->line = (unsigned)XML_GetCurrentLineNumber(r->parser);
    r->error->column = (unsigned)XML_GetCurrentColumnNumber(r->parser) + 1;
    va_start(arguments, format);
    (void)vsnprintf(r->error->text, sizeof r->error->text, format, arguments);
    va_end(arguments);
    (void)XML_StopParser(r->parser, XML_FALSE);
}

/* --- values ---------------------------------------------------------------------------------- */

/* Exactly `digits` of them. */
static bool digits(const char **p, unsigned count, int *ret)
{
    *ret = 0;
    for (; count > 0; count--, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *ret = *ret * 10 + (**p - '0');
    }
    return true;
}

static bool literal(const char **p, char want)
{
    if (**p != want)
        return false;
    (*p)++;
    return true;
}

/* "+00:00", "-05:30", "Z". */
static bool zone_offset(const char *p, int64_t *ret)
{
    int hours;
    int minutes;
    bool west = *p == '-';
    if (!strcmp(p, "Z")) {
        *ret = 0;
        return true;
    }
    if (*p != '+' && *p != '-')
        return false;
    p++;
    if (!digits(&p, 2, &hours) || !literal(&p, ':') || !digits(&p, 2, &minutes) || *p != '\0' ||
        hours > 14 || minutes > 59)
        return false;
    *ret = ((int64_t)hours * 3600 + (int64_t)minutes * 60) * (west ? -1 : 1);
    return true;
}

/* xsd:dateTime as RFC 9718 2.1.1 uses it: 2017-02-02T00:00:00+00:00. */
static bool moment(const char *p, uint64_t *ret)
{
    struct tm tm = {0};
    int64_t offset;
    if (!digits(&p, 4, &tm.tm_year) || !literal(&p, '-') || !digits(&p, 2, &tm.tm_mon) ||
        !literal(&p, '-') || !digits(&p, 2, &tm.tm_mday) || !literal(&p, 'T') ||
        !digits(&p, 2, &tm.tm_hour) || !literal(&p, ':') || !digits(&p, 2, &tm.tm_min) ||
        !literal(&p, ':') || !digits(&p, 2, &tm.tm_sec) || !zone_offset(p, &offset))
        return false;
    if (tm.tm_year < 1971 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret = (uint64_t)((int64_t)timegm(&tm) - offset);
    return true;
}

static bool number(const char *text, unsigned long most, unsigned *ret)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value > most)
        return false;
    *ret = (unsigned)value;
    return true;
}

/* Without the blanks around. */
static void trim(char *text)
{
    size_t lead = strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len > lead && strchr(" \t\r\n", text[len - 1]))
        len--;
    memmove(text, text + lead, len - lead);
    text[len - lead] = '\0';
}

/* --- a KeyDigest ----------------------------------------------------------------------------- */

/* The key itself, where it is given (RFC 9718 2.1.2), has to be the one that the digest is of. */
static bool key_fits(const struct reading *r, unsigned algorithm, const struct dns_ds *ds)
{
    uint8_t rdata[VALUE_MAX];
    uint8_t digest[48];
    unsigned flags = DNS_KEY_ZONE | DNS_KEY_SEP;
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    if (!r->key.given[F_KEY])
        return true;
    if (r->key.given[F_FLAGS] && !number(r->key.value[F_FLAGS], UINT16_MAX, &flags))
        return false;
    dns_write_u16(&w, (uint16_t)flags);
    dns_write_u8(&w, 3);
    dns_write_u8(&w, (uint8_t)algorithm);
    if (dns_base64_read(r->key.value[F_KEY], &w) != DNS_OK)
        return false;
    uint32_t len = val_ds_digest(&r->zone, rdata, w.off, ds->digest_type, digest);
    return dns_key_tag(rdata, w.off) == ds->key_tag && len == ds->digest_len &&
           memcmp(digest, ds->digest, len) == 0;
}

static void add(struct reading *r, const uint8_t *rdata, uint32_t len)
{
    char *source = NULL;
    struct val_anchor anchor = {r->zone, {rdata, len}, r->key.from_s, r->key.until_s, NULL};
    if (asprintf(&source, "%s:%u", r->name, r->key.line) < 0) {
        fail(r, "out of memory");
        return;
    }
    anchor.source = source;
    enum dns_err err = val_anchors_add(r->anchors, &anchor);
    if (err != DNS_OK)
        fail(r, "KeyDigest: the digest does not fit its type");
    free(source);
}

static void key_end(struct reading *r)
{
    uint8_t rdata[VALUE_MAX];
    unsigned tag;
    unsigned algorithm;
    unsigned type;
    struct dns_ds ds;
    uint8_t digest[48];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    r->in_key = false;
    for (enum field f = F_TAG; f <= F_DIGEST; f++)
        if (!r->key.given[f]) {
            fail(r, "KeyDigest without %s", fields[f].element);
            return;
        }
    if (!number(r->key.value[F_TAG], UINT16_MAX, &tag) ||
        !number(r->key.value[F_ALGORITHM], UINT8_MAX, &algorithm) ||
        !number(r->key.value[F_TYPE], UINT8_MAX, &type)) {
        fail(r, "KeyDigest: KeyTag, Algorithm or DigestType is not such a number");
        return;
    }
    dns_write_u16(&w, (uint16_t)tag);
    dns_write_u8(&w, (uint8_t)algorithm);
    dns_write_u8(&w, (uint8_t)type);
    if (dns_hex_read(r->key.value[F_DIGEST], &w) != DNS_OK ||
        dns_ds_read(dns_reader_init(rdata, w.off), &ds) != DNS_OK)
        fail(r, "KeyDigest: Digest is not in hexadecimal");
    else if (!key_fits(r, algorithm, &ds))
        fail(r, "KeyDigest: PublicKey is not the key that KeyTag and Digest are of");
    else if (val_ds_digest(&r->zone, NULL, 0, ds.digest_type, digest) > 0)
        add(r, rdata, w.off); /* a type that is not known here is no mistake of the file's */
}

static void key_start(struct reading *r, const char **attributes)
{
    bool has_from = false;
    if (!r->has_zone || ++r->count > KEYS_MAX) {
        fail(r, r->has_zone ? "more KeyDigest elements than 64" : "KeyDigest before Zone");
        return;
    }
    memset(&r->key, 0, sizeof r->key);
    r->in_key = true;
    r->key.line = (unsigned)XML_GetCurrentLineNumber(r->parser);
    r->key.until_s = VAL_ANCHOR_ALWAYS;
    for (; attributes[0]; attributes += 2) {
        bool from = !strcmp(attributes[0], "validFrom");
        has_from = has_from || from;
        if (!from && strcmp(attributes[0], "validUntil") != 0)
            continue;
        if (!moment(attributes[1], from ? &r->key.from_s : &r->key.until_s))
            fail(r, "%s is not a time like 2017-02-02T00:00:00+00:00", attributes[0]);
    }
    if (!has_from)
        fail(r, "KeyDigest without validFrom");
}

/* --- events ---------------------------------------------------------------------------------- */

static enum field field_named(const struct reading *r, const char *name)
{
    for (enum field f = 0; f < F_NONE; f++)
        if (!strcmp(fields[f].element, name) && fields[f].depth == r->depth &&
            r->in_key == (fields[f].depth == 2))
            return f;
    return F_NONE;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *r = arg;
    if (r->skipped > 0 || r->field != F_NONE) {
        if (r->field != F_NONE)
            fail(r, "an element inside %s", fields[r->field].element);
        r->skipped++;
        return;
    }
    if (r->depth == 0 && strcmp(name, "TrustAnchor") != 0)
        fail(r, "the outermost element is not TrustAnchor");
    if (r->depth == 1 && !strcmp(name, "KeyDigest")) {
        key_start(r, attributes);
    } else if (r->depth > 0) {
        r->field = field_named(r, name);
        if (r->field == F_NONE) {
            r->skipped = 1;
            return;
        }
        if (r->key.given[r->field] || (r->field == F_ZONE && r->has_zone))
            fail(r, "%s is given twice", name);
        r->len = 0;
    }
    r->depth++;
}

static void on_text(void *arg, const char *text, int len)
{
    struct reading *r = arg;
    if (r->field == F_NONE || r->failed || r->skipped > 0)
        return;
    if ((size_t)len >= VALUE_MAX - r->len) {
        fail(r, "%s is too long", fields[r->field].element);
        return;
    }
    memcpy(r->key.value[r->field] + r->len, text, (size_t)len);
    r->len += (size_t)len;
}

static void field_end(struct reading *r)
{
    char *value = r->key.value[r->field];
    value[r->len] = '\0';
    trim(value);
    if (r->field != F_ZONE)
        r->key.given[r->field] = true;
    else if (dns_name_parse(value, &r->zone) == DNS_OK)
        r->has_zone = true;
    else
        fail(r, "Zone is not a domain name");
    r->field = F_NONE;
}

static void on_end(void *arg, const char *name)
{
    struct reading *r = arg;
    (void)name;
    if (r->failed)
        return;
    if (r->skipped > 0) {
        r->skipped--;
        return;
    }
    r->depth--;
    if (r->field != F_NONE)
        field_end(r);
    else if (r->in_key)
        key_end(r);
}

/* Neither is needed, and both have been ways to make a small file large. */
static void on_doctype(void *arg, const char *name, const char *system, const char *public_id,
                       int has_subset)
{
    (void)name;
    (void)system;
    (void)public_id;
    (void)has_subset;
    fail(arg, "document types and entities are not taken");
}

/* --- the file -------------------------------------------------------------------------------- */

bool anchors_xml_is(const char *text)
{
    text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return text[strspn(text, " \t\r\n")] == '<';
}

static void parse(struct reading *r, const char *text, size_t len)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (XML_Parse(r->parser, text, (int)len, XML_TRUE) != XML_STATUS_OK && !r->failed)
        fail(r, "not valid XML: %s", XML_ErrorString(XML_GetErrorCode(r->parser)));
}

bool anchors_xml_add(struct val_anchors *anchors, const char *name, const char *text, size_t len,
                     struct anchors_xml_error *ret_error)
{
    struct reading *r = calloc(1, sizeof *r);
    *ret_error = (struct anchors_xml_error){1, 1, "out of memory"};
    if (!r)
        return false;
    *r = (struct reading){.anchors = anchors, .name = name, .error = ret_error, .field = F_NONE};
    r->parser = XML_ParserCreate("UTF-8");
    bool ok = false;
    if (len > ANCHORS_XML_MAX) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "larger than 64 KiB");
    } else if (r->parser) {
        parse(r, text, len);
        ok = !r->failed;
    }
    if (r->parser)
        XML_ParserFree(r->parser);
    free(r);
    return ok;
}
