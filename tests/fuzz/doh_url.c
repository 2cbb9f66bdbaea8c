// SPDX-License-Identifier: MIT
/* A URL that parses has a host, an authority that says the same as host and port, a path that can
 * stand in an HTTP request; and, put together again from its parts, parses to the same. */
#include "doh/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct doh_url *url)
{
    char again_text[DOH_AUTHORITY_MAX + DOH_PATH_MAX + 16];
    struct doh_url again;
    must(url->host[0] != '\0' && url->port > 0 && url->path[0] == '/');
    must(strstr(url->authority, url->host) != NULL);
    for (const char *p = url->path; *p; p++)
        must(*p > ' ' && *p < 0x7f && !strchr("{}#\"<>\\^`|", *p));
    (void)snprintf(again_text, sizeof again_text, "https://%s%s", url->authority, url->path);
    must(doh_url_parse(again_text, &again) == NULL);
    must(memcmp(&again, url, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[2048], path[DOH_PATH_MAX + 64];
    struct doh_url url;
    size_t n = len < sizeof text ? len : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    if (doh_url_parse(text, &url) != NULL)
        return 0;
    check(&url);
    uint32_t query_len = len < 24 ? (uint32_t)len : 24;
    must(doh_url_get_room(&url, query_len) <= sizeof path);
    size_t path_len = doh_url_get_path(&url, data, query_len, path);
    must(path_len == strlen(path) && path_len < doh_url_get_room(&url, query_len));
    return 0;
}
