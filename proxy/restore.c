// SPDX-License-Identifier: MIT
#include "proxy/restore.h"

#include "proxy/resolver_parts.h"

/* Not for those who look past the cache or for unvalidated data, nor once an answer was not
 * believed: then upstreams are asked. */
static bool may_restore(const struct query *q)
{
    return q->resolver->snapshot && q->job && q->attempt == ASK_FIRST && !q->past_cache &&
           !q->distrusts_snapshot && q->route == DOH_ROUTE_DEFAULT;
}

static bool find(struct query *q, const struct dns_question *question, struct dns_msg *ret,
                 uint32_t *ret_age_s)
{
    struct resolver *r = q->resolver;
    struct snapshot_message found;
    if (!may_restore(q) || !snapshot_find(r->snapshot, question, resolver_now(r).wall_s, &found) ||
        dns_msg_read(found.wire, found.len, r->table, DNS_RR_MAX, ret) != DNS_OK ||
        !dns_msg_answers(ret, question))
        return false;
    *ret_age_s = found.age_s;
    return true;
}

bool restore_answer(struct query *q)
{
    struct dns_msg msg;
    uint32_t age_s;
    /* Who asks ahead of need, with nobody waiting, wants something newer than what is here. */
    if (!q->asks || !find(q, &q->question, &msg, &age_s))
        return false;
    (void)val_job_answer(q->job, &msg, age_s, VAL_ORIGIN_NONE); /* malformed: bogus, then asked */
    if (q->question.type == DNS_TYPE_DS || q->question.type == DNS_TYPE_DNSKEY)
        (void)val_job_give(q->job, &q->question.name, q->question.type, &msg, age_s,
                           VAL_ORIGIN_NONE);
    q->resolver->stats.restored++;
    return true;
}

bool restore_need(struct query *q, const struct val_need *need)
{
    struct dns_question question = {.name = need->name, .type = need->type, .class_ = DNS_CLASS_IN};
    struct dns_msg msg;
    uint32_t age_s;
    return !need->fresh && find(q, &question, &msg, &age_s) &&
           val_job_give(q->job, &need->name, need->type, &msg, age_s, VAL_ORIGIN_NONE) == DNS_OK;
}

void restore_keep(struct query *q, const struct dns_name *name, uint16_t type,
                  const struct dns_msg *msg, uint32_t age_s)
{
    struct resolver *r = q->resolver;
    struct dns_question question = {.name = *name, .type = type, .class_ = DNS_CLASS_IN};
    struct dns_copy how = {
        .flags = (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (msg->flags & 15)),
        .age_s = age_s,
        .question = &question,
    };
    bool is_chain = type == DNS_TYPE_DS || type == DNS_TYPE_DNSKEY;
    if (!r->keeps_evidence || !is_chain || q->route != DOH_ROUTE_DEFAULT)
        return;
    uint32_t len = dns_msg_copy(msg, &how, r->buf, sizeof r->buf);
    if (len > 0)
        cache_evidence_put(r->cache, &question, r->buf, len, resolver_now(r));
}
