// SPDX-License-Identifier: MIT
#include "proxy/stale.h"

#include <stdio.h>
#include <string.h>

/* For PREFETCH_SHARE questions of clients, hits or not, one may go upstream to be ahead of them;
 * what was not used of that is kept up to a burst, and a little comes with time. */
#define PREFETCH_SHARE 20u
#define PREFETCH_BURST (64u * PREFETCH_SHARE)

/* --- instead of nothing ---------------------------------------------------------------------- */

/* RFC 8767 5: the attempt to refresh it failed, at whatever: nobody answered, or with SERVFAIL, or
 * with what is no answer. What did come and does not prove is another matter. */
static bool is_out_of_reach(const struct resolver_answer *answer)
{
    return answer->status == VAL_INDETERMINATE &&
           (answer->reason.why == VAL_WHY_FETCH || answer->reason.why == VAL_WHY_RCODE);
}

/* Bogus is final: no older answer makes good for what was found wrong now. */
static bool is_doubted(const struct query *q)
{
    return q->attempt != ASK_FIRST && q->doubted_status == VAL_BOGUS;
}

/* RFC 8767 is for who cannot say. An upstream that blocks the name, or whose own validation failed,
 * has said something newer. */
static bool is_overruled(const struct query *q)
{
    return q->answer.decided || is_doubted(q);
}

/* `why` is what keeps the fresh one away. */
static bool find(struct query *q, const char *why, struct resolver_answer *answer)
{
    struct resolver *r = q->resolver;
    struct cache_hit hit;
    struct cache_key key = {.question = &q->question, .route = q->route, .dnssec_ok = true};
    if (q->checking_disabled || q->trace || q->past_cache || is_overruled(q) ||
        !cache_answer_find_stale(r->cache, &key, resolver_now(r), r->buf, sizeof r->buf, &hit))
        return false;
    answer->wire = r->buf;
    answer->len = hit.len;
    answer->status = hit.status;
    struct dns_ede ede = {.code = hit.rcode == DNS_RCODE_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN
                                                                  : DNS_EDE_STALE};
    (void)snprintf(ede.text, sizeof ede.text, "this was proven earlier; now: %s", why);
    answer->ede = ede; /* `why` may have been its text */
    r->stats.stale++;
    return true;
}

bool stale_instead(struct query *q, struct resolver_answer *answer)
{
    return is_out_of_reach(answer) && find(q, answer->ede.text, answer);
}

/* --- instead of waiting ---------------------------------------------------------------------- */

/* The last try at each of them failed. */
static bool all_are_down(struct resolver *r)
{
    struct doh_upstream_status status[DOH_UPSTREAMS_MAX];
    uint32_t count = doh_pool_status(r->pool, status, DOH_UPSTREAMS_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (!status[i].last_error[0] && status[i].quarantine_ms == 0)
            return false;
    return count > 0;
}

static bool tell(struct query *q)
{
    struct resolver_answer answer = q->answer;
    if (!q->asks || q->has_no_stale || q->state == QUERY_ANSWER || q->state == QUERY_DONE)
        return false;
    q->has_no_stale = !find(q, "no upstream has answered yet", &answer);
    if (q->has_no_stale)
        return false;
    q->telling = true; /* who is told may cancel the others */
    resolver_deliver(q, &answer);
    q->telling = false;
    return true;
}

/* After each one told from the start again: who is told may cancel others. It ends: nobody waits
 * for one that was told. */
void stale_tick(struct resolver *r)
{
    uint64_t patience_us = r->config->cache.stale_after_ms * UINT64_C(1000);
    if (r->config->cache.max_stale_s == 0 || !r->first)
        return;
    if (all_are_down(r))
        patience_us = 0;
    uint64_t now_us = resolver_us();
    struct query *q = r->first;
    while (q && !r->closing && now_us - q->started_us >= patience_us)
        q = tell(q) ? r->first : q->next;
}

/* --- ahead of need --------------------------------------------------------------------------- */

static bool may_prefetch(struct resolver *r)
{
    uint64_t now_ms = resolver_now(r).mono_ms;
    uint64_t clients = r->stats.asked + r->hits;
    uint64_t earned = clients - r->credited_clients;
    earned += (now_ms - r->credited_ms) / 1000 * PREFETCH_SHARE; /* one a second */
    if (now_ms - r->credited_ms >= 1000)
        r->credited_ms = now_ms;
    r->credited_clients = clients;
    uint64_t credit = r->prefetch_credit + earned;
    r->prefetch_credit = credit < PREFETCH_BURST ? (uint32_t)credit : PREFETCH_BURST;
    /* Lowest priority: only while there is room for four times as many questions. */
    return r->prefetch_credit >= PREFETCH_SHARE && r->count < r->config->queries_max / 4 &&
           !r->closing;
}

void stale_prefetch(struct resolver *r, const struct cache_key *key)
{
    struct resolver_question question = {.question = key->question};
    if (!r->config->prefetch || key->checking_disabled || !may_prefetch(r) ||
        !resolver_refresh(r, &question, key->route))
        return;
    r->prefetch_credit -= PREFETCH_SHARE;
    r->stats.prefetched++;
}
