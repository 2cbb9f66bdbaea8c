// SPDX-License-Identifier: MIT
#include "dns/text_out.h"

#include <stdarg.h>
#include <stdio.h>

struct dns_text dns_text_init(char *at, size_t cap)
{
    struct dns_text t = {.at = at, .cap = cap, .full = cap == 0};
    if (cap > 0)
        at[0] = '\0';
    return t;
}

void dns_text_put(struct dns_text *t, const char *format, ...)
{
    if (t->full)
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->off, t->cap - t->off, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->cap - t->off) {
        t->at[t->off] = '\0';
        t->full = true;
    } else {
        t->off += (size_t)n;
    }
}

static void put_char(struct dns_text *t, char c)
{
    if (t->full || t->cap - t->off < 2) {
        t->full = true;
        return;
    }
    t->at[t->off++] = c;
    t->at[t->off] = '\0';
}

void dns_text_hex(struct dns_text *t, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        put_char(t, "0123456789ABCDEF"[data[i] >> 4]);
        put_char(t, "0123456789ABCDEF"[data[i] & 15]);
    }
}

void dns_text_octet(struct dns_text *t, uint8_t octet)
{
    if (octet < 0x20 || octet >= 0x7f) {
        dns_text_put(t, "\\%03u", octet);
        return;
    }
    if (octet == '"' || octet == '\\')
        put_char(t, '\\');
    put_char(t, (char)octet);
}

void dns_text_quoted(struct dns_text *t, const uint8_t *data, size_t len)
{
    put_char(t, '"');
    for (size_t i = 0; i < len; i++)
        dns_text_octet(t, data[i]);
    put_char(t, '"');
}

void dns_text_coded(struct dns_text *t, const uint8_t *data, size_t len,
                    size_t (*code)(const uint8_t *, size_t, char *, size_t))
{
    if (t->full || len == 0)
        return;
    size_t n = code(data, len, t->at + t->off, t->cap - t->off);
    t->full = n == 0;
    t->off += n;
    t->at[t->off] = '\0'; /* an encoder that ran out of room may have left half a text */
}
