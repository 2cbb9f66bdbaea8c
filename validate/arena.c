// SPDX-License-Identifier: MIT
#include "validate/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Jobs that have little to prove fit the first chunk; what is larger than a chunk gets one of its
 * own. */
#define CHUNK_FIRST ((size_t)4 * 1024)
#define CHUNK_LEN ((size_t)16 * 1024)

struct chunk {
    struct chunk *next;
    size_t used, cap; /* octets of data */
    alignas(max_align_t) uint8_t data[];
};

struct val_arena {
    struct chunk *chunks; /* newest first; only the first one is taken from */
    size_t left;          /* of the limit */
    size_t *shared;       /* what all who share it may still take from the system; or NULL */
};

struct val_arena *val_arena_new(size_t limit)
{
    struct val_arena *arena = calloc(1, sizeof(*arena));
    if (arena)
        arena->left = limit;
    return arena;
}

void val_arena_share(struct val_arena *arena, size_t *left)
{
    arena->shared = left;
}

static struct chunk *chunk_add(struct val_arena *arena, size_t len)
{
    size_t usual = arena->chunks ? CHUNK_LEN : CHUNK_FIRST;
    size_t cap = len > usual ? len : usual;
    if (arena->shared && *arena->shared < sizeof(struct chunk) + cap)
        return NULL;
    struct chunk *chunk = malloc(sizeof(*chunk) + cap);
    if (!chunk)
        return NULL;
    if (arena->shared)
        *arena->shared -= sizeof(*chunk) + cap;
    *chunk = (struct chunk){.next = arena->chunks, .cap = cap};
    arena->chunks = chunk;
    return chunk;
}

void *val_arena_take(struct val_arena *arena, size_t len)
{
    if (len == 0)
        len = 1; /* a pointer that is not NULL */
    if (len > arena->left)
        return NULL;
    size_t rounded = (len + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (rounded < len || rounded > arena->left)
        return NULL;

    struct chunk *chunk = arena->chunks;
    if (!chunk || rounded > chunk->cap - chunk->used)
        chunk = chunk_add(arena, rounded);
    if (!chunk)
        return NULL;
    void *taken = memset(chunk->data + chunk->used, 0, rounded); /* only what is in use */
    chunk->used += rounded;
    arena->left -= rounded;
    return taken;
}

void val_arena_free(struct val_arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (arena->shared)
            *arena->shared += sizeof(*chunk) + chunk->cap;
        free(chunk);
    }
    free(arena);
}
