/* SPDX-License-Identifier: MIT */
/* How an answer lies in its entry. Only cache/answer*.c and cache/evidence.c look into it. */
#ifndef CACHE_ANSWER_ENTRY_H
#define CACHE_ANSWER_ENTRY_H

#include "cache/lifetime.h"
#include "cache/store.h"

/* Then the message, and an offset for each record's TTL (2 octets); of how many, its header says.
 * When there is one, the EDE comes last: code (2 octets), length of its text (1), text. The
 * message's question is the tail of the entry's key.
 *
 * Clients without DO get what is left without DNSSEC records (RFC 4035 3.2.1). Mostly those come
 * last, so that their form is the beginning of the other, with the offsets that lie in it. When
 * not, it lies apart, behind the other, likewise. */
struct answer {
    uint32_t stored_low; /* mono, ms; with stored_high 34 years of uptime */
    uint32_t expires_s;  /* wall: end of every signature; ANSWER_NO_END: none */
    uint32_t ttl_s;      /* it lives that long from then */
    uint16_t len;        /* octets of the message */
    uint16_t plain_len;  /* without DNSSEC records; 0: that form cannot be had */
    uint8_t stored_high;
    uint8_t status : 2;   /* enum val_status */
    uint8_t is_apart : 1; /* the form without DNSSEC records */
    uint8_t has_ede : 1;
    uint8_t octets[];
};
#define ANSWER_HEAD_LEN offsetof(struct answer, octets)
_Static_assert(ANSWER_HEAD_LEN == 18, "each octet is one of every answer");

#define ANSWER_NO_END UINT32_MAX

/* NULL: out of memory, or the message has an OPT, which is never kept. */
struct shard_entry *answer_entry_new(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                     const struct cache_answer *answer, struct cache_lifetime life,
                                     uint64_t mono_ms);

uint64_t answer_stored_ms(const struct answer *a);
uint64_t answer_expires_s(const struct answer *a); /* UINT64_MAX: no end */

struct answer_form {
    const uint8_t *wire;
    const uint8_t *ttl_offs; /* 2 octets each */
    uint32_t len, count;
};
/* len 0: that form cannot be had. */
struct answer_form answer_form(const struct answer *a, bool dnssec_ok);
void answer_ede(const struct answer *a, struct dns_ede *ret);
/* In a copy of that form: when it is the beginning of the other, its header still has the counts of
 * that. */
void answer_patch_counts(const struct answer_form *form, uint8_t *wire);

#endif
