/* SPDX-License-Identifier: MIT */
/* RDATA by type: decompression, canonical form, presentation form, and typed readers. One table of
 * fields per type (dns/rdata_table.c) drives the generic functions; a type that is not in the
 * table is opaque (RFC 3597). */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include "dns/message.h"

/* Writes the record's RDATA with every name decompressed, case kept. RDATA that is shorter or
 * longer than its type allows: error (callers treat the RRset as malformed). Types unknown to
 * the table are copied. */
enum dns_err dns_rdata_expand(const struct dns_msg *msg, const struct dns_rr *rr,
                              struct dns_writer *w);

/* Lower-cases, in place, the names that canonical form lower-cases (RFC 4034 6.2 with RFC 6840
 * 5.1: not in NSEC). `rdata` is expanded RDATA. */
enum dns_err dns_rdata_canonical(uint16_t type, uint8_t *rdata, uint32_t len);

/* Presentation form of expanded RDATA; RFC 3597 "\# n hex" for unknown types. NUL-terminated in
 * `cap` octets. Returns strlen, 0 when it does not fit or RDATA is malformed. */
size_t dns_rdata_text(uint16_t type, const uint8_t *rdata, uint32_t len, char *text, size_t cap);

/* Reads presentation form (one line, no parentheses; names relative to `origin`) into expanded
 * RDATA. Knows every type of the table and "\#". */
enum dns_err dns_rdata_parse(uint16_t type, const char *text, const struct dns_name *origin,
                             struct dns_writer *w);

/* A whole record line "owner [ttl] [class] TYPE rdata" in master-file form without $-directives.
 * *ret_ttl_s is `default_ttl_s` without a TTL. RDATA goes to w. */
struct dns_line {
    struct dns_name owner;
    uint32_t ttl_s;
    uint16_t type, class_;
};
enum dns_err dns_line_parse(const char *line, const struct dns_name *origin, uint32_t default_ttl_s,
                            struct dns_line *ret, struct dns_writer *w);

/* --- typed readers over expanded RDATA; pointers are borrowed from it ----------------------- */

struct dns_ds { /* RFC 4034 5.1 */
    uint16_t key_tag;
    uint8_t algorithm, digest_type;
    const uint8_t *digest;
    uint32_t digest_len;
};
enum dns_err dns_ds_read(struct dns_reader rdata, struct dns_ds *ret);

enum { DNS_KEY_ZONE = 0x0100, DNS_KEY_REVOKE = 0x0080, DNS_KEY_SEP = 0x0001 };
struct dns_dnskey { /* RFC 4034 2.1, RFC 5011 7 */
    uint16_t flags;
    uint8_t protocol, algorithm;
    const uint8_t *key;
    uint32_t key_len;
};
enum dns_err dns_dnskey_read(struct dns_reader rdata, struct dns_dnskey *ret);
uint16_t dns_key_tag(const uint8_t *dnskey_rdata, uint32_t len); /* RFC 4034 appendix B */

struct dns_rrsig { /* RFC 4034 3.1 */
    uint16_t covered;
    uint8_t algorithm, labels;
    uint32_t original_ttl_s;
    uint32_t expiration, inception; /* serial arithmetic (RFC 1982) on seconds since 1970 */
    uint16_t key_tag;
    struct dns_name signer;
    const uint8_t *signature;
    uint32_t signature_len;
};
enum dns_err dns_rrsig_read(struct dns_reader rdata, struct dns_rrsig *ret);

struct dns_nsec { /* RFC 4034 4.1 */
    struct dns_name next;
    const uint8_t *bitmap;
    uint32_t bitmap_len;
};
enum dns_err dns_nsec_read(struct dns_reader rdata, struct dns_nsec *ret);

struct dns_nsec3 {                 /* RFC 5155 3.2 */
    uint8_t hash_algorithm, flags; /* flag 1: opt-out */
    uint16_t iterations;
    const uint8_t *salt;
    uint32_t salt_len;
    const uint8_t *next_hash;
    uint32_t next_hash_len;
    const uint8_t *bitmap;
    uint32_t bitmap_len;
};
enum dns_err dns_nsec3_read(struct dns_reader rdata, struct dns_nsec3 *ret);

/* Type bit maps (RFC 4034 4.1.2), as checked by the two readers above. */
bool dns_bitmap_has(const uint8_t *bitmap, uint32_t len, uint16_t type);

struct dns_soa { /* RFC 1035 3.3.13 */
    struct dns_name mname, rname;
    uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};
enum dns_err dns_soa_read(struct dns_reader rdata, struct dns_soa *ret);

/* The single name of NS, CNAME, DNAME, PTR. */
enum dns_err dns_target_read(struct dns_reader rdata, struct dns_name *ret);

/* RFC 4648 codings as DNS uses them; NULs are written by the encoders. Lengths in octets. */
enum dns_err dns_base64_read(const char *text, struct dns_writer *w); /* blanks are skipped */
size_t dns_base64_text(const uint8_t *data, size_t len, char *text, size_t cap);
size_t dns_base32hex_text(const uint8_t *data, size_t len, char *text, size_t cap);
enum dns_err dns_base32hex_read(const char *text, size_t text_len, struct dns_writer *w);
enum dns_err dns_hex_read(const char *text, struct dns_writer *w); /* blanks are skipped */

#endif
