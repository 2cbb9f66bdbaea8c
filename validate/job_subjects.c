// SPDX-License-Identifier: MIT
/* Which parts of the answer the verdict rests on: each alias on the way, and at its end the records
 * that were asked for, or their absence. */
#include "validate/job_parts.h"

#include <string.h>

static void broken(struct val_job *job, enum val_status status, enum val_why why,
                   const struct dns_name *name, uint16_t type)
{
    job->broken = true;
    job->broken_status = status;
    job->broken_reason = job_reason(why, name, name, type, job->origin);
}

static struct job_subject *subject_add(struct val_job *job, enum job_subject_kind kind,
                                       const struct dns_name *name, uint16_t type,
                                       const struct val_rrset *set)
{
    if (job->subject_count >= JOB_SUBJECTS_MAX ||
        job->subject_count >= job->budget->limits.rrsets_per_message) {
        broken(job, VAL_BOGUS, VAL_WHY_BUDGET, name, type);
        return NULL;
    }
    struct job_subject *s = val_arena_take_unset(job->arena, sizeof *s);
    if (!s) {
        broken(job, VAL_INDETERMINATE, VAL_WHY_MEMORY, name, type);
        return NULL;
    }
    job->subject[job->subject_count++] = s;
    *s = (struct job_subject){.kind = kind, .name = *name, .type = type, .set = set};
    return s;
}

static const struct val_rrset *in_answer(const struct val_job *job, const struct dns_name *name,
                                         uint16_t type)
{
    const struct val_rrset *set = val_rrsets_find(&job->answer, name, type);
    return set && set->section == DNS_ANSWER ? set : NULL;
}

static bool target_of(const struct val_rrset *set, struct dns_name *ret)
{
    return set->count == 1 &&
           dns_target_read(dns_reader_init(set->rr[0].data, set->rr[0].len), ret) == DNS_OK;
}

/* --- DNAME ----------------------------------------------------------------------------------- */

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

/* The CNAME that follows from a DNAME (RFC 6672 3.1), for answers that lack it. */
static const struct val_rrset *synthesize(struct val_job *job, const struct val_rrset *dname,
                                          const struct dns_name *name,
                                          const struct dns_name *target)
{
    struct val_rrset *set = val_arena_take(job->arena, sizeof *set);
    struct val_rdata *rdata = val_arena_take(job->arena, sizeof *rdata);
    uint8_t *data = val_arena_take(job->arena, target->len);
    if (!set || !rdata || !data)
        return NULL;
    memcpy(data, target->wire, target->len);
    *rdata = (struct val_rdata){data, target->len};
    *set = (struct val_rrset){.owner = *name,
                              .type = DNS_TYPE_CNAME,
                              .class_ = DNS_CLASS_IN,
                              .ttl_s = dname->ttl_s,
                              .section = DNS_ANSWER,
                              .rr = rdata,
                              .count = 1};
    return set;
}

/* Adds the DNAME and the CNAME that it means. False: the chain ends here. */
static bool follow_dname(struct val_job *job, const struct val_rrset *dname,
                         const struct val_rrset *cname, struct dns_name *name)
{
    struct dns_name target, substituted, given;
    if (!target_of(dname, &target)) {
        broken(job, VAL_BOGUS, VAL_WHY_MALFORMED, &dname->owner, DNS_TYPE_DNAME);
        return false;
    }
    const struct job_subject *by =
        subject_add(job, SUBJECT_SET, &dname->owner, DNS_TYPE_DNAME, dname);
    if (!by)
        return false;
    if (dns_name_substitute(name, &dname->owner, &target, &substituted) != DNS_OK) {
        job->too_long = true;
        if (job->rcode != DNS_RCODE_YXDOMAIN) /* RFC 6672 2.2 */
            broken(job, VAL_BOGUS, VAL_WHY_DNAME, name, DNS_TYPE_CNAME);
        return false;
    }
    if (!cname)
        cname = synthesize(job, dname, name, &substituted);
    if (!cname) {
        broken(job, VAL_INDETERMINATE, VAL_WHY_MEMORY, name, DNS_TYPE_CNAME);
        return false;
    }
    if (!target_of(cname, &given)) {
        broken(job, VAL_BOGUS, VAL_WHY_MALFORMED, name, DNS_TYPE_CNAME);
        return false;
    }
    bool fits = dns_name_equal(&given, &substituted);
    struct job_subject *alias =
        subject_add(job, fits ? SUBJECT_SYNTHESIZED : SUBJECT_UNLIKE, name, DNS_TYPE_CNAME, cname);
    if (!alias)
        return false;
    alias->dname = by;
    *name = given; /* an unsigned zone may say what it likes */
    return true;
}

