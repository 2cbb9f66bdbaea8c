// SPDX-License-Identifier: MIT
#include "doh/resolv_conf.h"

#include "doh/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORD_MAX 256u
#define DNS_PORT 53u

/* The next word of a line, NUL-terminated; false at its end. A longer word is no word we know. */
static bool next_word(const char **at, const char *end, char word[static WORD_MAX])
{
    const char *p = *at;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    const char *start = p;
    while (p < end && *p != ' ' && *p != '\t' && *p != '\r')
        p++;
    size_t len = (size_t)(p - start);
    *at = p;
    if (len == 0)
        return false;
    if (len >= WORD_MAX)
        len = 0;
    memcpy(word, start, len);
    word[len] = '\0';
    return true;
}

static bool parse_port(const char *text, uint16_t *ret)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port == 0 || port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* "fe80::1%eth0": a link-local address means nothing without its link. */
static bool parse_scope(char *text, uint32_t *ret)
{
    char *percent = strchr(text, '%');
    *ret = 0;
    if (!percent)
        return true;
    *percent = '\0';
    *ret = if_nametoindex(percent + 1);
    if (*ret == 0)
        *ret = (uint32_t)strtoul(percent + 1, NULL, 10);
    return *ret != 0;
}

static bool parse_server(char *word, struct doh_address *ret)
{
    struct doh_address address = {0};
    uint16_t port = DNS_PORT;
    uint32_t scope;
    char *host = word;
    if (word[0] == '[') {
        char *close = strchr(word, ']');
        if (!close || (close[1] != '\0' && (close[1] != ':' || !parse_port(close + 2, &port))))
            return false;
        *close = '\0';
        host = word + 1;
    }
    if (!parse_scope(host, &scope))
        return false;
    if (inet_pton(AF_INET, host, &address.sa.v4.sin_addr) == 1) {
        address.sa.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, host, &address.sa.v6.sin6_addr) == 1) {
        address.sa.v6.sin6_family = AF_INET6;
        address.sa.v6.sin6_scope_id = scope;
    } else {
        return false;
    }
    doh_address_set_port(&address, port);
    *ret = address;
    return true;
}

static void add_search(struct doh_resolv_conf *conf, const char *word)
{
    struct dns_name name;
    if (conf->search_count == DOH_RESOLV_SEARCH_MAX || dns_name_parse(word, &name) != DNS_OK ||
        name.labels == 0) /* "search ." expands nothing */
        return;
    conf->search[conf->search_count++] = name;
}

static void parse_line(const char *line, const char *end, struct doh_resolv_conf *conf)
{
    char word[WORD_MAX];
    if (!next_word(&line, end, word) || word[0] == '#' || word[0] == ';')
        return;
    if (!strcmp(word, "nameserver")) {
        if (next_word(&line, end, word) && conf->server_count < DOH_RESOLV_SERVERS_MAX &&
            parse_server(word, &conf->server[conf->server_count]))
            conf->server_count++;
    } else if (!strcmp(word, "search") || !strcmp(word, "domain")) {
        bool one = word[0] == 'd';
        conf->search_count = 0;
        while (next_word(&line, end, word) && !(one && conf->search_count > 0))
            add_search(conf, word);
    }
}

void doh_resolv_conf_parse(const char *text, size_t len, struct doh_resolv_conf *ret)
{
    const char *end = text + len;
    memset(ret, 0, sizeof *ret);
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (!memchr(text, '\0', (size_t)(stop - text)))
            parse_line(text, stop, ret);
        text = newline ? newline + 1 : end;
    }
}

bool doh_resolv_conf_read(const char *path, struct doh_resolv_conf *ret)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(DOH_RESOLV_FILE_MAX + 1u) : NULL;
    size_t len = text ? fread(text, 1, DOH_RESOLV_FILE_MAX + 1u, f) : 0;
    bool ok = text && !ferror(f) && len <= DOH_RESOLV_FILE_MAX;
    if (ok)
        doh_resolv_conf_parse(text, len, ret);
    free(text);
    if (f)
        (void)fclose(f); /* only read from */
    return ok;
}

static bool is_any(const struct doh_address *address)
{
    if (address->sa.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&address->sa.v6.sin6_addr);
    return address->sa.v4.sin_addr.s_addr == INADDR_ANY;
}

/* An address of this machine is one that a socket can be bound to. */
static bool is_of_this_machine(const struct doh_address *address)
{
    struct doh_address any_port = *address;
    doh_address_set_port(&any_port, 0);
    int fd = socket(address->sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, &any_port.sa.any, doh_address_len(&any_port)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return bound;
}

static bool is_self(const struct doh_address *server, const struct doh_address *self)
{
    if (doh_address_equal(server, self))
        return true;
    /* [::] takes IPv4 too, unless it is told not to: rather one server less than a loop */
    bool covers = self->sa.any.sa_family == AF_INET6 || server->sa.any.sa_family == AF_INET;
    return is_any(self) && covers && doh_address_port(server) == doh_address_port(self) &&
           is_of_this_machine(server);
}

void doh_resolv_conf_drop_self(struct doh_resolv_conf *conf, const struct doh_address *self,
                               uint32_t self_count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < conf->server_count; i++) {
        bool ours = false;
        for (uint32_t s = 0; s < self_count && !ours; s++)
            ours = is_self(&conf->server[i], &self[s]);
        if (!ours)
            conf->server[kept++] = conf->server[i];
    }
    conf->server_count = kept;
}
