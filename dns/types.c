// SPDX-License-Identifier: MIT
#include "dns/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct mnemonic {
    uint16_t number;
    const char *text;
};

// clang-format off
static const struct mnemonic types[] = {
    {1, "A"}, {2, "NS"}, {3, "MD"}, {4, "MF"}, {5, "CNAME"}, {6, "SOA"}, {7, "MB"}, {8, "MG"}, {9, "MR"},
    {10, "NULL"}, {11, "WKS"}, {12, "PTR"}, {13, "HINFO"}, {14, "MINFO"}, {15, "MX"}, {16, "TXT"},
    {17, "RP"}, {18, "AFSDB"}, {19, "X25"}, {20, "ISDN"}, {21, "RT"}, {22, "NSAP"}, {23, "NSAP-PTR"},
    {24, "SIG"}, {25, "KEY"}, {26, "PX"}, {27, "GPOS"}, {28, "AAAA"}, {29, "LOC"}, {30, "NXT"},
    {33, "SRV"}, {35, "NAPTR"}, {36, "KX"}, {37, "CERT"}, {38, "A6"}, {39, "DNAME"}, {41, "OPT"},
    {42, "APL"}, {43, "DS"}, {44, "SSHFP"}, {45, "IPSECKEY"}, {46, "RRSIG"}, {47, "NSEC"},
    {48, "DNSKEY"}, {49, "DHCID"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"}, {53, "SMIMEA"},
    {55, "HIP"}, {59, "CDS"}, {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"}, {63, "ZONEMD"},
    {64, "SVCB"}, {65, "HTTPS"}, {66, "DSYNC"}, {99, "SPF"}, {104, "NID"}, {105, "L32"}, {106, "L64"},
    {107, "LP"}, {108, "EUI48"}, {109, "EUI64"}, {128, "NXNAME"}, {249, "TKEY"}, {250, "TSIG"},
    {251, "IXFR"}, {252, "AXFR"}, {253, "MAILB"}, {254, "MAILA"}, {255, "ANY"}, {256, "URI"},
    {257, "CAA"}, {258, "AVC"}, {261, "RESINFO"}, {262, "WALLET"}, {32768, "TA"}, {32769, "DLV"}, {0, NULL}};
static const struct mnemonic classes[] = {
    {1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}, {0, NULL}};
static const struct mnemonic rcodes[] = {
    {0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"}, {4, "NOTIMP"}, {5, "REFUSED"},
    {6, "YXDOMAIN"}, {7, "YXRRSET"}, {8, "NXRRSET"}, {9, "NOTAUTH"}, {10, "NOTZONE"}, {11, "DSOTYPENI"},
    {16, "BADVERS"}, {17, "BADKEY"}, {18, "BADTIME"}, {19, "BADMODE"}, {20, "BADNAME"}, {21, "BADALG"},
    {22, "BADTRUNC"}, {23, "BADCOOKIE"}, {0, NULL}};
static const struct mnemonic algorithms[] = {
    {1, "RSAMD5"}, {2, "DH"}, {3, "DSA"}, {5, "RSASHA1"}, {6, "DSA-NSEC3-SHA1"},
    {7, "RSASHA1-NSEC3-SHA1"}, {8, "RSASHA256"}, {10, "RSASHA512"}, {12, "ECC-GOST"},
    {13, "ECDSAP256SHA256"}, {14, "ECDSAP384SHA384"}, {15, "ED25519"}, {16, "ED448"}, {17, "SM2SM3"},
    {23, "ECC-GOST12"}, {252, "INDIRECT"}, {253, "PRIVATEDNS"}, {254, "PRIVATEOID"}, {0, NULL}};
static const struct mnemonic digests[] = {
    {1, "SHA-1"}, {2, "SHA-256"}, {3, "GOST R 34.11-94"}, {4, "SHA-384"}, {5, "GOST R 34.11-2012"},
    {6, "SM3"}, {0, NULL}};
// clang-format on

static const char *text_of(const struct mnemonic *table, uint16_t number, const char *prefix,
                           char text[static DNS_NUMBER_TEXT_MAX])
{
    for (const struct mnemonic *m = table; m->text; m++) {
        if (m->number == number) {
            (void)snprintf(text, DNS_NUMBER_TEXT_MAX, "%s", m->text);
            return text;
        }
    }
    (void)snprintf(text, DNS_NUMBER_TEXT_MAX, "%s%u", prefix, number);
    return text;
}

static enum dns_err number_of(const struct mnemonic *table, const char *text, const char *prefix,
                              uint16_t most, uint16_t *ret)
{
    for (const struct mnemonic *m = table; m->text; m++) {
        if (!strcasecmp(m->text, text)) {
            *ret = m->number;
            return DNS_OK;
        }
    }
    size_t len = strlen(prefix);
    if (strncasecmp(text, prefix, len) != 0 || text[len] < '0' || text[len] > '9')
        return DNS_E_TEXT;
    char *end;
    unsigned long number = strtoul(text + len, &end, 10);
    if (*end != '\0' || number > most)
        return DNS_E_TEXT;
    *ret = (uint16_t)number;
    return DNS_OK;
}

const char *dns_type_text(uint16_t type, char text[static DNS_NUMBER_TEXT_MAX])
{
    return text_of(types, type, "TYPE", text);
}

const char *dns_class_text(uint16_t class_, char text[static DNS_NUMBER_TEXT_MAX])
{
    return text_of(classes, class_, "CLASS", text);
}

const char *dns_rcode_text(uint16_t rcode, char text[static DNS_NUMBER_TEXT_MAX])
{
    return text_of(rcodes, rcode, "RCODE", text);
}

const char *dns_algorithm_text(uint8_t algorithm, char text[static DNS_NUMBER_TEXT_MAX])
{
    return text_of(algorithms, algorithm, "ALG", text);
}

const char *dns_digest_text(uint8_t digest_type, char text[static DNS_NUMBER_TEXT_MAX])
{
    return text_of(digests, digest_type, "DIGEST", text);
}

const char *dns_ede_text(uint16_t code)
{
    switch (code) {
#define X(id, number, words)                                                                       \
    case number: return words;
        DNS_EDES(X)
#undef X
    default: return "Unassigned";
    }
}

enum dns_err dns_type_parse(const char *text, uint16_t *ret)
{
    return number_of(types, text, "TYPE", UINT16_MAX, ret);
}

enum dns_err dns_class_parse(const char *text, uint16_t *ret)
{
    return number_of(classes, text, "CLASS", UINT16_MAX, ret);
}

enum dns_err dns_algorithm_parse(const char *text, uint8_t *ret)
{
    uint16_t number;
    enum dns_err err = number_of(algorithms, text, "", UINT8_MAX, &number);
    if (err == DNS_OK)
        *ret = (uint8_t)number;
    return err;
}
