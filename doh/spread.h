/* SPDX-License-Identifier: MIT */
/* A number that all names of one registrable domain share: with `choice: spread` it decides which
 * upstream is asked, so that each upstream sees only some domains, and always the same ones.
 *
 * What is registrable says the Public Suffix List as libpsl has it built in: nothing is read or
 * fetched, and what is newer than the library costs no more than a domain more or less at an
 * upstream. Its private section counts, too (alice.github.io and bob.github.io are two): it tells
 * owners apart, and else one upstream would see every site that a large hoster or CDN serves. A
 * name with a label that is no host's (dots, other octets) among what would have to be looked up
 * there has its last two labels, or three when the last has two letters and the one before it at
 * most three. */
#ifndef DOH_SPREAD_H
#define DOH_SPREAD_H

#include "dns/name.h"

uint64_t doh_spread_hash(const struct dns_name *name); /* ASCII case ignored */

/* The weight of an upstream for that number (rendezvous hashing): the heaviest is asked. When one
 * comes or goes, only the domains that are its own move. */
uint64_t doh_spread_weight(uint64_t hash, uint64_t identity);

uint64_t doh_spread_identity(const char *text);

#endif
