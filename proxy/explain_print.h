/* SPDX-License-Identifier: MIT */
/* A validator's trace as a tree for people: the chain of trust zone by zone, then what it carried
 * or where it broke, and what to do about it. */
#ifndef PROXY_EXPLAIN_PRINT_H
#define PROXY_EXPLAIN_PRINT_H

#include "proxy/resolver.h"

#include <stdio.h>

struct explain_report {
    const struct dns_question *question;
    const struct resolver_answer *answer;
    const struct val_trace *trace;
    const char *data;             /* the first record's data, or "" */
    const struct doh_config *doh; /* for the upstreams' names */
    uint64_t now_s;
    bool unicode; /* the terminal can show more than ASCII */
};
void explain_print(FILE *out, const struct explain_report *report);
/* Of an answer that is made here; `why` is a sentence. */
void explain_print_local(FILE *out, const struct dns_question *question, const char *data,
                         const char *why);

/* What to do about it: a sentence or two, static, never NULL. */
const char *explain_advice(enum val_why why);

#endif
