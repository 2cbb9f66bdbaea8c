// SPDX-License-Identifier: MIT
#include "proxy/query.h"

#include "proxy/resolver_parts.h"
#include "proxy/restore.h"
#include "proxy/synthesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_LEFT_MS 300u /* with less time left nothing is asked anew */

static bool answerable(uint16_t rcode)
{
    return rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN || rcode == DNS_RCODE_YXDOMAIN;
}

static uint64_t left_ms(const struct query *q)
{
    uint64_t now_ms = resolver_now(q->resolver).mono_ms;
    return q->deadline_ms > now_ms ? q->deadline_ms - now_ms : 0;
}

static const struct val_env *env_of(const struct query *q)
{
    return q->past_cache ? &q->resolver->env_fresh : &q->resolver->env;
}

/* --- fetches --------------------------------------------------------------------------------- */

static void on_main(void *arg, enum doh_err err, const struct doh_answer *answer,
                    const struct dns_msg *msg);
static void on_other(void *arg, enum doh_err err, const struct doh_answer *answer,
                     const struct dns_msg *msg);

/* Whoever validates wants to see the evidence, also what others would not believe. Servers of a
 * route that is believed as it stands are asked as any client would ask them. */
static bool asks_unchecked(const struct doh_config *doh, uint32_t route)
{
    return route == DOH_ROUTE_DEFAULT || doh->routes[route].validate == DOH_ROUTE_VALIDATED;
}

static bool start_fetch(struct query *q, struct query_fetch *f, const struct dns_question *question,
                        bool speculative, bool fresh, fetches_done_fn *done)
{
    uint32_t origin = q->first_origin;
    const struct doh_config *doh = &q->resolver->config->doh;
    uint32_t route = doh_route_of(doh, question);
    struct fetches_want want = {
        .question = question,
        .route = route,
        .avoid = q->attempt == ASK_OTHER && origin < DOH_UPSTREAMS_MAX ? 1u << origin : 0,
        .only = q->attempt == ASK_AGAIN && origin < DOH_UPSTREAMS_MAX ? 1u << origin : 0,
        .deadline_ms = (uint32_t)left_ms(q),
        .checking_disabled = q->attempt != ASK_AGAIN && asks_unchecked(doh, route) && !q->unproven,
        .fresh = fresh || q->attempt == ASK_AGAIN,
        .speculative = speculative,
    };
    bool is_new = false;
    f->query = q;
    f->name = question->name;
    f->type = question->type;
    f->speculative = speculative;
    f->wait = fetches_ask(q->resolver->fetches, &want, &is_new, done, f);
    q->answer.cost.questions += f->wait && is_new;
    return f->wait != NULL;
}

static bool in_flight(const struct query *q, const struct dns_name *name, uint16_t type)
{
    for (uint32_t i = 0; i < QUERY_FETCHES_MAX; i++)
        if (q->other[i].wait && q->other[i].type == type && dns_name_equal(&q->other[i].name, name))
            return true;
    return q->main.wait && q->main.type == type && dns_name_equal(&q->main.name, name);
}

/* False: it did not leave. */
static bool fetch_other(struct query *q, const struct val_need *need, bool speculative)
{
    struct dns_question question = {.name = need->name, .type = need->type, .class_ = DNS_CLASS_IN};
    for (uint32_t i = 0; i < QUERY_FETCHES_MAX; i++)
        if (!q->other[i].wait)
            return start_fetch(q, &q->other[i], &question, speculative, need->fresh, on_other);
    return false;
}

static void cancel_fetches(struct query *q)
{
    if (q->main.wait)
        fetches_cancel(q->main.wait);
    q->main.wait = NULL;
    for (uint32_t i = 0; i < QUERY_FETCHES_MAX; i++) {
        if (q->other[i].wait)
            fetches_cancel(q->other[i].wait);
        q->other[i].wait = NULL;
    }
}

void query_free(struct query *q)
{
    cancel_fetches(q);
    val_job_free(q->job);
    val_anchors_unref(q->anchors);
    free(q->raw);
    free(q);
}

/* --- tries ----------------------------------------------------------------------------------- */

