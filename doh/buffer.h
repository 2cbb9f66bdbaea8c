/* SPDX-License-Identifier: MIT */
/* A flat queue of octets: written at the end, read at the front, never longer than `max`. */
#ifndef DOH_BUFFER_H
#define DOH_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doh_buffer {
    uint8_t *data;   /* owned; the octets are data[off] to data[end - 1] */
    size_t off, end; /* off <= end <= cap */
    size_t cap, max;
};

struct doh_buffer doh_buffer_init(size_t max);
void doh_buffer_deinit(struct doh_buffer *b);

/* Room for `len` more octets, to be followed by _added(); NULL: out of memory or over `max`. */
uint8_t *doh_buffer_room(struct doh_buffer *b, size_t len);
void doh_buffer_added(struct doh_buffer *b, size_t len);
bool doh_buffer_add(struct doh_buffer *b, const void *octets, size_t len);

size_t doh_buffer_used(const struct doh_buffer *b);
const uint8_t *doh_buffer_front(const struct doh_buffer *b); /* valid until the next change */
void doh_buffer_drop(struct doh_buffer *b, size_t len); /* an empty large one frees its memory */

#endif
