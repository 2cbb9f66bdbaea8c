/* SPDX-License-Identifier: MIT */
/* A stamp (doh/stamp.h) where the configuration wants a URL or a plain server's address. */
#ifndef PROXY_CONFIG_STAMP_H
#define PROXY_CONFIG_STAMP_H

#include "doh/config.h"

/* When u->url is a stamp: replaces it by the https URL, and adds the stamp's address, bootstrap
 * servers and hashes (as pins) to what is written beside it. NULL, or a phrase that says why not.
 */
const char *config_stamp_expand(struct doh_upstream_config *u);

/* The address of a plain DNS server's stamp; false: it is none. */
bool config_stamp_server(const char *text, struct doh_address *ret);

#endif
