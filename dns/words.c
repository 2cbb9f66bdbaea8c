// SPDX-License-Identifier: MIT
#include "dns/words.h"

#include <string.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Octets of text that one character takes, its backslash included; "\DDD" goes on as digits. */
static size_t step(const char *at)
{
    return at[0] == '\\' && at[1] != '\0' ? 2 : 1;
}

bool dns_words_next(struct dns_words *words, struct dns_word *ret)
{
    const char *p = words->at;
    while (blank(*p))
        p++;
    if (words->err != DNS_OK || *p == '\0' || *p == ';')
        return false;
    struct dns_word word = {.at = p, .quoted = *p == '"'};
    bool inside = false;
    while (*p != '\0' && (inside || (!blank(*p) && *p != ';'))) {
        if (!inside && (*p == '(' || *p == ')'))
            words->err = DNS_E_TEXT;
        bool quote = *p == '"';
        p += step(p);
        inside = inside != quote;
        if (quote && !inside && word.quoted)
            break;
    }
    if (inside)
        words->err = DNS_E_TEXT;
    if (words->err != DNS_OK)
        return false;
    word.len = (size_t)(p - word.at);
    words->at = p;
    *ret = word;
    return true;
}

struct dns_word dns_words_rest(struct dns_words *words)
{
    struct dns_word rest = {.at = words->at, .len = strcspn(words->at, ";")};
    words->at += rest.len;
    return rest;
}

bool dns_word_is(struct dns_word word, const char *text)
{
    return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

enum dns_err dns_word_copy(struct dns_word word, char *text, size_t cap)
{
    if (word.quoted || word.len >= cap)
        return DNS_E_TEXT;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    return DNS_OK;
}

enum dns_err dns_word_number(struct dns_word word, uint32_t most, uint32_t *ret)
{
    uint64_t value = 0;
    if (word.len == 0 || word.len > 10) /* as UINT32_MAX has */
        return DNS_E_TEXT;
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return DNS_E_TEXT;
        value = value * 10 + (uint64_t)(word.at[i] - '0');
    }
    if (value > most)
        return DNS_E_TEXT;
    *ret = (uint32_t)value;
    return DNS_OK;
}

/* The octet of an escape behind its backslash, *at moved past it; -1: not legal. */
static int unescape(const char **at, const char *end)
{
    const char *p = *at;
    if (p == end)
        return -1;
    if (*p < '0' || *p > '9') {
        *at = p + 1;
        return (uint8_t)*p;
    }
    if (end - p < 3)
        return -1;
    int value = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        value = value * 10 + (p[i] - '0');
    }
    *at = p + 3;
    return value <= 255 ? value : -1;
}

enum dns_err dns_word_octets(struct dns_word word, struct dns_writer *w)
{
    const char *p = word.at;
    const char *end = p + word.len;
    while (p < end) {
        int octet = (uint8_t)*p++;
        if (octet == '"')
            continue;
        if (octet == '\\')
            octet = unescape(&p, end);
        if (octet < 0)
            return DNS_E_TEXT;
        dns_write_u8(w, (uint8_t)octet);
    }
    return w->err;
}
