// SPDX-License-Identifier: MIT
/* What is kept of proven absences, what is made of it, and that this never differs from what the
 * zone itself would say. */
#include "cache/gaps.h"
#include "cache/store.h"
#include "tests/test.h"
#include "tests/unit/job_bench.h"

static const uint8_t seed[16] = {3, 1, 4, 1, 5};
static const struct cache_now start = {.mono_ms = 9000, .wall_s = WORLD_NOW};

static struct cache *cache_of(size_t bytes)
{
    const struct cache_limits limits = {
        .bytes = bytes, .max_ttl_s = 86400, .negative_ttl_s = 3600, .gaps = true};
    struct cache *cache = cache_new(&limits, seed);
    assert_non_null(cache);
    return cache;
}

/* --- against the world ----------------------------------------------------------------------- */

static uint32_t state = 20260825;
static uint32_t chance(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* Names at, beside, above and below all that the world has. */
static struct dns_question random_question(void)
{
    static const char *const labels[] = {"www",   "wild", "a",     "b",     "ent",  "tree",
                                         "alias", "none", "x",     "*",     "sub",  "four",
                                         "gap",   "zone", "below", "cross", "long", "zz",
                                         "ns",    "five", "\\000", "wild",  "wild"};
    static const char *const zones[] = {
        "example.test.",      "nsec3.test.", "p256.test.",        "test.",      ".",
        "insecure.test.",     "optout.",     "sub.example.test.", "many.test.", "nods.test.",
        "below.example.test."};
    static const uint16_t types[] = {DNS_TYPE_A,     DNS_TYPE_A,     DNS_TYPE_A,  DNS_TYPE_TXT,
                                     DNS_TYPE_AAAA,  DNS_TYPE_DS,    DNS_TYPE_NS, DNS_TYPE_SOA,
                                     DNS_TYPE_CNAME, DNS_TYPE_DNAME, 65280};
    struct dns_question q = {.class_ = DNS_CLASS_IN, .type = types[chance(COUNT(types))]};
    char text[256] = "";
    for (uint32_t left = chance(4); left > 0; left--) {
        (void)strncat(text, labels[chance(COUNT(labels))], 32);
        (void)strncat(text, ".", 2);
    }
    if (chance(6) == 0)
        (void)strncat(text, "wild.", 8);
    const char *zone = zones[chance(chance(2) ? 3 : COUNT(zones))];
    (void)strncat(text, text[0] && zone[0] == '.' ? "" : zone, 64);
    q.name = world_name(text);
    return q;
}

static unsigned answers_in(const struct world_octets *o)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < o->msg.rr_count; i++)
        count += o->msg.rr[i].section == DNS_ANSWER && o->msg.rr[i].type != DNS_TYPE_RRSIG;
    return count;
}

static void say(const char *what, const struct dns_question *q)
{
    char name[DNS_NAME_TEXT_MAX];
    (void)dns_name_text(&q->name, name);
    print_error("%s: %s type %u\n", what, name, q->type);
}

/* It proves from what is known, and says what the zone would. Without its keys it proves nothing:
 * then false. */
static bool check_made(struct bench *b, const struct dns_question *q, struct world_octets *made)
{
    static struct world_answer truth_answer;
    static struct world_octets truth;
    struct val_budget budget = val_budget_init(&b->limits);
    struct val_job *job = val_job_new(q, &b->env, &budget, NULL);
    assert_non_null(job);
    assert_int_equal(val_job_answer(job, &made->msg, 0, 0), DNS_OK);
    enum val_step step = VAL_AGAIN;
    while (step == VAL_AGAIN)
        step = val_job_step(job, b->now_s);
    bool proves = step == VAL_DONE && val_job_verdict(job)->status == VAL_SECURE;
    if (!proves)
        say("made, but not proven", q);
    val_job_free(job);
    world_ask_name(b->world, &q->name, q->type, &truth_answer);
    world_write(&truth_answer, &truth);
    if (truth.msg.rcode != made->msg.rcode || answers_in(&truth) != answers_in(made)) {
        say("the zone says otherwise", q);
        fail();
    }
    return proves;
}

