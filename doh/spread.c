// SPDX-License-Identifier: MIT
#include "doh/spread.h"

#include <string.h>

/* FNV-1a, whose upper bits are poor, and a finalizer for that. Who can foresee the numbers gains
 * nothing. */
static uint64_t hash_octets(const uint8_t *octets, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ octets[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static unsigned registrable_labels(const struct dns_name *name)
{
    if (name->labels < 3)
        return name->labels;
    unsigned last = name->wire[dns_name_suffix_off(name, 1)];
    unsigned before = name->wire[dns_name_suffix_off(name, 2)];
    return last == 2 && before <= 3 ? 3 : 2;
}

uint64_t doh_spread_hash(const struct dns_name *name)
{
    struct dns_name domain = dns_name_suffix(name, registrable_labels(name));
    dns_name_lower(&domain);
    return mix(hash_octets(domain.wire, domain.len));
}

uint64_t doh_spread_weight(uint64_t hash, uint64_t identity)
{
    return mix(hash ^ identity);
}

uint64_t doh_spread_identity(const char *text)
{
    return hash_octets((const uint8_t *)text, strlen(text));
}
