/* SPDX-License-Identifier: MIT */
/* What an HTTP response means to a DoH client (RFC 8484 4.2, 5.1; RFC 9110 15): status, media type
 * and the few fields that matter, and whether its body answers the question. No I/O, no state. */
#ifndef DOH_RESPONSE_H
#define DOH_RESPONSE_H

#include "dns/message.h"

#define DOH_BODY_MAX DNS_MSG_MAX

struct doh_head {
    uint16_t status; /* of the final response; 0: none yet */
    bool is_dns;     /* Content-Type: application/dns-message */
    bool has_age;
    bool has_retry_after;
    uint32_t age_s;
    uint32_t retry_after_s; /* 0 to DOH_RETRY_AFTER_MAX_S */
};

#define DOH_RETRY_AFTER_MAX_S 300u

/* One header field (or :status). `now_s` is for a Retry-After that names a date. */
void doh_head_field(struct doh_head *head, const void *name, size_t name_len, const void *value,
                    size_t value_len, int64_t now_s);

/* RFC 9110 10.2.3: seconds or a date; false when it is neither. */
bool doh_retry_after(const char *value, size_t len, int64_t now_s, uint32_t *ret_s);

enum doh_verdict {
    DOH_ANSWERED,  /* status and media type are right; the body has to be looked at */
    DOH_FLIP,      /* 405, 415, 501: try the other method */
    DOH_ELSEWHERE, /* 421, 425: the same question again on another connection */
    DOH_REFUSED,   /* 3xx and other 4xx: the configuration or the access is wrong; not soon again */
    DOH_LATER,     /* 429, 503: overloaded; Retry-After says how long */
    DOH_BROKEN,    /* 5xx, and whatever else is not an answer */
    DOH_NOT_DNS,   /* 200, but no application/dns-message */
};
enum doh_verdict doh_head_judge(const struct doh_head *head);

enum doh_body { DOH_BODY_ANSWER, DOH_BODY_TRUNCATED, DOH_BODY_GARBAGE };

/* A DNS response to just this question, with the query's id (RFC 5452 9.1, RFC 8484 4.2.1). */
enum doh_body doh_body_judge(const uint8_t *body, uint32_t len, uint16_t id,
                             const struct dns_question *question);

/* The same; *ret_filtered is set with ANSWER: the upstream admits that it keeps the truth to itself
 * (RFC 8914 4.16 to 4.18: blocked, censored, filtered). */
enum doh_body doh_body_judge_filter(const uint8_t *body, uint32_t len, uint16_t id,
                                    const struct dns_question *question, bool *ret_filtered);

#endif
