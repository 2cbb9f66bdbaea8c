// SPDX-License-Identifier: MIT
#include "doh/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "https://";

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    if (c >= 'A' && c <= 'Z')
        return letters[c - 'A'];
    return c;
}

static const char *parse_port(const char *text, size_t len, uint16_t *ret)
{
    uint32_t port = 0;
    if (len == 0 || len > 5)
        return "the port is not a number from 1 to 65535";
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return "the port is not a number from 1 to 65535";
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    if (port == 0 || port > 65535)
        return "the port is not a number from 1 to 65535";
    *ret = (uint16_t)port;
    return NULL;
}

static bool looks_like_v4(const char *host)
{
    return host[strspn(host, "0123456789.")] == '\0';
}

static bool is_host_name(const char *host)
{
    size_t label = 0;
    for (const char *p = host; *p; p++) {
        if (*p == '.' ? label == 0 : !is_alnum(*p) && *p != '-' && *p != '_')
            return false;
        label = *p == '.' ? 0 : label + 1;
        if (label > DNS_LABEL_MAX)
            return false;
    }
    return host[0] != '\0' && label > 0; /* a final dot is no part of a certificate's names */
}

static const char *parse_host(const char *text, size_t len, bool bracketed, struct doh_url *url)
{
    if (len == 0)
        return "there is no host";
    if (len >= sizeof url->host)
        return "the host name is too long";
    for (size_t i = 0; i < len; i++)
        url->host[i] = lower(text[i]);
    url->host[len] = '\0';
    struct sockaddr_in *v4 = &url->address.sa.v4;
    struct sockaddr_in6 *v6 = &url->address.sa.v6;
    if (bracketed) {
        if (inet_pton(AF_INET6, url->host, &v6->sin6_addr) != 1)
            return "what stands in [] is not an IPv6 address";
        v6->sin6_family = AF_INET6;
        url->is_ip = true;
    } else if (looks_like_v4(url->host)) {
        if (inet_pton(AF_INET, url->host, &v4->sin_addr) != 1)
            return "the host is not an IPv4 address";
        v4->sin_family = AF_INET;
        url->is_ip = true;
    } else if (!is_host_name(url->host)) {
        return "the host is not a host name";
    }
    return NULL;
}

static const char *parse_authority(const char *text, size_t len, struct doh_url *url)
{
    bool bracketed = len > 0 && text[0] == '[';
    const char *host = text + (bracketed ? 1 : 0);
    const char *end = text + len;
    const char *host_end = memchr(host, bracketed ? ']' : ':', (size_t)(end - host));
    if (bracketed && !host_end)
        return "a ']' is missing";
    if (memchr(text, '@', len))
        return "user names have no place in it";
    if (!host_end)
        host_end = end;
    const char *error = parse_host(host, (size_t)(host_end - host), bracketed, url);
    if (error)
        return error;
    const char *port = host_end + (bracketed ? 1 : 0);
    url->port = 443;
    if (port < end && *port != ':')
        return "something stands behind the ']'";
    if (port < end)
        error = parse_port(port + 1, (size_t)(end - port - 1), &url->port);
    if (error)
        return error;
    if (url->address.sa.any.sa_family == AF_INET6)
        url->address.sa.v6.sin6_port = htons(url->port);
    else
        url->address.sa.v4.sin_port = htons(url->port);
    int n = snprintf(url->authority, sizeof url->authority, bracketed ? "[%s]" : "%s", url->host);
    if (url->port != 443)
        (void)snprintf(url->authority + n, sizeof url->authority - (size_t)n, ":%u", url->port);
    return NULL;
}

/* RFC 3986 3.3 and 3.4: pchar, "/" and "?". */
static bool is_path_char(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/?%", c));
}

static const char *parse_path(const char *text, struct doh_url *url)
{
    size_t len = strcspn(text, "{");
    bool has_query = memchr(text, '?', len) != NULL;
    const char *expression = has_query ? "{&dns}" : "{?dns}";
    if (text[len] != '\0' && strcmp(text + len, expression) != 0)
        return has_query ? "the only expression possible here is {&dns}, at the end"
                         : "the only expression possible is {?dns}, at the end";
    const char *slash = text[0] == '/' ? "" : "/"; /* RFC 9110 4.2.3: an empty path is "/" */
    if (len + strlen(slash) >= sizeof url->path - 1)
        return "the path is too long";
    for (size_t i = 0; i < len; i++)
        if (!is_path_char(text[i]))
            return text[i] == '#' ? "a fragment has no place in it"
                                  : "the path holds a character that must be written as %XX";
    (void)snprintf(url->path, sizeof url->path, "%s%.*s", slash, (int)len, text);
    return NULL;
}

const char *doh_url_parse(const char *text, struct doh_url *ret)
{
    struct doh_url url;
    memset(&url, 0, sizeof url);
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return "it does not begin with https://";
    const char *authority = text + strlen(scheme);
    size_t len = strcspn(authority, "/?#{");
    const char *error = parse_authority(authority, len, &url);
    if (!error)
        error = parse_path(authority + len, &url);
    if (!error)
        *ret = url;
    return error;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* RFC 4648 5, without padding as RFC 8484 6 demands. */
static size_t encode(const uint8_t *data, uint32_t len, char *text)
{
    size_t n = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (uint32_t i = 0; i < len; i++) {
        bits = (bits << 8) | data[i];
        for (count += 8; count >= 6; count -= 6)
            text[n++] = base64url[(bits >> (count - 6)) & 63];
    }
    if (count > 0)
        text[n++] = base64url[(bits << (6 - count)) & 63];
    text[n] = '\0';
    return n;
}

size_t doh_url_get_room(const struct doh_url *url, uint32_t len)
{
    return strlen(url->path) + strlen("?dns=") + ((size_t)len * 4 + 2) / 3 + 1;
}

size_t doh_url_get_path(const struct doh_url *url, const uint8_t *query, uint32_t len, char *path)
{
    size_t room = doh_url_get_room(url, len);
    int n = snprintf(path, room, "%s%cdns=", url->path, strchr(url->path, '?') ? '&' : '?');
    return (size_t)n + encode(query, len, path + n);
}
