// SPDX-License-Identifier: MIT
#include "doh/resolve.h"

#include <ares.h>
#include <openssl/rand.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 700 /* c-ares doubles it with each try; its own default waits 75 s */
#define TRIES 2
#define EDNS_SIZE 1232
#define TICK_MS 100
#define QUERY_MAX 600u
#define SERVERS_MAX 16u

struct watched {
    uv_poll_t poll;
    struct doh_resolve *owner;
    struct watched *next;
    ares_socket_t fd;
};

struct doh_resolve_query {
    struct doh_resolve *owner;
    struct doh_resolve_query *next;
    doh_resolve_fn *done; /* NULL: cancelled, c-ares still holds us */
    void *arg;
    uint8_t *answer; /* kept until the loop's next turn: done never comes from inside _ask */
    uint32_t len;
    bool ended;
    uint16_t wire_len;
    uint8_t wire[QUERY_MAX];
};

struct doh_resolve {
    uv_loop_t *loop;
    uv_timer_t timer; /* while questions are under way */
    uv_timer_t later; /* delivers what has ended */
    ares_channel channel;
    bool closing;
    int handles;
    uint32_t under_way;
    struct watched *watched;
    struct doh_resolve_query *queries;
};

static void release(struct doh_resolve *r)
{
    if (r->closing && r->handles == 0)
        free(r);
}

/* --- sockets --------------------------------------------------------------------------------- */

static void on_watched_closed(uv_handle_t *handle)
{
    struct watched *w = handle->data;
    struct doh_resolve *r = w->owner;
    free(w);
    r->handles--;
    release(r);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    ares_socket_t fd = w->fd;
    bool both = status < 0; /* c-ares finds the error itself */
    ares_process_fd(w->owner->channel, both || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
                    both || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
}

/* (0, 0) comes before c-ares closes the descriptor: the poll must stop on the spot. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct doh_resolve *r = arg;
    struct watched **p = &r->watched;
    while (*p && (*p)->fd != fd)
        p = &(*p)->next;
    struct watched *w = *p;
    if (!readable && !writable) {
        if (!w)
            return;
        *p = w->next;
        (void)uv_poll_stop(&w->poll);
        uv_close((uv_handle_t *)&w->poll, on_watched_closed);
        return;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w || uv_poll_init_socket(r->loop, &w->poll, fd) != 0) {
            free(w); /* the question times out */
            return;
        }
        w->poll.data = w;
        w->owner = r;
        w->fd = fd;
        w->next = r->watched;
        r->watched = w;
        r->handles++;
    }
    (void)uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                        on_poll);
}

