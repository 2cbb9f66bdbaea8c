// SPDX-License-Identifier: MIT
#include "tests/upstream/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEN = 16 * 1024, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    _Alignas(ALIGN) unsigned char octets[];
};

void *must_alloc(size_t len)
{
    void *p = calloc(1, len ? len : 1);
    if (!p) {
        (void)fputs("fake-upstream: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

void *arena_alloc(struct arena *a, size_t len)
{
    len = (len + ALIGN - 1) / ALIGN * ALIGN;
    if (!a->head || a->head->cap - a->head->used < len) {
        size_t cap = len > BLOCK_LEN ? len : BLOCK_LEN;
        struct arena_block *block = must_alloc(sizeof *block + cap);
        block->cap = cap;
        block->next = a->head;
        a->head = block;
    }
    void *p = a->head->octets + a->head->used;
    a->head->used += len;
    return p;
}

void *arena_copy(struct arena *a, const void *bytes, size_t len)
{
    void *p = arena_alloc(a, len);
    if (len > 0)
        memcpy(p, bytes, len);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
}
