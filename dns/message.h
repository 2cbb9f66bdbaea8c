/* SPDX-License-Identifier: MIT */
/* A DNS message read once into a view of offsets (RFC 1035 4), and messages written with
 * compression. The view borrows the octets and the record table; nothing is allocated. */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "dns/edns.h"
#include "dns/name.h"
#include "dns/types.h"

#define DNS_MSG_MAX 65535u
#define DNS_HEADER_LEN 12u
#define DNS_RR_MAX 2048u /* records that are looked at in one message; more is DNS_E_COUNT */

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

enum { /* header flag bits, as in the 16 bit word at offset 2 */
       DNS_FLAG_QR = 0x8000,
       DNS_FLAG_AA = 0x0400,
       DNS_FLAG_TC = 0x0200,
       DNS_FLAG_RD = 0x0100,
       DNS_FLAG_RA = 0x0080,
       DNS_FLAG_Z = 0x0040,
       DNS_FLAG_AD = 0x0020,
       DNS_FLAG_CD = 0x0010,
};

struct dns_question {
    struct dns_name name;
    uint16_t type;
    uint16_t class_;
};

struct dns_rr {
    uint32_t owner_off; /* octets from the start of the message */
    uint32_t ttl_off;
    uint32_t rdata_off;
    uint32_t ttl_s; /* RFC 2181 8: a set top bit reads as 0 */
    uint16_t rdata_len;
    uint16_t type;
    uint16_t class_;
    uint8_t section; /* enum dns_section */
};

struct dns_msg {
    const uint8_t *buf; /* borrowed */
    uint32_t len;
    uint16_t id;
    uint16_t flags; /* DNS_FLAG_…, opcode and low rcode still in place */
    uint8_t opcode;
    uint16_t rcode;               /* extended by EDNS when present */
    uint16_t question_count;      /* as in the header; only the first is read */
    struct dns_question question; /* valid when question_count > 0 */
    uint32_t question_end;        /* offset behind the question section */
    struct dns_edns edns;
    const struct dns_rr *rr; /* the caller's table; OPT is not in it */
    uint32_t rr_count;
};

/* Reads the whole message; every owner and RDATA boundary is checked here, names inside RDATA are
 * not yet. `table` has room for `table_cap` records and is borrowed by *ret. A second OPT, an OPT
 * outside additional, or one with another owner than the root is DNS_E_OPT. With an error *ret
 * is untouched. */
enum dns_err dns_msg_read(const void *buf, size_t len, struct dns_rr *table, uint32_t table_cap,
                          struct dns_msg *ret);

/* Just ID and flags, for FORMERR to a query that cannot be read. False below 12 octets. */
bool dns_header_peek(const void *buf, size_t len, uint16_t *ret_id, uint16_t *ret_flags);

/* How many records the header speaks of; 0 when there is none. */
uint32_t dns_header_records(const void *buf, size_t len);

/* The owner of a record of this message. Cannot fail after dns_msg_read(). */
struct dns_name dns_rr_owner(const struct dns_msg *msg, const struct dns_rr *rr);
struct dns_reader dns_rr_rdata(const struct dns_msg *msg, const struct dns_rr *rr);

/* --- writing ------------------------------------------------------------------------------- */

/* Compression (RFC 1035 4.1.4) remembers names already written: a bounded table, no allocation. A
 * name is only referred to when it is the same octet for octet: so case survives as it was given,
 * which clients that mix it (0x20) check and signed names need not be guessed. */
#define DNS_COMPRESS_SLOTS 64u
struct dns_compress {
    uint32_t hash[DNS_COMPRESS_SLOTS]; /* of the suffix at off, its length mixed in */
    uint16_t off[DNS_COMPRESS_SLOTS];
    uint8_t len[DNS_COMPRESS_SLOTS]; /* uncompressed */
    uint8_t count;
};

struct dns_msg_out {
    struct dns_writer w;
    struct dns_compress names;
    uint16_t count[4]; /* question, answer, authority, additional; patched by _finish */
};

/* `cap` is the most octets the message may have. */
void dns_msg_out_init(struct dns_msg_out *out, void *buf, size_t cap, uint16_t id, uint16_t flags);
void dns_msg_out_question(struct dns_msg_out *out, const struct dns_question *question);

/* One record. RDATA is uncompressed wire form; names in it are compressed only for the types of
 * RFC 1035 (RFC 3597 4). */
void dns_msg_out_rr(struct dns_msg_out *out, enum dns_section section, const struct dns_name *owner,
                    uint16_t type, uint16_t class_, uint32_t ttl_s, const void *rdata,
                    uint16_t rdata_len);
void dns_msg_out_opt(struct dns_msg_out *out, const struct dns_opt_out *opt);

/* Patches the counts. Returns the length, 0 when anything failed. */
uint32_t dns_msg_out_finish(struct dns_msg_out *out);

/* Where one stands, and back to it: for RRset-wise truncation. */
struct dns_msg_mark {
    uint32_t off;
    uint8_t names;
    uint16_t count[4];
};
struct dns_msg_mark dns_msg_out_mark(const struct dns_msg_out *out);
void dns_msg_out_rewind(struct dns_msg_out *out, struct dns_msg_mark mark); /* clears DNS_E_SPACE */

/* --- whole messages ------------------------------------------------------------------------ */

/* A query for upstream: RD, the flags given, EDNS with DO and padding (RFC 8467). Length or 0. */
uint32_t dns_query_write(void *buf, size_t cap, uint16_t id, const struct dns_question *question,
                         uint16_t flags, const struct dns_opt_out *opt);

/* Copies `msg` to `buf` in at most `cap` octets, record by record, leaving out whole RRsets from
 * the end when it does not fit: additional silently, answer or authority with TC (RFC 2181 9).
 * Names are re-compressed. `opt` (or NULL) replaces any OPT of the source and is never left out.
 * `strip_dnssec` drops RRSIG, NSEC, NSEC3 and DS-less DNSSEC records that were not asked for
 * (RFC 4035 3.2.1). TTLs are lowered by age_s, not below 0. Length, or 0: header, question and OPT
 * do not fit, or a record that would be copied has malformed RDATA. */
struct dns_copy {
    uint16_t id;
    uint16_t flags;                      /* the whole flag word to write, rcode included */
    const struct dns_question *question; /* as the client spelled it, or NULL: the source's own */
    const struct dns_opt_out *opt;
    uint32_t age_s;
    bool strip_dnssec;
};
uint32_t dns_msg_copy(const struct dns_msg *msg, const struct dns_copy *how, void *buf, size_t cap);

/* What strip_dnssec drops. */
bool dns_rr_is_dnssec_only(const struct dns_msg *msg, const struct dns_rr *rr);

/* Checks that `msg` is a response to this question (RFC 5452 9.1: QR, opcode, question). */
bool dns_msg_answers(const struct dns_msg *msg, const struct dns_question *question);

#endif
