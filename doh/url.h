/* SPDX-License-Identifier: MIT */
/* The URL template of a DoH resolver (RFC 8484 4.1): https, a host, perhaps a port, a path, and at
 * its end perhaps the one expression that RFC 8484 knows, {?dns} (RFC 6570; {&dns} behind a query
 * string). */
#ifndef DOH_URL_H
#define DOH_URL_H

#include "doh/config.h"

#include <stddef.h>

#define DOH_HOST_MAX 254u      /* with NUL */
#define DOH_AUTHORITY_MAX 264u /* host, brackets, colon, port, NUL */
#define DOH_PATH_MAX 512u      /* with NUL */

struct doh_url {
    char host[DOH_HOST_MAX]; /* lower case, without brackets */
    char authority[DOH_AUTHORITY_MAX];
    char path[DOH_PATH_MAX];    /* for POST: the expression expanded to nothing */
    uint16_t port;              /* 443 when the URL has none */
    bool is_ip;                 /* host is an address: no SNI, and checked as one (RFC 6066 3) */
    struct doh_address address; /* with port, when is_ip */
};

/* NULL, or a static phrase that says what is wrong; *ret is written on success only. */
const char *doh_url_parse(const char *text, struct doh_url *ret);

/* Room for doh_url_get_path() of a query of `len` octets, NUL included. */
size_t doh_url_get_room(const struct doh_url *url, uint32_t len);

/* :path of a GET (RFC 8484 4.1.1): the query in base64url without padding. Returns strlen. */
size_t doh_url_get_path(const struct doh_url *url, const uint8_t *query, uint32_t len, char *path);

#endif
