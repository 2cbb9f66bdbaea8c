/* SPDX-License-Identifier: MIT */
/* TLS of one connection over flat buffers, without I/O: the server's octets go in, octets for the
 * server come out, plain octets on the other side. OpenSSL reads and writes them through a BIO of
 * ours, so that what is written at once leaves in one record and one send. */
#ifndef DOH_TLS_H
#define DOH_TLS_H

#include "doh/buffer.h"
#include "doh/pin.h"

#include <openssl/ssl.h>

#define DOH_TLS_TEXT_MAX 320u

struct doh_tls;

/* A context for one upstream: ALPN h2, the peer verified by `store` (a reference is taken), TLS 1.3
 * when the peer can. NULL when out of memory. */
SSL_CTX *doh_tls_context(X509_STORE *store, bool tls13_only);

/* Our own certificate (PEM, with its chain), for upstreams that ask for one, and then its key.
 * False when the file has none; or a key, but another's. */
bool doh_tls_certificate(SSL_CTX *context, const char *path);
bool doh_tls_key(SSL_CTX *context, const char *path);

struct doh_tls_peer {
    const char *host; /* the name or, with `is_ip`, the address that the certificate must be for */
    bool is_ip;       /* (RFC 9110 4.3.4) */
    const struct doh_pin *pins; /* of its key; borrowed until doh_tls_free() */
    uint32_t pin_count;         /* 0: any key */
};

/* `session` (or NULL) is offered for resumption. NULL when out of memory. */
struct doh_tls *doh_tls_new(SSL_CTX *context, const struct doh_tls_peer *peer,
                            SSL_SESSION *session);
void doh_tls_free(struct doh_tls *tls); /* NULL is fine */
/* Before the handshake, always: when the system's clock says that it is earlier than that, it is
 * wrong. Then the peer's certificates must not have expired by floor_s, and may begin later. A
 * session whose certificate has expired by now is not resumed. */
void doh_tls_not_before(struct doh_tls *tls, uint64_t floor_s);

/* Where received octets are put, and where those to send are found. */
struct doh_buffer *doh_tls_in(struct doh_tls *tls);
struct doh_buffer *doh_tls_out(struct doh_tls *tls);

enum doh_tls_step { DOH_TLS_MORE, DOH_TLS_DONE, DOH_TLS_FAILED };

/* Goes on with the handshake as far as the octets reach. DONE: the peer is who it should be and
 * speaks h2. FAILED: nothing is left to send but an alert. */
enum doh_tls_step doh_tls_handshake(struct doh_tls *tls);

/* Plain octets into `buf`. DONE: *ret_len > 0 octets, or 0: the peer has closed its side. */
enum doh_tls_step doh_tls_read(struct doh_tls *tls, void *buf, size_t cap, size_t *ret_len);

/* Before the first doh_tls_handshake(): how many octets may go out together with its beginning
 * (early data, RFC 8446 2.3). 0 unless the session is one of TLS 1.3 whose ticket allows it and
 * still counts, whose certificate has not expired and is for this host and as pinned, and that
 * spoke h2. */
uint32_t doh_tls_early_max(struct doh_tls *tls);
bool doh_tls_write_early(struct doh_tls *tls, const void *octets, size_t len);
/* After the handshake: they have arrived; else all of them are to be written again. */
bool doh_tls_early_accepted(const struct doh_tls *tls);

bool doh_tls_write(struct doh_tls *tls, const void *octets, size_t len);
void doh_tls_goodbye(struct doh_tls *tls); /* queues a close_notify */

bool doh_tls_resumed(const struct doh_tls *tls);
/* Of the connection that it came on: a new session is worth keeping. Not so when nothing that the
 * server sent is pinned, but the root: resumed, it would be refused. */
bool doh_tls_may_resume(const SSL *ssl);
const char *doh_tls_error(const struct doh_tls *tls); /* why it FAILED, naming the check */

#endif
