// SPDX-License-Identifier: MIT
#include "validate/signature.h"

#include "validate/algorithm.h"
#include "validate/canonical.h"
#include "validate/memo.h"

#include <stdlib.h>

/* Hashing counts too: about what one crypto unit buys in SHA-2. Ordinary sets are far below. */
#define OCTETS_PER_UNIT (16u * 1024)

/* At most this many RRSIGs are tried, whatever the configuration says. */
#define CANDIDATES_MAX 32u

/* RFC 1982 3.2 on 32 bits: `a` comes after `b`. */
static bool serial_after(uint32_t a, uint32_t b)
{
    return a != b && a - b < UINT32_C(0x80000000);
}

enum val_why val_rrsig_window(const struct dns_rrsig *rrsig, uint64_t now_s, uint32_t skew_s)
{
    uint32_t now = (uint32_t)now_s; /* RFC 4034 3.1.5: modulo 2^32 */
    if (rrsig->expiration != rrsig->inception && !serial_after(rrsig->expiration, rrsig->inception))
        return VAL_WHY_TIMES;
    if (serial_after(now, rrsig->expiration))
        return VAL_WHY_EXPIRED;
    if (serial_after(rrsig->inception, now + skew_s))
        return VAL_WHY_NOT_YET;
    return VAL_WHY_NONE;
}

uint64_t val_rrsig_expires(const struct dns_rrsig *rrsig, uint64_t now_s)
{
    uint32_t ahead = rrsig->expiration - (uint32_t)now_s;
    if (ahead < UINT32_C(0x80000000))
        return now_s + ahead;
    uint32_t ago = UINT32_MAX - ahead + 1;
    return ago < now_s ? now_s - ago : 0;
}

/* --- filters --------------------------------------------------------------------------------- */

/* A signer speaks for its zone; a DS belongs to the parent's (RFC 4035 2.4, 5.3.1), SOA and DNSKEY
 * stand at the apex only. */
static bool signer_fits(const struct val_rrset *set, const struct dns_name *signer)
{
    if (!dns_name_within(&set->owner, signer))
        return false;
    bool apex = signer->labels == set->owner.labels;
    if (set->type == DNS_TYPE_DS)
        return !apex;
    if (set->type == DNS_TYPE_SOA || set->type == DNS_TYPE_DNSKEY)
        return apex;
    return true;
}

/* These exist once, at one name: an expansion of them would be a new delegation, redirection or
 * denial that the zone never made. */
static bool may_expand(uint16_t type)
{
    return type != DNS_TYPE_DS && type != DNS_TYPE_DNAME && type != DNS_TYPE_NSEC3 &&
           type != DNS_TYPE_SOA && type != DNS_TYPE_DNSKEY;
}

/* RFC 4035 5.3.1, and no wildcard from above the signer's own zone. */
static bool labels_fit(const struct val_rrset *set, const struct dns_rrsig *rrsig)
{
    unsigned owner_labels = val_canonical_labels(&set->owner);
    if (rrsig->labels > owner_labels || rrsig->labels < rrsig->signer.labels)
        return false;
    return rrsig->labels == owner_labels || may_expand(set->type);
}

static bool has_key(const struct val_zone *zone, const struct dns_rrsig *rrsig)
{
    for (uint32_t i = 0; i < zone->key_count; i++)
        if (zone->keys[i].tag == rrsig->key_tag && zone->keys[i].algorithm == rrsig->algorithm)
            return true;
    return false;
}

/* Cheapest first; VAL_WHY_NONE lets the RRSIG on to crypto. */
static enum val_why filter(const struct val_rrset *set, const struct val_zone *zone,
                           const struct dns_rrsig *rrsig, uint64_t now_s,
                           const struct val_policy *policy)
{
    if (set->class_ != DNS_CLASS_IN || rrsig->covered != set->type)
        return VAL_WHY_NO_MATCHING_RRSIG;
    if (!signer_fits(set, &rrsig->signer))
        return VAL_WHY_SIGNER;
    if (!dns_name_equal(&rrsig->signer, &zone->name) || !labels_fit(set, rrsig) ||
        !val_policy_algorithm(policy, rrsig->algorithm))
        return VAL_WHY_NO_MATCHING_RRSIG;
    enum val_why window = val_rrsig_window(rrsig, now_s, policy->skew_s);
    if (window != VAL_WHY_NONE)
        return window;
    return has_key(zone, rrsig) ? VAL_WHY_NONE : VAL_WHY_NO_KEY;
}

