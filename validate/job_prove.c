// SPDX-License-Identifier: MIT
/* One subject of the verdict at a time: a set by its signature, an absence by its proof, and what
 * is neither by the insecure cut above it. */
#include "validate/job_parts.h"

#define SIGNERS_MAX 4u
#define DENIALS_MAX 64u

static void settle(struct job_subject *s, enum val_status status, const struct val_reason *reason)
{
    s->settled = true;
    s->status = status;
    s->reason = *reason;
}

static void trace_subject(struct val_job *job, const struct job_subject *s,
                          enum val_trace_kind kind, const struct val_verified *v)
{
    if (!job->trace)
        return;
    struct val_trace_step step = {.kind = kind,
                                  .status = s->status,
                                  .why = s->reason.why,
                                  .zone = s->reason.zone,
                                  .name = s->name,
                                  .type = s->type,
                                  .key_tag = s->reason.key_tag,
                                  .algorithm = s->reason.algorithm};
    if (v && v->sig) {
        step.zone = v->sig->rrsig.signer;
        step.key_tag = v->sig->rrsig.key_tag;
        step.algorithm = v->sig->rrsig.algorithm;
        step.inception = v->sig->rrsig.inception;
        step.expiration = v->sig->rrsig.expiration;
        step.expanded = v->expanded;
    }
    val_trace_add(job->trace, &step);
}

/* Zones speak for names at and below them; of a DS, only the parent's does (RFC 4035 2.4). The name
 * that is judged, perhaps in `room`. */
static const struct dns_name *judged_name(const struct dns_name *name, uint16_t type,
                                          struct dns_name *room)
{
    if (type != DNS_TYPE_DS || name->labels == 0)
        return name;
    *room = dns_name_suffix(name, name->labels - 1u);
    return room;
}

/* The signer lies at or below the anchor that the name hangs from. What is said above an anchor is
 * nothing to it: else a signature in the name of an unsigned or distrusted zone up there would
 * excuse anything below. */
static bool may_speak(const struct val_job *job, const struct job_subject *s,
                      const struct dns_name *signer)
{
    struct dns_name room;
    const struct dns_name *judged = judged_name(&s->name, s->type, &room);
    struct val_anchor_hit hit = val_anchors_find(job->env->anchors, judged, job->now_s);
    return hit.kind == VAL_ANCHOR_POSITIVE && dns_name_within(judged, signer) &&
           dns_name_within(signer, hit.zone);
}

/* --- proofs of absence ----------------------------------------------------------------------- */

/* They stand in the authority section (RFC 4035 3.1.3); from elsewhere they would not be handed on
 * with the answer that they prove. */
static bool is_denial(const struct val_rrset *set)
{
    return set->section == DNS_AUTHORITY &&
           (set->type == DNS_TYPE_NSEC || set->type == DNS_TYPE_NSEC3);
}

bool job_collect_denials(struct val_job *job, const struct val_rrsets *sets,
                         const struct val_zone *zone, const struct val_rrset **ret, uint32_t cap,
                         uint32_t *ret_count, uint64_t *ret_expires_s)
{
    uint32_t limit =
        (uint32_t)job->budget->limits.nsec_per_message + job->budget->limits.nsec3_per_message;
    *ret_count = 0;
    for (uint32_t i = 0; i < sets->count && *ret_count < cap && *ret_count < limit; i++) {
        const struct val_rrset *set = &sets->set[i];
        const struct val_verified *v;
        const struct dns_name *signer;
        if (!is_denial(set) || !dns_name_within(&set->owner, &zone->name) ||
            val_rrset_signers(set, &signer, 1) == 0)
            continue;
        if (!job_verify(job, set, zone, &v))
            return false;
        if (!v->secure || v->expanded) /* an expanded NSEC speaks of a name that it does not own */
            continue;
        ret[(*ret_count)++] = set;
        uint64_t expires_s = job->now_s + v->ttl_s;
        if (expires_s < *ret_expires_s)
            *ret_expires_s = expires_s;
    }
    return true;
}

