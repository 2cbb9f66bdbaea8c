/* SPDX-License-Identifier: MIT */
/* One connection to one address of an upstream: socket, TLS, HTTP/2, and the questions sent on it.
 *
 *                  writable     octets        EOF, error   timer             GOAWAY     close
 *   CONNECTING     HANDSHAKE    -             CLOSED       CLOSED (connect)  -          CLOSED
 *   HANDSHAKE      flush        OPEN          CLOSED       CLOSED (connect)  -          CLOSED
 *   OPEN           flush        answers       CLOSED       CLOSED (oldest    DRAINING   CLOSED
 *                                                          question; idle)
 *   DRAINING       flush        answers;      CLOSED       CLOSED (oldest    -          CLOSED
 *                               last: CLOSED               question)
 *   CLOSED         -            -             -            -                 -          -
 *   (When others were answered since the oldest question left, that stream is given up, and the
 *   connection stays.)
 *
 * Silence   begins with a question, or with an octet after which answers are still owed. A while
 *           later a PING asks for a sign of life; without one the connection is *suspect*: new
 *           questions go elsewhere, another connection is opened beside it, and when that is there
 *           (or the PING is too old) this one is lost and its questions are replayed. Any octet
 *           ends all that.
 *
 * Early     With `early_data` and a session that allows it, questions that wait go out in
 *           HANDSHAKE already, and are asks of this connection from then on. If the handshake ends
 *           without the server having taken them the same octets are sent once more; if it does not
 *           end they go back to the queue, and their next time is their replay.
 *
 * Owner     its upstream, in whose list it is until it is CLOSED. Memory goes back in the last
 *           close callback of the loop. Whatever ends it by itself, doh_upstream_lost() is told. */
#ifndef DOH_CONNECTION_H
#define DOH_CONNECTION_H

#include "doh/h2.h"
#include "doh/parts.h"
#include "doh/tls.h"

enum doh_conn_state {
    DOH_CONN_CONNECTING,
    DOH_CONN_HANDSHAKE,
    DOH_CONN_OPEN,
    DOH_CONN_DRAINING,
    DOH_CONN_CLOSED
};

struct doh_conn {
    struct doh_list link; /* in upstream->conns */
    struct doh_upstream *upstream;
    enum doh_conn_state state;
    struct doh_address address, local; /* `local` from HANDSHAKE on */
    int fd;
    uint32_t handles; /* of the loop, not yet closed */
    uv_poll_t poll;
    uv_timer_t alarm;
    uint64_t alarm_ms; /* when it rings; UINT64_MAX: not at all */
    struct doh_tls *tls;
    struct doh_h2 *h2;       /* from OPEN on; with early data from HANDSHAKE on */
    struct doh_buffer first; /* plain octets that go before all others: sent early, kept in
                              * HANDSHAKE for the case that the server does not take them so */
    struct doh_list asks;    /* sent, the oldest first */
    uint64_t started_ms;     /* the connection attempt */
    uint64_t until_ms;       /* by then its TLS handshake is over, or it fails */
    uint64_t active_ms;      /* the last question or answer */
    uint64_t silent_ms;      /* the last octet, or the first question after it, while answers are
                              * owed; 0: none is. Unlike the oldest ask it does not go away when
                              * nobody wants the answer */
    uint64_t pinged_ms;      /* since the silence began; 0: not yet */
    uint64_t answered_ms;    /* the last response; 0: none yet */
    uint32_t sent;           /* questions */
    uint8_t doubts;          /* PINGs answered since the last response */
    bool suspect;            /* the PING was not answered soon, or the network has changed */
    bool dirty;              /* there may be something to send */
    bool blocked;            /* the socket takes no more for now */
};

/* NULL when it fails at once; then `reason` says why. Its TLS handshake has time until then.
 * `beside` another of which nothing is heard: that one has the session, this one takes none. */
struct doh_conn *doh_conn_open(struct doh_upstream *upstream, const struct doh_address *address,
                               uint64_t until_ms, bool beside, char reason[static DOH_REASON_MAX]);
void doh_conn_close(struct doh_conn *conn); /* silent; it must hold no asks */

bool doh_conn_is_good(const struct doh_conn *conn);  /* open, and not under suspicion */
uint32_t doh_conn_room(const struct doh_conn *conn); /* for more questions, now */
bool doh_conn_send(struct doh_conn *conn, struct doh_ask *ask);
void doh_conn_forget(struct doh_conn *conn, struct doh_ask *ask);
void doh_conn_drain(struct doh_conn *conn); /* no new questions; closes after the last answer */
/* If it has been silent since the last question: asks for a sign of life. */
void doh_conn_doubt(struct doh_conn *conn);
void doh_conn_suspect(struct doh_conn *conn); /* nothing new on it until it gives that sign */
/* Its questions are to be replayed elsewhere. */
void doh_conn_abandon(struct doh_conn *conn, const char *reason);
bool doh_conn_is_worn(const struct doh_conn *conn); /* its server will soon end it (learned.h) */
void doh_conn_flush(struct doh_conn *conn);

#endif
