/* SPDX-License-Identifier: MIT */
/* Replies in the client's terms: its ID and flags, its spelling, its EDNS, its room. */
#ifndef PROXY_RESPOND_H
#define PROXY_RESPOND_H

#include "proxy/request.h"
#include "validate/reason.h"

#define RESPOND_UDP_SIZE 1232u /* what we say we can take: fits every path's MTU */

struct respond_how {
    enum val_status status; /* SECURE: AD for those who understand it */
    uint16_t rcode;
    const struct dns_ede *ede; /* or NULL; said only to clients with EDNS */
    uint16_t keepalive_ds;     /* idle timeout of the connection, in units of 100 ms */
};

/* Every function returns the octets of the reply, or 0: it cannot be made in that room. */

/* Without records: header, question when there was a legible one, OPT. */
uint32_t respond_empty(const struct request *request, const struct respond_how *how, void *buf,
                       size_t cap);

/* A whole message to the same question, without OPT, becomes the reply where it lies. 0 when it is
 * too long for the client: `buf` is untouched then, and respond_copy() cuts it. */
uint32_t respond_in_place(const struct request *request, const struct respond_how *how,
                          uint8_t *buf, uint32_t len, size_t cap);

/* The same from a message that is read, with DNSSEC records left out for clients without DO, and
 * cut at RRset boundaries to what the client can take. */
uint32_t respond_copy(const struct request *request, const struct respond_how *how,
                      const struct dns_msg *msg, void *buf, size_t cap);

/* Begins a reply made here, not from upstream: header and question, room for OPT held back. The
 * caller adds records and ends it with respond_finish(). */
void respond_begin(const struct request *request, const struct respond_how *how,
                   struct dns_msg_out *out, void *buf, size_t cap);
uint32_t respond_finish(const struct request *request, const struct respond_how *how,
                        struct dns_msg_out *out);

#endif
