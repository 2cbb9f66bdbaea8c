/* SPDX-License-Identifier: MIT */
/* The zones' part of the cache: references kept by name. */
#ifndef CACHE_ZONES_H
#define CACHE_ZONES_H

#include "cache/shard.h"

void zones_on_drop(struct shard_entry *entry); /* gives the kept reference back */

#endif
