// SPDX-License-Identifier: MIT
#include "doh/response.h"

#include <string.h>
#include <strings.h>

#define MEDIA "application/dns-message"

static bool named(const uint8_t *name, size_t len, const char *want)
{
    return len == strlen(want) && memcmp(name, want, len) == 0; /* HTTP/2: always lower case */
}

/* Digits only, capped; anything else reads as 0. */
static uint32_t number(const uint8_t *value, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return 0;
        n = n < 100000000 ? n * 10 + (uint32_t)(value[i] - '0') : n;
    }
    return n;
}

/* The token alone; parameters behind ';' are ignored. */
static bool is_dns_media(const uint8_t *value, size_t len)
{
    const uint8_t *end = len ? memchr(value, ';', len) : NULL;
    size_t token = end ? (size_t)(end - value) : len;
    while (token > 0 && (value[token - 1] == ' ' || value[token - 1] == '\t'))
        token--;
    return token == strlen(MEDIA) && strncasecmp((const char *)value, MEDIA, token) == 0;
}

void doh_response_header(struct doh_response *response, const uint8_t *name, size_t name_len,
                         const uint8_t *value, size_t value_len)
{
    if (named(name, name_len, ":status"))
        response->status = value_len == 3 ? (uint16_t)number(value, value_len) : 0;
    else if (named(name, name_len, "content-type"))
        response->dns_media = is_dns_media(value, value_len);
    else if (named(name, name_len, "age"))
        response->age_s = number(value, value_len);
    else if (named(name, name_len, "retry-after"))
        response->retry_after_s = number(value, value_len);
}

enum doh_meaning doh_response_meaning(const struct doh_response *response)
{
    switch (response->status) {
    case 200: return response->dns_media ? DOH_MEANS_ANSWER : DOH_MEANS_CONFIG;
    case 405:
    case 415:
    case 501: return DOH_MEANS_METHOD;
    case 421:
    case 425: return DOH_MEANS_AGAIN;
    case 429:
    case 503: return DOH_MEANS_LATER;
    default:
        return response->status >= 400 && response->status < 500 ? DOH_MEANS_CONFIG
                                                                 : DOH_MEANS_BROKEN;
    }
}
