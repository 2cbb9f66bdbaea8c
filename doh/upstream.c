// SPDX-License-Identifier: MIT
#include "doh/upstream.h"

#include "doh/bootstrap.h"

#include <openssl/rand.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_MAX_MS 30000u
#define CONFIG_BACKOFF_MS 60000u
#define RETRY_AFTER_MAX_MS 300000u
#define LIES_WINDOW_MS 60000u
#define LIES_MAX 3u
#define QUARANTINE_MS 60000u
#define QUARANTINE_DOUBLINGS 4u

static uint64_t now_ms(const struct doh_upstream *up)
{
    return uv_now(up->loop);
}

__attribute__((format(printf, 3, 4))) static void
tell(const struct doh_upstream *up, enum doh_event_level level, const char *format, ...)
{
    char words[256];
    char line[320];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    (void)snprintf(line, sizeof line, "upstream %s: %s", up->config->name, words);
    up->on_event(up->event_arg, level, line);
}

/* One line when the state changes, not one for each question. */
static void note_error(struct doh_upstream *up, const char *error)
{
    bool same = !strcmp(up->status.last_error, error);
    up->status.failures++;
    if (same)
        return;
    (void)snprintf(up->status.last_error, sizeof up->status.last_error, "%s", error);
    tell(up, DOH_EVENT_WARNING, "%s", error);
}

void doh_upstream_init(struct doh_upstream *up)
{
    up->status.name = up->config->name;
    up->get = up->config->get;
}

bool doh_upstream_healthy(const struct doh_upstream *up)
{
    return now_ms(up) >= up->retry_ms && now_ms(up) >= up->quarantine_ms;
}

/* --- queue ----------------------------------------------------------------------------------- */

static void queue_push(struct doh_queue *queue, struct doh_asking *a)
{
    a->next = NULL;
    a->prev = queue->last;
    if (queue->last)
        queue->last->next = a;
    else
        queue->first = a;
    queue->last = a;
    a->state = ASKING_QUEUED;
}

static void queue_take(struct doh_queue *queue, struct doh_asking *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        queue->first = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        queue->last = a->prev;
    a->state = ASKING_IDLE;
}

static struct doh_queue *queue_of(struct doh_upstream *up, const struct doh_asking *a)
{
    return a->speculative ? &up->speculative : &up->ordinary;
}

static struct doh_asking *queue_first(struct doh_upstream *up)
{
    return up->ordinary.first ? up->ordinary.first : up->speculative.first;
}

void doh_upstream_ask(struct doh_upstream *up, struct doh_asking *asking)
{
    asking->upstream = up;
    asking->started_ms = now_ms(up);
    queue_push(queue_of(up, asking), asking);
}

void doh_upstream_forget(struct doh_upstream *up, struct doh_asking *asking)
{
    if (asking->state == ASKING_QUEUED)
        queue_take(queue_of(up, asking), asking);
    else if (asking->state == ASKING_SENT)
        doh_conn_forget(asking->conn, &asking->exchange);
    asking->state = ASKING_IDLE;
    asking->conn = NULL;
}

/* Nothing can be sent: everything that waits is told so. */
static void fail_queue(struct doh_upstream *up)
{
    struct doh_asking *a;
    /* Those queued meanwhile by `on_done` wait for the next attempt. */
    struct doh_asking *last_ordinary = up->ordinary.last;
    struct doh_asking *last_speculative = up->speculative.last;
    bool stop = false;
    while (!stop && last_ordinary && (a = up->ordinary.first) != NULL) {
        stop = a == last_ordinary;
        queue_take(&up->ordinary, a);
        up->on_done(up->done_arg, a, DOH_H2_LOST);
    }
    stop = false;
    while (!stop && last_speculative && (a = up->speculative.first) != NULL) {
        stop = a == last_speculative;
        queue_take(&up->speculative, a);
        up->on_done(up->done_arg, a, DOH_H2_LOST);
    }
}

/* --- connections ----------------------------------------------------------------------------- */

static void back_off(struct doh_upstream *up)
{
    uint32_t shift = up->attempts_failed < 9 ? up->attempts_failed : 9;
    uint64_t most = (uint64_t)BACKOFF_FIRST_MS << shift;
    uint16_t random = 0;
    if (most > BACKOFF_MAX_MS)
        most = BACKOFF_MAX_MS;
    (void)RAND_bytes((unsigned char *)&random, sizeof random); /* jitter: any number will do */
    up->retry_ms = now_ms(up) + most / 2 + most * random / UINT16_MAX / 2;
    up->attempts_failed++;
}

