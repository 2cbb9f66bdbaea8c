/* SPDX-License-Identifier: MIT */
/* What a client's octets mean: a question, what its sender understands, or what is wrong with it.
 */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include "dns/message.h"

/* The way it came decides how long the answer may be. */
struct request_path {
    bool tcp, loopback;
    uint32_t udp_size; /* most octets of a UDP answer off loopback */
};

struct request {
    uint16_t id;
    uint16_t flags; /* as sent: opcode, RD, AD, CD */
    bool has_question;
    struct dns_question question; /* as spelled; only then */
    bool edns, dnssec_ok;
    bool keepalive; /* TCP, and the client knows RFC 7828 */
    uint32_t cap;   /* most octets of the answer */
};

struct request_fault {
    bool drop;      /* not to be answered at all; the rest is then 0 */
    uint16_t rcode; /* NOERROR: nothing is wrong */
    uint16_t ede;   /* or DNS_EDE_NONE */
};

/* Reads as much as there is: with a fault, *ret says what an answer to it may contain. */
struct request_fault request_read(const uint8_t *wire, uint32_t len,
                                  const struct request_path *path, struct request *ret);

#endif
