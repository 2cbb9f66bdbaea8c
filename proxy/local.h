/* SPDX-License-Identifier: MIT */
/* Answers made here, from policy.h's table or about ourselves. */
#ifndef PROXY_LOCAL_H
#define PROXY_LOCAL_H

#include "proxy/policy.h"
#include "proxy/respond.h"

/* What the table says of a name that never leaves; a negative answer carries an SOA (RFC 6303 3).
 * Octets of the reply, or 0. */
uint32_t local_answer(const struct request *request, const struct policy_local *local,
                      uint16_t keepalive_ds, void *buf, size_t cap);

/* A TXT record for each string, in the question's class; when not all fit, the first ones and TC:
 * by TCP there is room. */
uint32_t local_text(const struct request *request, const char *const *strings, uint32_t count,
                    void *buf, size_t cap);

#endif
