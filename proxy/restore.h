/* SPDX-License-Identifier: MIT */
/* What the last process left behind (cache/snapshot.h), in place of an upstream: messages from it
 * go to the question's job and are proven like any other. */
#ifndef PROXY_RESTORE_H
#define PROXY_RESTORE_H

#include "proxy/query.h"

/* The answer itself. False: it is not there, or this question wants none from there. */
bool restore_answer(struct query *q);
/* A DS or DNSKEY answer that its proof needs. */
bool restore_need(struct query *q, const struct val_need *need);

/* For the next process: an answer to a DS or DNSKEY question, as an upstream gave it. */
void restore_keep(struct query *q, const struct dns_name *name, uint16_t type,
                  const struct dns_msg *msg, uint32_t age_s);

#endif
