// SPDX-License-Identifier: MIT
// Every field of every record in an answer and in its chain, changed one at a time: each change
// takes the verdict away, or stands in the table of those that mean nothing, and then what is
// handed on is checked to be what it was without the change.
#include "tests/test.h"
#include "tests/unit/job_bench.h"
#include "tests/unit/mutate.h"
#include "tests/unit/truth.h"

/* --- the world ------------------------------------------------------------------------------- */

static struct world *world;

/* A root, a TLD and a zone of one algorithm. */
static void add_tree(const char *tld, const char *zone, uint8_t algorithm)
{
    (void)world_zone_flags(world, tld, WORLD_NSEC3, algorithm, false, "");
    (void)world_zone_flags(world, zone, WORLD_NSEC, algorithm, false,
                           "www A 192.0.2.1\nwww A 192.0.2.2");
}

static int set_up(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)world_zone(world, ".", WORLD_NSEC, "");
    add_tree("rsa.", "example.rsa.", DNS_ALG_RSASHA256);
    add_tree("p256.", "example.p256.", DNS_ALG_ECDSAP256);
    add_tree("ed.", "example.ed.", DNS_ALG_ED25519);
    (void)world_zone(world, "n.ed.", WORLD_NSEC,
                     "www A 192.0.2.3\n*.wild A 192.0.2.4\na.ent A 192.0.2.5\n"
                     "alias CNAME www\n*.wa CNAME www\ntree DNAME h.ed.");
    (void)world_zone(world, "h.ed.", WORLD_NSEC3,
                     "www A 192.0.2.6\n*.wild A 192.0.2.7\na.ent A 192.0.2.8\nalias CNAME www");
    (void)world_zone(world, "o.ed.", WORLD_OPT_OUT, "www A 192.0.2.9\n*.wild A 192.0.2.10");
    (void)world_zone(world, "cut.n.ed.", WORLD_UNSIGNED, "www A 192.0.2.11");
    (void)world_zone(world, "cut.h.ed.", WORLD_UNSIGNED, "www A 192.0.2.12");
    (void)world_zone(world, "cut.o.ed.", WORLD_UNSIGNED, "www A 192.0.2.13");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

enum which {                /* records are changed */
             OF_ANSWER,     /* all but the SOA with its RRSIG, the chain being known before */
             OF_ANSWER_SOA, /* these too */
             OF_ALL,        /* also of the chain, and nothing is known before */
             OF_CHAIN, /* of the chain only: what is behind it is not signed, and may be anything */
};

struct scenario {
    const char *name;
    uint16_t type;
    enum val_status want;
    enum which which;
};

// clang-format off
static const struct scenario scenarios[] = {
    {"www.example.rsa.",  DNS_TYPE_A,  VAL_SECURE,   OF_ALL},    /* positive, RFC 5702 */
    {"www.example.p256.", DNS_TYPE_A,  VAL_SECURE,   OF_ALL},    /* RFC 6605 */
    {"www.example.ed.",   DNS_TYPE_A,  VAL_SECURE,   OF_ALL},    /* RFC 8080 */
    {"x.wild.n.ed.",      DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER}, /* wildcard */
    {"x.wild.h.ed.",      DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER},
    {"x.wild.o.ed.",      DNS_TYPE_A,  VAL_INSECURE, OF_CHAIN},  /* in a gap with opt-out */
    {"www.n.ed.",         DNS_TYPE_MX, VAL_SECURE,   OF_ANSWER_SOA}, /* NODATA */
    {"www.h.ed.",         DNS_TYPE_MX, VAL_SECURE,   OF_ANSWER},
    {"ent.n.ed.",         DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER}, /* at an empty non-terminal */
    {"ent.h.ed.",         DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER},
    {"x.wild.n.ed.",      DNS_TYPE_MX, VAL_SECURE,   OF_ANSWER}, /* by a wildcard */
    {"x.wild.h.ed.",      DNS_TYPE_MX, VAL_SECURE,   OF_ANSWER},
    {"none.n.ed.",        DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER}, /* NXDOMAIN */
    {"a.b.none.h.ed.",    DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER},
    {"www.n.ed.",         DNS_TYPE_DS, VAL_SECURE,   OF_ANSWER}, /* absence of a DS */
    {"cut.n.ed.",         DNS_TYPE_DS, VAL_SECURE,   OF_ANSWER},
    {"cut.h.ed.",         DNS_TYPE_DS, VAL_SECURE,   OF_ANSWER},
    {"cut.o.ed.",         DNS_TYPE_DS, VAL_INSECURE, OF_ANSWER_SOA},
    {"www.cut.n.ed.",     DNS_TYPE_A,  VAL_INSECURE, OF_CHAIN},  /* insecure cuts */
    {"www.cut.h.ed.",     DNS_TYPE_A,  VAL_INSECURE, OF_CHAIN},
    {"www.cut.o.ed.",     DNS_TYPE_A,  VAL_INSECURE, OF_CHAIN},
    {"alias.n.ed.",       DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER}, /* CNAME, and from a wildcard */
    {"x.wa.n.ed.",        DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER},
    {"www.tree.n.ed.",    DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER}, /* DNAME */
    {"none.tree.n.ed.",   DNS_TYPE_A,  VAL_SECURE,   OF_ANSWER},
};
// clang-format on

