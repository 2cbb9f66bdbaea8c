// SPDX-License-Identifier: MIT
#include "dns/rdata.h"
#include "tests/test.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return name;
}

static uint16_t type_of(const char *text)
{
    uint16_t type;
    assert_int_equal(dns_type_parse(text, &type), DNS_OK);
    return type;
}

static enum dns_err parse(const char *type, const char *text, uint8_t *rdata, uint32_t *ret_len)
{
    struct dns_writer w = dns_writer_init(rdata, 65535);
    struct dns_name origin = name_of("example.com");
    enum dns_err err = dns_rdata_parse(type_of(type), text, &origin, &w);
    *ret_len = w.off;
    return err;
}

/* Presentation form in, presentation form out: as our printer writes it when `out` is NULL. */
struct text_case {
    const char *type, *in, *out;
};

// clang-format off
static const struct text_case texts[] = {
    {"A",     "192.0.2.1", NULL},
    {"AAAA",  "2001:db8::1", NULL},
    {"AAAA",  "2001:DB8:0:0::1", "2001:db8::1"},
    {"NS",    "ns1", "ns1.example.com."},
    {"NS",    "@", "example.com."},
    {"CNAME", "a.", NULL},
    {"PTR",   ".", NULL},
    {"SOA",   "ns1.example.com. a\\.b.example.com. 4294967295 7200 900 1209600 86400", NULL},
    {"HINFO", "\"PC (x86)\" \"\"", NULL},
    {"HINFO", "PC Linux", "\"PC\" \"Linux\""},
    {"MINFO", "a.b. c.d.", NULL},
    {"MX",    "10 mx.example.com.", NULL},
    {"TXT",   "\"v=spf1 -all\" \"a \\\"quote\\\" and a \\\\\" \"\\000\\255\"", NULL},
    {"TXT",   "one;comment", "\"one\""},
    {"TXT",   "\"a\"\"b\"", "\"a\" \"b\""},
    {"TXT",   "\"\\#\" 1", "\"#\" \"1\""}, /* quoted, so not RFC 3597's form */
    {"RP",    "mbox.example. txt.example.", NULL},
    {"AFSDB", "1 a.example.", NULL},
    {"X25",   "311061700956", "\"311061700956\""},
    {"ISDN",  "150862028003217 004", "\"150862028003217\" \"004\""},
    {"ISDN",  "150862028003217", "\"150862028003217\""},
    {"RT",    "2 relay.example.", NULL},
    {"PX",    "10 a. b.", NULL},
    {"SRV",   "0 5 5060 sip.example.com.", NULL},
    {"NAPTR", "100 50 \"s\" \"http+I2L\" \"\" _http._tcp.example.com.", NULL},
    {"KX",    "1 a.", NULL},
    {"CERT",  "1 65535 8 AQI=", NULL},
    {"A6",    "\\# 17 0020010DB8000000000000000000000001", NULL},
    {"DNAME", "example.org.", NULL},
    {"APL",   "\\# 8 0001180383C00002", NULL},
    {"SSHFP", "4 2 123456789ABCDEF67890", NULL},
    {"SSHFP", "4 2 1234 56789abc def67890", "4 2 123456789ABCDEF67890"},
    {"IPSECKEY", "\\# 3 0A0002", NULL},
    {"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", NULL},
    {"TLSA",  "3 1 1 ABCDEF", NULL},
    {"SMIMEA", "3 0 0 00", NULL},
    {"CDS",   "0 0 0 00", NULL}, /* RFC 8078 4: delete */
    {"CDNSKEY", "0 3 0 AA==", NULL},
    {"OPENPGPKEY", "AQIDBA==", NULL},
    {"OPENPGPKEY", "\\# 0", NULL},
    {"CSYNC", "66 3 A NS AAAA", NULL},
    {"ZONEMD", "2018031500 1 1 FEBE3D4C", NULL},
    {"SPF",   "\"v=spf1\"", NULL},
    {"NID",   "10 0014:4fff:ff20:ee64", NULL},
    {"NID",   "10 14:4fff:ff20:EE64", "10 0014:4fff:ff20:ee64"},
    {"L32",   "10 10.1.2.0", NULL},
    {"L64",   "10 2001:0db8:1140:1000", NULL},
    {"LP",    "10 l64-subnet1.example.com.", NULL},
    {"EUI48", "00-00-5e-00-53-2a", NULL},
    {"EUI64", "00-00-5e-ef-10-00-00-2a", NULL},
    {"URI",   "10 1 \"ftp://ftp1.example.com/public\"", NULL},
    {"URI",   "10 1 \"\"", NULL},
    {"CAA",   "0 issue \"ca.example.net; account=230123\"", NULL},
    {"CAA",   "128 tbs \"\"", NULL},
    {"NULL",  "\\# 0", NULL},
    {"TYPE65534", "\\# 3 ABCDEF", NULL}, /* RFC 3597 5 */
    {"A",     "\\# 4 0A000001", "10.0.0.1"},
    {"TYPE1", "\\# 4 0A 00 00 01", "10.0.0.1"},
    /* RFC 4034 2.3, 3.3, 4.3, 5.4; 5155 3.3 and 4.3 */
    {"DNSKEY", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10h"
               "WqTkF7H6RfoRqXQeogmMHfpftf6zMv1LyBUgia7za6ZEzOJBOztyvhjL742iU/TpPSEDhm2SNKLijfUppn1UaNvv4w==", NULL},
    {"RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. "
              "oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI/M0zmO/zz"
              "8bW0Rznl8O3tGNazPwQKkRN20XPXV6nwwfoXmJQbsLNrLfkGJ5D6fwFm8nN+6pBzeDQfsS3Ap3o=", NULL},
    {"RRSIG", "A 5 3 86400 1048354263 20030220173103 2642 example.com. AA==",
              "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AA=="},
    {"RRSIG", "TYPE1234 RSASHA256 0 0 4294967295 0 0 . AA==",
              "TYPE1234 8 0 0 21060207062815 19700101000000 0 . AA=="},
    {"NSEC", "host.example.com. A MX RRSIG NSEC TYPE1234", NULL},
    {"NSEC", "host.example.com.", NULL},
    {"DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118", NULL},
    {"DS", "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118 ; comment",
           "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {"NSEC3", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM", NULL},
    {"NSEC3", "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr", "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"},
    {"NSEC3PARAM", "1 0 12 AABBCCDD", NULL},
};