/* Takes out of the plan what proven gaps say: no DS, and hence no keys to ask for. */
static uint32_t without_known(struct query *q, struct val_need *plan, uint32_t count)
{
    uint32_t left = 0;
    struct dns_name keyless = dns_root; /* whose DS does not exist; it stands before its DNSKEY */
    for (uint32_t i = 0; i < count; i++) {
        bool is_ds = plan[i].type == DNS_TYPE_DS;
        if (is_ds && synthesis_need(q, &plan[i]))
            keyless = plan[i].name;
        else if (is_ds || keyless.labels == 0 || !dns_name_equal(&keyless, &plan[i].name))
            plan[left++] = plan[i];
    }
    return left;
}

static void expect(struct query *q, const struct val_need *need)
{
    if (fetch_other(q, need, true)) /* a guess that does not leave is no loss */
        val_job_expect(q->job, need);
}

/* One flight: the question, and what its proof will need as far as that can be known. */
static void begin_try(struct query *q)
{
    struct val_need plan[VAL_PLAN_MAX];
    uint32_t planned = 0;
    cancel_fetches(q);
    val_job_free(q->job);
    q->job = NULL;
    q->state = QUERY_FETCH;
    if (q->trace)
        q->trace->count = 0; /* what is shown is the last try */
    if (!q->checking_disabled) {
        q->job = val_job_new(&q->question, env_of(q), &q->budget, q->trace);
        planned =
            val_plan(&q->question, env_of(q), resolver_now(q->resolver).wall_s, plan, VAL_PLAN_MAX);
    }
    q->synthesized = synthesis_answer(q);
    q->restored = !q->synthesized && restore_answer(q);
    if (q->restored || q->synthesized) {
        for (uint32_t i = 0; q->restored && i < planned; i++)
            (void)restore_need(q, &plan[i]); /* what it lacks is asked for when it is missed */
        q->state = QUERY_VALIDATE;
        resolver_schedule(q);
        return;
    }
    planned = without_known(q, plan, planned);
    q->answer.cost.flights++;
    if ((!q->job && !q->checking_disabled) ||
        !start_fetch(q, &q->main, &q->question, false, false, on_main)) {
        q->err = DOH_E_QUEUE;
        resolver_schedule(q); /* the verdict is given from the run queue, never from inside here */
        return;
    }
    for (uint32_t i = 0; i < planned; i++)
        if (!in_flight(q, &plan[i].name, plan[i].type) && !restore_need(q, &plan[i]))
            expect(q, &plan[i]);
}

void query_begin(struct query *q)
{
    q->attempt = ASK_FIRST;
    q->first_origin = DOH_ROUTE_DEFAULT;
    q->state = QUERY_BEGIN;
    resolver_schedule(q);
}

static bool may_retry(const struct query *q)
{
    return q->route == DOH_ROUTE_DEFAULT && left_ms(q) >= RETRY_LEFT_MS;
}

static void note_claims(struct query *q, uint16_t type, const struct doh_answer *answer,
                        const struct dns_msg *msg)
{
    if (answer->upstream < DOH_UPSTREAMS_MAX)
        claims_note(&q->claims[answer->upstream], type, msg);
}

/* Which lie it would be, if another upstream proves that it is one. */
static enum doh_lie lie_of(enum val_why why)
{
    bool stripped = why == VAL_WHY_NO_RRSIG || why == VAL_WHY_NO_DENIAL ||
                    why == VAL_WHY_DS_UNPROVEN || why == VAL_WHY_DNSKEY_ABSENT;
    return stripped ? DOH_LIE_STRIPPED : DOH_LIE_BOGUS;
}

static void note_doubt(struct query *q, uint32_t upstream, const struct val_reason *reason)
{
    struct resolver_answer *a = &q->answer;
    if (a->doubt_count == RESOLVER_DOUBTS_MAX)
        return;
    a->doubt[a->doubt_count++] = (struct resolver_doubt){
        .upstream = upstream,
        .reason = *reason,
        .claims = upstream < DOH_UPSTREAMS_MAX ? q->claims[upstream] : (struct claims){0}};
}

