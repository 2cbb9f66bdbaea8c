// SPDX-License-Identifier: MIT
#include "proxy/config_finish.h"

#include "proxy/machine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_AUTO_MAX ((size_t)64 << 20)

struct finishing {
    struct config_draft *draft;
    const char *path;
    FILE *errors;
    bool failed;
};

static void fail(struct finishing *f, const char *what, const char *why)
{
    (void)fprintf(f->errors, "%s: error: %s: %s\n", f->path, what, why);
    f->failed = true;
}

/* "https://[2620:fe::fe]:443/dns-query" gives "2620:fe::fe". */
static char *host_of(const char *url)
{
    const char *host = url + strlen("https://");
    size_t len = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":/{?#");
    return strndup(host, len);
}

static void finish_upstreams(struct finishing *f)
{
    struct doh_config *doh = &f->draft->c.doh;
    if (doh->upstream_count == 0)
        fail(f, "upstreams", "at least one is needed");
    if (doh->upstream_count > DOH_UPSTREAMS_MAX)
        fail(f, "upstreams", "more than 32");
    for (uint32_t i = 0; i < doh->upstream_count; i++) {
        struct doh_upstream_config *u = &doh->upstreams[i];
        char *host = host_of(u->url);
        if (!u->name && host)
            u->name = strdup(host);
        if (!u->operator_ && host)
            u->operator_ = strdup(host);
        if (!host || !u->name || !u->operator_)
            fail(f, u->url, "out of memory");
        struct doh_address literal;
        bool is_ip = host && (inet_pton(AF_INET, host, &literal.sa.v4.sin_addr) == 1 ||
                              inet_pton(AF_INET6, host, &literal.sa.v6.sin6_addr) == 1);
        if (!is_ip && u->address_count == 0 && u->bootstrap_count == 0)
            fail(f, u->url,
                 "needs 'addresses' of its host, or 'bootstrap' servers to ask for them "
                 "(the system's resolver is not asked: that may be veridoh itself)");
        free(host);
    }
}

static void finish_routes(struct finishing *f)
{
    struct config *c = &f->draft->c;
    for (uint32_t i = 0; i < c->doh.route_count; i++) {
        const struct doh_route_config *route = &c->doh.routes[i];
        if (route->domain_count == 0)
            fail(f, "routes", "a route without domains");
        if (route->server_count == 0)
            fail(f, "routes", "a route without servers");
        for (uint32_t d = 0; d < route->domain_count; d++)
            if (val_anchors_add_negative(c->anchors, &route->domains[d], UINT64_MAX,
                                         "routed to plain DNS servers") != DNS_OK)
                fail(f, "routes", "out of memory");
    }
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    const size_t most = 1u << 20;
    char *text = malloc(most + 1);
    size_t len = text ? fread(text, 1, most, f) : 0;
    (void)fclose(f); /* only read from */
    if (text)
        text[len] = '\0';
    return text;
}

static void finish_anchors(struct finishing *f)
{
    struct config_draft *draft = f->draft;
    struct val_anchors *anchors = val_anchors_new();
    draft->c.anchors = anchors;
    if (!anchors) {
        fail(f, "trust-anchors", "out of memory");
        return;
    }
    if (!strcmp(draft->trust_anchors, "builtin")) {
        if (val_anchors_add_builtin(anchors) != DNS_OK)
            fail(f, "trust-anchors", "out of memory");
    } else {
        char *text = read_text(draft->trust_anchors);
        unsigned line = 0;
        enum dns_err err = text ? val_anchors_add_text(anchors, text, &line) : DNS_OK;
        if (!text)
            fail(f, draft->trust_anchors, "cannot be read");
        else if (err != DNS_OK)
            (void)fprintf(f->errors,
                          "%s:%u:1: error: not a DS or DNSKEY record in zone-file form: %s\n",
                          draft->trust_anchors, line, dns_err_text(err));
        else if (val_anchors_count(anchors) == 0)
            fail(f, draft->trust_anchors, "has no trust anchor in it");
        f->failed = f->failed || err != DNS_OK;
        free(text);
    }
    for (uint32_t i = 0; i < draft->negative_count; i++) {
        const struct config_negative *n = &draft->negative[i];
        if (val_anchors_add_negative(anchors, &n->domain, n->until_s ? n->until_s : UINT64_MAX,
                                     n->reason ? n->reason : "configured") != DNS_OK)
            fail(f, "negative-trust-anchors", "out of memory");
    }
}