/* RFC 9460 appendix D.1 and D.2, and the corners of ours. */
static const struct text_case services[] = {
    {"HTTPS", "0 foo.example.com.", NULL},
    {"SVCB", "1 .", NULL},
    {"SVCB", "16 foo.example.com. port=53", NULL},
    {"SVCB", "1 foo.example.com. key667=hello", "1 foo.example.com. key667=\"hello\""},
    {"SVCB", "1 foo.example.com. key667=\"hello\\210qoo\"", NULL},
    {"SVCB", "1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
             "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {"SVCB", "1 example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"",
             "1 example.com. ipv6hint=2001:db8:122:344::c000:221"},
    {"SVCB", "16 foo.example.org. (alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1)", ""},
    {"SVCB", "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
             "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {"SVCB", "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", NULL},
    {"SVCB", "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
             "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {"HTTPS", "1 . alpn=\"h2\" no-default-alpn ech=AQIDBA==", NULL},
    {"HTTPS", "1 . key3=\"\\000\\053\"", "1 . port=53"},
    {"HTTPS", "1 . key3=\"x\"", NULL}, /* no port: shown as it is */
    {"SVCB",  "1 . alpn=\"dot\" dohpath=\"/dns-query{?dns}\" ohttp", NULL},
    {"SVCB", "1 foo.example.com. key123=abc key123=def", ""},
    {"SVCB", "1 foo.example.com. mandatory", ""},
    {"SVCB", "1 foo.example.com. alpn", ""},
    {"SVCB", "1 foo.example.com. port", ""},
    {"SVCB", "1 foo.example.com. ipv4hint", ""},
    {"SVCB", "1 foo.example.com. ipv6hint", ""},
    {"SVCB", "1 foo.example.com. no-default-alpn=abc", ""},
    {"SVCB", "1 foo.example.com. mandatory=key123", ""},
    {"SVCB", "1 foo.example.com. mandatory=mandatory", ""},
    {"SVCB", "1 foo.example.com. mandatory=key123,key123 key123=abc", ""},
    {"SVCB", "1 foo.example.com. alpn=h2,,h3", ""},
    {"SVCB", "1 foo.example.com. alpn=h2,", ""},
    {"SVCB", "1 foo.example.com. port=65536", ""},
    {"SVCB", "1 foo.example.com. nonsense=1", ""},
};

/* What must not parse. */
static const struct text_case wrong[] = {
    {"A", "192.0.2", NULL}, {"A", "192.0.2.1 192.0.2.2", NULL}, {"A", "", NULL}, {"AAAA", "1.2.3.4", NULL},
    {"MX", "65536 a.", NULL}, {"MX", "10", NULL}, {"MX", "-1 a.", NULL}, {"MX", "1x a.", NULL},
    {"TXT", "\"open", NULL}, {"TXT", "\\256", NULL}, {"TXT", "\\25", NULL}, {"TXT", "", NULL},
    {"TXT", "( \"a\" )", NULL},
    {"DS", "1 8 2 ABC", NULL}, {"DS", "1 8 2 AX", NULL}, {"DS", "1 300 2 AB", NULL},
    {"DNSKEY", "256 3 8 AQ", NULL}, {"DNSKEY", "256 3 8 AR==", NULL}, {"DNSKEY", "256 3 8 A===", NULL},
    {"DNSKEY", "256 3 8 AQ==AQ==", NULL},
    {"NSEC", "a. NOTYPE", NULL}, {"NSEC", "a. TYPE65536", NULL},
    {"NSEC3", "1 0 0 - -", NULL}, {"NSEC3", "1 0 0 - 2T7B4G4W", NULL}, {"NSEC3", "1 0 0 - 0", NULL},
    {"RRSIG", "A 8 0 0 20260231000000x 0 0 . AA==", NULL}, {"RRSIG", "A 8 0 0 21060207062816 0 0 . AA==", NULL},
    {"RRSIG", "A 8 0 0 20261301000000 0 0 . AA==", NULL}, {"RRSIG", "A 8 0 0 2026013100000 0 0 . AA==", NULL},
    {"EUI48", "00-00-5e-00-53", NULL}, {"EUI48", "00-00-5e-00-53-2a-00", NULL}, {"EUI48", "0-00-5e-00-53-2a", NULL},
    {"NID", "10 0014:4fff:ff20", NULL}, {"NID", "10 00014:4fff:ff20:ee64", NULL},
    {"TYPE65534", "\\# 2 AB", NULL}, {"TYPE65534", "\\# 0 AB", NULL}, {"TYPE65534", "abc", NULL},
    {"A", "\\# 3 0A0000", NULL}, {"NS", "\\# 2 C000", NULL}, /* neither an address nor a pointer */
    {"CAA", "0 \"\" \"x\"", NULL},
};
// clang-format on

static void check_text(const struct text_case *c)
{
    uint8_t rdata[65535];
    char text[2048];
    uint32_t len;
    const char *want = c->out ? c->out : c->in;
    print_message("%s %s\n", c->type, c->in);
    enum dns_err err = parse(c->type, c->in, rdata, &len);
    if (*want == '\0') {
        assert_int_not_equal(err, DNS_OK);
        return;
    }
    assert_int_equal(err, DNS_OK);
    size_t n = dns_rdata_text(type_of(c->type), rdata, len, text, sizeof text);
    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
    uint8_t again[65535];
    uint32_t again_len;
    assert_int_equal(parse(c->type, text, again, &again_len), DNS_OK);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, rdata, len);
    for (size_t cap = 0; cap <= n; cap++) /* never past the end, never half an answer */
        assert_int_equal(dns_rdata_text(type_of(c->type), rdata, len, text, cap), 0);
}

