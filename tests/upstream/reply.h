/* SPDX-License-Identifier: MIT */
/* An answer as a list of records, before it becomes octets: the form in which lies are told. */
#ifndef UPSTREAM_REPLY_H
#define UPSTREAM_REPLY_H

#include "dns/message.h"
#include "tests/upstream/world.h"

enum { RECORDS_MAX = 512 };

struct record {
    enum dns_section section;
    struct dns_name owner;
    uint16_t type;
    uint32_t ttl_s;
    uint8_t *rdata; /* the reply's own copy: lies change it in place */
    uint16_t len;
};

struct reply {
    struct arena arena;
    struct dns_question question;
    bool dnssec; /* DO: signatures and denials are shown */
    uint16_t rcode;
    bool no_opt;  /* of a server that knows no EDNS */
    uint16_t ede; /* an Extended DNS Error; 0: none */
    struct record record[RECORDS_MAX];
    unsigned count;
};

void reply_free(struct reply *reply);

void reply_add(struct reply *reply, enum dns_section section, const struct dns_name *owner,
               uint16_t type, uint32_t ttl_s, const void *rdata, uint16_t len);
void reply_remove(struct reply *reply, unsigned index);
void reply_clear(struct reply *reply);

/* An RRset under the name `shown`, with the signatures made over `owner`; they differ for what a
 * wildcard made. A set that is there already is not added again. */
void reply_add_set(struct reply *reply, struct world *world, const struct zone *zone,
                   enum dns_section section, const struct dns_name *shown,
                   const struct dns_name *owner, struct rrset *set);

/* Wire form for this query; length, 0 when it does not fit. */
uint32_t reply_write(const struct reply *reply, const struct dns_msg *query, void *buf, size_t cap);

#endif