/* --- what means nothing ---------------------------------------------------------------------- */

/* How an answer may differ from what it was without the change. */
enum {
    DIFF_NONE = 0,
    DIFF_CASE = 1,   /* letters in names */
    DIFF_TTL = 2,    /* TTLs are lower, never higher */
    DIFF_LESS = 4,   /* records are left out */
    DIFF_ENDS = 8,   /* the whole may be used for a shorter time */
    DIFF_OTHER = 16, /* other records, in what is insecure as before */
};

#define ANY UINT16_MAX

struct irrelevant {
    uint16_t type, covered; /* of an RRSIG; ANY is any */
    const char *field;      /* NULL: any */
    unsigned differs;       /* at most so */
    bool only_case;         /* the change is that of a letter's case */
    const char *why;
    unsigned met; /* a row that never happens is a row too many */
};

// clang-format off
static struct irrelevant irrelevants[] = {
    {ANY, ANY, "owner", DIFF_CASE, true, "names are the same in any case (RFC 4343)", 0},
    {DNS_TYPE_RRSIG, ANY, "signer", DIFF_CASE, true,
     "canonical form is in lower case (RFC 4034 6.2)", 0},
    {DNS_TYPE_CNAME, ANY, "target", DIFF_CASE, true, "likewise", 0},
    {DNS_TYPE_DNAME, ANY, "target", DIFF_CASE, true, "likewise", 0},
    {DNS_TYPE_SOA, ANY, "mname", DIFF_CASE, true, "likewise", 0},
    {DNS_TYPE_SOA, ANY, "rname", DIFF_CASE, true, "likewise", 0},
    {ANY, ANY, "TTL", DIFF_TTL | DIFF_ENDS, false,
     "at most the original TTL, which is signed, counts (RFC 4035 5.3.3)", 0},
    {DNS_TYPE_SOA, ANY, NULL, DIFF_LESS | DIFF_ENDS, false,
     "no proof rests on the SOA of a denial; unproven it goes no further", 0},
    {DNS_TYPE_RRSIG, DNS_TYPE_SOA, NULL, DIFF_LESS | DIFF_ENDS, false, "likewise", 0},
    {DNS_TYPE_CNAME, ANY, "type", DIFF_NONE, false,
     "that of a DNAME is made anew where it is lacking (RFC 6672 3.1)", 0},
    {DNS_TYPE_CNAME, ANY, "class", DIFF_NONE, false, "likewise", 0},
    {DNS_TYPE_CNAME, ANY, "owner", DIFF_NONE, false, "likewise", 0},
};
// clang-format on

static bool row_fits(const struct irrelevant *row, const struct world_rr *rr,
                     const struct field *field, const struct change *change, unsigned differs)
{
    bool is_case = field->kind == FIELD_NAME && change->kind == CHANGE_BIT && change->at % 8 == 2;
    return (row->type == ANY || row->type == rr->type) &&
           (row->covered == ANY || world_is(rr, row->covered, true)) &&
           (!row->field || !strcmp(row->field, field->name)) && (differs & ~row->differs) == 0 &&
           (is_case || !row->only_case);
}