static void texts_go_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        check_text(&texts[i]);
    for (size_t i = 0; i < COUNT(services); i++)
        check_text(&services[i]);
}

static void wrong_texts_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        uint8_t rdata[65535];
        uint32_t len;
        print_message("%s %s\n", wrong[i].type, wrong[i].in);
        assert_int_not_equal(parse(wrong[i].type, wrong[i].in, rdata, &len), DNS_OK);
    }
}

/* RFC 9460 D.2, octet for octet: keys sorted, "mandatory" sorted, list escapes undone. */
static void services_are_written_in_order(void **state)
{
    (void)state;
    static const uint8_t want[] = {
        0x00, 0x10, 3, 'f',  'o',  'o',  7,    'e',  'x',  'a',  'm',  'p',  'l',  'e',  3,    'o',
        'r',  'g',  0, 0x00, 0x00, 0x00, 0x04, 0x00, 0x01, 0x00, 0x04, 0x00, 0x01, 0x00, 0x09, 2,
        'h',  '2',  5, 'h',  '3',  '-',  '1',  '9',  0x00, 0x04, 0x00, 0x04, 192,  0,    2,    1,
    };
    uint8_t rdata[65535];
    uint32_t len;
    assert_int_equal(parse("SVCB",
                           "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn "
                           "ipv4hint=192.0.2.1",
                           rdata, &len),
                     DNS_OK);
    assert_int_equal(len, sizeof want);
    assert_memory_equal(rdata, want, len);
}

