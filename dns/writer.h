/* SPDX-License-Identifier: MIT */
/* The mirror image of the reader: the first error sticks and nothing is written past the end. */
#ifndef DNS_WRITER_H
#define DNS_WRITER_H

#include "dns/err.h"

#include <stddef.h>
#include <stdint.h>

struct dns_writer {
    uint8_t *buf;     /* borrowed */
    uint32_t off;     /* octets written */
    uint32_t cap;     /* octets there is room for */
    enum dns_err err; /* the first failure; after it nothing is written */
};

struct dns_writer dns_writer_init(void *buf, size_t cap);

void dns_write_u8(struct dns_writer *w, uint8_t value);
void dns_write_u16(struct dns_writer *w, uint16_t value);
void dns_write_u32(struct dns_writer *w, uint32_t value);
void dns_write_bytes(struct dns_writer *w, const void *bytes, size_t len);

/* Overwrites two octets already written at `off`; for lengths and counts known later. */
void dns_write_patch_u16(struct dns_writer *w, uint32_t off, uint16_t value);

#endif
