// SPDX-License-Identifier: MIT
#include "proxy/server.h"

#include "proxy/health.h"
#include "proxy/local.h"
#include "proxy/refusal.h"
#include "proxy/sentinel.h"
#include "proxy/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNPROVEN_TTL_S 60u
#define HIT_LEAST 512u                    /* most answers fit; for others another look tells */
#define OPT_MOST (DNS_EDE_TEXT_MAX + 32u) /* header, EDE and keepalive */

struct pending { /* a client that waits for the resolver */
    struct server *server;
    struct pending *next, *prev;
    struct listener_client client;
    struct request request;
    bool unproven; /* a time-name while the clock is wrong */
};

struct message {   /* an answer that is on its way out */
    uint8_t *wire; /* the server's `reply`, or room that the listener has reserved */
    uint32_t len, cap;
    enum val_status status;
    const struct dns_ede *ede;
    bool in_form; /* as the client wants it, with DNSSEC records or without */
};

/* One of the questions that came at once. */
struct coming {
    struct request request;
    struct request_fault fault;
    struct cache_key key; /* and its place, unless there is a fault */
    struct cache_bytes_key place;
};

struct server {
    struct server_parts parts;
    struct server_stats stats;
    struct dns_name health;
    uint64_t started_ms, told_ms; /* told to the tally, all of it */
    struct pending *first;
    uint32_t waiting;
    struct cache_now now; /* of the questions that are being answered */
    struct coming coming[LISTENER_BATCH];
    struct dns_rr table[DNS_RR_MAX]; /* of the answer being rewritten */
    uint8_t reply[DNS_MSG_MAX], source[DNS_MSG_MAX];
};

struct server *server_new(const struct server_parts *parts)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->parts = *parts;
    s->started_ms = parts->clock.now(parts->clock.arg).mono_ms;
    (void)dns_name_parse("health.veridoh.", &s->health); /* a constant */
    return s;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    while (server->first) {
        struct pending *p = server->first;
        server->first = p->next;
        free(p);
    }
    free(server);
}

uint32_t server_waiting(const struct server *server)
{
    return server->waiting;
}

/* --- sending --------------------------------------------------------------------------------- */

static uint16_t keepalive_ds(const struct server *s)
{
    uint32_t ds = s->parts.config->tcp_idle_ms / 100;
    return ds < UINT16_MAX ? (uint16_t)ds : UINT16_MAX;
}

static void send_reply(struct server *s, const struct listener_client *client, uint32_t len)
{
    if (len > 0)
        listener_answer(client, s->reply, len);
    else
        listener_drop(client);
}

static void send_error(struct server *s, const struct listener_client *client,
                       const struct request *request, uint16_t rcode, const struct dns_ede *ede)
{
    struct respond_how how = {
        .status = VAL_INDETERMINATE, .rcode = rcode, .ede = ede, .keepalive_ds = keepalive_ds(s)};
    send_reply(s, client, respond_empty(request, &how, s->reply, sizeof s->reply));
}

static void turn_away(struct server *s, const struct listener_client *client,
                      const struct request *request, uint16_t rcode, uint16_t code, const char *why)
{
    struct dns_ede ede = {.code = code};
    (void)snprintf(ede.text, sizeof ede.text, "%s", why);
    send_error(s, client, request, rcode, &ede);
}

/* RFC 8509: asked about the root's keys. */
static bool denied_by_sentinel(struct server *s, const struct request *request,
                               enum val_status status)
{
    return s->parts.config->sentinel && status == VAL_SECURE &&
           (request->flags & DNS_FLAG_CD) == 0 &&
           sentinel_refuses(&request->question, resolver_anchors(s->parts.resolver));
}

/* Written anew: cut, or without what was not asked for. */
static void send_rewritten(struct server *s, const struct listener_client *client,
                           const struct request *request, const struct message *m,
                           const struct respond_how *how)
{
    struct dns_msg msg;
    uint32_t len = 0;
    memcpy(s->source, m->wire, m->len);
    if (dns_msg_read(s->source, m->len, s->table, DNS_RR_MAX, &msg) == DNS_OK)
        len = respond_copy(request, how, &msg, s->reply, sizeof s->reply);
    if (len > 0)
        send_reply(s, client, len);
    else
        turn_away(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
                  "the answer cannot be written");
}

