// SPDX-License-Identifier: MIT
/* Any message that reads can be grouped and copied; a copy reads, is never larger than allowed, and
 * says the same. Octets 0 and 1 choose how the copy is made. */
#include "dns/rdata.h"
#include "dns/rrset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Every record is in one set at most, and only RRSIGs are in none. */
static void group(const struct dns_msg *msg)
{
    static struct dns_rrset table[DNS_RRSET_MAX];
    static uint16_t order[DNS_RR_MAX];
    uint8_t seen[DNS_RR_MAX] = {0};
    struct dns_rrsets sets;
    if (dns_rrsets_group(msg, table, DNS_RRSET_MAX, order, &sets) != DNS_OK)
        return;
    for (uint32_t s = 0; s < sets.count; s++) {
        must(table[s].count > 0);
        for (uint32_t i = 0; i < table[s].count; i++)
            must(seen[order[table[s].first + i]]++ == 0);
        for (uint32_t i = 0; i < table[s].sig_count; i++)
            must(seen[order[table[s].sig_first + i]]++ == 0);
    }
    for (uint32_t i = 0; i < msg->rr_count; i++)
        must(seen[i] || msg->rr[i].type == DNS_TYPE_RRSIG);
}

static bool same_rr(const struct dns_msg *a, const struct dns_rr *a_rr, const struct dns_msg *b,
                    const struct dns_rr *b_rr)
{
    static uint8_t a_rdata[65535];
    static uint8_t b_rdata[65535];
    struct dns_writer a_w = dns_writer_init(a_rdata, sizeof a_rdata);
    struct dns_writer b_w = dns_writer_init(b_rdata, sizeof b_rdata);
    struct dns_name a_owner = dns_rr_owner(a, a_rr);
    struct dns_name b_owner = dns_rr_owner(b, b_rr);
    return dns_rdata_expand(a, a_rr, &a_w) == DNS_OK && dns_rdata_expand(b, b_rr, &b_w) == DNS_OK &&
           a_owner.len == b_owner.len && memcmp(a_owner.wire, b_owner.wire, a_owner.len) == 0 &&
           a_w.off == b_w.off && memcmp(a_rdata, b_rdata, a_w.off) == 0 &&
           a_rr->type == b_rr->type && a_rr->class_ == b_rr->class_ &&
           a_rr->section == b_rr->section && a_rr->ttl_s == b_rr->ttl_s;
}

static void copy(const struct dns_msg *msg, uint8_t how_bits, size_t cap)
{
    static uint8_t buf[65535];
    static struct dns_rr table[DNS_RR_MAX];
    const struct dns_ede ede = {.code = DNS_EDE_BOGUS, .text = "why"};
    const struct dns_opt_out opt = {.udp_size = 1232, .ede = how_bits & 4 ? &ede : NULL};
    const struct dns_copy how = {.id = 5,
                                 .flags = DNS_FLAG_QR,
                                 .opt = how_bits & 1 ? &opt : NULL,
                                 .strip_dnssec = (how_bits & 2) != 0};
    struct dns_msg copied;
    uint32_t len = dns_msg_copy(msg, &how, buf, cap);
    must(len <= cap);
    if (len == 0)
        return;
    must(dns_msg_read(buf, len, table, DNS_RR_MAX, &copied) == DNS_OK);
    must(copied.edns.present == (how.opt != NULL));
    must(copied.rr_count <= msg->rr_count);
    for (uint32_t i = 0; i < copied.rr_count && !how.strip_dnssec; i++)
        must(same_rr(msg, &msg->rr[i], &copied, &copied.rr[i]));
    struct dns_ede found;
    dns_ede_find(buf, &copied.edns, &found);
    must(found.code == (how.opt && how.opt->ede ? DNS_EDE_BOGUS : DNS_EDE_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_msg msg;
    struct dns_ede ede;
    if (len < 2 || dns_msg_read(data + 2, len - 2, table, DNS_RR_MAX, &msg) != DNS_OK)
        return 0;
    dns_ede_find(msg.buf, &msg.edns, &ede);
    must(ede.code == DNS_EDE_NONE || strlen(ede.text) <= DNS_EDE_TEXT_MAX);
    group(&msg);
    copy(&msg, data[0], 65535);
    copy(&msg, data[0], 16u * data[1]);
    return 0;
}
