// SPDX-License-Identifier: MIT
#include "tests/upstream/answer.h"

#include "tests/upstream/denial.h"

enum { HOPS_MAX = 16 };

/* One hop of the way from the question to its answer. */
struct hop {
    struct world *world;
    struct reply *reply;
    struct zone *zone;
    struct dns_name name; /* asked now; the next target afterwards */
    uint16_t type;
};

static void add_soa(struct hop *hop)
{
    const struct dns_name *apex = &hop->zone->name;
    struct rrset *soa = node_set(zone_node(hop->zone, apex), DNS_TYPE_SOA);
    reply_add_set(hop->reply, hop->world, hop->zone, DNS_AUTHORITY, apex, apex, soa);
}

static void negative(struct hop *hop, enum denial_kind kind)
{
    hop->reply->rcode = kind == DENY_NAME ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
    add_soa(hop);
    denial_add(hop->reply, hop->world, hop->zone, &hop->name, kind);
}

static void add_answer(struct hop *hop, const struct node *node, struct rrset *set)
{
    reply_add_set(hop->reply, hop->world, hop->zone, DNS_ANSWER, &hop->name, &node->name, set);
}

/* True: hop->name is the alias's target, ask on. */
static bool follow(struct hop *hop, const struct rrset *alias)
{
    struct dns_reader r = dns_reader_init(alias->rdata[0].data, alias->rdata[0].len);
    return dns_target_read(r, &hop->name) == DNS_OK;
}

/* ANY and RRSIG show what there is at a node, the others one set. */
static bool add_asked(struct hop *hop, struct node *node)
{
    bool all = hop->type == DNS_TYPE_ANY || hop->type == DNS_TYPE_RRSIG;
    if (hop->type == DNS_TYPE_NSEC) {
        struct rrset *nsec = nsec_of(hop->world, hop->zone, node);
        if (nsec)
            add_answer(hop, node, nsec);
        return nsec != NULL;
    }
    bool found = false;
    for (struct rrset *set = node->sets; set; set = set->next)
        if (all || set->type == hop->type) {
            add_answer(hop, node, set);
            found = true;
        }
    if (hop->type == DNS_TYPE_RRSIG)
        for (unsigned i = hop->reply->count; i > 0; i--)
            if (hop->reply->record[i - 1].type != DNS_TYPE_RRSIG)
                reply_remove(hop->reply, i - 1);
    return found;
}

/* Answers from a node that exists or from the wildcard that stands in for it. */
static bool from_node(struct hop *hop, struct node *node, bool wildcard)
{
    struct dns_name asked = hop->name;
    struct rrset *alias = node_set(node, DNS_TYPE_CNAME);
    bool found = add_asked(hop, node);
    bool again = !found && alias;
    if (again)
        add_answer(hop, node, alias);
    if (!found && !again) {
        negative(hop, wildcard ? DENY_WILDCARD_TYPE : DENY_TYPE);
        return false;
    }
    if (wildcard)
        denial_add(hop->reply, hop->world, hop->zone, &asked, DENY_EXACT);
    return again && follow(hop, alias);
}

/* The topmost DNAME above the name, NULL: none. */
static struct node *find_dname(const struct hop *hop)
{
    for (unsigned labels = hop->zone->name.labels; labels < hop->name.labels; labels++) {
        struct dns_name above = dns_name_suffix(&hop->name, labels);
        struct node *node = zone_node(hop->zone, &above);
        if (node && node_set(node, DNS_TYPE_DNAME))
            return node;
    }
    return NULL;
}

static bool from_dname(struct hop *hop, const struct node *node)
{
    struct rrset *dname = node_set(node, DNS_TYPE_DNAME);
    struct dns_name target, asked = hop->name;
    struct dns_reader r = dns_reader_init(dname->rdata[0].data, dname->rdata[0].len);
    reply_add_set(hop->reply, hop->world, hop->zone, DNS_ANSWER, &node->name, &node->name, dname);
    if (dns_target_read(r, &target) != DNS_OK ||
        dns_name_substitute(&asked, &node->name, &target, &hop->name) != DNS_OK) {
        hop->reply->rcode = DNS_RCODE_YXDOMAIN; /* RFC 6672 2.2 */
        return false;
    }
    reply_add(hop->reply, DNS_ANSWER, &asked, DNS_TYPE_CNAME, dname->ttl_s, hop->name.wire,
              hop->name.len);
    return true;
}

static bool fail(struct hop *hop)
{
    reply_clear(hop->reply);
    hop->reply->rcode = DNS_RCODE_SERVFAIL;
    return false;
}

/* True: hop->name has changed and is to be asked next. */
static bool take_hop(struct hop *hop)
{
    hop->zone = world_zone(hop->world, &hop->name, hop->type);
    if (!hop->zone)
        return fail(hop);
    const struct node *cut = zone_cut(hop->zone, &hop->name);
    if (cut && !(hop->type == DNS_TYPE_DS && dns_name_equal(&cut->name, &hop->name)))
        return fail(hop); /* delegated to a zone that this world does not have */
    const struct node *dname = find_dname(hop);
    if (dname)
        return from_dname(hop, dname);
    struct node *node = zone_node(hop->zone, &hop->name);
    if (node)
        return from_node(hop, node, false);
    struct dns_name wildcard;
    if (dns_name_wildcard(&zone_closest(hop->zone, &hop->name)->name, &wildcard) == DNS_OK)
        node = zone_node(hop->zone, &wildcard);
    if (node)
        return from_node(hop, node, true);
    negative(hop, DENY_NAME);
    return false;
}

void answer_question(struct world *world, struct reply *reply)
{
    struct hop hop = {
        .world = world,
        .reply = reply,
        .name = reply->question.name,
        .type = reply->question.type,
    };
    for (unsigned hops = 0; take_hop(&hop); hops++)
        if (hops == HOPS_MAX) {
            (void)fail(&hop);
            return;
        }
}
