/* SPDX-License-Identifier: MIT */
/* The URL template of a DoH resolver (RFC 8484 3, RFC 6570): https://host[:port]/path{?dns}. */
#ifndef DOH_URL_H
#define DOH_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOH_HOST_MAX 254u
#define DOH_PATH_MAX 512u

struct doh_url {
    char host[DOH_HOST_MAX];          /* a name or a bare IP address, for SNI and verification */
    char authority[DOH_HOST_MAX + 8]; /* host[:port] as HTTP wants it */
    char path[DOH_PATH_MAX];          /* without the variable */
    uint16_t port;
    bool is_ip;
    bool has_variable; /* {?dns} was there: GET is possible */
};

/* False with a static sentence in *error. */
bool doh_url_parse(const char *text, struct doh_url *ret, const char **error);

#endif
