// SPDX-License-Identifier: MIT
#include "doh/refresh.h"

#include <stdlib.h>

#define DEADLINE_MS 5000u
#define RECORDS_MAX 64u
#define UDP_SIZE 1232u

enum { FAMILY_V6, FAMILY_V4, FAMILIES };

struct lookup {
    struct doh_refresh *owner;
    struct doh_fetch *fetch; /* NULL: not running */
    struct dns_question question;
};

struct doh_refresh {
    struct doh_pool *pool;
    struct lookup lookup[FAMILIES];
    doh_bootstrap_fn *done;
    void *arg;
};

struct doh_refresh *doh_refresh_new(struct doh_pool *pool, const char *host)
{
    static const uint16_t types[FAMILIES] = {DNS_TYPE_AAAA, DNS_TYPE_A};
    struct doh_refresh *r = calloc(1, sizeof *r);
    struct dns_name name;
    if (!r || dns_name_parse(host, &name) != DNS_OK) {
        free(r);
        return NULL;
    }
    r->pool = pool;
    for (unsigned i = 0; i < FAMILIES; i++)
        r->lookup[i] = (struct lookup){.owner = r, .question = {name, types[i], DNS_CLASS_IN}};
    return r;
}

void doh_refresh_free(struct doh_refresh *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < FAMILIES; i++)
        if (r->lookup[i].fetch)
            doh_fetch_cancel(r->lookup[i].fetch);
    free(r);
}

static void on_answer(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    struct lookup *lookup = arg;
    struct doh_refresh *r = lookup->owner;
    struct dns_rr table[RECORDS_MAX];
    struct doh_address address[DOH_BOOTSTRAP_MAX];
    struct dns_msg msg;
    uint32_t ttl_s = 0, count = 0;
    lookup->fetch = NULL;
    if (err == DOH_OK &&
        dns_msg_read(answer->wire, answer->len, table, RECORDS_MAX, &msg) == DNS_OK)
        count = doh_bootstrap_collect(&msg, lookup->question.type, address, &ttl_s);
    if (count > 0)
        r->done(r->arg, address, count, ttl_s);
}

static void start(struct doh_refresh *r, struct lookup *lookup)
{
    uint8_t wire[DNS_HEADER_LEN + DNS_NAME_MAX + 4 + 11 + 512];
    struct dns_opt_out opt = {.udp_size = UDP_SIZE, .pad_to = (uint16_t)r->pool->config->pad_to};
    struct doh_request request = {
        .question = &lookup->question,
        .wire = wire,
        .len = dns_query_write(wire, sizeof wire, 0, &lookup->question, 0, &opt),
        .route = DOH_ROUTE_DEFAULT,
        .deadline_ms = DEADLINE_MS,
        .speculative = true,
    };
    if (request.len > 0) /* without memory: the next time */
        lookup->fetch = doh_fetch_start(r->pool, &request, on_answer, lookup);
}

void doh_refresh_start(struct doh_refresh *r, doh_bootstrap_fn *done, void *arg)
{
    if (r->lookup[FAMILY_V6].fetch || r->lookup[FAMILY_V4].fetch)
        return;
    r->done = done;
    r->arg = arg;
    for (unsigned i = 0; i < FAMILIES; i++)
        start(r, &r->lookup[i]);
}
