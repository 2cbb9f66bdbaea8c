// SPDX-License-Identifier: MIT
#include "dns/encoding.h"

#include "dns/rdata.h"

#include <string.h>

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
static const char hex_digits[] = "0123456789abcdef";

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int digit_of(const char *digits, char c)
{
    for (int i = 0; digits[i]; i++)
        if (digits[i] == c)
            return i;
    return -1;
}

enum dns_err dns_base64_read_word(struct dns_word word, struct dns_writer *w)
{
    uint32_t bits = 0;
    unsigned have = 0;
    unsigned chars = 0;
    unsigned pads = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (blank(word.at[i]))
            continue;
        chars++;
        if (word.at[i] == '=') {
            pads++;
            continue;
        }
        int digit = digit_of(base64_digits, word.at[i]);
        if (digit < 0 || pads > 0)
            return DNS_E_TEXT;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            dns_write_u8(w, (uint8_t)(bits >> have));
        }
    }
    if (chars % 4 != 0 || pads > 2 || (bits & ((1u << have) - 1u)) != 0)
        return DNS_E_TEXT;
    return w->err;
}

enum dns_err dns_base64_read(const char *text, struct dns_writer *w)
{
    return dns_base64_read_word((struct dns_word){.at = text, .len = strlen(text)}, w);
}

/* Octets become digits of `width` bits each, zero bits fill the last, '=' fills up to a multiple
 * of `pad_to` (0: does not). */
static size_t encode(const uint8_t *data, size_t len, const char *digits, unsigned width,
                     unsigned pad_to, char *text, size_t cap)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;
    for (size_t i = 0; i < len || have > 0;) {
        if (have < width && i < len) {
            bits = bits << 8 | data[i++];
            have += 8;
        } else if (have < width) {
            bits <<= width - have;
            have = width;
        }
        while (have >= width) {
            if (n + 1 >= cap)
                return 0;
            have -= width;
            text[n++] = digits[bits >> have & ((1u << width) - 1u)];
        }
    }
    while (pad_to > 0 && n % pad_to != 0) {
        if (n + 1 >= cap)
            return 0;
        text[n++] = '=';
    }
    if (n >= cap)
        return 0;
    text[n] = '\0';
    return n;
}

size_t dns_base64_text(const uint8_t *data, size_t len, char *text, size_t cap)
{
    return encode(data, len, base64_digits, 6, 4, text, cap);
}

size_t dns_base32hex_text(const uint8_t *data, size_t len, char *text, size_t cap)
{
    return encode(data, len, base32_digits, 5, 0, text, cap);
}

static int base32_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'V')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

enum dns_err dns_base32hex_read(const char *text, size_t text_len, struct dns_writer *w)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < text_len; i++) {
        int digit = base32_digit(text[i]);
        if (digit < 0)
            return DNS_E_TEXT;
        bits = bits << 5 | (uint32_t)digit;
        have += 5;
        if (have >= 8) {
            have -= 8;
            dns_write_u8(w, (uint8_t)(bits >> have));
        }
    }
    return have >= 5 || (bits & ((1u << have) - 1u)) != 0 ? DNS_E_TEXT : w->err;
}

enum dns_err dns_hex_read_word(struct dns_word word, struct dns_writer *w)
{
    int high = -1;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        if (blank(c))
            continue;
        if (c >= 'A' && c <= 'F')
            c = (char)(c + ('a' - 'A'));
        int digit = digit_of(hex_digits, c);
        if (digit < 0)
            return DNS_E_TEXT;
        if (high >= 0)
            dns_write_u8(w, (uint8_t)(high << 4 | digit));
        high = high >= 0 ? -1 : digit;
    }
    return high >= 0 ? DNS_E_TEXT : w->err;
}

enum dns_err dns_hex_read(const char *text, struct dns_writer *w)
{
    return dns_hex_read_word((struct dns_word){.at = text, .len = strlen(text)}, w);
}
