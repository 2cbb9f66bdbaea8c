// SPDX-License-Identifier: MIT
#include "doh/address.h"
#include "doh/connection_parts.h"
#include "doh/upstream.h"

#include <stdio.h>

/* After so many round trips of silence, within these bounds, a PING is sent, and after as many more
 * without a sign of life the connection is suspect. Who answers the PING but not the question is
 * slow: the next silence may be twice as long. */
#define DOUBT_RTTS 4u
#define DOUBT_MIN_MS 300u
#define DOUBT_MAX_MS 1200u
#define SUSPECT_RTTS 2u
#define SUSPECT_MIN_MS 200u
#define SUSPECT_MAX_MS 600u
#define PING_MS 1500u /* unanswered that long: dead */

/* --- deadlines ----------------------------------------------------------------------------- */

static uint64_t rtts_ms(const struct doh_conn *conn, uint32_t times, uint32_t min, uint32_t max)
{
    uint64_t ms = (uint64_t)conn->upstream->health.srtt_us * times / 1000;
    return ms < min ? min : ms > max ? max : ms;
}

static uint64_t doubt_at_ms(const struct doh_conn *conn)
{
    uint64_t ms = rtts_ms(conn, DOUBT_RTTS, DOUBT_MIN_MS, DOUBT_MAX_MS);
    return conn->silent_ms + (ms << conn->doubts);
}

static uint64_t suspect_at_ms(const struct doh_conn *conn)
{
    return conn->pinged_ms + rtts_ms(conn, SUSPECT_RTTS, SUSPECT_MIN_MS, SUSPECT_MAX_MS);
}

static struct doh_ask *oldest(const struct doh_conn *conn)
{
    return doh_list_empty(&conn->asks) ? NULL : DOH_ITEM(conn->asks.next, struct doh_ask, link);
}

/* When the silence makes a difference next. */
static uint64_t silence_due_ms(const struct doh_conn *conn)
{
    if (conn->silent_ms == 0)
        return UINT64_MAX;
    if (conn->pinged_ms == 0)
        return doubt_at_ms(conn);
    return conn->suspect ? conn->pinged_ms + PING_MS : suspect_at_ms(conn);
}

static uint64_t idle_due_ms(const struct doh_conn *conn)
{
    uint32_t learned_ms = doh_learned_idle_ms(&conn->upstream->learned, doh_conn_now(conn));
    uint32_t idle_ms = doh_conn_config(conn)->idle_ms;
    return conn->active_ms + (learned_ms < idle_ms ? learned_ms : idle_ms);
}

static bool is_idle(const struct doh_conn *conn)
{
    return doh_list_empty(&conn->asks) && conn->silent_ms == 0;
}

static uint64_t due_ms(const struct doh_conn *conn)
{
    if (conn->state < DOH_CONN_OPEN)
        return conn->until_ms;
    if (is_idle(conn))
        return idle_due_ms(conn);
    const struct doh_ask *ask = oldest(conn);
    uint64_t silence = silence_due_ms(conn);
    uint64_t answer = ask ? ask->sent_ms + doh_conn_config(conn)->deadline_ms : UINT64_MAX;
    return silence < answer ? silence : answer;
}

/* --- doubt ---------------------------------------------------------------------------------- */

void doh_conn_doubt(struct doh_conn *conn)
{
    if (conn->state < DOH_CONN_OPEN || conn->silent_ms == 0 || conn->pinged_ms > 0)
        return;
    conn->pinged_ms = doh_conn_now(conn);
    doh_h2_ping(conn->h2);
    doh_conn_arm(conn);
    doh_conn_dirty(conn);
}

void doh_conn_suspect(struct doh_conn *conn)
{
    if (conn->state != DOH_CONN_OPEN && conn->state != DOH_CONN_DRAINING)
        return;
    if (conn->silent_ms == 0)
        conn->silent_ms = doh_conn_now(conn);
    doh_conn_doubt(conn);
    conn->suspect = true;
    doh_conn_arm(conn);
    doh_upstream_doubted(conn->upstream, conn);
}

/* --- what is due ----------------------------------------------------------------------------- */

static void lose_in_time(struct doh_conn *conn, const char *what, uint32_t ms)
{
    char reason[DOH_REASON_MAX], address[DOH_ADDRESS_TEXT_MAX];
    (void)snprintf(reason, sizeof reason, "no %s %s within %u ms", what,
                   doh_address_text(&conn->address, address), ms);
    doh_conn_lose(conn, DOH_E_TIMEOUT, reason);
}

/* A server that closes idle connections would have closed this one next. What was in use probably
 * will be again: the next connection is opened now, once; one that was not used has no heir. */
static void expire_idle(struct doh_conn *conn)
{
    struct doh_upstream *up = conn->upstream;
    bool heir =
        conn->state == DOH_CONN_OPEN && conn->sent > 0 &&
        doh_learned_idle_ms(&up->learned, doh_conn_now(conn)) < doh_conn_config(conn)->idle_ms;
    doh_conn_goodbye(conn);
    doh_conn_lose(conn, DOH_OK, NULL);
    if (heir)
        doh_upstream_warm(up);
}

/* Others are answered on this connection, so that only the one stream is given up. */
static void expire_stream(struct doh_conn *conn, struct doh_ask *ask)
{
    doh_h2_cancel(conn->h2, ask->stream);
    doh_list_remove(&ask->link);
    ask->conn = NULL;
    doh_upstream_stuck(conn->upstream, ask);
}

static void expire_question(struct doh_conn *conn, struct doh_ask *ask)
{
    if (conn->answered_ms > ask->sent_ms)
        expire_stream(conn, ask);
    else
        lose_in_time(conn, "answer from", doh_conn_config(conn)->deadline_ms);
}

/* Does what is due; false: the connection is lost. */
static bool expire(struct doh_conn *conn)
{
    uint64_t now = doh_conn_now(conn);
    if (conn->state < DOH_CONN_OPEN) {
        lose_in_time(conn,
                     conn->state == DOH_CONN_CONNECTING ? "connection with" : "TLS handshake with",
                     doh_conn_config(conn)->connect_ms);
    } else if (is_idle(conn)) {
        expire_idle(conn);
    } else if (now < silence_due_ms(conn)) {
        expire_question(conn, oldest(conn));
    } else if (conn->pinged_ms == 0) {
        doh_conn_doubt(conn);
    } else if (!conn->suspect) {
        doh_conn_suspect(conn);
    } else {
        lose_in_time(conn, "sign of life from", PING_MS);
    }
    return conn->state != DOH_CONN_CLOSED;
}

static void on_alarm(uv_timer_t *timer);

/* The timer is moved only when it would ring too late; when it rings too early it looks again. */
void doh_conn_arm(struct doh_conn *conn)
{
    uint64_t due = due_ms(conn), now = doh_conn_now(conn);
    if (due >= conn->alarm_ms)
        return;
    conn->alarm_ms = due;
    (void)uv_timer_start(&conn->alarm, on_alarm, due > now ? due - now : 0, 0); /* has a callback */
}

static void on_alarm(uv_timer_t *timer)
{
    struct doh_conn *conn = DOH_ITEM(timer, struct doh_conn, alarm);
    conn->alarm_ms = UINT64_MAX;
    if (doh_conn_now(conn) < due_ms(conn) || expire(conn))
        doh_conn_arm(conn);
}
