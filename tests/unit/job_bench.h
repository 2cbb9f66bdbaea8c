/* SPDX-License-Identifier: MIT */
/* A job, the signed world it asks, and what bends that world's answers on their way. For the
 * validate_job… tests; include after tests/test.h. */
#ifndef TESTS_UNIT_JOB_BENCH_H
#define TESTS_UNIT_JOB_BENCH_H

#include "tests/unit/signer.h"
#include "validate/job.h"

/* What happens to the answers to one question. */
enum bend_how {
    BEND_NONE,
    BEND_DROP,       /* the records of `type` */
    BEND_DROP_SIG,   /* the RRSIGs that cover `type`; 0: every RRSIG */
    BEND_FLIP,       /* the last bit of each record of `type` */
    BEND_FLIP_SIG,   /* of each RRSIG that covers `type` */
    BEND_FAIL,       /* it cannot be fetched */
    BEND_RCODE,      /* nothing but the rcode `type` */
    BEND_EMPTY,      /* NOERROR without a record */
    BEND_CHILD,      /* a DS question answered by the child */
    BEND_RCODE_ONLY, /* the rcode `type`, records as they were */
    BEND_CUSTOM,     /* by the bench's own function */
};

struct bend {
    const char *name; /* NULL: no more bends */
    uint16_t qtype;
    enum bend_how how;
    uint16_t type;
    unsigned first; /* only so often; 0: always */
};

#define BENDS_MAX 4u
#define BENCH_ZONES_MAX 96u
#define BENCH_STEPS_MAX 5000u

struct bench {
    struct world *world;
    struct val_anchors *anchors;
    struct val_policy policy;
    struct val_limits limits;
    struct val_budget budget;
    struct val_arena_pool *memory; /* of the budget, or NULL */
    struct val_env env;
    struct val_trace trace;
    uint64_t now_s;
    const struct val_zone *zone[BENCH_ZONES_MAX]; /* learned; later ones hide earlier ones */
    uint32_t zone_count;
    struct bend bend[BENDS_MAX];
    unsigned bent[BENDS_MAX]; /* how often */
    void (*custom)(struct bench *bench, struct world_answer *answer);
    /* NULL: the world is asked; else this is, and false is "it cannot be fetched". */
    bool (*fetch)(struct bench *bench, const struct dns_name *name, uint16_t type,
                  struct world_octets *ret);
    uint32_t age_s; /* HTTP Age of all that is given */
    bool plan;      /* ask ahead, as the proxy does */
    unsigned order; /* 0: as needed; else a seed to shuffle by */
    unsigned flights, asked, fresh, steps;
    struct val_job *job;
};

/* --- what is known --------------------------------------------------------------------------- */

static inline const struct val_zone *bench_find(void *arg, const struct dns_name *name,
                                                uint64_t now_s)
{
    struct bench *b = arg;
    (void)now_s; /* the job looks at the clock itself */
    for (uint32_t i = b->zone_count; i-- > 0;)
        if (dns_name_equal(&b->zone[i]->name, name))
            return val_zone_ref(b->zone[i]);
    return NULL;
}

static inline void bench_learn(void *arg, const struct val_zone *zone)
{
    struct bench *b = arg;
    assert_in_range(b->zone_count, 0, BENCH_ZONES_MAX - 1);
    b->zone[b->zone_count++] = val_zone_ref(zone);
}

static inline void bench_forget(struct bench *b)
{
    while (b->zone_count > 0)
        val_zone_unref(b->zone[--b->zone_count]);
}

/* Known by name: the last that was learned, or NULL. */
static inline const struct val_zone *bench_zone(const struct bench *b, const char *text)
{
    struct dns_name name = world_name(text);
    for (uint32_t i = b->zone_count; i-- > 0;)
        if (dns_name_equal(&b->zone[i]->name, &name))
            return b->zone[i];
    return NULL;
}

/* --- set-up ---------------------------------------------------------------------------------- */