/* Random questions; what the gaps answer is checked, the rest is asked and learned from. */
static void test_never_differs(void **unused)
{
    (void)unused;
    static struct bench b;
    static struct world_octets made;
    struct world *world = world_new();
    struct cache *cache = cache_of(8u << 20);
    unsigned made_count = 0, wildcards = 0, nxdomains = 0;
    bench_init(&b, world, ".");
    for (unsigned round = 0; round < 1500; round++) {
        struct dns_question q = random_question();
        struct val_budget budget = val_budget_init(&b.limits);
        struct val_proven proven[VAL_PROVEN_MAX];
        made.len = cache_gaps_find(cache, &q, &dns_root, &budget, start, made.buf, sizeof made.buf);
        if (made.len > 0) {
            assert_int_equal(dns_msg_read(made.buf, made.len, made.table, 256, &made.msg), DNS_OK);
            assert_true(check_made(&b, &q, &made));
            made_count++;
            wildcards += answers_in(&made) > 0;
            nxdomains += made.msg.rcode == DNS_RCODE_NXDOMAIN;
            continue;
        }
        bench_begin(&b, &q);
        (void)bench_finish(&b);
        uint32_t count = val_job_proofs(b.job, proven, VAL_PROVEN_MAX);
        cache_gaps_put(cache, proven, count, cache_epoch(cache), start);
        if (b.zone_count > BENCH_ZONES_MAX / 2 || round % 200 == 0) { /* and all again */
            bench_forget(&b);
            cache_flush(cache);
        }
    }
    print_message("%u of 1500 made, %u by wildcards, %u NXDOMAIN\n", made_count, wildcards,
                  nxdomains);
    assert_true(made_count > 300 && wildcards > 10 && nxdomains > 100);
    bench_deinit(&b);
    cache_free(cache);
    world_free(world);
}

/* Beside a proof, the wildcard's NSEC as if another name owned it. */
static void add_expanded(struct bench *b, struct world_answer *a)
{
    uint32_t count = a->count;
    (void)b;
    for (uint32_t i = 0; i < count && a->count < WORLD_RR_MAX; i++) {
        if (!dns_name_is_wildcard(&a->rr[i].owner))
            continue;
        a->rr[a->count] = a->rr[i];
        a->rr[a->count++].owner = world_name("x.wild.example.test.");
    }
}

static void test_expanded_nsec_is_not_proven(void **unused)
{
    (void)unused;
    static struct bench b;
    struct val_proven proven[VAL_PROVEN_MAX];
    struct world *world = world_new();
    struct dns_name expanded = world_name("x.wild.example.test.");
    bench_init(&b, world, ".");
    b.bend[0] = (struct bend){"q.wild.example.test.", DNS_TYPE_TXT, BEND_CUSTOM, 0, 0};
    b.custom = add_expanded;
    assert_int_equal(bench_ask(&b, "q.wild.example.test.", DNS_TYPE_TXT)->status, VAL_SECURE);
    uint32_t count = val_job_proofs(b.job, proven, VAL_PROVEN_MAX);
    assert_int_equal(count, 2); /* the range, which is the wildcard's own, and the SOA */
    for (uint32_t i = 0; i < count; i++)
        assert_false(dns_name_equal(&proven[i].owner, &expanded));
    assert_int_equal(bench_ask(&b, "www.insecure.test.", DNS_TYPE_TXT)->status, VAL_INSECURE);
    assert_int_equal(val_job_proofs(b.job, proven, VAL_PROVEN_MAX), 0);
    bench_deinit(&b);
    world_free(world);
}

/* --- one fact each --------------------------------------------------------------------------- */

/* Keeps one record of `zone`, as if it were proven; `ttl_s` counts, not the line's own. */
static void keep_of(uint64_t epoch, struct cache *cache, const char *zone, const char *line,
                    uint32_t ttl_s, uint64_t expires_s, struct cache_now now)
{
    uint8_t rdata[512];
    uint8_t sig_rdata[64] = {0};
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    struct dns_line parsed;
    if (dns_line_parse(line, &dns_root, 300, &parsed, &w) != DNS_OK)
        fail_msg("%s", line);
    struct val_rdata rr = {rdata, w.off};
    struct val_sig sig = {.rrsig = {.signer = world_name(zone)},
                          .rdata = {sig_rdata, sizeof sig_rdata}};
    struct val_rrset set = {.owner = parsed.owner,
                            .type = parsed.type,
                            .class_ = DNS_CLASS_IN,
                            .ttl_s = ttl_s,
                            .rr = &rr,
                            .count = 1,
                            .sigs = &sig,
                            .sig_count = 1};
    struct val_proven proven = {.set = &set,
                                .zone = world_name(zone),
                                .owner = parsed.owner,
                                .ttl_s = ttl_s,
                                .expires_s = expires_s};
    cache_gaps_put(cache, &proven, 1, epoch, now);
}

