/* SPDX-License-Identifier: MIT */
/* One question in, what leaves for it out; and the memory of all questions. Shared by every way in:
 * DoH, plain UDP, and the control channel that sets rules and reads the counts. */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "tests/upstream/lies.h"

struct seen { /* one question, in the order of arrival */
    struct seen *next;
    struct dns_name name;
    uint16_t type;
    bool cd, dnssec_ok, fresh;
    const char *via; /* "post", "get", "udp", "tcp"; static */
    uint64_t at_ms;  /* since the last reset */
    unsigned connection, stream, flight;
};

/* A flight is a set of questions that arrived before any of them was answered: what a client with
 * an infinitely slow network would send at once. --delay-ms makes the count exact. */
struct stats {
    struct seen *head, **end;
    unsigned questions, flights, connections;
    bool in_flight; /* nothing has been answered since the last flight began */
    uint64_t since_ns;
};

enum { RECORDED_MAX = 64, RECORDED_HEADERS = 160, RECORDED_WIRE = 640 };

/* A question by DoH as it came, for tests that look at every octet. */
struct recorded {
    char headers[RECORDED_HEADERS]; /* names of the request's fields, with commas between */
    uint8_t wire[RECORDED_WIRE];
    uint32_t len; /* cut to what there is room for */
};

struct upstream {
    struct recorded recorded[RECORDED_MAX]; /* the last ones: a ring */
    unsigned recorded_count;
    struct world world;
    struct rules rules;
    struct stats stats;
    unsigned delay_ms;
};

struct origin { /* how a question came */
    const char *via;
    unsigned connection, stream;
    bool fresh;          /* Cache-Control: no-cache */
    const char *headers; /* as in struct recorded; NULL: not by DoH */
};

/* False: this is not a DNS query with a question. */
bool upstream_ask(struct upstream *upstream, const struct origin *origin, const uint8_t *wire,
                  size_t len, struct outcome *ret);
void upstream_answered(struct upstream *upstream); /* something has been sent to a client */

void stats_reset(struct stats *stats);

#endif
