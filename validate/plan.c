// SPDX-License-Identifier: MIT
/* What to ask together with a question, so that a cold proof costs one flight.
 * Guessing costs questions, never correctness: the job asks for what was not guessed. */
#include "validate/job.h"

#include <string.h>
#include <strings.h>

#define LEVELS 5u      /* of zones asked for with their keys */
#define LEAF_LABELS 2u /* a known zone that deep is taken to hold the name itself */

struct plan {
    const struct val_env *env;
    uint64_t now_s;
    struct val_need *ret;
    uint32_t cap, count;
    bool keys_asked; /* the question is for the keys themselves */
    bool zone_asked; /* or for anything else that only zones have */
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

/* "co" of co.uk: below a country's two letters such a zone delegates, as a TLD does. */
static bool is_registry(const struct dns_name *zone)
{
    static const char *const labels[] = {"ac",  "co", "com", "edu", "go",
                                         "gov", "ne", "net", "or",  "org"};
    if (zone->labels != 2 || zone->wire[1u + zone->wire[0]] != 2)
        return false;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strlen(labels[i]) == zone->wire[0] &&
            strncasecmp(labels[i], (const char *)zone->wire + 1, zone->wire[0]) == 0)
            return true;
    return false;
}

/* Whether a known zone is likely to hold the names below it itself. */
static bool is_leaf(const struct dns_name *zone)
{
    return zone->labels >= LEAF_LABELS && !is_registry(zone);
}

/* The depth of the deepest zone that is known, and its kind; false: nothing is, down from `top`. */
static bool find_deepest(const struct plan *p, const struct dns_name *target, unsigned top,
                         unsigned *ret_labels, enum val_zone_kind *ret_kind)
{
    for (unsigned labels = target->labels + 1u; labels-- > top;) {
        struct dns_name name = dns_name_suffix(target, labels);
        if (known(p, &name, ret_kind) && *ret_kind != VAL_ZONE_NOT_A_CUT) {
            *ret_labels = labels;
            return true;
        }
    }
    return false;
}

/* These stand at the apex of zones only. */
static bool is_of_zones(uint16_t type)
{
    return type == DNS_TYPE_DNSKEY || type == DNS_TYPE_SOA || type == DNS_TYPE_NS;
}

/* Whether the last name on the way is taken for a zone: where names are short, below a registry,
 * and when it is asked for what zones have. Hosts are by far more; a zone that is taken for one
 * costs a second flight. */
static bool is_likely_zone(const struct plan *p, const struct dns_name *name, unsigned from)
{
    struct dns_name above = dns_name_suffix(name, name->labels - 1u);
    return p->zone_asked || name->labels <= LEAF_LABELS || name->labels == from + 1 ||
           is_registry(&above);
}

/* One name between the deepest zone that is known, of `from` labels, and the target. */
static void add_level(struct plan *p, const struct dns_name *name, bool is_target, unsigned from)
{
    enum val_zone_kind kind;
    if ((known(p, name, &kind) && kind == VAL_ZONE_NOT_A_CUT) ||
        (is_target && !is_likely_zone(p, name, from)))
        return;
    add(p, name, DNS_TYPE_DS);
    if (is_target ? !p->keys_asked : name->labels <= from + LEVELS)
        add(p, name, DNS_TYPE_DNSKEY);
}

uint32_t val_plan(const struct dns_question *question, const struct val_env *env, uint64_t now_s,
                  struct val_need *ret, uint32_t cap)
{
    struct plan p = {.env = env,
                     .now_s = now_s,
                     .ret = ret,
                     .cap = cap,
                     .keys_asked = question->type == DNS_TYPE_DNSKEY,
                     .zone_asked = is_of_zones(question->type)};
    const struct dns_name *target = &question->name;
    struct dns_name above;
    struct val_anchor_hit hit = val_anchors_find(env->anchors, target, now_s);
    enum val_zone_kind kind;
    if (hit.kind != VAL_ANCHOR_POSITIVE)
        return 0;
    if (question->type == DNS_TYPE_DS && target->labels > hit.zone->labels) {
        above = dns_name_suffix(target, target->labels - 1u); /* the parent's to say */
        target = &above;
        p.zone_asked = true;
    }
    unsigned from = hit.zone->labels;
    bool found = find_deepest(&p, target, hit.zone->labels, &from, &kind);
    struct dns_name deepest = dns_name_suffix(target, from);
    if (found && (kind == VAL_ZONE_INSECURE || is_leaf(&deepest)))
        return 0;
    if (!found && (!p.keys_asked || target->labels > from))
        add(&p, &deepest, DNS_TYPE_DNSKEY);
    for (unsigned labels = from + 1; labels <= target->labels && labels <= from + LEVELS + 1;
         labels++) {
        struct dns_name name = dns_name_suffix(target, labels);
        add_level(&p, &name, labels == target->labels, from);
    }
    return p.count;
}