static void keep(struct cache *cache, const char *zone, const char *line, uint32_t ttl_s,
                 uint64_t expires_s, struct cache_now now)
{
    keep_of(cache_epoch(cache), cache, zone, line, ttl_s, expires_s, now);
}

/* The rcode of what is made for a question, or -1; its lowest TTL. */
static int made_for(struct cache *cache, const char *name, uint16_t type, const char *top,
                    struct cache_now now, uint32_t *ret_ttl_s)
{
    static struct world_octets made;
    struct dns_question q = {world_name(name), type, DNS_CLASS_IN};
    struct dns_name above = world_name(top);
    struct val_budget budget = val_budget_init(&val_limits_default);
    made.len = cache_gaps_find(cache, &q, &above, &budget, now, made.buf, sizeof made.buf);
    if (made.len == 0)
        return -1;
    assert_int_equal(dns_msg_read(made.buf, made.len, made.table, 256, &made.msg), DNS_OK);
    *ret_ttl_s = UINT32_MAX;
    for (uint32_t i = 0; i < made.msg.rr_count; i++)
        *ret_ttl_s = made.msg.rr[i].ttl_s < *ret_ttl_s ? made.msg.rr[i].ttl_s : *ret_ttl_s;
    return made.msg.rcode;
}

#define SOA "z. SOA ns.z. h.z. 1 2 3 4 300"
#define NO_ANSWER (-1)
struct fact {
    const char *what;
    const char *line[5]; /* of zone z. */
    const char *name;
    uint16_t type;
    int want;
};

