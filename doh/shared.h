/* SPDX-License-Identifier: MIT */
/* What all workers share of the upstreams: parsed URLs and TLS contexts, immutable, and under a
 * lock the TLS sessions for resumption and whether early data may be sent with them. */
#ifndef DOH_SHARED_H
#define DOH_SHARED_H

#include "doh/pool.h"
#include "doh/tls.h"
#include "doh/url.h"

const struct doh_config *doh_shared_config(const struct doh_shared *shared);
const struct doh_url *doh_shared_url(const struct doh_shared *shared, uint32_t upstream);
const char *doh_shared_operator(const struct doh_shared *shared, uint32_t upstream);
uint64_t doh_shared_floor_s(const struct doh_shared *shared);
/* Whom the upstream's certificate must be for; valid as long as `shared`. */
struct doh_tls_peer doh_shared_peer(const struct doh_shared *shared, uint32_t upstream);
SSL_CTX *doh_shared_context(const struct doh_shared *shared, uint32_t upstream);

/* A session to resume, or NULL; the caller frees it. TLS 1.3 tickets are given out once only
 * (RFC 8446 C.4). */
SSL_SESSION *doh_shared_session(struct doh_shared *shared, uint32_t upstream);

/* Early data has done harm: no worker is to send any before that time. */
void doh_shared_hold_early(struct doh_shared *shared, uint32_t upstream, uint64_t until_ms);
bool doh_shared_holds_early(struct doh_shared *shared, uint32_t upstream, uint64_t now_ms);

/* What is known of the addresses of upstreams' hosts; shared, has a lock of its own. */
struct doh_addresses *doh_shared_addresses(const struct doh_shared *shared);

#endif
