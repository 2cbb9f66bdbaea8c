/* SPDX-License-Identifier: MIT */
/* A number that all names of one registrable domain share: with `choice: spread` it decides which
 * upstream is asked, so that each upstream sees only some domains, and always the same ones.
 *
 * What is registrable is guessed by a rule, not looked up in the Public Suffix List (a list would
 * have to be kept fresh, and a wrong guess costs nothing but a domain more or less at an upstream):
 * the last two labels, or three when the last has two letters and the one before it at most three
 * (example.co.uk, example.com.au). */
#ifndef DOH_SPREAD_H
#define DOH_SPREAD_H

#include "dns/name.h"

uint64_t doh_spread_hash(const struct dns_name *name); /* ASCII case ignored */

/* The weight of an upstream for that number (rendezvous hashing): the heaviest is asked. When one
 * comes or goes, only the domains that are its own move. */
uint64_t doh_spread_weight(uint64_t hash, uint64_t identity);

uint64_t doh_spread_identity(const char *text);

#endif
