// SPDX-License-Identifier: MIT
/* The job over a captured signed world: every verdict, for every order of arrival, with yields
 * after each signature, with each message missing, with octets of the answer wrong, and out of
 * budget. */
#include "tests/test.h"
#include "tests/unit/validate_messages.h"

struct job_case {
    const char *name;
    uint16_t type;
    enum val_status want;
    enum val_why why;
    unsigned flights; /* with an empty cache and what val_plan() asks ahead */
};

// clang-format off
static const struct job_case cases[] = {
    {"secure.test",              DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"secure.test",              DNS_TYPE_MX,     VAL_SECURE,   VAL_WHY_NONE, 1},
    {"www.secure.test",          DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"www.secure.test",          DNS_TYPE_TXT,    VAL_SECURE,   VAL_WHY_NONE, 1}, /* NODATA, NSEC */
    {"nope.secure.test",         DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1}, /* NXDOMAIN, NSEC */
    {"x.wild.secure.test",       DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"x.wild.secure.test",       DNS_TYPE_TXT,    VAL_SECURE,   VAL_WHY_NONE, 1}, /* wildcard NODATA */
    {"empty.names.secure.test",  DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1}, /* empty non-terminal */
    {"deep.empty.names.secure.test", DNS_TYPE_A,  VAL_SECURE,   VAL_WHY_NONE, 1},
    {"alias.secure.test",        DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"elsewhere.secure.test",    DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 2}, /* another tree */
    {"unproven.secure.test",     DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_NO_DS, 2},
    {"www.tree.secure.test",     DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 2}, /* DNAME */
    {"www.tree.secure.test",     DNS_TYPE_CNAME,  VAL_SECURE,   VAL_WHY_NONE, 1}, /* synthesized */
    {"www.ed25519.test",         DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"q.wild.secure.example",    DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1}, /* NSEC3 wildcard */
    {"www.deep.example",         DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"www.c.b.deep.example",     DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1}, /* four cuts */
    {"insecure.test",            DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_NO_DS, 1},
    {"www.insecure.test",        DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_NO_DS, 1},
    {"nope.insecure.test",       DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_NO_DS, 1},
    {"www.insecure.example",     DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_OPT_OUT, 1},
    {"www.bogus.test",           DNS_TYPE_A,      VAL_BOGUS,    VAL_WHY_DNSKEY_DS, 2}, /* DS, DNSKEY afresh */
    {"www.expired.test",         DNS_TYPE_A,      VAL_BOGUS,    VAL_WHY_EXPIRED, 2},
    {"www.future.test",          DNS_TYPE_A,      VAL_BOGUS,    VAL_WHY_NOT_YET, 2},
    {"www.stripped.test",        DNS_TYPE_A,      VAL_BOGUS,    VAL_WHY_NO_RRSIG, 3},
    {"www.forged.test",          DNS_TYPE_A,      VAL_BOGUS,    VAL_WHY_SIGNATURE, 2},
    {"www.sha1.test",            DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_ALGORITHM, 1},
    {"www.unknown.test",         DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_ALGORITHM, 1},
    {"nope.test",                DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1}, /* NXDOMAIN, NSEC3 */
    {"nope",                     DNS_TYPE_A,      VAL_SECURE,   VAL_WHY_NONE, 1},
    {"nope.example",             DNS_TYPE_A,      VAL_INSECURE, VAL_WHY_OPT_OUT, 1},
    {".",                        DNS_TYPE_NS,     VAL_SECURE,   VAL_WHY_NONE, 1},
    {".",                        DNS_TYPE_DS,     VAL_SECURE,   VAL_WHY_NONE, 1}, /* only the root's */
    {"test",                     DNS_TYPE_DS,     VAL_SECURE,   VAL_WHY_NONE, 1},
    {"insecure.test",            DNS_TYPE_DS,     VAL_SECURE,   VAL_WHY_NONE, 1}, /* proven absent */
    {"secure.test",              DNS_TYPE_DNSKEY, VAL_SECURE,   VAL_WHY_NONE, 1},
    {"secure.test",              DNS_TYPE_DS,     VAL_SECURE,   VAL_WHY_NONE, 1},
    {"secure.test",              DNS_TYPE_ANY,    VAL_SECURE,   VAL_WHY_NONE, 1},
};
// clang-format on

/* --- a job and what it runs on --------------------------------------------------------------- */

