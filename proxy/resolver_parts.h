/* SPDX-License-Identifier: MIT */
/* The resolver as its own files see it. */
#ifndef PROXY_RESOLVER_PARTS_H
#define PROXY_RESOLVER_PARTS_H

#include "proxy/query.h"
#include "proxy/question_hash.h"
#include "proxy/run_queue.h"
#include "proxy/trust.h"
#include "validate/arena.h"

#define RESOLVER_BUCKETS 1024u

struct resolver {
    uv_loop_t *loop;
    const struct config *config;
    struct cache *cache;
    struct doh_pool *pool;
    struct resolver_clock clock;
    struct fetches *fetches;
    const struct snapshot *snapshot;   /* what the last process left behind; NULL: nothing */
    bool keeps_evidence;               /* for the next one */
    struct trust *trust;               /* or NULL: the anchors never change */
    uint64_t epoch;                    /* of the proof that is being worked on */
    uint64_t trust_version;            /* of these: */
    const struct val_anchors *anchors; /* a reference: what may be used now */
    struct val_memo memo;              /* signatures that verified, in the cache */
    struct val_env env;                /* with what the cache knows of zones */
    struct val_env env_fresh;          /* without: everything is proven anew */
    uv_idle_t run;                     /* active while queries have something to do */
    uv_timer_t tick;                   /* deadlines */
    uv_timer_t prime;                  /* the root's keys */
    uint32_t prime_wait_s;
    struct resolver_ask *priming;
    bool closing;
    int handles;
    void (*on_closed)(void *arg);
    void *closed_arg;
    struct query *first, *last; /* all, oldest first; deadlines are in the same order */
    uint32_t count;
    bool lacks_room;  /* some of them do; they are run at the next tick */
    uint32_t waiting; /* resolver_ask()s of all of them but past the cache: equal ones each count */
    struct val_arena_pool memory; /* for the jobs of all queries */
    struct query *spare;          /* questions that are over; through query->next */
    uint32_t spare_count;
    struct run_queue run_queue;
    struct question_hash_key hash_key;
    struct query *bucket[RESOLVER_BUCKETS];
    struct resolver_stats stats;
    uint64_t hits;            /* answered from the cache without being asked */
    uint64_t last_hit_ms;     /* when one was */
    uint32_t prefetch_credit; /* proxy/stale.c */
    uint64_t credited_clients, credited_ms;
    uint8_t buf[DNS_MSG_MAX];        /* the answer being delivered, or evidence being kept */
    struct dns_rr table[DNS_RR_MAX]; /* of the message being restored */
};

struct cache_now resolver_now(const struct resolver *r);
uint64_t resolver_us(void); /* for elapsed times only */

/* --- resolver_turns.c --- */
void resolver_schedule(struct query *q); /* it has something to do: query_run() in a later turn */

/* --- resolver_table.c --- */
/* Zeroed, but for the resolver; NULL: out of memory, or, if it is
 * bounded by that, too many are under way. */
struct query *resolver_query_new(struct resolver *r, bool is_bounded);
void resolver_query_free(struct query *q); /* it is not linked */
void resolver_spares_free(struct resolver *r);
/* One that waits for the same answer, or NULL. */
struct query *resolver_find(const struct resolver *r, const struct resolver_question *question,
                            uint32_t hash, uint32_t route);
void resolver_link(struct resolver *r, struct query *q); /* q->hash and question are there */
void resolver_unlink(struct query *q);                   /* from the run queue, too */

/* --- resolver_trust.c --- */
/* A reference to those of the configuration that may be used now; NULL: out of memory. */
const struct val_anchors *resolver_first_anchors(const struct config *config, uint64_t now_s);

/* --- resolver.c --- */
/* Delivers q->answer to all who wait, and frees q. */
void resolver_finish(struct query *q);
/* To all who wait; q goes on, if there is something to go on with. */
void resolver_deliver(struct query *q, const struct resolver_answer *answer);
/* Asks without anybody waiting, for the cache. False: it is being asked, or cannot be. */
bool resolver_refresh(struct resolver *r, const struct resolver_question *question, uint32_t route);
/* Some upstream of another operator exists. */
bool resolver_has_other(const struct resolver *r, uint32_t upstream);

#endif
