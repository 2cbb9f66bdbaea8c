/* SPDX-License-Identifier: MIT */
/* What an honest recursive resolver without validation says about a question. */
#ifndef UPSTREAM_ANSWER_H
#define UPSTREAM_ANSWER_H

#include "tests/upstream/reply.h"

/* `reply` is empty but for the question and DO. Names under no zone: SERVFAIL. */
void answer_question(struct world *world, struct reply *reply);

#endif
