// SPDX-License-Identifier: MIT
/* Lies about records: missing, moved, stale, foreign and changed ones. */
#include "tests/upstream/lies.h"
#include "tests/upstream/sign.h"

#include <stdlib.h>
#include <string.h>

static bool is_denial(uint16_t type)
{
    return type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3;
}

/* "answer" and "authority" drop the signatures of that section, "nsec" the denials with theirs,
 * nothing said: every signature, every denial. */
static bool is_stripped(const struct record *r, const char *what)
{
    struct dns_reader rdata = dns_reader_init(r->rdata, r->len);
    bool denial =
        is_denial(r->type) || (r->type == DNS_TYPE_RRSIG && is_denial(dns_read_u16(&rdata)));
    if (strcmp(what, "answer") == 0)
        return r->type == DNS_TYPE_RRSIG && r->section == DNS_ANSWER;
    if (strcmp(what, "authority") == 0)
        return r->type == DNS_TYPE_RRSIG && r->section == DNS_AUTHORITY;
    if (strcmp(what, "nsec") == 0)
        return denial;
    return denial || r->type == DNS_TYPE_RRSIG;
}

static void strip(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    for (unsigned i = reply->count; i > 0; i--)
        if (is_stripped(&reply->record[i - 1], rule->value))
            reply_remove(reply, i - 1);
}

static struct record *find_signature(struct reply *reply, unsigned from)
{
    for (unsigned i = from; i < reply->count; i++)
        if (reply->record[i].type == DNS_TYPE_RRSIG)
            return &reply->record[i];
    return NULL;
}

/* The first record that is not a signature, of the answer or else of the rest. */
static struct record *find_data(struct reply *reply)
{
    for (unsigned i = 0; i < reply->count; i++)
        if (reply->record[i].type != DNS_TYPE_RRSIG && reply->record[i].len > 0)
            return &reply->record[i];
    return NULL;
}

/* The signature octets of two RRSIGs trade places; what the RRSIGs claim stays. With one RRSIG
 * its two halves do. */
static void swap(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    enum { TAIL = 32 };
    struct record *a = find_signature(reply, 0);
    struct record *b = a ? find_signature(reply, (unsigned)(a - reply->record) + 1) : NULL;
    if (!a)
        return;
    uint8_t *x = a->rdata + a->len - TAIL, *y = b ? b->rdata + b->len - TAIL : x - TAIL;
    uint8_t saved[TAIL];
    memcpy(saved, x, TAIL);
    memcpy(x, y, TAIL);
    memcpy(y, saved, TAIL);
}

static void flip(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    bool rdata = strcmp(rule->value, "rdata") == 0;
    struct record *r = rdata ? find_data(reply) : find_signature(reply, 0);
    if (r)
        r->rdata[r->len - 1] ^= 1;
}

static void tamper(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    struct record *r = find_data(reply);
    if (r)
        r->rdata[r->len - 1] ^= 0x55;
}

/* The records that one RRSIG of the reply covers, as a set. */
static struct rrset covered_set(struct reply *reply, const struct record *sig,
                                const struct dns_rrsig *parsed)
{
    struct rrset set = {.type = parsed->covered, .ttl_s = parsed->original_ttl_s};
    set.rdata = arena_alloc(&reply->arena, reply->count * sizeof *set.rdata);
    for (unsigned i = 0; i < reply->count; i++) {
        const struct record *r = &reply->record[i];
        if (r->type == set.type && dns_name_equal(&r->owner, &sig->owner))
            set.rdata[set.count++] = (struct octets){r->rdata, r->len};
    }
    return set;
}

static const struct zone_key *key_of(const struct zone *zone, uint16_t tag)
{
    for (unsigned i = 0; i < zone->key_count; i++)
        if (zone->key[i].tag == tag)
            return &zone->key[i];
    return &zone->key[zone->key_count - 1]; /* the one that signs data */
}

/* Signs everything again: with other times, or as another zone that has keys of its own. */
static void sign_again(struct world *world, struct reply *reply, enum sign_when when,
                       const struct zone *other)
{
    for (unsigned i = 0; i < reply->count; i++) {
        struct record *r = &reply->record[i];
        struct dns_rrsig sig;
        if (r->type != DNS_TYPE_RRSIG ||
            dns_rrsig_read(dns_reader_init(r->rdata, r->len), &sig) != DNS_OK)
            continue;
        const struct zone *zone = other ? other : world_zone_named(world, &sig.signer);
        if (!zone || zone->key_count == 0)
            continue;
        struct dns_name owner = r->owner;
        if (sig.labels < owner.labels && !dns_name_is_wildcard(&owner)) {
            struct dns_name encloser = dns_name_suffix(&owner, sig.labels);
            (void)dns_name_wildcard(&encloser, &owner);
        }
        struct rrset set = covered_set(reply, r, &sig);
        struct octets rdata = sign_rrset(&reply->arena, sign_times(world->now_s, when),
                                         key_of(zone, sig.key_tag), &zone->name, &owner, &set);
        r->rdata = (uint8_t *)rdata.data; /* fresh from the reply's own arena */
        r->len = rdata.len;
    }
}

