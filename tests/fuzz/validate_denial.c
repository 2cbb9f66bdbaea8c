// SPDX-License-Identifier: MIT
/* Whatever NSEC and NSEC3 records say: nothing is spent beyond the budget, a name is not proven
 * absent by a record that stands at it, and the answer is the same when asked again. The question's
 * name is the one to deny; each of its ancestors serves as the zone once. */
#include "validate/denial.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SETS_MAX 64u

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct results {
    enum val_proof nodata, nxdomain, wildcard;
    enum val_no_ds no_ds;
};

static struct results ask(struct val_denial d, const struct dns_question *q)
{
    const struct val_limits *limits = &val_limits_default;
    struct val_budget budget = val_budget_init(limits);
    struct results r = {.no_ds = VAL_NO_DS_UNPROVEN};
    d.budget = &budget;
    r.nodata = val_prove_nodata(&d, &q->name, q->type);
    r.nxdomain = val_prove_nxdomain(&d, &q->name);
    r.wildcard = val_prove_wildcard(&d, &q->name, d.zone->labels);
    if (q->name.labels > d.zone->labels)
        r.no_ds = val_prove_no_ds(&d, &q->name);
    must(budget.sha1_blocks <= limits->sha1_blocks);
    must(budget.crypto_units == limits->crypto_units);
    return r;
}

/* RFC 9824 3.1. */
static bool has_nxname(const struct val_rrset *set)
{
    struct dns_nsec nsec;
    return set->count == 1 &&
           dns_nsec_read(dns_reader_init(set->rr[0].data, set->rr[0].len), &nsec) == DNS_OK &&
           dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_NXNAME);
}

/* An NSEC at the very name that the zone may speak for, and that does not say the name away. */
static bool stands_at(const struct val_denial *d, const struct dns_name *name)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->sets[i]->type == DNS_TYPE_NSEC && dns_name_equal(&d->sets[i]->owner, name))
            return !has_nxname(d->sets[i]);
    return false;
}

static void check(const struct val_denial *d, const struct dns_question *q)
{
    struct results a = ask(*d, q), b = ask(*d, q);
    must(a.nodata == b.nodata && a.nxdomain == b.nxdomain);
    must(a.wildcard == b.wildcard && a.no_ds == b.no_ds);
    if (d->count == 1 && stands_at(d, &q->name))
        must(a.nxdomain != VAL_PROOF_SECURE && a.wildcard != VAL_PROOF_SECURE);
}

static void check_zones(const struct val_rrsets *sets, const struct dns_question *q)
{
    const struct val_policy policy = {.nsec3_insecure_above = 50, .nsec3_bogus_above = 500};
    const struct val_rrset *chosen[SETS_MAX];
    struct val_denial d = {.sets = chosen, .policy = &policy};
    for (uint32_t i = 0; i < sets->count && d.count < SETS_MAX; i++)
        if (sets->set[i].type == DNS_TYPE_NSEC || sets->set[i].type == DNS_TYPE_NSEC3)
            chosen[d.count++] = &sets->set[i];
    for (unsigned labels = 0; labels <= q->name.labels && labels < 8; labels++) {
        struct dns_name zone = dns_name_suffix(&q->name, labels);
        d.zone = &zone;
        check(&d, q);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_msg msg;
    struct val_rrsets sets;
    bool malformed;
    if (dns_msg_read(data, len, table, DNS_RR_MAX, &msg) != DNS_OK || msg.question_count == 0)
        return 0;
    struct val_arena *arena = val_arena_new(1u << 20, NULL);
    if (!arena)
        return 0;
    if (val_rrsets_split(&msg, arena, &sets, &malformed) == DNS_OK)
        check_zones(&sets, &msg.question);
    val_arena_free(arena);
    return 0;
}