static const struct fact facts[] = {
    {"a name in a range", {SOA, "z. NSEC m.z. NS SOA"}, "c.z.", 1, DNS_RCODE_NXDOMAIN},
    {"without its SOA", {"z. NSEC m.z. NS SOA"}, "c.z.", 1, NO_ANSWER},
    {"a name that is the next", {SOA, "z. NSEC m.z. NS SOA"}, "m.z.", 1, NO_ANSWER},
    {"a name behind the range", {SOA, "z. NSEC m.z. NS SOA"}, "n.z.", 1, NO_ANSWER},
    {"no range before the name", {SOA, "m.z. NSEC z. A"}, "c.z.", 1, NO_ANSWER},
    {"the last range",
     {SOA, "z. NSEC a.z. NS SOA", "m.z. NSEC z. A"},
     "q.z.",
     1,
     DNS_RCODE_NXDOMAIN},
    {"the wildcard is not denied", {SOA, "c.z. NSEC m.z. A"}, "d.z.", 1, NO_ANSWER},
    {"an empty non-terminal", {SOA, "z. NSEC a.m.z. NS SOA"}, "m.z.", 1, DNS_RCODE_NOERROR},
    {"beside it", {SOA, "z. NSEC a.m.z. NS SOA"}, "l.z.", 1, DNS_RCODE_NXDOMAIN},
    {"no such type", {SOA, "w.z. NSEC x.z. A TXT"}, "w.z.", DNS_TYPE_MX, DNS_RCODE_NOERROR},
    {"such a type", {SOA, "w.z. NSEC x.z. A TXT"}, "w.z.", 1, NO_ANSWER},
    {"an alias instead", {SOA, "w.z. NSEC x.z. CNAME"}, "w.z.", 1, NO_ANSWER},
    {"the wildcard's types",
     {SOA, "z. NSEC *.z. NS SOA", "*.z. NSEC x.z. A"},
     "c.z.",
     DNS_TYPE_MX,
     DNS_RCODE_NOERROR},
    {"the wildcard's data is not known",
     {SOA, "z. NSEC *.z. NS SOA", "*.z. NSEC x.z. A"},
     "c.z.",
     1,
     NO_ANSWER},
    {"the wildcard's data",
     {SOA, "*.z. NSEC x.z. A", "*.z. A 192.0.2.1"},
     "c.z.",
     1,
     DNS_RCODE_NOERROR},
    {"the wildcard's data before any SOA",
     {"*.z. NSEC x.z. A", "*.z. A 192.0.2.1"},
     "c.z.",
     1,
     DNS_RCODE_NOERROR},
    {"the wildcard of another encloser",
     {SOA, "b.c.z. NSEC x.z. A", "*.z. A 192.0.2.1"},
     "d.c.z.",
     1,
     NO_ANSWER},
    {"a wildcard's data at a name that exists",
     {SOA, "c.z. NSEC x.z. TXT", "*.z. A 192.0.2.1"},
     "c.z.",
     1,
     DNS_RCODE_NOERROR},
    {"the parent's side: below", {SOA, "c.z. NSEC x.z. NS"}, "a.c.z.", 1, NO_ANSWER},
    {"the parent's side: at the cut", {SOA, "c.z. NSEC x.z. NS"}, "c.z.", 1, NO_ANSWER},
    {"the parent's side: DS", {SOA, "c.z. NSEC x.z. NS"}, "c.z.", DNS_TYPE_DS, DNS_RCODE_NOERROR},
    {"the parent's side: beside",
     {SOA, "z. NSEC c.z. NS SOA", "c.z. NSEC x.z. NS"},
     "d.z.",
     1,
     DNS_RCODE_NXDOMAIN},
    {"the child's side: DS", {SOA, "z. NSEC x.z. NS SOA"}, "z.", DNS_TYPE_DS, NO_ANSWER},
    {"below a DNAME", {SOA, "z. NSEC c.z. NS SOA", "c.z. NSEC x.z. DNAME"}, "a.c.z.", 1, NO_ANSWER},
    {"compact denial", {SOA, "c.z. NSEC \\000.c.z. RRSIG NSEC NXNAME"}, "c.z.", 1, NO_ANSWER},
    {"compact denial with types",
     {SOA, "c.z. NSEC \\000.c.z. A RRSIG NSEC"},
     "c.z.",
     16,
     NO_ANSWER},
    {"NXNAME in a range", {SOA, "z. NSEC x.z. NS SOA NXNAME"}, "c.z.", 1, NO_ANSWER},
    {"a name made for the answer",
     {SOA, "z. NSEC b.z. NS SOA", "b\\255.z. NSEC d.z. RRSIG NSEC"},
     "c.z.",
     1,
     NO_ANSWER},
    {"next name in another zone",
     {SOA, "z. NSEC b.z. NS SOA", "b.z. NSEC a.zz. A"},
     "c.z.",
     1,
     NO_ANSWER},
    {"a next name that is before",
     {SOA, "z. NSEC a.z. NS SOA", "m.z. NSEC c.z. A"},
     "q.z.",
     1,
     NO_ANSWER},
    {"ANY", {SOA, "z. NSEC m.z. NS SOA"}, "c.z.", DNS_TYPE_ANY, NO_ANSWER},
    {"RRSIG", {SOA, "z. NSEC m.z. NS SOA"}, "c.z.", DNS_TYPE_RRSIG, NO_ANSWER},
    {"NXNAME", {SOA, "z. NSEC m.z. NS SOA"}, "c.z.", DNS_TYPE_NXNAME, NO_ANSWER},
    {"a newer name within", {SOA, "z. NSEC m.z. NS SOA", "c.z. NSEC m.z. A"}, "b.z.", 1, NO_ANSWER},
    {"a newer range over it",
     {SOA, "c.z. NSEC d.z. A", "z. NSEC m.z. NS SOA"},
     "c.z.",
     16,
     DNS_RCODE_NXDOMAIN},
};

static void test_facts(void **unused)
{
    (void)unused;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(facts); i++) {
        struct cache *cache = cache_of(4u << 20);
        uint32_t ttl_s;
        for (unsigned n = 0; n < 5 && facts[i].line[n]; n++)
            keep(cache, "z.", facts[i].line[n], 300, UINT64_MAX, start);
        int got = made_for(cache, facts[i].name, facts[i].type, ".", start, &ttl_s);
        if (got != facts[i].want) {
            print_error("%s: wanted %d, got %d\n", facts[i].what, facts[i].want, got);
            failed++;
        }
        cache_free(cache);
    }
    assert_int_equal(failed, 0);
}

