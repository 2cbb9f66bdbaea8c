/* SPDX-License-Identifier: MIT */
/* A bounded reader over octets from outside, whose first error sticks: statements are written one
 * after the other and `err` is looked at once, before belief. `buf` is always the whole message, so
 * that compression pointers can be followed; `off` and `end` bound what may be read. */
#ifndef DNS_READER_H
#define DNS_READER_H

#include "dns/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_reader {
    const uint8_t *buf; /* borrowed: must outlive the reader */
    uint32_t off, end;  /* octets from buf, off <= end */
    enum dns_err err;   /* the first failure; after it reads give 0 and move nothing */
};

/* At most UINT32_MAX octets; more is DNS_E_COUNT at once. */
struct dns_reader dns_reader_init(const void *buf, size_t len);

uint8_t dns_read_u8(struct dns_reader *r);
uint16_t dns_read_u16(struct dns_reader *r);
uint32_t dns_read_u32(struct dns_reader *r);

/* The next `len` octets, borrowed from buf; NULL and err set when they are not there. For len 0 a
 * non-NULL pointer that must not be read. */
const uint8_t *dns_read_bytes(struct dns_reader *r, uint32_t len);

/* A reader over just the next `len` octets; the parent moves past them whatever the child does.
 * On failure the child carries the same error. */
struct dns_reader dns_read_child(struct dns_reader *r, uint32_t len);

uint32_t dns_reader_left(const struct dns_reader *r); /* 0 after an error */

/* err, or DNS_E_TRAILING when octets are left. */
enum dns_err dns_reader_finish(const struct dns_reader *r);

#endif
