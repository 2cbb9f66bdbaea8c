// SPDX-License-Identifier: MIT
#include "dns/encoding.h"
#include "dns/rdata_table.h"
#include "dns/words.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

static enum dns_err parse_string(struct dns_word word, struct dns_writer *w)
{
    uint8_t data[UINT8_MAX];
    struct dns_writer string = dns_writer_init(data, sizeof data);
    enum dns_err err = dns_word_octets(word, &string);
    if (err != DNS_OK)
        return err;
    dns_write_u8(w, (uint8_t)string.off);
    dns_write_bytes(w, data, string.off);
    return w->err;
}

/* YYYYMMDDHHmmSS or seconds since 1970 (RFC 4034 3.2): 14 digits are always the former. */
static enum dns_err parse_time(struct dns_word word, struct dns_writer *w)
{
    char text[16];
    struct tm tm = {0};
    uint32_t value = 0;
    enum dns_err err = DNS_OK;
    if (word.len != 14) {
        err = dns_word_number(word, UINT32_MAX, &value);
    } else if (dns_word_copy(word, text, sizeof text) != DNS_OK ||
               strspn(text, "0123456789") != 14) {
        err = DNS_E_TEXT;
    } else {
        const char *end = strptime(text, "%Y%m%d%H%M%S", &tm);
        time_t when = end && *end == '\0' ? timegm(&tm) : -1;
        err = when < 0 || when > (time_t)UINT32_MAX ? DNS_E_TEXT : DNS_OK;
        value = (uint32_t)when;
    }
    if (err == DNS_OK)
        dns_write_u32(w, value);
    return err;
}

static enum dns_err parse_address(int family, struct dns_word word, struct dns_writer *w)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t octets[16];
    if (dns_word_copy(word, text, sizeof text) != DNS_OK || inet_pton(family, text, octets) != 1)
        return DNS_E_TEXT;
    dns_write_bytes(w, octets, family == AF_INET ? 4 : 16);
    return w->err;
}

static enum dns_err parse_name(struct dns_word word, const struct dns_name *origin,
                               struct dns_writer *w)
{
    char text[DNS_NAME_TEXT_MAX];
    struct dns_name name;
    enum dns_err err = dns_word_copy(word, text, sizeof text);
    if (err == DNS_OK)
        err = dns_name_parse_relative(text, origin, &name);
    if (err != DNS_OK)
        return err;
    dns_write_name(w, &name);
    return w->err;
}

static enum dns_err parse_type(struct dns_word word, uint16_t *ret)
{
    char text[DNS_NUMBER_TEXT_MAX];
    enum dns_err err = dns_word_copy(word, text, sizeof text);
    return err == DNS_OK ? dns_type_parse(text, ret) : err;
}

static enum dns_err parse_algorithm(struct dns_word word, struct dns_writer *w)
{
    char text[DNS_NUMBER_TEXT_MAX];
    uint8_t algorithm;
    enum dns_err err = dns_word_copy(word, text, sizeof text);
    if (err == DNS_OK)
        err = dns_algorithm_parse(text, &algorithm);
    if (err == DNS_OK)
        dns_write_u8(w, algorithm);
    return err;
}

