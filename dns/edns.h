/* SPDX-License-Identifier: MIT */
/* EDNS(0) (RFC 6891), its options, and Extended DNS Errors (RFC 8914). */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include "dns/reader.h"
#include "dns/writer.h"

enum {
    DNS_OPTION_NSID = 3,
    DNS_OPTION_ECS = 8,
    DNS_OPTION_COOKIE = 10,
    DNS_OPTION_KEEPALIVE = 11,
    DNS_OPTION_PADDING = 12,
    DNS_OPTION_EDE = 15
};

#define DNS_EDE_TEXT_MAX 120u /* octets of EXTRA-TEXT that we write or keep, without NUL */

struct dns_ede {
    uint16_t code;                   /* DNS_EDE_NONE: there is none */
    char text[DNS_EDE_TEXT_MAX + 1]; /* UTF-8, may be empty */
};

/* What an OPT record says. All 0 when the message has none. */
struct dns_edns {
    bool present;
    bool dnssec_ok; /* the DO bit (RFC 3225) */
    uint8_t version;
    uint8_t rcode_high;   /* upper eight bits of the extended RCODE */
    uint16_t udp_size;    /* as sent; below 512 means 512 */
    uint32_t options_off; /* where the options lie in the message */
    uint32_t options_len;
};

struct dns_option {
    uint16_t code;
    uint16_t len;
    const uint8_t *data; /* borrowed from the message */
};

/* Next option of r (a reader over the options octets); false at the end or when malformed: then
 * r->err tells which. */
bool dns_option_next(struct dns_reader *r, struct dns_option *ret);

/* The first EDE option of a message with these options; ret->code is DNS_EDE_NONE without one.
 * Text is cut to DNS_EDE_TEXT_MAX at a UTF-8 boundary; control characters and what is not UTF-8
 * become '?'. */
void dns_ede_find(const uint8_t *msg, const struct dns_edns *edns, struct dns_ede *ret);

/* Writes an OPT record: with DO, EDE (NULL or code NONE: without), and padding up to the next
 * multiple of `pad_to` octets of the whole message (RFC 8467; 0: none), or as far as there is room.
 * Does not count it. */
struct dns_opt_out {
    uint16_t udp_size;
    uint8_t rcode_high;
    bool dnssec_ok;
    const struct dns_ede *ede;
    const struct dns_option *extra; /* one more option; NULL: none */
    uint16_t pad_to;
    bool keepalive;        /* edns-tcp-keepalive (RFC 7828) */
    uint16_t keepalive_ds; /* its timeout in units of 100 ms */
};
void dns_write_opt(struct dns_writer *w, const struct dns_opt_out *opt);
uint32_t dns_opt_len(const struct dns_opt_out *opt); /* octets it takes, without padding */

#endif