/* A message whose one answer has this RDATA; its question "aB.c" lies at offset 12. */
struct expand_case {
    const char *what;
    uint16_t type;
    uint8_t rdata[48];
    uint32_t len;
    enum dns_err want;
    uint32_t want_len; /* expanded */
};

// clang-format off
static const struct expand_case expansions[] = {
    {"NS, a pointer",            DNS_TYPE_NS,    HEX(0xc0, 12), DNS_OK, 6},
    {"MX, label and pointer",    DNS_TYPE_MX,    HEX(0, 1, 1, 'm', 0xc0, 12), DNS_OK, 10},
    {"SRV, read by receivers",   DNS_TYPE_SRV,   HEX(0, 0, 0, 0, 0, 1, 0xc0, 12), DNS_OK, 12},
    {"RP, two",                  17,             HEX(0xc0, 12, 0xc0, 15), DNS_OK, 9},
    {"DNAME, never compressed",  DNS_TYPE_DNAME, HEX(0xc0, 12), DNS_E_POINTER, 0},
    {"NSEC, never compressed",   DNS_TYPE_NSEC,  HEX(0xc0, 12, 0, 1, 0x40), DNS_E_POINTER, 0},
    {"KX, never compressed",     36,             HEX(0, 1, 0xc0, 12), DNS_E_POINTER, 0},
    {"SVCB, never compressed",   DNS_TYPE_SVCB,  HEX(0, 1, 0xc0, 12), DNS_E_POINTER, 0},
    {"RRSIG, never compressed",  DNS_TYPE_RRSIG, HEX(0, 1, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 12, 1), DNS_E_POINTER, 0},
    {"A, too short",             DNS_TYPE_A,     HEX(1, 2, 3), DNS_E_SHORT, 0},
    {"A, too long",              DNS_TYPE_A,     HEX(1, 2, 3, 4, 5), DNS_E_TRAILING, 0},
    {"NS, octets left over",     DNS_TYPE_NS,    HEX(0xc0, 12, 0), DNS_E_TRAILING, 0},
    {"NS, a name past RDATA",    DNS_TYPE_NS,    HEX(5, 'a', 'b'), DNS_E_SHORT, 0},
    {"TXT, none at all",         DNS_TYPE_TXT,   {0}, 0, DNS_E_SHORT, 0},
    {"TXT, past RDATA",          DNS_TYPE_TXT,   HEX(1, 'a', 2, 'b'), DNS_E_SHORT, 0},
    {"HINFO, three strings",     DNS_TYPE_HINFO, HEX(0, 0, 0), DNS_E_TRAILING, 0},
    {"unknown, as it is",        4711,           HEX(0xc0, 12), DNS_OK, 2},
    {"unknown, empty",           4711,           {0}, 0, DNS_OK, 0},
    {"CAA, no tag",              DNS_TYPE_CAA,   HEX(0, 0, 'x'), DNS_E_FORM, 0},
    {"A6, address",              38,             HEX(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), DNS_OK, 17},
    {"A6, prefix and name",      38,             HEX(121, 1, 1, 'A', 0), DNS_OK, 5},
    {"A6, prefix, no name",      38,             HEX(121, 1), DNS_E_SHORT, 0},
    {"A6, prefix too long",      38,             HEX(129, 0), DNS_E_FORM, 0},
    {"NSEC, no types",           DNS_TYPE_NSEC,  HEX(0), DNS_OK, 1},
    {"NSEC, windows fall",       DNS_TYPE_NSEC,  HEX(0, 1, 1, 1, 0, 1, 1), DNS_E_FORM, 0},
    {"NSEC, window twice",       DNS_TYPE_NSEC,  HEX(0, 0, 1, 1, 0, 1, 1), DNS_E_FORM, 0},
    {"NSEC, window of 0",        DNS_TYPE_NSEC,  HEX(0, 0, 0), DNS_E_FORM, 0},
    {"NSEC, window of 33",       DNS_TYPE_NSEC,  HEX(0, 0, 33, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), DNS_E_FORM, 0},
    {"NSEC, trailing zero",      DNS_TYPE_NSEC,  HEX(0, 0, 2, 1, 0), DNS_E_FORM, 0},
    {"NSEC, cut short",          DNS_TYPE_NSEC,  HEX(0, 0, 2, 1), DNS_E_SHORT, 0},
    {"NSEC3, hash of 0",         DNS_TYPE_NSEC3, HEX(1, 0, 0, 0, 0, 0), DNS_E_FORM, 0},
    {"SVCB, keys rise",          DNS_TYPE_SVCB,  HEX(0, 1, 0, 0, 2, 0, 0, 0, 3, 0, 2, 0, 53), DNS_OK, 13},
    {"SVCB, keys fall",          DNS_TYPE_SVCB,  HEX(0, 1, 0, 0, 3, 0, 0, 0, 2, 0, 0), DNS_E_FORM, 0},
    {"SVCB, key twice",          DNS_TYPE_SVCB,  HEX(0, 1, 0, 0, 3, 0, 0, 0, 3, 0, 0), DNS_E_FORM, 0},
    {"SVCB, value cut short",    DNS_TYPE_SVCB,  HEX(0, 1, 0, 0, 3, 0, 2, 0), DNS_E_SHORT, 0},
};
// clang-format on