/* To the client's taste, mostly where it lies. */
static void send_answer(struct server *s, const struct listener_client *client,
                        const struct request *request, const struct message *m)
{
    struct respond_how how = {.status = m->status,
                              .rcode = m->wire[3] & 15,
                              .ede = m->ede,
                              .keepalive_ds = keepalive_ds(s)};
    if (denied_by_sentinel(s, request, m->status)) {
        turn_away(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_OTHER,
                  "root key trust anchor sentinel (RFC 8509)");
        return;
    }
    uint32_t len = m->in_form ? respond_in_place(request, &how, m->wire, m->len, m->cap) : 0;
    if (len == 0)
        send_rewritten(s, client, request, m, &how);
    else if (m->wire == s->reply)
        send_reply(s, client, len);
    else
        listener_commit(client, len);
}

/* --- waiting --------------------------------------------------------------------------------- */

/* So that the proven answer takes over soon. The message is of our own resolver's making; one that
 * cannot be read is not sent either, in send_answer(). */
static void shorten(struct server *s, uint32_t len)
{
    struct dns_msg msg;
    if (dns_msg_read(s->reply, len, s->table, DNS_RR_MAX, &msg) != DNS_OK)
        return;
    for (uint32_t i = 0; i < msg.rr_count; i++) {
        uint32_t ttl_s = msg.rr[i].ttl_s < UNPROVEN_TTL_S ? msg.rr[i].ttl_s : UNPROVEN_TTL_S;
        struct dns_writer w = dns_writer_init(s->reply + msg.rr[i].ttl_off, 4);
        dns_write_u32(&w, ttl_s);
    }
}

/* Told to all workers: what the resolver counts changes with misses, and not so often is it copied
 * while hits are answered. */
static void tell_tally(struct server *s, bool after_miss)
{
    struct resolver_stats stats;
    tally_server(s->parts.tally, s->parts.worker, &s->stats);
    if (!after_miss && s->told_ms == s->now.mono_ms)
        return;
    s->told_ms = s->now.mono_ms;
    resolver_stats(s->parts.resolver, &stats);
    tally_resolver(s->parts.tally, s->parts.worker, &stats);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct pending *p = arg;
    struct server *s = p->server;
    if (answer->wire) {
        memcpy(s->reply, answer->wire, answer->len);
        if (p->unproven)
            shorten(s, answer->len);
        const struct message m = {.wire = s->reply,
                                  .len = answer->len,
                                  .cap = sizeof s->reply,
                                  .status = answer->status,
                                  .ede = &answer->ede,
                                  .in_form = p->request.dnssec_ok};
        send_answer(s, &p->client, &p->request, &m);
    } else {
        send_error(s, &p->client, &p->request, DNS_RCODE_SERVFAIL, &answer->ede);
        refusal_log(s->parts.config, s->parts.log, &p->request.question, answer);
    }
    if (p->prev)
        p->prev->next = p->next;
    else
        s->first = p->next;
    if (p->next)
        p->next->prev = p->prev;
    s->waiting--;
    free(p);
    tell_tally(s, true);
}

static void ask(struct server *s, const struct listener_client *client,
                const struct request *request, bool unproven)
{
    struct pending *p = calloc(1, sizeof *p);
    struct resolver_question q = {.question = &request->question,
                                  .checking_disabled = (request->flags & DNS_FLAG_CD) != 0,
                                  .unproven = unproven};
    if (p)
        *p = (struct pending){
            .server = s, .client = *client, .request = *request, .unproven = unproven};
    if (!p || !resolver_ask(s->parts.resolver, &q, on_answer, p)) {
        free(p);
        turn_away(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_NOT_READY,
                  "too many questions are waiting");
        return;
    }
    p->next = s->first;
    if (p->next)
        p->next->prev = p;
    s->first = p;
    s->waiting++;
}

/* --- one question ---------------------------------------------------------------------------- */

/* Copied once: from the cache to where the listener sends from. When it has no room there now, to
 * our own. Ends: each time there is more room than the answer took that did not fit. */
static bool find_hit(struct server *s, const struct listener_client *client, const struct coming *c,
                     struct cache_hit *hit, struct message *ret)
{
    uint32_t least = HIT_LEAST;
    do {
        ret->wire = listener_reserve(client, least, &ret->cap);
        if (!ret->wire) {
            ret->wire = s->reply;
            ret->cap = sizeof s->reply;
        }
        if (resolver_hit(s->parts.resolver, &c->key, &c->place, s->now, ret->wire, ret->cap, hit))
            return true;
        least = hit->len + OPT_MOST;
    } while (hit->len > ret->cap);
    return false;
}

static bool answer_hit(struct server *s, const struct listener_client *client,
                       const struct coming *c)
{
    struct cache_hit hit;
    struct message m;
    if (!find_hit(s, client, c, &hit, &m))
        return false;
    s->stats.hits++;
    m.len = hit.len;
    m.status = hit.status;
    m.ede = &hit.ede;
    m.in_form = true;
    send_answer(s, client, &c->request, &m);
    return true;
}

