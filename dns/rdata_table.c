// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#define U8 DNS_FIELD_U8
#define U16 DNS_FIELD_U16
#define U32 DNS_FIELD_U32
#define NAME DNS_FIELD_NAME
#define STRING DNS_FIELD_STRING
#define ALG DNS_FIELD_ALGORITHM
#define PLAIN DNS_NAMES_PLAIN
#define READ DNS_NAMES_READ
#define BOTH DNS_NAMES_BOTH

// clang-format off
static const struct dns_rdata_shape shapes[] = {
    /* type              lower  names  fields */
    {DNS_TYPE_A,          false, PLAIN, {DNS_FIELD_IPV4}},
    {DNS_TYPE_NS,         true,  BOTH,  {NAME}},
    {3 /* MD */,          true,  BOTH,  {NAME}},
    {4 /* MF */,          true,  BOTH,  {NAME}},
    {DNS_TYPE_CNAME,      true,  BOTH,  {NAME}},
    {DNS_TYPE_SOA,        true,  BOTH,  {NAME, NAME, U32, U32, U32, U32, U32}},
    {7 /* MB */,          true,  BOTH,  {NAME}},
    {8 /* MG */,          true,  BOTH,  {NAME}},
    {9 /* MR */,          true,  BOTH,  {NAME}},
    {DNS_TYPE_PTR,        true,  BOTH,  {NAME}},
    {DNS_TYPE_HINFO,      false, PLAIN, {STRING, STRING}},
    {14 /* MINFO */,      true,  BOTH,  {NAME, NAME}},
    {DNS_TYPE_MX,         true,  BOTH,  {U16, NAME}},
    {DNS_TYPE_TXT,        false, PLAIN, {DNS_FIELD_STRINGS}},
    {17 /* RP */,         true,  READ,  {NAME, NAME}},
    {18 /* AFSDB */,      true,  READ,  {U16, NAME}},
    {19 /* X25 */,        false, PLAIN, {STRING}},
    {20 /* ISDN */,       false, PLAIN, {STRING, DNS_FIELD_STRING_MAYBE}},
    {21 /* RT */,         true,  READ,  {U16, NAME}},
    {DNS_TYPE_SIG,        true,  READ,  {DNS_FIELD_TYPE, ALG, U8, U32, DNS_FIELD_TIME, DNS_FIELD_TIME, U16, NAME, DNS_FIELD_BASE64}},
    {DNS_TYPE_KEY,        false, PLAIN, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {26 /* PX */,         true,  READ,  {U16, NAME, NAME}},
    {DNS_TYPE_AAAA,       false, PLAIN, {DNS_FIELD_IPV6}},
    {DNS_TYPE_NXT,        true,  READ,  {NAME, DNS_FIELD_REST}},
    {DNS_TYPE_SRV,        true,  READ,  {U16, U16, U16, NAME}},
    {DNS_TYPE_NAPTR,      true,  READ,  {U16, U16, STRING, STRING, STRING, NAME}},
    {36 /* KX */,         true,  PLAIN, {U16, NAME}},
    {37 /* CERT */,       false, PLAIN, {U16, U16, ALG, DNS_FIELD_BASE64}},
    {38 /* A6 */,         true,  PLAIN, {DNS_FIELD_A6, DNS_FIELD_NAME_MAYBE}},
    {DNS_TYPE_DNAME,      true,  PLAIN, {NAME}},
    {DNS_TYPE_DS,         false, PLAIN, {U16, ALG, U8, DNS_FIELD_HEX}},
    {44 /* SSHFP */,      false, PLAIN, {U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_RRSIG,      true,  PLAIN, {DNS_FIELD_TYPE, ALG, U8, U32, DNS_FIELD_TIME, DNS_FIELD_TIME, U16, NAME, DNS_FIELD_BASE64}},
    {DNS_TYPE_NSEC,       false, PLAIN, {NAME, DNS_FIELD_BITMAP}},
    {DNS_TYPE_DNSKEY,     false, PLAIN, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {49 /* DHCID */,      false, PLAIN, {DNS_FIELD_BASE64}},
    {DNS_TYPE_NSEC3,      false, PLAIN, {U8, U8, U16, DNS_FIELD_SALT, DNS_FIELD_HASH, DNS_FIELD_BITMAP}},
    {DNS_TYPE_NSEC3PARAM, false, PLAIN, {U8, U8, U16, DNS_FIELD_SALT}},
    {DNS_TYPE_TLSA,       false, PLAIN, {U8, U8, U8, DNS_FIELD_HEX}},
    {53 /* SMIMEA */,     false, PLAIN, {U8, U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_CDS,        false, PLAIN, {U16, ALG, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_CDNSKEY,    false, PLAIN, {U16, U8, ALG, DNS_FIELD_BASE64}},
    {61 /* OPENPGPKEY */, false, PLAIN, {DNS_FIELD_BASE64}},
    {62 /* CSYNC */,      false, PLAIN, {U32, U16, DNS_FIELD_BITMAP}},
    {63 /* ZONEMD */,     false, PLAIN, {U32, U8, U8, DNS_FIELD_HEX}},
    {DNS_TYPE_SVCB,       false, PLAIN, {U16, NAME, DNS_FIELD_SVCPARAMS}},
    {DNS_TYPE_HTTPS,      false, PLAIN, {U16, NAME, DNS_FIELD_SVCPARAMS}},
    {99 /* SPF */,        false, PLAIN, {DNS_FIELD_STRINGS}},
    {104 /* NID */,       false, PLAIN, {U16, DNS_FIELD_NID}},
    {105 /* L32 */,       false, PLAIN, {U16, DNS_FIELD_IPV4}},
    {106 /* L64 */,       false, PLAIN, {U16, DNS_FIELD_NID}},
    {107 /* LP */,        false, PLAIN, {U16, NAME}},
    {108 /* EUI48 */,     false, PLAIN, {DNS_FIELD_EUI48}},
    {109 /* EUI64 */,     false, PLAIN, {DNS_FIELD_EUI64}},
    {256 /* URI */,       false, PLAIN, {U16, U16, DNS_FIELD_REST_TEXT}},
    {DNS_TYPE_CAA,        false, PLAIN, {U8, DNS_FIELD_TAG, DNS_FIELD_REST_TEXT}},
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

const uint8_t *dns_rdata_fields(const struct dns_rdata_shape *shape)
{
    static const uint8_t opaque[] = {DNS_FIELD_REST, DNS_FIELD_END};
    return shape ? shape->fields : opaque;
}

bool dns_field_is_name(enum dns_field field)
{
    return field == DNS_FIELD_NAME || field == DNS_FIELD_NAME_MAYBE;
}

static void skip_to_end(struct dns_reader *r)
{
    (void)dns_read_bytes(r, dns_reader_left(r));
}

static void skip_counted(struct dns_reader *r, uint8_t least)
{
    uint8_t len = dns_read_u8(r);
    (void)dns_read_bytes(r, len);
    if (r->err == DNS_OK && len < least)
        r->err = DNS_E_FORM;
}

static void skip_strings(struct dns_reader *r)
{
    do
        skip_counted(r, 0);
    while (dns_reader_left(r) > 0);
}

/* Windows in rising order, 1 to 32 octets each, the last of them not zero (RFC 4034 4.1.2). */
static void skip_bitmap(struct dns_reader *r)
{
    int last = -1;
    while (dns_reader_left(r) > 0) {
        uint8_t window = dns_read_u8(r);
        uint8_t len = dns_read_u8(r);
        const uint8_t *bits = dns_read_bytes(r, len);
        if (!bits)
            return;
        if (window <= last || len < 1 || len > 32 || bits[len - 1] == 0) {
            r->err = DNS_E_FORM;
            return;
        }
        last = window;
    }
}

/* Keys strictly rise (RFC 9460 2.2). What a value means is the client's to judge. */
static void skip_svcparams(struct dns_reader *r)
{
    int last = -1;
    while (dns_reader_left(r) > 0) {
        uint16_t key = dns_read_u16(r);
        uint16_t len = dns_read_u16(r);
        (void)dns_read_bytes(r, len);
        if (r->err == DNS_OK && key <= last)
            r->err = DNS_E_FORM;
        last = key;
    }
}

/* A prefix of 0 bits leaves the whole address and no name; any other needs the name. */
static void skip_a6(struct dns_reader *r)
{
    uint8_t prefix = dns_read_u8(r);
    if (r->err == DNS_OK && prefix > 128)
        r->err = DNS_E_FORM;
    (void)dns_read_bytes(r, (128u - (prefix & 0xffu) + 7u) / 8u);
    if (r->err == DNS_OK && (prefix > 0) != (dns_reader_left(r) > 0))
        r->err = prefix > 0 ? DNS_E_SHORT : DNS_E_TRAILING;
}

static void read_name(struct dns_reader *r, enum dns_rdata_names names, struct dns_name *name)
{
    /* Both leave their error in r->err. */
    if (names == DNS_NAMES_PLAIN)
        (void)dns_name_read_plain(r, name);
    else
        (void)dns_name_read(r, name);
}

void dns_field_read(struct dns_reader *r, enum dns_field field, enum dns_rdata_names names,
                    struct dns_name *name)
{
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
    case DNS_FIELD_NAME: read_name(r, names, name); return;
    case DNS_FIELD_NAME_MAYBE:
        if (dns_reader_left(r) > 0)
            read_name(r, names, name);
        return;
    case DNS_FIELD_STRING:
    case DNS_FIELD_SALT: skip_counted(r, 0); return;
    case DNS_FIELD_STRING_MAYBE:
        if (dns_reader_left(r) > 0)
            skip_counted(r, 0);
        return;
    case DNS_FIELD_TAG: /* RFC 8659 4.1 */
    case DNS_FIELD_HASH: /* RFC 5155 3.1.6 */ skip_counted(r, 1); return;
    case DNS_FIELD_STRINGS: skip_strings(r); return;
    case DNS_FIELD_BITMAP: skip_bitmap(r); return;
    case DNS_FIELD_SVCPARAMS: skip_svcparams(r); return;
    case DNS_FIELD_A6: skip_a6(r); return;
    case DNS_FIELD_BASE64:
    case DNS_FIELD_HEX:
    case DNS_FIELD_REST_TEXT:
    case DNS_FIELD_REST: skip_to_end(r); return;
    }
}

void dns_field_skip(struct dns_reader *r, enum dns_field field)
{
    struct dns_name name;
    dns_field_read(r, field, DNS_NAMES_PLAIN, &name);
}

enum dns_err dns_rdata_check(uint16_t type, const uint8_t *rdata, uint32_t len)
{
    struct dns_reader r = dns_reader_init(rdata, len);
    for (const uint8_t *f = dns_rdata_fields(dns_rdata_shape(type)); *f && r.err == DNS_OK; f++)
        dns_field_skip(&r, *f);
    return dns_reader_finish(&r);
}
