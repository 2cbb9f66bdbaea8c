// SPDX-License-Identifier: MIT
/* What stands at one name, under the keys of the zone above it: a signed zone, an unsigned one, or
 * no cut at all. */
#include "validate/chain_parts.h"

#define DENIALS_MAX 64u

/* --- ends ------------------------------------------------------------------------------------ */

struct chain_end chain_end_of(enum chain end, const struct val_reason *reason)
{
    return (struct chain_end){.end = end, .reason = *reason};
}

struct chain_end chain_pending(struct val_job *job)
{
    if (!job->spent && !job->out_of_memory)
        return (struct chain_end){.end = CHAIN_PENDING};
    struct val_reason r =
        job_reason(job->out_of_memory ? VAL_WHY_MEMORY : VAL_WHY_BUDGET, &job->question.name,
                   &job->question.name, job->question.type, VAL_ORIGIN_NONE);
    return chain_end_of(job->out_of_memory ? CHAIN_FAILED : CHAIN_BOGUS, &r);
}

static struct chain_end want(struct val_job *job, const struct dns_name *name, uint16_t type)
{
    known_want(job, name, type, true);
    return chain_pending(job);
}

static struct chain_end failed(enum chain end, enum val_why why, const struct dns_name *zone,
                               const struct job_message *m)
{
    struct val_reason r = job_reason(why, zone, &m->name, m->type, m->origin);
    return chain_end_of(end, &r);
}