/* --- the way to the end ---------------------------------------------------------------------- */

/* One hop by alias. False: `name` is where the chain ends, or it is broken. */
static bool follow(struct val_job *job, struct dns_name *name)
{
    const struct val_rrset *cname = in_answer(job, name, DNS_TYPE_CNAME);
    const struct val_rrset *dname = dname_above(job, name);
    struct dns_name target;
    if (dname && (!cname || cname->sig_count == 0))
        return follow_dname(job, dname, cname, name);
    if (!cname)
        return false;
    if (!target_of(cname, &target)) {
        broken(job, VAL_BOGUS, VAL_WHY_MALFORMED, name, DNS_TYPE_CNAME);
        return false;
    }
    if (!subject_add(job, SUBJECT_SET, name, DNS_TYPE_CNAME, cname))
        return false;
    *name = target;
    return true;
}

/* Sets of an answer to ANY that are proven and handed on. A part of them answers as well as all do
 * (RFC 8482 4.1), and whoever asks for all must not be able to make us check hundreds. */
#define ANY_MAX 24u

static bool enough_of_any(const struct val_job *job)
{
    return job->subject_count >= ANY_MAX ||
           job->subject_count >= job->budget->limits.rrsets_per_message;
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
        if (any && job->question.type == DNS_TYPE_ANY && enough_of_any(job))
            break;
        any = true;
        if (!subject_add(job, SUBJECT_SET, name, set->type, set))
            return true;
    }
    return any;
}

/* A CNAME was asked for, and a DNAME above makes it. */
static bool wants_synthesized(const struct val_job *job, const struct dns_name *name)
{
    const struct val_rrset *cname = in_answer(job, name, DNS_TYPE_CNAME);
    return job->question.type == DNS_TYPE_CNAME && (!cname || cname->sig_count == 0) &&
           dname_above(job, name);
}

/* True: the records that were asked for are there, at the end. */
static bool follow_all(struct val_job *job, struct dns_name *name)
{
    for (unsigned hops = 0; !job->broken; hops++) {
        if (hops > job->budget->limits.hops) {
            broken(job, VAL_BOGUS, VAL_WHY_LOOP, name, job->question.type);
            return false;
        }
        bool last = wants_synthesized(job, name);
        if (!last && add_final(job, name))
            return true;
        if (!follow(job, name))
            return false;
        if (last)
            return true;
    }
    return false;
}

void job_plan_subjects(struct val_job *job)
{
    struct dns_name name;
    dns_name_copy(&name, &job->question.name);
    bool final = follow_all(job, &name);
    if (job->broken)
        return;
    if (job->rcode == DNS_RCODE_YXDOMAIN && !job->too_long) {
        broken(job, VAL_INDETERMINATE, VAL_WHY_RCODE, &name, job->question.type);
        return;
    }
    dns_name_copy(&job->last, &name);
    if (job->too_long)
        return;
    /* An answer under NXDOMAIN claims both; one of them cannot be proven. */
    if (job->rcode == DNS_RCODE_NXDOMAIN)
        (void)subject_add(job, SUBJECT_NXDOMAIN, &name, job->question.type, NULL);
    else if (!final)
        (void)subject_add(job, SUBJECT_NODATA, &name, job->question.type, NULL);
}
