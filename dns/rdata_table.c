// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#define U8 DNS_FIELD_U8
#define U16 DNS_FIELD_U16
#define U32 DNS_FIELD_U32
#define NAME DNS_FIELD_NAME
#define STRING DNS_FIELD_STRING
#define ALG DNS_FIELD_ALGORITHM

// clang-format off
static const struct dns_rdata_shape shapes[] = {
    /* type              lower  old    fields */
    {DNS_TYPE_A,         false, false, {DNS_FIELD_IPV4}},
    {DNS_TYPE_NS,        true,  true,  {NAME}},
    {3 /* MD */,         true,  true,  {NAME}},
    {4 /* MF */,         true,  true,  {NAME}},
    {DNS_TYPE_CNAME,     true,  true,  {NAME}},
    {DNS_TYPE_SOA,       true,  true,  {NAME, NAME, U32, U32, U32, U32, U32}},
    {7 /* MB */,         true,  true,  {NAME}},
    {8 /* MG */,         true,  true,  {NAME}},
    {9 /* MR */,         true,  true,  {NAME}},
    {DNS_TYPE_PTR,       true,  true,  {NAME}},
    {DNS_TYPE_HINFO,     false, false, {STRING, STRING}},
    {14 /* MINFO */,     true,  true,  {NAME, NAME}},
    {DNS_TYPE_MX,        true,  true,  {U16, NAME}},
    {DNS_TYPE_TXT,       false, false, {DNS_FIELD_STRINGS}},
    {17 /* RP */,        true,  false, {NAME, NAME}},
    {18 /* AFSDB */,     true,  false, {U16, NAME}},
    {19 /* X25 */,       false, false, {STRING}},
    {20 /* ISDN */,      false, false, {DNS_FIELD_STRINGS}},
    {21 /* RT */,        true,  false, {U16, NAME}},
    {DNS_TYPE_SIG,       true,  false, {DNS_FIELD_TYPE, ALG, U8, U32, DNS_FIELD_TIME, DNS_FIELD_TIME, U16, NAME, DNS_FIELD_BASE64}},
    {DNS_TYPE_KEY,       false, false, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {26 /* PX */,        true,  false, {U16, NAME, NAME}},
    {DNS_TYPE_AAAA,      false, false, {DNS_FIELD_IPV6}},
    {DNS_TYPE_NXT,       true,  false, {NAME, DNS_FIELD_REST}},
    {DNS_TYPE_SRV,       true,  false, {U16, U16, U16, NAME}},
    {DNS_TYPE_NAPTR,     true,  false, {U16, U16, STRING, STRING, STRING, NAME}},
    {36 /* KX */,        true,  false, {U16, NAME}},
    {37 /* CERT */,      false, false, {U16, U16, ALG, DNS_FIELD_BASE64}},
    {DNS_TYPE_DNAME,     true,  false, {NAME}},
    {DNS_TYPE_DS,        false, false, {U16, ALG, U8, DNS_FIELD_HEX}},
    {44 /* SSHFP */,     false, false, {U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_RRSIG,     true,  false, {DNS_FIELD_TYPE, ALG, U8, U32, DNS_FIELD_TIME, DNS_FIELD_TIME, U16, NAME, DNS_FIELD_BASE64}},
    {DNS_TYPE_NSEC,      false, false, {NAME, DNS_FIELD_BITMAP}},
    {DNS_TYPE_DNSKEY,    false, false, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {49 /* DHCID */,     false, false, {DNS_FIELD_BASE64}},
    {DNS_TYPE_NSEC3,     false, false, {U8, U8, U16, DNS_FIELD_SALT, DNS_FIELD_HASH, DNS_FIELD_BITMAP}},
    {DNS_TYPE_NSEC3PARAM,false, false, {U8, U8, U16, DNS_FIELD_SALT}},
    {DNS_TYPE_TLSA,      false, false, {U8, U8, U8, DNS_FIELD_HEX}},
    {53 /* SMIMEA */,    false, false, {U8, U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_CDS,       false, false, {U16, ALG, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_CDNSKEY,   false, false, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {61 /* OPENPGPKEY */,false, false, {DNS_FIELD_BASE64}},
    {62 /* CSYNC */,     false, false, {U32, U16, DNS_FIELD_BITMAP}},
    {63 /* ZONEMD */,    false, false, {U32, U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_SVCB,      false, false, {U16, NAME, DNS_FIELD_SVCPARAMS}},
    {DNS_TYPE_HTTPS,     false, false, {U16, NAME, DNS_FIELD_SVCPARAMS}},
    {99 /* SPF */,       false, false, {DNS_FIELD_STRINGS}},
    {104 /* NID */,      false, false, {U16, DNS_FIELD_NID}},
    {105 /* L32 */,      false, false, {U16, DNS_FIELD_IPV4}},
    {106 /* L64 */,      false, false, {U16, DNS_FIELD_NID}},
    {107 /* LP */,       false, false, {U16, NAME}},
    {108 /* EUI48 */,    false, false, {DNS_FIELD_EUI48}},
    {109 /* EUI64 */,    false, false, {DNS_FIELD_EUI64}},
    {256 /* URI */,      false, false, {U16, U16, DNS_FIELD_REST_TEXT}},
    {DNS_TYPE_CAA,       false, false, {U8, DNS_FIELD_TAG, DNS_FIELD_REST_TEXT}},
};
// clang-format on

const struct dns_rdata_shape *dns_rdata_shape(uint16_t type)
{
    unsigned lo = 0;
    unsigned hi = sizeof shapes / sizeof *shapes;
    while (lo < hi) { /* the table is sorted by type */
        unsigned mid = (lo + hi) / 2;
        if (shapes[mid].type < type)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sizeof shapes / sizeof *shapes && shapes[lo].type == type ? &shapes[lo] : NULL;
}

static void skip_to_end(struct dns_reader *r)
{
    (void)dns_read_bytes(r, dns_reader_left(r));
}

static void skip_counted(struct dns_reader *r)
{
    uint8_t len = dns_read_u8(r);
    (void)dns_read_bytes(r, len);
}

static void skip_strings(struct dns_reader *r)
{
    do
        skip_counted(r);
    while (dns_reader_left(r) > 0);
}

/* Windows in rising order, 1 to 32 octets each, the last not zero (RFC 4034 4.1.2). */
static void skip_bitmap(struct dns_reader *r)
{
    int last = -1;
    while (dns_reader_left(r) > 0) {
        uint8_t window = dns_read_u8(r);
        uint8_t len = dns_read_u8(r);
        const uint8_t *bits = dns_read_bytes(r, len);
        if (r->err == DNS_OK && (window <= last || len < 1 || len > 32))
            r->err = DNS_E_FORM;
        if (!bits)
            return;
        last = window;
    }
}

static void skip_svcparams(struct dns_reader *r)
{
    int last = -1;
    while (dns_reader_left(r) > 0) {
        uint16_t key = dns_read_u16(r);
        uint16_t len = dns_read_u16(r);
        (void)dns_read_bytes(r, len);
        if (r->err == DNS_OK && key <= last)
            r->err = DNS_E_FORM; /* RFC 9460 2.2: strictly rising */
        if (r->err != DNS_OK)
            return;
        last = key;
    }
}

void dns_field_skip(struct dns_reader *r, enum dns_field field, struct dns_name *name)
{
    struct dns_name read;
    switch (field) {
    case DNS_FIELD_END: return;
    case DNS_FIELD_U8:
    case DNS_FIELD_ALGORITHM: (void)dns_read_u8(r); return;
    case DNS_FIELD_U16:
    case DNS_FIELD_TYPE: (void)dns_read_u16(r); return;
    case DNS_FIELD_U32:
    case DNS_FIELD_TIME:
    case DNS_FIELD_IPV4: (void)dns_read_bytes(r, 4); return;
    case DNS_FIELD_IPV6: (void)dns_read_bytes(r, 16); return;
    case DNS_FIELD_EUI48: (void)dns_read_bytes(r, 6); return;
    case DNS_FIELD_EUI64:
    case DNS_FIELD_NID: (void)dns_read_bytes(r, 8); return;
    case DNS_FIELD_NAME: (void)dns_name_read(r, name ? name : &read); return;
    case DNS_FIELD_STRING:
    case DNS_FIELD_TAG:
    case DNS_FIELD_SALT:
    case DNS_FIELD_HASH: skip_counted(r); return;
    case DNS_FIELD_STRINGS: skip_strings(r); return;
    case DNS_FIELD_BITMAP: skip_bitmap(r); return;
    case DNS_FIELD_SVCPARAMS: skip_svcparams(r); return;
    case DNS_FIELD_BASE64:
    case DNS_FIELD_HEX:
    case DNS_FIELD_REST_TEXT:
    case DNS_FIELD_REST: skip_to_end(r); return;
    }
}
