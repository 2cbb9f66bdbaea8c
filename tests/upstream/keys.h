/* SPDX-License-Identifier: MIT */
/* Keys that follow from a text: nobody has to store or exchange them, and every run of the world
 * has the same trust anchor. They protect nothing but tests. */
#ifndef UPSTREAM_KEYS_H
#define UPSTREAM_KEYS_H

#include "tests/upstream/zone.h"

/* NULL for an algorithm that is not 5, 7, 8, 10, 13, 14, 15 or 16. */
EVP_PKEY *key_derive(const char *seed, uint8_t algorithm, unsigned rsa_bits);

/* Fills zone->key from its algorithm, its faults and `seed`. False: unknown algorithm. */
bool zone_make_keys(struct arena *arena, struct zone *zone, const char *seed);

/* DNSKEY RDATA like that of an RSA key, with the same tag, and another modulus for every `n`. */
struct octets key_collide(struct arena *arena, const struct zone_key *key, uint16_t n);

/* DS RDATA of one kind for a key (RFC 4034 5.1); `ret` is in the arena. */
struct octets key_ds(struct arena *arena, const struct dns_name *owner, const struct zone_key *key,
                     enum ds_kind kind);

#endif
