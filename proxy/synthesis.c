// SPDX-License-Identifier: MIT
#include "proxy/synthesis.h"

#include "cache/gaps.h"
#include "proxy/resolver_parts.h"

/* Not for those who want unvalidated data or look past the cache, nor on a route, nor once an
 * answer was not believed: then upstreams are asked. */
static bool may_synthesize(const struct query *q)
{
    return q->resolver->config->cache.gaps && q->job && q->attempt == ASK_FIRST && !q->past_cache &&
           !q->distrusts_gaps && q->route == DOH_ROUTE_DEFAULT;
}

/* Only what hangs from the same trust anchor as the name may speak for it: above an anchor further
 * down everything else is nothing to it, and below a negative one nothing is proven
 * (CVE-2026-44687 was a denial that reached into somebody else's tree). */
static bool find(struct query *q, const struct dns_question *question, struct dns_msg *ret)
{
    struct resolver *r = q->resolver;
    struct cache_now now = resolver_now(r);
    struct dns_name judged = question->name;
    if (!may_synthesize(q))
        return false;
    if (question->type == DNS_TYPE_DS && judged.labels > 0)
        judged = dns_name_suffix(&judged, judged.labels - 1u);
    struct val_anchor_hit hit = val_anchors_find(r->env.anchors, &judged, now.wall_s);
    if (hit.kind != VAL_ANCHOR_POSITIVE)
        return false;
    uint32_t len =
        cache_gaps_find(r->cache, question, hit.zone, &q->budget, now, r->buf, sizeof r->buf);
    return len > 0 && dns_msg_read(r->buf, len, r->table, DNS_RR_MAX, ret) == DNS_OK;
}

bool synthesis_answer(struct query *q)
{
    struct dns_msg msg;
    /* Who asks ahead of need, with nobody waiting, wants something newer than what is here. */
    return q->asks && find(q, &q->question, &msg) &&
           val_job_answer(q->job, &msg, 0, VAL_ORIGIN_NONE) == DNS_OK;
}

bool synthesis_need(struct query *q, const struct val_need *need)
{
    struct dns_question question = {.name = need->name, .type = need->type, .class_ = DNS_CLASS_IN};
    struct dns_msg msg;
    return need->type == DNS_TYPE_DS && !need->fresh && find(q, &question, &msg) &&
           val_job_give(q->job, &need->name, need->type, &msg, 0, VAL_ORIGIN_NONE) == DNS_OK;
}

void synthesis_learn(const struct query *q)
{
    struct val_proven proven[VAL_PROVEN_MAX];
    if (!q->resolver->config->cache.gaps || q->synthesized || q->route != DOH_ROUTE_DEFAULT)
        return;
    uint32_t count = val_job_proofs(q->job, proven, VAL_PROVEN_MAX);
    if (count > 0)
        cache_gaps_put(q->resolver->cache, proven, count, q->epoch, resolver_now(q->resolver));
}
