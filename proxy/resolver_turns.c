// SPDX-License-Identifier: MIT
/* What the loop's turns do for questions that are not hits. */
#include "proxy/resolver_parts.h"

#include <poll.h>

#define SLICE_US 75u       /* of work, then hits: one that comes waits no longer, but: */
#define SLICE_LEAST 3u     /* questions share what a turn costs, if they can */
#define SLICE_MOST_US 150u /* within this */
#define LONE_LEAST 8u      /* as long as hits are rare: one may have to wait for so much */
#define LONE_MOST_US 600u
#define RARE_MS 100u
#define TURN_US 1000u /* in one turn of the loop, when nothing else is to be done meanwhile */

/* Something is to be read: hits, perhaps. */
static bool is_loop_wanted(const struct resolver *r)
{
    struct pollfd events = {.fd = uv_backend_fd(r->loop), .events = POLLIN};
    return poll(&events, 1, 0) != 0;
}

/* After so much work on so many questions hits are looked for. */
static uint64_t slice_us(const struct resolver *r, uint32_t worked_on)
{
    bool lone = resolver_now(r).mono_ms - r->last_hit_ms >= RARE_MS;
    if (worked_on >= (lone ? LONE_LEAST : SLICE_LEAST))
        return SLICE_US;
    return lone ? LONE_MOST_US : SLICE_MOST_US;
}

/* A turn costs system calls, and wakes those who are sent something: as long as nobody else waits,
 * what is found goes out together. */
static void on_run(uv_idle_t *idle)
{
    struct resolver *r = idle->data;
    uint64_t now_us = resolver_us();
    uint64_t begun_us = now_us, turn_us = now_us + TURN_US;
    uint32_t worked_on = 0;
    struct query *q = NULL;
    while (!r->closing && (q = run_queue_pop(&r->run_queue)) != NULL) {
        q->runnable = false;
        query_run(q);
        now_us = resolver_us();
        if (now_us < begun_us + slice_us(r, ++worked_on))
            continue;
        if (now_us >= turn_us || is_loop_wanted(r))
            return; /* hits first: the rest in the next turn */
        begun_us = now_us;
        worked_on = 0;
    }
    if (!q && !r->closing)
        (void)uv_idle_stop(&r->run);
}

static uint32_t slices_spent(const struct query *q)
{
    const struct val_limits *limits = &q->budget.limits;
    uint32_t slice = limits->slice_units > 0 ? limits->slice_units : 1;
    return (limits->crypto_units - q->budget.crypto_units) / slice;
}

void resolver_schedule(struct query *q)
{
    struct resolver *r = q->resolver;
    if (q->runnable || r->closing)
        return;
    q->runnable = true;
    run_queue_push(&r->run_queue, q, slices_spent(q));
    (void)uv_idle_start(&r->run, on_run);
}
