// SPDX-License-Identifier: MIT
#include "doh/fetch.h"
#include "doh/shared.h"
#include "doh/upstream_parts.h"

#include <stdio.h>

#define HOLD_MS 60000u         /* after a status that says that the configuration is wrong */
#define WELL_MS 10000u         /* after an answer it is not what it declines that tells how it is */
#define EARLY_PAUSE_MS 600000u /* after early data that did harm */

void doh_upstream_lied(struct doh_upstream *up, const char *how)
{
    uint64_t now = doh_now(up->pool);
    up->status.lies++;
    if (doh_health_lied(&up->health, now))
        doh_pool_event(up->pool, DOH_EVENT_WARNING,
                       "upstream %s: %s; it is not chosen for %u s while another lives",
                       up->status.name, how, doh_health_quarantine_ms(&up->health, now) / 1000);
}

static void take_answer(struct doh_upstream *up, struct doh_ask *ask,
                        const struct doh_h2_response *r)
{
    struct doh_fetch *fetch = ask->fetch;
    up->status.answers++;
    up->fruitless = 0;
    up->pool->answered = true;
    doh_health_worked(&up->health, doh_now(up->pool), ask->sent_ms);
    doh_upstream_report_good(up);
    doh_ask_idle(ask);
    doh_fetch_answered(fetch, r->body, r->len, r->head.age_s, up->index);
}

static void judge_body(struct doh_upstream *up, struct doh_ask *ask,
                       const struct doh_h2_response *r)
{
    const struct doh_fetch *fetch = ask->fetch;
    uint16_t id = 0, flags = 0;
    (void)dns_header_peek(fetch->wire, fetch->len, &id, &flags); /* our own query */
    bool filtered = false;
    switch (doh_body_judge_filter(r->body, r->len, id, &fetch->question, &filtered)) {
    case DOH_BODY_ANSWER:
        up->status.filtered += filtered ? 1 : 0;
        take_answer(up, ask, r);
        return;
    case DOH_BODY_TRUNCATED: /* RFC 8484 has no room for it: nothing limits the size here */
        doh_upstream_report(up, DOH_E_GARBAGE, "it truncates its answers");
        break;
    case DOH_BODY_GARBAGE:
        up->status.mismatches++;
        doh_upstream_report(up, DOH_E_GARBAGE, doh_err_text(DOH_E_GARBAGE));
        doh_upstream_lied(up, "its answers are no answers to the questions");
        break;
    }
    doh_ask_fail_for_good(ask, DOH_E_GARBAGE);
}

static void refuse(struct doh_upstream *up, struct doh_ask *ask, enum doh_err err,
                   const char *reason, uint32_t backoff_ms)
{
    uint64_t now = doh_now(up->pool);
    if (backoff_ms == HOLD_MS)
        doh_health_hold(&up->health, now, HOLD_MS);
    else
        doh_health_failed(&up->health, now, backoff_ms, doh_random());
    doh_upstream_report(up, err, reason);
    if (backoff_ms == HOLD_MS)
        doh_ask_fail_for_good(ask, err);
    else
        doh_ask_fail(ask, err);
}

static void flip(struct doh_upstream *up, struct doh_ask *ask, const char *reason)
{
    if (ask->get == up->get && !up->flipped) {
        up->flipped = true;
        up->get = !up->get;
        doh_pool_event(up->pool, DOH_EVENT_INFO, "upstream %s: %s; asking by %s from now on",
                       up->status.name, reason, up->get ? "GET" : "POST");
    }
    if (ask->get == up->get) {
        refuse(up, ask, DOH_E_HTTP, reason, HOLD_MS);
        return;
    }
    ask->conn = NULL;
    doh_list_prepend(doh_ask_queue(ask), &ask->link);
    doh_pool_busy(up->pool);
}

static void come_back_later(struct doh_upstream *up, struct doh_ask *ask,
                            const struct doh_head *head, const char *reason)
{
    if (head->has_retry_after)
        doh_health_shut(&up->health, doh_now(up->pool), head->retry_after_s * 1000);
    refuse(up, ask, DOH_E_HTTP, reason, DOH_BACKOFF_SLOW_MS);
}

/* A server that lives gives the question back. Once is no fault: its connection may have been at
 * its end. When that is the fate of the same question's replay, too, and it has answered no other
 * one for a while, it serves nobody for now; else it is the question. */
static void decline(struct doh_upstream *up, struct doh_ask *ask, enum doh_err err,
                    const char *reason)
{
    uint64_t now = doh_now(up->pool);
    if (ask->declined_ms > up->health.worked_ms + WELL_MS)
        doh_health_failed(&up->health, now, DOH_BACKOFF_SLOW_MS, doh_random());
    if (ask->declined_ms == 0)
        ask->declined_ms = now;
    doh_ask_replay(ask, err, reason);
}

void doh_upstream_pause_early(struct doh_upstream *up)
{
    doh_shared_hold_early(up->pool->shared, up->index, doh_now(up->pool) + EARLY_PAUSE_MS);
}

static void judge(struct doh_upstream *up, struct doh_conn *conn, struct doh_ask *ask,
                  const struct doh_h2_response *r)
{
    char reason[DOH_REASON_MAX];
    enum doh_verdict verdict = doh_head_judge(&r->head);
    (void)snprintf(reason, sizeof reason, "HTTP status %u for https://%.80s%.60s", r->head.status,
                   up->url->authority, up->url->path);
    switch (verdict) {
    case DOH_ANSWERED: judge_body(up, ask, r); break;
    case DOH_FLIP: flip(up, ask, reason); break;
    case DOH_ELSEWHERE:
        if (r->head.status == 425 && ask->early)
            doh_upstream_pause_early(up); /* now the handshake is over */
        else
            doh_conn_drain(conn);
        decline(up, ask, DOH_E_HTTP, reason);
        break;
    case DOH_REFUSED: refuse(up, ask, DOH_E_HTTP, reason, HOLD_MS); break;
    case DOH_LATER: come_back_later(up, ask, &r->head, reason); break;
    case DOH_BROKEN: refuse(up, ask, DOH_E_HTTP, reason, DOH_BACKOFF_SLOW_MS); break;
    case DOH_NOT_DNS:
        refuse(up, ask, DOH_E_GARBAGE, "its answers are not of the type application/dns-message",
               DOH_BACKOFF_SLOW_MS);
        break;
    }
}

void doh_upstream_response(struct doh_upstream *up, struct doh_conn *conn, struct doh_ask *ask,
                           const struct doh_h2_response *response)
{
    switch (response->end) {
    case DOH_H2_RESPONSE: judge(up, conn, ask, response); break;
    case DOH_H2_UNTOUCHED:
        decline(up, ask, DOH_E_UNREACHABLE, "it does not take questions that it was sent");
        break;
    case DOH_H2_RESET:
        decline(up, ask, DOH_E_HTTP, "it gives up questions without an answer");
        break;
    case DOH_H2_OVERSIZE:
        up->status.mismatches++;
        doh_upstream_report(up, DOH_E_GARBAGE, "an answer was longer than 65535 octets");
        doh_ask_fail_for_good(ask, DOH_E_GARBAGE);
        break;
    }
}

void doh_upstream_stuck(struct doh_upstream *up, struct doh_ask *ask)
{
    char reason[DOH_REASON_MAX];
    (void)snprintf(reason, sizeof reason, "one question was not answered within %u ms",
                   up->pool->config->deadline_ms);
    doh_ask_replay(ask, DOH_E_TIMEOUT, reason);
}
