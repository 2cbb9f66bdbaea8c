// SPDX-License-Identifier: MIT
/* What a secure verdict rests on and what is good for other questions, too (RFC 8198): ranges in
 * which nothing exists, wildcards, and the SOA that says how long. */
#include "validate/job_parts.h"

struct proofs {
    const struct val_job *job;
    struct val_proven *ret;
    uint32_t cap, count;
};

static void add(struct proofs *p, const struct val_rrset *set, const struct val_verified *v,
                const struct dns_name *owner)
{
    if (p->count < p->cap)
        p->ret[p->count++] = (struct val_proven){.set = set,
                                                 .zone = v->sig->rrsig.signer,
                                                 .owner = *owner,
                                                 .ttl_s = v->ttl_s,
                                                 .expires_s = v->expires_s};
}

/* An NSEC that was expanded from a wildcard speaks of a name that it does not own; the SOA is the
 * signer's own. */
static void add_denials(struct proofs *p, const struct val_rrsets *sets)
{
    for (uint32_t i = 0; i < sets->count; i++) {
        const struct val_rrset *set = &sets->set[i];
        bool denial = set->type == DNS_TYPE_NSEC || set->type == DNS_TYPE_NSEC3;
        const struct val_verified *v =
            set->section == DNS_AUTHORITY ? job_proven(p->job, set) : NULL;
        if (!v || v->expanded || (!denial && set->type != DNS_TYPE_SOA))
            continue;
        if (denial || dns_name_equal(&set->owner, &v->sig->rrsig.signer))
            add(p, set, v, &set->owner);
    }
}

/* What the zone itself is made of says nothing in the name of a wildcard. */
static bool is_plain_data(uint16_t type)
{
    return type != DNS_TYPE_NSEC && type != DNS_TYPE_NSEC3 && type != DNS_TYPE_SOA &&
           type != DNS_TYPE_NS && type != DNS_TYPE_DNAME && type != DNS_TYPE_DS &&
           type != DNS_TYPE_DNSKEY;
}

/* As it stands in the zone: its denial is among the others. */
static void add_wildcard(struct proofs *p, const struct job_subject *s)
{
    const struct val_verified *v = s->kind == SUBJECT_SET ? job_proven(p->job, s->set) : NULL;
    struct dns_name wildcard;
    if (!v || !v->expanded || !is_plain_data(s->set->type) ||
        v->wildcard_labels > s->set->owner.labels)
        return;
    struct dns_name encloser = dns_name_suffix(&s->set->owner, v->wildcard_labels);
    if (dns_name_wildcard(&encloser, &wildcard) == DNS_OK)
        add(p, s->set, v, &wildcard);
}

uint32_t val_job_proofs(const struct val_job *job, struct val_proven *ret, uint32_t cap)
{
    struct proofs p = {.job = job, .ret = ret, .cap = cap};
    if (job->state != JOB_DONE || job->verdict.status != VAL_SECURE)
        return 0;
    add_denials(&p, &job->answer);
    for (uint32_t i = 0; i < job->message_count; i++)
        if (!job->message[i]->failed && job->message[i]->sets.set != job->answer.set)
            add_denials(&p, &job->message[i]->sets);
    for (uint32_t i = 0; i < job->subject_count; i++)
        add_wildcard(&p, job->subject[i]);
    return p.count;
}