/* NSEC3 of zone z.: with these, "no.z." is absent, if they are all kept. */
static bool kept_nsec3(uint8_t flags, uint16_t iterations, const char *salt, const char *other_salt)
{
    struct cache *cache = cache_of(4u << 20);
    struct dns_nsec3 params = {.hash_algorithm = 1, .iterations = iterations};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct dns_name apex = world_name("z.");
    uint8_t salt_octets[2], hash[20];
    char owner[64], line[256];
    struct dns_writer w = dns_writer_init(salt_octets, sizeof salt_octets);
    uint32_t ttl_s;
    budget.sha1_blocks = 100000;
    if (strcmp(salt, "-") != 0)
        assert_int_equal(dns_hex_read(salt, &w), DNS_OK);
    params.salt = salt_octets;
    params.salt_len = w.off;
    assert_true(val_nsec3_hash(&apex, &params, &budget, hash));
    assert_true(dns_base32hex_text(hash, 20, owner, sizeof owner) > 0);
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    /* One record alone: its range goes all the way round. */
    (void)snprintf(line, sizeof line, "%s.z. NSEC3 1 %u %u %s %s NS SOA", owner, flags, iterations,
                   salt, owner);
    keep(cache, "z.", line, 300, UINT64_MAX, start);
    if (other_salt) {
        (void)snprintf(line, sizeof line,
                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.z. NSEC3 1 0 %u %s "
                       "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A",
                       iterations, other_salt);
        keep(cache, "z.", line, 300, UINT64_MAX, start);
    }
    int got = made_for(cache, "no.z.", DNS_TYPE_A, ".", start, &ttl_s);
    if (other_salt)
        assert_int_equal(cache_stats(cache).gaps, 2); /* nothing of the other chain is left */
    cache_free(cache);
    assert_true(got == -1 || got == DNS_RCODE_NXDOMAIN);
    return got == DNS_RCODE_NXDOMAIN;
}

static void test_nsec3(void **unused)
{
    (void)unused;
    assert_true(kept_nsec3(0, 0, "-", NULL));
    assert_true(kept_nsec3(0, 5, "ab12", NULL));
    assert_false(kept_nsec3(1, 0, "-", NULL));  /* opt-out */
    assert_false(kept_nsec3(2, 0, "-", NULL));  /* unknown flags (RFC 5155 8.2) */
    assert_false(kept_nsec3(0, 40, "-", NULL)); /* dear */
    assert_false(kept_nsec3(0, 0, "-", "ab"));  /* the zone has another salt now */
}

/* White lies: a hash less and a hash more than that of the name. */
static void test_white_lies(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    uint64_t before = cache_stats(cache).gaps;
    keep(cache, "z.",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.z. NSEC3 1 0 0 - AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC RRSIG",
         300, UINT64_MAX, start);
    assert_int_equal(cache_stats(cache).gaps, before);
    cache_free(cache);
}

/* What was kept before its SOA lives no longer than that says, once it is known. */
static void test_soa_comes_later(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    struct cache_now later = {start.mono_ms + 250000, start.wall_s + 250};
    uint32_t ttl_s;
    keep(cache, "z.", "z. NSEC m.z. NS SOA", 500, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "c.z.", 1, ".", start, &ttl_s), NO_ANSWER);
    keep(cache, "z.", SOA, 200, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "c.z.", 1, ".", start, &ttl_s), DNS_RCODE_NXDOMAIN);
    keep(cache, "z.", SOA, 200, UINT64_MAX, later);
    assert_int_equal(made_for(cache, "c.z.", 1, ".", later, &ttl_s), NO_ANSWER);
    cache_free(cache);
}