static void finish_policy(struct config_draft *draft)
{
    struct config *c = &draft->c;
    c->policy = val_policy_default(draft->sha1);
    c->policy.skew_s = draft->skew_s;
    c->policy.nsec3_insecure_above = (uint16_t)draft->nsec3_iterations; /* at most 500 */
}

/* The budgets without a key of their own keep their defaults. */
static void finish_limits(struct config *c)
{
    struct val_limits limits = val_limits_default;
    limits.crypto_units = c->limits.crypto_units;
    limits.failed_signatures = c->limits.failed_signatures;
    limits.sha1_blocks = c->limits.sha1_blocks;
    limits.fetches = c->limits.fetches;
    limits.flights = c->limits.flights;
    c->limits = limits;
}

static void finish_machine(struct config *c)
{
    if (c->workers == 0)
        c->workers = machine_cpus();
    if (c->cache.bytes == 0) {
        size_t share = machine_memory() / 8;
        c->cache.bytes = share < CACHE_AUTO_MAX ? share : CACHE_AUTO_MAX;
    }
}

static void allow_loopback(struct finishing *f)
{
    struct config *c = &f->draft->c;
    struct config_network *grown = realloc(c->allow, (c->allow_count + 2u) * sizeof *grown);
    if (!grown) {
        fail(f, "allow", "out of memory");
        return;
    }
    c->allow = grown;
    grown[c->allow_count++] = (struct config_network){
        .address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}, .bits = 104};
    grown[c->allow_count++] = (struct config_network){.address = {[15] = 1}, .bits = 128};
}

struct config *config_finish(struct config_draft *draft, const char *path, FILE *errors)
{
    struct finishing f = {.draft = draft, .path = path, .errors = errors};
    finish_policy(draft);
    finish_limits(&draft->c);
    finish_machine(&draft->c);
    if (draft->c.listen_count == 0)
        fail(&f, "listen", "at least one address is needed");
    finish_upstreams(&f);
    finish_anchors(&f);
    if (draft->c.anchors)
        finish_routes(&f);
    allow_loopback(&f);
    struct config *config = f.failed ? NULL : malloc(sizeof *config);
    if (!config)
        return NULL;
    *config = draft->c;
    memset(&draft->c, 0, sizeof draft->c); /* its parts have moved */
    return config;
}

static void release(struct config *c)
{
    for (uint32_t i = 0; i < c->doh.upstream_count; i++) {
        struct doh_upstream_config *u = &c->doh.upstreams[i];
        free(u->name);
        free(u->url);
        free(u->operator_);
        free(u->addresses);
        free(u->bootstrap);
        free(u->ca_file);
        for (uint32_t p = 0; p < u->pin_count; p++)
            free(u->pins[p]);
        free(u->pins);
        free(u->client_cert);
        free(u->client_key);
    }
    for (uint32_t i = 0; i < c->doh.route_count; i++) {
        free(c->doh.routes[i].domains);
        free(c->doh.routes[i].servers);
    }
    free(c->doh.upstreams);
    free(c->doh.routes);
    free(c->listen);
    free(c->allow);
    val_anchors_free(c->anchors);
}

void config_draft_free(struct config_draft *draft)
{
    if (!draft)
        return;
    release(&draft->c);
    for (uint32_t i = 0; i < draft->negative_count; i++)
        free(draft->negative[i].reason);
    free(draft->negative);
    free(draft->trust_anchors);
    free(draft);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    release(config);
    free(config);
}
