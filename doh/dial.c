// SPDX-License-Identifier: MIT
#include "doh/dial.h"

#include "doh/address.h"
#include "doh/bootstrap.h"
#include "doh/dial_addresses.h"
#include "doh/dial_slots.h"
#include "doh/order.h"
#include "doh/refresh.h"
#include "doh/upstream.h"

#include <stdio.h>
#include <string.h>

#define PAUSE_MIN_MS 250u /* between two races, while questions wait and every upstream rests */
#define PAUSE_MAX_MS 1000u
#define AGAIN_MS                                                                                   \
    500u /* or so many round trips: an address gets another connection beside the first */
#define AGAIN_RTTS 3u
#define AGAIN_MOST 3u      /* of them a race: a black hole is not to be flooded */
#define WINNER_MS 600000u  /* then all addresses are equal again: the other family has a chance */
#define REST_MIN_MS 10000u /* of an address that failed: it only goes behind the others */
#define REST_MAX_MS WINNER_MS
#define ALL_CONNS_MAX 24u /* in any state; more than addresses and open ones together */

static void on_timer(uv_timer_t *timer);
static void on_addresses(void *arg, const struct doh_address *address, uint32_t count,
                         uint32_t ttl_s);

void doh_dial_init(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    (void)uv_timer_init(up->pool->loop, &d->timer); /* cannot fail */
    doh_list_init(&d->line);
    up->pool->handles++;
    doh_dial_addresses_init(up);
}

static void on_timer_closed(uv_handle_t *handle)
{
    doh_pool_handle_closed(DOH_ITEM(handle, struct doh_upstream, dial.timer)->pool);
}

void doh_dial_close(struct doh_upstream *up)
{
    uv_close((uv_handle_t *)&up->dial.timer, on_timer_closed);
    doh_bootstrap_close(up->bootstrap);
    doh_refresh_free(up->refresh);
    up->bootstrap = NULL;
    up->refresh = NULL;
}

static uint32_t count_conns(const struct doh_upstream *up, bool (*is)(const struct doh_conn *))
{
    uint32_t n = 0;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next)
        n += is(DOH_ITEM(i, struct doh_conn, link)) ? 1 : 0;
    return n;
}

static bool is_racing(const struct doh_conn *conn)
{
    return conn->state < DOH_CONN_OPEN;
}

static bool is_lasting(const struct doh_conn *conn)
{
    return doh_conn_is_good(conn) && !doh_conn_is_worn(conn);
}

static bool is_any(const struct doh_conn *conn)
{
    (void)conn;
    return true;
}

static void ring_in(struct doh_upstream *up, uint64_t ms)
{
    (void)uv_timer_start(&up->dial.timer, on_timer, ms, 0); /* has a callback */
}

/* The first reason names the address that is preferred; a refused certificate beats it, since that
 * is for a human to look at. */
static void note(struct doh_dial *d, enum doh_err err, const char *reason)
{
    if (d->err != DOH_OK && !(err == DOH_E_TLS && d->err != DOH_E_TLS))
        return;
    d->err = err;
    (void)snprintf(d->reason, sizeof d->reason, "%s", reason);
}

/* It has failed, or another was faster by a whole head start. */
static void rest(struct doh_upstream *up, const struct doh_address *address)
{
    struct doh_dial *d = &up->dial;
    for (uint32_t i = 0; i < d->count; i++)
        if (doh_address_equal(&d->address[i], address))
            doh_backoff_failed(&d->rest[i], doh_now(up->pool), REST_MIN_MS, REST_MAX_MS,
                               doh_random());
}

/* In this race there is no point in asking it again. */
static void fail(struct doh_upstream *up, const struct doh_address *address)
{
    struct doh_dial *d = &up->dial;
    rest(up, address);
    for (uint32_t i = 0; i < d->count; i++)
        if (doh_address_equal(&d->address[i], address))
            d->failed |= UINT32_C(1) << i;
}

static void give_up(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    d->state = DOH_DIAL_IDLE;
    d->look_up = doh_dial_can_look_up(up);
    (void)uv_timer_stop(&d->timer);
    doh_health_failed(&up->health, doh_now(up->pool), DOH_BACKOFF_MIN_MS, doh_random());
    doh_upstream_unreachable(up, d->err, d->reason);
}

/* --- the race ------------------------------------------------------------------------------ */

/* A handshake takes two round trips, or three. */
static uint64_t again_ms(const struct doh_upstream *up)
{
    uint64_t ms = (uint64_t)up->health.srtt_us * AGAIN_RTTS / 1000;
    return ms > AGAIN_MS ? ms : AGAIN_MS;
}

/* When the race ends if nobody answers; 0: nothing is under way. */
static uint64_t end_ms(const struct doh_upstream *up)
{
    uint64_t end = 0;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = i->next) {
        const struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
        if (is_racing(conn) && conn->until_ms > end)
            end = conn->until_ms;
    }
    return end;
}