/* The least of TTL, SOA TTL, SOA minimum (RFC 9077), the signature's end, and the limits. */
static void test_lifetime(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t soa_ttl_s, nsec_ttl_s, valid_s, want_s;
    } rows[] = {{300, 500, 9999, 300},
                {900, 500, 9999, 300},
                {200, 500, 9999, 200},
                {900, 100, 9999, 100},
                {900, 500, 50, 50}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cache *cache = cache_of(4u << 20);
        struct cache_now now = start;
        uint32_t ttl_s = 0;
        keep(cache, "z.", SOA, rows[i].soa_ttl_s, start.wall_s + rows[i].valid_s, start);
        keep(cache, "z.", "z. NSEC m.z. NS SOA", rows[i].nsec_ttl_s, start.wall_s + rows[i].valid_s,
             start);
        assert_int_equal(made_for(cache, "c.z.", 1, ".", now, &ttl_s), DNS_RCODE_NXDOMAIN);
        assert_int_equal(ttl_s, rows[i].want_s);
        now.mono_ms += (rows[i].want_s - 1) * UINT64_C(1000);
        now.wall_s += rows[i].want_s - 1;
        assert_int_equal(made_for(cache, "c.z.", 1, ".", now, &ttl_s), DNS_RCODE_NXDOMAIN);
        assert_int_equal(ttl_s, 1);
        now.mono_ms += 1000;
        now.wall_s += 1;
        assert_int_equal(made_for(cache, "c.z.", 1, ".", now, &ttl_s), NO_ANSWER);
        cache_free(cache);
    }
}

/* A clock that is set back lengthens nothing. */
static void test_clock_set_back(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    struct cache_now now = {.mono_ms = start.mono_ms + 301000, .wall_s = start.wall_s - 86400};
    uint32_t ttl_s;
    keep(cache, "z.", SOA, 300, start.wall_s + 99999, start);
    keep(cache, "z.", "z. NSEC m.z. NS SOA", 300, start.wall_s + 99999, start);
    assert_int_equal(made_for(cache, "c.z.", 1, ".", start, &ttl_s), DNS_RCODE_NXDOMAIN);
    assert_int_equal(made_for(cache, "c.z.", 1, ".", now, &ttl_s), NO_ANSWER);
    cache_free(cache);
}

/* The parent says whether there is a DS, also where the child has gaps of its own. */
static void test_ds_is_the_parents(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    uint32_t ttl_s;
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    keep(cache, "z.", "z. NSEC m.z. NS SOA", 300, UINT64_MAX, start);
    keep(cache, ".", ". SOA ns. h. 1 2 3 4 300", 300, UINT64_MAX, start);
    keep(cache, ".", "z. NSEC zz. NS", 300, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "z.", DNS_TYPE_DS, ".", start, &ttl_s), DNS_RCODE_NOERROR);
    assert_int_equal(made_for(cache, "z.", DNS_TYPE_A, ".", start, &ttl_s), DNS_RCODE_NOERROR);
    cache_free(cache);
}

/* Keys are in the order of names (RFC 4034 6.1), octet for octet. */
static void test_keys_are_in_order(void **unused)
{
    (void)unused;
    static const uint8_t alphabet[] = {0, 1, 2, 'A', 'a', 'b', '.', 255};
    struct dns_name names[2];
    struct gap_key keys[2];
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned n = 0; n < 2; n++) {
            names[n] = dns_root;
            for (uint32_t labels = chance(4); labels > 0; labels--) {
                struct dns_name parent = names[n];
                uint8_t label[2] = {alphabet[chance(8)], alphabet[chance(8)]};
                assert_int_equal(dns_name_prepend(label, 1 + chance(2), &parent, &names[n]),
                                 DNS_OK);
            }
            gap_key_name(&names[n], &keys[n]);
        }
        uint32_t shorter = keys[0].len < keys[1].len ? keys[0].len : keys[1].len;
        int order = memcmp(keys[0].octets, keys[1].octets, shorter);
        order = order != 0 ? order : (int)keys[0].len - (int)keys[1].len;
        int want = dns_name_compare(&names[0], &names[1]);
        assert_int_equal((order > 0) - (order < 0), (want > 0) - (want < 0));
    }
}

