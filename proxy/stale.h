/* SPDX-License-Identifier: MIT */
/* Answers that are over but were proven once (RFC 8767), for who cannot be told anything newer; and
 * asking again before they are over. */
#ifndef PROXY_STALE_H
#define PROXY_STALE_H

#include "proxy/resolver_parts.h"

/* What failed is that nobody could be reached, or that nobody had an answer, and nothing about it
 * was found bogus or decided by an upstream: then *answer is filled in with a stale one, in r->buf,
 * whose EDE says what failed. False: it stays as it is. */
bool stale_instead(struct query *q, struct resolver_answer *answer);

/* Once a tick: whoever has waited for long gets a stale answer now, and the question goes on
 * without him; at once, while every upstream is known to be down. */
void stale_tick(struct resolver *r);

/* A hit that is nearly over and was used before: asked for again, if that costs little enough. */
void stale_prefetch(struct resolver *r, const struct cache_key *key);

#endif
