// SPDX-License-Identifier: MIT
/* What comes of a try: an answer, doubt and another try, or a refusal that says why. */
#include "proxy/query_parts.h"

#include <stdio.h>
#include <string.h>

#define RETRY_LEFT_MS 300u /* with less time left nothing is asked anew */

/* --- answers --------------------------------------------------------------------------------- */

static void end(struct query *q)
{
    query_cancel_fetches(q);
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

/* --- disbelief ------------------------------------------------------------------------------- */

static bool may_retry(const struct query *q)
{
    return q->route == DOH_ROUTE_DEFAULT && query_left_ms(q) >= RETRY_LEFT_MS;
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
    query_try(q);
    return true;
}

/* No try gave an answer. What was found bogus stays so when asking again only failed. */
static void refuse(struct query *q, enum val_status status, const struct val_reason *reason)
{
    if (q->attempt != ASK_FIRST && status < q->doubted_status)
        answer_failed(q, q->doubted_status, &q->doubted);
    else
        answer_failed(q, status, reason);
}

/* --- what a try may end with ----------------------------------------------------------------- */

void query_end_unanswered(struct query *q)
{
    if (q->attempt == ASK_FIRST)
        answer_unreachable(q, q->err);
    else if (!try_on(q, q->doubted_status, &q->doubted))
        answer_failed(q, q->doubted_status, &q->doubted);
}

void query_end_expired(struct query *q)
{
    if (q->attempt != ASK_FIRST) /* what was doubted stays so when time runs out */
        answer_failed(q, q->doubted_status, &q->doubted);
    else
        answer_unreachable(q, q->err != DOH_OK ? q->err : DOH_E_TIMEOUT);
}

void query_end_unproven(struct query *q, const struct val_verdict *verdict)
{
    if (!try_on(q, verdict->status, &verdict->reason))
        refuse(q, verdict->status, &verdict->reason);
}

/* Why somebody switched validation off is his own words (RFC 7646 2). */
static void add_negative_reason(const struct query *q, const struct val_reason *reason,
                                struct dns_ede *ede)
{
    if (reason->why != VAL_WHY_NEGATIVE_ANCHOR)
        return;
    uint64_t now_s = resolver_now(q->resolver).wall_s;
    struct val_anchor_hit hit = val_anchors_find(q->anchors, &reason->name, now_s);
    size_t len = strlen(ede->text);
    if (hit.kind == VAL_ANCHOR_NEGATIVE && hit.reason[0])
        (void)snprintf(ede->text + len, sizeof ede->text - len, ": %s", hit.reason);
}

/* Somebody else's answer is proven; the first one was wrong, and not only out of reach. */
static bool was_a_lie(const struct query *q)
{
    return q->first_origin < DOH_UPSTREAMS_MAX && !q->refused_again &&
           (q->doubted_status == VAL_BOGUS || q->claims[q->first_origin].no_dnssec);
}

void query_end_proven(struct query *q, const struct val_verdict *verdict)
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

/* The data as it came, unless it is no data. */
void query_end_raw(struct query *q)
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