static void rdata_is_expanded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(expansions); i++) {
        const struct expand_case *c = &expansions[i];
        uint8_t msg_buf[128] = {0, 0, 0x80, 0,   0, 1,   0, 1, 0, 0, 0,
                                0, 2, 'a',  'B', 1, 'c', 0, 0, 1, 0, 1};
        struct dns_writer w = dns_writer_init(msg_buf, sizeof msg_buf);
        w.off = 22;
        print_message("%s\n", c->what);
        dns_write_u16(&w, 0xc00c);
        dns_write_u16(&w, c->type);
        dns_write_u16(&w, DNS_CLASS_IN);
        dns_write_u32(&w, 60);
        dns_write_u16(&w, (uint16_t)c->len);
        dns_write_bytes(&w, c->rdata, c->len);
        struct dns_rr table[4];
        struct dns_msg msg;
        assert_int_equal(dns_msg_read(msg_buf, w.off, table, COUNT(table), &msg), DNS_OK);
        uint8_t out[512];
        struct dns_writer expanded = dns_writer_init(out, sizeof out);
        assert_int_equal(dns_rdata_expand(&msg, &msg.rr[0], &expanded), c->want);
        if (c->want == DNS_OK)
            assert_int_equal(expanded.off, c->want_len);
    }
}

/* RFC 4034 6.2 with RFC 6840 5.1: which types' names are lower-cased. */
struct case_case {
    const char *type, *in, *out;
};

