// SPDX-License-Identifier: MIT
#include "proxy/query_parts.h"
#include "proxy/restore.h"
#include "proxy/synthesis.h"

#include <stdlib.h>

uint64_t query_left_ms(const struct query *q)
{
    uint64_t now_ms = resolver_now(q->resolver).mono_ms;
    return q->deadline_ms > now_ms ? q->deadline_ms - now_ms : 0;
}

static const struct val_env *env_of(const struct query *q)
{
    return q->past_cache ? &q->resolver->env_fresh : &q->resolver->env;
}

/* --- tries ----------------------------------------------------------------------------------- */

/* Takes out of the plan what proven gaps say: no DS, and hence no keys to ask for. */
static uint32_t without_known(struct query *q, struct val_need *plan, uint32_t count)
{
    uint32_t left = 0;
    if (count == 0)
        return 0;
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

static void prepare(struct query *q)
{
    query_cancel_fetches(q);
    val_job_free(q->job);
    q->job = NULL;
    q->epoch = cache_epoch(q->resolver->cache);
    q->state = QUERY_FETCH;
    if (q->trace)
        q->trace->count = 0; /* what is shown is the last try */
    if (!q->checking_disabled)
        q->job = val_job_new(&q->question, env_of(q), &q->budget, q->trace);
}

static uint32_t plan_for(struct query *q, struct val_need plan[static VAL_PLAN_MAX])
{
    uint64_t now_s = resolver_now(q->resolver).wall_s;
    return q->job ? val_plan(&q->question, env_of(q), now_s, plan, VAL_PLAN_MAX) : 0;
}

/* From what is at hand. False: it has to be asked. */
static bool find_here(struct query *q)
{
    struct val_need plan[VAL_PLAN_MAX];
    q->synthesized = synthesis_answer(q);
    q->restored = !q->synthesized && restore_answer(q);
    uint32_t planned = q->restored ? plan_for(q, plan) : 0;
    for (uint32_t i = 0; i < planned; i++)
        (void)restore_need(q, &plan[i]); /* what it lacks is asked for when it is missed */
    return q->restored || q->synthesized;
}

/* One flight: the question, and what its proof will need as far as that can be known. */
void query_try(struct query *q)
{
    struct val_need plan[VAL_PLAN_MAX];
    prepare(q);
    if (find_here(q)) {
        q->state = QUERY_VALIDATE;
        resolver_schedule(q);
        return;
    }
    uint32_t planned = without_known(q, plan, plan_for(q, plan));
    q->answer.cost.flights++;
    if ((!q->job && !q->checking_disabled) || !query_ask_main(q)) {
        q->err = DOH_E_QUEUE;
        resolver_schedule(q); /* the verdict is given from the run queue, never from inside here */
        return;
    }
    for (uint32_t i = 0; i < planned; i++)
        query_ask_ahead(q, &plan[i]);
}

void query_begin(struct query *q)
{
    q->attempt = ASK_FIRST;
    q->first_origin = DOH_ROUTE_DEFAULT;
    q->state = QUERY_BEGIN;
    resolver_schedule(q);
}

void query_expire(struct query *q)
{
    if (q->state == QUERY_ANSWER || q->state == QUERY_DONE)
        return;
    query_end_expired(q);
    resolver_schedule(q);
}

void query_free(struct query *q)
{
    query_cancel_fetches(q);
    val_job_free(q->job);
    val_anchors_unref(q->anchors);
    free(q->raw);
    resolver_query_free(q);
}

static bool is_proven_secure(const struct query *q, enum val_step step)
{
    return step == VAL_DONE && val_job_verdict(q->job)->status == VAL_SECURE;
}

/* Anchors were withdrawn since this began, or the cache was flushed for that, which comes a little
 * later: what it has proven so far may rest on one of them, or on keys that did. More anchors than
 * before change nothing for it; and there are more soon after each start, when the first questions
 * wait. */
static bool begin_under_new_anchors(struct query *q)
{
    const struct val_anchors *anchors = resolver_anchors(q->resolver);
    bool withdrawn = q->anchors != anchors && trust_lacks_some_of(anchors, q->anchors);
    if (!withdrawn && q->epoch == cache_epoch(q->resolver->cache))
        return false;
    val_anchors_unref(q->anchors);
    q->anchors = val_anchors_ref(anchors);
    query_try(q);
    return true;
}

static void validate(struct query *q)
{
    if (begin_under_new_anchors(q))
        return;
    q->resolver->epoch = q->epoch;
    enum val_step step = val_job_step(q->job, resolver_now(q->resolver).wall_s);
    if (q->synthesized && step != VAL_AGAIN && !is_proven_secure(q, step)) {
        q->distrusts_gaps = true; /* keys have changed since, or are not at hand */
        query_try(q);
        return;
    }
    switch (step) {
    case VAL_AGAIN: resolver_schedule(q); return;
    case VAL_NEED: query_ask_needs(q); return;
    case VAL_DONE: break;
    }
    const struct val_verdict *verdict = val_job_verdict(q->job);
    if (verdict->status == VAL_SECURE || verdict->status == VAL_INSECURE) {
        query_end_proven(q, verdict);
    } else if (q->restored) {
        q->distrusts_snapshot = true; /* keys have changed since, or the file is not ours */
        query_try(q);
    } else {
        query_end_unproven(q, verdict);
    }
}

/* Knows the order of a question's life; nobody else does. */
void query_run(struct query *q)
{
    switch (q->state) {
    case QUERY_BEGIN: query_try(q); break;
    case QUERY_FETCH:
        if (q->err != DOH_OK && !q->main.wait) /* the question itself failed */
            query_end_unanswered(q);
        break;
    case QUERY_VALIDATE:
        if (q->checking_disabled)
            query_end_raw(q);
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
