/* SPDX-License-Identifier: MIT */
/* The life of one question, from the first flight to the verdict. Shared by resolver.c, which owns
 * the tables and the clock. */
#ifndef PROXY_QUERY_H
#define PROXY_QUERY_H

#include "proxy/claims.h"
#include "proxy/fetches.h"
#include "proxy/resolver.h"

/*             main answer    other answer   run               deadline
 * BEGIN       -              -              FETCH, VALIDATE   ANSWER
 * FETCH       VALIDATE       give           -                 ANSWER
 * VALIDATE    -              give, run      VALIDATE, FETCH   ANSWER
 *                                           (next try), ANSWER
 * Nothing is done for a question where it arrives: hits that came with it are answered first.
 * A try whose answer is at hand (snapshot, gaps) begins in VALIDATE. One made from gaps fetches
 * nothing: what does not prove at once is FETCH (the same try, without it).
 * ANSWER      -              -              DONE              DONE
 * DONE        -              -              -                 -               */
enum query_state { QUERY_BEGIN, QUERY_FETCH, QUERY_VALIDATE, QUERY_ANSWER, QUERY_DONE };

/* How often the same question is asked anew because its answer was not believed. */
enum query_try {
    ASK_FIRST, /* CD=1: we judge ourselves */
    ASK_AGAIN, /* the same upstream, CD=0, past its cache */
    ASK_OTHER, /* another operator's, CD=1 */
};

struct query;

struct query_fetch { /* one upstream question of this query */
    struct query *query;
    struct query_fetch *next;
    struct fetches_wait *wait; /* NULL: not under way */
    struct dns_name name;
    uint16_t type;
    bool speculative;
};

struct resolver_ask { /* one who waits for the verdict */
    struct query *query;
    struct resolver_ask *next;
    resolver_done_fn *done;
    void *arg;
};

struct query {
    struct resolver *resolver;
    struct query *next, *prev; /* all, in order of their start */
    struct query *run_next;    /* those that have something to do */
    struct query *chain;       /* of the join table */
    uint32_t hash;             /* of the question */
    uint8_t run_level;
    bool runnable, joinable;
    enum query_state state;
    enum query_try attempt;
    struct dns_question question;
    uint32_t route;
    bool checking_disabled, past_cache;
    bool unproven; /* with checking_disabled: nobody proves it but the upstream */
    const struct val_anchors *anchors; /* a reference: those of its start */
    bool restored;                     /* in this try the answer is the snapshot's */
    bool distrusts_snapshot;           /* what came from there did not prove */
    bool synthesized;                  /* in this try the answer is made from gaps */
    bool distrusts_gaps;               /* what came from there did not prove */
    bool lacks_room;                   /* something it needs was not asked for, for lack of that */
    bool has_no_stale;                 /* looked for once, in vain */
    bool telling;                      /* the stale answer, to all who wait: it stays */
    struct val_trace *trace;
    struct resolver_ask *asks;

    struct val_budget budget;
    struct val_job *job;
    uint64_t epoch; /* of the cache, when the try began */
    struct query_fetch main;
    struct query_fetch *others; /* DS and DNSKEY questions under way */
    uint32_t other_count;
    uint32_t origin;       /* upstream of the main answer */
    uint32_t first_origin; /* whose answer was not believed; DOH_ROUTE_DEFAULT: none */
    enum doh_lie lie;
    bool refused_again; /* by the same upstream, with CD=0: it does not believe it either */
    enum val_status doubted_status; /* of the answer not believed: stands if no other is better */
    struct val_reason doubted;
    struct claims claims[DOH_UPSTREAMS_MAX]; /* of those that answered any part of it */
    struct dns_ede passed; /* a policy that the upstream of the main answer admits to */
    enum doh_err err;      /* the last failure of the main question */
    uint8_t *raw;          /* CD=1: the answer as it came, without OPT */
    uint32_t raw_len;

    uint64_t started_us, deadline_ms;
    struct resolver_answer answer; /* state ANSWER */
};

void query_begin(struct query *q);  /* the first flight, from the run queue */
void query_run(struct query *q);    /* from the run queue only */
void query_expire(struct query *q); /* the deadline has come */
void query_free(struct query *q);   /* silent; cancels its fetches */

#endif