/* While the clock is not trusted nothing can be proven or found expired, so nothing is answered:
 * but names of time servers, that it may become right, and what has a route that is not
 * validated. */
static bool answer_untimely(struct server *s, const struct listener_client *client,
                            const struct request *request)
{
    const struct config *c = s->parts.config;
    if (!s->parts.clock_wrong || !*s->parts.clock_wrong)
        return false;
    uint32_t route = doh_route_of(&c->doh, &request->question);
    if (route != DOH_ROUTE_DEFAULT && c->doh.routes[route].validate != DOH_ROUTE_VALIDATED)
        return false;
    s->stats.untimely++;
    if (policy_time_name(c, &request->question))
        ask(s, client, request, true);
    else
        turn_away(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_NOT_READY,
                  "this machine's clock is wrong: no signature can be judged until it is set");
    return true;
}

static bool answer_here(struct server *s, const struct listener_client *client,
                        const struct request *request)
{
    struct policy_local local;
    policy_local(s->parts.config, &request->question, s->now.wall_s, &local);
    if (local.answer == POLICY_FORWARD)
        return false;
    s->stats.local++;
    send_reply(s, client,
               local_answer(request, &local, keepalive_ds(s), s->reply, sizeof s->reply));
    return true;
}

static void answer_health(struct server *s, const struct listener_client *client,
                          const struct request *request)
{
    struct health h;
    const char *strings[HEALTH_LINES_MAX];
    uint64_t now_ms = s->now.mono_ms;
    tell_tally(s, true);
    health_fill(&h, &s->parts, (now_ms - s->started_ms) / 1000);
    for (uint32_t i = 0; i < h.count; i++)
        strings[i] = h.line[i];
    send_reply(s, client, local_text(request, strings, h.count, s->reply, sizeof s->reply));
}

static bool asks_health(const struct server *s, const struct listener_client *client,
                        const struct dns_question *q)
{
    return client->here && q->class_ == DNS_CLASS_CH && q->type == DNS_TYPE_TXT &&
           dns_name_equal(&q->name, &s->health);
}

static void answer_one(struct server *s, const struct listener_client *client,
                       const struct coming *c)
{
    const struct request *request = &c->request;
    s->stats.questions++;
    if (c->fault.drop) { /* an answer to an answer would make a loop */
        s->stats.dropped++;
        listener_drop(client);
    } else if (c->fault.rcode != DNS_RCODE_NOERROR) {
        s->stats.malformed++;
        turn_away(s, client, request, c->fault.rcode, c->fault.ede, "");
    } else if (!client->here && !policy_allows(s->parts.config, &client->peer)) {
        s->stats.refused++;
        turn_away(s, client, request, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED,
                  "this address may not ask here");
    } else if (asks_health(s, client, &request->question)) {
        answer_health(s, client, request);
    } else if (request->question.class_ != DNS_CLASS_IN) {
        turn_away(s, client, request, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED,
                  "only class IN is asked");
    } else if (!answer_here(s, client, request) && !answer_untimely(s, client, request) &&
               !answer_hit(s, client, c)) {
        ask(s, client, request, false);
    }
}

/* False: it will not be looked for in the cache. */
static bool read_query(struct server *s, const struct listener_query *query, struct coming *ret)
{
    const struct request_path path = {query->client.tcp, query->client.here,
                                      s->parts.config->udp_size};
    ret->fault = request_read(query->wire, query->len, &path, &ret->request);
    if (ret->fault.drop || ret->fault.rcode != DNS_RCODE_NOERROR)
        return false;
    ret->key = (struct cache_key){
        .question = &ret->request.question,
        .route = doh_route_of(&s->parts.config->doh, &ret->request.question),
        .dnssec_ok = ret->request.dnssec_ok,
        .checking_disabled = (ret->request.flags & DNS_FLAG_CD) != 0,
    };
    cache_answer_seek(s->parts.cache, &ret->key, &ret->place);
    return true;
}

/* In three rounds, so that what answers need comes from memory while others are worked on. */
void server_on_queries(void *arg, const struct listener_query *query, uint32_t count)
{
    struct server *s = arg;
    s->now = s->parts.clock.now(s->parts.clock.arg);
    bool sought[LISTENER_BATCH];
    for (uint32_t i = 0; i < count; i++)
        sought[i] = read_query(s, &query[i], &s->coming[i]);
    for (uint32_t i = 0; i < count && count > 1; i++)
        if (sought[i])
            cache_answer_expect(s->parts.cache, &s->coming[i].place);
    for (uint32_t i = 0; i < count; i++)
        answer_one(s, &query[i].client, &s->coming[i]);
    tell_tally(s, false);
}
