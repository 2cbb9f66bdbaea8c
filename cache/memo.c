// SPDX-License-Identifier: MIT
#include "cache/memo.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#define WAYS 4u /* of 16 octets: one line of the processor's cache */

/* Read and written by all workers, relaxed. The two halves of a way may be of two different tags
 * when their writers meet; such a pair is no tag that anybody could ask for, since each is half of
 * a digest over a secret. Nothing else is read because of what is found here. */
struct way {
    _Atomic uint64_t word[2];
};

struct set {
    _Alignas(64) struct way way[WAYS];
};

struct cache_memo {
    size_t mask; /* sets less one, a power of two less one */
    struct set *set;
};

struct cache_memo *cache_memo_new(size_t bytes)
{
    size_t count = 1;
    while (2 * count * sizeof(struct set) <= bytes)
        count *= 2;
    struct cache_memo *memo = malloc(sizeof *memo);
    struct set *set = aligned_alloc(_Alignof(struct set), count * sizeof *set);
    if (!memo || !set) {
        free(memo);
        free(set);
        return NULL;
    }
    *memo = (struct cache_memo){.mask = count - 1, .set = set};
    cache_memo_clear(memo);
    return memo;
}

void cache_memo_free(struct cache_memo *memo)
{
    if (!memo)
        return;
    free(memo->set);
    free(memo);
}

size_t cache_memo_bytes(const struct cache_memo *memo)
{
    return malloc_usable_size(memo->set) + sizeof *memo;
}

static uint64_t load(const struct way *way, unsigned i)
{
    return atomic_load_explicit(&way->word[i], memory_order_relaxed);
}

static void store(struct way *way, uint64_t word0, uint64_t word1)
{
    atomic_store_explicit(&way->word[0], word0, memory_order_relaxed);
    atomic_store_explicit(&way->word[1], word1, memory_order_relaxed);
}

static struct set *set_of(struct cache_memo *memo, const struct val_memo_tag *tag)
{
    return &memo->set[(size_t)tag->word[0] & memo->mask];
}

bool cache_memo_find(struct cache_memo *memo, const struct val_memo_tag *tag)
{
    const struct set *set = set_of(memo, tag);
    for (unsigned i = 0; i < WAYS; i++)
        if (load(&set->way[i], 0) == tag->word[0] && load(&set->way[i], 1) == tag->word[1])
            return true;
    return false;
}

/* Into an empty way, else over one that the tag itself names: nobody can choose which. */
void cache_memo_learn(struct cache_memo *memo, const struct val_memo_tag *tag)
{
    struct set *set = set_of(memo, tag);
    unsigned at = (unsigned)(tag->word[1] % WAYS);
    for (unsigned i = 0; i < WAYS; i++)
        if (load(&set->way[i], 0) == 0 && load(&set->way[i], 1) == 0)
            at = i;
    store(&set->way[at], tag->word[0], tag->word[1]);
}

void cache_memo_clear(struct cache_memo *memo)
{
    for (size_t i = 0; i <= memo->mask; i++)
        for (unsigned w = 0; w < WAYS; w++)
            store(&memo->set[i].way[w], 0, 0);
}