static bool collect(struct val_job *job, const struct val_zone *zone, const struct val_rrset **sets,
                    struct val_denial *d)
{
    uint64_t expires_s = UINT64_MAX;
    *d = (struct val_denial){
        .zone = &zone->name, .sets = sets, .policy = job->env->policy, .budget = job->budget};
    return job_collect_denials(job, &job->answer, zone, sets, DENIALS_MAX, &d->count, &expires_s);
}

/* What a proof means for the subject. False: it proves nothing. */
static bool accept_proof(struct job_subject *s, enum val_proof proof, const struct val_reason *base)
{
    struct val_reason r = *base;
    switch (proof) {
    case VAL_PROOF_NONE: return false;
    case VAL_PROOF_SECURE:
        r.why = VAL_WHY_NONE;
        settle(s, VAL_SECURE, &r);
        return true;
    case VAL_PROOF_OPT_OUT:
        r.why = VAL_WHY_OPT_OUT;
        settle(s, VAL_INSECURE, &r);
        return true;
    case VAL_PROOF_ITERATIONS:
        r.why = VAL_WHY_ITERATIONS;
        settle(s, VAL_INSECURE, &r);
        return true;
    case VAL_PROOF_REFUSED:
        r.why = VAL_WHY_ITERATIONS_REFUSED;
        settle(s, VAL_BOGUS, &r);
        return true;
    case VAL_PROOF_BUDGET:
        r.why = VAL_WHY_BUDGET;
        settle(s, VAL_BOGUS, &r);
        return true;
    }
    return false;
}

/* --- without a usable signature -------------------------------------------------------------- */

/* Which of two failures to show: the record's own, unless the way down to it is what is broken.
 * That no insecure cut is proven is no failure by itself. */
static const struct val_reason *more_telling(const struct val_reason *own,
                                             const struct val_reason *way)
{
    bool bare = own->why == VAL_WHY_NO_RRSIG || own->why == VAL_WHY_NO_DENIAL;
    return bare && way->why != VAL_WHY_DS_UNPROVEN && way->why != VAL_WHY_WRONG_SIDE ? way : own;
}

/* Insecure, if an insecure cut above it is proven; only then bogus, with the reason given. */
static void by_cut(struct val_job *job, struct job_subject *s, const struct val_reason *otherwise)
{
    struct dns_name room;
    struct chain_end end = chain_walk(job, judged_name(&s->name, s->type, &room), false);
    struct val_reason own = *otherwise; /* and the zone that should have signed it */
    switch (end.end) {
    case CHAIN_PENDING: return;
    case CHAIN_INSECURE: settle(s, VAL_INSECURE, &end.reason); return;
    case CHAIN_FAILED: settle(s, VAL_INDETERMINATE, &end.reason); return;
    case CHAIN_BOGUS:
        own.zone = end.reason.zone;
        settle(s, VAL_BOGUS, more_telling(&own, &end.reason));
        return;
    case CHAIN_SECURE:
        own.zone = end.zone->name;
        settle(s, VAL_BOGUS, &own);
        return;
    }
}

/* Nothing is asked to be proven of the name: by configuration it is insecure. */
static bool by_configuration(const struct val_job *job, struct job_subject *s)
{
    struct val_anchor_hit hit = val_anchors_find(job->env->anchors, &s->name, job->now_s);
    if (hit.kind == VAL_ANCHOR_POSITIVE)
        return false;
    struct val_reason r =
        job_reason(hit.kind == VAL_ANCHOR_NONE ? VAL_WHY_NO_ANCHOR : VAL_WHY_NEGATIVE_ANCHOR,
                   hit.zone, &s->name, s->type, job->origin);
    settle(s, VAL_INSECURE, &r);
    return true;
}

/* --- sets ------------------------------------------------------------------------------------ */

enum tried { TRIED_DONE, TRIED_WAIT, TRIED_FAILED };

static enum tried by_expansion(struct val_job *job, struct job_subject *s,
                               const struct val_zone *zone, const struct val_verified *v)
{
    const struct val_rrset *sets[DENIALS_MAX];
    struct val_denial d;
    if (!collect(job, zone, sets, &d))
        return TRIED_WAIT;
    struct val_reason r =
        job_reason(VAL_WHY_NO_DENIAL, &zone->name, &s->name, s->type, job->origin);
    if (!accept_proof(s, val_prove_wildcard(&d, &s->name, v->wildcard_labels), &r))
        settle(s, VAL_BOGUS, &r); /* the signature is right: nothing else could prove it */
    return TRIED_DONE;
}

