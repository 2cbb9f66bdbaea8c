/* SPDX-License-Identifier: MIT */
/* Memory that is given back all at once: the world, its signatures, or one answer. The program is
 * a test's tool, so running out of memory ends it with a message instead of an error path. */
#ifndef UPSTREAM_ARENA_H
#define UPSTREAM_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *head; /* NULL: empty */
};

void *arena_alloc(struct arena *a, size_t len); /* zeroed, aligned, never NULL */
void *arena_copy(struct arena *a, const void *bytes, size_t len);
void arena_free(struct arena *a); /* everything; the arena is empty afterwards */

/* malloc() that ends the program instead of returning NULL; zeroed. */
void *must_alloc(size_t len);

#endif
