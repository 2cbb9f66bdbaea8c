// SPDX-License-Identifier: MIT
#include "doh/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "https://"
#define VARIABLE "{?dns}"

static bool is_ip(const char *host)
{
    uint8_t octets[16];
    return inet_pton(AF_INET, host, octets) == 1 || inet_pton(AF_INET6, host, octets) == 1;
}

static bool copy(char *to, size_t cap, const char *from, size_t len)
{
    if (len == 0 || len >= cap)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (from[i] <= ' ' || from[i] >= 0x7f || strchr("\"<>\\^`{|}@", from[i]))
            return false;
        to[i] = from[i];
    }
    to[len] = '\0';
    return true;
}

/* Moves *at past "[IPv6]" or "host". */
static bool parse_host(const char **at, struct doh_url *url)
{
    bool bracket = **at == '[';
    const char *start = *at + bracket;
    size_t len = strcspn(start, bracket ? "]" : ":/{?#");
    if (!copy(url->host, sizeof url->host, start, len) || (bracket && start[len] != ']'))
        return false;
    *at = start + len + bracket;
    url->is_ip = is_ip(url->host);
    return url->is_ip || !bracket;
}

static bool parse_port(const char **at, struct doh_url *url)
{
    unsigned port = 0;
    unsigned digits = 0;
    url->port = 443;
    if (**at != ':')
        return true;
    for ((*at)++; **at >= '0' && **at <= '9' && digits < 5; (*at)++, digits++)
        port = port * 10 + (unsigned)(**at - '0');
    if (digits == 0 || port == 0 || port > UINT16_MAX)
        return false;
    url->port = (uint16_t)port;
    return true;
}

bool doh_url_parse(const char *text, struct doh_url *ret, const char **error)
{
    struct doh_url url = {.port = 443};
    const char *at = text + strlen(SCHEME);
    *error = "is not a URL that begins with https://";
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return false;
    *error = "has no usable host";
    if (!parse_host(&at, &url))
        return false;
    *error = "has a port that is not from 1 to 65535";
    if (!parse_port(&at, &url))
        return false;
    size_t len = strlen(at);
    size_t tail = strlen(VARIABLE);
    url.has_variable = len >= tail && !strcmp(at + len - tail, VARIABLE);
    *error = "has a path that is not plain, or another template variable than {?dns} at its end";
    if (*at != '/' || !copy(url.path, sizeof url.path, at, len - (url.has_variable ? tail : 0)))
        return false;
    bool v6 = strchr(url.host, ':') != NULL;
    char port[8] = "";
    if (url.port != 443)
        (void)snprintf(port, sizeof port, ":%u", url.port);
    (void)snprintf(url.authority, sizeof url.authority, "%s%s%s%s", v6 ? "[" : "", url.host,
                   v6 ? "]" : "", port);
    *ret = url;
    return true;
}
