/* SPDX-License-Identifier: MIT */
/* Questions that have something to do, those that have cost least first, and of equals who came
 * first: proofs that are made to be dear (CVE-2023-50387) wait for ordinary ones, which need a
 * slice or two, and not the other way round. Under full load the dear ones may wait until their
 * deadline. */
#ifndef PROXY_RUN_QUEUE_H
#define PROXY_RUN_QUEUE_H

#include <stdint.h>

#define RUN_LEVELS 6u /* 0, 1, 2-3, 4-7, 8-15, 16 and more slices of signature work */

struct query;
struct run_queue { /* zeroed: empty. Links through query->run_next */
    struct query *first[RUN_LEVELS], *last[RUN_LEVELS];
};

void run_queue_push(struct run_queue *queue, struct query *q, uint32_t slices_spent);
struct query *run_queue_pop(struct run_queue *queue);            /* NULL: empty */
void run_queue_remove(struct run_queue *queue, struct query *q); /* it is in the queue */

#endif