static bool unusable(const struct job_message *m)
{
    return m->failed || (m->rcode != DNS_RCODE_NOERROR && m->rcode != DNS_RCODE_NXDOMAIN);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long something may be believed that rests on this set and on the zone that signed it. */
static uint64_t expiry(const struct val_job *job, const struct val_zone *zone,
                       const struct val_verified *v)
{
    return least(zone->expires_s, least(job->now_s + v->ttl_s, v->expires_s));
}

static struct chain_end insecure(struct val_job *job, const struct val_zone *parent,
                                 const struct dns_name *name, enum val_why why, uint64_t expires_s)
{
    struct val_reason r = job_reason(why, name, name, DNS_TYPE_DS, VAL_ORIGIN_NONE);
    chain_trace_no_ds(job, &parent->name, name, VAL_INSECURE, why);
    if (!known_learn_kind(job, name, VAL_ZONE_INSECURE, expires_s, &r))
        return chain_pending(job);
    return chain_end_of(CHAIN_INSECURE, &r);
}

/* Not a cut: the parent's keys go on speaking for what is below. */
static struct chain_end no_cut(struct val_job *job, const struct val_zone *parent,
                               const struct dns_name *name, uint64_t expires_s)
{
    struct val_reason none =
        job_reason(VAL_WHY_NONE, &parent->name, name, DNS_TYPE_DS, VAL_ORIGIN_NONE);
    chain_trace_no_ds(job, &parent->name, name, VAL_SECURE, VAL_WHY_NONE);
    if (!known_learn_kind(job, name, VAL_ZONE_NOT_A_CUT, expires_s, &none))
        return chain_pending(job);
    return (struct chain_end){.end = CHAIN_SECURE, .zone = parent};
}

/* --- keys ------------------------------------------------------------------------------------ */

static const struct job_unlifted *unlifted(const struct val_job *job, const struct job_message *m,
                                           const struct val_ds_set *ds)
{
    for (uint32_t i = 0; i < job->unlifted_count; i++)
        if (job->unlifted[i]->keys == m && job->unlifted[i]->ds == ds->rr)
            return job->unlifted[i];
    return NULL;
}

/* Keys that do not lift their zone cost their signatures once, however often the step is redone. */
static void keep_unlifted(struct val_job *job, const struct job_message *m,
                          const struct val_ds_set *ds, const struct val_reason *reason)
{
    if (job->unlifted_count == JOB_UNLIFTED_MAX) {
        job->spent = true;
        return;
    }
    struct job_unlifted *u = val_arena_take_unset(job->arena, sizeof *u);
    if (!u) {
        job->out_of_memory = true;
        return;
    }
    *u = (struct job_unlifted){.keys = m, .ds = ds->rr, .reason = *reason};
    job->unlifted[job->unlifted_count++] = u;
}

static struct chain_end unlifted_end(const struct val_reason *reason)
{
    return chain_end_of(reason->why == VAL_WHY_MEMORY ? CHAIN_FAILED : CHAIN_BOGUS, reason);
}

/* Key sizes that are not supported are no failure: then the zone is insecure (keys.h). */
static struct chain_end weak_keys(struct val_job *job, const struct dns_name *name,
                                  const struct val_reason *reason, uint64_t ds_expires_s)
{
    chain_trace_no_ds(job, name, name, VAL_INSECURE, reason->why);
    if (!known_learn_kind(job, name, VAL_ZONE_INSECURE, ds_expires_s, reason))
        return chain_pending(job);
    return chain_end_of(CHAIN_INSECURE, reason);
}

/* The DNSKEY set of `name` under DS records that are secure or configured. */
static struct chain_end lift(struct val_job *job, const struct dns_name *name,
                             const struct val_ds_set *ds, uint64_t ds_expires_s)
{
    const struct job_message *m = known_message(job, name, DNS_TYPE_DNSKEY);
    struct val_reason reason;
    const struct val_sig *sig = NULL;
    if (!m)
        return want(job, name, DNS_TYPE_DNSKEY);
    if (unusable(m))
        return failed(CHAIN_FAILED, m->failed ? VAL_WHY_FETCH : VAL_WHY_RCODE, name, m);
    const struct val_rrset *keys = val_rrsets_find(&m->sets, name, DNS_TYPE_DNSKEY);
    if (!keys)
        return failed(CHAIN_BOGUS, VAL_WHY_DNSKEY_ABSENT, name, m);
    const struct job_unlifted *before = unlifted(job, m, ds);
    if (before)
        return unlifted_end(&before->reason);
    if (job->budget->slice_units == 0) {
        job->yielded = true;
        return chain_pending(job);
    }
    const struct val_zone *zone = val_zone_lift(name, ds, ds_expires_s, keys, job->now_s,
                                                job->env->policy, job->budget, &reason, &sig, NULL);
    reason.origin = m->origin;
    if (!zone && (reason.why == VAL_WHY_ALGORITHM || reason.why == VAL_WHY_DIGEST))
        return weak_keys(job, name, &reason, ds_expires_s);
    const struct val_verified v = {.secure = zone != NULL, .sig = sig, .reason = reason};
    chain_trace_signed(job, VAL_TRACE_DNSKEY, name, name, &v);
    if (!zone) {
        keep_unlifted(job, m, ds, &reason);
        return unlifted_end(&reason);
    }
    chain_trace_zone(job, zone, VAL_TRACE_KEY);
    zone = known_learn(job, zone);
    return zone ? (struct chain_end){.end = CHAIN_SECURE, .zone = zone} : chain_pending(job);
}

/* --- DS -------------------------------------------------------------------------------------- */

static struct chain_end by_ds(struct val_job *job, const struct val_zone *parent,
                              const struct dns_name *name, const struct job_message *m,
                              const struct val_rrset *set)
{
    const struct val_verified *v;
    if (!job_verify(job, set, parent, &v))
        return chain_pending(job);
    chain_trace_signed(job, VAL_TRACE_DS, &parent->name, name, v);
    if (!v->secure) {
        struct val_reason r = v->reason;
        r.origin = m->origin;
        return chain_end_of(CHAIN_BOGUS, &r);
    }
    const struct val_ds_set ds = {.rr = set->rr, .count = set->count};
    enum val_why why = val_ds_usable(&ds, job->env->policy);
    if (why != VAL_WHY_NONE)
        return insecure(job, parent, name, why, expiry(job, parent, v));
    return lift(job, name, &ds, expiry(job, parent, v));
}

/* The child's own SOA in a DS answer: its servers were asked, who know nothing of the parent. */
static bool from_below(const struct job_message *m)
{
    const struct val_rrset *soa = val_rrsets_find(&m->sets, &m->name, DNS_TYPE_SOA);
    return soa && m->name.labels > 0;
}

/* The three meanings of "no DS" (and what proves none of them). */
static struct chain_end by_denial(struct val_job *job, const struct val_zone *parent,
                                  const struct dns_name *name, const struct job_message *m)
{
    const struct val_rrset *sets[DENIALS_MAX];
    struct val_denial d = {
        .zone = &parent->name, .sets = sets, .policy = job->env->policy, .budget = job->budget};
    uint64_t expires_s = parent->expires_s;
    enum val_why why = VAL_WHY_DS_UNPROVEN;
    if (!job_collect_denials(job, &m->sets, parent, sets, DENIALS_MAX, &d.count, &expires_s))
        return chain_pending(job);
    switch (val_prove_no_ds(&d, name)) {
    case VAL_NO_DS_CUT: return insecure(job, parent, name, VAL_WHY_NO_DS, expires_s);
    case VAL_NO_DS_OPT_OUT: return insecure(job, parent, name, VAL_WHY_OPT_OUT, expires_s);
    case VAL_NO_DS_ITERATIONS: return insecure(job, parent, name, VAL_WHY_ITERATIONS, expires_s);
    case VAL_NO_DS_NOT_A_CUT: return no_cut(job, parent, name, expires_s);
    case VAL_NO_DS_WRONG_SIDE: why = VAL_WHY_WRONG_SIDE; break;
    case VAL_NO_DS_REFUSED: why = VAL_WHY_ITERATIONS_REFUSED; break;
    case VAL_NO_DS_BUDGET: why = VAL_WHY_BUDGET; break;
    case VAL_NO_DS_UNPROVEN: why = from_below(m) ? VAL_WHY_WRONG_SIDE : VAL_WHY_DS_UNPROVEN; break;
    }
    return failed(CHAIN_BOGUS, why, &parent->name, m);
}

/* An alias in the DS answer that the parent zone signed itself: exactly this CNAME (RFC 2181 10.1:
 * it stands alone at its name), or a DNAME above it (RFC 6672 2.4: nothing else is below that).
 * There is no delegation then. What was expanded from a wildcard says nothing about the name. */
static const struct val_rrset *find_alias(const struct val_zone *parent,
                                          const struct dns_name *name, const struct job_message *m)
{
    const struct val_rrset *set = val_rrsets_find(&m->sets, name, DNS_TYPE_CNAME);
    if (set && set->sig_count > 0)
        return set;
    for (unsigned labels = name->labels; labels-- > parent->name.labels;) {
        struct dns_name above = dns_name_suffix(name, labels);
        set = val_rrsets_find(&m->sets, &above, DNS_TYPE_DNAME);
        if (set)
            return set;
    }
    return NULL;
}

static struct chain_end without_ds(struct val_job *job, const struct val_zone *parent,
                                   const struct dns_name *name, const struct job_message *m)
{
    const struct val_rrset *alias = find_alias(parent, name, m);
    const struct val_verified *v;
    if (!alias)
        return by_denial(job, parent, name, m);
    if (!job_verify(job, alias, parent, &v))
        return chain_pending(job);
    if (v->secure && !v->expanded)
        return no_cut(job, parent, name, expiry(job, parent, v));
    return by_denial(job, parent, name, m);
}

static struct chain_end judge(struct val_job *job, const struct val_zone *parent,
                              const struct dns_name *name)
{
    const struct job_message *m = known_message(job, name, DNS_TYPE_DS);
    if (!m)
        return want(job, name, DNS_TYPE_DS);
    if (unusable(m))
        return failed(CHAIN_FAILED, m->failed ? VAL_WHY_FETCH : VAL_WHY_RCODE, &parent->name, m);
    const struct val_rrset *ds = val_rrsets_find(&m->sets, name, DNS_TYPE_DS);
    return ds ? by_ds(job, parent, name, m, ds) : without_ds(job, parent, name, m);
}

/* --- doubt ----------------------------------------------------------------------------------- */

/* False: the fresh copy is here, or cannot be paid for. */
static bool ask_afresh(struct val_job *job, const struct dns_name *name, uint16_t type)
{
    bool payable = job->budget->fetches > 0 && job->budget->flights > 0;
    if (known_has_fresh(job, name, type) || (!payable && !job_asked(job, name, type, true)))
        return false;
    job_want(job, name, type, true, true);
    return true;
}

/* DS and DNSKEY come from caches of different age, and some of those lie: what does not fit is
 * asked for once more, past every cache. Only then is it bogus. */
static struct chain_end doubt(struct val_job *job, const struct dns_name *name, bool anchored,
                              struct chain_end end)
{
    if (end.end != CHAIN_BOGUS || end.reason.why == VAL_WHY_BUDGET)
        return end;
    bool asked = !anchored && ask_afresh(job, name, DNS_TYPE_DS);
    if (end.reason.type == DNS_TYPE_DNSKEY)
        asked = ask_afresh(job, name, DNS_TYPE_DNSKEY) || asked;
    if (asked)
        return chain_pending(job);
    return known_learn_bad(job, name, &end.reason) ? end : chain_pending(job);
}

struct chain_end cut_from_anchor(struct val_job *job, const struct val_anchor_hit *hit)
{
    return doubt(job, hit->zone, true, lift(job, hit->zone, &hit->ds, UINT64_MAX));
}

struct chain_end cut_resolve(struct val_job *job, const struct val_zone *parent,
                             const struct dns_name *name)
{
    return doubt(job, name, false, judge(job, parent, name));
}

struct chain_end cut_resolve_doubtful(struct val_job *job, const struct val_zone *parent,
                                      const struct dns_name *name, const struct chain_end *doubtful)
{
    const struct job_message *m = known_message(job, name, DNS_TYPE_DS);
    if (!m)
        return want(job, name, DNS_TYPE_DS);
    const struct val_rrset *ds = unusable(m) ? NULL : val_rrsets_find(&m->sets, name, DNS_TYPE_DS);
    const struct val_verified *v;
    if (!ds)
        return *doubtful;
    if (!job_verify(job, ds, parent, &v))
        return chain_pending(job);
    return v->secure ? cut_resolve(job, parent, name) : *doubtful;
}
