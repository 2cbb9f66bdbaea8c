/* SPDX-License-Identifier: MIT */
/* The server's certificate and the authority that signed it, made at every start. Both keys are
 * derived, and the authority has one name, so that any instance's ca.pem fits all of them. */
#ifndef UPSTREAM_TLS_H
#define UPSTREAM_TLS_H

#include <openssl/ssl.h>

/* Writes DIR/ca.pem and DIR/server.pem; NULL when anything fails. SAN: `name`, localhost,
 * 127.0.0.1, ::1. Offers h2 by ALPN. */
SSL_CTX *tls_make(const char *name, const char *dir);

#endif
