// SPDX-License-Identifier: MIT
#include "proxy/config_value.h"

#include "doh/stamp.h"
#include "proxy/config_stamp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit sizes[] = {
    {"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0},
};
static const struct unit milliseconds[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};
static const struct unit seconds[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

const char *config_kind_text(const struct config_key *key)
{
    switch (key->kind) {
    case CONFIG_MAP: return "a mapping of keys";
    case CONFIG_LIST: return key->or_one ? "one, or a list" : "a list";
    case CONFIG_STRING: return "a text";
    case CONFIG_PATH: return "a path";
    case CONFIG_URL: return "a URL like https://host/dns-query, or an sdns:// stamp";
    case CONFIG_DOMAIN: return "a domain name like corp.example";
    case CONFIG_ENDPOINT: return "an address like 127.0.0.1:53 or \"[::1]:53\"";
    case CONFIG_IP: return "an IP address like 9.9.9.9 or 2620:fe::fe";
    case CONFIG_NETWORK: return "a network like 10.0.0.0/8 or fd00::/8";
    case CONFIG_COUNT: return key->words ? "a number or auto" : "a number";
    case CONFIG_SIZE: return key->words ? "a size like 64MiB, or auto" : "a size like 64MiB";
    case CONFIG_MS: return "a duration like 500ms or 10s";
    case CONFIG_SECONDS: return "a duration like 60s, 10m or 1d";
    case CONFIG_BOOL: return "true or false";
    case CONFIG_WORD: return "one of the words";
    case CONFIG_DATE: return "a date like 2026-12-31";
    }
    return "";
}

/* Digits and a unit; no sign, no blanks, no overflow. */
static bool number(const char *text, const struct unit *units, uint64_t *ret)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (p == text)
        return false;
    for (const struct unit *u = units; u->suffix; u++) {
        if (strcmp(p, u->suffix) != 0)
            continue;
        if (value > UINT64_MAX / u->factor)
            return false;
        *ret = value * u->factor;
        return true;
    }
    return false;
}

static bool ip(const char *text, struct doh_address *ret)
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

/* IPv4[:port], [IPv6][:port], or bare IPv6. */
static bool endpoint(const char *text, uint64_t default_port, struct doh_address *ret)
{
    char host[INET6_ADDRSTRLEN];
    uint64_t port = default_port;
    const char *host_start = text;
    const char *host_end = text + strlen(text);
    const char *after = host_end;
    if (*text == '[') {
        host_start = text + 1;
        host_end = strchr(text, ']');
        if (!host_end)
            return false;
        after = host_end + 1;
    } else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
        host_end = strchr(text, ':');
        after = host_end;
    }
    if (*after != '\0' && (*after != ':' || !number(after + 1, plain, &port) || port > 65535))
        return false;
    size_t len = (size_t)(host_end - host_start);
    if (len >= sizeof host)
        return false;
    memcpy(host, host_start, len);
    host[len] = '\0';
    struct doh_address address;
    if (!ip(host, &address))
        return false;
    address.sa.v4.sin_port = htons((uint16_t)port); /* at the same place in both families */
    *ret = address;
    return true;
}

static bool network(const char *text, struct config_network *ret)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    struct doh_address address;
    if (!ip(host, &address))
        return false;
    bool v4 = address.sa.any.sa_family == AF_INET;
    uint64_t most = v4 ? 32 : 128;
    uint64_t bits = most;
    if (slash && (!number(slash + 1, plain, &bits) || bits > most))
        return false;
    struct config_network out = {.bits = (uint8_t)(v4 ? bits + 96 : bits)};
    if (v4) {
        out.address[10] = out.address[11] = 0xff;
        memcpy(out.address + 12, &address.sa.v4.sin_addr, 4);
    } else {
        memcpy(out.address, &address.sa.v6.sin6_addr, 16);
    }
    *ret = out;
    return true;
}

static bool date(const char *text, uint64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (!end || *end != '\0' || tm.tm_year < 70)
        return false;
    *ret = (uint64_t)timegm(&tm);
    return true;
}

static bool store_text(const char *text, void *at)
{
    char *copy = strdup(text);
    if (!copy)
        return false;
    char **place = at;
    free(*place);
    *place = copy;
    return true;
}

static bool is_word(const struct config_key *key, const char *text)
{
    for (int i = 0; key->words && key->words[i]; i++)
        if (!strcmp(key->words[i], text))
            return true;
    return false;
}

static bool store_path(const struct config_key *key, const char *text, const char *folder, void *at)
{
    if (text[0] == '/' || is_word(key, text))
        return store_text(text, at);
    char *joined = NULL;
    if (asprintf(&joined, "%s/%s", folder, text) < 0)
        return false;
    bool ok = store_text(joined, at);
    free(joined);
    return ok;
}

