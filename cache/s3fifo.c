// SPDX-License-Identifier: MIT
#include "cache/s3fifo.h"

#define SMALL_SHARE 10u /* a tenth of the limit */

void s3fifo_push(struct shard *shard, struct shard_entry *e, enum shard_queue queue)
{
    struct shard_fifo *fifo = &shard->fifo[queue];
    e->queue = queue & 1u;
    e->newer = NULL;
    e->older = fifo->newest;
    if (fifo->newest)
        fifo->newest->newer = e;
    else
        fifo->oldest = e;
    fifo->newest = e;
    fifo->bytes += e->size;
}

void s3fifo_take(struct shard *shard, struct shard_entry *e)
{
    struct shard_fifo *fifo = &shard->fifo[e->queue];
    if (e->older)
        e->older->newer = e->newer;
    else
        fifo->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        fifo->newest = e->older;
    fifo->bytes -= e->size;
}

/* --- ghosts ---------------------------------------------------------------------------------- */

/* 0 marks an empty place. */
static uint32_t fingerprint(uint32_t hash)
{
    return hash ? hash : 1;
}

/* By a product, so that those of one bucket do not share one place. */
static uint32_t *ghost_of(struct shard *shard, uint32_t hash)
{
    uint32_t mixed = hash * UINT32_C(0x9e3779b1);
    return &shard->ghost[(uint64_t)mixed * shard->ghost_count >> 32];
}

enum shard_queue s3fifo_entrance(struct shard *shard, uint32_t hash)
{
    uint32_t *ghost = ghost_of(shard, hash);
    if (*ghost != fingerprint(hash))
        return SHARD_SMALL;
    *ghost = 0;
    return SHARD_MAIN;
}

/* --- eviction -------------------------------------------------------------------------------- */

static void evict(struct shard *shard, struct shard_entry *e)
{
    shard->evictions++;
    shard_remove(shard, e);
}

static void move(struct shard *shard, struct shard_entry *e, uint8_t frequency)
{
    s3fifo_take(shard, e);
    e->frequency = frequency & 3u;
    s3fifo_push(shard, e, SHARD_MAIN);
}

static void shrink_small(struct shard *shard)
{
    struct shard_entry *e = shard->fifo[SHARD_SMALL].oldest;
    if (e->frequency > 0) {
        move(shard, e, 0);
        return;
    }
    *ghost_of(shard, e->hash) = fingerprint(e->hash);
    evict(shard, e);
}

static void shrink_main(struct shard *shard)
{
    struct shard_entry *e = shard->fifo[SHARD_MAIN].oldest;
    if (e->frequency > 0)
        move(shard, e, (uint8_t)(e->frequency - 1));
    else
        evict(shard, e);
}

/* Ends: each step removes an entry, moves it from small to main, or takes from its frequency. */
bool s3fifo_make_room(struct shard *shard, size_t need)
{
    while (shard->entry_count > 0 && shard->bytes + need > shard->limit) {
        const struct shard_fifo *small = &shard->fifo[SHARD_SMALL];
        bool main_is_empty = !shard->fifo[SHARD_MAIN].oldest;
        if (small->oldest && (main_is_empty || small->bytes > shard->limit / SMALL_SHARE))
            shrink_small(shard);
        else
            shrink_main(shard);
    }
    return shard->bytes + need <= shard->limit;
}
