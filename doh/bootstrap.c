// SPDX-License-Identifier: MIT
#include "doh/bootstrap.h"

#include "doh/plain.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 8u /* of one family */
#define RECORDS_MAX 64u

enum { FAMILY_V6, FAMILY_V4, FAMILIES };

struct lookup {
    struct doh_bootstrap *owner;
    struct doh_plain_query *query; /* NULL: not running */
    struct dns_question question;
};

struct doh_bootstrap {
    struct doh_plain *plain;
    struct lookup lookup[FAMILIES];
    bool found; /* in this look-up */
    doh_bootstrap_fn *done;
    void *arg;
};

struct doh_bootstrap *doh_bootstrap_new(struct doh_pool *pool,
                                        const struct doh_upstream_config *config, const char *host)
{
    static const uint16_t types[FAMILIES] = {DNS_TYPE_AAAA, DNS_TYPE_A};
    struct doh_bootstrap *b = calloc(1, sizeof *b);
    struct dns_name name;
    if (!b)
        return NULL;
    if (dns_name_parse(host, &name) == DNS_OK)
        b->plain = doh_plain_open(pool, config->bootstrap, config->bootstrap_count);
    if (!b->plain) {
        free(b);
        return NULL;
    }
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

/* Aliases are not followed here: the server did that, and put the addresses behind them. */
static uint32_t collect(const struct dns_msg *msg, uint16_t type, struct doh_address *address,
                        uint32_t *ret_ttl_s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < msg->rr_count && count < ADDRESSES_MAX; i++) {
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
    struct doh_address address[ADDRESSES_MAX];
    uint32_t count = 0, ttl_s = 0;
    lookup->query = NULL;
    if (err == DOH_OK && dns_msg_read(wire, len, table, RECORDS_MAX, &msg) == DNS_OK)
        count = collect(&msg, lookup->question.type, address, &ttl_s);
    bool last = !b->lookup[FAMILY_V4].query && !b->lookup[FAMILY_V6].query;
    b->found = b->found || count > 0;
    if (count > 0 || (last && !b->found))
        b->done(b->arg, address, count, ttl_s);
}

bool doh_bootstrap_start(struct doh_bootstrap *b, doh_bootstrap_fn *done, void *arg)
{
    b->done = done;
    b->arg = arg;
    b->found = false;
    for (unsigned i = 0; i < FAMILIES; i++) {
        struct lookup *lookup = &b->lookup[i];
        if (lookup->query)
            doh_plain_cancel(lookup->query);
        lookup->query = doh_plain_ask(b->plain, &lookup->question, 0, false, on_answer, lookup);
    }
    return b->lookup[FAMILY_V4].query || b->lookup[FAMILY_V6].query;
}
