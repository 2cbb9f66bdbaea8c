// SPDX-License-Identifier: MIT
#include "proxy/server.h"

#include "proxy/health.h"
#include "proxy/local.h"

#include <stdlib.h>
#include <string.h>

struct pending { /* a client that waits for the resolver */
    struct server *server;
    struct pending *next, *prev;
    struct listener_client client;
    struct request request;
};

struct server {
    struct server_parts parts;
    struct server_stats stats;
    uint64_t started_ms;
    uint16_t keepalive_ds;
    struct dns_name health;
    struct pending *first;
    uint32_t waiting;
    struct dns_rr table[DNS_RR_MAX]; /* of an answer that has to be copied */
    uint8_t hit[DNS_MSG_MAX], reply[DNS_MSG_MAX];
};

struct server *server_new(const struct server_parts *parts)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s || dns_name_parse("health.veridoh.", &s->health) != DNS_OK) {
        free(s);
        return NULL;
    }
    uint32_t idle_ds = parts->config->tcp_idle_ms / 100;
    s->parts = *parts;
    s->keepalive_ds = idle_ds < UINT16_MAX ? (uint16_t)idle_ds : UINT16_MAX;
    s->started_ms = parts->clock.now(parts->clock.arg).mono_ms;
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

static void send_reply(const struct listener_client *client, const uint8_t *reply, uint32_t len)
{
    if (len > 0)
        listener_answer(client, reply, len);
    else
        listener_drop(client);
}

static void send_empty(struct server *s, const struct listener_client *client,
                       const struct request *request, uint16_t rcode, const struct dns_ede *ede)
{
    const struct respond_how how = {
        .status = VAL_INSECURE, .rcode = rcode, .ede = ede, .keepalive_ds = s->keepalive_ds};
    send_reply(client, s->reply, respond_empty(request, &how, s->reply, sizeof s->reply));
}

static void send_failure(struct server *s, const struct listener_client *client,
                         const struct request *request, uint16_t rcode, uint16_t code,
                         const char *text)
{
    struct dns_ede ede = {.code = code};
    (void)strncat(ede.text, text, DNS_EDE_TEXT_MAX);
    send_empty(s, client, request, rcode, &ede);
}

/* Reads the answer again, to strip or to cut it. One that cannot be copied is a failure of ours. */
static void send_copy(struct server *s, const struct listener_client *client,
                      const struct request *request, struct respond_how *how, const uint8_t *wire,
                      uint32_t len)
{
    struct dns_msg msg;
    uint32_t reply_len = 0;
    how->keepalive_ds = s->keepalive_ds;
    if (dns_msg_read(wire, len, s->table, DNS_RR_MAX, &msg) == DNS_OK) {
        how->rcode = msg.rcode;
        reply_len = respond_copy(request, how, &msg, s->reply, sizeof s->reply);
    }
    if (reply_len > 0)
        send_reply(client, s->reply, reply_len);
    else
        send_failure(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_INVALID_DATA,
                     "the answer cannot be written");
}

/* --- waiting --------------------------------------------------------------------------------- */

static void unlink_pending(struct pending *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        p->server->first = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->server->waiting--;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct pending *p = arg;
    struct respond_how how = {.status = answer->status, .ede = &answer->ede};
    if (answer->wire)
        send_copy(p->server, &p->client, &p->request, &how, answer->wire, answer->len);
    else
        send_empty(p->server, &p->client, &p->request, DNS_RCODE_SERVFAIL, &answer->ede);
    unlink_pending(p);
    free(p);
}

/* As many may wait as the resolver takes: each pending is one of its questions. */
static void ask(struct server *s, const struct listener_client *client,
                const struct request *request)
{
    const struct resolver_question question = {.question = &request->question,
                                               .checking_disabled = request->flags & DNS_FLAG_CD};
    struct pending *p = malloc(sizeof *p);
    if (p)
        *p = (struct pending){.server = s, .client = *client, .request = *request};
    if (!p || !resolver_ask(s->parts.resolver, &question, on_answer, p)) {
        free(p);
        send_failure(s, client, request, DNS_RCODE_SERVFAIL, DNS_EDE_NOT_READY,
                     "too many questions are waiting");
        return;
    }
    p->next = s->first;
    if (p->next)
        p->next->prev = p;
    s->first = p;
    s->waiting++;
}