static inline void bench_trust(struct bench *b, const char *zone_name)
{
    const struct world_zone *zone = world_find_zone(b->world, zone_name);
    char line[256];
    uint8_t ds[64];
    uint32_t len = world_ds(zone, ds);
    int at =
        snprintf(line, sizeof line, "%s IN DS %u %u 2 ", zone_name, zone->tag, zone->algorithm);
    for (uint32_t i = 4; i < len; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, "%02x", ds[i]);
    assert_int_equal(val_anchors_add_line(b->anchors, line), DNS_OK);
}

static inline void bench_distrust(struct bench *b, const char *zone_name)
{
    struct dns_name name = world_name(zone_name);
    assert_int_equal(val_anchors_add_negative(b->anchors, &name, UINT64_MAX, "a test"), DNS_OK);
}

/* `world` is borrowed; `anchor` NULL: none yet. */
static inline void bench_init(struct bench *b, struct world *world, const char *anchor)
{
    *b = (struct bench){.world = world,
                        .anchors = val_anchors_new(),
                        .policy = val_policy_default(false),
                        .limits = val_limits_default,
                        .now_s = WORLD_NOW};
    b->env = (struct val_env){b->anchors, &b->policy, bench_find, bench_learn, b};
    if (anchor)
        bench_trust(b, anchor);
}

static inline void bench_deinit(struct bench *b)
{
    val_job_free(b->job);
    bench_forget(b);
    val_anchors_free(b->anchors);
}

/* --- the upstream ---------------------------------------------------------------------------- */

/* The DS question, put to the servers of the zone itself. */
static inline void bench_child(struct bench *b, struct world_answer *a)
{
    for (uint32_t i = 0; i < b->world->count; i++) {
        const struct world_zone *zone = &b->world->zone[i];
        if (!dns_name_equal(&zone->name, &a->question.name))
            continue;
        a->count = 0;
        a->rcode = 0;
        world_put_soa(a, zone);
        world_put_nodata(a, zone, &zone->name);
    }
}

/* False: it cannot be fetched. */
static inline bool bench_bend(struct bench *b, uint32_t at, struct world_answer *a)
{
    const struct bend *bend = &b->bend[at];
    switch (bend->how) {
    case BEND_NONE: return true;
    case BEND_DROP: world_drop(a, bend->type, false); return true;
    case BEND_DROP_SIG: world_drop(a, bend->type, true); return true;
    case BEND_FLIP: world_flip(a, bend->type, false); return true;
    case BEND_FLIP_SIG: world_flip(a, bend->type, true); return true;
    case BEND_FAIL: return false;
    case BEND_RCODE:
        a->rcode = bend->type;
        a->count = 0;
        return true;
    case BEND_RCODE_ONLY: a->rcode = bend->type; return true;
    case BEND_EMPTY: a->count = 0; return true;
    case BEND_CHILD: bench_child(b, a); return true;
    case BEND_CUSTOM: b->custom(b, a); return true;
    }
    return true;
}

static inline bool bench_fetch(struct bench *b, const struct dns_name *name, uint16_t type,
                               struct world_octets *ret)
{
    static struct world_answer answer;
    if (b->fetch)
        return b->fetch(b, name, type, ret);
    world_ask_name(b->world, name, type, &answer);
    for (uint32_t i = 0; i < BENDS_MAX && b->bend[i].name; i++) {
        struct dns_name bent = world_name(b->bend[i].name);
        if (b->bend[i].qtype != type || !dns_name_equal(&bent, name) ||
            (b->bend[i].first > 0 && b->bent[i] >= b->bend[i].first))
            continue;
        b->bent[i]++;
        if (!bench_bend(b, i, &answer))
            return false;
    }
    world_write(&answer, ret);
    return true;
}

/* --- the run --------------------------------------------------------------------------------- */

static inline void bench_give(struct bench *b, const struct val_need *need)
{
    static struct world_octets octets;
    b->asked++;
    b->fresh += need->fresh;
    bool got = bench_fetch(b, &need->name, need->type, &octets);
    (void)val_job_give(b->job, &need->name, need->type, got ? &octets.msg : NULL, b->age_s, 7);
    memset(&octets, 0xee, sizeof octets); /* nothing of it may be looked at later */
}

