// SPDX-License-Identifier: MIT
#include "proxy/config_finish.h"

#include "doh/pin.h"
#include "doh/url.h"
#include "proxy/config_anchors.h"
#include "proxy/config_routes.h"
#include "proxy/config_stamp.h"
#include "proxy/machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_AUTO_MAX ((size_t)64 << 20)

struct finishing {
    struct config_draft *draft;
    struct config_errors *errors;
};

/* `where` as config_error_of() has it. */
static void fail(struct finishing *f, const char *where, const char *what, const char *why)
{
    config_error_of(f->errors, where, "%s: %s", what, why);
}

/* The same of an upstream. */
static void fail_upstream(struct finishing *f, uint32_t index, const char *key, const char *why)
{
    char where[64];
    (void)snprintf(where, sizeof where, "upstreams[%u].%s", index, key);
    fail(f, where, f->draft->c.doh.upstreams[index].url, why);
}

/* "https://[2620:fe::fe]:443/dns-query" gives "2620:fe::fe". */
static char *host_of(const char *url)
{
    const char *host = url + strlen("https://");
    size_t len = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":/{?#");
    return strndup(host, len);
}

static void finish_bootstrap(struct config *c)
{
    if (c->doh.resolv_conf && !strcmp(c->doh.resolv_conf, "none")) {
        free(c->doh.resolv_conf);
        c->doh.resolv_conf = NULL;
    }
    c->doh.state_directory = c->state_directory;
}

/* RFC 7871 6: family, prefix, 0, and as many octets of the address as the prefix has. */
static void finish_subnet(struct finishing *f)
{
    const struct config_draft *draft = f->draft;
    struct doh_config *doh = &f->draft->c.doh;
    if (draft->subnet_count == 0)
        return;
    if (draft->subnet_count > 1) {
        fail(f, "transport.client-subnet", "client-subnet", "one network, not several");
        return;
    }
    const struct config_network *n = &draft->subnet[0];
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool v4 = n->bits >= 96 && memcmp(n->address, mapped, sizeof mapped) == 0;
    unsigned bits = v4 ? n->bits - 96u : n->bits;
    unsigned octets = (bits + 7u) / 8u;
    doh->subnet[1] = v4 ? 1 : 2;
    doh->subnet[2] = (uint8_t)bits;
    memcpy(doh->subnet + 4, n->address + (v4 ? 12 : 0), octets);
    if (bits % 8u != 0) /* what the prefix does not cover is zero */
        doh->subnet[4 + octets - 1] &= (uint8_t)(0xffu << (8u - bits % 8u));
    doh->subnet_len = 4 + octets;
}

/* doh_shared_new() would say the same, but only the first of it. */
static void check_upstream(struct finishing *f, uint32_t index)
{
    const struct doh_upstream_config *u = &f->draft->c.doh.upstreams[index];
    struct doh_url url;
    struct doh_pin pin;
    char key[32];
    const char *wrong = doh_url_parse(u->url, &url);
    if (wrong)
        fail_upstream(f, index, "url", wrong);
    for (uint32_t i = 0; i < u->pin_count; i++) {
        (void)snprintf(key, sizeof key, "pin[%u]", i);
        if (!doh_pin_parse(u->pins[i], &pin))
            fail_upstream(f, index, key, "a pin is \"sha256//\" and 44 characters of base64");
    }
    if (!u->client_cert != !u->client_key)
        fail_upstream(f, index, u->client_cert ? "client-cert" : "client-key",
                      "client-cert and client-key belong together");
}

