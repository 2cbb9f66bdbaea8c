/* SPDX-License-Identifier: MIT */
/* The structures that pool.c, fetch.c, upstream.c, dial.c and connection.c share: one loop, one
 * thread, no locks. Who may change what:
 *
 *   pool        the lists of fetches and the turn               pool.c
 *   fetch       one question's life                             fetch.c
 *   ask         that question at one upstream                   upstream.c
 *   upstream    its queue, health and connections               upstream.c, dial.c
 *   dial        its race, and the addresses that it knows       dial.c, dial_addresses.c
 *
 * A *turn* is what happens in the loop's prepare phase, once for all that a round of events has
 * brought: finished fetches are told to their owners, undecided ones get an upstream, upstreams put
 * waiting questions on connections, and each connection sends all of it at once. Between turns
 * events only move things from list to list. */
#ifndef DOH_PARTS_H
#define DOH_PARTS_H

#include "doh/choice.h"
#include "doh/health.h"
#include "doh/hedge.h"
#include "doh/learned.h"
#include "doh/list.h"
#include "doh/network.h"
#include "doh/pool.h"
#include "doh/url.h"

struct doh_conn;
struct doh_plain;
struct doh_plain_query;
struct doh_route;
struct doh_bootstrap;
struct doh_refresh;
struct doh_upstream;