struct run {
    struct dns_question question;
    struct val_env env;
    struct val_limits limits;
    struct val_budget budget;
    struct val_job *job;
    unsigned flights, steps;
    bool used[CAPTURED_MAX];         /* which messages it was given */
    const struct captured *missing;  /* not to be had */
    const struct captured *replaced; /* looks like `with` instead */
    const struct captured *with;
};

static struct val_policy policy;
static struct dns_rr table[DNS_RR_MAX];

static bool read_msg(const struct captured *c, struct dns_msg *ret)
{
    return dns_msg_read(c->wire, c->len, table, DNS_RR_MAX, ret) == DNS_OK;
}

static void run_begin(struct run *r)
{
    r->budget = val_budget_init(&r->limits);
    r->job = val_job_new(&r->question, &r->env, &r->budget, NULL);
    assert_non_null(r->job);
}

static void run_init(struct run *r, const struct job_case *c)
{
    *r = (struct run){.limits = val_limits_default};
    assert_int_equal(dns_name_parse(c->name, &r->question.name), DNS_OK);
    r->question.type = c->type;
    r->question.class_ = DNS_CLASS_IN;
    r->env = (struct val_env){.anchors = captured_anchors, .policy = &policy};
}

static void run_end(struct run *r)
{
    val_job_free(r->job);
    r->job = NULL;
}

static void give(struct run *r, const struct dns_name *name, uint16_t type)
{
    const struct captured *c = captured_find(name, type);
    struct dns_msg msg;
    if (c)
        r->used[c - captured] = true;
    if (c && c != r->missing && read_msg(c, &msg))
        (void)val_job_give(r->job, name, type, &msg, 0, 7);
    else
        (void)val_job_give(r->job, name, type, NULL, 0, VAL_ORIGIN_NONE);
}

static void give_answer(struct run *r)
{
    const struct captured *c = captured_find(&r->question.name, r->question.type);
    struct dns_msg msg;
    assert_non_null(c);
    c = c == r->replaced ? r->with : c;
    if (read_msg(c, &msg))
        (void)val_job_answer(r->job, &msg, 0, 3);
}

/* As the resolver does it: what is planned leaves with the question, then whatever is needed. */
static const struct val_verdict *run_all(struct run *r)
{
    struct val_need plan[VAL_PLAN_MAX];
    uint32_t count = val_plan(&r->question, &r->env, captured_now, plan, VAL_PLAN_MAX);
    r->flights = 1;
    for (uint32_t i = 0; i < count; i++)
        give(r, &plan[i].name, plan[i].type);
    if (r->question.type == DNS_TYPE_DS || r->question.type == DNS_TYPE_DNSKEY)
        give(r, &r->question.name, r->question.type);
    give_answer(r);
    for (enum val_step step = VAL_NEED; step != VAL_DONE; r->steps++) {
        assert_true(r->steps < 1000); /* it always ends */
        step = val_job_step(r->job, captured_now);
        const struct val_need *needs = val_job_needs(r->job, &count);
        r->flights += step == VAL_NEED;
        assert_true(step != VAL_NEED || count > 0); /* it never waits for nothing */
        for (uint32_t i = 0; step == VAL_NEED && i < count; i++)
            give(r, &needs[i].name, needs[i].type);
    }
    return val_job_verdict(r->job);
}

static void check(const struct job_case *c, const struct val_verdict *v)
{
    if (v->status != c->want || v->reason.why != c->why)
        print_error("%s type %u: status %d, %s\n", c->name, c->type, v->status,
                    val_why_text(v->reason.why));
    assert_int_equal(v->status, c->want);
    assert_int_equal(v->reason.why, c->why);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void verdicts_and_flights(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run r;
        run_init(&r, &cases[i]);
        run_begin(&r);
        check(&cases[i], run_all(&r));
        if (r.flights != cases[i].flights)
            print_error("%s type %u: %u flights\n", cases[i].name, cases[i].type, r.flights);
        assert_int_equal(r.flights, cases[i].flights);
        run_end(&r);
    }
}

static void yielding_changes_nothing(void **state)
{
    (void)state;
    unsigned most = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run r;
        run_init(&r, &cases[i]);
        r.limits.slice_units = 1; /* each step does one signature */
        run_begin(&r);
        check(&cases[i], run_all(&r));
        most = r.steps > most ? r.steps : most;
        run_end(&r);
    }
    assert_true(most > 5); /* it did yield */
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static uint32_t shuffled(uint32_t order[static CAPTURED_MAX], uint32_t *random)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < captured_count; c++)
        if (captured[c].question.type == DNS_TYPE_DS ||
            captured[c].question.type == DNS_TYPE_DNSKEY)
            order[count++] = c;
    for (uint32_t k = count; k > 1; k--) {
        uint32_t other = next_random(random) % k;
        uint32_t kept = order[k - 1];
        order[k - 1] = order[other];
        order[other] = kept;
    }
    return count;
}

