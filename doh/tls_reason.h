/* SPDX-License-Identifier: MIT */
/* Why a server was refused, in words: which check failed, on what, and what can be done. */
#ifndef DOH_TLS_REASON_H
#define DOH_TLS_REASON_H

#include <openssl/x509_vfy.h>

#include <stddef.h>

/* From the verification that has just failed. `host` is whom the certificate was to be for. */
void doh_tls_reason_certificate(X509_STORE_CTX *verification, const char *host, char *text,
                                size_t cap);

/* From OpenSSL's last error of this thread: the handshake or a record failed otherwise. */
void doh_tls_reason_protocol(char *text, size_t cap);

#endif