uint32_t val_rrset_signers(const struct val_rrset *set, const struct dns_name **ret, uint32_t cap)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->sig_count; i++) {
        const struct dns_rrsig *rrsig = &set->sigs[i].rrsig;
        if (rrsig->covered != set->type || !signer_fits(set, &rrsig->signer) ||
            !labels_fit(set, rrsig))
            continue;
        uint32_t at = 0; /* all are ancestors of one name: the depth alone orders and tells apart */
        while (at < count && ret[at]->labels > rrsig->signer.labels)
            at++;
        if (at == cap || (at < count && ret[at]->labels == rrsig->signer.labels))
            continue;
        if (count < cap)
            count++;
        for (uint32_t j = count - 1; j > at; j--)
            ret[j] = ret[j - 1];
        ret[at] = &rrsig->signer;
    }
    return count;
}

/* --- crypto ---------------------------------------------------------------------------------- */

struct attempt { /* of proving one set with one zone's keys */
    const struct val_rrset *set;
    const struct val_zone *zone;
    const struct val_canonical *canonical;
    struct val_budget *budget;
};

static bool take_cost(struct val_budget *budget, uint32_t units)
{
    if (!val_budget_take(&budget->crypto_units, units))
        return false;
    budget->slice_units -= units < budget->slice_units ? units : budget->slice_units;
    budget->signatures++;
    return true;
}

/* By arithmetic. */
static enum val_why compute(const struct attempt *a, const struct val_sig *sig,
                            const struct val_key *key, const uint8_t *data, uint32_t len)
{
    const struct val_algorithm *algorithm = val_algorithm_find(key->algorithm);
    if (!algorithm)
        return VAL_WHY_NO_KEY;
    if (!take_cost(a->budget, key->cost + len / OCTETS_PER_UNIT))
        return VAL_WHY_BUDGET;
    if (val_algorithm_verify(algorithm, &key->ready, data, len, sig->rrsig.signature,
                             sig->rrsig.signature_len))
        return VAL_WHY_NONE;
    a->budget->failed_signatures--;
    return VAL_WHY_SIGNATURE;
}

/* By memory, which costs a hash, else by arithmetic. */
static enum val_why verify_with_key(const struct attempt *a, const struct val_sig *sig,
                                    const struct val_key *key, const uint8_t *data, uint32_t len)
{
    struct val_budget *budget = a->budget;
    const struct val_memo *memo = budget->memo;
    if (budget->failed_signatures == 0)
        return VAL_WHY_BUDGET;
    if (!memo)
        return compute(a, sig, key, data, len);
    if (!val_budget_take(&budget->crypto_units, len / OCTETS_PER_UNIT))
        return VAL_WHY_BUDGET;
    struct val_memo_tag tag =
        val_memo_tag(memo, key, data, len, sig->rrsig.signature, sig->rrsig.signature_len);
    if (memo->find(memo->arg, &tag)) {
        budget->remembered++;
        return VAL_WHY_NONE;
    }
    enum val_why why = compute(a, sig, key, data, len);
    if (why == VAL_WHY_NONE)
        memo->learn(memo->arg, &tag);
    return why;
}

/* Key tags may collide (RFC 4034 appendix B), and may be made to. */
static enum val_why verify_sig(const struct attempt *a, const struct val_sig *sig)
{
    uint8_t *data;
    uint32_t len;
    enum dns_err err = val_canonical_signed(a->canonical, a->set, sig, &data, &len);
    if (err != DNS_OK)
        return err == DNS_E_SPACE ? VAL_WHY_MEMORY : VAL_WHY_MALFORMED;

    enum val_why why = VAL_WHY_NO_KEY;
    uint32_t tried = 0;
    for (uint32_t i = 0; i < a->zone->key_count; i++) {
        const struct val_key *key = &a->zone->keys[i];
        if (key->tag != sig->rrsig.key_tag || key->algorithm != sig->rrsig.algorithm)
            continue;
        if (tried++ == a->budget->limits.keys_per_tag)
            break;
        why = verify_with_key(a, sig, key, data, len);
        if (why == VAL_WHY_NONE || why == VAL_WHY_BUDGET)
            break;
    }
    free(data);
    return why;
}

/* --- which RRSIGs, in which order ------------------------------------------------------------ */

struct candidates {
    const struct val_sig *sig[CANDIDATES_MAX];
    uint32_t count;
};

static uint8_t algorithm_cost(uint8_t number)
{
    const struct val_algorithm *algorithm = val_algorithm_find(number);
    return algorithm ? algorithm->cost : UINT8_MAX;
}

/* Cheap before dear; of the same price, the newest: it is the likeliest to fit current keys. */
static bool better(const struct val_sig *a, const struct val_sig *b)
{
    uint8_t cost_a = algorithm_cost(a->rrsig.algorithm);
    uint8_t cost_b = algorithm_cost(b->rrsig.algorithm);
    if (cost_a != cost_b)
        return cost_a < cost_b;
    return serial_after(a->rrsig.inception, b->rrsig.inception);
}

static void candidate_add(struct candidates *list, const struct val_sig *sig, uint32_t limit)
{
    uint32_t at = 0;
    while (at < list->count && !better(sig, list->sig[at]))
        at++;
    if (at >= limit)
        return;
    if (list->count < limit)
        list->count++;
    for (uint32_t j = list->count - 1; j > at; j--)
        list->sig[j] = list->sig[j - 1];
    list->sig[at] = sig;
}

