/* SPDX-License-Identifier: MIT */
/* Answers made from what was proven before (RFC 8198, cache/gaps.h), in place of an upstream's.
 * They go to the question's job and are proven like any other, from keys that are at hand: one that
 * does not prove so is forgotten, and the question is asked. */
#ifndef PROXY_SYNTHESIS_H
#define PROXY_SYNTHESIS_H

#include "proxy/query.h"

/* The answer itself. False: none can be made, or this question wants none. */
bool synthesis_answer(struct query *q);
/* The absence of a DS that its proof needs. */
bool synthesis_need(struct query *q, const struct val_need *need);
/* A secure answer was written: what it rests on is kept for others. */
void synthesis_learn(const struct query *q);

#endif