static enum dns_err parse_bitmap(struct dns_words *words, struct dns_writer *w)
{
    uint8_t set[256 * 32] = {0};
    struct dns_word word;
    while (dns_words_next(words, &word)) {
        uint16_t type;
        enum dns_err err = parse_type(word, &type);
        if (err != DNS_OK)
            return err;
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
    return words->err;
}

static enum dns_err parse_counted(struct dns_word word, enum dns_field field, struct dns_writer *w)
{
    uint8_t data[UINT8_MAX];
    struct dns_writer out = dns_writer_init(data, sizeof data);
    enum dns_err err = DNS_OK;
    if (field == DNS_FIELD_HASH)
        err = dns_base32hex_read(word.at, word.len, &out);
    else if (!dns_word_is(word, "-"))
        err = dns_hex_read_word(word, &out);
    if (err != DNS_OK)
        return err;
    dns_write_u8(w, (uint8_t)out.off);
    dns_write_bytes(w, data, out.off);
    return w->err;
}

/* Groups of just two or of up to four hex digits: EUI-48, EUI-64 (RFC 7043), NID (RFC 6742). */
static enum dns_err parse_groups(struct dns_word word, unsigned groups, unsigned digits,
                                 char separator, struct dns_writer *w)
{
    const char *p = word.at;
    const char *end = p + word.len;
    for (unsigned g = 0; g < groups; g++) {
        static const char zeros[4] = "000";
        const char *next = memchr(p, separator, (size_t)(end - p));
        size_t len = (size_t)((next ? next : end) - p);
        char text[8];
        if (len == 0 || len > digits || (digits == 2 && len != 2) ||
            (next != NULL) != (g + 1 < groups))
            return DNS_E_TEXT;
        memcpy(text, zeros, digits - len);
        memcpy(text + digits - len, p, len);
        enum dns_err err = dns_hex_read_word((struct dns_word){.at = text, .len = digits}, w);
        if (err != DNS_OK)
            return err;
        p = next ? next + 1 : end;
    }
    return DNS_OK;
}

static enum dns_err parse_strings(struct dns_words *words, struct dns_writer *w)
{
    struct dns_word word;
    enum dns_err err = DNS_OK;
    if (!dns_words_next(words, &word))
        return DNS_E_TEXT;
    do
        err = parse_string(word, w);
    while (err == DNS_OK && dns_words_next(words, &word));
    return err != DNS_OK ? err : words->err;
}

static enum dns_err parse_number(struct dns_word word, uint32_t most, struct dns_writer *w)
{
    uint32_t value;
    enum dns_err err = dns_word_number(word, most, &value);
    if (err != DNS_OK)
        return err;
    switch (most) {
    case UINT8_MAX: dns_write_u8(w, (uint8_t)value); break;
    case UINT16_MAX: dns_write_u16(w, (uint16_t)value); break;
    default: dns_write_u32(w, value); break;
    }
    return w->err;
}

/* Fields that are one word. */
static enum dns_err parse_word(enum dns_field field, struct dns_word word,
                               const struct dns_name *origin, struct dns_writer *w)
{
    uint16_t type;
    enum dns_err err = DNS_OK;
    switch (field) {
    case DNS_FIELD_U8: return parse_number(word, UINT8_MAX, w);
    case DNS_FIELD_U16: return parse_number(word, UINT16_MAX, w);
    case DNS_FIELD_U32: return parse_number(word, UINT32_MAX, w);
    case DNS_FIELD_ALGORITHM: return parse_algorithm(word, w);
    case DNS_FIELD_TYPE:
        err = parse_type(word, &type);
        if (err == DNS_OK)
            dns_write_u16(w, type);
        return err;
    case DNS_FIELD_TIME: return parse_time(word, w);
    case DNS_FIELD_IPV4: return parse_address(AF_INET, word, w);
    case DNS_FIELD_IPV6: return parse_address(AF_INET6, word, w);
    case DNS_FIELD_NAME:
    case DNS_FIELD_NAME_MAYBE: return parse_name(word, origin, w);
    case DNS_FIELD_STRING:
    case DNS_FIELD_STRING_MAYBE:
    case DNS_FIELD_TAG: return parse_string(word, w);
    case DNS_FIELD_REST_TEXT: return dns_word_octets(word, w);
    case DNS_FIELD_SALT:
    case DNS_FIELD_HASH: return parse_counted(word, field, w);
    case DNS_FIELD_EUI48: return parse_groups(word, 6, 2, '-', w);
    case DNS_FIELD_EUI64: return parse_groups(word, 8, 2, '-', w);
    case DNS_FIELD_NID: return parse_groups(word, 4, 4, ':', w);
    case DNS_FIELD_END:
    case DNS_FIELD_STRINGS:
    case DNS_FIELD_BITMAP:
    case DNS_FIELD_BASE64:
    case DNS_FIELD_HEX:
    case DNS_FIELD_SVCPARAMS: /* these five take the whole rest: parse_field() */
    case DNS_FIELD_A6:
    case DNS_FIELD_REST: break; /* only as \# */
    }
    return DNS_E_TEXT;
}

static enum dns_err parse_field(enum dns_field field, struct dns_words *words,
                                const struct dns_name *origin, struct dns_writer *w)
{
    struct dns_word word;
    switch (field) {
    case DNS_FIELD_STRINGS: return parse_strings(words, w);
    case DNS_FIELD_BITMAP: return parse_bitmap(words, w);
    case DNS_FIELD_BASE64: return dns_base64_read_word(dns_words_rest(words), w);
    case DNS_FIELD_HEX: return dns_hex_read_word(dns_words_rest(words), w);
    case DNS_FIELD_SVCPARAMS: return dns_svcparams_parse(words, w);
    default: break;
    }
    if (dns_words_next(words, &word))
        return parse_word(field, word, origin, w);
    if (words->err == DNS_OK && field == DNS_FIELD_STRING_MAYBE)
        return DNS_OK;
    return DNS_E_TEXT;
}

/* RFC 3597 5: \# length hex. */
static enum dns_err parse_unknown(struct dns_words *words, struct dns_writer *w)
{
    struct dns_word word;
    uint32_t len;
    uint32_t start = w->off;
    if (!dns_words_next(words, &word) || dns_word_number(word, UINT16_MAX, &len) != DNS_OK)
        return DNS_E_TEXT;
    enum dns_err err = dns_hex_read_word(dns_words_rest(words), w);
    if (err != DNS_OK)
        return err;
    return w->off - start == len ? DNS_OK : DNS_E_TEXT;
}

enum dns_err dns_rdata_parse(uint16_t type, const char *text, const struct dns_name *origin,
                             struct dns_writer *w)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    struct dns_words words = {.at = text};
    struct dns_words ahead = words;
    struct dns_word word;
    uint32_t start = w->off;
    enum dns_err err = DNS_OK;
    if (dns_words_next(&ahead, &word) && dns_word_is(word, "\\#")) {
        words = ahead;
        err = parse_unknown(&words, w);
    } else {
        for (const uint8_t *f = dns_rdata_fields(shape); *f && err == DNS_OK; f++)
            err = parse_field(*f, &words, origin, w);
    }
    if (err == DNS_OK)
        err = w->err;
    if (err == DNS_OK && dns_words_next(&words, &word))
        err = DNS_E_TRAILING;
    if (err == DNS_OK)
        err = words.err;
    if (err == DNS_OK && w->off - start > UINT16_MAX)
        err = DNS_E_SPACE;
    /* "\#" may spell what the type does not allow. */
    return err != DNS_OK ? err : dns_rdata_check(type, w->buf + start, w->off - start);
}
