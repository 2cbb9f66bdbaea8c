// SPDX-License-Identifier: MIT
/* The chain of trust without referrals: from the deepest zone that is proven, cut by cut, down to a
 * name. All a forwarder has are DS answers, DNSKEY answers and the names of signers. */
#include "validate/job_parts.h"

#include <string.h>

#define DENIALS_MAX 24u
#define AHEAD_LABELS 4u /* levels asked for together when a chain has to be fetched */

/* --- what is known --------------------------------------------------------------------------- */

static struct job_place *place_find(struct val_job *job, const struct dns_name *name)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        if (!job->place[i].distrust && dns_name_equal(&job->place[i].zone->name, name))
            return &job->place[i];
    return NULL;
}

static bool distrusted(const struct val_job *job, const struct dns_name *name)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        if (job->place[i].distrust && dns_name_equal(&job->place[i].zone->name, name))
            return true;
    return false;
}

static void trace_zone(struct val_job *job, const struct val_zone *zone, enum val_trace_kind kind)
{
    struct val_trace_step step = {.kind = kind, .zone = zone->name, .name = zone->name};
    if (!job->trace || zone->kind == VAL_ZONE_NOT_A_CUT)
        return;
    step.status = zone->kind == VAL_ZONE_SECURE ? VAL_SECURE : VAL_INSECURE;
    step.why = zone->reason.why;
    if (kind == VAL_TRACE_CACHED)
        val_trace_add(job->trace, &step);
    for (uint32_t i = 0; i < zone->key_count; i++) {
        step.kind = VAL_TRACE_KEY;
        step.key_tag = zone->keys[i].tag;
        step.key_flags = zone->keys[i].flags;
        step.algorithm = zone->keys[i].algorithm;
        step.key_bits = zone->keys[i].bits;
        val_trace_add(job->trace, &step);
    }
}

/* Takes the reference. NULL: no room for more. */
static struct job_place *place_add(struct val_job *job, const struct val_zone *zone, bool cached)
{
    if (!zone || job->place_count == JOB_PLACES_MAX) {
        val_zone_unref(zone);
        job->spent = true;
        return NULL;
    }
    job->place[job->place_count] = (struct job_place){.zone = zone, .cached = cached};
    if (cached)
        trace_zone(job, zone, VAL_TRACE_CACHED);
    return &job->place[job->place_count++];
}

/* From this job, or from those before it. */
static const struct val_zone *known(struct val_job *job, const struct dns_name *name)
{
    struct job_place *place = place_find(job, name);
    if (!place && job->env->zone_find && !distrusted(job, name)) {
        const struct val_zone *zone = job->env->zone_find(job->env->arg, name, job->now_s);
        if (zone && (zone->expires_s <= job->now_s || zone->kind == VAL_ZONE_BAD)) {
            val_zone_unref(zone);
            zone = NULL;
        }
        place = zone ? place_add(job, zone, true) : NULL;
    }
    return place ? place->zone : NULL;
}

/* Something newly proven: kept for this job and told to others. */
static const struct val_zone *learn(struct val_job *job, const struct val_zone *zone)
{
    if (!zone)
        return NULL;
    if (job->env->zone_learn)
        job->env->zone_learn(job->env->arg, zone);
    struct job_place *place = place_add(job, zone, false);
    return place ? place->zone : NULL;
}

static const struct val_zone *learn_kind(struct val_job *job, const struct dns_name *name,
                                         enum val_zone_kind kind, uint64_t expires_s,
                                         const struct val_reason *reason)
{
    return learn(job, val_zone_new(name, kind, expires_s, reason, NULL, 0));
}

bool chain_distrust(struct val_job *job, const struct val_zone *zone)
{
    for (uint32_t i = 0; i < job->place_count; i++) {
        struct job_place *place = &job->place[i];
        if (place->zone == zone && place->cached && !place->distrust) {
            place->distrust = true;
            return true;
        }
    }
    return false;
}

void chain_free(struct val_job *job)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        val_zone_unref(job->place[i].zone);
    job->place_count = 0;
}

/* --- messages -------------------------------------------------------------------------------- */

