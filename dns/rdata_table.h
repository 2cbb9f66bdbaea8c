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
    DNS_FIELD_NAME,       /* may be compressed on the wire where the type is old enough */
    DNS_FIELD_TYPE,       /* u16, printed as a mnemonic */
    DNS_FIELD_ALGORITHM,  /* u8, printed as a number */
    DNS_FIELD_TIME,       /* u32, printed YYYYMMDDHHmmSS */
    DNS_FIELD_STRING,     /* one character-string */
    DNS_FIELD_STRINGS,    /* one or more, to the end */
    DNS_FIELD_TAG,        /* a character-string printed bare (CAA) */
    DNS_FIELD_REST_TEXT,  /* octets to the end printed as one quoted string (CAA, URI) */
    DNS_FIELD_SALT,       /* length octet and octets, hex or "-" */
    DNS_FIELD_HASH,       /* length octet and octets, base32hex */
    DNS_FIELD_BITMAP,     /* type bit maps to the end */
    DNS_FIELD_BASE64,     /* to the end */
    DNS_FIELD_HEX,        /* to the end */
    DNS_FIELD_EUI48,
    DNS_FIELD_EUI64,
    DNS_FIELD_NID,        /* 64 bit as four hex groups */
    DNS_FIELD_SVCPARAMS,  /* to the end (RFC 9460) */
    DNS_FIELD_REST,       /* opaque octets to the end: no presentation form but RFC 3597's */
};

#define DNS_FIELDS_MAX 10u

struct dns_rdata_shape {
    uint16_t type;
    bool lower; /* canonical form lower-cases its names (RFC 4034 6.2, RFC 6840 5.1) */
    bool old;   /* of RFC 1035: its names are compressed when written (RFC 3597 4) */
    uint8_t fields[DNS_FIELDS_MAX]; /* enum dns_field, ended by DNS_FIELD_END */
};

/* NULL for a type that is opaque here. */
const struct dns_rdata_shape *dns_rdata_shape(uint16_t type);

/* Moves r over one field and checks its form. A name's text is left in *name when not NULL. */
void dns_field_skip(struct dns_reader *r, enum dns_field field, struct dns_name *name);

#endif