static inline void bench_shuffle(struct bench *b, struct val_need *needs, uint32_t count)
{
    for (uint32_t i = count; b->order > 0 && i > 1; i--) {
        b->order = b->order * 1664525u + 1013904223u;
        uint32_t other = (b->order >> 8) % i;
        struct val_need swap = needs[i - 1];
        needs[i - 1] = needs[other];
        needs[other] = swap;
    }
}

static inline void bench_give_all(struct bench *b)
{
    struct val_need needs[64];
    uint32_t count;
    const struct val_need *named = val_job_needs(b->job, &count);
    assert_in_range(count, 1, 64);
    memcpy(needs, named, count * sizeof *needs);
    bench_shuffle(b, needs, count);
    b->flights++;
    for (uint32_t i = 0; i < count; i++)
        bench_give(b, &needs[i]);
}

static inline void bench_begin(struct bench *b, const struct dns_question *question)
{
    static struct world_octets octets;
    struct val_need plan[VAL_PLAN_MAX];
    val_job_free(b->job);
    b->budget = val_budget_init(&b->limits);
    b->budget.memory = b->memory;
    b->trace.count = 0;
    b->flights = 1;
    b->asked = 1;
    b->fresh = b->steps = 0;
    memset(b->bent, 0, sizeof b->bent);
    b->job = val_job_new(question, &b->env, &b->budget, &b->trace);
    assert_non_null(b->job);
    uint32_t count = b->plan ? val_plan(question, &b->env, b->now_s, plan, VAL_PLAN_MAX) : 0;
    bench_shuffle(b, plan, count);
    for (uint32_t i = 0; i < count; i++)
        bench_give(b, &plan[i]);
    if (bench_fetch(b, &question->name, question->type, &octets))
        (void)val_job_answer(b->job, &octets.msg, b->age_s, 5); /* malformed: bogus then */
    memset(&octets, 0xee, sizeof octets);
}

static inline const struct val_verdict *bench_finish(struct bench *b)
{
    for (; b->steps < BENCH_STEPS_MAX; b->steps++) {
        switch (val_job_step(b->job, b->now_s)) {
        case VAL_DONE: return val_job_verdict(b->job);
        case VAL_AGAIN: break;
        case VAL_NEED: bench_give_all(b); break;
        }
    }
    fail_msg("it does not end");
    return NULL;
}

static inline const struct val_verdict *bench_ask(struct bench *b, const char *name, uint16_t type)
{
    struct dns_question question = {world_name(name), type, DNS_CLASS_IN};
    bench_begin(b, &question);
    return bench_finish(b);
}

static inline const char *bench_status(enum val_status status)
{
    static const char *const words[] = {"secure", "insecure", "indeterminate", "bogus"};
    return words[status];
}

/* Whether the verdict is this one; else says so. */
static inline bool bench_is(const struct bench *b, const char *what, enum val_status status,
                            enum val_why why)
{
    const struct val_verdict *v = val_job_verdict(b->job);
    char name[DNS_NAME_TEXT_MAX] = "";
    if (v->status == status && v->reason.why == why)
        return true;
    if (v->reason.name.len > 0)
        (void)dns_name_text(&v->reason.name, name);
    print_error("%s: wanted %s (%s), got %s (%s: %s type %u)\n", what, bench_status(status),
                val_why_text(why), bench_status(v->status), val_why_text(v->reason.why), name,
                v->reason.type);
    return false;
}

/* The answer as it was proven. */
static inline void bench_write(const struct bench *b, struct world_octets *ret)
{
    ret->len = val_job_write(b->job, ret->buf, sizeof ret->buf);
    assert_true(ret->len > 0);
    assert_int_equal(dns_msg_read(ret->buf, ret->len, ret->table, 256, &ret->msg), DNS_OK);
}

static inline unsigned octets_count(const struct world_octets *o, enum dns_section section,
                                    uint16_t type)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < o->msg.rr_count; i++)
        count += o->msg.rr[i].section == section && o->msg.rr[i].type == type;
    return count;
}

/* --- the world ------------------------------------------------------------------------------- */

static inline void world_patch_ds(struct world *world, const char *child, uint32_t at,
                                  uint8_t value)
{
    struct dns_name name = world_name(child);
    struct world_zone *parent = world_parent(world, &name);
    world_find_zone(world, child)->unusable_ds = true;
    for (uint32_t i = 0; i < parent->count; i++)
        if (parent->rr[i].type == DNS_TYPE_DS && dns_name_equal(&parent->rr[i].owner, &name))
            parent->rr[i].rdata[at] = value;
}