static const struct job_message *message(struct val_job *job, const struct dns_name *name,
                                         uint16_t type)
{
    bool fresh = distrusted(job, name); /* an old copy is what did not fit */
    for (uint32_t i = 0; i < job->message_count; i++) {
        const struct job_message *m = &job->message[i];
        if (m->type == type && (m->fresh || !fresh) && dns_name_equal(&m->name, name))
            return m;
    }
    return NULL;
}

static struct chain_end end_of(enum chain end, const struct val_reason *reason)
{
    return (struct chain_end){.end = end, .reason = *reason};
}

static struct chain_end pending(struct val_job *job)
{
    if (job->spent) {
        struct val_reason r = job_reason(VAL_WHY_BUDGET, &job->question.name, &job->question.name,
                                         job->question.type, VAL_ORIGIN_NONE);
        return end_of(CHAIN_BOGUS, &r);
    }
    return (struct chain_end){.end = CHAIN_PENDING};
}

static struct chain_end want(struct val_job *job, const struct dns_name *name, uint16_t type)
{
    job_want(job, name, type, distrusted(job, name), true);
    return pending(job);
}

static struct chain_end failed(const struct val_job *job, enum chain end, enum val_why why,
                               const struct dns_name *zone, const struct job_message *m)
{
    (void)job;
    struct val_reason r = job_reason(why, zone, &m->name, m->type, m->origin);
    return end_of(end, &r);
}

static bool unusable(const struct job_message *m)
{
    return m->failed || (m->rcode != DNS_RCODE_NOERROR && m->rcode != DNS_RCODE_NXDOMAIN);
}

/* --- trace ----------------------------------------------------------------------------------- */

static void trace_signed(struct val_job *job, enum val_trace_kind kind, const struct dns_name *zone,
                         const struct dns_name *name, const struct val_verified *verified)
{
    struct val_trace_step step = {.kind = kind, .zone = *zone, .name = *name};
    if (!job->trace)
        return;
    step.status = verified->secure ? VAL_SECURE : VAL_BOGUS;
    step.why = verified->secure ? VAL_WHY_NONE : verified->reason.why;
    if (verified->sig) {
        step.key_tag = verified->sig->rrsig.key_tag;
        step.algorithm = verified->sig->rrsig.algorithm;
        step.inception = verified->sig->rrsig.inception;
        step.expiration = verified->sig->rrsig.expiration;
    }
    val_trace_add(job->trace, &step);
}

static void trace_no_ds(struct val_job *job, const struct dns_name *zone,
                        const struct dns_name *name, enum val_why why)
{
    struct val_trace_step step = {
        .kind = VAL_TRACE_NO_DS, .status = VAL_INSECURE, .why = why, .zone = *zone, .name = *name};
    val_trace_add(job->trace, &step);
}

static void trace_lift(struct val_job *job, const struct dns_name *zone,
                       const struct val_zone *lifted, const struct val_sig *sig,
                       const struct val_reason *reason)
{
    struct val_verified v = {.secure = lifted != NULL, .sig = sig, .reason = *reason};
    trace_signed(job, VAL_TRACE_DNSKEY, zone, zone, &v);
    if (lifted)
        trace_zone(job, lifted, VAL_TRACE_KEY);
}

/* --- one cut --------------------------------------------------------------------------------- */

static struct chain_end insecure(struct val_job *job, const struct val_zone *parent,
                                 const struct dns_name *name, enum val_why why, uint64_t expires_s)
{
    struct val_reason r = job_reason(why, name, name, DNS_TYPE_DS, VAL_ORIGIN_NONE);
    trace_no_ds(job, &parent->name, name, why);
    if (!learn_kind(job, name, VAL_ZONE_INSECURE, expires_s, &r))
        return pending(job);
    return end_of(CHAIN_INSECURE, &r);
}