static struct irrelevant *find_irrelevant(const struct world_rr *rr, const struct field *field,
                                          const struct change *change, unsigned differs)
{
    for (size_t i = 0; i < COUNT(irrelevants); i++)
        if (row_fits(&irrelevants[i], rr, field, change, differs))
            return &irrelevants[i];
    return NULL;
}

/* --- answers are made once ------------------------------------------------------------------- */

#define TOLD_MAX 160u

struct told {
    struct world_answer answer;
    struct world_octets octets;
    bool used; /* by the honest run */
    bool done; /* changed as part of a chain: once is enough */
};

static struct told *told[TOLD_MAX];
static uint32_t told_count;
static const struct told *mutated; /* the one that is replaced, … */
static struct world_octets mutant; /* … by this, … */
static bool mutant_readable;       /* … if it can be read at all */

static struct told *tell(const struct dns_name *name, uint16_t type)
{
    for (uint32_t i = 0; i < told_count; i++)
        if (told[i]->answer.question.type == type &&
            dns_name_equal(&told[i]->answer.question.name, name))
            return told[i];
    struct told *new = malloc(sizeof *new);
    assert_non_null(new);
    new->done = false;
    assert_in_range(told_count, 0, TOLD_MAX - 1);
    world_ask_name(world, name, type, &new->answer);
    world_write(&new->answer, &new->octets);
    told[told_count++] = new;
    return new;
}

static void copy_octets(const struct world_octets *from, struct world_octets *ret)
{
    memcpy(ret->buf, from->buf, from->len);
    ret->len = from->len;
    assert_int_equal(dns_msg_read(ret->buf, ret->len, ret->table, 256, &ret->msg), DNS_OK);
}

static bool fetch_told(struct bench *b, const struct dns_name *name, uint16_t type,
                       struct world_octets *ret)
{
    struct told *t = tell(name, type);
    (void)b;
    t->used = true;
    if (t == mutated && !mutant_readable)
        return false;
    copy_octets(t == mutated ? &mutant : &t->octets, ret);
    return true;
}

static void forget_told(void)
{
    while (told_count > 0)
        free(told[--told_count]);
}

/* --- what comes of it ------------------------------------------------------------------------ */

struct outcome {
    enum val_status status;
    uint64_t expires_s;
    struct world_octets written;
};

static void ask(struct bench *b, const struct scenario *s, struct outcome *ret)
{
    const struct val_verdict *v = bench_ask(b, s->name, s->type);
    ret->status = v->status;
    ret->expires_s = v->expires_s;
    if (v->status <= VAL_INSECURE)
        bench_write(b, &ret->written);
}

static uint32_t expand(const struct dns_msg *msg, const struct dns_rr *rr, bool lower, uint8_t *buf)
{
    struct dns_writer w = dns_writer_init(buf, 1024);
    assert_int_equal(dns_rdata_expand(msg, rr, &w), DNS_OK);
    if (lower)
        assert_int_equal(dns_rdata_canonical(rr->type, buf, w.off), DNS_OK);
    return w.off;
}

/* 0, DIFF_CASE or DIFF_TTL when it is the same record; else DIFF_LESS. */
static unsigned differs(const struct dns_msg *was, const struct dns_rr *old,
                        const struct dns_msg *is, const struct dns_rr *new)
{
    static uint8_t before[1024], after[1024];
    struct dns_name owner = dns_rr_owner(was, old), other = dns_rr_owner(is, new);
    if (old->type != new->type || old->class_ != new->class_ || old->section != new->section ||
        new->ttl_s > old->ttl_s || !dns_name_equal(&owner, &other))
        return DIFF_LESS;
    uint32_t len = expand(was, old, true, before);
    if (len != expand(is, new, true, after) || memcmp(before, after, len) != 0)
        return DIFF_LESS;
    (void)expand(was, old, false, before);
    (void)expand(is, new, false, after);
    bool same_case = memcmp(before, after, len) == 0 && !memcmp(owner.wire, other.wire, owner.len);
    return (same_case ? 0u : DIFF_CASE) | (new->ttl_s < old->ttl_s ? DIFF_TTL : 0u);
}

