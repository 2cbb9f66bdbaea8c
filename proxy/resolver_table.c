// SPDX-License-Identifier: MIT
/* All questions that are under way: in order of their start, which is that of their deadlines, and
 * by what they ask, so that equal ones are joined. */
#include "proxy/resolver_parts.h"

#include <stdlib.h>
#include <string.h>

struct query *resolver_query_new(struct resolver *r, bool is_bounded)
{
    struct query *q = r->spare;
    if (is_bounded && r->count >= r->config->queries_max)
        return NULL;
    if (q) {
        r->spare = q->next;
        r->spare_count--;
    } else {
        q = malloc(sizeof *q);
    }
    if (!q)
        return NULL;
    memset(q, 0, sizeof *q);
    q->resolver = r;
    return q;
}

void resolver_query_free(struct query *q)
{
    struct resolver *r = q->resolver;
    if (r->spare_count + 1 > VAL_SPARES_MAX) {
        free(q);
        return;
    }
    q->next = r->spare;
    r->spare = q;
    r->spare_count++;
}

void resolver_spares_free(struct resolver *r)
{
    while (r->spare) {
        struct query *q = r->spare;
        r->spare = q->next;
        free(q);
    }
}

struct query *resolver_find(const struct resolver *r, const struct resolver_question *q,
                            uint32_t hash, uint32_t route)
{
    struct query *at = r->bucket[hash % RESOLVER_BUCKETS];
    for (; at; at = at->chain)
        if (at->joinable && at->hash == hash && at->question.type == q->question->type &&
            at->route == route && at->question.class_ == q->question->class_ &&
            at->checking_disabled == q->checking_disabled &&
            dns_name_equal(&at->question.name, &q->question->name))
            return at;
    return NULL;
}

void resolver_link(struct resolver *r, struct query *q)
{
    q->prev = r->last;
    if (r->last)
        r->last->next = q;
    else
        r->first = q;
    r->last = q;
    r->count++;
    struct query **bucket = &r->bucket[q->hash % RESOLVER_BUCKETS];
    q->chain = *bucket;
    *bucket = q;
}

void resolver_unlink(struct query *q)
{
    struct resolver *r = q->resolver;
    if (q->prev)
        q->prev->next = q->next;
    else
        r->first = q->next;
    if (q->next)
        q->next->prev = q->prev;
    else
        r->last = q->prev;
    r->count--;
    struct query **p = &r->bucket[q->hash % RESOLVER_BUCKETS];
    while (*p != q)
        p = &(*p)->chain;
    *p = q->chain;
    if (q->runnable)
        run_queue_remove(&r->run_queue, q);
}
