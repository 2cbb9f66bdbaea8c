/* SPDX-License-Identifier: MIT */
/* What the files of one question's life share: query.c knows their order, query_ask.c what is asked
 * upstream, query_end.c whether the outcome is believed and what is said of it. */
#ifndef PROXY_QUERY_PARTS_H
#define PROXY_QUERY_PARTS_H

#include "proxy/resolver_parts.h"

/* --- query.c --- */
uint64_t query_left_ms(const struct query *q);
/* Cancels what is under way and asks anew, as q->attempt says. */
void query_try(struct query *q);

/* --- query_ask.c --- */
/* The question itself. False: it did not leave. */
bool query_ask_main(struct query *q);
/* A guess, for the plan. One that does not leave is no loss. */
void query_ask_ahead(struct query *q, const struct val_need *need);
/* All that the job is missing, together. */
void query_ask_needs(struct query *q);
void query_cancel_fetches(struct query *q);

/* --- query_end.c --- */
/* Each of these ends the question, or begins another try of it. */
void query_end_unanswered(struct query *q); /* the question itself was not answered, in this try */
void query_end_expired(struct query *q);
void query_end_raw(struct query *q); /* CD=1 */
void query_end_proven(struct query *q, const struct val_verdict *verdict);
void query_end_unproven(struct query *q, const struct val_verdict *verdict);

#endif
