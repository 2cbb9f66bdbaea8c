// SPDX-License-Identifier: MIT
/* The chain of trust as it is told to `explain`. */
#include "validate/chain_parts.h"

void chain_trace_zone(struct val_job *job, const struct val_zone *zone, enum val_trace_kind kind)
{
    if (!job->trace || zone->kind == VAL_ZONE_NOT_A_CUT)
        return;
    struct val_trace_step step = {.kind = kind, .zone = zone->name, .name = zone->name};
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

/* Steps are evaluated again and again, and told once. */
static bool told(const struct val_trace *trace, const struct val_trace_step *step)
{
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct val_trace_step *s = &trace->step[i];
        if (s->kind == step->kind && s->why == step->why && s->key_tag == step->key_tag &&
            s->inception == step->inception && dns_name_equal(&s->zone, &step->zone) &&
            dns_name_equal(&s->name, &step->name))
            return true;
    }
    return false;
}

void chain_trace_signed(struct val_job *job, enum val_trace_kind kind, const struct dns_name *zone,
                        const struct dns_name *name, const struct val_verified *verified)
{
    if (!job->trace)
        return;
    struct val_trace_step step = {.kind = kind, .zone = *zone, .name = *name};
    step.type = kind == VAL_TRACE_DNSKEY ? DNS_TYPE_DNSKEY : DNS_TYPE_DS;
    step.status = verified->secure ? VAL_SECURE : VAL_BOGUS;
    step.why = verified->secure ? VAL_WHY_NONE : verified->reason.why;
    if (verified->sig) {
        step.key_tag = verified->sig->rrsig.key_tag;
        step.algorithm = verified->sig->rrsig.algorithm;
        step.inception = verified->sig->rrsig.inception;
        step.expiration = verified->sig->rrsig.expiration;
    }
    if (!told(job->trace, &step))
        val_trace_add(job->trace, &step);
}

void chain_trace_no_ds(struct val_job *job, const struct dns_name *zone,
                       const struct dns_name *name, enum val_status status, enum val_why why)
{
    if (!job->trace)
        return;
    const struct val_trace_step step = {.kind = VAL_TRACE_NO_DS,
                                        .status = status,
                                        .why = why,
                                        .zone = *zone,
                                        .name = *name,
                                        .type = DNS_TYPE_DS};
    val_trace_add(job->trace, &step);
}

void chain_trace_anchor(struct val_job *job, const struct val_anchor_hit *hit)
{
    if (!job->trace)
        return;
    for (uint32_t i = 0; i < hit->ds.count; i++) {
        struct dns_ds ds;
        if (dns_ds_read(dns_reader_init(hit->ds.rr[i].data, hit->ds.rr[i].len), &ds) != DNS_OK)
            continue;
        const struct val_trace_step step = {.kind = VAL_TRACE_ANCHOR,
                                            .zone = *hit->zone,
                                            .name = *hit->zone,
                                            .type = DNS_TYPE_DS,
                                            .key_tag = ds.key_tag,
                                            .algorithm = ds.algorithm,
                                            .digest_type = ds.digest_type};
        if (!told(job->trace, &step))
            val_trace_add(job->trace, &step);
    }
}
