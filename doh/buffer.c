// SPDX-License-Identifier: MIT
#include "doh/buffer.h"

#include <stdlib.h>
#include <string.h>

#define KEEP 4096u /* octets that an empty buffer may hold on to: idle connections are many */

struct doh_buffer doh_buffer_init(size_t max)
{
    return (struct doh_buffer){.max = max};
}

void doh_buffer_deinit(struct doh_buffer *b)
{
    free(b->data);
    *b = (struct doh_buffer){.max = b->max};
}

size_t doh_buffer_used(const struct doh_buffer *b)
{
    return b->end - b->off;
}

const uint8_t *doh_buffer_front(const struct doh_buffer *b)
{
    return b->data ? b->data + b->off : NULL;
}

static void to_front(struct doh_buffer *b)
{
    if (b->data && b->off > 0)
        memmove(b->data, b->data + b->off, b->end - b->off);
    b->end -= b->off;
    b->off = 0;
}

uint8_t *doh_buffer_room(struct doh_buffer *b, size_t len)
{
    size_t used = doh_buffer_used(b);
    if (len > b->max || used > b->max - len)
        return NULL;
    if (b->data && len <= b->cap - b->end)
        return b->data + b->end;
    to_front(b);
    if (!b->data || len > b->cap - b->end) {
        size_t want = b->cap > b->max / 2 ? b->max : b->cap * 2;
        if (want < used + len)
            want = used + len;
        uint8_t *grown = realloc(b->data, want > 0 ? want : 1);
        if (!grown)
            return NULL;
        b->data = grown;
        b->cap = want;
    }
    return b->data + b->end;
}

void doh_buffer_added(struct doh_buffer *b, size_t len)
{
    b->end += len;
}

bool doh_buffer_add(struct doh_buffer *b, const void *octets, size_t len)
{
    if (len == 0)
        return true;
    uint8_t *room = doh_buffer_room(b, len);
    if (!room)
        return false;
    memcpy(room, octets, len);
    doh_buffer_added(b, len);
    return true;
}

void doh_buffer_drop(struct doh_buffer *b, size_t len)
{
    b->off += len;
    if (b->off < b->end)
        return;
    b->off = b->end = 0;
    if (b->cap > KEEP)
        doh_buffer_deinit(b);
}
