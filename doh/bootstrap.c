// SPDX-License-Identifier: MIT
#include "doh/bootstrap.h"

#include "dns/message.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 16u
#define TTL_MIN_MS 60000u /* an upstream's name is not asked for more often */
#define RETRY_MS 2000u

bool doh_bootstrap_wanted(const struct doh_upstream *up)
{
    bool due = up->addresses_until_ms == 0 || uv_now(up->loop) >= up->addresses_until_ms;
    return up->resolving == 0 && due && (up->address_count == 0 || up->addresses_until_ms > 0);
}

static void add_address(struct doh_upstream *up, const struct doh_address *address)
{
    for (uint32_t i = 0; i < up->address_count; i++)
        if (!memcmp(&up->addresses[i], address, sizeof *address))
            return;
    if (up->address_count >= ADDRESSES_MAX)
        return;
    struct doh_address *grown =
        realloc(up->addresses, (up->address_count + 1u) * sizeof *up->addresses);
    if (!grown)
        return;
    up->addresses = grown;
    grown[up->address_count++] = *address;
}

static bool read_address(const struct dns_msg *msg, const struct dns_rr *rr,
                         struct doh_address *ret)
{
    struct dns_reader rdata = dns_rr_rdata(msg, rr);
    struct doh_address address;
    memset(&address, 0, sizeof address);
    const uint8_t *octets = dns_read_bytes(&rdata, rr->rdata_len);
    if (rr->section != DNS_ANSWER || rr->class_ != DNS_CLASS_IN || !octets)
        return false;
    if (rr->type == DNS_TYPE_A && rr->rdata_len == 4) {
        address.sa.v4.sin_family = AF_INET;
        memcpy(&address.sa.v4.sin_addr, octets, 4);
    } else if (rr->type == DNS_TYPE_AAAA && rr->rdata_len == 16) {
        address.sa.v6.sin6_family = AF_INET6;
        memcpy(&address.sa.v6.sin6_addr, octets, 16);
    } else {
        return false;
    }
    *ret = address;
    return true;
}

/* An answer is only believed for the question asked; a lie here fails the TLS name check. */
static void on_answer(void *arg, const uint8_t *answer, uint32_t len)
{
    struct doh_upstream *up = arg;
    struct dns_rr table[64];
    struct dns_msg msg;
    struct dns_question question = {.class_ = DNS_CLASS_IN};
    uint32_t ttl_s = UINT32_MAX;
    bool any = false;
    up->resolving--;
    if (answer && dns_msg_read(answer, len, table, 64, &msg) == DNS_OK && msg.question_count == 1 &&
        dns_name_parse(up->shared->url.host, &question.name) == DNS_OK) {
        question.type = msg.question.type;
        for (uint32_t i = 0; i < msg.rr_count && dns_msg_answers(&msg, &question); i++) {
            struct doh_address address;
            if (!read_address(&msg, &msg.rr[i], &address))
                continue;
            if (!any && up->addresses_until_ms > 0 && up->resolving == 1)
                up->address_count = 0; /* the first new ones replace what was known */
            any = true;
            ttl_s = msg.rr[i].ttl_s < ttl_s ? msg.rr[i].ttl_s : ttl_s;
            add_address(up, &address);
        }
    }
    uint64_t keep_ms = any ? ttl_s * UINT64_C(1000) : 0;
    uint64_t floor_ms = up->address_count > 0 ? TTL_MIN_MS : RETRY_MS;
    up->addresses_until_ms = uv_now(up->loop) + (keep_ms > floor_ms ? keep_ms : floor_ms);
    if (up->resolving == 0 && up->address_count == 0)
        doh_upstream_failed(up, NULL, "its bootstrap servers gave no address for its host");
}

static bool ask(struct doh_upstream *up, const struct dns_name *host, uint16_t type)
{
    uint8_t wire[512];
    struct dns_question question = {.name = *host, .type = type, .class_ = DNS_CLASS_IN};
    struct dns_opt_out opt = {.udp_size = 1232};
    uint32_t len = dns_query_write(wire, sizeof wire, 0, &question, 0, &opt);
    return len > 0 && doh_resolve_ask(up->resolve, wire, len, on_answer, up) != NULL;
}

void doh_bootstrap_start(struct doh_upstream *up)
{
    struct dns_name host;
    struct doh_address literal;
    const struct doh_upstream_config *config = up->config;
    memset(&literal, 0, sizeof literal);
    for (uint32_t i = 0; i < config->address_count; i++)
        add_address(up, &config->addresses[i]);
    if (inet_pton(AF_INET, up->shared->url.host, &literal.sa.v4.sin_addr) == 1)
        literal.sa.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, up->shared->url.host, &literal.sa.v6.sin6_addr) == 1)
        literal.sa.v6.sin6_family = AF_INET6;
    if (literal.sa.any.sa_family != AF_UNSPEC)
        add_address(up, &literal);
    if (config->address_count > 0 || literal.sa.any.sa_family != AF_UNSPEC)
        return;
    if (!up->resolve)
        up->resolve = doh_resolve_new(up->loop, config->bootstrap, config->bootstrap_count);
    if (!up->resolve || dns_name_parse(up->shared->url.host, &host) != DNS_OK)
        return;
    up->resolving = (uint8_t)(up->resolving + ask(up, &host, DNS_TYPE_A));
    up->resolving = (uint8_t)(up->resolving + ask(up, &host, DNS_TYPE_AAAA));
}
