/* SPDX-License-Identifier: MIT */
/* Reads the text of a world: zones with their options, and records as written. */
#ifndef UPSTREAM_WORLD_FILE_H
#define UPSTREAM_WORLD_FILE_H

#include "tests/upstream/world.h"

bool world_file_read(struct world *world, const char *path, char *error, size_t error_cap);

#endif
