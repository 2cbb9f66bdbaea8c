/* SPDX-License-Identifier: MIT */
/* DNS stamps: sdns:// and the base64url of one resolver's parameters, as resolver lists publish
 * them (dnscrypt.info/stamps-specifications). Taken here: DoH, and plain DNS for the servers of
 * routes and bootstrap. The properties (DNSSEC, no logs, no filter) are claims and are ignored. */
#ifndef DOH_STAMP_H
#define DOH_STAMP_H

#include "doh/url.h"

#define DOH_STAMP_LIST_MAX 8u
#define DOH_STAMP_URL_MAX (DOH_AUTHORITY_MAX + DOH_PATH_MAX + 16u)

enum doh_stamp_kind { DOH_STAMP_PLAIN, DOH_STAMP_DOH };

struct doh_stamp {
    enum doh_stamp_kind kind;
    struct doh_address address;  /* with port; family AF_UNSPEC: the stamp has none */
    char url[DOH_STAMP_URL_MAX]; /* DOH: https://host[:port]/path; doh_url_parse() takes it */
    uint8_t hash[DOH_STAMP_LIST_MAX][32]; /* DOH: SHA-256 of the to-be-signed part of a
                                           * certificate of the chain, one of which has to match */
    uint32_t hash_count;
    struct doh_address bootstrap[DOH_STAMP_LIST_MAX]; /* DOH: plain servers for the host's name */
    uint32_t bootstrap_count;
};

bool doh_stamp_is(const char *text); /* it begins with sdns:// */

/* NULL, or a static phrase that says what is wrong; *ret is written on success only. */
const char *doh_stamp_parse(const char *text, struct doh_stamp *ret);

#endif
