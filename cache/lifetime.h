/* SPDX-License-Identifier: MIT */
/* How long a message may be kept, and with which TTLs. */
#ifndef CACHE_LIFETIME_H
#define CACHE_LIFETIME_H

#include "cache/cache.h"

struct cache_lifetime {
    uint32_t ttl_s;              /* the whole message; 0: it is not to be kept */
    uint32_t rr_min_s, rr_max_s; /* what each record's own TTL is raised and lowered to */
};

/* `valid_s`: how long every signature in the message is still good. */
struct cache_lifetime cache_lifetime(const struct cache_limits *limits, const struct dns_msg *msg,
                                     uint64_t valid_s);

#endif
