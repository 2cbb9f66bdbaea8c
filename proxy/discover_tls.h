/* SPDX-License-Identifier: MIT */
/* Whether a designated DoH server is the plain resolver that designates it (RFC 9462 4.2), by one
 * blocking handshake: for the command line only. */
#ifndef PROXY_DISCOVER_TLS_H
#define PROXY_DISCOVER_TLS_H

#include "doh/discover.h"

struct discover_check {
    const struct doh_address *resolver; /* which the certificate has to name */
    const char *ca_file;                /* NULL: the system's */
    const char *keep_file; /* NULL; else opportunistic (RFC 9462 4.3): whoever signed the
                            * certificate is believed, and written there */
};

struct discover_found {
    bool for_address, for_target; /* what the certificate names */
};

/* NULL, or why this file gives no authorities: until the next call. */
const char *discover_tls_ca_fault(const char *file);

/* False, and a sentence in `error`, when it is not. */
bool discover_tls(const struct discover_check *check, const struct doh_designated *designated,
                  const struct doh_address *at, struct discover_found *ret, char error[static 256]);

#endif
