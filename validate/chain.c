// SPDX-License-Identifier: MIT
/* The chain of trust without referrals: from the deepest zone that is proven, cut by cut, down to a
 * name. All a forwarder has are DS answers, DNSKEY answers and the names of signers. */
#include "validate/chain_parts.h"

#define AHEAD_LABELS 4u /* levels asked for together when a chain has to be fetched */

static struct chain_end end_at(const struct val_zone *zone)
{
    struct chain_end end; /* a reason is half a KiB, of which nothing is looked at here */
    end.end = CHAIN_SECURE;
    end.zone = zone;
    return end;
}

/* What was proven at a name, seen from the zone above it. */
static struct chain_end by_known(const struct val_zone *found, const struct val_zone *above)
{
    switch (found->kind) {
    case VAL_ZONE_SECURE: return end_at(found);
    case VAL_ZONE_NOT_A_CUT: return end_at(above);
    case VAL_ZONE_INSECURE: return chain_end_of(CHAIN_INSECURE, &found->reason);
    case VAL_ZONE_BAD: break;
    }
    return chain_end_of(CHAIN_BOGUS, &found->reason);
}

/* --- asking ahead ---------------------------------------------------------------------------- */

static void want_unless_here(struct val_job *job, const struct dns_name *name, uint16_t type)
{
    if (!known_message(job, name, type))
        known_want(job, name, type, false);
}

/* The chain has to be fetched: all of it that can be guessed, at once. */
static void want_ahead(struct val_job *job, unsigned from, const struct dns_name *target,
                       bool signer)
{
    for (unsigned labels = from + 1; labels <= target->labels && labels <= from + AHEAD_LABELS;
         labels++) {
        struct dns_name name = dns_name_suffix(target, labels);
        if (known_find(job, &name))
            continue;
        want_unless_here(job, &name, DNS_TYPE_DS);
        if (signer || labels < target->labels)
            want_unless_here(job, &name, DNS_TYPE_DNSKEY);
    }
    if (signer && target->labels > from) { /* it says itself that it is a zone */
        want_unless_here(job, target, DNS_TYPE_DS);
        want_unless_here(job, target, DNS_TYPE_DNSKEY);
    }
}

/* What was asked ahead with the question itself was guessed then. */
static struct chain_end fetch_ahead(struct val_job *job, struct chain_end end, unsigned from,
                                    const struct dns_name *target, bool signer)
{
    if (end.end == CHAIN_PENDING && !job->yielded && !job->foreseen)
        want_ahead(job, from, target, signer);
    return end;
}

/* --- the way down ---------------------------------------------------------------------------- */

/* For `explain`, from the top: what is known already and therefore not proven again. */
static void trace_known(struct val_job *job, const struct val_anchor_hit *hit,
                        const struct dns_name *target)
{
    if (!job->trace)
        return;
    chain_trace_anchor(job, hit);
    for (unsigned labels = hit->zone->labels; labels <= target->labels; labels++) {
        struct dns_name name = dns_name_suffix(target, labels);
        (void)known_find(job, &name); /* tells the trace when it first finds something */
    }
}

static bool is_insecure_cut(const struct val_zone *zone)
{
    return zone->kind == VAL_ZONE_INSECURE && zone->reason.why != VAL_WHY_ITERATIONS;
}

/* Where the walk begins: the deepest zone at or above the target that is known, else the anchor. */
static struct chain_end begin(struct val_job *job, const struct dns_name *target, bool signer)
{
    struct val_anchor_hit hit = val_anchors_find(job->env->anchors, target, job->now_s);
    if (hit.kind != VAL_ANCHOR_POSITIVE) {
        bool none = hit.kind == VAL_ANCHOR_NONE;
        struct val_reason r = job_reason(none ? VAL_WHY_NO_ANCHOR : VAL_WHY_NEGATIVE_ANCHOR,
                                         none ? &dns_root : hit.zone, target, 0, VAL_ORIGIN_NONE);
        return chain_end_of(CHAIN_INSECURE, &r);
    }
    if (hit.ds.count == 0) { /* whatever is still known of the zone */
        struct val_reason r =
            job_reason(VAL_WHY_ANCHOR_GONE, hit.zone, hit.zone, DNS_TYPE_DNSKEY, VAL_ORIGIN_NONE);
        return chain_end_of(CHAIN_BOGUS, &r);
    }
    trace_known(job, &hit, target);
    for (unsigned labels = target->labels + 1u; labels-- > hit.zone->labels;) {
        struct dns_name name = dns_name_suffix(target, labels);
        const struct val_zone *zone = known_find(job, &name);
        if (zone && (zone->kind == VAL_ZONE_SECURE || is_insecure_cut(zone) ||
                     (zone->kind == VAL_ZONE_BAD && labels == hit.zone->labels)))
            return by_known(zone, NULL);
    }
    return fetch_ahead(job, cut_from_anchor(job, &hit), hit.zone->labels, target, signer);
}