static void on_tick(uv_timer_t *timer)
{
    struct doh_resolve *r = timer->data;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* --- questions ------------------------------------------------------------------------------- */

static void unlink_query(struct doh_resolve_query *q)
{
    struct doh_resolve_query **p = &q->owner->queries;
    while (*p != q)
        p = &(*p)->next;
    *p = q->next;
}

static void on_later(uv_timer_t *timer)
{
    struct doh_resolve *r = timer->data;
    for (;;) { /* each done may ask, cancel or close */
        struct doh_resolve_query *q = r->queries;
        while (q && !q->ended)
            q = q->next;
        if (!q)
            return;
        unlink_query(q);
        doh_resolve_fn *done = q->done;
        if (done)
            done(q->arg, q->answer, q->len);
        free(q->answer);
        free(q);
        if (r->closing)
            return;
    }
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
    (void)timeouts;
    struct doh_resolve_query *q = arg;
    struct doh_resolve *r = q->owner;
    q->ended = true;
    if (--r->under_way == 0 && !r->closing)
        (void)uv_timer_stop(&r->timer);
    if (r->closing)
        return; /* freed by doh_resolve_close() */
    if (status == ARES_SUCCESS && answer && len > 0 && q->done) {
        q->answer = malloc((size_t)len);
        if (q->answer) {
            memcpy(q->answer, answer, (size_t)len);
            q->len = (uint32_t)len;
        }
    }
    (void)uv_timer_start(&r->later, on_later, 0, 0);
}

struct doh_resolve_query *doh_resolve_ask(struct doh_resolve *r, const uint8_t *query, uint32_t len,
                                          doh_resolve_fn *done, void *arg)
{
    struct doh_resolve_query *q = len >= 12 && len <= QUERY_MAX ? calloc(1, sizeof *q) : NULL;
    if (!q)
        return NULL;
    *q = (struct doh_resolve_query){
        .owner = r, .next = r->queries, .done = done, .arg = arg, .wire_len = (uint16_t)len};
    memcpy(q->wire, query, len);
    if (RAND_bytes(q->wire, 2) != 1) { /* c-ares sends our ID as it is */
        free(q);
        return NULL;
    }
    r->queries = q;
    r->under_way++;
    if (!uv_is_active((const uv_handle_t *)&r->timer))
        (void)uv_timer_start(&r->timer, on_tick, TICK_MS, TICK_MS);
    ares_send(r->channel, q->wire, (int)len, on_answer, q);
    return q;
}

void doh_resolve_cancel(struct doh_resolve_query *query)
{
    query->done = NULL; /* c-ares cannot give one question up: it ends by itself */
}

/* --- life ------------------------------------------------------------------------------------ */

static bool set_servers(struct doh_resolve *r, const struct doh_address *servers, uint32_t count)
{
    struct ares_addr_port_node node[SERVERS_MAX];
    memset(node, 0, sizeof node);
    if (count > SERVERS_MAX)
        count = SERVERS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct doh_address *a = &servers[i];
        node[i].family = a->sa.any.sa_family;
        node[i].udp_port = node[i].tcp_port = ntohs(a->sa.v4.sin_port);
        if (node[i].family == AF_INET)
            node[i].addr.addr4 = a->sa.v4.sin_addr;
        else
            memcpy(&node[i].addr.addr6, &a->sa.v6.sin6_addr, 16);
        node[i].next = i + 1 < count ? &node[i + 1] : NULL;
    }
    return count > 0 && ares_set_servers_ports(r->channel, node) == ARES_SUCCESS;
}

static bool open_channel(struct doh_resolve *r)
{
    static char nowhere[] = "/dev/null"; /* instead of the host's resolv.conf */
    struct ares_options options = {
        /* EDNS: else c-ares asks anew by TCP for anything over 512 octets. NOCHECKRESP: else
         * SERVFAIL and REFUSED never reach us. */
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = TIMEOUT_MS,
        .tries = TRIES,
        .ednspsz = EDNS_SIZE,
        .sock_state_cb = on_socket,
        .sock_state_cb_data = r,
        .resolvconf_path = nowhere,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
    return ares_init_options(&r->channel, &options, mask) == ARES_SUCCESS;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct doh_resolve *r = handle->data;
    r->handles--;
    release(r);
}

struct doh_resolve *doh_resolve_new(uv_loop_t *loop, const struct doh_address *servers,
                                    uint32_t count)
{
    struct doh_resolve *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->loop = loop;
    if (!open_channel(r)) {
        free(r);
        return NULL;
    }
    if (!set_servers(r, servers, count)) {
        ares_destroy(r->channel);
        free(r);
        return NULL;
    }
    (void)uv_timer_init(loop, &r->timer); /* cannot fail */
    (void)uv_timer_init(loop, &r->later);
    r->timer.data = r->later.data = r;
    r->handles = 2;
    return r;
}

void doh_resolve_close(struct doh_resolve *r)
{
    r->closing = true;
    ares_destroy(r->channel); /* ends every question with ARES_EDESTRUCTION, closes every socket */
    while (r->queries) {
        struct doh_resolve_query *q = r->queries;
        r->queries = q->next;
        free(q->answer);
        free(q);
    }
    uv_close((uv_handle_t *)&r->timer, on_timer_closed);
    uv_close((uv_handle_t *)&r->later, on_timer_closed);
}
