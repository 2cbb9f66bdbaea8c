/* SPDX-License-Identifier: MIT */
/* What `veridoh health` is told: one worker's view, a fact a line. */
#ifndef PROXY_HEALTH_H
#define PROXY_HEALTH_H

#include "proxy/server.h"

#define HEALTH_LINES_MAX 24u /* so that all of them fit into one UDP answer on loopback */
#define HEALTH_LINE_MAX 250u /* of a TXT record's string, 255 */

struct health {
    char line[HEALTH_LINES_MAX][HEALTH_LINE_MAX];
    uint32_t count;
};

void health_fill(struct health *health, const struct server_parts *parts,
                 const struct server_stats *server, uint64_t uptime_s);

#endif