/* The set under one of its signers. */
static enum tried by_signer(struct val_job *job, struct job_subject *s,
                            const struct dns_name *signer, struct val_reason *why)
{
    const struct val_verified *v;
    struct chain_end end = chain_walk(job, signer, true);
    if (end.end == CHAIN_PENDING)
        return TRIED_WAIT;
    if (end.end == CHAIN_INSECURE) {
        settle(s, VAL_INSECURE, &end.reason);
        return TRIED_DONE;
    }
    if (end.end != CHAIN_SECURE) {
        *why = end.reason;
        return TRIED_FAILED;
    }
    if (!dns_name_equal(&end.zone->name, signer)) { /* it is proven that there is no such zone */
        *why = job_reason(VAL_WHY_SIGNER, signer, &s->name, s->type, job->origin);
        return TRIED_FAILED;
    }
    if (!job_verify(job, s->set, end.zone, &v))
        return TRIED_WAIT;
    if (v->secure && v->expanded)
        return by_expansion(job, s, end.zone, v);
    if (v->secure) {
        job_reason_set(&s->reason, VAL_WHY_NONE, signer, &s->name, s->type, job->origin);
        s->settled = true;
        s->status = VAL_SECURE;
        return TRIED_DONE;
    }
    *why = v->reason;
    why->origin = job->origin;
    bool keys = v->reason.why == VAL_WHY_NO_KEY || v->reason.why == VAL_WHY_SIGNATURE;
    if (keys && chain_distrust(job, end.zone)) /* kept keys may be older than a key change */
        return by_signer(job, s, signer, why);
    return TRIED_FAILED;
}

static void settle_set(struct val_job *job, struct job_subject *s)
{
    const struct dns_name *signer[SIGNERS_MAX];
    struct val_reason why, fetch_why;
    uint32_t count = val_rrset_signers(s->set, signer, SIGNERS_MAX);
    bool tried = false, fetch_failed = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!may_speak(job, s, signer[i]))
            continue;
        switch (by_signer(job, s, signer[i], &why)) {
        case TRIED_DONE:
        case TRIED_WAIT: return;
        case TRIED_FAILED: tried = true; break;
        }
        if (why.why == VAL_WHY_FETCH || why.why == VAL_WHY_RCODE || why.why == VAL_WHY_MEMORY) {
            fetch_failed = true;
            fetch_why = why;
        }
        if (why.why == VAL_WHY_BUDGET)
            break;
    }
    if (!tried)
        why = job_reason(s->set->sig_count ? VAL_WHY_NO_MATCHING_RRSIG : VAL_WHY_NO_RRSIG, &s->name,
                         &s->name, s->type, job->origin);
    if (fetch_failed)
        settle(s, VAL_INDETERMINATE, &fetch_why);
    else if (why.why == VAL_WHY_BUDGET)
        settle(s, VAL_BOGUS, &why);
    else
        by_cut(job, s, &why);
}

/* --- absences -------------------------------------------------------------------------------- */

static enum val_proof prove(const struct val_denial *d, const struct job_subject *s)
{
    return s->kind == SUBJECT_NXDOMAIN ? val_prove_nxdomain(d, &s->name)
                                       : val_prove_nodata(d, &s->name, s->type);
}

/* The zone whose NSEC or NSEC3 speak: the deepest signer at or above the name, or NULL. */
static const struct dns_name *denial_signer(const struct val_job *job, const struct job_subject *s)
{
    const struct dns_name *deepest = NULL;
    for (uint32_t i = 0; i < job->answer.count; i++) {
        const struct val_rrset *set = &job->answer.set[i];
        const struct dns_name *signer;
        if (is_denial(set) && val_rrset_signers(set, &signer, 1) > 0 && may_speak(job, s, signer) &&
            (!deepest || signer->labels > deepest->labels))
            deepest = signer;
    }
    return deepest;
}