/* Disbelief: once more there, then elsewhere. False: this verdict stands. */
static bool try_on(struct query *q, enum val_status status, const struct val_reason *reason)
{
    /* Too many iterations are what the zone itself says, by its own signature. */
    if (!may_retry(q) || reason->why == VAL_WHY_BUDGET || reason->why == VAL_WHY_ITERATIONS_REFUSED)
        return false;
    uint32_t origin = reason->origin < DOH_UPSTREAMS_MAX ? reason->origin : q->origin;
    bool other = origin < DOH_UPSTREAMS_MAX && resolver_has_other(q->resolver, origin);
    if (q->attempt == ASK_FIRST) {
        q->first_origin = origin;
        q->lie = lie_of(reason->why);
        q->doubted_status = status;
        q->doubted = *reason;
    }
    /* It judges, too, and says so where it may: then the zone is at fault, which may have two
     * faces. */
    if (q->attempt == ASK_AGAIN && status == VAL_INDETERMINATE && reason->why == VAL_WHY_RCODE)
        q->refused_again = true;
    bool hopeless = other && q->claims[origin].no_dnssec; /* there is nothing to see there */
    if (q->attempt == ASK_FIRST && status == VAL_BOGUS && origin < DOH_UPSTREAMS_MAX && !hopeless)
        q->attempt = ASK_AGAIN;
    else if (q->attempt != ASK_OTHER && other)
        q->attempt = ASK_OTHER;
    else
        return false;
    q->resolver->stats.disbelieved++;
    note_doubt(q, origin, reason);
    begin_try(q);
    return true;
}

/* --- answers --------------------------------------------------------------------------------- */

static void end(struct query *q)
{
    cancel_fetches(q);
    q->state = QUERY_ANSWER;
    q->answer.upstream = q->origin;
    q->answer.cost.signatures = q->budget.signatures;
    q->answer.cost.remembered = q->budget.remembered;
    q->answer.cost.elapsed_us = resolver_us() - q->started_us;
}

static void add_upstream_name(const struct query *q, uint32_t upstream, struct dns_ede *ede)
{
    const struct doh_config *doh = &q->resolver->config->doh;
    if (upstream < doh->upstream_count)
        claims_append(&q->claims[upstream], doh->upstreams[upstream].name, ede);
}

static void answer_failed(struct query *q, enum val_status status, const struct val_reason *reason)
{
    q->answer.status = status;
    q->answer.reason = *reason;
    val_reason_ede(reason, &q->answer.ede);
    q->answer.at_fault = reason->origin < DOH_UPSTREAMS_MAX ? reason->origin : q->origin;
    if (q->answer.at_fault < DOH_UPSTREAMS_MAX)
        q->answer.claims = q->claims[q->answer.at_fault];
    add_upstream_name(q, q->answer.at_fault, &q->answer.ede);
    end(q);
}

/* The question itself could not be answered. */
static void answer_unreachable(struct query *q, enum doh_err err)
{
    q->answer.status = VAL_INDETERMINATE;
    q->answer.reason = (struct val_reason){.why = VAL_WHY_FETCH,
                                           .zone = dns_root,
                                           .name = q->question.name,
                                           .type = q->question.type,
                                           .origin = VAL_ORIGIN_NONE};
    q->answer.ede.code = doh_err_ede(err);
    (void)snprintf(q->answer.ede.text, sizeof q->answer.ede.text, "%s", doh_err_text(err));
    end(q);
}

void query_expire(struct query *q)
{
    if (q->state == QUERY_ANSWER || q->state == QUERY_DONE)
        return;
    if (q->attempt != ASK_FIRST) /* what was doubted stays so when time runs out */
        answer_failed(q, q->doubted_status, &q->doubted);
    else
        answer_unreachable(q, q->err != DOH_OK ? q->err : DOH_E_TIMEOUT);
    resolver_schedule(q);
}

static void keep_raw(struct query *q, const struct doh_answer *answer, const struct dns_msg *msg)
{
    struct dns_copy how = {
        .flags = (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (msg->flags & 15)),
        .age_s = answer->age_s,
        .question = &q->question,
    };
    free(q->raw); /* of a try before, which could not be copied */
    q->raw = malloc(DNS_MSG_MAX);
    q->raw_len = q->raw ? dns_msg_copy(msg, &how, q->raw, DNS_MSG_MAX) : 0;
}

