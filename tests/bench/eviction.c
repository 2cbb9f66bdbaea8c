// SPDX-License-Identifier: MIT
/* eviction: hit ratios of S3-FIFO (the cache's own shard), LRU and SIEVE, by octets, on a trace of
 * names by Zipf's law, alone and with every tenth question for a random name that nobody asks for
 * again. Entries take 200 to 455 octets. */
#include "cache/shard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 200000u
#define QUESTIONS 4000000u
#define RANDOM_FROM NAMES

struct rng {
    uint64_t state;
};

static uint64_t next(struct rng *rng)
{
    rng->state ^= rng->state << 13;
    rng->state ^= rng->state >> 7;
    rng->state ^= rng->state << 17;
    return rng->state;
}

static double unit(struct rng *rng)
{
    return (double)(next(rng) >> 11) / 9007199254740992.0;
}

/* Cumulated weights, searched by halving. */
static double *zipf_new(double exponent)
{
    double *sum = malloc(NAMES * sizeof *sum);
    double all = 0;
    for (uint32_t i = 0; sum && i < NAMES; i++)
        sum[i] = all += 1 / pow(i + 1, exponent);
    return sum;
}

static uint32_t zipf_next(const double *sum, struct rng *rng)
{
    double at = unit(rng) * sum[NAMES - 1];
    uint32_t low = 0;
    uint32_t high = NAMES - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sum[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t octets_of(uint32_t name)
{
    return 200 + (name * 2654435761u >> 24);
}

/* --- S3-FIFO ------------------------------------------------------------------------------------
 */

static uint64_t hash_of(uint32_t name)
{
    uint64_t h = (name + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static bool s3fifo_ask(struct shard *shard, uint32_t name)
{
    uint8_t key[SHARD_KEY_HEAD + 4] = {0};
    memcpy(key + SHARD_KEY_HEAD, &name, 4);
    if (shard_find(shard, key, sizeof key, hash_of(name)))
        return true;
    size_t len = octets_of(name) - sizeof(struct shard_entry) - 4;
    struct shard_entry *entry = shard_entry_new(key, sizeof key, hash_of(name), len);
    if (entry)
        shard_put(shard, entry);
    return false;
}

/* --- LRU and SIEVE: one list, newest first; SIEVE marks instead of moving ------------------------
 */

struct node {
    uint32_t older, newer;
    bool held, visited;
};

struct list {
    struct node *node; /* by name; 0 is the list's own end */
    uint32_t count, hand;
    size_t bytes, limit;
    bool is_sieve;
};

static void take(struct list *l, uint32_t i)
{
    struct node *n = &l->node[i];
    l->node[n->older].newer = n->newer;
    l->node[n->newer].older = n->older;
}

static void push(struct list *l, uint32_t i)
{
    struct node *n = &l->node[i];
    n->newer = 0;
    n->older = l->node[0].older; /* the newest */
    l->node[n->older].newer = i;
    l->node[0].older = i;
}

static void evict(struct list *l)
{
    uint32_t i = l->is_sieve && l->hand ? l->hand : l->node[0].newer; /* the oldest */
    while (l->is_sieve && l->node[i].visited) {
        l->node[i].visited = false;
        i = l->node[i].newer ? l->node[i].newer : l->node[0].newer;
    }
    l->hand = l->node[i].newer;
    take(l, i);
    l->node[i].held = false;
    l->bytes -= octets_of(i - 1);
}

static bool list_ask(struct list *l, uint32_t name)
{
    struct node *n = &l->node[name + 1];
    if (n->held) {
        n->visited = true;
        if (!l->is_sieve) {
            take(l, name + 1);
            push(l, name + 1);
        }
        return true;
    }
    while (l->bytes + octets_of(name) > l->limit)
        evict(l);
    n->held = true;
    n->visited = false;
    push(l, name + 1);
    l->bytes += octets_of(name);
    return false;
}

/* --- the traces ----------------------------------------------------------------------------------
 */

struct hits {
    uint64_t asked, s3fifo, lru, sieve;
};

static struct hits replay(const double *zipf, double part, bool flood)
{
    size_t limit = (size_t)((double)NAMES * 328 * part);
    struct shard shard;
    uint32_t nodes = NAMES + 1 + (flood ? QUESTIONS / 10 + 1 : 0);
    struct list lru = {.node = calloc(nodes, sizeof *lru.node), .limit = limit};
    struct list sieve = {
        .node = calloc(nodes, sizeof *sieve.node), .limit = limit, .is_sieve = true};
    struct hits hits = {0};
    struct rng rng = {.state = 88172645463325252u};
    uint32_t random = RANDOM_FROM;
    if (!lru.node || !sieve.node || !shard_init(&shard, limit, NULL))
        exit(1);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        bool attack = flood && i % 10 == 9;
        uint32_t name = attack ? random++ : zipf_next(zipf, &rng);
        bool counted = !attack && i > QUESTIONS / 4; /* warm by then */
        bool s3fifo_hit = s3fifo_ask(&shard, name);
        bool lru_hit = list_ask(&lru, name);
        bool sieve_hit = list_ask(&sieve, name);
        hits.asked += counted;
        hits.s3fifo += counted && s3fifo_hit;
        hits.lru += counted && lru_hit;
        hits.sieve += counted && sieve_hit;
    }
    shard_deinit(&shard);
    free(lru.node);
    free(sieve.node);
    return hits;
}

int main(void)
{
    static const double exponents[] = {0.8, 1.0};
    static const double parts[] = {0.01, 0.05, 0.2};
    (void)printf("| trace | room for | S3-FIFO | SIEVE | LRU |\n|---|---|---|---|---|\n");
    for (unsigned e = 0; e < 2; e++) {
        double *zipf = zipf_new(exponents[e]);
        for (unsigned p = 0; zipf && p < 3; p++) {
            for (unsigned flood = 0; flood < 2; flood++) {
                struct hits h = replay(zipf, parts[p], flood == 1);
                double all = (double)h.asked / 100;
                (void)printf("| Zipf %.1f%s | %.0f %% | %.2f %% | %.2f %% | %.2f %% |\n",
                             exponents[e], flood ? ", a tenth random" : "", parts[p] * 100,
                             (double)h.s3fifo / all, (double)h.sieve / all, (double)h.lru / all);
            }
        }
        free(zipf);
    }
    return 0;
}
