// SPDX-License-Identifier: MIT
#include "doh/plain.h"

#include "doh/address.h"
#include "doh/plain_socket.h"
#include "doh/response.h"

#include <ares.h>

#include <stdlib.h>
#include <string.h>

#define TICK_MS 100u /* c-ares looks at its own deadlines then */
#define UDP_SIZE 1232u
#define TRY_MS 700 /* the default, 5 s four times and doubling, outlives every client */
#define TRIES 2

struct doh_plain {
    struct doh_pool *pool;
    ares_channel channel;
    uv_timer_t timer;        /* active while a query runs */
    struct doh_list sockets; /* of c-ares, watched */
    uint32_t handles;        /* of the loop, not yet closed */
    uint32_t running;        /* queries */
    struct doh_list retired; /* in the list of those that end with their last query */
};

struct socket {
    struct doh_list link;
    struct doh_plain *plain;
    ares_socket_t fd;
    uv_poll_t poll;
};

struct doh_plain_query {
    struct doh_plain *plain;
    struct dns_question question;
    uint16_t id;
    bool returned;           /* from _ask: from then on `done` may be called */
    bool ended;              /* before that */
    doh_plain_done_fn *done; /* NULL: cancelled */
    void *arg;
};

/* --- sockets of c-ares under the loop ------------------------------------------------------ */

static void handle_closed(struct doh_plain *plain)
{
    struct doh_pool *pool = plain->pool;
    if (--plain->handles == 0)
        free(plain);
    doh_pool_handle_closed(pool); /* last: it may free the pool */
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct socket *s = DOH_ITEM(handle, struct socket, poll);
    struct doh_plain *plain = s->plain;
    free(s);
    handle_closed(plain);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct socket *s = DOH_ITEM(poll, struct socket, poll);
    bool readable = (events & UV_READABLE) || status < 0; /* c-ares finds the error by reading */
    ares_process_fd(s->plain->channel, readable ? s->fd : ARES_SOCKET_BAD,
                    events & UV_WRITABLE ? s->fd : ARES_SOCKET_BAD);
}

static struct socket *find_socket(struct doh_plain *plain, ares_socket_t fd)
{
    for (struct doh_list *i = plain->sockets.next; i != &plain->sockets; i = i->next) {
        struct socket *s = DOH_ITEM(i, struct socket, link);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

static struct socket *watch(struct doh_plain *plain, ares_socket_t fd)
{
    struct socket *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->plain = plain;
    s->fd = fd;
    if (uv_poll_init_socket(plain->pool->loop, &s->poll, fd) != 0) {
        free(s);
        return NULL;
    }
    doh_list_init(&s->link);
    doh_list_append(&plain->sockets, &s->link);
    plain->handles++;
    plain->pool->handles++;
    return s;
}

/* Not watched for want of memory, the socket's queries end by their deadlines. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct doh_plain *plain = arg;
    struct socket *s = find_socket(plain, fd);
    if (!s && (readable || writable))
        s = watch(plain, fd);
    if (!s)
        return;
    if (readable || writable) {
        int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
        (void)uv_poll_start(&s->poll, events, on_poll); /* else: as without memory */
        return;
    }
    doh_list_remove(&s->link);
    (void)uv_poll_stop(&s->poll); /* now: c-ares closes the fd next */
    uv_close((uv_handle_t *)&s->poll, on_socket_closed);
}

static void on_tick(uv_timer_t *timer)
{
    struct doh_plain *plain = DOH_ITEM(timer, struct doh_plain, timer);
    ares_process_fd(plain->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (plain->running == 0 && !doh_list_empty(&plain->retired))
        doh_plain_close(plain); /* here, since not within a callback of c-ares */
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(DOH_ITEM(handle, struct doh_plain, timer));
}

/* --- the channel --------------------------------------------------------------------------- */

static int set_servers(ares_channel channel, const struct doh_address *servers, uint32_t count)
{
    struct ares_addr_port_node *nodes = calloc(count, sizeof *nodes);
    if (!nodes)
        return ARES_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct ares_addr_port_node *n = &nodes[i];
        n->next = i + 1 < count ? n + 1 : NULL;
        n->family = servers[i].sa.any.sa_family;
        n->udp_port = n->tcp_port = doh_address_port(&servers[i]);
        if (n->family == AF_INET6) {
            struct sockaddr_in6 v6 = servers[i].sa.v6;
            doh_plain_hide_scope(&v6);
            memcpy(&n->addr.addr6, &v6.sin6_addr, sizeof n->addr.addr6);
        } else {
            n->addr.addr4 = servers[i].sa.v4.sin_addr;
        }
    }
    int rc = ares_set_servers_ports(channel, nodes);
    free(nodes);
    return rc;
}

/* EDNS: without it c-ares takes answers of more than 512 octets for truncated. NOCHECKRESP: else
 * SERVFAIL and REFUSED never get here. RESOLVCONF: the host's may name us. */
