// SPDX-License-Identifier: MIT
/* SvcParams of SVCB and HTTPS (RFC 9460 2.1, 7, appendix A; dohpath RFC 9461, ohttp RFC 9540). */
#include "dns/encoding.h"
#include "dns/rdata_table.h"
#include "dns/text_out.h"
#include "dns/words.h"

#include <arpa/inet.h>
#include <string.h>

enum svc_key {
    SVC_MANDATORY,
    SVC_ALPN,
    SVC_NO_DEFAULT_ALPN,
    SVC_PORT,
    SVC_IPV4HINT,
    SVC_ECH,
    SVC_IPV6HINT,
    SVC_DOHPATH,
    SVC_OHTTP,
    SVC_KEYS
};

static const char *const key_names[SVC_KEYS] = {"mandatory", "alpn",     "no-default-alpn",
                                                "port",      "ipv4hint", "ech",
                                                "ipv6hint",  "dohpath",  "ohttp"};

#define PARAMS_MAX 64u        /* parameters that are parsed in one record */
#define LIST_OCTETS_MAX 4096u /* octets of one comma-separated value that is parsed */

/* --- writing text --------------------------------------------------------------------------- */

static void put_key(struct dns_text *t, uint16_t key)
{
    if (key < SVC_KEYS)
        dns_text_put(t, "%s", key_names[key]);
    else
        dns_text_put(t, "key%u", key);
}

/* A list item is escaped for the list, and the result for the string (RFC 9460 A.1). */
static void put_alpn(struct dns_text *t, struct dns_reader r)
{
    const char *separator = "=\"";
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        const uint8_t *id = dns_read_bytes(&r, len);
        dns_text_put(t, "%s", separator);
        for (unsigned i = 0; id && i < len; i++) {
            if (id[i] == ',' || id[i] == '\\')
                dns_text_octet(t, '\\');
            dns_text_octet(t, id[i]);
        }
        separator = ",";
    }
    dns_text_put(t, "\"");
}

static void put_addresses(struct dns_text *t, struct dns_reader r, int family)
{
    const char *separator = "=";
    while (dns_reader_left(&r) > 0) {
        char text[INET6_ADDRSTRLEN];
        const uint8_t *octets = dns_read_bytes(&r, family == AF_INET ? 4 : 16);
        if (octets && inet_ntop(family, octets, text, sizeof text))
            dns_text_put(t, "%s%s", separator, text);
        separator = ",";
    }
}

static void put_keys(struct dns_text *t, struct dns_reader r)
{
    const char *separator = "=";
    while (dns_reader_left(&r) > 0) {
        dns_text_put(t, "%s", separator);
        put_key(t, dns_read_u16(&r));
        separator = ",";
    }
}

/* Items of 1 to 255 octets, at least one (RFC 9460 7.1.1). */
static bool alpn_is_list(struct dns_reader r)
{
    if (dns_reader_left(&r) == 0)
        return false;
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        if (len == 0 || !dns_read_bytes(&r, len))
            return false;
    }
    return r.err == DNS_OK;
}

/* 2 octets each, strictly rising, without "mandatory" itself (RFC 9460 8). */
static bool mandatory_is_list(struct dns_reader r)
{
    uint32_t last = SVC_MANDATORY;
    if (dns_reader_left(&r) == 0)
        return false;
    while (dns_reader_left(&r) > 0) {
        uint16_t key = dns_read_u16(&r);
        if (key <= last)
            return false;
        last = key;
    }
    return r.err == DNS_OK;
}

/* Whether the value has the form that its key asks for; else it is shown as opaque octets. */
static bool well_formed(uint16_t key, struct dns_reader r)
{
    uint32_t len = dns_reader_left(&r);
    switch (key) {
    case SVC_MANDATORY: return mandatory_is_list(r);
    case SVC_ALPN: return alpn_is_list(r);
    case SVC_NO_DEFAULT_ALPN:
    case SVC_OHTTP: return len == 0;
    case SVC_PORT: return len == 2;
    case SVC_IPV4HINT: return len > 0 && len % 4 == 0;
    case SVC_IPV6HINT: return len > 0 && len % 16 == 0;
    case SVC_ECH: return len > 0;
    default: return key >= SVC_KEYS || len > 0;
    }
}

static void put_opaque(struct dns_text *t, struct dns_reader r)
{
    uint32_t len = dns_reader_left(&r);
    const uint8_t *octets = dns_read_bytes(&r, len);
    if (octets && len > 0) {
        dns_text_put(t, "=");
        dns_text_quoted(t, octets, len);
    }
}

