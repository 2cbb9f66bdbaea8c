// SPDX-License-Identifier: MIT
#include "validate/job_parts.h"

#include <stddef.h>
#include <string.h>

void job_reason_set(struct val_reason *ret, enum val_why why, const struct dns_name *zone,
                    const struct dns_name *name, uint16_t type, uint32_t origin)
{
    ret->why = why;
    dns_name_copy(&ret->zone, zone);
    dns_name_copy(&ret->name, name);
    ret->type = type;
    ret->key_tag = 0;
    ret->algorithm = 0;
    ret->origin = origin;
}

struct val_reason job_reason(enum val_why why, const struct dns_name *zone,
                             const struct dns_name *name, uint16_t type, uint32_t origin)
{
    struct val_reason reason;
    job_reason_set(&reason, why, zone, name, type, origin);
    return reason;
}

struct val_job *val_job_new(const struct dns_question *question, const struct val_env *env,
                            struct val_budget *budget, struct val_trace *trace)
{
    struct val_arena *arena = val_arena_new(JOB_ARENA_MAX, budget->memory);
    struct val_job *job = arena ? val_arena_take_unset(arena, sizeof *job) : NULL;
    if (!job) {
        val_arena_free(arena);
        return NULL;
    }
    memset(job, 0, offsetof(struct val_job, message));
    job->arena = arena;
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
    val_arena_free(job->arena); /* and the job with it */
}

/* --- messages -------------------------------------------------------------------------------- */

/* Copies the sets; HTTP Age lowers their TTLs. DNS_E_FORM: no whole answer to this question. */
static enum dns_err split(struct val_job *job, const struct dns_question *question,
                          const struct dns_msg *msg, uint32_t age_s, struct val_rrsets *ret,
                          bool *ret_dropped)
{
    if (!dns_msg_answers(msg, question) || (msg->flags & DNS_FLAG_TC))
        return DNS_E_FORM;
    enum dns_err err = val_rrsets_split(msg, job->arena, ret, ret_dropped);
    for (uint32_t i = 0; err == DNS_OK && i < ret->count; i++)
        ret->set[i].ttl_s = ret->set[i].ttl_s > age_s ? ret->set[i].ttl_s - age_s : 0;
    return err;
}

/* Records of the answer section were left out because they are malformed: what is left must not
 * pass for the answer, nor for its absence. */
static bool lost_answers(const struct dns_msg *msg, const struct val_rrsets *sets)
{
    uint32_t had = 0, have = 0;
    for (uint32_t i = 0; i < msg->rr_count; i++)
        had += msg->rr[i].section == DNS_ANSWER && msg->rr[i].type != DNS_TYPE_RRSIG;
    for (uint32_t i = 0; i < sets->count; i++)
        have += sets->set[i].section == DNS_ANSWER ? sets->set[i].count : 0;
    return have < had;
}

static struct job_message *slot(struct val_job *job, const struct dns_name *name, uint16_t type,
                                bool fresh)
{
    for (uint32_t i = 0; i < job->message_count; i++) {
        struct job_message *m = job->message[i];
        if (m->type == type && m->fresh == fresh && dns_name_equal(&m->name, name))
            return m;
    }
    if (job->message_count == JOB_MESSAGES_MAX)
        return NULL;
    struct job_message *m = val_arena_take_unset(job->arena, sizeof *m);
    if (!m) {
        job->out_of_memory = true;
        return NULL;
    }
    job->message[job->message_count++] = m;
    *m = (struct job_message){
        .name = *name, .type = type, .fresh = fresh, .failed = true, .origin = VAL_ORIGIN_NONE};
    return m;
}

/* The answer to a DS or DNSKEY question is part of its own chain. */
static void keep_as_given(struct val_job *job)
{
    const struct dns_question *q = &job->question;
    bool wanted =
        q->class_ == DNS_CLASS_IN && (q->type == DNS_TYPE_DS || q->type == DNS_TYPE_DNSKEY);
    struct job_message *m = wanted ? slot(job, &q->name, q->type, false) : NULL;
    if (!m || !m->failed)
        return;
    m->failed = false;
    m->rcode = job->rcode;
    m->origin = job->origin;
    m->sets = job->answer;
}

enum dns_err val_job_answer(struct val_job *job, const struct dns_msg *msg, uint32_t age_s,
                            uint32_t origin)
{
    bool dropped = false;
    if (job->state != JOB_WAITING)
        return DNS_OK; /* the same again changes nothing */
    enum dns_err err = split(job, &job->question, msg, age_s, &job->answer, &dropped);
    if (err == DNS_OK && dropped && lost_answers(msg, &job->answer))
        err = DNS_E_FORM;
    job->state = JOB_PROVING;
    job->out_of_memory = err == DNS_E_SPACE;
    job->malformed = err != DNS_OK && err != DNS_E_SPACE;
    job->rcode = msg->rcode;
    job->origin = origin;
    if (err == DNS_OK)
        keep_as_given(job);
    return err;
}

