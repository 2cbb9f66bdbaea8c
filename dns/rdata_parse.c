// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN_MAX 4096u

/* Words of one line: blanks separate, quotes group. Escapes are left in place for whoever reads the
 * word; `quoted` tells "" from nothing. */
struct words {
    const char *at;
    char token[TOKEN_MAX];
    bool quoted;
    bool bad;
};

static bool more(const struct words *w)
{
    const char *p = w->at;
    while (*p == ' ' || *p == '\t')
        p++;
    return *p != '\0' && *p != ';';
}

static bool next(struct words *w)
{
    size_t n = 0;
    while (*w->at == ' ' || *w->at == '\t')
        w->at++;
    bool inside = false;
    w->quoted = false;
    for (; *w->at && (inside || (*w->at != ' ' && *w->at != '\t' && *w->at != ';')); w->at++) {
        if (n + 3 > TOKEN_MAX) {
            w->bad = true;
            return false;
        }
        if (*w->at == '"') {
            inside = !inside;
            w->quoted = true;
            continue;
        }
        if (*w->at == '\\' && w->at[1] != '\0')
            w->token[n++] = *w->at++;
        w->token[n++] = *w->at;
    }
    w->token[n] = '\0';
    w->bad = w->bad || inside;
    return !w->bad && (n > 0 || w->quoted);
}

/* One octet of a word, escapes undone; -1 at its end, -2 when not legal. */
static int octet(const char **p)
{
    if (**p == '\0')
        return -1;
    if (**p != '\\')
        return (uint8_t) * (*p)++;
    (*p)++;
    if (**p < '0' || **p > '9')
        return **p ? (uint8_t) * (*p)++ : -2;
    int value = 0;
    for (unsigned i = 0; i < 3; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -2;
        value = value * 10 + (**p - '0');
    }
    return value <= 255 ? value : -2;
}

static enum dns_err parse_octets(const char *p, struct dns_writer *w)
{
    int c;
    while ((c = octet(&p)) >= 0)
        dns_write_u8(w, (uint8_t)c);
    return c == -2 ? DNS_E_TEXT : w->err;
}

static enum dns_err parse_string(const char *p, struct dns_writer *w)
{
    uint8_t data[255];
    struct dns_writer string = dns_writer_init(data, sizeof data);
    enum dns_err err = parse_octets(p, &string);
    if (err != DNS_OK)
        return err;
    dns_write_u8(w, (uint8_t)string.off);
    dns_write_bytes(w, data, string.off);
    return w->err;
}

static enum dns_err parse_number(const char *text, uint32_t most, uint32_t *ret)
{
    char *end;
    if (*text < '0' || *text > '9')
        return DNS_E_TEXT;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value > most)
        return DNS_E_TEXT;
    *ret = (uint32_t)value;
    return DNS_OK;
}

static enum dns_err parse_time(const char *text, struct dns_writer *w)
{
    uint32_t value;
    if (strlen(text) == 14) {
        struct tm tm = {0};
        const char *end = strptime(text, "%Y%m%d%H%M%S", &tm);
        if (!end || *end != '\0')
            return DNS_E_TEXT;
        value = (uint32_t)timegm(&tm);
    } else if (parse_number(text, UINT32_MAX, &value) != DNS_OK) {
        return DNS_E_TEXT;
    }
    dns_write_u32(w, value);
    return w->err;
}

static enum dns_err parse_address(int family, const char *text, struct dns_writer *w)
{
    uint8_t octets[16];
    if (inet_pton(family, text, octets) != 1)
        return DNS_E_TEXT;
    dns_write_bytes(w, octets, family == AF_INET ? 4 : 16);
    return w->err;
}

static enum dns_err parse_name(const char *text, const struct dns_name *origin,
                               struct dns_writer *w)
{
    struct dns_name name;
    enum dns_err err = dns_name_parse_relative(text, origin, &name);
    if (err == DNS_OK)
        dns_write_name(w, &name);
    return err != DNS_OK ? err : w->err;
}

/* All words to the end as one, blanks gone: base64 and hex are often split. */
static enum dns_err parse_joined(struct words *words, struct dns_writer *w,
                                 enum dns_err (*read)(const char *, struct dns_writer *))
{
    static const size_t most = 2u * DNS_MSG_MAX;
    char *joined = malloc(most + 1);
    size_t n = 0;
    enum dns_err err = joined ? DNS_OK : DNS_E_SPACE;
    do {
        size_t len = strlen(words->token);
        if (n + len > most)
            err = DNS_E_TEXT;
        if (err == DNS_OK)
            memcpy(joined + n, words->token, len + 1);
        n += len;
    } while (err == DNS_OK && more(words) && next(words));
    if (err == DNS_OK)
        err = read(joined, w);
    free(joined);
    return err;
}

static enum dns_err parse_bitmap(struct words *words, bool have, struct dns_writer *w)
{
    uint8_t set[8192] = {0};
    for (; have; have = more(words) && next(words)) {
        uint16_t type;
        if (dns_type_parse(words->token, &type) != DNS_OK)
            return DNS_E_TEXT;
        set[type / 8] = (uint8_t)(set[type / 8] | 0x80 >> (type % 8));
    }
    for (unsigned window = 0; window < 256; window++) {
        unsigned len = 32;
        while (len > 0 && set[window * 32 + len - 1] == 0)
            len--;
        if (len == 0)
            continue;
        dns_write_u8(w, (uint8_t)window);
        dns_write_u8(w, (uint8_t)len);
        dns_write_bytes(w, set + window * 32, len);
    }
    return w->err;
}