static const struct case_case cases[] = {
    {"NS", "A.B.", "a.b."},
    {"MX", "1 A.B.", "1 a.b."},
    {"SOA", "A. B. 1 2 3 4 5", "a. b. 1 2 3 4 5"},
    {"NAPTR", "1 1 \"S\" \"T\" \"R\" A.", "1 1 \"S\" \"T\" \"R\" a."},
    {"SRV", "1 1 1 A.", "1 1 1 a."},
    {"DNAME", "A.", "a."},
    {"KX", "1 A.", "1 a."},
    {"RRSIG", "A 8 0 0 0 0 0 A. AA==", "A 8 0 0 19700101000000 19700101000000 0 a. AA=="},
    {"A6", "\\# 5 7901014100", "\\# 5 7901016100"},
    {"NSEC", "A. A", "A. A"},
    {"SVCB", "1 A.", "1 A."},
    {"LP", "1 A.", "1 A."},
    {"HINFO", "A B", "\"A\" \"B\""},
    {"TXT", "A", "\"A\""},
    {"TYPE4711", "\\# 3 014100", "\\# 3 014100"},
};

static void canonical_form_lowers_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t rdata[65535];
        char text[512];
        uint32_t len;
        uint16_t type = type_of(cases[i].type);
        print_message("%s\n", cases[i].type);
        assert_int_equal(parse(cases[i].type, cases[i].in, rdata, &len), DNS_OK);
        assert_int_equal(dns_rdata_canonical(type, rdata, len), DNS_OK);
        assert_true(dns_rdata_text(type, rdata, len, text, sizeof text) > 0);
        assert_string_equal(text, cases[i].out);
    }
}

/* RFC 4034 5.4 and 2.3: the DS above names this key by its tag. RFC 5702 6.1, RFC 6605 6.1. */
static void key_tags_are_as_printed(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint16_t tag;
    } keys[] = {
        {"256 3 5 "
         "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjM"
         "mmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/"
         "rljwvFw==",
         60485},
        {"256 3 8 "
         "AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUm"
         "Obdk=",
         9033},
        {"257 3 13 "
         "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8N"
         "AA==",
         55648},
        {"257 3 8 "
         "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/"
         "4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh"
         "4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/"
         "EWgvIWgb"
         "9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/"
         "ilBmSVIzuDWfdRUfhHdY6"
         "+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=",
         20326},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        uint8_t rdata[65535];
        uint32_t len;
        assert_int_equal(parse("DNSKEY", keys[i].key, rdata, &len), DNS_OK);
        assert_int_equal(dns_key_tag(rdata, len), keys[i].tag);
    }
    static const uint8_t rsamd5[] = {1, 0, 3, 1, 0xaa, 0x12, 0x34, 0x56}; /* appendix B.1 */
    assert_int_equal(dns_key_tag(rsamd5, sizeof rsamd5), 0x1234);
}

