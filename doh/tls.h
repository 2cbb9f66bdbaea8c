/* SPDX-License-Identifier: MIT */
/* TLS without sockets: cipher text in, plain text out, and the reverse, over memory BIOs. */
#ifndef DOH_TLS_H
#define DOH_TLS_H

#include "doh/shared.h"

struct doh_tls;

enum doh_tls_step { DOH_TLS_WANT, DOH_TLS_DONE, DOH_TLS_FAILED };

/* `session` (or NULL) is offered for resumption. NULL: out of memory. */
struct doh_tls *doh_tls_new(const struct doh_shared_upstream *upstream, SSL_SESSION *session);
void doh_tls_free(struct doh_tls *tls);

bool doh_tls_feed(struct doh_tls *tls, const uint8_t *cipher, size_t len); /* false: no memory */
/* DONE once certificate, name and ALPN h2 are verified. FAILED: doh_tls_error() says which check.
 */
enum doh_tls_step doh_tls_handshake(struct doh_tls *tls);
/* Octets read, 0: nothing now, -1: closed or broken. */
int doh_tls_read(struct doh_tls *tls, uint8_t *plain, int cap);
bool doh_tls_write(struct doh_tls *tls, const uint8_t *plain, size_t len); /* one record */
/* Cipher text to send: borrowed until _sent or the next write. */
size_t doh_tls_pending(struct doh_tls *tls, const uint8_t **ret);
void doh_tls_sent(struct doh_tls *tls, size_t len);

const char *doh_tls_error(const struct doh_tls *tls); /* a sentence's end, never NULL */
/* The newest session ticket, a reference for the caller, or NULL. */
SSL_SESSION *doh_tls_session(struct doh_tls *tls);
bool doh_tls_resumed(const struct doh_tls *tls);

#endif
