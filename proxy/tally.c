// SPDX-License-Identifier: MIT
#include "proxy/tally.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_COUNT (sizeof(struct server_stats) / sizeof(uint64_t))
#define RESOLVER_COUNT (sizeof(struct resolver_stats) / sizeof(uint64_t))
#define CACHE_LINE 64

/* Relaxed: one thread writes each number, others only show it, and nothing follows from it. A line
 * of memory belongs to one worker, so that none waits for another's writing. */
struct counted {
    alignas(CACHE_LINE) _Atomic uint64_t server[SERVER_COUNT];
    _Atomic uint64_t resolver[RESOLVER_COUNT];
};

struct tally {
    uint32_t workers;
    struct counted counted[];
};

_Static_assert(sizeof(struct server_stats) % sizeof(uint64_t) == 0, "numbers only");
_Static_assert(sizeof(struct resolver_stats) % sizeof(uint64_t) == 0, "numbers only");

struct tally *tally_new(uint32_t workers)
{
    size_t len = sizeof(struct tally) + workers * sizeof(struct counted);
    struct tally *tally = aligned_alloc(alignof(struct tally), len);
    if (!tally)
        return NULL;
    memset(tally, 0, len); /* no other thread knows of it yet */
    tally->workers = workers;
    return tally;
}

void tally_free(struct tally *tally)
{
    free(tally);
}

static void publish(_Atomic uint64_t *numbers, const void *stats, size_t count)
{
    const uint8_t *octets = stats;
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        memcpy(&number, octets + i * sizeof number, sizeof number);
        atomic_store_explicit(&numbers[i], number, memory_order_relaxed);
    }
}

void tally_server(struct tally *tally, uint32_t worker, const struct server_stats *stats)
{
    publish(tally->counted[worker - 1].server, stats, SERVER_COUNT);
}

void tally_resolver(struct tally *tally, uint32_t worker, const struct resolver_stats *stats)
{
    publish(tally->counted[worker - 1].resolver, stats, RESOLVER_COUNT);
}

static void add(uint64_t *sums, const _Atomic uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += atomic_load_explicit(&numbers[i], memory_order_relaxed);
}

void tally_sum(const struct tally *tally, struct server_stats *ret_server,
               struct resolver_stats *ret_resolver)
{
    uint64_t server[SERVER_COUNT] = {0};
    uint64_t resolver[RESOLVER_COUNT] = {0};
    for (uint32_t i = 0; i < tally->workers; i++) {
        add(server, tally->counted[i].server, SERVER_COUNT);
        add(resolver, tally->counted[i].resolver, RESOLVER_COUNT);
    }
    memcpy(ret_server, server, sizeof *ret_server);
    memcpy(ret_resolver, resolver, sizeof *ret_resolver);
}
