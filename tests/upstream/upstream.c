// SPDX-License-Identifier: MIT
#include "tests/upstream/upstream.h"

#include "tests/upstream/answer.h"

#include <uv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stats_reset(struct stats *stats)
{
    while (stats->head) {
        struct seen *next = stats->head->next;
        free(stats->head);
        stats->head = next;
    }
    *stats = (struct stats){.since_ns = uv_hrtime()};
    stats->end = &stats->head;
}

static void note(struct stats *stats, const struct origin *origin, const struct dns_msg *query)
{
    if (!stats->in_flight)
        stats->flights++;
    stats->in_flight = true;
    stats->questions++;
    struct seen *seen = must_alloc(sizeof *seen);
    seen->name = query->question.name;
    seen->type = query->question.type;
    seen->cd = (query->flags & DNS_FLAG_CD) != 0;
    seen->dnssec_ok = query->edns.dnssec_ok;
    seen->fresh = origin->fresh;
    seen->via = origin->via;
    seen->at_ms = (uv_hrtime() - stats->since_ns) / 1000000;
    seen->connection = origin->connection;
    seen->stream = origin->stream;
    seen->flight = stats->flights;
    *stats->end = seen;
    stats->end = &seen->next;
}

void upstream_answered(struct upstream *upstream)
{
    upstream->stats.in_flight = false;
}

static void answer(struct upstream *upstream, const struct dns_msg *query, struct outcome *ret)
{
    struct rule *rules = rules_match(&upstream->rules, query);
    struct reply *reply = must_alloc(sizeof *reply);
    reply->question = query->question;
    reply->dnssec = query->edns.dnssec_ok;
    answer_question(&upstream->world, reply);
    for (struct rule *rule = rules; rule; rule = rule->next_match)
        if (rule->lie->on_reply)
            rule->lie->on_reply(&upstream->world, reply, rule);
    ret->len = reply_write(reply, query, ret->wire, DNS_MSG_MAX);
    for (struct rule *rule = rules; rule; rule = rule->next_match)
        if (rule->lie->on_outcome)
            rule->lie->on_outcome(ret, rule);
    reply_free(reply);
    free(reply);
}

static void record(struct upstream *upstream, const struct origin *origin, const uint8_t *wire,
                   size_t len)
{
    struct recorded *r = &upstream->recorded[upstream->recorded_count % RECORDED_MAX];
    if (!origin->headers)
        return;
    upstream->recorded_count++;
    r->len = len < RECORDED_WIRE ? (uint32_t)len : RECORDED_WIRE;
    memcpy(r->wire, wire, r->len);
    (void)snprintf(r->headers, sizeof r->headers, "%s", origin->headers);
}

bool upstream_ask(struct upstream *upstream, const struct origin *origin, const uint8_t *wire,
                  size_t len, struct outcome *ret)
{
    struct dns_rr table[16];
    struct dns_msg query;
    if (dns_msg_read(wire, len, table, 16, &query) != DNS_OK || query.flags & DNS_FLAG_QR ||
        query.question_count != 1)
        return false;
    ret->status = 200;
    (void)snprintf(ret->media, sizeof ret->media, "application/dns-message");
    ret->retry_after = ret->age = -1;
    ret->delay_ms = upstream->delay_ms;
    ret->sending = SEND_ANSWER;
    ret->goaway_last = -1;
    ret->close_after = false;
    ret->slow_ms = 0;
    note(&upstream->stats, origin, &query);
    record(upstream, origin, wire, len);
    answer(upstream, &query, ret);
    return true;
}
