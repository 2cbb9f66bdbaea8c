// SPDX-License-Identifier: MIT
#include "dns/rdata.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX DNS_NAME_TEXT_MAX

/* The next blank-separated word, escapes left in; false at the end or when it is too long. */
static bool word(const char **at, char text[static WORD_MAX])
{
    size_t n = 0;
    *at += strspn(*at, " \t");
    while (**at && !strchr(" \t\r\n;", **at)) {
        if (n + 3 > WORD_MAX)
            return false;
        if (**at == '\\' && (*at)[1] != '\0')
            text[n++] = *(*at)++;
        text[n++] = *(*at)++;
    }
    text[n] = '\0';
    return n > 0;
}

static bool is_ttl(const char *text, uint32_t *ret)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || value > INT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

enum dns_err dns_line_parse(const char *line, const struct dns_name *origin, uint32_t default_ttl_s,
                            struct dns_line *ret, struct dns_writer *w)
{
    struct dns_line out = {.ttl_s = default_ttl_s, .class_ = DNS_CLASS_IN};
    char text[WORD_MAX];
    const char *at = line;
    if (!word(&at, text))
        return DNS_E_TEXT;
    enum dns_err err = dns_name_parse_relative(text, origin, &out.owner);
    if (err != DNS_OK)
        return err;
    bool have_ttl = false;
    bool have_class = false;
    for (;;) { /* TTL and class in either order (RFC 1035 5.1), each at most once */
        if (!word(&at, text))
            return DNS_E_TEXT;
        if (!have_ttl && is_ttl(text, &out.ttl_s))
            have_ttl = true;
        else if (!have_class && dns_class_parse(text, &out.class_) == DNS_OK)
            have_class = true;
        else
            break;
    }
    err = dns_type_parse(text, &out.type);
    if (err == DNS_OK)
        err = dns_rdata_parse(out.type, at, origin, w);
    if (err == DNS_OK)
        *ret = out;
    return err;
}