static void typed_readers_read(void **state)
{
    (void)state;
    uint8_t rdata[65535];
    uint32_t len;
    struct dns_rrsig sig;
    struct dns_nsec nsec;
    struct dns_nsec3 nsec3;
    struct dns_soa soa;
    struct dns_name name = name_of("example.com.");
    struct dns_name read;

    assert_int_equal(parse("RRSIG", "MX 13 2 3600 20260101000000 1 4711 @ AQID", rdata, &len), 0);
    assert_int_equal(dns_rrsig_read(dns_reader_init(rdata, len), &sig), DNS_OK);
    assert_int_equal(sig.covered, DNS_TYPE_MX);
    assert_int_equal(sig.labels, 2);
    assert_int_equal(sig.expiration, 1767225600);
    assert_int_equal(sig.inception, 1);
    assert_int_equal(sig.key_tag, 4711);
    assert_int_equal(sig.signature_len, 3);
    assert_true(dns_name_equal(&sig.signer, &name));
    assert_int_equal(dns_rrsig_read(dns_reader_init(rdata, len - 3), &sig), DNS_E_SHORT);

    assert_int_equal(parse("NSEC", "@ A AAAA CAA TYPE65535", rdata, &len), DNS_OK);
    assert_int_equal(dns_nsec_read(dns_reader_init(rdata, len), &nsec), DNS_OK);
    assert_true(dns_name_equal(&nsec.next, &name));
    assert_true(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_A));
    assert_true(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_CAA));
    assert_true(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, 65535));
    assert_false(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_NS));
    assert_false(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, DNS_TYPE_DNSKEY));
    assert_false(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, 256));
    assert_false(dns_bitmap_has(nsec.bitmap, nsec.bitmap_len, 65534));

    assert_int_equal(parse("NSEC3", "1 1 5 AB 00000000 NS", rdata, &len), DNS_OK);
    assert_int_equal(dns_nsec3_read(dns_reader_init(rdata, len), &nsec3), DNS_OK);
    assert_int_equal(nsec3.flags, 1);
    assert_int_equal(nsec3.iterations, 5);
    assert_int_equal(nsec3.salt_len, 1);
    assert_int_equal(nsec3.next_hash_len, 5);
    assert_true(dns_bitmap_has(nsec3.bitmap, nsec3.bitmap_len, DNS_TYPE_NS));

    assert_int_equal(parse("SOA", "a. b. 1 2 3 4 5", rdata, &len), DNS_OK);
    assert_int_equal(dns_soa_read(dns_reader_init(rdata, len), &soa), DNS_OK);
    assert_int_equal(soa.serial, 1);
    assert_int_equal(soa.minimum_s, 5);
    assert_int_equal(dns_soa_read(dns_reader_init(rdata, len - 1), &soa), DNS_E_SHORT);

    assert_int_equal(parse("NS", "@", rdata, &len), DNS_OK);
    assert_int_equal(dns_target_read(dns_reader_init(rdata, len), &read), DNS_OK);
    assert_true(dns_name_equal(&read, &name));
    assert_int_equal(dns_target_read(dns_reader_init(rdata, len + 1), &read), DNS_E_TRAILING);
}

struct ds_case {
    const char *what;
    uint8_t rdata[8];
    uint32_t len;
    enum dns_err want;
};

static const struct ds_case ds_cases[] = {
    {"smallest that is legal", HEX(0xec, 0x45, 8, 2, 0x31), DNS_OK},
    {"empty digest", HEX(0xec, 0x45, 8, 2), DNS_E_SHORT},
    {"ends inside the key tag", HEX(0xec), DNS_E_SHORT},
    {"nothing", {0}, 0, DNS_E_SHORT},
};

static void ds_and_dnskey_need_all_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ds_cases); i++) {
        struct dns_ds ds = {.key_tag = 1};
        struct dns_dnskey key = {.flags = 1};
        struct dns_reader r = dns_reader_init(ds_cases[i].rdata, ds_cases[i].len);
        print_message("%s\n", ds_cases[i].what);
        assert_int_equal(dns_ds_read(r, &ds), ds_cases[i].want);
        assert_int_equal(dns_dnskey_read(r, &key), ds_cases[i].want); /* laid out alike */
        assert_int_equal(ds.key_tag, ds_cases[i].want == DNS_OK ? 0xec45 : 1);
        assert_int_equal(key.flags, ds_cases[i].want == DNS_OK ? 0xec45 : 1);
    }
}

struct line_case {
    const char *line;
    enum dns_err want;
    const char *owner;
    uint32_t ttl_s;
    uint16_t type, class_;
};

// clang-format off
static const struct line_case lines[] = {
    {"www 300 IN A 192.0.2.1",              DNS_OK, "www.example.com.", 300, DNS_TYPE_A, DNS_CLASS_IN},
    {"www IN 300 A 192.0.2.1",              DNS_OK, "www.example.com.", 300, DNS_TYPE_A, DNS_CLASS_IN},
    {"@\tA\t192.0.2.1 ; the apex\n",        DNS_OK, "example.com.", 77, DNS_TYPE_A, DNS_CLASS_IN},
    {". 0 NS a.root-servers.net.",          DNS_OK, ".", 0, DNS_TYPE_NS, DNS_CLASS_IN},
    {"a\\.b.c. CH TXT \"x\"",               DNS_OK, "a\\.b.c.", 77, DNS_TYPE_TXT, DNS_CLASS_CH},
    {"x CLASS32 TYPE731 \\# 6 abcdef012345", DNS_OK, "x.example.com.", 77, 731, 32}, /* RFC 3597 5 */
    {"x 1 2 A 192.0.2.1",                   DNS_E_TEXT, NULL, 0, 0, 0},
    {"x 2147483648 A 192.0.2.1",            DNS_E_TEXT, NULL, 0, 0, 0},
    {"x IN",                                DNS_E_TEXT, NULL, 0, 0, 0},
    {"",                                    DNS_E_TEXT, NULL, 0, 0, 0},
    {"; only a comment",                    DNS_E_TEXT, NULL, 0, 0, 0},
    {"x A 192.0.2.1 left",                  DNS_E_TRAILING, NULL, 0, 0, 0},
};
// clang-format on