/* A zone above the trust anchor of a name says nothing of it; nor does one beside it. */
static void test_top(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    uint32_t ttl_s;
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    keep(cache, "z.", "z. NSEC m.z. NS SOA", 300, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "a.c.z.", 1, ".", start, &ttl_s), DNS_RCODE_NXDOMAIN);
    assert_int_equal(made_for(cache, "a.c.z.", 1, "z.", start, &ttl_s), DNS_RCODE_NXDOMAIN);
    assert_int_equal(made_for(cache, "a.c.z.", 1, "c.z.", start, &ttl_s), NO_ANSWER);
    assert_int_equal(made_for(cache, "a.c.z.", 1, "d.z.", start, &ttl_s), NO_ANSWER);
    cache_flush(cache);
    assert_int_equal(made_for(cache, "a.c.z.", 1, ".", start, &ttl_s), NO_ANSWER);
    assert_int_equal(cache_stats(cache).gaps, 0);
    cache_free(cache);
}

/* Proven from keys that are trusted no more. */
static void test_begun_before_a_flush(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    uint32_t ttl_s;
    uint64_t begun = cache_epoch(cache);
    cache_flush(cache);
    keep_of(begun, cache, "z.", SOA, 300, UINT64_MAX, start);
    keep_of(begun, cache, "z.", "z. NSEC m.z. NS SOA", 300, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "a.c.z.", 1, ".", start, &ttl_s), NO_ANSWER);
    assert_int_equal(cache_stats(cache).gaps, 0);
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    keep(cache, "z.", "z. NSEC m.z. NS SOA", 300, UINT64_MAX, start);
    assert_int_equal(made_for(cache, "a.c.z.", 1, ".", start, &ttl_s), DNS_RCODE_NXDOMAIN);
    cache_free(cache);
}

/* What a look-up hashes is paid for, and never more than its share. */
static void test_hashes_are_paid_for(void **unused)
{
    (void)unused;
    struct cache *cache = cache_of(4u << 20);
    struct val_budget budget = val_budget_init(&val_limits_default);
    uint8_t buf[512];
    struct dns_question q = {world_name("a.b.c.z."), DNS_TYPE_A, DNS_CLASS_IN};
    keep(cache, "z.", SOA, 300, UINT64_MAX, start);
    keep(cache, "z.",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.z. NSEC3 1 0 20 - BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A",
         300, UINT64_MAX, start);
    uint32_t before = budget.sha1_blocks;
    assert_int_equal(cache_gaps_find(cache, &q, &dns_root, &budget, start, buf, sizeof buf), 0);
    assert_true(budget.sha1_blocks < before);
    budget.sha1_blocks = 40;
    assert_int_equal(cache_gaps_find(cache, &q, &dns_root, &budget, start, buf, sizeof buf), 0);
    assert_true(budget.sha1_blocks >= 30);
    cache_free(cache);
}

/* However many there are, the bound holds, and what was used lately stays. */
static void test_bound(void **unused)
{
    (void)unused;
    const size_t bytes = 4u << 20;
    struct cache *cache = cache_of(bytes);
    uint32_t ttl_s;
    char line[128], zone[32];
    for (unsigned i = 0; i < 6000; i++) {
        (void)snprintf(zone, sizeof zone, "z%u.", i % 50);
        (void)snprintf(line, sizeof line, "%s SOA ns.z. h.z. 1 2 3 4 300", zone);
        keep(cache, zone, line, 300, UINT64_MAX, start);
        (void)snprintf(line, sizeof line, "n%05u.%s NSEC n%05ux.%s A", i, zone, i, zone);
        keep(cache, zone, line, 300, UINT64_MAX, start);
        assert_true(cache->gaps.bytes <= cache->gaps.limit);
        if (i >= 10) /* that one is used all the time */
            assert_int_equal(made_for(cache, "n00003.z3.", DNS_TYPE_MX, ".", start, &ttl_s),
                             DNS_RCODE_NOERROR);
    }
    assert_true(cache_stats(cache).bytes <= bytes);
    assert_true(cache_stats(cache).gaps < 6000);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_nsec3),
        cmocka_unit_test(test_white_lies),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_soa_comes_later),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_begun_before_a_flush),
        cmocka_unit_test(test_hashes_are_paid_for),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_ds_is_the_parents),
        cmocka_unit_test(test_keys_are_in_order),
        cmocka_unit_test(test_expanded_nsec_is_not_proven),
        cmocka_unit_test(test_never_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
