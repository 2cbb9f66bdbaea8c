/* SPDX-License-Identifier: MIT */
/* What the log says of an answer that was found bogus. */
#ifndef PROXY_REFUSAL_H
#define PROXY_REFUSAL_H

#include "proxy/log.h"
#include "proxy/resolver.h"

/* Nothing of any other answer, nor once more of what is remembered. Without the operator's leave,
 * no name that was asked for. */
void refusal_log(const struct config *config, struct log *log, const struct dns_question *question,
                 const struct resolver_answer *answer);

#endif