static bool store_word(const struct config_key *key, const char *text, void *at)
{
    for (int i = 0; key->words[i]; i++) {
        if (!strcmp(key->words[i], text)) {
            *(int *)at = i;
            return true;
        }
    }
    return false;
}

static bool store_bool(const char *text, void *at)
{
    bool yes = !strcmp(text, "true");
    if (!yes && strcmp(text, "false") != 0)
        return false; /* yes, no, on, off mean different things to different readers of YAML */
    *(bool *)at = yes;
    return true;
}

static bool store_number(const struct config_key *key, const char *text, void *at)
{
    const struct unit *units = key->kind == CONFIG_SIZE      ? sizes
                               : key->kind == CONFIG_MS      ? milliseconds
                               : key->kind == CONFIG_SECONDS ? seconds
                                                             : plain;
    uint64_t value = 0;
    bool automatic = key->words && !strcmp(text, key->words[0]);
    if (!automatic && (!number(text, units, &value) || value < key->min || value > key->max))
        return false;
    if (key->kind == CONFIG_SIZE)
        *(size_t *)at = value;
    else
        *(uint32_t *)at = (uint32_t)value; /* the table's bounds fit */
    return true;
}

static bool store(const struct config_key *key, const char *text, const char *folder, void *at)
{
    switch (key->kind) {
    case CONFIG_STRING: return text[0] != '\0' && store_text(text, at);
    case CONFIG_URL:
        return (doh_stamp_is(text) || (!strncmp(text, "https://", 8) && text[8] != '\0')) &&
               store_text(text, at);
    case CONFIG_PATH: return text[0] != '\0' && store_path(key, text, folder, at);
    case CONFIG_DOMAIN: return dns_name_parse(text, at) == DNS_OK;
    case CONFIG_ENDPOINT: return config_stamp_server(text, at) || endpoint(text, key->min, at);
    case CONFIG_IP: return ip(text, at);
    case CONFIG_NETWORK: return network(text, at);
    case CONFIG_COUNT:
    case CONFIG_SIZE:
    case CONFIG_MS:
    case CONFIG_SECONDS: return store_number(key, text, at);
    case CONFIG_BOOL: return store_bool(text, at);
    case CONFIG_WORD: return store_word(key, text, at);
    case CONFIG_DATE: return date(text, at);
    case CONFIG_MAP:
    case CONFIG_LIST: return false;
    }
    return false;
}

/* A bound in the unit that a person would write. */
static void bound_text(const struct config_key *key, uint64_t value, char text[static 32])
{
    const struct unit *units = key->kind == CONFIG_SIZE      ? sizes
                               : key->kind == CONFIG_MS      ? milliseconds
                               : key->kind == CONFIG_SECONDS ? seconds
                                                             : plain;
    const struct unit *best = units;
    for (const struct unit *u = units; u->suffix; u++)
        if (value >= u->factor && value % u->factor == 0)
            best = u;
    (void)snprintf(text, 32, "%" PRIu64 "%s", value / best->factor, best->suffix);
}

static void expect(const struct config_key *key, char expected[static CONFIG_WORDS_MAX])
{
    int n = snprintf(expected, CONFIG_WORDS_MAX, "%s", config_kind_text(key));
    size_t off = n > 0 ? (size_t)n : 0;
    if (key->kind == CONFIG_WORD) {
        for (int i = 0; key->words[i] && off < CONFIG_WORDS_MAX; i++)
            off += (size_t)snprintf(expected + off, CONFIG_WORDS_MAX - off, "%s%s", i ? ", " : ": ",
                                    key->words[i]);
    } else if (key->max > 0 && off < CONFIG_WORDS_MAX) {
        char lo[32];
        char hi[32];
        bound_text(key, key->min, lo);
        bound_text(key, key->max, hi);
        (void)snprintf(expected + off, CONFIG_WORDS_MAX - off, ", from %s to %s", lo, hi);
    }
}

bool config_value_store(const struct config_key *key, const char *text, const char *folder,
                        void *at, char expected[static CONFIG_WORDS_MAX])
{
    if (store(key, text, folder, at))
        return true;
    expect(key, expected);
    return false;
}

/* Levenshtein distance of short names, cut off at `limit` by the size of the table. */
#define EDIT_MAX 40u
static unsigned distance(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len >= EDIT_MAX || b_len >= EDIT_MAX)
        return EDIT_MAX;
    unsigned row[EDIT_MAX];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

const struct config_key *config_nearest(const struct config_key *keys, const char *name)
{
    const struct config_key *nearest = NULL;
    unsigned least = 3;
    for (const struct config_key *key = keys; key->name; key++) {
        unsigned d = distance(key->name, name);
        if (d < least) {
            least = d;
            nearest = key;
        }
    }
    return nearest;
}
