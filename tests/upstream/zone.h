/* SPDX-License-Identifier: MIT */
/* One zone of the world as a sorted set of names, each with its RRsets; what is delegated and what
 * lies below a cut. Signatures are made on first use and remembered for the world's `now`. */
#ifndef UPSTREAM_ZONE_H
#define UPSTREAM_ZONE_H

#include "dns/name.h"
#include "dns/rdata.h"
#include "tests/upstream/arena.h"

#include <openssl/evp.h>

#include <stdbool.h>

struct octets { /* borrowed from an arena */
    const uint8_t *data;
    uint16_t len;
};

struct rrset {
    struct rrset *next; /* of the same node */
    uint16_t type;
    uint32_t ttl_s;
    struct octets *rdata; /* expanded wire form, as written in the world file */
    unsigned count;
    struct octets *sig; /* RRSIG RDATA, valid while epoch is the world's */
    unsigned sig_count;
    unsigned epoch;
};

struct node {
    struct dns_name name;
    struct rrset *sets; /* NULL: an empty non-terminal */
    struct rrset *nsec; /* built on first use */
};

enum { KEYS_MAX = 4 };
struct zone_key {
    uint8_t algorithm;
    bool signs_keys, signs_data;
    uint16_t tag;
    EVP_PKEY *pkey;
    struct octets dnskey; /* RDATA */
};

/* Which DS records the parent publishes; a set. None: an insecure delegation. */
enum ds_kind {
    DS_GOOD = 1,
    DS_SHA1 = 2,
    DS_SHA384 = 4,
    DS_WRONG = 8,
    DS_UNKNOWN_ALGORITHM = 16,
    DS_UNKNOWN_DIGEST = 32,
};

/* What is wrong with every signature of a zone, or with its keys; a set. */
enum fault {
    FAULT_EXPIRED = 1,
    FAULT_FUTURE = 2,
    FAULT_INVERTED = 4,
    FAULT_CORRUPT = 8,
    FAULT_UNSIGNED_DATA = 16,
    FAULT_UNSIGNED_KEYS = 32,
    FAULT_ZSK_ONLY = 64,
    FAULT_REVOKED = 128,
    FAULT_NO_ZONE_FLAG = 256,
    FAULT_KEYTRAP = 512,   /* CVE-2023-50387: many keys of one tag, many wrong signatures, */
    FAULT_SIGJAM = 1024,   /* more of these for one key, */
    FAULT_LOCKCRAM = 2048, /* one of these for many keys, */
    FAULT_HASHTRAP = 4096, /* many keys of one tag under many DS of it, none of which is right */
};

struct nsec3_entry {
    uint8_t hash[20];
    struct node *node;
    struct dns_name owner;
    struct rrset *set; /* built on first use */
};

struct zone {
    struct dns_name name;
    struct zone *parent; /* the closest one above, NULL for the root */
    bool is_signed, csk, nsec3, opt_out;
    uint8_t algorithm;
    unsigned rsa_bits;
    unsigned ds;     /* enum ds_kind */
    unsigned faults; /* enum fault */
    uint16_t iterations;
    struct octets salt;
    uint32_t ttl_s;
    struct zone_key key[KEYS_MAX];
    unsigned key_count;
    struct node **node; /* canonical order */
    unsigned node_count, node_cap;
    struct nsec3_entry *nsec3_chain; /* sorted by hash; built on first use */
    unsigned nsec3_count;
};

/* Adds one record; makes the node and the empty non-terminals above it. Duplicates are dropped. */
void zone_add(struct arena *arena, struct zone *zone, const struct dns_name *owner, uint16_t type,
              uint32_t ttl_s, const void *rdata, size_t len);

struct node *zone_node(const struct zone *zone, const struct dns_name *name); /* NULL: no such */
struct rrset *node_set(const struct node *node, uint16_t type);               /* NULL: no such */

/* The topmost delegation point at or above `name`, below the apex; NULL: zone data. */
struct node *zone_cut(const struct zone *zone, const struct dns_name *name);

/* The node's own data is not the zone's: glue, or below a DNAME. */
bool zone_occluded(const struct zone *zone, const struct node *node);
bool zone_is_cut(const struct zone *zone, const struct node *node);

/* The deepest existing ancestor of a name that does not exist. */
struct node *zone_closest(const struct zone *zone, const struct dns_name *name);

/* Index of the last node that sorts at or before `name`, which is within the zone. */
unsigned zone_index(const struct zone *zone, const struct dns_name *name);

/* TTL of denials: the lower of the SOA's own and its minimum field (RFC 9077). */
uint32_t zone_negative_ttl(const struct zone *zone);

#endif