struct doh_pool {
    uv_loop_t *loop;
    struct doh_shared *shared;
    const struct doh_config *config;
    doh_event_fn *on_event;
    void *event_arg;
    void (*on_news)(void *arg);
    void *news_arg;
    uv_prepare_t turn;
    uv_idle_t busy;   /* active: the loop must not wait before the next turn */
    uv_timer_t alarm; /* for the next fetch that is due */
    struct doh_network network;
    bool answered;    /* some upstream has, ever */
    bool warm;        /* a connection is to be there before questions are */
    uint32_t warmed;  /* so many upstreams were dialled for that */
    uint64_t warm_ms; /* when the next one is; UINT64_MAX: not at all */
    uint32_t handles; /* of the loop, not yet closed */
    struct doh_upstream *upstreams;
    uint32_t upstream_count;
    struct doh_route **routes; /* opened when first needed */
    struct doh_list choosing;  /* fetches that need an upstream */
    struct doh_list asked;     /* fetches that wait for an answer */
    struct doh_list finished;  /* fetches whose `done` is to be called */
    struct doh_list dialling;  /* dials that stand in line (dial_slots.h) */
    uint32_t fetch_count;
    uint64_t turns; /* for `choice: round-robin` */
    struct doh_hedge_budget hedges;
    uint64_t alarm_ms; /* when it rings; UINT64_MAX: not at all */
    bool closing;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* One question at one upstream: idle (upstream NULL), waiting in the upstream's queue (conn NULL),
 * or sent. */
struct doh_ask {
    struct doh_list link; /* in the upstream's queue or the connection's list */
    struct doh_fetch *fetch;
    struct doh_upstream *upstream;
    struct doh_conn *conn;
    int32_t stream;
    uint64_t declined_ms; /* when its server, alive, gave it back the first time; 0: it has not */
    uint64_t sent_ms;
    bool held;     /* it waits for a connection, not only for its turn on one */
    bool get;      /* as what it was sent */
    bool left;     /* it has been sent at least once */
    bool early;    /* it went ahead of a handshake, and was taken so */
    bool replayed; /* a second time is the last */
};

/*            upstream found   ask failed   answer     hedge      failover    deadline   cancel
 * CHOOSING   ASKED            CHOOSING     FINISHED   -          -           FINISHED   freed
 * ASKED      -                CHOOSING     FINISHED   ASKED      CHOOSING    FINISHED   freed
 * FINISHED   -                -            -          -          -           -          freed
 * ASKED without an ask: all have failed, and it waits for its last chance.
 * While it chooses again, an earlier ask may still be running: the first answer wins. A hedge is
 * one more ask, if another upstream is well and the budget allows it (hedge.h). */
enum doh_fetch_state { DOH_FETCH_CHOOSING, DOH_FETCH_ASKED, DOH_FETCH_FINISHED };

#define DOH_ASKS_MAX 3u

struct doh_fetch {
    struct doh_list link; /* in the pool's list of its state */
    struct doh_pool *pool;
    enum doh_fetch_state state;
    doh_done_fn *done;
    void *arg;
    struct dns_question question;
    uint32_t route, avoid, only;
    uint64_t began_ms, deadline_ms, failover_ms, hedge_ms; /* when, on the loop's clock */
    uint64_t draw;                                         /* choice.h */
    uint32_t tried;      /* upstreams that were asked in this round */
    uint32_t spent;      /* of these, those that are not worth another round */
    uint32_t never;      /* of these, those that will not answer it later either */
    uint32_t taken_back; /* it went early there, in vain: the next time is its replay */
    uint32_t rounds;     /* how often all of them have failed */
    uint32_t sent;
    bool speculative, fresh;
    bool last_chance; /* it was given */
    bool asked_again; /* while one that has it was silent and all others had failed */
    struct doh_ask ask[DOH_ASKS_MAX];
    struct doh_plain_query *plain;
    enum doh_err err;
    uint8_t *answer; /* owned */
    uint32_t answer_len, age_s, upstream;
    uint32_t len;
    uint8_t wire[];
};

/*              start     resolved   connection opened   all failed   timer
 * IDLE         RESOLVING or RACING (back-off permitting)             start
 * RESOLVING    -         RACING     -                   IDLE         -
 * RACING       -         -          IDLE                IDLE         next address */
enum doh_dial_state { DOH_DIAL_IDLE, DOH_DIAL_RESOLVING, DOH_DIAL_RACING };

#define DOH_ADDRESSES_MAX 16u
#define DOH_REASON_MAX 320u

struct doh_dial {
    enum doh_dial_state state;
    struct doh_list line; /* in the pool's, or alone */
    uv_timer_t timer; /* IDLE: back-off ends; RACING: the next address may start, or one again */
    struct doh_address address[DOH_ADDRESSES_MAX];
    struct doh_backoff rest[DOH_ADDRESSES_MAX];
    uint32_t count;                    /* addresses known */
    uint32_t configured;               /* of these, the first so many come from the configuration */
    uint32_t fresh;                    /* from this one on they were looked up last */
    uint32_t order[DOH_ADDRESSES_MAX]; /* in which they are tried in this race */
    uint32_t begun;                    /* so many of them are */
    uint32_t failed;                   /* a set: these have, in this race */
    uint32_t repeated, turn;           /* connections begun after all had their turn, and to whom */
    struct doh_address winner;         /* the one that worked last, until: */
    uint64_t winner_until_ms;
    bool look_up;        /* the known ones have failed: ask the bootstrap servers first */
    uint64_t expires_ms; /* when the looked up ones are to be looked up again */
    uint64_t started_ms;
    enum doh_err err; /* the first failure of this race */
    char reason[DOH_REASON_MAX];
};

struct doh_upstream {
    struct doh_pool *pool;
    uint32_t index;
    const struct doh_upstream_config *config;
    const struct doh_url *url;
    uint64_t identity; /* spread.h */
    uint32_t load;     /* asks, waiting or sent */
    struct doh_health health;
    struct doh_learned learned;
    bool get, flipped;          /* the method in use; it changes once at most */
    struct doh_list waiting[2]; /* asks: ordinary, speculative */
    struct doh_list conns;      /* connections that are not closed */
    struct doh_dial dial;
    struct doh_bootstrap *bootstrap; /* NULL: not yet needed */
    struct doh_refresh *refresh;     /* NULL: not yet needed */
    uint32_t stream_limit;           /* what the peer last allowed */
    bool away;                       /* its connection or dial has failed: dials will show when it
                                      * is back, not questions */
    uint32_t fruitless;              /* connections lost in a row that answered nothing */
    enum doh_err trouble;            /* DOH_OK: its last answer was good */
    enum doh_err reported;           /* the last event's reason, and when: */
    uint64_t reported_ms;
    bool loud; /* an event said that it fails, none yet that it works again */
    struct doh_upstream_status status;
};

static inline uint64_t doh_now(const struct doh_pool *pool)
{
    return uv_now(pool->loop);
}

/* pool.c */
void doh_pool_busy(struct doh_pool *pool); /* something waits for the next turn */
void doh_pool_wake(struct doh_pool *pool, uint64_t at_ms);
void doh_pool_news(struct doh_pool *pool); /* what failed may work now */
void doh_pool_handle_closed(struct doh_pool *pool);
__attribute__((format(printf, 3, 4))) void
doh_pool_event(struct doh_pool *pool, enum doh_event_level level, const char *format, ...);

uint32_t doh_random(void);

#endif
