// SPDX-License-Identifier: MIT
/* What one question asks upstream: itself, what its proof is likely to need, and what it is found
 * to need; and what becomes of the answers. */
#include "proxy/query_parts.h"
#include "proxy/restore.h"
#include "proxy/synthesis.h"

#include <stdlib.h>
#include <string.h>

#define OTHERS_MAX 40u /* DS and DNSKEY questions of one try that are under way */

/* An answer, or that there is none; anything else is a failure of who was asked. */
static bool answerable(uint16_t rcode)
{
    return rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN || rcode == DNS_RCODE_YXDOMAIN;
}

/* --- answers --------------------------------------------------------------------------------- */

static void note_claims(struct query *q, uint16_t type, const struct doh_answer *answer,
                        const struct dns_msg *msg)
{
    q->answer.decided = q->answer.decided || claims_decision(msg);
    if (answer->upstream < DOH_UPSTREAMS_MAX)
        claims_note(&q->claims[answer->upstream], type, msg);
}

static void keep_raw(struct query *q, const struct doh_answer *answer, const struct dns_msg *msg)
{
    struct dns_copy how = {
        .flags = (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (msg->flags & 15)),
        .age_s = answer->age_s,
        .question = &q->question,
    };
    struct resolver *r = q->resolver;
    free(q->raw); /* of a try before, which could not be copied */
    q->raw_len = dns_msg_copy(msg, &how, r->buf, sizeof r->buf);
    q->raw = q->raw_len > 0 ? malloc(q->raw_len) : NULL;
    if (q->raw)
        memcpy(q->raw, r->buf, q->raw_len);
    else
        q->raw_len = 0;
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

static void forget(struct query_fetch *f)
{
    struct query *q = f->query;
    struct query_fetch **at = &q->others;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    q->other_count--;
    free(f);
}

static void on_other(void *arg, enum doh_err err, const struct doh_answer *answer,
                     const struct dns_msg *msg)
{
    struct query_fetch *f = arg;
    struct query *q = f->query;
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
    forget(f);
}

/* --- questions ------------------------------------------------------------------------------- */

/* Whoever validates wants to see the evidence, also what others would not believe. Servers of a
 * route that is believed as it stands are asked as any client would ask them. */
static bool asks_unchecked(const struct doh_config *doh, uint32_t route)
{
    return route == DOH_ROUTE_DEFAULT || doh->routes[route].validate == DOH_ROUTE_VALIDATED;
}

static bool start(struct query_fetch *f, const struct dns_question *question, bool fresh,
                  fetches_done_fn *done)
{
    struct query *q = f->query;
    uint32_t origin = q->first_origin;
    const struct doh_config *doh = &q->resolver->config->doh;
    uint32_t route = doh_route_of(doh, question);
    struct fetches_want want = {
        .question = question,
        .route = route,
        .avoid = q->attempt == ASK_OTHER && origin < DOH_UPSTREAMS_MAX ? 1u << origin : 0,
        .only = q->attempt == ASK_AGAIN && origin < DOH_UPSTREAMS_MAX ? 1u << origin : 0,
        .deadline_ms = (uint32_t)query_left_ms(q),
        .checking_disabled = q->attempt != ASK_AGAIN && asks_unchecked(doh, route) && !q->unproven,
        .fresh = fresh || q->attempt == ASK_AGAIN,
        .speculative = f->speculative,
    };
    bool is_new = false;
    f->name = question->name;
    f->type = question->type;
    f->wait = fetches_ask(q->resolver->fetches, &want, &is_new, done, f);
    q->answer.cost.questions += f->wait && is_new;
    return f->wait != NULL;
}

bool query_ask_main(struct query *q)
{
    q->main.query = q;
    return start(&q->main, &q->question, false, on_main);
}

static bool in_flight(const struct query *q, const struct dns_name *name, uint16_t type)
{
    for (const struct query_fetch *f = q->others; f; f = f->next)
        if (f->type == type && dns_name_equal(&f->name, name))
            return true;
    return q->main.wait && q->main.type == type && dns_name_equal(&q->main.name, name);
}

/* False: it did not leave. */
static bool ask_other(struct query *q, const struct val_need *need, bool speculative)
{
    struct dns_question question = {.name = need->name, .type = need->type, .class_ = DNS_CLASS_IN};
    struct query_fetch *f = q->other_count < OTHERS_MAX ? malloc(sizeof *f) : NULL;
    if (!f)
        return false;
    f->query = q;
    f->speculative = speculative;
    if (!start(f, &question, need->fresh, on_other)) {
        free(f);
        return false;
    }
    f->next = q->others;
    q->others = f;
    q->other_count++;
    return true;
}

void query_ask_ahead(struct query *q, const struct val_need *need)
{
    if (!in_flight(q, &need->name, need->type) && !restore_need(q, need) &&
        ask_other(q, need, true))
        val_job_expect(q->job, need);
}

/* As many questions are under way as may be, or memory is short: what is missing is asked for with
 * the next tick, as long as there is time. It is no failure of anybody upstream. */
static void wait_for_room(struct query *q)
{
    q->lacks_room = q->resolver->lacks_room = true;
}

void query_ask_needs(struct query *q)
{
    uint32_t count;
    bool left = false;
    const struct val_need *needs = val_job_needs(q->job, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (in_flight(q, &needs[i].name, needs[i].type))
            continue; /* a guess that fails is asked for again, for then it is needed */
        if (restore_need(q, &needs[i]) || synthesis_need(q, &needs[i])) {
            resolver_schedule(q);
        } else if (ask_other(q, &needs[i], false)) {
            left = true;
        } else if (q->other_count < OTHERS_MAX) {
            wait_for_room(q);
        } else {
            (void)val_job_give(q->job, &needs[i].name, needs[i].type, NULL, 0, VAL_ORIGIN_NONE);
            resolver_schedule(q);
        }
    }
    q->answer.cost.flights += left;
}

void query_cancel_fetches(struct query *q)
{
    if (q->main.wait)
        fetches_cancel(q->main.wait);
    q->main.wait = NULL;
    while (q->others) {
        fetches_cancel(q->others->wait);
        forget(q->others);
    }
}
