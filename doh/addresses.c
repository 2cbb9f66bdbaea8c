// SPDX-License-Identifier: MIT
#include "doh/addresses.h"

#include "doh/address.h"
#include "doh/url.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "upstream-addresses"
#define PATH_MAX_LEN 4096u

struct host {
    char name[DOH_HOST_MAX];
    struct doh_address address[DOH_ADDRESSES_EACH_MAX];
    uint32_t count;
};

struct doh_addresses {
    char path[PATH_MAX_LEN], next[PATH_MAX_LEN]; /* "" : nothing is kept on disk */
    pthread_mutex_t lock;                        /* of what follows: workers look up and learn */
    uint32_t count;
    struct host host[DOH_ADDRESSES_HOSTS_MAX];
};

static struct host *find(struct doh_addresses *a, const char *name)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!strcmp(a->host[i].name, name))
            return &a->host[i];
    return NULL;
}

static bool parse_ip(const char *text, struct doh_address *ret)
{
    struct doh_address address = {0};
    if (inet_pton(AF_INET, text, &address.sa.v4.sin_addr) == 1)
        address.sa.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.sa.v6.sin6_addr) == 1)
        address.sa.v6.sin6_family = AF_INET6;
    else
        return false;
    *ret = address;
    return true;
}

static bool is_host_name(const char *text)
{
    char url[DOH_HOST_MAX + 16];
    struct doh_url parsed;
    int n = snprintf(url, sizeof url, "https://%s/", text);
    return n > 0 && (size_t)n < sizeof url && doh_url_parse(url, &parsed) == NULL &&
           !strcmp(parsed.host, text) && !parsed.is_ip;
}

static void parse_line(struct doh_addresses *a, char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \t\r", &rest);
    struct host host = {.count = 0};
    if (!word || !is_host_name(word) || find(a, word) || a->count == DOH_ADDRESSES_HOSTS_MAX)
        return;
    (void)snprintf(host.name, sizeof host.name, "%s", word);
    while (host.count < DOH_ADDRESSES_EACH_MAX && (word = strtok_r(NULL, " \t\r", &rest)))
        if (parse_ip(word, &host.address[host.count]))
            host.count++;
    if (host.count > 0)
        a->host[a->count++] = host;
}

void doh_addresses_parse(struct doh_addresses *a, const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        char line[1024];
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        if (n < sizeof line && !memchr(text, '\0', n)) {
            memcpy(line, text, n);
            line[n] = '\0';
            parse_line(a, line);
        }
        text = newline ? newline + 1 : end;
    }
}

static void load(struct doh_addresses *a)
{
    FILE *f = fopen(a->path, "re");
    char *text = f ? malloc(DOH_ADDRESSES_FILE_MAX + 1u) : NULL;
    size_t len = text ? fread(text, 1, DOH_ADDRESSES_FILE_MAX + 1u, f) : 0;
    if (text && !ferror(f) && len <= DOH_ADDRESSES_FILE_MAX)
        doh_addresses_parse(a, text, len);
    free(text);
    if (f)
        (void)fclose(f); /* only read from */
}

struct doh_addresses *doh_addresses_new(const char *directory)
{
    struct doh_addresses *a = calloc(1, sizeof *a);
    if (!a || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return NULL;
    }
    if (!directory || strlen(directory) > PATH_MAX_LEN - 64)
        return a;
    (void)snprintf(a->path, sizeof a->path, "%s/" NAME, directory);
    (void)snprintf(a->next, sizeof a->next, "%s/" NAME ".new", directory);
    load(a);
    return a;
}

void doh_addresses_free(struct doh_addresses *a)
{
    if (!a)
        return;
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

uint32_t doh_addresses_get(struct doh_addresses *a, const char *name, struct doh_address *ret,
                           uint32_t cap)
{
    (void)pthread_mutex_lock(&a->lock);
    const struct host *host = find(a, name);
    uint32_t count = host ? host->count : 0;
    if (count > cap)
        count = cap;
    for (uint32_t i = 0; i < count; i++)
        ret[i] = host->address[i];
    (void)pthread_mutex_unlock(&a->lock);
    return count;
}

static bool write_hosts(const struct doh_addresses *a, FILE *f)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct host *host = &a->host[i];
        if (fputs(host->name, f) < 0)
            return false;
        for (uint32_t n = 0; n < host->count; n++) {
            char text[INET6_ADDRSTRLEN] = "";
            bool v6 = host->address[n].sa.any.sa_family == AF_INET6;
            const void *octets = v6 ? (const void *)&host->address[n].sa.v6.sin6_addr
                                    : (const void *)&host->address[n].sa.v4.sin_addr;
            (void)inet_ntop(host->address[n].sa.any.sa_family, octets, text, sizeof text);
            if (fputc(' ', f) == EOF || fputs(text, f) < 0)
                return false;
        }
        if (fputc('\n', f) == EOF)
            return false;
    }
    return true;
}

/* As a whole or not at all. It is not synced: lost, it costs a look-up. */
static bool save(const struct doh_addresses *a)
{
    if (a->path[0] == '\0')
        return true;
    FILE *f = fopen(a->next, "we");
    if (!f)
        return false;
    bool ok = write_hosts(a, f);
    ok = fclose(f) == 0 && ok;
    if (ok && rename(a->next, a->path) == 0)
        return true;
    (void)unlink(a->next); /* half a file is of no use */
    return false;
}

static bool is_news(const struct host *host, const struct doh_address *address, uint32_t count)
{
    if (host->count != count)
        return true;
    for (uint32_t i = 0; i < count; i++)
        if (!doh_address_equal(&host->address[i], &address[i]))
            return true;
    return false;
}

bool doh_addresses_put(struct doh_addresses *a, const char *name, const struct doh_address *address,
                       uint32_t count)
{
    struct doh_address bare[DOH_ADDRESSES_EACH_MAX];
    bool ok = true;
    if (count > DOH_ADDRESSES_EACH_MAX)
        count = DOH_ADDRESSES_EACH_MAX;
    for (uint32_t i = 0; i < count; i++) {
        bare[i] = address[i];
        doh_address_set_port(&bare[i], 0);
    }
    (void)pthread_mutex_lock(&a->lock);
    struct host *host = find(a, name);
    if (!host && a->count < DOH_ADDRESSES_HOSTS_MAX && strlen(name) < sizeof host->name) {
        host = &a->host[a->count++];
        memset(host, 0, sizeof *host);
        (void)snprintf(host->name, sizeof host->name, "%s", name);
    }
    if (host && count > 0 && is_news(host, bare, count)) {
        memcpy(host->address, bare, count * sizeof bare[0]);
        host->count = count;
        ok = save(a);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return ok;
}
