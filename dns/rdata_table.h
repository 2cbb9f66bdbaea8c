/* SPDX-License-Identifier: MIT */
/* The shape of each type's RDATA, field by field; everything generic about RDATA walks this. */
#ifndef DNS_RDATA_TABLE_H
#define DNS_RDATA_TABLE_H

#include "dns/rdata.h"

enum dns_field {
    DNS_FIELD_END = 0,
    DNS_FIELD_U8,
    DNS_FIELD_U16,
    DNS_FIELD_U32,
    DNS_FIELD_IPV4,
    DNS_FIELD_IPV6,
    DNS_FIELD_NAME,         /* compressed on the wire where the shape's `names` says so */
    DNS_FIELD_TYPE,         /* u16, printed as a mnemonic */
    DNS_FIELD_ALGORITHM,    /* u8, printed as a number */
    DNS_FIELD_TIME,         /* u32, printed YYYYMMDDHHmmSS */
    DNS_FIELD_STRING,       /* one character-string */
    DNS_FIELD_STRINGS,      /* one or more, to the end */
    DNS_FIELD_STRING_MAYBE, /* one, or the end (ISDN) */
    DNS_FIELD_TAG,          /* a character-string printed bare (CAA) */
    DNS_FIELD_REST_TEXT,    /* octets to the end printed as one quoted string (CAA, URI) */
    DNS_FIELD_SALT,         /* length octet and octets, hex or "-" */
    DNS_FIELD_HASH,         /* length octet and octets, base32hex */
    DNS_FIELD_BITMAP,       /* type bit maps to the end */
    DNS_FIELD_BASE64,       /* to the end */
    DNS_FIELD_HEX,          /* to the end */
    DNS_FIELD_EUI48,
    DNS_FIELD_EUI64,
    DNS_FIELD_NID,        /* 64 bit as four hex groups */
    DNS_FIELD_SVCPARAMS,  /* to the end (RFC 9460) */
    DNS_FIELD_A6,         /* prefix length and the address octets it leaves (RFC 2874 3.1.1) */
    DNS_FIELD_NAME_MAYBE, /* a name, or the end */
    DNS_FIELD_REST,       /* opaque octets to the end: no presentation form but RFC 3597's */
};

/* Compression of names in RDATA (RFC 3597 4). */
enum dns_rdata_names {
    DNS_NAMES_PLAIN, /* neither read nor written compressed */
    DNS_NAMES_READ,  /* read, because old servers wrote them so */
    DNS_NAMES_BOTH,  /* read and written: the types of RFC 1035 */
};

#define DNS_FIELDS_MAX 10u

struct dns_rdata_shape {
    uint16_t type;
    bool lower;    /* canonical form lower-cases its names (RFC 4034 6.2, RFC 6840 5.1) */
    uint8_t names; /* enum dns_rdata_names */
    uint8_t fields[DNS_FIELDS_MAX]; /* enum dns_field, ended by DNS_FIELD_END */
};

/* NULL for a type that is opaque here. */
const struct dns_rdata_shape *dns_rdata_shape(uint16_t type);

/* The fields of a shape; for NULL those of an opaque type. Never NULL. */
const uint8_t *dns_rdata_fields(const struct dns_rdata_shape *shape);

bool dns_field_is_name(enum dns_field field); /* when octets are left for it */

/* Moves r over one field and checks its form. Names are read as `names` says; the text of one is
 * left in *name. */
void dns_field_read(struct dns_reader *r, enum dns_field field, enum dns_rdata_names names,
                    struct dns_name *name);

/* The same over expanded RDATA, when nobody needs the name. */
void dns_field_skip(struct dns_reader *r, enum dns_field field);

/* Whether expanded RDATA has the shape of its type. */
enum dns_err dns_rdata_check(uint16_t type, const uint8_t *rdata, uint32_t len);

/* SvcParams (RFC 9460 2.1, appendix A), in dns/svcparams.c. */
struct dns_text;
struct dns_words;
void dns_svcparams_text(struct dns_text *t, struct dns_reader r);
enum dns_err dns_svcparams_parse(struct dns_words *words, struct dns_writer *w);

#endif