static void on_main(void *arg, enum doh_err err, const struct doh_answer *answer,
                    const struct dns_msg *msg)
{
    struct query_fetch *f = arg;
    struct query *q = f->query;
    f->wait = NULL;
    q->err = err;
    if (err == DOH_OK) {
        q->origin = answer->upstream;
        note_claims(q, f->type, answer, msg);
        claims_passed(msg, &q->passed);
        if (q->checking_disabled && answerable(msg->rcode))
            keep_raw(q, answer, msg);
        if (q->job) {
            (void)val_job_answer(q->job, msg, answer->age_s, answer->upstream); /* bogus then */
            if (f->type == DNS_TYPE_DS || f->type == DNS_TYPE_DNSKEY)
                (void)val_job_give(q->job, &f->name, f->type, msg, answer->age_s, answer->upstream);
            if (answerable(msg->rcode))
                restore_keep(q, &f->name, f->type, msg, answer->age_s);
        }
        q->state = QUERY_VALIDATE;
    }
    resolver_schedule(q);
}

static void on_other(void *arg, enum doh_err err, const struct doh_answer *answer,
                     const struct dns_msg *msg)
{
    struct query_fetch *f = arg;
    struct query *q = f->query;
    f->wait = NULL;
    if (err == DOH_OK)
        note_claims(q, f->type, answer, msg);
    /* A guess that fails is only not known; what was needed and fails is known to be missing. */
    bool told = err == DOH_OK && (answerable(msg->rcode) || !f->speculative);
    if (told && answerable(msg->rcode))
        restore_keep(q, &f->name, f->type, msg, answer->age_s);
    if (told)
        (void)val_job_give(q->job, &f->name, f->type, msg, answer->age_s, answer->upstream);
    else if (!f->speculative)
        (void)val_job_give(q->job, &f->name, f->type, NULL, 0, VAL_ORIGIN_NONE);
    if (q->state == QUERY_VALIDATE)
        resolver_schedule(q);
}

/* Everything that is missing leaves together. */
static void fetch_needs(struct query *q)
{
    uint32_t count;
    bool left = false;
    const struct val_need *needs = val_job_needs(q->job, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (in_flight(q, &needs[i].name, needs[i].type))
            continue; /* a guess that fails is asked for again, for then it is needed */
        if (restore_need(q, &needs[i]) || synthesis_need(q, &needs[i])) {
            resolver_schedule(q);
        } else if (fetch_other(q, &needs[i], false)) {
            left = true;
        } else {
            (void)val_job_give(q->job, &needs[i].name, needs[i].type, NULL, 0, VAL_ORIGIN_NONE);
            resolver_schedule(q);
        }
    }
    q->answer.cost.flights += left;
}

/* Why somebody switched validation off is his own words (RFC 7646 2). */
static void add_negative_reason(const struct query *q, const struct val_reason *reason,
                                struct dns_ede *ede)
{
    uint64_t now_s = resolver_now(q->resolver).wall_s;
    struct val_anchor_hit hit = val_anchors_find(q->anchors, &reason->name, now_s);
    size_t len = strlen(ede->text);
    if (reason->why == VAL_WHY_NEGATIVE_ANCHOR && hit.kind == VAL_ANCHOR_NEGATIVE && hit.reason[0])
        (void)snprintf(ede->text + len, sizeof ede->text - len, ": %s", hit.reason);
}

/* Somebody else's answer is proven; the first one was wrong, and not only out of reach. */
static bool was_a_lie(const struct query *q)
{
    return q->first_origin < DOH_UPSTREAMS_MAX && !q->refused_again &&
           (q->doubted_status == VAL_BOGUS || q->claims[q->first_origin].no_dnssec);
}