static bool connecting(const struct doh_upstream *up)
{
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        if (up->conn[i] && doh_conn_connecting(up->conn[i]))
            return true;
    return up->resolving > 0 && up->address_count == 0; /* the first address is enough */
}

static void drop_conn(struct doh_upstream *up, const struct doh_conn *conn)
{
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        if (up->conn[i] == conn)
            up->conn[i] = NULL;
    up->status.connected = false;
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        up->status.connected = up->status.connected || (up->conn[i] && doh_conn_ready(up->conn[i]));
}

static void on_ready(void *arg, struct doh_conn *conn)
{
    struct doh_upstream *up = arg;
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++) { /* the race is over */
        if (up->conn[i] == conn) {
            up->address_next = up->conn_address[i]; /* the next connection begins there */
        } else if (up->conn[i] && doh_conn_connecting(up->conn[i])) {
            doh_conn_close(up->conn[i]);
            up->conn[i] = NULL;
        }
    }
    bool news = up->status.connects == 0 || up->status.last_error[0];
    up->status.connects++;
    up->status.resumed += doh_conn_resumed(conn);
    up->status.connected = true;
    up->status.last_error[0] = '\0';
    up->attempts_failed = 0;
    up->retry_ms = 0;
    if (news)
        tell(up, DOH_EVENT_INFO, "connected");
}

static void on_ended(void *arg, struct doh_conn *conn, struct doh_exchange *exchange)
{
    struct doh_upstream *up = arg;
    struct doh_asking *a = (struct doh_asking *)(void *)exchange; /* its first member */
    (void)conn;
    a->state = ASKING_IDLE;
    a->conn = NULL;
    up->on_done(up->done_arg, a, exchange->end);
}

static void open_next(struct doh_upstream *up);

static void on_slow(void *arg, struct doh_conn *conn)
{
    struct doh_upstream *up = arg;
    (void)conn;
    if (up->address_count > 1)
        open_next(up);
}

static void keep_session(struct doh_upstream *up, struct doh_conn *conn)
{
    SSL_SESSION *session = doh_conn_session(conn);
    if (!session)
        return;
    SSL_SESSION_free(up->session);
    up->session = session;
}

static void on_closed(void *arg, struct doh_conn *conn, const char *error)
{
    struct doh_upstream *up = arg;
    bool was_attempt = error && up->status.connected == false;
    keep_session(up, conn);
    drop_conn(up, conn);
    if (error)
        note_error(up, error);
    if (was_attempt && !connecting(up)) {
        back_off(up);
        fail_queue(up);
    }
}

static void open_next(struct doh_upstream *up)
{
    const struct doh_conn_limits limits = {up->limits->connect_ms, up->limits->deadline_ms,
                                           up->limits->idle_ms};
    const struct doh_conn_events events = {on_ready, on_slow, on_ended, on_closed, up};
    unsigned slot = 0;
    while (slot < DOH_CONNS_MAX && up->conn[slot])
        slot++;
    if (slot == DOH_CONNS_MAX || up->address_count == 0)
        return;
    uint32_t which = up->address_next++ % up->address_count;
    struct doh_address address = up->addresses[which];
    up->conn_address[slot] = which;
    address.sa.v4.sin_port = htons(up->shared->url.port); /* at the same place in both families */
    SSL_SESSION *session = up->session;
    up->session = NULL; /* a ticket is for one connection (RFC 8446 C.4) */
    up->conn[slot] = doh_conn_open(up->loop, up->shared, &address, session, &limits, &events);
    SSL_SESSION_free(session);
    if (!up->conn[slot])
        note_error(up, strerror(errno));
}

void doh_upstream_connect(struct doh_upstream *up)
{
    unsigned used = 0;
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        used += up->conn[i] != NULL;
    if (connecting(up) || up->closing || used == DOH_CONNS_MAX)
        return;
    if (doh_bootstrap_wanted(up))
        doh_bootstrap_start(up);
    if (connecting(up))
        return; /* doh_upstream_pump() comes back when there is an address */
    for (uint32_t i = 0; i < up->address_count && !connecting(up); i++)
        open_next(up); /* one that is refused on the spot gives way to the next */
    if (!connecting(up)) {
        back_off(up);
        fail_queue(up);
    }
}