static int open_channel(struct doh_plain *plain)
{
    char nothing[] = "/dev/null", files[] = "b";
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = TRY_MS,
        .tries = TRIES,
        .ednspsz = UDP_SIZE,
        .lookups = files,
        .resolvconf_path = nothing,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = plain,
    };
    return ares_init_options(&plain->channel, &options,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                 ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF |
                                 ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB);
}

struct doh_plain *doh_plain_open(struct doh_pool *pool, const struct doh_address *servers,
                                 uint32_t count)
{
    struct doh_plain *plain = calloc(1, sizeof *plain);
    if (!plain)
        return NULL;
    plain->pool = pool;
    doh_list_init(&plain->sockets);
    doh_list_init(&plain->retired);
    if (open_channel(plain) != ARES_SUCCESS) {
        free(plain);
        return NULL;
    }
    doh_plain_own_sockets(plain->channel);
    if (set_servers(plain->channel, servers, count) != ARES_SUCCESS) {
        ares_destroy(plain->channel);
        free(plain);
        return NULL;
    }
    (void)uv_timer_init(pool->loop, &plain->timer); /* cannot fail */
    plain->handles = 1;
    pool->handles++;
    return plain;
}

void doh_plain_close(struct doh_plain *plain)
{
    if (!plain)
        return;
    doh_list_remove(&plain->retired);
    ares_destroy(plain->channel); /* ends every query, then closes the sockets */
    uv_close((uv_handle_t *)&plain->timer, on_timer_closed);
}

void doh_plain_retire(struct doh_plain *plain, struct doh_list *retired)
{
    if (plain->running == 0) {
        doh_plain_close(plain);
        return;
    }
    doh_list_append(retired, &plain->retired);
}

void doh_plain_close_retired(struct doh_list *retired)
{
    while (!doh_list_empty(retired))
        doh_plain_close(DOH_ITEM(retired->next, struct doh_plain, retired));
}

/* --- queries ------------------------------------------------------------------------------- */

static enum doh_err error_of(int status)
{
    switch (status) {
    case ARES_SUCCESS: return DOH_OK;
    case ARES_ETIMEOUT: return DOH_E_TIMEOUT;
    case ARES_ENOMEM: return DOH_E_MEMORY;
    case ARES_EBADRESP: return DOH_E_GARBAGE;
    default: return DOH_E_UNREACHABLE;
    }
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *wire, int len)
{
    (void)timeouts;
    struct doh_plain_query *query = arg;
    struct doh_plain *plain = query->plain;
    enum doh_err err = status == ARES_EDESTRUCTION ? DOH_E_CANCELLED : error_of(status);
    if (!query->returned) {
        query->ended = true;
        return;
    }
    if (--plain->running == 0 && doh_list_empty(&plain->retired))
        (void)uv_timer_stop(&plain->timer);
    struct doh_plain_query q = *query;
    free(query);
    if (!q.done || err == DOH_E_CANCELLED)
        return;
    if (err == DOH_OK &&
        (len <= 0 || doh_body_judge(wire, (uint32_t)len, q.id, &q.question) != DOH_BODY_ANSWER))
        err = DOH_E_GARBAGE;
    q.done(q.arg, err, err == DOH_OK ? wire : NULL, err == DOH_OK ? (uint32_t)len : 0);
}

/* A message of our own, with nothing but a bare OPT at its end: to a FORMERR without OPT c-ares
 * cuts off the last 11 octets and asks again. */
static uint32_t write_query(const struct doh_plain_query *query, uint16_t flags, bool dnssec_ok,
                            uint8_t *wire, size_t cap)
{
    struct dns_opt_out opt = {.udp_size = UDP_SIZE, .dnssec_ok = dnssec_ok};
    return dns_query_write(wire, cap, query->id, &query->question, flags & DNS_FLAG_CD, &opt);
}

struct doh_plain_query *doh_plain_ask(struct doh_plain *plain, const struct dns_question *question,
                                      uint16_t flags, bool dnssec_ok, doh_plain_done_fn *done,
                                      void *arg)
{
    uint8_t wire[DNS_HEADER_LEN + DNS_NAME_MAX + 4 + 11];
    struct doh_plain_query *query = calloc(1, sizeof *query);
    if (!query)
        return NULL;
    *query = (struct doh_plain_query){
        .plain = plain,
        .question = *question,
        .id = (uint16_t)doh_random(), /* ares_send() takes the one in the message */
        .done = done,
        .arg = arg,
    };
    uint32_t len = write_query(query, flags, dnssec_ok, wire, sizeof wire);
    if (len > 0)
        ares_send(plain->channel, wire, (int)len, on_answer, query);
    if (len == 0 || query->ended) {
        free(query);
        return NULL;
    }
    query->returned = true;
    if (plain->running++ == 0) /* has a callback */
        (void)uv_timer_start(&plain->timer, on_tick, TICK_MS, TICK_MS);
    return query;
}

void doh_plain_cancel(struct doh_plain_query *query)
{
    query->done = NULL; /* c-ares cannot forget a single one: it ends by itself */
}