static void put_param(struct dns_text *t, uint16_t key, struct dns_reader value)
{
    if (!well_formed(key, value)) {
        dns_text_put(t, "key%u", key);
        put_opaque(t, value);
        return;
    }
    put_key(t, key);
    switch (key) {
    case SVC_MANDATORY: put_keys(t, value); return;
    case SVC_ALPN: put_alpn(t, value); return;
    case SVC_PORT: dns_text_put(t, "=%u", dns_read_u16(&value)); return;
    case SVC_IPV4HINT: put_addresses(t, value, AF_INET); return;
    case SVC_IPV6HINT: put_addresses(t, value, AF_INET6); return;
    case SVC_ECH:
        dns_text_put(t, "=");
        dns_text_coded(t, value.buf + value.off, dns_reader_left(&value), dns_base64_text);
        return;
    default: put_opaque(t, value); return;
    }
}

void dns_svcparams_text(struct dns_text *t, struct dns_reader r)
{
    const char *blank = "";
    while (dns_reader_left(&r) > 0) {
        uint16_t key = dns_read_u16(&r);
        uint16_t len = dns_read_u16(&r);
        struct dns_reader value = dns_read_child(&r, len);
        dns_text_put(t, "%s", blank);
        put_param(t, key, value);
        blank = " ";
    }
}

/* --- reading text --------------------------------------------------------------------------- */

struct param {
    uint16_t key;
    bool generic;          /* spelled keyN: the value is opaque */
    bool has_value;        /* there was a '=' */
    struct dns_word value; /* behind it, may be empty */
};

static enum dns_err parse_key(struct dns_word word, uint16_t *ret, bool *ret_generic)
{
    uint32_t number;
    for (uint16_t key = 0; key < SVC_KEYS; key++) {
        if (dns_word_is(word, key_names[key])) {
            *ret = key;
            *ret_generic = false;
            return DNS_OK;
        }
    }
    if (word.len < 4 || memcmp(word.at, "key", 3) != 0)
        return DNS_E_TEXT;
    struct dns_word digits = {.at = word.at + 3, .len = word.len - 3};
    enum dns_err err = dns_word_number(digits, UINT16_MAX, &number);
    if (err == DNS_OK) {
        *ret = (uint16_t)number;
        *ret_generic = true;
    }
    return err;
}

static enum dns_err parse_param(struct dns_word word, struct param *ret)
{
    const char *equals = memchr(word.at, '=', word.len);
    struct dns_word key = {.at = word.at, .len = equals ? (size_t)(equals - word.at) : word.len};
    struct param param = {.has_value = equals != NULL, .value.at = word.at + word.len};
    if (equals)
        param.value = (struct dns_word){.at = equals + 1, .len = word.len - key.len - 1};
    enum dns_err err = parse_key(key, &param.key, &param.generic);
    if (err == DNS_OK)
        *ret = param;
    return err;
}

/* Puts it where it belongs in rising order; DNS_E_FORM for a key that is there already. */
static enum dns_err insert(struct param *params, unsigned *count, struct param param)
{
    unsigned at = *count;
    if (at == PARAMS_MAX)
        return DNS_E_COUNT;
    while (at > 0 && params[at - 1].key >= param.key) {
        if (params[at - 1].key == param.key)
            return DNS_E_FORM;
        at--;
    }
    memmove(params + at + 1, params + at, (*count - at) * sizeof *params);
    params[at] = param;
    (*count)++;
    return DNS_OK;
}

/* The next item of a comma-separated list, list escapes undone; false at the end. */
static bool next_item(struct dns_reader *list, uint8_t *item, uint32_t *ret_len)
{
    uint32_t len = 0;
    if (dns_reader_left(list) == 0)
        return false;
    while (dns_reader_left(list) > 0) {
        uint8_t octet = dns_read_u8(list);
        if (octet == ',') {
            if (dns_reader_left(list) == 0)
                list->err = DNS_E_TEXT; /* nothing behind the last comma */
            break;
        }
        item[len++] = octet == '\\' ? dns_read_u8(list) : octet;
    }
    if (len == 0)
        list->err = DNS_E_TEXT;
    *ret_len = len;
    return list->err == DNS_OK;
}

static enum dns_err write_mandatory(struct dns_reader list, struct dns_writer *w)
{
    uint8_t item[LIST_OCTETS_MAX];
    uint32_t len;
    struct param keys[PARAMS_MAX];
    unsigned count = 0;
    while (next_item(&list, item, &len)) {
        struct param key = {0};
        struct dns_word word = {.at = (const char *)item, .len = len};
        enum dns_err err = parse_key(word, &key.key, &key.generic);
        if (err == DNS_OK)
            err = insert(keys, &count, key);
        if (err != DNS_OK)
            return err;
    }
    for (unsigned i = 0; i < count; i++)
        dns_write_u16(w, keys[i].key);
    return list.err;
}

