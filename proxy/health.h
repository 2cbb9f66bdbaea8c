/* SPDX-License-Identifier: MIT */
/* What `veridoh health` is told, a fact a line: "ok", or "degraded: " and why nothing new can be
 * answered, and then numbers: of all workers, but for what the one that is asked knows of
 * upstreams. */
#ifndef PROXY_HEALTH_H
#define PROXY_HEALTH_H

#include "proxy/server.h"

#define HEALTH_LINES_MAX (8u + 3u * DOH_UPSTREAMS_MAX)
#define HEALTH_LINE_MAX 250u /* of a TXT record's string, 255 */

struct health {
    char line[HEALTH_LINES_MAX][HEALTH_LINE_MAX];
    uint32_t count;
};

/* The last try there went wrong, and it has not come back since. */
bool health_is_failing(const struct doh_upstream_status *upstream);

/* While nobody upstream answers, being asked has one try made, so that the end of it is seen. */
void health_fill(struct health *health, const struct server_parts *parts, uint64_t uptime_s);

#endif