static struct doh_conn *with_room(const struct doh_upstream *up)
{
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        if (up->conn[i] && doh_conn_room(up->conn[i]) > 0)
            return up->conn[i];
    return NULL;
}

void doh_upstream_pump(struct doh_upstream *up)
{
    struct doh_asking *a;
    struct doh_conn *conn;
    while ((a = queue_first(up)) && (conn = with_room(up))) {
        queue_take(queue_of(up, a), a);
        if (!doh_conn_submit(conn, up->get, a->fresh, &a->exchange, now_ms(up))) {
            up->on_done(up->done_arg, a, DOH_H2_REFUSED);
            continue;
        }
        a->state = ASKING_SENT;
        a->conn = conn;
        up->status.questions++;
    }
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        if (up->conn[i])
            doh_conn_flush(up->conn[i]);
    if (queue_first(up) && !connecting(up))
        doh_upstream_connect(up); /* none, or all are full: with both slots taken it waits */
}

void doh_upstream_deinit(struct doh_upstream *up)
{
    up->closing = true;
    for (unsigned i = 0; i < DOH_CONNS_MAX; i++)
        if (up->conn[i])
            doh_conn_close(up->conn[i]);
    memset(up->conn, 0, sizeof up->conn);
    if (up->resolve)
        doh_resolve_close(up->resolve);
    up->resolve = NULL;
    SSL_SESSION_free(up->session);
    up->session = NULL;
    free(up->addresses);
    up->addresses = NULL;
}

/* --- health ---------------------------------------------------------------------------------- */

void doh_upstream_blame(struct doh_upstream *up, enum doh_lie lie)
{
    uint64_t now = now_ms(up);
    up->status.lies++;
    if (now > up->lies_since_ms + LIES_WINDOW_MS) {
        up->lies_since_ms = now;
        up->lies_lately = 0;
    }
    if (++up->lies_lately < LIES_MAX)
        return;
    uint32_t shift =
        up->quarantines < QUARANTINE_DOUBLINGS ? up->quarantines : QUARANTINE_DOUBLINGS;
    up->quarantine_ms = now + ((uint64_t)QUARANTINE_MS << shift);
    up->quarantines++;
    up->lies_lately = 0;
    tell(up, DOH_EVENT_WARNING, "%s; not asked for %u s while another upstream lives",
         lie == DOH_LIE_STRIPPED ? "strips signatures or proofs off its answers"
                                 : "gives answers that another upstream disproves",
         QUARANTINE_MS / 1000 << shift);
}

void doh_upstream_failed(struct doh_upstream *up, const struct doh_response *response,
                         const char *what)
{
    char words[120];
    uint64_t wait_ms = 0;
    if (!response) {
        note_error(up, what);
        return;
    }
    (void)snprintf(words, sizeof words, "HTTP status %u%s for %s", response->status,
                   response->status == 200 ? " with another media type than application/dns-message"
                                           : "",
                   up->config->url);
    switch (doh_response_meaning(response)) {
    case DOH_MEANS_METHOD:
        if (!up->method_flipped && up->shared->url.has_variable) {
            up->method_flipped = true;
            up->get = !up->get;
            break;
        }
        wait_ms = CONFIG_BACKOFF_MS;
        break;
    case DOH_MEANS_CONFIG: wait_ms = CONFIG_BACKOFF_MS; break;
    case DOH_MEANS_LATER:
        wait_ms = response->retry_after_s ? response->retry_after_s * UINT64_C(1000) : 1000;
        wait_ms = wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
        break;
    case DOH_MEANS_BROKEN: wait_ms = 1000; break;
    case DOH_MEANS_AGAIN:
    case DOH_MEANS_ANSWER: break;
    }
    note_error(up, words);
    if (wait_ms > 0)
        up->retry_ms = now_ms(up) + wait_ms;
}

void doh_upstream_answered(struct doh_upstream *up, uint64_t rtt_ms)
{
    up->status.answers++;
    up->status.last_error[0] = '\0';
    uint32_t rtt = rtt_ms < UINT32_MAX / 8 ? (uint32_t)rtt_ms : UINT32_MAX / 8;
    rtt = rtt > 0 ? rtt : 1;
    up->status.rtt_ms = up->status.rtt_ms ? (up->status.rtt_ms * 7 + rtt) / 8 : rtt;
}
