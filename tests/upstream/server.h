/* SPDX-License-Identifier: MIT */
/* The DoH server: TCP and TLS in server.c, HTTP/2 requests and their answers in http.c. */
#ifndef UPSTREAM_SERVER_H
#define UPSTREAM_SERVER_H

#include "tests/upstream/upstream.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <uv.h>

struct server {
    uv_tcp_t listener;
    SSL_CTX *tls;
    struct upstream *upstream;
    struct conn *conns;
    unsigned next_id;
};

struct conn {
    uv_tcp_t tcp;
    struct server *server;
    struct conn *next, **link;
    SSL *ssl;
    BIO *in, *out;       /* owned by ssl */
    nghttp2_session *h2; /* NULL until the handshake is done */
    struct exchange *exchanges;
    unsigned id;
    bool finishing; /* to be closed when everything has been written */
    bool when_idle; /* the same, but only when every exchange has ended */
    bool closing;
    char rx[16384];
};

/* Port in *port: 0 chooses one, and is set. False: cannot listen. */
bool server_listen(struct server *server, uv_loop_t *loop, uint16_t *port);
void server_close(struct server *server); /* and every connection */

void conn_flush(struct conn *conn); /* what HTTP/2 has to send, leaves */
void conn_reset(struct conn *conn); /* TCP RST */
void conn_send_raw(struct conn *conn, const void *octets, int len); /* inside TLS, not HTTP/2 */

nghttp2_session *http_session_new(struct conn *conn, uint32_t max_streams);
void http_forget(struct conn *conn); /* the connection ends: no exchange of it is left */

#endif