/* The next in turn that has said nothing; NULL: all have failed. */
static const struct doh_address *silent_one(struct doh_dial *d)
{
    for (uint32_t n = 0; n < d->count; n++) {
        uint32_t i = d->order[d->turn++ % d->count];
        if (!(d->failed >> i & 1))
            return &d->address[i];
    }
    return NULL;
}

/* All addresses had their turn and none has answered: what was sent may be lost, and a middlebox
 * that was away for a moment does not send it again. In the time that the first ones have. */
static void try_again(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    char reason[DOH_REASON_MAX];
    uint64_t until_ms = end_ms(up);
    if (d->repeated == AGAIN_MOST || doh_now(up->pool) + again_ms(up) / 2 > until_ms)
        return;
    if (count_conns(up, is_any) < ALL_CONNS_MAX && doh_dial_slot(up)) {
        const struct doh_address *address = silent_one(d);
        if (!address)
            return;
        d->repeated++;
        (void)doh_conn_open(up, address, until_ms, true, reason); /* others are under way */
    }
    doh_list_remove(&d->line); /* it does not wait for a slot */
    ring_in(up, again_ms(up));
}

static void try_next(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    while (d->begun < d->count) {
        char reason[DOH_REASON_MAX];
        if (!doh_dial_slot(up)) {
            ring_in(up, DOH_DIAL_LOOK_MS);
            return;
        }
        const struct doh_address *address = &d->address[d->order[d->begun++]];
        uint64_t until_ms = doh_now(up->pool) + up->pool->config->connect_ms;
        if (doh_conn_open(up, address, until_ms, false, reason)) {
            ring_in(up, d->begun < d->count ? DOH_STAGGER_MS : again_ms(up));
            return;
        }
        note(d, DOH_E_UNREACHABLE, reason);
        fail(up, address);
    }
    if (count_conns(up, is_racing) == 0) {
        if (doh_bootstrap_runs(up->bootstrap)) /* the other family may come yet */
            ring_in(up, AGAIN_MS);
        else
            give_up(up);
        return;
    }
    if (!uv_is_active((uv_handle_t *)&d->timer))
        ring_in(up, again_ms(up)); /* the last one could not even begin */
}

static uint32_t resting(const struct doh_upstream *up)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < up->dial.count; i++)
        if (doh_backoff_runs(&up->dial.rest[i], doh_now(up->pool)))
            set |= UINT32_C(1) << i;
    return set;
}

static void race(struct doh_upstream *up)
{
    up->dial.state = DOH_DIAL_RACING;
    up->dial.begun = up->dial.repeated = up->dial.turn = up->dial.failed = 0;
    bool has_winner = doh_now(up->pool) < up->dial.winner_until_ms;
    const struct doh_preference prefer = {.fresh = up->dial.fresh,
                                          .resting = resting(up),
                                          .winner = has_winner ? &up->dial.winner : NULL};
    doh_order(up->dial.address, up->dial.count, &prefer, up->dial.order);
    if (up->dial.count == 0)
        note(&up->dial, DOH_E_UNREACHABLE, "no address of its host is known");
    try_next(up);
}

/* A look-up that runs already is begun anew. */
static void resolve(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    d->state = DOH_DIAL_RESOLVING;
    d->look_up = false;
    d->expires_ms = 0; /* the first answer replaces the old addresses */
    if (!up->bootstrap)
        up->bootstrap = doh_bootstrap_new(up->pool, up->config, up->url->host);
    if (!up->bootstrap || !doh_bootstrap_start(up->bootstrap, on_addresses, up))
        on_addresses(up, NULL, 0, 0);
}

static void start(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    d->started_ms = doh_now(up->pool);
    d->err = DOH_OK;
    if (!doh_dial_can_look_up(up) || (d->count > 0 && !d->look_up)) {
        race(up);
        return;
    }
    resolve(up);
}

static void no_addresses(struct doh_upstream *up)
{
    char reason[DOH_REASON_MAX];
    (void)snprintf(reason, sizeof reason, "%s give no address of %.120s",
                   up->config->bootstrap_count > 0 ? "its bootstrap servers"
                                                   : "the system's servers",
                   up->url->host);
    note(&up->dial, DOH_E_UNREACHABLE, reason);
    race(up); /* old addresses are better than none */
}

/* A race is on, and the look-up goes on beside it. */
static void on_more_addresses(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    if (count_conns(up, is_racing) == 0)
        try_next(up); /* the others have failed already; if there are no more, so has the race */
    else if (d->begun < d->count && (!uv_is_active((uv_handle_t *)&d->timer) ||
                                     uv_timer_get_due_in(&d->timer) > DOH_STAGGER_MS))
        ring_in(up, DOH_STAGGER_MS);
}

