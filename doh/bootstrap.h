/* SPDX-License-Identifier: MIT */
/* The addresses of an upstream's host: given, literal, or asked of its bootstrap servers. */
#ifndef DOH_BOOTSTRAP_H
#define DOH_BOOTSTRAP_H

#include "doh/upstream.h"

/* No address is known, or those known have outlived their TTL. */
bool doh_bootstrap_wanted(const struct doh_upstream *up);
/* Asks for A and AAAA; up->resolving counts what is still to come. Old addresses stay until new
 * ones are there. */
void doh_bootstrap_start(struct doh_upstream *up);

#endif