static void lines_are_read(void **state)
{
    (void)state;
    struct dns_name origin = name_of("example.com");
    for (size_t i = 0; i < COUNT(lines); i++) {
        uint8_t rdata[512];
        char owner[DNS_NAME_TEXT_MAX];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_line line = {.type = 9};
        print_message("%s\n", lines[i].line);
        assert_int_equal(dns_line_parse(lines[i].line, &origin, 77, &line, &w), lines[i].want);
        if (lines[i].want != DNS_OK) {
            assert_int_equal(line.type, 9);
            continue;
        }
        (void)dns_name_text(&line.owner, owner);
        assert_string_equal(owner, lines[i].owner);
        assert_int_equal(line.ttl_s, lines[i].ttl_s);
        assert_int_equal(line.type, lines[i].type);
        assert_int_equal(line.class_, lines[i].class_);
    }
}

/* RFC 4648 10 and RFC 5155 1.3: base32 with extended hex alphabet, not padded. */
static void codings_are_those_of_rfc_4648(void **state)
{
    (void)state;
    static const struct {
        const char *data, *base64, *base32;
    } vectors[] = {
        {"f", "Zg==", "CO"},
        {"fo", "Zm8=", "CPNG"},
        {"foo", "Zm9v", "CPNMU"},
        {"foob", "Zm9vYg==", "CPNMUOG"},
        {"fooba", "Zm9vYmE=", "CPNMUOJ1"},
        {"foobar", "Zm9vYmFy", "CPNMUOJ1E8"},
    };
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const uint8_t *data = (const uint8_t *)vectors[i].data;
        size_t len = strlen(vectors[i].data);
        char text[32];
        uint8_t out[16];
        struct dns_writer w = dns_writer_init(out, sizeof out);
        assert_int_equal(dns_base64_text(data, len, text, sizeof text), strlen(vectors[i].base64));
        assert_string_equal(text, vectors[i].base64);
        assert_int_equal(dns_base64_read(text, &w), DNS_OK);
        assert_int_equal(w.off, len);
        assert_memory_equal(out, data, len);
        w = dns_writer_init(out, sizeof out);
        assert_int_equal(dns_base32hex_text(data, len, text, sizeof text),
                         strlen(vectors[i].base32));
        assert_string_equal(text, vectors[i].base32);
        assert_int_equal(dns_base32hex_read(text, strlen(text), &w), DNS_OK);
        assert_int_equal(w.off, len);
        assert_memory_equal(out, data, len);
        assert_int_equal(dns_base32hex_text(data, len, text, strlen(vectors[i].base32)), 0);
    }
    uint8_t out[16];
    struct dns_writer w = dns_writer_init(out, sizeof out);
    assert_int_equal(dns_base32hex_read("000", 3, &w), DNS_E_TEXT); /* a digit too many */
    assert_int_equal(dns_base32hex_read("01", 2, &w), DNS_E_TEXT);  /* bits that are not 0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_go_round),
        cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(services_are_written_in_order),
        cmocka_unit_test(rdata_is_expanded),
        cmocka_unit_test(canonical_form_lowers_names),
        cmocka_unit_test(key_tags_are_as_printed),
        cmocka_unit_test(typed_readers_read),
        cmocka_unit_test(ds_and_dnskey_need_all_fields),
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(codings_are_those_of_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
