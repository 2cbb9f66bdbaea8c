// SPDX-License-Identifier: MIT
#include "cache/siphash.h"

#include <endian.h>
#include <string.h>

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void round_(uint64_t v[static 4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const uint8_t *p, size_t len)
{
    uint64_t x = 0;
    memcpy(&x, p, len);
    return le64toh(x);
}

uint64_t cache_siphash(const uint8_t key[static 16], const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t k0 = little_endian(key, 8);
    uint64_t k1 = little_endian(key + 8, 8);
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t left = len;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t m = little_endian(p, 8);
        v[3] ^= m;
        round_(v);
        v[0] ^= m;
    }
    uint64_t m = little_endian(p, left) | (uint64_t)len << 56;
    v[3] ^= m;
    round_(v);
    v[0] ^= m;
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 3; i++)
        round_(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