/* Not a cut: the parent's keys go on speaking for what is below. */
static struct chain_end no_cut(struct val_job *job, const struct val_zone *parent,
                               const struct dns_name *name, uint64_t expires_s)
{
    struct val_reason none =
        job_reason(VAL_WHY_NONE, &parent->name, name, DNS_TYPE_DS, VAL_ORIGIN_NONE);
    if (!learn_kind(job, name, VAL_ZONE_NOT_A_CUT, expires_s, &none))
        return pending(job);
    return (struct chain_end){.end = CHAIN_SECURE, .zone = parent};
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static const struct job_unlifted *unlifted(const struct val_job *job, const struct job_message *m)
{
    for (uint32_t i = 0; i < job->unlifted_count; i++)
        if (job->unlifted[i].fresh == m->fresh && dns_name_equal(&job->unlifted[i].name, &m->name))
            return &job->unlifted[i];
    return NULL;
}

/* Keys that do not lift their zone cost their signatures once, however often the step is redone. */
static void keep_unlifted(struct val_job *job, const struct job_message *m,
                          const struct val_reason *reason)
{
    if (job->unlifted_count == JOB_UNLIFTED_MAX) {
        job->spent = true;
        return;
    }
    job->unlifted[job->unlifted_count++] =
        (struct job_unlifted){.name = m->name, .fresh = m->fresh, .reason = *reason};
}

/* The DNSKEY set of `name` under DS records that are secure or configured. */
static struct chain_end lift(struct val_job *job, const struct dns_name *name,
                             const struct val_ds_set *ds, uint64_t ds_expires_s)
{
    const struct job_message *m = message(job, name, DNS_TYPE_DNSKEY);
    struct val_reason reason;
    const struct val_sig *sig = NULL;
    if (!m)
        return want(job, name, DNS_TYPE_DNSKEY);
    if (unusable(m))
        return failed(job, CHAIN_FAILED, m->failed ? VAL_WHY_FETCH : VAL_WHY_RCODE, name, m);
    const struct val_rrset *keys = val_rrsets_find(&m->sets, name, DNS_TYPE_DNSKEY);
    if (!keys)
        return failed(job, CHAIN_BOGUS, VAL_WHY_DNSKEY_ABSENT, name, m);
    const struct job_unlifted *before = unlifted(job, m);
    if (before)
        return end_of(before->reason.why == VAL_WHY_MEMORY ? CHAIN_FAILED : CHAIN_BOGUS,
                      &before->reason);
    if (job->budget->slice_units == 0) {
        job->yielded = true;
        return pending(job);
    }
    const struct val_zone *zone = val_zone_lift(name, ds, ds_expires_s, keys, job->now_s,
                                                job->env->policy, job->budget, &reason, &sig, NULL);
    reason.origin = m->origin;
    trace_lift(job, name, zone, sig, &reason);
    if (zone) {
        zone = learn(job, zone);
        return zone ? (struct chain_end){.end = CHAIN_SECURE, .zone = zone} : pending(job);
    }
    if (reason.why == VAL_WHY_ALGORITHM || reason.why == VAL_WHY_DIGEST) {
        if (!learn_kind(job, name, VAL_ZONE_INSECURE, ds_expires_s, &reason))
            return pending(job);
        return end_of(CHAIN_INSECURE, &reason);
    }
    keep_unlifted(job, m, &reason);
    return end_of(reason.why == VAL_WHY_MEMORY ? CHAIN_FAILED : CHAIN_BOGUS, &reason);
}

static struct chain_end by_ds(struct val_job *job, const struct val_zone *parent,
                              const struct dns_name *name, const struct job_message *m,
                              const struct val_rrset *set)
{
    const struct val_verified *v;
    bool first = job_proven(job, set) == NULL;
    if (!job_verify(job, set, parent, &v))
        return pending(job);
    if (first)
        trace_signed(job, VAL_TRACE_DS, &parent->name, name, v);
    if (!v->secure) {
        struct val_reason r = v->reason;
        r.origin = m->origin;
        return end_of(CHAIN_BOGUS, &r);
    }
    uint64_t expires_s = least(parent->expires_s, job->now_s + v->ttl_s);
    const struct val_ds_set ds = {.rr = set->rr, .count = set->count};
    enum val_why why = val_ds_usable(&ds, job->env->policy);
    if (why != VAL_WHY_NONE)
        return insecure(job, parent, name, why, expires_s);
    return lift(job, name, &ds, expires_s);
}

/* The three meanings of "no DS" (and what proves none of them). */
static struct chain_end by_denial(struct val_job *job, const struct val_zone *parent,
                                  const struct dns_name *name, const struct job_message *m)
{
    const struct val_rrset *sets[DENIALS_MAX];
    struct val_denial d = {
        .zone = &parent->name, .sets = sets, .policy = job->env->policy, .budget = job->budget};
    uint64_t expires_s = parent->expires_s;
    if (!job_collect_denials(job, &m->sets, parent, sets, DENIALS_MAX, &d.count, &expires_s))
        return pending(job);
    switch (val_prove_no_ds(&d, name)) {
    case VAL_NO_DS_CUT: return insecure(job, parent, name, VAL_WHY_NO_DS, expires_s);
    case VAL_NO_DS_OPT_OUT: return insecure(job, parent, name, VAL_WHY_OPT_OUT, expires_s);
    case VAL_NO_DS_ITERATIONS: return insecure(job, parent, name, VAL_WHY_ITERATIONS, expires_s);
    case VAL_NO_DS_NOT_A_CUT: return no_cut(job, parent, name, expires_s);
    case VAL_NO_DS_WRONG_SIDE:
        return failed(job, CHAIN_BOGUS, VAL_WHY_WRONG_SIDE, &parent->name, m);
    case VAL_NO_DS_BUDGET: return failed(job, CHAIN_BOGUS, VAL_WHY_BUDGET, &parent->name, m);
    case VAL_NO_DS_UNPROVEN: break;
    }
    return failed(job, CHAIN_BOGUS, VAL_WHY_DS_UNPROVEN, &parent->name, m);
}

/* A CNAME stands alone at its name (RFC 2181 10.1), so there is no delegation. One that was
 * expanded from a wildcard says nothing about the name itself. */
static bool exact_cname(struct val_job *job, const struct val_zone *parent,
                        const struct val_rrset *cname, struct chain_end *ret)
{
    const struct val_verified *v;
    if (!cname || cname->sig_count == 0)
        return false;
    if (!job_verify(job, cname, parent, &v)) {
        *ret = pending(job);
        return true;
    }
    if (!v->secure || v->expanded)
        return false;
    *ret = no_cut(job, parent, &cname->owner, least(parent->expires_s, job->now_s + v->ttl_s));
    return true;
}

/* SECURE: `name` is a zone, or, with the parent as zone, no cut. */
static struct chain_end judge_cut(struct val_job *job, const struct val_zone *parent,
                                  const struct dns_name *name)
{
    struct chain_end end;
    const struct job_message *m = message(job, name, DNS_TYPE_DS);
    if (!m)
        return want(job, name, DNS_TYPE_DS);
    if (unusable(m))
        return failed(job, CHAIN_FAILED, m->failed ? VAL_WHY_FETCH : VAL_WHY_RCODE, &parent->name,
                      m);
    const struct val_rrset *ds = val_rrsets_find(&m->sets, name, DNS_TYPE_DS);
    if (ds)
        return by_ds(job, parent, name, m, ds);
    if (exact_cname(job, parent, val_rrsets_find(&m->sets, name, DNS_TYPE_CNAME), &end))
        return end;
    return by_denial(job, parent, name, m);
}

/* --- the way down ---------------------------------------------------------------------------- */

static void trace_anchor(struct val_job *job, const struct val_anchor_hit *hit)
{
    bool before = job->anchor_traced;
    job->anchor_traced = true;
    for (uint32_t i = 0; job->trace && !before && i < hit->ds.count; i++) {
        struct dns_ds ds;
        if (dns_ds_read(dns_reader_init(hit->ds.rr[i].data, hit->ds.rr[i].len), &ds) != DNS_OK)
            continue;
        struct val_trace_step step = {.kind = VAL_TRACE_ANCHOR,
                                      .zone = hit->zone,
                                      .name = hit->zone,
                                      .key_tag = ds.key_tag,
                                      .algorithm = ds.algorithm,
                                      .digest_type = ds.digest_type};
        val_trace_add(job->trace, &step);
    }
}

/* Where the walk begins: the deepest zone at or above the target that is known, else the anchor. */
static struct chain_end begin(struct val_job *job, const struct dns_name *target)
{
    struct val_anchor_hit hit = val_anchors_find(job->env->anchors, target, job->now_s);
    struct val_reason r =
        job_reason(hit.kind == VAL_ANCHOR_NONE ? VAL_WHY_NO_ANCHOR : VAL_WHY_NEGATIVE_ANCHOR,
                   &hit.zone, target, 0, VAL_ORIGIN_NONE);
    if (hit.kind != VAL_ANCHOR_POSITIVE)
        return end_of(CHAIN_INSECURE, &r);
    for (unsigned labels = target->labels + 1u; labels-- > hit.zone.labels;) {
        struct dns_name name = dns_name_suffix(target, labels);
        const struct val_zone *zone = known(job, &name);
        if (zone && zone->kind == VAL_ZONE_INSECURE)
            return end_of(CHAIN_INSECURE, &zone->reason);
        if (zone && zone->kind == VAL_ZONE_SECURE)
            return (struct chain_end){.end = CHAIN_SECURE, .zone = zone};
    }
    trace_anchor(job, &hit);
    return lift(job, &hit.zone, &hit.ds, UINT64_MAX);
}

/* The chain has to be fetched: all of it that can be guessed, at once. */
static void want_ahead(struct val_job *job, unsigned from, const struct dns_name *target,
                       bool signer)
{
    for (unsigned labels = from + 1; labels <= target->labels && labels <= from + AHEAD_LABELS;
         labels++) {
        struct dns_name name = dns_name_suffix(target, labels);
        struct job_place *place = place_find(job, &name);
        if (place && place->zone->kind == VAL_ZONE_NOT_A_CUT)
            continue;
        bool fresh = distrusted(job, &name);
        if (!message(job, &name, DNS_TYPE_DS))
            job_want(job, &name, DNS_TYPE_DS, fresh, false);
        if ((signer || labels < target->labels) && !message(job, &name, DNS_TYPE_DNSKEY))
            job_want(job, &name, DNS_TYPE_DNSKEY, fresh, false);
    }
}

/* A DS further down that this zone signed: what lies between is no cut, whatever is said of it. */
static unsigned jump(struct val_job *job, const struct val_zone *zone,
                     const struct dns_name *target)
{
    for (unsigned labels = zone->name.labels + 1u; labels <= target->labels; labels++) {
        struct dns_name name = dns_name_suffix(target, labels);
        const struct job_message *m = message(job, &name, DNS_TYPE_DS);
        const struct val_rrset *ds =
            m && !m->failed ? val_rrsets_find(&m->sets, &name, DNS_TYPE_DS) : NULL;
        struct dns_name signer;
        if (ds && val_rrset_signers(ds, &signer, 1) == 1 && dns_name_equal(&signer, &zone->name))
            return labels;
    }
    return 0;
}

static struct chain_end one_step(struct val_job *job, const struct val_zone *zone, unsigned *labels,
                                 const struct dns_name *target, bool signer)
{
    struct dns_name name;
    unsigned far = jump(job, zone, target);
    if (far > *labels) {
        name = dns_name_suffix(target, far);
        struct chain_end end = judge_cut(job, zone, &name);
        if (end.end != CHAIN_BOGUS && end.end != CHAIN_FAILED) {
            *labels = far;
            return end;
        }
    }
    name = dns_name_suffix(target, ++*labels);
    const struct val_zone *found = known(job, &name);
    if (found && found->kind == VAL_ZONE_INSECURE)
        return end_of(CHAIN_INSECURE, &found->reason);
    if (found && found->kind != VAL_ZONE_BAD)
        return (struct chain_end){.end = CHAIN_SECURE,
                                  .zone = found->kind == VAL_ZONE_SECURE ? found : zone};
    struct chain_end end = judge_cut(job, zone, &name);
    if (end.end == CHAIN_PENDING && !job->yielded)
        want_ahead(job, *labels - 1, target, signer);
    return end;
}

struct chain_end chain_walk(struct val_job *job, const struct dns_name *target, bool signer)
{
    struct chain_end end = begin(job, target);
    if (end.end == CHAIN_PENDING && !job->yielded) {
        struct val_anchor_hit hit = val_anchors_find(job->env->anchors, target, job->now_s);
        want_ahead(job, hit.zone.labels, target, signer);
    }
    unsigned labels = end.end == CHAIN_SECURE ? end.zone->name.labels : 0;
    unsigned zones = 0;
    while (end.end == CHAIN_SECURE && labels < target->labels) {
        if (++zones > job->budget->limits.zones + job->budget->limits.labels) {
            struct val_reason r =
                job_reason(VAL_WHY_BUDGET, &end.zone->name, target, DNS_TYPE_DS, VAL_ORIGIN_NONE);
            return end_of(CHAIN_BOGUS, &r);
        }
        end = one_step(job, end.zone, &labels, target, signer);
    }
    return end;
}
