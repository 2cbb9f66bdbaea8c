/* SPDX-License-Identifier: MIT */
/* One connection to one address of an upstream: socket, TLS, HTTP/2 and their deadlines, on one
 * loop. Everything submitted in one turn leaves in one TLS record and one send, when
 * doh_conn_flush() is called. */
#ifndef DOH_CONNECTION_H
#define DOH_CONNECTION_H

#include "doh/h2.h"
#include "doh/shared.h"

#include <uv.h>

struct doh_conn;

struct doh_conn_events { /* called at the end of the connection's own turn */
    void (*ready)(void *arg, struct doh_conn *conn);
    /* TCP is taking longer than RFC 8305 would wait: another address may be tried meanwhile. */
    void (*slow)(void *arg, struct doh_conn *conn);
    void (*ended)(void *arg, struct doh_conn *conn, struct doh_exchange *exchange);
    /* Over. Every exchange has ended before. `error` NULL: a clean close without open questions.
     * The connection frees itself; it must not be used any more. */
    void (*closed)(void *arg, struct doh_conn *conn, const char *error);
    void *arg;
};

struct doh_conn_limits {
    uint32_t connect_ms, deadline_ms, idle_ms;
};

/* NULL: out of memory or no socket; errno tells. `session` (or NULL) is offered for resumption. */
struct doh_conn *doh_conn_open(uv_loop_t *loop, const struct doh_shared_upstream *upstream,
                               const struct doh_address *address, SSL_SESSION *session,
                               const struct doh_conn_limits *limits,
                               const struct doh_conn_events *events);
/* Silent for `events` from now on; exchanges are simply no longer in use. */
void doh_conn_close(struct doh_conn *conn);

bool doh_conn_ready(const struct doh_conn *conn); /* may take questions, as far as _room says */
uint32_t doh_conn_room(const struct doh_conn *conn);
bool doh_conn_connecting(const struct doh_conn *conn);
bool doh_conn_submit(struct doh_conn *conn, bool get, bool fresh, struct doh_exchange *exchange,
                     uint64_t now_ms);
void doh_conn_forget(struct doh_conn *conn, struct doh_exchange *exchange);
void doh_conn_flush(struct doh_conn *conn);
SSL_SESSION *doh_conn_session(struct doh_conn *conn); /* a reference, or NULL */
bool doh_conn_resumed(const struct doh_conn *conn);

#endif