/* UINT_MAX: there is a record that was not there before. */
static unsigned compare_written(const struct dns_msg *was, const struct dns_msg *is)
{
    unsigned all = is->rr_count < was->rr_count ? DIFF_LESS : 0;
    if (is->rcode != was->rcode || is->flags != was->flags || is->rr_count > was->rr_count)
        return UINT_MAX;
    for (uint32_t i = 0; i < is->rr_count; i++) {
        unsigned best = DIFF_LESS;
        for (uint32_t k = 0; k < was->rr_count && best == DIFF_LESS; k++)
            best = differs(was, &was->rr[k], is, &is->rr[i]);
        if (best == DIFF_LESS)
            return UINT_MAX;
        all |= best;
    }
    return all;
}

static bool all_true(const struct bench *b)
{
    for (uint32_t i = 0; i < b->zone_count; i++)
        if (!truth_holds(world, b->zone[i], WORLD_NOW))
            return false;
    return true;
}

static unsigned compare(const struct outcome *was, const struct outcome *is)
{
    if (is->expires_s > was->expires_s)
        return UINT_MAX;
    unsigned all = compare_written(&was->written.msg, &is->written.msg);
    if (all == UINT_MAX)
        return was->status == VAL_INSECURE ? DIFF_OTHER : UINT_MAX;
    return is->expires_s < was->expires_s ? all | DIFF_ENDS : all;
}

/* --- one change after the other -------------------------------------------------------------- */

struct tally {
    unsigned tried, refused, irrelevant;
};

static struct tally tally;

struct place { /* of a change */
    const struct scenario *scenario;
    const struct told *told;
    bool is_answer; /* without which there is nothing to prove */
    uint32_t rr;
    const struct fielded *fielded; /* unchanged */
    uint32_t field;
    struct change change;
};

static void complain(const struct place *p, const char *what)
{
    char owner[DNS_NAME_TEXT_MAX], asked[DNS_NAME_TEXT_MAX];
    const struct world_rr *rr = &p->told->answer.rr[p->rr];
    (void)dns_name_text(&rr->owner, owner);
    (void)dns_name_text(&p->told->answer.question.name, asked);
    print_error("%s: %s type %u: in the answer to %s type %u, %s type %u: %s %s (%u)\n", what,
                p->scenario->name, p->scenario->type, asked, p->told->answer.question.type, owner,
                rr->type, p->fielded->at[p->field].field->name, change_text(&p->change),
                p->change.at);
}

/* What is known goes back to the first `count`. */
static void unlearn(struct bench *b, uint32_t count)
{
    while (b->zone_count > count)
        val_zone_unref(b->zone[--b->zone_count]);
}

/* Runs the scenario with the change; `base` zones are known before. True: as it should be. */
static bool survives(struct bench *b, const struct place *p, const struct outcome *honest,
                     uint32_t base)
{
    static struct outcome outcome;
    ask(b, p->scenario, &outcome);
    bool truth = all_true(b);
    unlearn(b, base);
    tally.tried++;
    if (!truth) {
        complain(p, "what is not so is believed of a zone");
        return false;
    }
    if (outcome.status > VAL_INSECURE) {
        tally.refused++;
        return true;
    }
    unsigned how = outcome.status == honest->status ? compare(honest, &outcome) : UINT_MAX;
    struct irrelevant *row = how == UINT_MAX
                                 ? NULL
                                 : find_irrelevant(&p->told->answer.rr[p->rr],
                                                   p->fielded->at[p->field].field, &p->change, how);
    if (!row) {
        complain(p, how == UINT_MAX ? "another answer is believed" : "it is believed all the same");
        return false;
    }
    row->met++;
    tally.irrelevant++;
    return true;
}

