/* SPDX-License-Identifier: MIT */
/* What `veridoh health` is told: one worker's view, a fact a line. */
#ifndef PROXY_HEALTH_H
#define PROXY_HEALTH_H

#include "proxy/server.h"

#define HEALTH_LINES_MAX 16u
#define HEALTH_LINE_MAX 200u

struct health {
    char line[HEALTH_LINES_MAX][HEALTH_LINE_MAX];
    uint32_t count;
};

void health_fill(struct health *health, const struct server_parts *parts,
                 const struct server_stats *server, uint64_t uptime_s);

#endif