static bool signed_by(const struct val_rrset *set, const struct dns_name *zone)
{
    for (uint32_t i = 0; i < set->sig_count; i++)
        if (dns_name_equal(&set->sigs[i].rrsig.signer, zone))
            return true;
    return false;
}

/* Moves *labels down to the next DS at hand that this very zone signed: what lies between is no
 * cut, and need not be asked for. False: the time slice or the budget is used up. */
static bool jump(struct val_job *job, const struct val_zone *zone, const struct dns_name *target,
                 unsigned *labels)
{
    for (unsigned far = *labels; far <= target->labels; far++) {
        struct dns_name name = dns_name_suffix(target, far);
        const struct job_message *m = known_message(job, &name, DNS_TYPE_DS);
        const struct val_rrset *ds = m ? val_rrsets_find(&m->sets, &name, DNS_TYPE_DS) : NULL;
        const struct val_verified *v;
        if (!ds || !signed_by(ds, &zone->name))
            continue;
        if (!job_verify(job, ds, zone, &v))
            return false;
        if (v->secure) {
            *labels = far;
            return true;
        }
    }
    return true;
}

/* NSEC3 of too many iterations says nothing of a name, so that an unsigned zone may begin there
 * (RFC 9276 3.2). None does where the zone above signs something further down, a DS above all: the
 * walk goes on, and that counts, whatever became known first. */
static bool is_doubtful(const struct chain_end *end)
{
    return end->end == CHAIN_INSECURE && end->reason.why == VAL_WHY_ITERATIONS;
}

/* `doubtful`: what the walk ends with if it finds nothing better. */
static struct chain_end one_step(struct val_job *job, const struct val_zone *zone, unsigned *labels,
                                 const struct dns_name *target, bool signer,
                                 const struct chain_end *doubtful)
{
    unsigned from = (*labels)++;
    struct dns_name name = dns_name_suffix(target, *labels);
    const struct val_zone *found = known_find(job, &name);
    if (found && found->kind != VAL_ZONE_BAD)
        return by_known(found, zone);
    if (!jump(job, zone, target, labels))
        return chain_pending(job);
    if (*labels > from + 1) {
        name = dns_name_suffix(target, *labels);
        found = known_find(job, &name);
    }
    struct chain_end end = found ? by_known(found, zone)
                           : is_doubtful(doubtful)
                               ? cut_resolve_doubtful(job, zone, &name, doubtful)
                               : cut_resolve(job, zone, &name);
    return fetch_ahead(job, end, from, target, signer);
}

/* More zones in one chain, or more labels below its last, than are looked at. */
static bool too_deep(const struct val_job *job, const struct val_zone *zone, unsigned labels)
{
    const struct val_limits *limits = &job->budget->limits;
    return known_zones_above(job, &zone->name) > limits->zones ||
           labels - zone->name.labels > limits->labels;
}

struct chain_end chain_walk(struct val_job *job, const struct dns_name *target, bool signer)
{
    struct chain_end end = begin(job, target, signer), doubtful = end_at(NULL);
    unsigned labels = end.end == CHAIN_SECURE ? end.zone->name.labels : 0;
    while (end.end == CHAIN_SECURE) {
        if (too_deep(job, end.zone, labels)) {
            struct val_reason r =
                job_reason(VAL_WHY_BUDGET, &end.zone->name, target, DNS_TYPE_DS, VAL_ORIGIN_NONE);
            end = chain_end_of(CHAIN_BOGUS, &r);
            break;
        }
        if (labels == target->labels) {
            if (is_doubtful(&doubtful))
                end = doubtful;
            break;
        }
        const struct val_zone *zone = end.zone;
        end = one_step(job, zone, &labels, target, signer, &doubtful);
        if (is_doubtful(&end)) {
            doubtful = end;
            end = end_at(zone);
        } else if (end.end == CHAIN_SECURE)
            doubtful.end = CHAIN_SECURE;
    }
    return end;
}
