// SPDX-License-Identifier: MIT
#include "cache/lifetime.h"

#include "dns/rdata.h"

static uint32_t least(uint32_t a, uint64_t b)
{
    return b < a ? (uint32_t)b : a;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* RFC 2308 5: the lower of the SOA's TTL and its minimum. False: there is no SOA, and nothing says
 * how long the name may be taken as absent. */
static bool negative_ttl(const struct dns_msg *msg, uint32_t *ret)
{
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        uint8_t rdata[2 * DNS_NAME_MAX + 20];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_soa soa;
        if (rr->type != DNS_TYPE_SOA || rr->section != DNS_AUTHORITY ||
            dns_rdata_expand(msg, rr, &w) != DNS_OK ||
            dns_soa_read(dns_reader_init(rdata, w.off), &soa) != DNS_OK)
            continue;
        *ret = least(soa.minimum_s, rr->ttl_s);
        return true;
    }
    return false;
}

static bool has_answer(const struct dns_msg *msg)
{
    uint16_t type = msg->question.type;
    for (uint32_t i = 0; i < msg->rr_count; i++)
        if (msg->rr[i].section == DNS_ANSWER && (msg->rr[i].type == type || type == DNS_TYPE_ANY))
            return true;
    return false;
}

/* A failure is no answer (RFC 9520 has its own rules), half an answer is none either. */
static bool may_be_kept(const struct dns_msg *msg)
{
    bool whole = !(msg->flags & DNS_FLAG_TC) && msg->question_count == 1;
    return whole && (msg->rcode == DNS_RCODE_NOERROR || msg->rcode == DNS_RCODE_NXDOMAIN);
}

struct cache_lifetime cache_lifetime(const struct cache_limits *limits, const struct dns_msg *msg,
                                     uint64_t valid_s)
{
    struct cache_lifetime none = {.ttl_s = 0};
    bool negative = msg->rcode == DNS_RCODE_NXDOMAIN || !has_answer(msg);
    uint32_t ttl_s = UINT32_MAX;
    if (!may_be_kept(msg) || (negative && !negative_ttl(msg, &ttl_s)))
        return none;
    for (uint32_t i = 0; i < msg->rr_count; i++)
        ttl_s = least(ttl_s, msg->rr[i].ttl_s);
    ttl_s = least(most(ttl_s, limits->min_ttl_s), limits->max_ttl_s);
    ttl_s = negative ? least(ttl_s, limits->negative_ttl_s) : ttl_s;
    ttl_s = least(ttl_s, valid_s);
    /* Who asks us may keep an absence as long as its SOA says: no longer than we do. */
    uint32_t max_s = negative ? ttl_s : least(limits->max_ttl_s, valid_s);
    return (struct cache_lifetime){
        .ttl_s = ttl_s, .rr_min_s = least(limits->min_ttl_s, max_s), .rr_max_s = max_s};
}