static enum tried by_denial(struct val_job *job, struct job_subject *s,
                            const struct dns_name *signer, struct val_reason *why)
{
    const struct val_rrset *sets[DENIALS_MAX];
    struct val_denial d;
    struct chain_end end = chain_walk(job, signer, true);
    if (end.end == CHAIN_PENDING)
        return TRIED_WAIT;
    if (end.end == CHAIN_INSECURE) {
        settle(s, VAL_INSECURE, &end.reason);
        return TRIED_DONE;
    }
    if (end.end != CHAIN_SECURE) {
        *why = end.reason;
        return TRIED_FAILED;
    }
    if (!dns_name_equal(&end.zone->name, signer)) {
        *why = job_reason(VAL_WHY_SIGNER, signer, &s->name, s->type, job->origin);
        return TRIED_FAILED;
    }
    if (!collect(job, end.zone, sets, &d))
        return TRIED_WAIT;
    *why = job_reason(VAL_WHY_NO_DENIAL, signer, &s->name, s->type, job->origin);
    if (accept_proof(s, prove(&d, s), why))
        return TRIED_DONE;
    return d.count == 0 && chain_distrust(job, end.zone) ? by_denial(job, s, signer, why)
                                                         : TRIED_FAILED;
}

static void settle_absence(struct val_job *job, struct job_subject *s)
{
    const struct dns_name *signer = denial_signer(job, s);
    struct val_reason why;
    switch (signer ? by_denial(job, s, signer, &why) : TRIED_FAILED) {
    case TRIED_DONE:
    case TRIED_WAIT: return;
    case TRIED_FAILED: break;
    }
    if (!signer)
        why = job_reason(VAL_WHY_NO_DENIAL, &s->name, &s->name, s->type, job->origin);
    if (why.why == VAL_WHY_FETCH || why.why == VAL_WHY_RCODE || why.why == VAL_WHY_MEMORY)
        settle(s, VAL_INDETERMINATE, &why);
    else if (why.why == VAL_WHY_BUDGET)
        settle(s, VAL_BOGUS, &why);
    else
        by_cut(job, s, &why);
}

/* --- all ------------------------------------------------------------------------------------- */

/* The SOA of a negative answer rides along when it is proven; the verdict does not rest on it. It
 * is the SOA of the zone that proved the absence, whose keys are here. False: not yet. */
static bool verify_soa(struct val_job *job, const struct dns_name *name)
{
    const struct val_rrset *set = val_rrsets_find(&job->answer, name, DNS_TYPE_SOA);
    const struct val_verified *v;
    if (!set || set->section != DNS_AUTHORITY || set->sig_count == 0)
        return true;
    struct chain_end end = chain_walk(job, name, true);
    if (end.end != CHAIN_SECURE || !dns_name_equal(&end.zone->name, name))
        return true;
    return job_verify(job, set, end.zone, &v) || !job->yielded;
}

/* As good as the DNAME just before it (RFC 6672 3.1); other than that says, only where nothing is
 * signed. */
static void settle_synthesized(struct val_job *job, struct job_subject *s)
{
    const struct job_subject *dname = s->dname;
    struct val_reason r = job_reason(VAL_WHY_DNAME, &dname->name, &s->name, s->type, job->origin);
    if (!dname->settled)
        return;
    if (s->kind == SUBJECT_UNLIKE && dname->status == VAL_SECURE)
        settle(s, VAL_BOGUS, &r);
    else
        settle(s, dname->status, &dname->reason);
}

void job_settle(struct val_job *job, struct job_subject *s)
{
    switch (s->kind) {
    case SUBJECT_SYNTHESIZED:
    case SUBJECT_UNLIKE: settle_synthesized(job, s); return;
    case SUBJECT_SET:
        if (!by_configuration(job, s))
            settle_set(job, s);
        if (s->settled)
            trace_subject(job, s, VAL_TRACE_RRSET, job_proven(job, s->set));
        return;
    case SUBJECT_NODATA:
    case SUBJECT_NXDOMAIN:
        if (!s->judged && !by_configuration(job, s))
            settle_absence(job, s);
        s->judged = s->judged || s->settled;
        if (s->judged) /* the SOA may take a step more: the absence is not proven again for it */
            s->settled = s->status > VAL_INSECURE || verify_soa(job, &s->reason.zone);
        if (s->settled)
            trace_subject(job, s, VAL_TRACE_DENIAL, NULL);
        return;
    }
}
