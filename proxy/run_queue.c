// SPDX-License-Identifier: MIT
#include "proxy/run_queue.h"

#include "proxy/query.h"

static uint8_t level_of(uint32_t slices)
{
    uint8_t level = 0;
    for (; slices > 0 && level < RUN_LEVELS - 1; slices /= 2)
        level++;
    return level;
}

void run_queue_push(struct run_queue *queue, struct query *q, uint32_t slices_spent)
{
    uint8_t level = level_of(slices_spent);
    q->run_level = level;
    q->run_next = NULL;
    if (queue->last[level])
        queue->last[level]->run_next = q;
    else
        queue->first[level] = q;
    queue->last[level] = q;
}

struct query *run_queue_pop(struct run_queue *queue)
{
    for (unsigned level = 0; level < RUN_LEVELS; level++) {
        struct query *q = queue->first[level];
        if (!q)
            continue;
        queue->first[level] = q->run_next;
        if (!q->run_next)
            queue->last[level] = NULL;
        return q;
    }
    return NULL;
}

void run_queue_remove(struct run_queue *queue, struct query *q)
{
    struct query **at = &queue->first[q->run_level];
    struct query *before = NULL;
    while (*at != q) {
        before = *at;
        at = &(*at)->run_next;
    }
    *at = q->run_next;
    if (queue->last[q->run_level] == q)
        queue->last[q->run_level] = before;
}
