/* SPDX-License-Identifier: MIT */
/* Rules that say which question is answered with which lie. Every rule that matches applies, in
 * the order of their adding: first those that change records, then those that change octets, HTTP
 * or the connection. tests/upstream/README.md lists them. */
#ifndef UPSTREAM_LIES_H
#define UPSTREAM_LIES_H

#include "tests/upstream/reply.h"

enum { WIRE_MAX = 80000, RULES_MAX = 64, RULE_TEXT_MAX = 256 };

enum sending {
    SEND_ANSWER,
    SEND_NOTHING,
    SEND_TCP_RESET,
    SEND_STREAM_RESET,
    SEND_GOAWAY,
    SEND_GARBAGE,
};

/* What leaves for one question. */
struct outcome {
    uint8_t wire[WIRE_MAX];
    uint32_t len;
    unsigned status;
    char media[64];
    int64_t retry_after; /* seconds; -1: no such header */
    int64_t age;         /* seconds; -1: no such header */
    char alt_svc[32];    /* "": no such header */
    unsigned delay_ms;
    enum sending sending;
    int32_t goaway_last; /* the last stream that GOAWAY says is answered; -1: this one */
    bool close_after;
    unsigned slow_ms; /* between pieces of the body; 0: all at once */
};

struct rule {
    struct rule *next_match;
    char text[RULE_TEXT_MAX]; /* as added; what follows points into it */
    const struct lie *lie;
    const char *value; /* behind "action=NAME=", "" without */
    const char *rdata; /* presentation form, or NULL */
    int64_t retry_after;
    bool any_name, suffix;
    struct dns_name name;
    uint16_t type;     /* 0: any */
    int cd, dnssec_ok; /* 0, 1 or -1: any */
    unsigned first;    /* the first matching question that is lied to, from 1 */
    unsigned count;    /* how many are; 0: all */
    unsigned seen;
};

struct rules {
    struct rule rule[RULES_MAX];
    unsigned count;
};

typedef void lie_reply_fn(struct world *world, struct reply *reply, const struct rule *rule);
typedef void lie_outcome_fn(struct outcome *outcome, const struct rule *rule);
struct lie {
    const char *name;
    lie_reply_fn *on_reply;     /* or NULL */
    lie_outcome_fn *on_outcome; /* or NULL */
};
extern const struct lie reply_lies[]; /* ends with a row without a name */
extern const struct lie outcome_lies[];

/* Reads the text behind "rule add ". False and a reason. */
bool rules_add(struct rules *rules, const char *text, const char **ret_error);

/* The rules for this question, linked by next_match; counts it. */
struct rule *rules_match(struct rules *rules, const struct dns_msg *query);

/* The SETTINGS_MAX_CONCURRENT_STREAMS that rules ask for, or 100. */
uint32_t rules_max_streams(const struct rules *rules);

#endif