static enum dns_err parse_counted(const char *text, bool salt, struct dns_writer *w)
{
    uint8_t data[255];
    struct dns_writer out = dns_writer_init(data, sizeof data);
    enum dns_err err = DNS_OK;
    if (!salt)
        err = dns_base32hex_read(text, strlen(text), &out);
    else if (strcmp(text, "-") != 0)
        err = dns_hex_read(text, &out);
    if (err != DNS_OK)
        return err;
    dns_write_u8(w, (uint8_t)out.off);
    dns_write_bytes(w, data, out.off);
    return w->err;
}

static enum dns_err parse_groups(const char *text, unsigned groups, unsigned digits, char separator,
                                 struct dns_writer *w)
{
    for (unsigned g = 0; g < groups; g++) {
        unsigned value = 0;
        unsigned n = 0;
        for (; n < digits && strchr("0123456789abcdefABCDEF", *text) && *text; n++, text++)
            value = value * 16 + (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
        if (n == 0 || (g + 1 < groups && *text++ != separator))
            return DNS_E_TEXT;
        if (digits == 4)
            dns_write_u16(w, (uint16_t)value);
        else
            dns_write_u8(w, (uint8_t)value);
    }
    return *text ? DNS_E_TEXT : w->err;
}

static enum dns_err parse_field(enum dns_field field, struct words *words,
                                const struct dns_name *origin, struct dns_writer *w)
{
    bool optional = field == DNS_FIELD_BITMAP || field == DNS_FIELD_SVCPARAMS ||
                    field == DNS_FIELD_HEX || field == DNS_FIELD_BASE64;
    bool have = more(words) && next(words);
    uint32_t value = 0;
    uint16_t type = 0;
    if (words->bad || (!have && !optional))
        return DNS_E_TEXT;
    if (!have)
        return DNS_OK;
    const char *token = words->token;
    switch (field) {
    case DNS_FIELD_U8:
        if (parse_number(token, UINT8_MAX, &value) != DNS_OK)
            return DNS_E_TEXT;
        dns_write_u8(w, (uint8_t)value);
        return w->err;
    case DNS_FIELD_ALGORITHM: {
        uint8_t algorithm;
        if (dns_algorithm_parse(token, &algorithm) != DNS_OK)
            return DNS_E_TEXT;
        dns_write_u8(w, algorithm);
        return w->err;
    }
    case DNS_FIELD_U16:
        if (parse_number(token, UINT16_MAX, &value) != DNS_OK)
            return DNS_E_TEXT;
        dns_write_u16(w, (uint16_t)value);
        return w->err;
    case DNS_FIELD_U32:
        if (parse_number(token, UINT32_MAX, &value) != DNS_OK)
            return DNS_E_TEXT;
        dns_write_u32(w, value);
        return w->err;
    case DNS_FIELD_TYPE:
        if (dns_type_parse(token, &type) != DNS_OK)
            return DNS_E_TEXT;
        dns_write_u16(w, type);
        return w->err;
    case DNS_FIELD_TIME: return parse_time(token, w);
    case DNS_FIELD_IPV4: return parse_address(AF_INET, token, w);
    case DNS_FIELD_IPV6: return parse_address(AF_INET6, token, w);
    case DNS_FIELD_NAME: return parse_name(token, origin, w);
    case DNS_FIELD_STRING:
    case DNS_FIELD_TAG: return parse_string(token, w);
    case DNS_FIELD_STRINGS: {
        enum dns_err err = parse_string(token, w);
        while (err == DNS_OK && more(words))
            err = next(words) ? parse_string(words->token, w) : DNS_E_TEXT;
        return err;
    }
    case DNS_FIELD_REST_TEXT: return parse_octets(token, w);
    case DNS_FIELD_SALT:
    case DNS_FIELD_HASH: return parse_counted(token, field == DNS_FIELD_SALT, w);
    case DNS_FIELD_BITMAP: return parse_bitmap(words, have, w);
    case DNS_FIELD_BASE64: return parse_joined(words, w, dns_base64_read);
    case DNS_FIELD_HEX: return parse_joined(words, w, dns_hex_read);
    case DNS_FIELD_EUI48: return parse_groups(token, 6, 2, '-', w);
    case DNS_FIELD_EUI64: return parse_groups(token, 8, 2, '-', w);
    case DNS_FIELD_NID: return parse_groups(token, 4, 4, ':', w);
    case DNS_FIELD_END:
    case DNS_FIELD_SVCPARAMS: /* has a reader of its own only as \# */
    case DNS_FIELD_REST: return DNS_E_TEXT;
    }
    return DNS_E_TEXT;
}

/* RFC 3597 5: \# length hex. */
static enum dns_err parse_unknown(struct words *words, struct dns_writer *w)
{
    uint32_t len;
    uint32_t start = w->off;
    if (!next(words) || parse_number(words->token, UINT16_MAX, &len) != DNS_OK)
        return DNS_E_TEXT;
    enum dns_err err = DNS_OK;
    if (more(words) && next(words))
        err = parse_joined(words, w, dns_hex_read);
    return err != DNS_OK ? err : w->off - start == len ? DNS_OK : DNS_E_TEXT;
}

enum dns_err dns_rdata_parse(uint16_t type, const char *text, const struct dns_name *origin,
                             struct dns_writer *w)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    struct words words = {.at = text};
    struct words ahead = words;
    if (next(&ahead) && !strcmp(ahead.token, "\\#"))
        return parse_unknown(&ahead, w);
    if (!shape)
        return DNS_E_TEXT;
    enum dns_err err = DNS_OK;
    for (const uint8_t *f = shape->fields; *f && err == DNS_OK; f++)
        err = parse_field(*f, &words, origin, w);
    if (err == DNS_OK && more(&words))
        err = DNS_E_TRAILING;
    return err;
}
