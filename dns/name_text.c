// SPDX-License-Identifier: MIT
#include "dns/name.h"

#include <string.h>

/* What stands for itself in presentation form; the rest is escaped. */
static bool plain(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    for (const char *p = "-_*/+=,:!#%&'<>?[]^`{}|~"; *p; p++)
        if ((uint8_t)*p == c)
            return true;
    return false;
}

static size_t put(char *text, uint8_t c)
{
    if (plain(c)) {
        text[0] = (char)c;
        return 1;
    }
    text[0] = '\\';
    if (c > ' ' && c < 0x7f) {
        text[1] = (char)c;
        return 2;
    }
    text[1] = (char)('0' + c / 100);
    text[2] = (char)('0' + c / 10 % 10);
    text[3] = (char)('0' + c % 10);
    return 4;
}

size_t dns_name_text(const struct dns_name *name, char text[static DNS_NAME_TEXT_MAX])
{
    size_t n = 0; /* at most 4 for each of 250 octets, 4 dots and a NUL: see DNS_NAME_TEXT_MAX */
    for (unsigned at = 0; name->wire[at] != 0; at += name->wire[at] + 1u) {
        for (unsigned i = 1; i <= name->wire[at]; i++)
            n += put(text + n, name->wire[at + i]);
        text[n++] = '.';
    }
    if (n == 0)
        text[n++] = '.';
    text[n] = '\0';
    return n;
}

/* One character or escape; moves *text past it. -1: not legal. */
static int take(const char **text)
{
    const char *p = *text;
    if (*p != '\\') {
        *text = p + 1;
        return (uint8_t)*p;
    }
    if (p[1] == '\0')
        return -1;
    if (p[1] < '0' || p[1] > '9') {
        *text = p + 2;
        return (uint8_t)p[1];
    }
    int value = 0;
    for (unsigned i = 1; i <= 3; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        value = value * 10 + (p[i] - '0');
    }
    *text = p + 4;
    return value <= 255 ? value : -1;
}

enum dns_err dns_name_parse(const char *text, struct dns_name *ret)
{
    struct dns_name name = {0};
    uint8_t label[DNS_LABEL_MAX];
    uint8_t len = 0;
    if (text[0] == '\0')
        return DNS_E_TEXT;
    if (text[0] == '.' && text[1] == '\0') {
        *ret = dns_root;
        return DNS_OK;
    }
    while (*text) {
        bool dot = *text == '.';
        if (!dot) {
            int c = take(&text);
            if (c < 0)
                return DNS_E_TEXT;
            if (len == DNS_LABEL_MAX)
                return DNS_E_LABEL;
            label[len++] = (uint8_t)c;
        }
        if (!dot && *text)
            continue;
        if (len == 0)
            return DNS_E_LABEL;
        if (name.len + len + 2u > DNS_NAME_MAX)
            return DNS_E_NAME_LONG;
        name.wire[name.len++] = len;
        for (uint8_t i = 0; i < len; i++)
            name.wire[name.len++] = label[i];
        name.labels++;
        len = 0;
        text += dot;
    }
    name.wire[name.len++] = 0;
    *ret = name;
    return DNS_OK;
}

/* A final dot that is not escaped. */
static bool ends_absolute(const char *text)
{
    bool dot = false;
    while (*text) {
        dot = *text == '.';
        text += *text == '\\' && text[1] != '\0' ? 2 : 1;
    }
    return dot;
}

enum dns_err dns_name_parse_relative(const char *text, const struct dns_name *origin,
                                     struct dns_name *ret)
{
    struct dns_name name;
    if (!strcmp(text, "@")) {
        *ret = *origin;
        return DNS_OK;
    }
    enum dns_err err = dns_name_parse(text, &name);
    if (err != DNS_OK || ends_absolute(text)) {
        if (err == DNS_OK)
            *ret = name;
        return err;
    }
    return dns_name_substitute(&name, &dns_root, origin, ret);
}
