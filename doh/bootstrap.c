// SPDX-License-Identifier: MIT
#include "doh/bootstrap.h"

#include "doh/plain.h"
#include "doh/resolv_conf.h"

#include <stdlib.h>
#include <string.h>

#define SERVERS_MAX 16u
#define RECORDS_MAX 64u

enum { FAMILY_V6, FAMILY_V4, FAMILIES };

struct lookup {
    struct doh_bootstrap *owner;
    struct doh_plain_query *query; /* NULL: not running */
    struct dns_question question;
};

struct doh_bootstrap {
    struct doh_pool *pool;
    const struct doh_upstream_config *config;
    struct doh_plain *plain; /* of the last look-up */
    uint32_t starts;
    struct lookup lookup[FAMILIES];
    doh_bootstrap_fn *done;
    void *arg;
};

bool doh_bootstrap_possible(const struct doh_config *config, const struct doh_upstream_config *up,
                            const struct doh_url *url)
{
    return !url->is_ip &&
           (up->bootstrap_count > 0 || (up->address_count == 0 && config->resolv_conf));
}

struct doh_bootstrap *doh_bootstrap_new(struct doh_pool *pool,
                                        const struct doh_upstream_config *config, const char *host)
{
    static const uint16_t types[FAMILIES] = {DNS_TYPE_AAAA, DNS_TYPE_A};
    struct doh_bootstrap *b = calloc(1, sizeof *b);
    struct dns_name name;
    if (!b || dns_name_parse(host, &name) != DNS_OK) {
        free(b);
        return NULL;
    }
    b->pool = pool;
    b->config = config;
    for (unsigned i = 0; i < FAMILIES; i++)
        b->lookup[i] = (struct lookup){.owner = b, .question = {name, types[i], DNS_CLASS_IN}};
    return b;
}

void doh_bootstrap_close(struct doh_bootstrap *b)
{
    if (!b)
        return;
    doh_plain_close(b->plain);
    free(b);
}

uint32_t doh_bootstrap_collect(const struct dns_msg *msg, uint16_t type,
                               struct doh_address address[static DOH_BOOTSTRAP_MAX],
                               uint32_t *ret_ttl_s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < msg->rr_count && count < DOH_BOOTSTRAP_MAX; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        if (rr->section != DNS_ANSWER || rr->type != type || rr->class_ != DNS_CLASS_IN ||
            rr->rdata_len != (type == DNS_TYPE_A ? 4 : 16))
            continue;
        struct dns_reader rdata = dns_rr_rdata(msg, rr);
        struct doh_address *a = &address[count++];
        memset(a, 0, sizeof *a);
        a->sa.any.sa_family = type == DNS_TYPE_A ? AF_INET : AF_INET6;
        void *octets =
            type == DNS_TYPE_A ? (void *)&a->sa.v4.sin_addr : (void *)&a->sa.v6.sin6_addr;
        memcpy(octets, dns_read_bytes(&rdata, rr->rdata_len), rr->rdata_len);
        if (count == 1 || rr->ttl_s < *ret_ttl_s)
            *ret_ttl_s = rr->ttl_s;
    }
    return count;
}

static void on_answer(void *arg, enum doh_err err, const uint8_t *wire, uint32_t len)
{
    struct lookup *lookup = arg;
    struct doh_bootstrap *b = lookup->owner;
    struct dns_rr table[RECORDS_MAX];
    struct dns_msg msg;
    struct doh_address address[DOH_BOOTSTRAP_MAX];
    uint32_t count = 0, ttl_s = 0;
    lookup->query = NULL;
    if (err == DOH_OK && dns_msg_read(wire, len, table, RECORDS_MAX, &msg) == DNS_OK)
        count = doh_bootstrap_collect(&msg, lookup->question.type, address, &ttl_s);
    bool last = !b->lookup[FAMILY_V4].query && !b->lookup[FAMILY_V6].query;
    if (count > 0 || last)
        b->done(b->arg, address, count, ttl_s);
}

bool doh_bootstrap_runs(const struct doh_bootstrap *b)
{
    return b && (b->lookup[FAMILY_V4].query || b->lookup[FAMILY_V6].query);
}

static uint32_t find_servers(const struct doh_bootstrap *b,
                             struct doh_address server[static SERVERS_MAX])
{
    const struct doh_config *doh = b->pool->config;
    struct doh_resolv_conf file;
    const struct doh_address *from = b->config->bootstrap;
    uint32_t count = b->config->bootstrap_count;
    if (count == 0 && doh->resolv_conf && doh_resolv_conf_read(doh->resolv_conf, &file)) {
        doh_resolv_conf_drop_self(&file, doh->self, doh->self_count);
        from = file.server;
        count = file.server_count;
    }
    uint32_t taken = count < SERVERS_MAX ? count : SERVERS_MAX;
    for (uint32_t i = 0; i < taken; i++)
        server[i] = from[(b->starts + i) % count];
    return taken;
}

bool doh_bootstrap_start(struct doh_bootstrap *b, doh_bootstrap_fn *done, void *arg)
{
    struct doh_address server[SERVERS_MAX];
    uint32_t count = find_servers(b, server);
    b->lookup[FAMILY_V4].query = b->lookup[FAMILY_V6].query = NULL; /* ends with its channel */
    doh_plain_close(b->plain);
    b->plain = count > 0 ? doh_plain_open(b->pool, server, count) : NULL;
    b->starts++;
    b->done = done;
    b->arg = arg;
    for (unsigned i = 0; b->plain && i < FAMILIES; i++) {
        struct lookup *lookup = &b->lookup[i];
        lookup->query = doh_plain_ask(b->plain, &lookup->question, 0, false, on_answer, lookup);
    }
    return doh_bootstrap_runs(b);
}
