/* SPDX-License-Identifier: MIT */
/* What every pool of the process shares: the parsed URL and TLS context of each upstream. */
#ifndef DOH_SHARED_H
#define DOH_SHARED_H

#include "doh/pool.h"
#include "doh/url.h"

#include <openssl/ssl.h>

struct doh_shared_upstream {
    struct doh_url url;
    SSL_CTX *ctx; /* thread-safe; sessions for resumption live in each pool */
};

struct doh_shared {
    const struct doh_config *config;
    struct doh_shared_upstream upstream[DOH_UPSTREAMS_MAX];
};

#endif
