/* SPDX-License-Identifier: MIT */
/* SipHash-1-3: a keyed hash, so that nobody outside can aim at one bucket or shard. */
#ifndef CACHE_SIPHASH_H
#define CACHE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t cache_siphash(const uint8_t key[static 16], const void *data, size_t len);

#endif
