/* SPDX-License-Identifier: MIT */
/* Upstream questions in flight, each asked once: clients' questions and the DS and DNSKEY questions
 * of proofs share one table. Whoever asks for what is already under way waits with the first; how
 * many may is bounded by whom they ask for: one of clients.in-flight, which waits once for each. */
#ifndef PROXY_FETCHES_H
#define PROXY_FETCHES_H

#include "doh/pool.h"
#include "proxy/question_hash.h"

struct fetches;

/* NULL: out of memory. All are borrowed. */
struct fetches *fetches_new(struct doh_pool *pool, const struct doh_config *config,
                            const struct question_hash_key *hash_key);
void fetches_free(struct fetches *fetches); /* cancels what is left, silently */

struct fetches_want {
    const struct dns_question *question;
    uint32_t route;
    uint32_t avoid; /* upstreams not to ask */
    uint32_t only;  /* upstreams that alone may be asked; 0: any */
    uint32_t deadline_ms;
    bool checking_disabled; /* the CD bit upstream: 1 at first, 0 when disbelieved */
    bool fresh;             /* past every cache; never joined with one that is not */
    bool speculative;
};

/* `answer` NULL: it failed. Valid for the call. `msg` is the answer, read. */
typedef void fetches_done_fn(void *arg, enum doh_err err, const struct doh_answer *answer,
                             const struct dns_msg *msg);

struct fetches_wait;
/* NULL: out of memory. *ret_new tells whether a question leaves because of this one. `done`
 * is called once, never before this has returned. */
struct fetches_wait *fetches_ask(struct fetches *fetches, const struct fetches_want *want,
                                 bool *ret_new, fetches_done_fn *done, void *arg);
void fetches_cancel(struct fetches_wait *wait); /* silent and at once */

#endif
