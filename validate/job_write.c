// SPDX-License-Identifier: MIT
/* The answer as it was proven, made anew from what carries the verdict. */
#include "validate/job_parts.h"

/* Answers that are not validated at all are handed on as they are. */
static bool unvalidated(const struct val_job *job)
{
    return job->question.type == DNS_TYPE_RRSIG || job->question.class_ != DNS_CLASS_IN;
}

/* Of the authority section: proven denials with their SOA; of an insecure answer the SOA that says
 * how long an absence may be kept, if it can speak for the name, and is not of a zone whose keys
 * are known here, as behind an opt-out span: they did not sign it. */
static bool belongs(const struct val_job *job, const struct val_rrset *set)
{
    bool denial = set->type == DNS_TYPE_NSEC || set->type == DNS_TYPE_NSEC3;
    if (set->section != DNS_AUTHORITY || (!denial && set->type != DNS_TYPE_SOA))
        return false;
    if (job_proven(job, set))
        return true;
    return job->verdict.status == VAL_INSECURE && !denial &&
           dns_name_within(&job->last, &set->owner) && !chain_has_keys(job, &set->owner);
}

/* A synthesized CNAME lives as long as the DNAME that it comes from (RFC 6672 3.1). */
static const struct val_rrset *ttl_source(const struct val_job *job, const struct val_rrset *set)
{
    for (uint32_t i = 1; i < job->subject_count; i++)
        if (job->subject[i]->set == set && job->subject[i]->kind == SUBJECT_SYNTHESIZED)
            return job->subject[i]->dname->set;
    return set;
}

static uint32_t ttl_of(const struct val_job *job, const struct val_rrset *set)
{
    const struct val_rrset *source = ttl_source(job, set);
    const struct val_verified *v = job_proven(job, source);
    return v && v->ttl_s < source->ttl_s ? v->ttl_s : source->ttl_s;
}

/* Calls `fn` for every set that is part of the answer, in the order in which aliases are followed.
 */
typedef void each_fn(void *arg, const struct val_job *job, const struct val_rrset *set);

static void for_each(const struct val_job *job, each_fn *fn, void *arg)
{
    for (uint32_t i = 0; i < job->subject_count; i++)
        if (job->subject[i]->set)
            fn(arg, job, job->subject[i]->set);
    for (uint32_t i = 0; i < job->answer.count; i++) {
        const struct val_rrset *set = &job->answer.set[i];
        bool as_it_came = unvalidated(job) && set->section == DNS_ANSWER &&
                          dns_name_equal(&set->owner, &job->question.name);
        if (as_it_came || belongs(job, set))
            fn(arg, job, set);
    }
}

static void lower_ttl(void *arg, const struct val_job *job, const struct val_rrset *set)
{
    uint32_t *lowest = arg;
    uint32_t ttl_s = ttl_of(job, set);
    if (ttl_s < *lowest)
        *lowest = ttl_s;
}

uint32_t job_lowest_ttl(const struct val_job *job)
{
    uint32_t lowest = UINT32_MAX;
    for_each(job, lower_ttl, &lowest);
    return lowest < UINT32_MAX ? lowest : 0;
}

static void write_set(void *arg, const struct val_job *job, const struct val_rrset *set)
{
    struct dns_msg_out *out = arg;
    uint32_t ttl_s = ttl_of(job, set);
    enum dns_section section = (enum dns_section)set->section;
    for (uint32_t i = 0; i < set->count; i++)
        dns_msg_out_rr(out, section, &set->owner, set->type, set->class_, ttl_s, set->rr[i].data,
                       (uint16_t)set->rr[i].len); /* rrset.c lets no longer one in */
    for (uint32_t i = 0; i < set->sig_count; i++)
        dns_msg_out_rr(out, section, &set->owner, DNS_TYPE_RRSIG, set->class_, ttl_s,
                       set->sigs[i].rdata.data, (uint16_t)set->sigs[i].rdata.len);
}

uint32_t val_job_write(const struct val_job *job, void *buf, size_t cap)
{
    struct dns_msg_out out;
    uint16_t flags = (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (job->rcode & 15));
    if (job->state != JOB_DONE || job->verdict.status > VAL_INSECURE)
        return 0;
    if (job->verdict.status == VAL_SECURE)
        flags |= DNS_FLAG_AD;
    dns_msg_out_init(&out, buf, cap, 0, flags);
    dns_msg_out_question(&out, &job->question);
    for_each(job, write_set, &out);
    return dns_msg_out_finish(&out);
}
