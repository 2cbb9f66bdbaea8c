/* SPDX-License-Identifier: MIT */
/* Memory of one job: handed out in order, freed as a whole, with a limit. */
#ifndef VALIDATE_ARENA_H
#define VALIDATE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Blocks of one kind that a thread keeps for use again. None under AddressSanitizer, which is to
 * see each use of what was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define VAL_SPARES_MAX 0u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VAL_SPARES_MAX 0u
#endif
#endif
#ifndef VAL_SPARES_MAX
#define VAL_SPARES_MAX 64u
#endif

/* What the arenas of one thread share; outlives them. */
struct val_arena_pool {
    size_t left; /* octets that all of them may still grow by */
    void *spare; /* blocks to begin with: to have one from the system costs more than to fill it */
    uint32_t spare_count;
};
void val_arena_pool_deinit(struct val_arena_pool *pool); /* a zeroed one is fine */

struct val_arena;
/* `limit`: octets it may ever hand out. `pool` is borrowed, or NULL. NULL: out of memory. */
struct val_arena *val_arena_new(size_t limit, struct val_arena_pool *pool);
/* Zeroed, aligned; NULL over the limit. */
void *val_arena_take(struct val_arena *arena, size_t len);
/* The same, but what is in it is anything. */
void *val_arena_take_unset(struct val_arena *arena, size_t len);
void val_arena_free(struct val_arena *arena); /* NULL is fine */

#endif
