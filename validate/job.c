// SPDX-License-Identifier: MIT
#include "validate/job_parts.h"

#include <stdlib.h>
#include <string.h>

struct val_reason job_reason(enum val_why why, const struct dns_name *zone,
                             const struct dns_name *name, uint16_t type, uint32_t origin)
{
    return (struct val_reason){
        .why = why, .zone = *zone, .name = *name, .type = type, .origin = origin};
}

struct val_job *val_job_new(const struct dns_question *question, const struct val_env *env,
                            struct val_budget *budget, struct val_trace *trace)
{
    struct val_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->arena = val_arena_new(JOB_ARENA_MAX);
    if (!job->arena) {
        free(job);
        return NULL;
    }
    job->question = *question;
    job->env = env;
    job->budget = budget;
    job->trace = trace;
    return job;
}

void val_job_free(struct val_job *job)
{
    if (!job)
        return;
    chain_free(job);
    val_arena_free(job->arena);
    free(job);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Copies the sets; HTTP Age lowers their TTLs. */
static enum dns_err split(struct val_job *job, const struct dns_msg *msg, uint32_t age_s,
                          struct val_rrsets *ret, bool *malformed)
{
    enum dns_err err = val_rrsets_split(msg, job->arena, ret, malformed);
    for (uint32_t i = 0; err == DNS_OK && i < ret->count; i++)
        ret->set[i].ttl_s = ret->set[i].ttl_s > age_s ? ret->set[i].ttl_s - age_s : 0;
    return err;
}

enum dns_err val_job_answer(struct val_job *job, const struct dns_msg *msg, uint32_t age_s,
                            uint32_t origin)
{
    if (job->answered)
        return DNS_OK; /* the same again changes nothing */
    bool dropped = false;
    enum dns_err err = split(job, msg, age_s, &job->answer, &dropped);
    job->answered = true;
    job->malformed = err != DNS_OK;
    job->rcode = msg->rcode;
    job->origin = origin;
    return err;
}

static struct job_message *slot(struct val_job *job, const struct dns_name *name, uint16_t type,
                                bool fresh)
{
    for (uint32_t i = 0; i < job->message_count; i++) {
        struct job_message *m = &job->message[i];
        if (m->type == type && m->fresh == fresh && dns_name_equal(&m->name, name))
            return m;
    }
    if (job->message_count == JOB_MESSAGES_MAX)
        return NULL;
    struct job_message *m = &job->message[job->message_count++];
    *m = (struct job_message){.name = *name, .type = type, .fresh = fresh, .failed = true};
    return m;
}

static bool asked_before(const struct val_job *job, const struct dns_name *name, uint16_t type,
                         bool fresh)
{
    for (uint32_t i = 0; i < job->asked_count; i++)
        if (job->asked[i].type == type && job->asked[i].fresh == fresh &&
            dns_name_equal(&job->asked[i].name, name))
            return true;
    return false;
}

enum dns_err val_job_give(struct val_job *job, const struct dns_name *name, uint16_t type,
                          const struct dns_msg *msg, uint32_t age_s, uint32_t origin)
{
    struct job_message *m = slot(job, name, type, asked_before(job, name, type, true));
    if (!m)
        return DNS_E_COUNT;
    if (!m->failed || !msg)
        return DNS_OK;
    bool dropped = false;
    enum dns_err err = split(job, msg, age_s, &m->sets, &dropped);
    m->failed = err != DNS_OK;
    m->rcode = msg->rcode;
    m->origin = origin;
    return err;
}

void job_want(struct val_job *job, const struct dns_name *name, uint16_t type, bool fresh,
              bool necessary)
{
    job->starved = job->starved || necessary;
    for (uint32_t i = 0; i < job->need_count; i++)
        if (job->need[i].type == type && dns_name_equal(&job->need[i].name, name))
            return;
    if (!asked_before(job, name, type, fresh)) {
        bool room = job->need_count < JOB_NEEDS_MAX && job->asked_count < JOB_MESSAGES_MAX;
        if (!room || !val_budget_take(&job->budget->fetches, 1)) {
            job->spent = job->spent || necessary;
            return;
        }
        job->asked[job->asked_count++] =
            (struct val_need){.name = *name, .type = type, .fresh = fresh};
    }
    if (job->need_count < JOB_NEEDS_MAX)
        job->need[job->need_count++] =
            (struct val_need){.name = *name, .type = type, .fresh = fresh};
}

const struct val_need *val_job_needs(const struct val_job *job, uint32_t *count)
{
    *count = job->need_count;
    return job->need;
}

/* --- verification, once for each set --------------------------------------------------------- */

bool job_verify(struct val_job *job, const struct val_rrset *set, const struct val_zone *zone,
                const struct val_verified **ret)
{
    for (uint32_t i = 0; i < job->memo_count; i++)
        if (job->memo[i].set == set && job->memo[i].zone == zone) {
            *ret = &job->memo[i].verified;
            return true;
        }
    if (job->budget->slice_units == 0) {
        job->yielded = true;
        return false;
    }
    if (job->memo_count == JOB_MEMO_MAX) {
        job->spent = true;
        return false;
    }
    struct job_memo *memo = &job->memo[job->memo_count++];
    memo->set = set;
    memo->zone = zone;
    val_rrset_verify(set, zone, job->now_s, job->env->policy, job->budget, &memo->verified);
    if (memo->verified.reason.why == VAL_WHY_BUDGET) {
        job->spent = true;
        return false;
    }
    *ret = &memo->verified;
    return true;
}

const struct val_verified *job_proven(const struct val_job *job, const struct val_rrset *set)
{
    for (uint32_t i = 0; i < job->memo_count; i++)
        if (job->memo[i].set == set && job->memo[i].verified.secure)
            return &job->memo[i].verified;
    return NULL;
}

/* --- what the verdict rests on --------------------------------------------------------------- */

static struct job_subject *subject_add(struct val_job *job, enum job_subject_kind kind,
                                       const struct dns_name *name, uint16_t type,
                                       const struct val_rrset *set)
{
    if (job->subject_count >= JOB_SUBJECTS_MAX ||
        job->subject_count >= job->budget->limits.rrsets_per_message) {
        job->chain_broken = true;
        job->chain_reason =
            job_reason(VAL_WHY_BUDGET, &job->question.name, name, type, job->origin);
        return NULL;
    }
    struct job_subject *s = &job->subject[job->subject_count++];
    *s = (struct job_subject){.kind = kind, .name = *name, .type = type, .set = set};
    return s;
}

static const struct val_rrset *in_answer(const struct val_job *job, const struct dns_name *name,
                                         uint16_t type)
{
    const struct val_rrset *set = val_rrsets_find(&job->answer, name, type);
    return set && set->section == DNS_ANSWER ? set : NULL;
}

/* The DNAME above `name`, if the answer has one. */
static const struct val_rrset *dname_above(const struct val_job *job, const struct dns_name *name)
{
    for (unsigned labels = name->labels; labels-- > 0;) {
        struct dns_name owner = dns_name_suffix(name, labels);
        const struct val_rrset *set = in_answer(job, &owner, DNS_TYPE_DNAME);
        if (set)
            return set;
    }
    return NULL;
}

static bool target_of(const struct val_rrset *set, struct dns_name *ret)
{
    return set->count == 1 &&
           dns_target_read(dns_reader_init(set->rr[0].data, set->rr[0].len), ret) == DNS_OK;
}

static void broken(struct val_job *job, enum val_why why, const struct dns_name *name,
                   uint16_t type)
{
    job->chain_broken = true;
    job->chain_reason = job_reason(why, name, name, type, job->origin);
}

/* One hop by alias. False: `name` is where the chain ends, or it is broken. */
static bool follow(struct val_job *job, struct dns_name *name)
{
    const struct val_rrset *cname = in_answer(job, name, DNS_TYPE_CNAME);
    const struct val_rrset *dname = dname_above(job, name);
    struct dns_name target;
    struct dns_name substituted;
    if (dname && (!cname || cname->sig_count == 0)) {
        if (!target_of(dname, &target)) {
            broken(job, VAL_WHY_DNAME, &dname->owner, DNS_TYPE_DNAME);
            return false;
        }
        if (dns_name_substitute(name, &dname->owner, &target, &substituted) != DNS_OK) {
            if (job->rcode != DNS_RCODE_YXDOMAIN) /* RFC 6672 2.2: too long */
                broken(job, VAL_WHY_DNAME, name, DNS_TYPE_DNAME);
            (void)subject_add(job, SUBJECT_SET, &dname->owner, DNS_TYPE_DNAME, dname);
            return false;
        }
        if (cname && (!target_of(cname, &target) || !dns_name_equal(&target, &substituted))) {
            broken(job, VAL_WHY_DNAME, name, DNS_TYPE_CNAME);
            return false;
        }
        if (!subject_add(job, SUBJECT_SET, &dname->owner, DNS_TYPE_DNAME, dname))
            return false;
        if (cname && !subject_add(job, SUBJECT_SYNTHESIZED, name, DNS_TYPE_CNAME, cname))
            return false;
        *name = substituted;
        return true;
    }
    if (!cname)
        return false;
    if (!target_of(cname, &target)) {
        broken(job, VAL_WHY_MALFORMED, name, DNS_TYPE_CNAME);
        return false;
    }
    if (!subject_add(job, SUBJECT_SET, name, DNS_TYPE_CNAME, cname))
        return false;
    *name = target;
    return true;
}

/* The records that answer for the last name of the chain. */
static bool add_final(struct val_job *job, const struct dns_name *name)
{
    bool any = false;
    for (uint32_t i = 0; i < job->answer.count; i++) {
        const struct val_rrset *set = &job->answer.set[i];
        bool asked = set->type == job->question.type || job->question.type == DNS_TYPE_ANY;
        if (set->section != DNS_ANSWER || !asked || !dns_name_equal(&set->owner, name))
            continue;
        any = true;
        if (!subject_add(job, SUBJECT_SET, name, set->type, set))
            return true;
    }
    return any;
}

/* Follows the aliases from the question on and names what has to be proven. */
static void plan_subjects(struct val_job *job)
{
    struct dns_name name = job->question.name;
    unsigned hops = 0;
    bool final = false;
    while (!job->chain_broken) {
        const struct val_rrset *cname = in_answer(job, &name, DNS_TYPE_CNAME);
        bool synthesized = cname && cname->sig_count == 0 && dname_above(job, &name);
        bool wants_cname = job->question.type == DNS_TYPE_CNAME && synthesized;
        if (!wants_cname && add_final(job, &name)) {
            final = true;
            break;
        }
        if (++hops > job->budget->limits.hops) {
            broken(job, VAL_WHY_LOOP, &name, job->question.type);
            return;
        }
        if (!follow(job, &name))
            break;
        if (wants_cname) {
            final = true;
            break;
        }
    }
    if (job->chain_broken || final || job->rcode == DNS_RCODE_YXDOMAIN)
        return;
    (void)subject_add(job, job->rcode == DNS_RCODE_NXDOMAIN ? SUBJECT_NXDOMAIN : SUBJECT_NODATA,
                      &name, job->question.type, NULL);
}

/* --- the verdict ----------------------------------------------------------------------------- */

static void set_verdict(struct val_job *job, enum val_status status,
                        const struct val_reason *reason)
{
    struct val_trace_step step = {.kind = VAL_TRACE_VERDICT,
                                  .status = status,
                                  .why = reason->why,
                                  .zone = reason->zone,
                                  .name = reason->name,
                                  .type = reason->type};
    job->verdict.status = status;
    job->verdict.reason = *reason;
    job->done = true;
    val_trace_add(job->trace, &step);
}

static void conclude(struct val_job *job, enum val_status status, enum val_why why)
{
    struct val_reason r =
        job_reason(why, &job->question.name, &job->question.name, job->question.type, job->origin);
    set_verdict(job, status, &r);
}

/* True: something about the message as a whole decides already. */
static bool decide_early(struct val_job *job)
{
    if (job->malformed) {
        conclude(job, VAL_BOGUS, VAL_WHY_MALFORMED);
    } else if (job->rcode != DNS_RCODE_NOERROR && job->rcode != DNS_RCODE_NXDOMAIN &&
               job->rcode != DNS_RCODE_YXDOMAIN) {
        conclude(job, VAL_INDETERMINATE, VAL_WHY_RCODE);
    } else if (job->question.type == DNS_TYPE_RRSIG) {
        job->verdict.expires_s = UINT64_MAX;
        conclude(job, VAL_INSECURE, VAL_WHY_NOT_SIGNABLE);
    }
    return job->done;
}

/* Every proven set bounds how long the whole may be used. */
static void bound_by_signatures(struct val_job *job)
{
    job->verdict.expires_s = UINT64_MAX;
    for (uint32_t i = 0; i < job->answer.count; i++) {
        const struct val_verified *v = job_proven(job, &job->answer.set[i]);
        if (v && v->expires_s < job->verdict.expires_s)
            job->verdict.expires_s = v->expires_s;
    }
}

/* The worst part decides for the whole (RFC 4035 3.2.3). */
static void decide(struct val_job *job)
{
    enum val_status worst = VAL_SECURE;
    struct val_reason reason = job_reason(VAL_WHY_NONE, &job->question.name, &job->question.name,
                                          job->question.type, job->origin);
    for (uint32_t i = 0; i < job->subject_count; i++) {
        const struct job_subject *s = &job->subject[i];
        job->verdict.denial =
            job->verdict.denial || s->kind == SUBJECT_NODATA || s->kind == SUBJECT_NXDOMAIN;
        if (s->status > worst) {
            worst = s->status;
            reason = s->reason;
        }
    }
    if (job->chain_broken) { /* no answer, signed or not */
        worst = VAL_BOGUS;
        reason = job->chain_reason;
    }
    bound_by_signatures(job);
    set_verdict(job, worst, &reason);
}

enum val_step val_job_step(struct val_job *job, uint64_t now_s)
{
    if (job->done)
        return VAL_DONE;
    uint32_t asked_before_step = job->asked_count;
    job->now_s = now_s;
    job->need_count = 0;
    job->yielded = job->starved = false;
    job->budget->slice_units = job->budget->limits.slice_units;
    if (!job->answered)
        return VAL_NEED;
    if (decide_early(job))
        return VAL_DONE;
    if (job->subject_count == 0 && !job->chain_broken)
        plan_subjects(job);
    bool settled = true;
    for (uint32_t i = 0; i < job->subject_count && !job->yielded; i++) {
        if (!job->subject[i].settled)
            job_settle(job, &job->subject[i]);
        settled = settled && job->subject[i].settled;
    }
    if (job->yielded)
        return VAL_AGAIN;
    if (!settled && job->starved && !job->spent) {
        if (job->asked_count == asked_before_step || val_budget_take(&job->budget->flights, 1))
            return VAL_NEED;
        job->spent = true;
    }
    if (!settled) {
        bound_by_signatures(job);
        conclude(job, VAL_BOGUS, VAL_WHY_BUDGET);
        return VAL_DONE;
    }
    decide(job);
    return VAL_DONE;
}

const struct val_verdict *val_job_verdict(const struct val_job *job)
{
    return &job->verdict;
}
