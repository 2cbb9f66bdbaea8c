// SPDX-License-Identifier: MIT
/* What a job knows of names: the zones and cuts that it or others have proven, and the messages
 * that it was given. */
#include "validate/chain_parts.h"

#define BAD_S 5u /* how long others hear of a zone that was found bogus */

/* --- zones and cuts -------------------------------------------------------------------------- */

static const struct val_zone *place_find(const struct val_job *job, const struct dns_name *name)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        if (!job->place[i].distrust && dns_name_equal(&job->place[i].zone->name, name))
            return job->place[i].zone;
    return NULL;
}

static bool distrusted(const struct val_job *job, const struct dns_name *name)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        if (job->place[i].distrust && dns_name_equal(&job->place[i].zone->name, name))
            return true;
    return false;
}

/* Takes the reference. NULL: no room for more. */
static const struct val_zone *place_add(struct val_job *job, const struct val_zone *zone,
                                        bool cached)
{
    if (job->place_count == JOB_PLACES_MAX) {
        val_zone_unref(zone);
        job->spent = true;
        return NULL;
    }
    job->place[job->place_count++] = (struct job_place){.zone = zone, .cached = cached};
    if (cached)
        chain_trace_zone(job, zone, VAL_TRACE_CACHED);
    return zone;
}

const struct val_zone *known_find(struct val_job *job, const struct dns_name *name)
{
    const struct val_zone *zone = place_find(job, name);
    if (zone || !job->env->zone_find || distrusted(job, name))
        return zone;
    zone = job->env->zone_find(job->env->arg, name, job->now_s);
    /* A zone was found bad through what one upstream said; this job may be asking another. */
    if (zone && (zone->expires_s <= job->now_s || zone->kind == VAL_ZONE_BAD)) {
        val_zone_unref(zone);
        return NULL;
    }
    return zone ? place_add(job, zone, true) : NULL;
}

const struct val_zone *known_learn(struct val_job *job, const struct val_zone *zone)
{
    if (!zone) {
        job->out_of_memory = true;
        return NULL;
    }
    /* Keys that others still have must not give way to a failure that may be one upstream's. */
    bool hides = zone->kind == VAL_ZONE_BAD && distrusted(job, &zone->name);
    if (job->env->zone_learn && !hides)
        job->env->zone_learn(job->env->arg, zone);
    return place_add(job, zone, false);
}

const struct val_zone *known_learn_kind(struct val_job *job, const struct dns_name *name,
                                        enum val_zone_kind kind, uint64_t expires_s,
                                        const struct val_reason *reason)
{
    return known_learn(job, val_zone_new(name, kind, expires_s, reason, NULL, 0));
}

const struct val_zone *known_learn_bad(struct val_job *job, const struct dns_name *name,
                                       const struct val_reason *reason)
{
    return known_learn_kind(job, name, VAL_ZONE_BAD, job->now_s + BAD_S, reason);
}

uint32_t known_zones_above(const struct val_job *job, const struct dns_name *name)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < job->place_count; i++) {
        const struct val_zone *zone = job->place[i].zone;
        count += zone->kind == VAL_ZONE_SECURE && !job->place[i].distrust &&
                 dns_name_within(name, &zone->name);
    }
    return count;
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

bool chain_has_keys(const struct val_job *job, const struct dns_name *name)
{
    const struct val_zone *zone = place_find(job, name);
    return zone && zone->kind == VAL_ZONE_SECURE;
}

void chain_free(struct val_job *job)
{
    for (uint32_t i = 0; i < job->place_count; i++)
        val_zone_unref(job->place[i].zone);
    job->place_count = 0;
}

/* --- messages -------------------------------------------------------------------------------- */

static const struct job_message *copy_find(const struct val_job *job, const struct dns_name *name,
                                           uint16_t type, bool fresh)
{
    for (uint32_t i = 0; i < job->message_count; i++) {
        const struct job_message *m = job->message[i];
        if (m->type == type && m->fresh == fresh && dns_name_equal(&m->name, name))
            return m;
    }
    return NULL;
}

/* A fresh copy replaces an old one, unless it could not be had. Where kept keys did not fit, an old
 * copy would only say the same again. */
const struct job_message *known_message(const struct val_job *job, const struct dns_name *name,
                                        uint16_t type)
{
    const struct job_message *fresh = copy_find(job, name, type, true);
    if (distrusted(job, name) || (fresh && !fresh->failed))
        return fresh;
    const struct job_message *old = copy_find(job, name, type, false);
    return old ? old : fresh;
}

void known_want(struct val_job *job, const struct dns_name *name, uint16_t type, bool necessary)
{
    job_want(job, name, type, distrusted(job, name), necessary);
}

bool known_has_fresh(const struct val_job *job, const struct dns_name *name, uint16_t type)
{
    return copy_find(job, name, type, true) != NULL;
}
