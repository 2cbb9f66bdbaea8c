/* SPDX-License-Identifier: MIT */
/* Replies with records made here: special-use names and the operator's report. Never AD, for
 * nothing here is proven. Each returns octets, or 0. */
#ifndef PROXY_LOCAL_H
#define PROXY_LOCAL_H

#include "proxy/policy.h"
#include "proxy/respond.h"

/* What policy_local() says, unless that is POLICY_FORWARD. Absence comes with an SOA, so that
 * clients may keep it (RFC 2308, RFC 6303 3). */
uint32_t local_answer(const struct request *request, const struct policy_local *local,
                      uint16_t keepalive_ds, void *buf, size_t cap);

/* One TXT record each line, at most 255 octets, in the order given; as many as fit. */
uint32_t local_text(const struct request *request, const char *const *line, uint32_t count,
                    uint16_t keepalive_ds, void *buf, size_t cap);

#endif
