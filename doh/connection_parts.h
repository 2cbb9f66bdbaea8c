/* SPDX-License-Identifier: MIT */
/* What the files of a connection share: connection.c (its states), connection_time.c (what happens
 * when nothing happens), connection_open.c (its beginning), connection_early.c (what is sent before
 * the handshake has ended), connection_close.c (its end). */
#ifndef DOH_CONNECTION_PARTS_H
#define DOH_CONNECTION_PARTS_H

#include "doh/connection.h"

#define DOH_PLAIN_MAX (1u << 20) /* octets that one turn may want to send */

static inline uint64_t doh_conn_now(const struct doh_conn *conn)
{
    return doh_now(conn->upstream->pool);
}

static inline const struct doh_config *doh_conn_config(const struct doh_conn *conn)
{
    return conn->upstream->pool->config;
}

/* connection.c */
void doh_conn_on_poll(uv_poll_t *poll, int status, int events);
void doh_conn_dirty(struct doh_conn *conn); /* there is something to send at the end of the turn */

/* connection_time.c */
void doh_conn_arm(struct doh_conn *conn); /* the alarm for what is due next */

/* connection_early.c */
bool doh_conn_send_early(struct doh_conn *conn);   /* in HANDSHAKE, first; false: it is lost */
bool doh_conn_settle_early(struct doh_conn *conn); /* at its end; false: no memory */

/* connection_close.c */
void doh_conn_shut(struct doh_conn *conn); /* CLOSED; nobody is told */
/* The end, which the upstream is told. */
void doh_conn_lose(struct doh_conn *conn, enum doh_err err, const char *reason);
void doh_conn_lose_errno(struct doh_conn *conn, const char *doing, int number);
/* GOAWAY and close_notify, if the socket takes them. */
void doh_conn_goodbye(struct doh_conn *conn);

#endif