/* Much that was captured, in any order, some of it twice, with steps and the answer in between. */
static void any_order_of_arrival(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (uint32_t seed = 1; seed <= 6; seed++) {
            struct run r;
            uint32_t order[CAPTURED_MAX];
            uint32_t random = seed * 2654435761u;
            run_init(&r, &cases[i]);
            run_begin(&r);
            uint32_t count = shuffled(order, &random);
            uint32_t answer_at = next_random(&random) % 40;
            for (uint32_t k = 0; k < count && k < 40; k++) {
                const struct dns_question *q = &captured[order[k]].question;
                if (k == answer_at)
                    give_answer(&r);
                give(&r, &q->name, q->type);
                if (next_random(&random) % 4 == 0)
                    give(&r, &q->name, q->type);
                if (next_random(&random) % 8 == 0)
                    (void)val_job_step(r.job, captured_now);
            }
            check(&cases[i], run_all(&r));
            run_end(&r);
        }
    }
}

/* What cannot be fetched makes an answer indeterminate, or does not matter. Never secure by
 * default, never insecure, never bogus. */
static void each_message_missing(void **state)
{
    (void)state;
    unsigned mattered = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run whole;
        run_init(&whole, &cases[i]);
        run_begin(&whole);
        (void)run_all(&whole);
        run_end(&whole);
        for (uint32_t m = 0; m < captured_count; m++) {
            struct run r;
            if (!whole.used[m])
                continue;
            run_init(&r, &cases[i]);
            r.missing = &captured[m];
            run_begin(&r);
            const struct val_verdict *v = run_all(&r);
            bool same = v->status == cases[i].want;
            bool failed = v->status == VAL_INDETERMINATE && v->reason.why == VAL_WHY_FETCH;
            if (!same && !failed)
                print_error("%s without message %u: status %d, %s\n", cases[i].name, m, v->status,
                            val_why_text(v->reason.why));
            assert_true(same || failed);
            mattered += failed;
            run_end(&r);
        }
    }
    assert_true(mattered > 100);
}

struct written {
    uint8_t wire[DNS_MSG_MAX];
    struct dns_rr rr[DNS_RR_MAX];
    struct dns_msg msg;
};

static void write_out(const struct run *r, struct written *ret)
{
    uint32_t len = val_job_write(r->job, ret->wire, sizeof ret->wire);
    assert_int_equal(dns_msg_read(ret->wire, len, ret->rr, DNS_RR_MAX, &ret->msg), DNS_OK);
}

/* The record's data in canonical form. */
static uint32_t canonical(const struct dns_msg *msg, const struct dns_rr *rr, uint8_t *buf,
                          size_t cap)
{
    struct dns_writer w = dns_writer_init(buf, cap);
    assert_int_equal(dns_rdata_expand(msg, rr, &w), DNS_OK);
    assert_int_equal(dns_rdata_canonical(rr->type, buf, w.off), DNS_OK);
    return w.off;
}

/* The same record, with at least this TTL, is in `msg`. */
static bool has_record(const struct dns_msg *msg, const struct dns_msg *of, const struct dns_rr *rr)
{
    static uint8_t want[DNS_MSG_MAX], have[DNS_MSG_MAX];
    struct dns_name owner = dns_rr_owner(of, rr);
    uint32_t len = canonical(of, rr, want, sizeof want);
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        struct dns_name other = dns_rr_owner(msg, &msg->rr[i]);
        if (msg->rr[i].type == rr->type && dns_name_equal(&owner, &other) &&
            msg->rr[i].ttl_s >= rr->ttl_s &&
            canonical(msg, &msg->rr[i], have, sizeof have) == len && !memcmp(have, want, len))
            return true;
    }
    return false;
}

/* One octet of the answer wrong at a time: what is still secure has no record, and no longer TTL,
 * than what was signed; but for RRSIGs beside the one that verified, which prove nothing. */