enum dns_err val_job_give(struct val_job *job, const struct dns_name *name, uint16_t type,
                          const struct dns_msg *msg, uint32_t age_s, uint32_t origin)
{
    const struct dns_question question = {*name, type, DNS_CLASS_IN};
    struct job_message *m = slot(job, name, type, job_asked(job, name, type, true));
    bool dropped = false; /* what is malformed here is as good as absent */
    if (!m)
        return DNS_E_COUNT;
    if (!m->failed || !msg || job->state == JOB_DONE)
        return DNS_OK;
    enum dns_err err = split(job, &question, msg, age_s, &m->sets, &dropped);
    m->failed = err != DNS_OK;
    m->rcode = msg->rcode;
    m->origin = origin;
    return err;
}

/* --- verification, once for each set --------------------------------------------------------- */

static struct job_memo *memo_find(struct val_job *job, const struct val_rrset *set,
                                  const struct val_zone *zone)
{
    for (uint32_t i = 0; i < job->memo_count; i++)
        if (job->memo[i]->set == set && job->memo[i]->zone == zone)
            return job->memo[i];
    return NULL;
}

static void spend(struct val_job *job, const struct val_reason *reason)
{
    if (!job->spent)
        job->broken_reason = *reason;
    job->spent = true;
}

bool job_verify(struct val_job *job, const struct val_rrset *set, const struct val_zone *zone,
                const struct val_verified **ret)
{
    struct job_memo *memo = memo_find(job, set, zone);
    if (!memo && job->memo_count == JOB_MEMO_MAX) {
        job->spent = true;
        return false;
    }
    if (!memo && job->budget->slice_units == 0) {
        job->yielded = true;
        return false;
    }
    if (!memo) {
        memo = val_arena_take_unset(job->arena, sizeof *memo);
        if (!memo) {
            job->out_of_memory = true;
            return false;
        }
        job->memo[job->memo_count++] = memo;
        memo->set = set;
        memo->zone = zone;
        val_rrset_verify(set, zone, job->now_s, job->env->policy, job->budget, &memo->verified);
    }
    if (!memo->verified.secure && memo->verified.reason.why == VAL_WHY_BUDGET) {
        spend(job, &memo->verified.reason);
        return false;
    }
    if (!memo->verified.secure && memo->verified.reason.why == VAL_WHY_MEMORY) {
        job->out_of_memory = true;
        return false;
    }
    *ret = &memo->verified;
    return true;
}

const struct val_verified *job_proven(const struct val_job *job, const struct val_rrset *set)
{
    for (uint32_t i = 0; i < job->memo_count; i++)
        if (job->memo[i]->set == set && job->memo[i]->verified.secure)
            return &job->memo[i]->verified;
    return NULL;
}

/* --- the verdict ----------------------------------------------------------------------------- */

/* What is insecure by a negative anchor is so until that ends (RFC 7646 4). */
static uint64_t bound_by_negatives(const struct val_job *job, uint64_t expires_s)
{
    for (uint32_t i = 0; i < job->subject_count; i++) {
        struct val_anchor_hit hit =
            val_anchors_find(job->env->anchors, &job->subject[i]->name, job->now_s);
        if (hit.kind == VAL_ANCHOR_NEGATIVE && hit.until_s < expires_s)
            expires_s = hit.until_s;
    }
    return expires_s;
}

/* Every proven set bounds how long the whole may be used. */
static uint64_t bound_by_signatures(const struct val_job *job)
{
    uint64_t expires_s = UINT64_MAX;
    for (uint32_t i = 0; i < job->answer.count; i++) {
        const struct val_verified *v = job_proven(job, &job->answer.set[i]);
        if (v && v->expires_s < expires_s)
            expires_s = v->expires_s;
    }
    return expires_s;
}

static void trace_verdict(struct val_job *job)
{
    const struct val_reason *reason = &job->verdict.reason;
    if (!job->trace)
        return;
    const struct val_trace_step step = {.kind = VAL_TRACE_VERDICT,
                                        .status = job->verdict.status,
                                        .why = reason->why,
                                        .zone = reason->zone,
                                        .name = reason->name,
                                        .type = reason->type,
                                        .key_tag = reason->key_tag,
                                        .algorithm = reason->algorithm};
    val_trace_add(job->trace, &step);
}

