/* SPDX-License-Identifier: MIT */
/* What the HTTP side of an answer says, header by header (RFC 8484 5, RFC 9110). */
#ifndef DOH_RESPONSE_H
#define DOH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOH_BODY_MAX 65535u

struct doh_response {
    uint16_t status;        /* 0: none yet */
    bool dns_media;         /* content-type is application/dns-message */
    uint32_t age_s;         /* RFC 9111 5.1; 0 when absent or not a number */
    uint32_t retry_after_s; /* delta-seconds only; 0 when absent */
};

void doh_response_header(struct doh_response *response, const uint8_t *name, size_t name_len,
                         const uint8_t *value, size_t value_len);

/* What a response means for the upstream. */
enum doh_meaning {
    DOH_MEANS_ANSWER, /* 200 with the right media type: look at the body */
    DOH_MEANS_METHOD, /* 405, 415, 501: the other method may do */
    DOH_MEANS_CONFIG, /* other 4xx, or 200 that is no DNS: our URL or its service is wrong */
    DOH_MEANS_LATER,  /* 429, 503: obey Retry-After */
    DOH_MEANS_BROKEN, /* other 5xx, and redirects, which are never followed */
    DOH_MEANS_AGAIN,  /* 421, 425: once more on a new connection */
};
enum doh_meaning doh_response_meaning(const struct doh_response *response);

#endif