static unsigned change_record(struct bench *b, struct place *p, const struct outcome *honest,
                              uint32_t base)
{
    static struct fielded fielded, changed;
    static struct change changes[CHANGES_MAX];
    unsigned wrong = 0;
    fielded_init(&fielded, &p->told->answer.rr[p->rr]);
    p->fielded = &fielded;
    for (p->field = 0; p->field < fielded.count; p->field++) {
        uint32_t count = changes_of(&fielded, p->field, changes);
        for (uint32_t i = 0; i < count; i++) {
            changed = fielded;
            p->change = changes[i];
            if (!change_apply(&changed, p->field, &changes[i]))
                continue;
            mutant_readable =
                world_write_raw(&p->told->answer, p->rr, changed.wire, changed.len, &mutant);
            if (mutant_readable || !p->is_answer)
                wrong += !survives(b, p, honest, base);
        }
    }
    return wrong;
}

static bool of_soa(const struct world_rr *rr)
{
    return rr->type == DNS_TYPE_SOA || world_is(rr, DNS_TYPE_SOA, true);
}

static unsigned change_message(struct bench *b, const struct scenario *s, const struct told *t,
                               bool is_answer, const struct outcome *honest, uint32_t base)
{
    unsigned wrong = 0;
    mutated = t;
    for (uint32_t i = 0; i < t->answer.count; i++) {
        struct place p = {.scenario = s, .told = t, .is_answer = is_answer, .rr = i};
        if (s->which == OF_ANSWER_SOA || !of_soa(&t->answer.rr[i]))
            wrong += change_record(b, &p, honest, base);
    }
    mutated = NULL;
    return wrong;
}

/* What the honest run learned, as far as it stands above `name`, or all of it. */
static void know(struct bench *b, const struct bench *honest, const struct dns_name *name, bool all)
{
    for (uint32_t i = 0; i < honest->zone_count; i++)
        if (all || honest->zone[i]->name.labels < name->labels)
            bench_learn(b, honest->zone[i]);
}

/* The chain's messages are those that the honest run asks for. What is above the one that is
 * changed is known already: it has been changed itself, elsewhere. */
static unsigned run_scenario(const struct scenario *s)
{
    static struct outcome honest;
    struct bench b;
    struct dns_name qname = world_name(s->name);
    unsigned wrong = 0;
    bool with_chain = s->which == OF_ALL || s->which == OF_CHAIN;
    struct bench first;
    struct told *chain[TOLD_MAX];
    uint32_t chain_count = 0;
    struct told *answer = tell(&qname, s->type);
    for (uint32_t i = 0; i < told_count; i++)
        told[i]->used = false;
    bench_init(&first, world, ".");
    bench_init(&b, world, ".");
    first.fetch = b.fetch = fetch_told;
    ask(&first, s, &honest);
    assert_int_equal(honest.status, s->want);
    for (uint32_t i = 0; i < told_count && with_chain; i++)
        if (told[i] != answer && told[i]->used && !told[i]->done)
            chain[chain_count++] = told[i];
    if (s->which != OF_CHAIN) {
        know(&b, &first, &qname, true);
        wrong += change_message(&b, s, answer, true, &honest, b.zone_count);
        bench_forget(&b);
    }
    for (uint32_t i = 0; i < chain_count; i++) {
        know(&b, &first, &chain[i]->answer.question.name, false);
        wrong += change_message(&b, s, chain[i], false, &honest, b.zone_count);
        chain[i]->done = true;
        bench_forget(&b);
    }
    bench_deinit(&b);
    bench_deinit(&first);
    return wrong;
}

static void test_every_field(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        struct tally before = tally;
        wrong += run_scenario(&scenarios[i]);
        assert_true(tally.refused - before.refused > 200);
        print_message("%-18s type %2u: %5u changes, %5u refused, %4u mean nothing\n",
                      scenarios[i].name, scenarios[i].type, tally.tried - before.tried,
                      tally.refused - before.refused, tally.irrelevant - before.irrelevant);
    }
    forget_told();
    assert_int_equal(wrong, 0);
    assert_true(tally.refused > 10000);
    for (size_t i = 0; i < COUNT(irrelevants); i++)
        if (irrelevants[i].met == 0)
            fail_msg("row %zu of what means nothing never happens", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_field)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