/* Every kind of zone and cut that the tests speak of. */
static inline struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)world_zone(w, ".", WORLD_NSEC, "");
    (void)world_zone(w, "test.", WORLD_NSEC3, "");
    (void)world_zone(w, "optout.", WORLD_OPT_OUT, "www A 192.0.2.9");
    (void)world_zone(w, "example.test.", WORLD_NSEC,
                     "@ A 192.0.2.1\n"
                     "www A 192.0.2.2\n"
                     "www A 192.0.2.5\n"
                     "www TXT \"a word\"\n"
                     "*.wild A 192.0.2.4\n"
                     "*.wildalias CNAME www\n"
                     "a.b.ent A 192.0.2.5\n"
                     "alias CNAME www\n"
                     "cross CNAME www.nsec3.test.\n"
                     "toinsecure CNAME www.insecure.test.\n"
                     "dangling CNAME none.nsec3.test.\n"
                     "nothing CNAME www.nsec3.test.\n"
                     "loop CNAME loop2\n"
                     "loop2 CNAME loop\n"
                     "self CNAME self\n"
                     "tree DNAME nsec3.test.\n"
                     "long DNAME "
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
                     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
                     "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
                     "dddddddddddddddddddddddddddddddddddddddddddddd.test.\n");
    (void)world_zone(w, "nsec3.test.", WORLD_NSEC3,
                     "www A 192.0.2.6\n"
                     "*.wild A 192.0.2.7\n"
                     "a.b.ent A 192.0.2.8\n"
                     "alias CNAME www.example.test.\n");
    (void)world_zone_flags(w, "p256.test.", WORLD_NSEC3, DNS_ALG_ECDSAP256, false,
                           "www A 192.0.2.10");
    (void)world_zone(w, "insecure.test.", WORLD_UNSIGNED,
                     "www A 192.0.2.11\n"
                     "back CNAME www.example.test.\n"
                     "tree DNAME example.test.\n"
                     "loop CNAME loop");
    (void)world_zone_flags(w, "signed.insecure.test.", WORLD_NSEC, DNS_ALG_ED25519, true,
                           "www A 192.0.2.12");
    (void)world_zone_flags(w, "nods.test.", WORLD_NSEC, DNS_ALG_ED25519, true, "www A 192.0.2.13");
    (void)world_zone(w, "below.example.test.", WORLD_UNSIGNED, "www A 192.0.2.14");
    (void)world_zone(w, "sub.example.test.", WORLD_NSEC, "www A 192.0.2.15");
    (void)world_zone(w, "four.sub.example.test.", WORLD_NSEC, "www A 192.0.2.16");
    (void)world_zone(w, "five.four.sub.example.test.", WORLD_NSEC, "www A 192.0.2.17");
    (void)world_zone(w, "zone.gap.example.test.", WORLD_NSEC, "www A 192.0.2.24");
    (void)world_zone(w, "zone.a.b.c.d.e.example.test.", WORLD_NSEC, "www A 192.0.2.25");
    (void)world_zone(w, "cut.optout.", WORLD_UNSIGNED, "www A 192.0.2.18");
    (void)world_zone(w, "signed.optout.", WORLD_OPT_OUT, "www A 192.0.2.19");
    (void)world_zone(w, "many.test.", WORLD_NSEC3, "www A 192.0.2.20");
    (void)world_zone(w, "toomany.test.", WORLD_NSEC3, "www A 192.0.2.21");
    (void)world_zone(w, "unknownalg.test.", WORLD_NSEC, "www A 192.0.2.22");
    (void)world_zone(w, "unknowndigest.test.", WORLD_NSEC, "www A 192.0.2.23");
    world_find_zone(w, "many.test.")->iterations = 100;
    world_find_zone(w, "toomany.test.")->iterations = 600;
    world_patch_ds(w, "unknownalg.test.", 2, 250);
    world_patch_ds(w, "unknowndigest.test.", 3, 250);
    return w;
}

#endif