static void expire(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)rule;
    sign_again(world, reply, SIGN_EXPIRED, NULL);
}

static void future(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)rule;
    sign_again(world, reply, SIGN_FUTURE, NULL);
}

static void inverted(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)rule;
    sign_again(world, reply, SIGN_INVERTED, NULL);
}

/* Other data, well signed, weeks ago. */
static void replay(struct world *world, struct reply *reply, const struct rule *rule)
{
    tamper(world, reply, rule);
    sign_again(world, reply, SIGN_EXPIRED, NULL);
}

/* The value names the zone that signs; without one: the first signed zone beside the right one. */
static void sibling(struct world *world, struct reply *reply, const struct rule *rule)
{
    const struct zone *own = world_zone(world, &reply->question.name, reply->question.type),
                      *other = NULL;
    struct dns_name name;
    if (rule->value[0] != '\0' && dns_name_parse(rule->value, &name) == DNS_OK)
        other = world_zone_named(world, &name);
    for (unsigned i = 0; own && !other && i < world->zone_count; i++)
        if (world->zone[i] != own && world->zone[i]->parent == own->parent &&
            world->zone[i]->is_signed)
            other = world->zone[i];
    if (other)
        sign_again(world, reply, SIGN_VALID, other);
}

/* The question's type with the rule's rdata=, or an address of ours; no signature anywhere. */
static void unsigned_lie(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    const struct dns_question *q = &reply->question;
    const char *text = rule->rdata;
    if (!text)
        text = q->type == DNS_TYPE_AAAA ? "2001:db8::66" : "192.0.2.66";
    uint8_t rdata[1024];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    enum dns_err err = dns_rdata_parse(q->type, text, &dns_root, &w);
    reply_clear(reply);
    reply->rcode = DNS_RCODE_NOERROR;
    if (err == DNS_OK)
        reply_add(reply, DNS_ANSWER, &q->name, q->type, 300, rdata, (uint16_t)w.off);
}

static void empty_with(struct reply *reply, uint16_t rcode)
{
    reply_clear(reply);
    reply->rcode = rcode;
}

static void nodata(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    empty_with(reply, DNS_RCODE_NOERROR);
}

static void nxdomain_unsigned(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    empty_with(reply, DNS_RCODE_NXDOMAIN);
}

static void servfail(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    empty_with(reply, DNS_RCODE_SERVFAIL);
}

static void rcode(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    empty_with(reply, (uint16_t)(strtoul(rule->value, NULL, 10) & 0xfff));
}

/* The records stay as they are. */
static void relabel(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    reply->rcode = (uint16_t)(strtoul(rule->value, NULL, 10) & 0xfff);
}

/* Records that nobody asked for, in every section. */
static void extra(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    (void)rule;
    static const uint8_t address[4] = {192, 0, 2, 66};
    struct dns_name name;
    if (dns_name_parse("extra.invalid.", &name) != DNS_OK)
        return;
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
        reply_add(reply, (enum dns_section)section, &name, DNS_TYPE_A, 300, address,
                  sizeof address);
}

/* As an old server answers: without EDNS, and hence without anything of DNSSEC. */
static void no_edns(struct world *world, struct reply *reply, const struct rule *rule)
{
    strip(world, reply, rule);
    reply->no_opt = true;
}

static void ede(struct world *world, struct reply *reply, const struct rule *rule)
{
    (void)world;
    reply->ede = (uint16_t)strtoul(rule->value, NULL, 10);
}

const struct lie reply_lies[] = {
    {"strip", strip, NULL},       {"swap", swap, NULL},
    {"flip", flip, NULL},         {"tamper", tamper, NULL},
    {"expire", expire, NULL},     {"future", future, NULL},
    {"inverted", inverted, NULL}, {"replay", replay, NULL},
    {"sibling", sibling, NULL},   {"unsigned-lie", unsigned_lie, NULL},
    {"nodata", nodata, NULL},     {"nxdomain-unsigned", nxdomain_unsigned, NULL},
    {"servfail", servfail, NULL}, {"rcode", rcode, NULL},
    {"relabel", relabel, NULL},   {"extra", extra, NULL},
    {"no-edns", no_edns, NULL},   {"ede", ede, NULL},
    {NULL, NULL, NULL},
};
