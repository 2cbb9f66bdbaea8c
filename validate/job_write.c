// SPDX-License-Identifier: MIT
/* The answer as it was proven, made anew from what carries the verdict. */
#include "validate/job_parts.h"

static const struct job_subject *subject_of(const struct val_job *job, const struct val_rrset *set)
{
    for (uint32_t i = 0; i < job->subject_count; i++)
        if (job->subject[i].set == set)
            return &job->subject[i];
    return NULL;
}

/* Secure: what the verdict rests on, and what else is proven. Insecure: the same, and the SOA that
 * says how long an absence may be kept. */
static bool belongs(const struct val_job *job, const struct val_rrset *set)
{
    if (job->question.type == DNS_TYPE_RRSIG)
        return set->section == DNS_ANSWER && dns_name_equal(&set->owner, &job->question.name);
    if (subject_of(job, set))
        return true;
    if (set->section != DNS_AUTHORITY)
        return false;
    bool denial = set->type == DNS_TYPE_NSEC || set->type == DNS_TYPE_NSEC3;
    if ((denial || set->type == DNS_TYPE_SOA) && job_proven(job, set))
        return true;
    return job->verdict.status == VAL_INSECURE && set->type == DNS_TYPE_SOA;
}

/* A synthesized CNAME lives as long as the DNAME it comes from. */
static uint32_t ttl_of(const struct val_job *job, const struct val_rrset *set)
{
    const struct val_verified *v = job_proven(job, set);
    const struct job_subject *s = subject_of(job, set);
    uint32_t ttl_s = v && v->ttl_s < set->ttl_s ? v->ttl_s : set->ttl_s;
    if (s && s->kind == SUBJECT_SYNTHESIZED && s > job->subject && s[-1].set)
        ttl_s = ttl_of(job, s[-1].set); /* the DNAME stands just before it */
    return ttl_s;
}

static void write_set(struct dns_msg_out *out, const struct val_job *job,
                      const struct val_rrset *set)
{
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
    if (job->verdict.status == VAL_SECURE)
        flags |= DNS_FLAG_AD;
    dns_msg_out_init(&out, buf, cap, 0, flags);
    dns_msg_out_question(&out, &job->question);
    for (uint8_t section = DNS_ANSWER; section <= DNS_AUTHORITY; section++)
        for (uint32_t i = 0; i < job->answer.count; i++)
            if (job->answer.set[i].section == section && belongs(job, &job->answer.set[i]))
                write_set(&out, job, &job->answer.set[i]);
    return dns_msg_out_finish(&out);
}