static void on_addresses(void *arg, const struct doh_address *address, uint32_t count,
                         uint32_t ttl_s)
{
    struct doh_upstream *up = arg;
    struct doh_dial *d = &up->dial;
    if (count > 0)
        doh_dial_addresses_found(up, address, count, ttl_s);
    switch (d->state) {
    case DOH_DIAL_IDLE: break;
    case DOH_DIAL_RESOLVING: count > 0 ? race(up) : no_addresses(up); break;
    case DOH_DIAL_RACING: on_more_addresses(up); break;
    }
}

/* Whoever has been away for long is asked for less often. */
static uint64_t pause_ms(const struct doh_upstream *up)
{
    uint32_t ms = up->health.backoff.length_ms / 8;
    return ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
}

void doh_dial_want(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    uint64_t now = doh_now(up->pool);
    if (d->state != DOH_DIAL_IDLE || count_conns(up, is_lasting) >= DOH_CONNS_MAX ||
        count_conns(up, is_any) >= ALL_CONNS_MAX)
        return;
    uint64_t at = up->health.backoff.until_ms;
    if (at > d->started_ms + pause_ms(up)) /* somebody waits: not before, nor much later either */
        at = d->started_ms + pause_ms(up);
    if (now >= at)
        start(up);
    else
        ring_in(up, at - now);
}

uint64_t doh_dial_spent_ms(const struct doh_upstream *up)
{
    return up->dial.state == DOH_DIAL_IDLE ? 0 : doh_now(up->pool) - up->dial.started_ms;
}

static void on_timer(uv_timer_t *timer)
{
    struct doh_upstream *up = DOH_ITEM(timer, struct doh_upstream, dial.timer);
    if (up->dial.state != DOH_DIAL_RACING)
        doh_pool_busy(up->pool); /* the turn asks again, if anything still waits */
    else if (up->dial.begun < up->dial.count)
        try_next(up);
    else if (count_conns(up, is_racing) == 0)
        race(up); /* the look-up goes on, and those that were away may be back */
    else
        try_again(up);
}

/* The same address has answered the same words without early data, half a second later. */
static bool is_early_data_lost(const struct doh_conn *conn, const struct doh_conn *winner)
{
    return doh_buffer_used(&conn->first) > 0 &&
           doh_now(conn->upstream->pool) - conn->started_ms >= AGAIN_MS &&
           doh_address_equal(&conn->address, &winner->address);
}

/* `winner` NULL: nobody has won. */
static void stop_racing(struct doh_upstream *up, const struct doh_conn *winner)
{
    struct doh_list *next;
    for (struct doh_list *i = up->conns.next; i != &up->conns; i = next) {
        struct doh_conn *conn = DOH_ITEM(i, struct doh_conn, link);
        next = i->next;
        if (!is_racing(conn))
            continue;
        if (winner && doh_now(up->pool) - conn->started_ms >= DOH_STAGGER_MS)
            rest(up, &conn->address);
        if (winner && is_early_data_lost(conn, winner))
            doh_upstream_pause_early(up);
        doh_upstream_take_back(up, &conn->asks);
        doh_conn_close(conn);
    }
}

void doh_dial_opened(struct doh_upstream *up, struct doh_conn *winner)
{
    struct doh_dial *d = &up->dial;
    uint64_t now = doh_now(up->pool);
    d->state = DOH_DIAL_IDLE;
    doh_list_remove(&d->line);
    (void)uv_timer_stop(&d->timer);
    if (now >= d->winner_until_ms || !doh_address_equal(&d->winner, &winner->address))
        d->winner_until_ms = now + WINNER_MS; /* not again and again: the others want a chance */
    d->winner = winner->address;
    doh_dial_addresses_worked(up);
    stop_racing(up, winner);
    for (uint32_t i = 0; i < d->count; i++) /* also when it was the second connection there */
        if (doh_address_equal(&d->address[i], &d->winner))
            d->rest[i] = (struct doh_backoff){0};
}

void doh_dial_anew(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    bool waits = count_conns(up, is_racing) == 0; /* for the look-up */
    d->winner_until_ms = 0;
    memset(d->rest, 0, sizeof d->rest); /* what failed may work now */
    (void)uv_timer_stop(&d->timer);
    d->started_ms = d->state == DOH_DIAL_IDLE ? 0 : doh_now(up->pool);
    switch (d->state) {
    case DOH_DIAL_IDLE: break; /* no back-off is left: the turn asks again, if anything waits */
    case DOH_DIAL_RESOLVING: resolve(up); break; /* c-ares' sockets are of the old network */
    case DOH_DIAL_RACING:
        stop_racing(up, NULL);
        waits ? resolve(up) : race(up);
        break;
    }
}

void doh_dial_lost(struct doh_upstream *up, const struct doh_conn *conn, enum doh_err err,
                   const char *reason)
{
    note(&up->dial, err, reason);
    fail(up, &conn->address);
    if (up->dial.state == DOH_DIAL_RACING)
        try_next(up);
}
