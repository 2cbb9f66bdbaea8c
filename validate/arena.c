// SPDX-License-Identifier: MIT
#include "validate/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Jobs that have little to prove fit the first chunk; what is larger than a chunk gets one of its
 * own. */
#define CHUNK_FIRST ((size_t)12 * 1024)
#define CHUNK_LEN ((size_t)16 * 1024)

struct chunk {
    struct chunk *next;
    size_t used, cap; /* octets of data */
    alignas(max_align_t) uint8_t data[];
};

struct val_arena {        /* lies in its first chunk */
    struct chunk *chunks; /* newest first; only the first one is taken from */
    size_t left;          /* of the limit */
    struct val_arena_pool *pool;
};

static size_t round_up(size_t len)
{
    return (len + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

/* --- chunks ---------------------------------------------------------------------------------- */

static struct chunk *spare_take(struct val_arena_pool *pool)
{
    struct chunk *chunk = pool ? pool->spare : NULL;
    if (!chunk)
        return malloc(sizeof *chunk + CHUNK_FIRST);
    pool->spare = chunk->next;
    pool->spare_count--;
    return chunk;
}

static void spare_put(struct val_arena_pool *pool, struct chunk *chunk)
{
    if (!pool || pool->spare_count + 1 > VAL_SPARES_MAX) {
        free(chunk);
        return;
    }
    chunk->next = pool->spare;
    pool->spare = chunk;
    pool->spare_count++;
}

static struct chunk *chunk_add(struct val_arena *arena, size_t len)
{
    size_t cap = len > CHUNK_LEN ? len : CHUNK_LEN;
    if (arena->pool && arena->pool->left < sizeof(struct chunk) + cap)
        return NULL;
    struct chunk *chunk = malloc(sizeof *chunk + cap);
    if (!chunk)
        return NULL;
    if (arena->pool)
        arena->pool->left -= sizeof *chunk + cap;
    *chunk = (struct chunk){.next = arena->chunks, .cap = cap};
    arena->chunks = chunk;
    return chunk;
}

/* --- arenas ---------------------------------------------------------------------------------- */

struct val_arena *val_arena_new(size_t limit, struct val_arena_pool *pool)
{
    struct chunk *chunk = spare_take(pool);
    if (!chunk)
        return NULL;
    struct val_arena *arena = (struct val_arena *)chunk->data;
    *chunk = (struct chunk){.used = round_up(sizeof *arena), .cap = CHUNK_FIRST};
    *arena = (struct val_arena){.chunks = chunk, .left = limit, .pool = pool};
    return arena;
}

void *val_arena_take_unset(struct val_arena *arena, size_t len)
{
    if (len == 0)
        len = 1; /* a pointer that is not NULL */
    if (len > arena->left)
        return NULL;
    size_t rounded = round_up(len);
    if (rounded < len || rounded > arena->left)
        return NULL;

    struct chunk *chunk = arena->chunks;
    if (rounded > chunk->cap - chunk->used)
        chunk = chunk_add(arena, rounded);
    if (!chunk)
        return NULL;
    void *taken = chunk->data + chunk->used;
    chunk->used += rounded;
    arena->left -= rounded;
    return taken;
}

void *val_arena_take(struct val_arena *arena, size_t len)
{
    void *taken = val_arena_take_unset(arena, len);
    return taken ? memset(taken, 0, len) : NULL;
}

void val_arena_free(struct val_arena *arena)
{
    if (!arena)
        return;
    struct val_arena_pool *pool = arena->pool;
    struct chunk *chunk = arena->chunks;
    for (struct chunk *next; chunk->next; chunk = next) {
        next = chunk->next;
        if (pool)
            pool->left += sizeof *chunk + chunk->cap;
        free(chunk);
    }
    spare_put(pool, chunk); /* the first one, with the arena itself in it */
}

void val_arena_pool_deinit(struct val_arena_pool *pool)
{
    struct chunk *chunk = pool->spare;
    for (struct chunk *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    pool->spare = NULL;
    pool->spare_count = 0;
}
