// SPDX-License-Identifier: MIT
/* What to ask together with a question, so that a cold proof costs one flight.
 * Guessing costs questions, never correctness: the job asks for what was not guessed. */
#include "validate/job.h"

#define LEVELS 5u      /* of zones asked for with their keys */
#define LEAF_LABELS 2u /* a known zone that deep is taken to hold the name itself */

struct plan {
    const struct val_env *env;
    uint64_t now_s;
    struct val_need *ret;
    uint32_t cap, count;
};

static void add(struct plan *p, const struct dns_name *name, uint16_t type)
{
    if (p->count < p->cap)
        p->ret[p->count++] = (struct val_need){.name = *name, .type = type};
}

/* The kind of what is known of a name; false: nothing is. */
static bool known(const struct plan *p, const struct dns_name *name, enum val_zone_kind *ret)
{
    const struct val_zone *zone =
        p->env->zone_find ? p->env->zone_find(p->env->arg, name, p->now_s) : NULL;
    bool usable = zone && zone->expires_s > p->now_s && zone->kind != VAL_ZONE_BAD;
    if (usable)
        *ret = zone->kind;
    val_zone_unref(zone);
    return usable;
}

uint32_t val_plan(const struct dns_question *question, const struct val_env *env, uint64_t now_s,
                  struct val_need *ret, uint32_t cap)
{
    struct plan p = {.env = env, .now_s = now_s, .ret = ret, .cap = cap};
    struct dns_name target = question->name;
    struct val_anchor_hit hit = val_anchors_find(env->anchors, &target, now_s);
    enum val_zone_kind kind = VAL_ZONE_NOT_A_CUT;
    if (hit.kind != VAL_ANCHOR_POSITIVE)
        return 0;
    if (question->type == DNS_TYPE_DS && target.labels > hit.zone.labels)
        target = dns_name_suffix(&target, target.labels - 1u);
    unsigned from = target.labels + 1u;
    bool found = false;
    while (!found && from-- > hit.zone.labels) {
        struct dns_name name = dns_name_suffix(&target, from);
        found = known(&p, &name, &kind) && kind != VAL_ZONE_NOT_A_CUT;
    }
    if (found && (kind == VAL_ZONE_INSECURE || from >= LEAF_LABELS))
        return 0;
    if (!found) {
        from = hit.zone.labels;
        add(&p, &hit.zone, DNS_TYPE_DNSKEY);
    }
    for (unsigned labels = from + 1; labels <= target.labels && labels <= from + LEVELS + 1;
         labels++) {
        struct dns_name name = dns_name_suffix(&target, labels);
        bool asked_anyway = question->type == DNS_TYPE_DNSKEY && labels == target.labels;
        if (known(&p, &name, &kind) && kind == VAL_ZONE_NOT_A_CUT)
            continue;
        add(&p, &name, DNS_TYPE_DS);
        if (labels <= from + LEVELS && (labels < target.labels || labels <= LEAF_LABELS) &&
            !asked_anyway)
            add(&p, &name, DNS_TYPE_DNSKEY);
    }
    return p.count;
}