static enum dns_err write_alpn(struct dns_reader list, struct dns_writer *w)
{
    uint8_t item[LIST_OCTETS_MAX];
    uint32_t len;
    while (next_item(&list, item, &len)) {
        if (len > UINT8_MAX)
            return DNS_E_TEXT;
        dns_write_u8(w, (uint8_t)len);
        dns_write_bytes(w, item, len);
    }
    return list.err;
}

static enum dns_err write_addresses(struct dns_reader list, int family, struct dns_writer *w)
{
    uint8_t item[LIST_OCTETS_MAX];
    uint32_t len;
    while (next_item(&list, item, &len)) {
        char text[INET6_ADDRSTRLEN];
        uint8_t octets[16];
        if (len >= sizeof text)
            return DNS_E_TEXT;
        memcpy(text, item, len);
        text[len] = '\0';
        if (inet_pton(family, text, octets) != 1)
            return DNS_E_TEXT;
        dns_write_bytes(w, octets, family == AF_INET ? 4 : 16);
    }
    return list.err;
}

static enum dns_err write_known(uint16_t key, struct dns_word text, struct dns_writer *w)
{
    uint8_t octets[LIST_OCTETS_MAX];
    struct dns_writer value = dns_writer_init(octets, sizeof octets);
    enum dns_err err = dns_word_octets(text, &value);
    if (err != DNS_OK)
        return err;
    if (value.off == 0)
        return DNS_E_TEXT;
    struct dns_reader list = dns_reader_init(octets, value.off);
    struct dns_word word = {.at = (const char *)octets, .len = value.off};
    uint32_t port = 0;
    switch (key) {
    case SVC_MANDATORY: return write_mandatory(list, w);
    case SVC_ALPN: return write_alpn(list, w);
    case SVC_IPV4HINT: return write_addresses(list, AF_INET, w);
    case SVC_IPV6HINT: return write_addresses(list, AF_INET6, w);
    case SVC_ECH: return dns_base64_read_word(word, w);
    case SVC_PORT:
        err = dns_word_number(word, UINT16_MAX, &port);
        if (err == DNS_OK)
            dns_write_u16(w, (uint16_t)port);
        return err;
    default: dns_write_bytes(w, octets, value.off); return DNS_OK;
    }
}

static enum dns_err write_param(const struct param *param, struct dns_writer *w)
{
    dns_write_u16(w, param->key);
    uint32_t len_off = w->off;
    dns_write_u16(w, 0);
    bool alone = param->key == SVC_NO_DEFAULT_ALPN || param->key == SVC_OHTTP;
    enum dns_err err = DNS_OK;
    if (param->generic || param->key >= SVC_KEYS)
        err = dns_word_octets(param->value, w);
    else if (alone)
        err = param->has_value ? DNS_E_TEXT : DNS_OK;
    else
        err = write_known(param->key, param->value, w);
    uint32_t len = w->off - len_off - 2;
    if (err == DNS_OK && w->err == DNS_OK && len > UINT16_MAX)
        err = DNS_E_SPACE;
    dns_write_patch_u16(w, len_off, (uint16_t)len);
    return err != DNS_OK ? err : w->err;
}

/* Every key that "mandatory" lists is there, behind it: so it does not list itself (RFC 9460 8).
 * `value` is that of the first parameter. */
static bool mandatory_are_there(struct dns_reader value, const struct param *params, unsigned count)
{
    for (unsigned at = 1; dns_reader_left(&value) > 0; at++) { /* both rise */
        uint16_t key = dns_read_u16(&value);
        while (at < count && params[at].key < key)
            at++;
        if (at >= count || params[at].key != key)
            return false;
    }
    return true;
}

enum dns_err dns_svcparams_parse(struct dns_words *words, struct dns_writer *w)
{
    struct param params[PARAMS_MAX];
    unsigned count = 0;
    struct dns_word word;
    enum dns_err err = DNS_OK;
    while (err == DNS_OK && dns_words_next(words, &word)) {
        struct param param;
        err = parse_param(word, &param);
        if (err == DNS_OK)
            err = insert(params, &count, param);
    }
    if (err == DNS_OK)
        err = words->err;
    uint32_t start = w->off;
    uint32_t first_end = start;
    for (unsigned i = 0; i < count && err == DNS_OK; i++) {
        err = write_param(&params[i], w);
        if (i == 0)
            first_end = w->off;
    }
    if (err != DNS_OK || count == 0 || params[0].key != SVC_MANDATORY || params[0].generic)
        return err;
    struct dns_reader value = dns_reader_init(w->buf + start, first_end - start);
    (void)dns_read_u32(&value); /* key and length */
    return mandatory_are_there(value, params, count) ? DNS_OK : DNS_E_FORM;
}
