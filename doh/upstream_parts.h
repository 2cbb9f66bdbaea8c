/* SPDX-License-Identifier: MIT */
/* What the files of an upstream share: upstream.c (its queue), upstream_judge.c (what responses
 * mean), upstream_life.c (connections come and go, and whether questions can count on them). */
#ifndef DOH_UPSTREAM_PARTS_H
#define DOH_UPSTREAM_PARTS_H

#include "doh/upstream.h"

/* upstream.c */
void doh_upstream_report(struct doh_upstream *up, enum doh_err err, const char *reason);
void doh_upstream_report_good(struct doh_upstream *up);
struct doh_list *doh_ask_queue(const struct doh_ask *ask); /* in which it waits, or would */
void doh_ask_idle(struct doh_ask *ask);                    /* its upstream is done with it */
void doh_ask_fail(struct doh_ask *ask, enum doh_err err);
/* What waits here goes elsewhere, and comes back in its next round at best. */
void doh_upstream_let_go(struct doh_upstream *up, enum doh_err err);
/* That upstream would not answer that question later either. */
void doh_ask_fail_for_good(struct doh_ask *ask, enum doh_err err);
/* A question that got no answer for reasons that lie in the connection: it goes first on another
 * one, but only once; DNS questions are idempotent. */
void doh_ask_replay(struct doh_ask *ask, enum doh_err err, const char *reason);

/* upstream_judge.c */

#endif