/* How much a failure tells: the closer an RRSIG came to verifying, the more. */
static unsigned telling(enum val_why why)
{
    static const enum val_why order[] = {
        VAL_WHY_NONE,   VAL_WHY_NO_RRSIG, VAL_WHY_NO_MATCHING_RRSIG, VAL_WHY_SIGNER,
        VAL_WHY_NO_KEY, VAL_WHY_TIMES,    VAL_WHY_NOT_YET,           VAL_WHY_EXPIRED,
    };
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i] == why)
            return i;
    return sizeof(order) / sizeof(order[0]); /* what crypto itself found */
}

struct failure { /* the most telling one so far */
    enum val_why why;
    const struct val_sig *sig; /* whose it is; NULL: there is none */
};

static void blame(struct failure *failure, enum val_why why, const struct val_sig *sig)
{
    if (failure->sig && telling(why) <= telling(failure->why))
        return;
    *failure = (struct failure){why, sig};
}

static void refuse(struct val_verified *result, const struct val_rrset *set,
                   const struct val_zone *zone, const struct failure *failure)
{
    const struct val_sig *sig = failure->sig;
    *result = (struct val_verified){
        .reason = {.why = failure->why,
                   .zone = zone->name,
                   .name = set->owner,
                   .type = set->type,
                   .key_tag = sig ? sig->rrsig.key_tag : 0,
                   .algorithm = sig ? sig->rrsig.algorithm : 0,
                   .origin = VAL_ORIGIN_NONE},
        .sig = sig,
    };
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* RFC 4035 5.3.3, and RFC 2181 5.2 for the RRSIG's own TTL. */
static void accept(struct val_verified *result, const struct val_rrset *set,
                   const struct val_sig *sig, uint64_t now_s)
{
    uint64_t expires_s = val_rrsig_expires(&sig->rrsig, now_s);
    uint64_t left_s = expires_s > now_s ? expires_s - now_s : 0;
    uint32_t ttl_s = least(set->ttl_s, least(sig->rrsig.original_ttl_s, sig->ttl_s));
    *result = (struct val_verified){
        .secure = true,
        .sig = sig,
        .wildcard_labels = sig->rrsig.labels,
        .expanded = sig->rrsig.labels < val_canonical_labels(&set->owner),
        .ttl_s = left_s < ttl_s ? (uint32_t)left_s : ttl_s,
        .expires_s = expires_s,
    };
}

/* Crypto over the candidates, until one verifies or nothing may be spent any more. NULL: none. */
static const struct val_sig *
verify_candidates(const struct attempt *a, const struct candidates *list, struct failure *failure)
{
    for (uint32_t i = 0; i < list->count; i++) {
        enum val_why why = verify_sig(a, list->sig[i]);
        if (why == VAL_WHY_NONE)
            return list->sig[i];
        blame(failure, why, list->sig[i]);
        if (why == VAL_WHY_BUDGET) {
            failure->why = why; /* also where an earlier one failed to verify */
            return NULL;
        }
    }
    return NULL;
}

static const struct val_sig *verify_any(const struct val_rrset *set, const struct val_zone *zone,
                                        const struct candidates *list, struct val_budget *budget,
                                        struct failure *failure)
{
    struct val_canonical *canonical;
    if (list->count == 0)
        return NULL;
    enum dns_err err = val_canonical_new(set, &canonical);
    if (err != DNS_OK) {
        failure->why = err == DNS_E_SPACE ? VAL_WHY_MEMORY : VAL_WHY_MALFORMED;
        return NULL;
    }
    const struct attempt a = {set, zone, canonical, budget};
    const struct val_sig *sig = verify_candidates(&a, list, failure);
    free(canonical);
    return sig;
}

void val_rrset_verify(const struct val_rrset *set, const struct val_zone *zone, uint64_t now_s,
                      const struct val_policy *policy, struct val_budget *budget,
                      struct val_verified *ret)
{
    struct candidates list;
    struct failure failure = {VAL_WHY_NO_RRSIG, NULL};
    uint32_t limit = least(budget->limits.rrsigs_per_rrset, CANDIDATES_MAX);
    list.count = 0;
    for (uint32_t i = 0; i < set->sig_count; i++) {
        enum val_why why = filter(set, zone, &set->sigs[i].rrsig, now_s, policy);
        if (why == VAL_WHY_NONE)
            candidate_add(&list, &set->sigs[i], limit);
        else
            blame(&failure, why, &set->sigs[i]);
    }
    const struct val_sig *sig = verify_any(set, zone, &list, budget, &failure);
    if (sig)
        accept(ret, set, sig, now_s);
    else
        refuse(ret, set, zone, &failure);
}