/* The reason is there already. */
static enum val_step finish(struct val_job *job, enum val_status status)
{
    job->verdict.status = status;
    job->verdict.expires_s = bound_by_negatives(job, bound_by_signatures(job));
    job->verdict.ttl_s = status <= VAL_INSECURE ? job_lowest_ttl(job) : 0;
    job->need.count = 0;
    job->state = JOB_DONE;
    trace_verdict(job);
    return VAL_DONE;
}

static enum val_step conclude(struct val_job *job, enum val_status status,
                              const struct val_reason *reason)
{
    job->verdict.reason = *reason;
    return finish(job, status);
}

static enum val_step conclude_why(struct val_job *job, enum val_status status, enum val_why why)
{
    const struct dns_question *q = &job->question;
    job_reason_set(&job->verdict.reason, why, &q->name, &q->name, q->type, job->origin);
    return finish(job, status);
}

/* What decides before anything is proven; VAL_AGAIN: nothing does. */
static enum val_step decide_early(struct val_job *job)
{
    if (job->malformed)
        return conclude_why(job, VAL_BOGUS, VAL_WHY_MALFORMED);
    if (job->out_of_memory)
        return conclude_why(job, VAL_INDETERMINATE, VAL_WHY_MEMORY);
    if (job->rcode != DNS_RCODE_NOERROR && job->rcode != DNS_RCODE_NXDOMAIN &&
        job->rcode != DNS_RCODE_YXDOMAIN)
        return conclude_why(job, VAL_INDETERMINATE, VAL_WHY_RCODE);
    if (job->question.class_ != DNS_CLASS_IN)
        return conclude_why(job, VAL_INSECURE, VAL_WHY_NO_ANCHOR);
    if (job->question.type == DNS_TYPE_RRSIG)
        return conclude_why(job, VAL_INSECURE, VAL_WHY_NOT_SIGNABLE);
    if (!job->planned)
        job_plan_subjects(job);
    job->planned = true;
    return job->broken ? conclude(job, job->broken_status, &job->broken_reason) : VAL_AGAIN;
}

/* The worst part decides for the whole (RFC 4035 3.2.3); of equals the first on the way. */
static enum val_step decide(struct val_job *job)
{
    enum val_status worst = VAL_SECURE;
    const struct val_reason *reason = NULL;
    for (uint32_t i = 0; i < job->subject_count; i++) {
        const struct job_subject *s = job->subject[i];
        job->verdict.denial =
            job->verdict.denial || s->kind == SUBJECT_NODATA || s->kind == SUBJECT_NXDOMAIN;
        if (s->status > worst) {
            worst = s->status;
            reason = &s->reason;
        }
    }
    return reason ? conclude(job, worst, reason) : conclude_why(job, VAL_SECURE, VAL_WHY_NONE);
}

/* Not everything is settled, and nothing more can be had for it. */
static enum val_step give_up(struct val_job *job)
{
    if (job->out_of_memory)
        return conclude_why(job, VAL_INDETERMINATE, VAL_WHY_MEMORY);
    if (job->broken_reason.why == VAL_WHY_BUDGET)
        return conclude(job, VAL_BOGUS, &job->broken_reason);
    return conclude_why(job, VAL_BOGUS, VAL_WHY_BUDGET);
}

static bool settle_all(struct val_job *job)
{
    bool settled = true;
    for (uint32_t i = 0; i < job->subject_count && !job->yielded; i++) {
        if (!job->subject[i]->settled)
            job_settle(job, job->subject[i]);
        settled = settled && job->subject[i]->settled;
    }
    return settled;
}

static void begin_step(struct val_job *job, uint64_t now_s)
{
    uint32_t slice = job->budget->limits.slice_units;
    job->now_s = now_s;
    job->need.count = 0;
    job->yielded = job->starved = job->foreseen = false;
    job->budget->slice_units = slice > 0 ? slice : 1; /* else no step would get anywhere */
}

enum val_step val_job_step(struct val_job *job, uint64_t now_s)
{
    uint32_t unforeseen_before = job->unforeseen;
    if (job->state == JOB_DONE)
        return VAL_DONE;
    begin_step(job, now_s);
    if (job->state == JOB_WAITING)
        return VAL_NEED;
    if (decide_early(job) == VAL_DONE)
        return VAL_DONE;
    bool settled = settle_all(job);
    if (job->yielded)
        return VAL_AGAIN;
    if (settled)
        return decide(job);
    if (!job->starved || job->spent || job->out_of_memory)
        return give_up(job);
    if (job->unforeseen > unforeseen_before && !val_budget_take(&job->budget->flights, 1))
        return give_up(job);
    return VAL_NEED;
}

const struct val_verdict *val_job_verdict(const struct val_job *job)
{
    return &job->verdict;
}