static void answer_proven(struct query *q, const struct val_verdict *verdict)
{
    q->answer.status = verdict->status;
    q->answer.reason = verdict->reason;
    if (q->attempt == ASK_OTHER && was_a_lie(q))
        doh_pool_blame(q->resolver->pool, q->first_origin, q->lie);
    q->answer.ede.code = DNS_EDE_NONE;
    if (verdict->status == VAL_INSECURE)
        q->answer.ede = q->passed;
    if (verdict->status == VAL_INSECURE && val_why_ede(verdict->reason.why) != DNS_EDE_NONE)
        val_reason_ede(&verdict->reason, &q->answer.ede);
    add_negative_reason(q, &verdict->reason, &q->answer.ede);
    if (q->synthesized)
        q->answer.ede = (struct dns_ede){DNS_EDE_SYNTHESIZED, "from proven ranges (RFC 8198)"};
    end(q);
}

/* No try gave an answer. What was found bogus stays so when asking again only failed. */
static void refuse(struct query *q, enum val_status status, const struct val_reason *reason)
{
    if (q->attempt != ASK_FIRST && status < q->doubted_status)
        answer_failed(q, q->doubted_status, &q->doubted);
    else
        answer_failed(q, status, reason);
}

/* The question itself was not answered, in this try. */
static void unanswered(struct query *q)
{
    if (q->attempt == ASK_FIRST)
        answer_unreachable(q, q->err);
    else if (!try_on(q, q->doubted_status, &q->doubted))
        answer_failed(q, q->doubted_status, &q->doubted);
}

static bool is_proven_secure(const struct query *q, enum val_step step)
{
    return step == VAL_DONE && val_job_verdict(q->job)->status == VAL_SECURE;
}

/* Anchors were withdrawn since this began: what it has proven so far, and would let the cache know,
 * may rest on one of them. More anchors than before change nothing for it; and there are more soon
 * after each start, when the first questions wait. */
static bool begin_under_new_anchors(struct query *q)
{
    const struct val_anchors *anchors = resolver_anchors(q->resolver);
    if (q->anchors == anchors || !trust_lacks_some_of(anchors, q->anchors))
        return false;
    val_anchors_unref(q->anchors);
    q->anchors = val_anchors_ref(anchors);
    begin_try(q);
    return true;
}

static void validate(struct query *q)
{
    if (begin_under_new_anchors(q))
        return;
    enum val_step step = val_job_step(q->job, resolver_now(q->resolver).wall_s);
    if (q->synthesized && step != VAL_AGAIN && !is_proven_secure(q, step)) {
        q->distrusts_gaps = true; /* keys have changed since, or are not at hand */
        begin_try(q);
        return;
    }
    switch (step) {
    case VAL_AGAIN: resolver_schedule(q); return;
    case VAL_NEED: fetch_needs(q); return;
    case VAL_DONE: break;
    }
    const struct val_verdict *verdict = val_job_verdict(q->job);
    if (verdict->status == VAL_SECURE || verdict->status == VAL_INSECURE) {
        answer_proven(q, verdict);
    } else if (q->restored) {
        q->distrusts_snapshot = true; /* keys have changed since, or the file is not ours */
        begin_try(q);
    } else if (!try_on(q, verdict->status, &verdict->reason)) {
        refuse(q, verdict->status, &verdict->reason);
    }
}

/* CD=1: the data as it came, unless it is no data. */
static void pass_on(struct query *q)
{
    q->answer.status = VAL_INSECURE;
    q->answer.ede.code = DNS_EDE_NONE;
    struct val_reason reason = {.why = VAL_WHY_RCODE,
                                .zone = dns_root,
                                .name = q->question.name,
                                .type = q->question.type,
                                .origin = q->origin};
    if (q->raw_len > 0)
        end(q);
    else if (!try_on(q, VAL_INDETERMINATE, &reason))
        answer_failed(q, VAL_INDETERMINATE, &reason);
}

/* Knows the order of a question's life; nobody else does. */
void query_run(struct query *q)
{
    switch (q->state) {
    case QUERY_BEGIN: begin_try(q); break;
    case QUERY_FETCH:
        if (q->err != DOH_OK && !q->main.wait) /* the question itself failed */
            unanswered(q);
        break;
    case QUERY_VALIDATE:
        if (q->checking_disabled)
            pass_on(q);
        else
            validate(q);
        break;
    case QUERY_ANSWER:
    case QUERY_DONE: break;
    }
    if (q->state == QUERY_ANSWER) {
        q->state = QUERY_DONE;
        resolver_finish(q);
    }
}
