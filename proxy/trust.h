/* SPDX-License-Identifier: MIT */
/* What this process starts from: the trust anchors in use, and the clock. One for all threads.
 *
 * The anchors in use are an immutable object that is replaced as a whole when a zone's keys have
 * rolled (RFC 5011) or a date has come: the one pointer beside the cache that workers share and
 * that changes. Each takes a reference when it sees that the version is another one; what has begun
 * goes on to its end with the anchors it began with.
 *
 * The state directory keeps two texts (proxy/state_file.h): `anchors`, the keys that are followed,
 * and `clock`, the last time that signatures have proven right. Without it, or when what it has is
 * refused, the configured anchors are what there is. */
#ifndef PROXY_TRUST_H
#define PROXY_TRUST_H

#include "proxy/clock.h"
#include "proxy/log.h"
#include "validate/rollover.h"

struct trust;

/* `log` NULL: nothing is said. Both are borrowed. NULL when out of memory. */
struct trust *trust_open(const struct config *config, struct log *log);
void trust_free(struct trust *trust); /* NULL is fine */

/* --- from any thread ----------------------------------------------------------------------- */

struct clock *trust_clock(struct trust *trust);
/* A reference. */
const struct val_anchors *trust_anchors(struct trust *trust);
/* Changes with the anchors; a reader that sees a new one finds at least those anchors. */
uint64_t trust_version(const struct trust *trust);

/* Something that was trusted is not any more. */
bool trust_lacks_some_of(const struct val_anchors *now, const struct val_anchors *before);

/* --- from the one thread that follows ------------------------------------------------------ */

/* NULL: not followed (validation.rollover). */
struct val_rollover *trust_rollover(struct trust *trust);
/* When the anchors have to be made anew though no key has changed. */
uint64_t trust_until_s(const struct trust *trust);
/* Makes them anew. True: something that was trusted is not any more. */
bool trust_renew(struct trust *trust, uint64_t now_s);

bool trust_keeps(const struct trust *trust); /* there is a directory to keep state in */
/* What is to be kept now; malloc()ed or NULL. The clock's only when it is later than what was. */
char *trust_anchors_body(const struct trust *trust);
char *trust_clock_body(uint64_t now_s);
/* Blocks on the disk; may run on any thread, one call at a time. Says in the log what failed. */
bool trust_write_anchors(const struct trust *trust, const char *body);
bool trust_write_clock(struct trust *trust, const char *body, uint64_t now_s);
/* Signatures have proven the clock right since it was saved last. */
void trust_set_proven(struct trust *trust);
/* The last save, when all threads have ended. */
void trust_save_at_end(struct trust *trust);

#endif