/* --- at once --------------------------------------------------------------------------------- */

static bool answer_hit(struct server *s, const struct listener_client *client,
                       const struct request *request)
{
    const struct cache_key key = {
        .question = &request->question,
        .route = doh_route_find(&s->parts.config->doh, &request->question.name),
        .dnssec_ok = request->dnssec_ok,
        .checking_disabled = request->flags & DNS_FLAG_CD,
    };
    struct cache_hit hit;
    if (!resolver_hit(s->parts.resolver, &key, s->hit, sizeof s->hit, &hit))
        return false;
    s->stats.hits++;
    struct respond_how how = {
        .status = hit.status, .rcode = hit.rcode, .ede = &hit.ede, .keepalive_ds = s->keepalive_ds};
    uint32_t len = respond_in_place(request, &how, s->hit, hit.len, sizeof s->hit);
    if (len > 0)
        send_reply(client, s->hit, len);
    else
        send_copy(s, client, request, &how, s->hit, hit.len);
    return true;
}

static bool answer_here(struct server *s, const struct listener_client *client,
                        const struct request *request)
{
    uint64_t now_s = s->parts.clock.now(s->parts.clock.arg).wall_s;
    struct policy_local local = policy_local(s->parts.config, &request->question, now_s);
    if (local.answer == POLICY_FORWARD)
        return false;
    s->stats.local++;
    send_reply(client, s->reply,
               local_answer(request, &local, s->keepalive_ds, s->reply, sizeof s->reply));
    return true;
}

static void answer_health(struct server *s, const struct listener_client *client,
                          const struct request *request)
{
    struct health health;
    const char *line[HEALTH_LINES_MAX];
    uint64_t now_ms = s->parts.clock.now(s->parts.clock.arg).mono_ms;
    health_fill(&health, &s->parts, &s->stats, (now_ms - s->started_ms) / 1000);
    for (uint32_t i = 0; i < health.count; i++)
        line[i] = health.line[i];
    send_reply(client, s->reply,
               local_text(request, line, health.count, s->keepalive_ds, s->reply, sizeof s->reply));
}

static bool asks_for_health(const struct server *s, const struct listener_client *client,
                            const struct dns_question *question)
{
    return client->loopback && question->class_ == DNS_CLASS_CH && question->type == DNS_TYPE_TXT &&
           dns_name_equal(&question->name, &s->health);
}

/* Whoever may not ask, and classes nobody has. */
static bool turn_away(struct server *s, const struct listener_client *client,
                      const struct request *request)
{
    if (!policy_allows(s->parts.config, &client->peer))
        send_failure(s, client, request, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED,
                     "this address may not ask here");
    else if (request->question.class_ != DNS_CLASS_IN)
        send_failure(s, client, request, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED,
                     "only class IN is asked");
    else
        return false;
    s->stats.refused++;
    return true;
}

void server_on_query(void *arg, const struct listener_client *client, const uint8_t *wire,
                     uint32_t len)
{
    struct server *s = arg;
    const struct request_path path = {
        .tcp = client->tcp, .loopback = client->loopback, .udp_size = s->parts.config->udp_size};
    struct request request;
    struct request_fault fault = request_read(wire, len, &path, &request);
    s->stats.questions++;
    if (fault.drop) { /* an answer to an answer would make a loop */
        s->stats.dropped++;
        listener_drop(client);
    } else if (fault.rcode != DNS_RCODE_NOERROR) {
        s->stats.malformed++;
        send_failure(s, client, &request, fault.rcode, fault.ede, "");
    } else if (asks_for_health(s, client, &request.question)) {
        answer_health(s, client, &request);
    } else if (!turn_away(s, client, &request) && !answer_here(s, client, &request) &&
               !answer_hit(s, client, &request)) {
        ask(s, client, &request);
    }
}
