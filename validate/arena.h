/* SPDX-License-Identifier: MIT */
/* Memory of one job: handed out in order, freed as a whole, with a limit. */
#ifndef VALIDATE_ARENA_H
#define VALIDATE_ARENA_H

#include <stddef.h>

struct val_arena;
struct val_arena *val_arena_new(size_t limit); /* octets it may ever hand out */
/* Before anything is taken: what it grows by is taken off *left, which others share and which
 * outlives it, and is given back when it is freed. */
void val_arena_share(struct val_arena *arena, size_t *left);
void *val_arena_take(struct val_arena *arena,
                     size_t len);             /* zeroed, aligned; NULL over the limit */
void val_arena_free(struct val_arena *arena); /* NULL is fine */

#endif