static void finish_upstreams(struct finishing *f)
{
    struct doh_config *doh = &f->draft->c.doh;
    if (doh->upstream_count == 0)
        fail(f, "upstreams", "upstreams", "at least one is needed");
    if (doh->upstream_count > DOH_UPSTREAMS_MAX)
        fail(f, "upstreams", "upstreams", "more than 32");
    for (uint32_t i = 0; i < doh->upstream_count; i++) {
        struct doh_upstream_config *u = &doh->upstreams[i];
        const char *wrong = config_stamp_expand(u);
        if (wrong) {
            fail_upstream(f, i, "url", wrong);
            continue;
        }
        check_upstream(f, i);
        char *host = host_of(u->url);
        if (!u->name && host)
            u->name = strdup(host);
        if (!u->operator_ && host)
            u->operator_ = strdup(host);
        if (!host || !u->name || !u->operator_)
            fail_upstream(f, i, "url", "out of memory");
        struct doh_address literal;
        bool is_ip = host && (inet_pton(AF_INET, host, &literal.sa.v4.sin_addr) == 1 ||
                              inet_pton(AF_INET6, host, &literal.sa.v6.sin6_addr) == 1);
        if (!is_ip && u->address_count == 0 && u->bootstrap_count == 0 && !doh->resolv_conf)
            fail_upstream(f, i, "url",
                          "needs 'addresses' of its host, or 'bootstrap' servers to ask for them, "
                          "or servers of a 'resolv-conf'");
        free(host);
    }
}

static void finish_policy(struct config_draft *draft)
{
    struct config *c = &draft->c;
    c->policy = val_policy_default(draft->sha1);
    c->policy.skew_s = draft->skew_s;
    c->policy.nsec3_insecure_above = (uint16_t)draft->nsec3_iterations; /* at most 500 */
    c->policy.rsa_bits_min = (uint16_t)draft->rsa_bits_min;             /* at most 4096 */
}

static void finish_machine(struct config *c)
{
    c->doh.waiting_max = 4 * c->queries_max; /* each its own question, and for its proof */
    if (c->workers == 0)
        c->workers = machine_cpus();
    if (c->cache.bytes == 0) {
        size_t share = machine_memory() / 8;
        c->cache.bytes = share < CACHE_AUTO_MAX ? share : CACHE_AUTO_MAX;
    }
}

/* systemd names it in $STATE_DIRECTORY, the first of several before a colon. */
static void finish_state_directory(struct finishing *f)
{
    struct config *c = &f->draft->c;
    if (strcmp(c->state_directory, "auto") != 0)
        return;
    const char *granted = getenv("STATE_DIRECTORY");
    free(c->state_directory);
    c->state_directory = NULL;
    if (!granted || granted[0] != '/')
        return;
    c->state_directory = strndup(granted, strcspn(granted, ":"));
    if (!c->state_directory)
        fail(f, "process", "state-directory", "out of memory");
}

struct config *config_finish(struct config_draft *draft, struct config_errors *errors)
{
    struct finishing f = {.draft = draft, .errors = errors};
    finish_policy(draft);
    finish_machine(&draft->c);
    if (draft->c.state_directory) /* else an error was said already */
        finish_state_directory(&f);
    if (draft->c.listen_count == 0)
        fail(&f, "listen", "listen", "at least one address is needed");
    finish_bootstrap(&draft->c);
    finish_subnet(&f);
    finish_upstreams(&f);
    config_anchors_finish(draft, errors);
    if (draft->c.anchors)
        config_routes_finish(&draft->c, errors);
    struct config *config = errors->count > 0 ? NULL : malloc(sizeof *config);
    if (!config)
        return NULL;
    *config = draft->c;
    memset(&draft->c, 0, sizeof draft->c); /* its parts have moved */
    return config;
}

const char *config_state_fault(const struct config *config)
{
    struct stat about;
    if (!config->state_directory)
        return NULL;
    if (stat(config->state_directory, &about) != 0)
        return strerror(errno);
    return S_ISDIR(about.st_mode) ? NULL : strerror(ENOTDIR);
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
    for (uint32_t i = 0; i < c->doh.route_count; i++)
        config_route_free(&c->doh.routes[i]);
    free(c->doh.upstreams);
    free(c->doh.routes);
    free(c->doh.resolv_conf);
    free(c->listen);
    free(c->allow);
    free(c->state_directory);
    val_anchors_free(c->anchors);
    free(c->time_names);
}

void config_draft_free(struct config_draft *draft)
{
    if (!draft)
        return;
    release(&draft->c);
    for (uint32_t i = 0; i < draft->negative_count; i++)
        free(draft->negative[i].reason);
    free(draft->negative);
    free(draft->subnet);
    for (uint32_t i = 0; i < draft->trust_anchor_count; i++)
        free(draft->trust_anchors[i]);
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
