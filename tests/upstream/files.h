/* SPDX-License-Identifier: MIT */
/* What the program leaves in its directory for those who start it. */
#ifndef UPSTREAM_FILES_H
#define UPSTREAM_FILES_H

#include "tests/upstream/world.h"

/* root.ds and root.key, in master-file form: the trust anchors of every zone without a parent. */
bool files_write_anchors(const struct world *world, const char *dir);

/* `ready`, last and whole at once: port, control_port, plain_port and pid as key=value lines. */
bool files_write_ready(const char *dir, uint16_t port, uint16_t control_port, uint16_t plain_port);

#endif