static void octets_of_the_answer_wrong(void **state)
{
    (void)state;
    static struct written right, wrong;
    unsigned refused = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run good;
        run_init(&good, &cases[i]);
        run_begin(&good);
        const struct captured *c = captured_find(&good.question.name, good.question.type);
        bool secure = run_all(&good)->status == VAL_SECURE;
        if (secure)
            write_out(&good, &right);
        run_end(&good);
        struct captured bad = *c;
        bad.wire = malloc(c->len);
        for (uint32_t at = DNS_HEADER_LEN; secure && at < c->len; at += 5) {
            struct run r;
            struct dns_msg msg;
            memcpy(bad.wire, c->wire, c->len);
            bad.wire[at] ^= 0x41;
            run_init(&r, &cases[i]);
            r.replaced = c;
            r.with = &bad;
            if (!read_msg(&bad, &msg) || !dns_msg_answers(&msg, &r.question))
                continue; /* refused before it gets here */
            run_begin(&r);
            if (run_all(&r)->status == VAL_SECURE) {
                write_out(&r, &wrong);
                for (uint32_t k = 0; k < wrong.msg.rr_count; k++)
                    assert_true(wrong.msg.rr[k].type == DNS_TYPE_RRSIG ||
                                has_record(&right.msg, &wrong.msg, &wrong.msg.rr[k]));
            } else {
                refused++;
            }
            run_end(&r);
        }
        free(bad.wire);
    }
    assert_true(refused > 300);
}

/* Less and less to spend: bogus for want of budget, or the same verdict; never another. */
static void out_of_budget_is_bogus(void **state)
{
    (void)state;
    unsigned spent_count = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (uint32_t units = 0; units < 40; units += 3) {
            struct run r;
            run_init(&r, &cases[i]);
            r.limits.crypto_units = units;
            r.limits.fetches = units / 2;
            r.limits.sha1_blocks = units * 2;
            run_begin(&r);
            const struct val_verdict *v = run_all(&r);
            bool spent = v->status == VAL_BOGUS && v->reason.why == VAL_WHY_BUDGET;
            if (!spent && v->status != cases[i].want)
                print_error("%s with %u units: status %d, %s\n", cases[i].name, units, v->status,
                            val_why_text(v->reason.why));
            assert_true(spent || v->status == cases[i].want);
            spent_count += spent;
            run_end(&r);
        }
    }
    assert_true(spent_count > 100);
}

/* What is written reads back, answers the question, and has nothing of the additional section. */
static void what_is_written_is_what_was_proven(void **state)
{
    (void)state;
    static struct written out;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run r;
        run_init(&r, &cases[i]);
        run_begin(&r);
        const struct val_verdict *v = run_all(&r);
        if (v->status == VAL_SECURE || v->status == VAL_INSECURE) {
            write_out(&r, &out);
            assert_true(dns_msg_answers(&out.msg, &r.question));
            assert_int_equal((out.msg.flags & DNS_FLAG_AD) != 0, v->status == VAL_SECURE);
            assert_true(v->status != VAL_SECURE || v->expires_s > captured_now);
            for (uint32_t k = 0; k < out.msg.rr_count; k++)
                assert_true(out.msg.rr[k].section != DNS_ADDITIONAL);
        }
        run_end(&r);
    }
}

/* Last, because anchors only grow. */
static void a_negative_anchor_switches_it_off(void **state)
{
    (void)state;
    static const struct job_case bogus = {"www.bogus.test", DNS_TYPE_A, VAL_INSECURE,
                                          VAL_WHY_NEGATIVE_ANCHOR, 1};
    struct dns_name zone;
    struct run r;
    assert_int_equal(dns_name_parse("bogus.test", &zone), DNS_OK);
    assert_int_equal(val_anchors_add_negative(captured_anchors, &zone, captured_now + 10, "test"),
                     DNS_OK);
    run_init(&r, &bogus);
    run_begin(&r);
    check(&bogus, run_all(&r));
    run_end(&r);
}

static int load(void **state)
{
    (void)state;
    captured_load(TEST_DATA "/world.messages");
    policy = val_policy_default(false);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    captured_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_and_flights),
        cmocka_unit_test(yielding_changes_nothing),
        cmocka_unit_test(any_order_of_arrival),
        cmocka_unit_test(each_message_missing),
        cmocka_unit_test(octets_of_the_answer_wrong),
        cmocka_unit_test(out_of_budget_is_bogus),
        cmocka_unit_test(what_is_written_is_what_was_proven),
        cmocka_unit_test(a_negative_anchor_switches_it_off),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
