// SPDX-License-Identifier: MIT
#include "dns/message.h"
#include "dns/rdata.h"
#include "tests/test.h"

#include <stdio.h>

#define HEADER(qd, an, ns, ar) 0x12, 0x34, 0x81, 0x80, 0, qd, 0, an, 0, ns, 0, ar
#define QUESTION 1, 'a', 0, 0, 1, 0, 1 /* ends at 19 */

struct read_case {
    const char *what;
    uint8_t wire[64];
    uint32_t len;
    enum dns_err want;
    uint32_t records;
};

// clang-format off
static const struct read_case reads[] = {
    {"question",              HEX(HEADER(1, 0, 0, 0), QUESTION), DNS_OK, 0},
    {"no question",           HEX(HEADER(0, 0, 0, 0)), DNS_OK, 0},
    {"half a header",         HEX(0x12, 0x34, 0x81, 0x80, 0, 0), DNS_E_SHORT, 0},
    {"nothing",               {0}, 0, DNS_E_SHORT, 0},
    {"question missing",      HEX(HEADER(1, 0, 0, 0)), DNS_E_SHORT, 0},
    {"question cut",          HEX(HEADER(1, 0, 0, 0), 1, 'a', 0, 0, 1, 0), DNS_E_SHORT, 0},
    {"answer missing",        HEX(HEADER(1, 1, 0, 0), QUESTION), DNS_E_SHORT, 0},
    {"left over",             HEX(HEADER(1, 0, 0, 0), QUESTION, 0), DNS_E_TRAILING, 0},
    {"an answer",             HEX(HEADER(1, 1, 0, 0), QUESTION, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4), DNS_OK, 1},
    {"RDATA cut",             HEX(HEADER(1, 1, 0, 0), QUESTION, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3), DNS_E_SHORT, 0},
    {"RDLENGTH of 65535",     HEX(HEADER(1, 1, 0, 0), QUESTION, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 1), DNS_E_SHORT, 0},
    {"owner points forwards", HEX(HEADER(1, 1, 0, 0), QUESTION, 0xc0, 33, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0), DNS_E_POINTER, 0},
    {"owner in the header",   HEX(HEADER(1, 1, 0, 0), QUESTION, 0xc0, 2, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0), DNS_E_LABEL, 0},
    {"two questions",         HEX(HEADER(2, 0, 0, 0), QUESTION, 1, 'b', 0, 0, 1, 0, 1), DNS_OK, 0},
    {"OPT",                   HEX(HEADER(1, 0, 0, 1), QUESTION, 0, 0, 41, 4, 0xd0, 1, 0, 0x80, 0, 0, 0), DNS_OK, 0},
    {"OPT with an option",    HEX(HEADER(1, 0, 0, 1), QUESTION, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 6, 0, 3, 0, 2, 'i', 'd'), DNS_OK, 0},
    {"OPT, option cut",       HEX(HEADER(1, 0, 0, 1), QUESTION, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 5, 0, 3, 0, 2, 'i'), DNS_E_OPT, 0},
    {"OPT twice",             HEX(HEADER(1, 0, 0, 2), QUESTION, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0), DNS_E_OPT, 0},
    {"OPT as an answer",      HEX(HEADER(1, 1, 0, 0), QUESTION, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0), DNS_E_OPT, 0},
    {"OPT of another owner",  HEX(HEADER(1, 0, 0, 1), QUESTION, 0xc0, 12, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0), DNS_E_OPT, 0},
};
// clang-format on

static void messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        struct dns_rr table[4];
        struct dns_msg msg = {.id = 0xdead};
        print_message("%s\n", reads[i].what);
        assert_int_equal(dns_msg_read(reads[i].wire, reads[i].len, table, COUNT(table), &msg),
                         reads[i].want);
        assert_int_equal(msg.id, reads[i].want == DNS_OK ? 0x1234 : 0xdead);
        if (reads[i].want == DNS_OK)
            assert_int_equal(msg.rr_count, reads[i].records);
    }
}

static void the_view_tells_what_is_there(void **state)
{
    (void)state;
    static const uint8_t wire[] = {HEADER(1, 1, 0, 1),
                                   QUESTION,
                                   0xc0,
                                   12,
                                   0,
                                   1,
                                   0,
                                   1,
                                   0x80,
                                   0,
                                   0,
                                   9,
                                   0,
                                   4,
                                   1,
                                   2,
                                   3,
                                   4,
                                   0,
                                   0,
                                   41,
                                   0x04,
                                   0xd0,
                                   1,
                                   0,
                                   0x80,
                                   0,
                                   0,
                                   6,
                                   0,
                                   15,
                                   0,
                                   2,
                                   0,
                                   22};
    struct dns_rr table[4];
    struct dns_msg msg;
    struct dns_ede ede;
    assert_int_equal(dns_msg_read(wire, sizeof wire, table, COUNT(table), &msg), DNS_OK);
    assert_int_equal(msg.rcode, 16); /* 1 from the OPT record, 0 from the header */
    assert_int_equal(msg.question_end, 19);
    assert_int_equal(msg.rr[0].ttl_s, 0); /* RFC 2181 8 */
    assert_int_equal(msg.rr[0].ttl_off, 25);
    assert_int_equal(msg.rr[0].rdata_off, 31);
    assert_true(msg.edns.present);
    assert_true(msg.edns.dnssec_ok);
    assert_int_equal(msg.edns.udp_size, 1232);
    struct dns_name owner = dns_rr_owner(&msg, &msg.rr[0]);
    assert_true(dns_name_equal(&owner, &msg.question.name));
    dns_ede_find(wire, &msg.edns, &ede);
    assert_int_equal(ede.code, DNS_EDE_NO_REACHABLE_AUTHORITY);
    assert_string_equal(ede.text, "");

    assert_true(dns_msg_answers(&msg, &msg.question));
    struct dns_question other = msg.question;
    other.type = DNS_TYPE_AAAA;
    assert_false(dns_msg_answers(&msg, &other));
    other = msg.question;
    other.class_ = DNS_CLASS_CH;
    assert_false(dns_msg_answers(&msg, &other));
    other = msg.question;
    other.name = dns_root;
    assert_false(dns_msg_answers(&msg, &other));
    msg.flags = 0;
    assert_false(dns_msg_answers(&msg, &msg.question));

    uint16_t id;
    uint16_t flags;
    assert_true(dns_header_peek(wire, 12, &id, &flags));
    assert_int_equal(id, 0x1234);
    assert_int_equal(flags, 0x8180);
    assert_false(dns_header_peek(wire, 11, &id, &flags));
}

static void counts_are_bounded(void **state)
{
    (void)state;
    static uint8_t wire[70000];
    static struct dns_rr table[DNS_RR_MAX + 1];
    struct dns_msg msg;
    struct dns_msg_out out;
    for (uint32_t count = DNS_RR_MAX; count <= DNS_RR_MAX + 1; count++) {
        dns_msg_out_init(&out, wire, sizeof wire, 0, 0);
        for (uint32_t i = 0; i < count; i++)
            dns_msg_out_rr(&out, DNS_ANSWER, &dns_root, 999, 1, 0, "", 0);
        uint32_t len = dns_msg_out_finish(&out);
        assert_int_equal(dns_msg_read(wire, len, table, COUNT(table), &msg),
                         count > DNS_RR_MAX ? DNS_E_COUNT : DNS_OK);
        assert_int_equal(dns_msg_read(wire, len, table, 7, &msg), DNS_E_COUNT);
    }
    assert_int_equal(dns_msg_read(wire, 65536, table, COUNT(table), &msg), DNS_E_TRAILING);
}

/* --- writing -------------------------------------------------------------------------------- */

static void put_line(struct dns_msg_out *out, enum dns_section section, const char *text)
{
    uint8_t rdata[1024];
    struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
    struct dns_line line;
    assert_int_equal(dns_line_parse(text, &dns_root, 60, &line, &w), DNS_OK);
    dns_msg_out_rr(out, section, &line.owner, line.type, line.class_, line.ttl_s, rdata,
                   (uint16_t)w.off);
}

static struct dns_question question_of(const char *name, uint16_t type)
{
    struct dns_question question = {.type = type, .class_ = DNS_CLASS_IN};
    assert_int_equal(dns_name_parse(name, &question.name), DNS_OK);
    return question;
}

/* Lines as in put_line() behind "N ", "A " or "X ": answer, authority, additional. */
static uint32_t build(const char *qname, uint16_t qtype, const char *const *lines, uint8_t *buf,
                      size_t cap)
{
    struct dns_msg_out out;
    struct dns_question question = question_of(qname, qtype);
    dns_msg_out_init(&out, buf, cap, 7, DNS_FLAG_QR);
    dns_msg_out_question(&out, &question);
    for (; *lines; lines++)
        put_line(&out,
                 **lines == 'N'   ? DNS_ANSWER
                 : **lines == 'A' ? DNS_AUTHORITY
                                  : DNS_ADDITIONAL,
                 *lines + 2);
    return dns_msg_out_finish(&out);
}

/* RFC 1035 4.1.4; RFC 3597 4: only where the type is as old as that. */
static void names_are_compressed(void **state)
{
    (void)state;
    static const uint8_t want[] = {
        0,    7,   0x80, 0,   0,    1,   0, 4,  0, 0,  0, 0, //
        3,    'w', 'w',  'w', 1,    'B', 0, 0,  1, 0,  1,    // www.B. at 12, B. at 16
        0xc0, 12,  0,    5,   0,    1,   0, 0,  0, 60, 0, 4, 1, 'x', 0xc0, 16, // x.B. at 35
        0xc0, 35,  0,    15,  0,    1,   0, 0,  0, 60, 0, 4, 0, 1,   0xc0, 16, // MX 1 B.
        0xc0, 16,  0,    39,  0,    1,   0, 0,  0, 60, 0, 3, 1, 'B', 0,        // DNAME B.
        3,    'W', 'w',  'w', 0xc0, 16,  0, 16, 0, 1,  0, 0, 0, 60,  0,    2,
        1,    't', // another case
    };
    static const char *const lines[] = {"N www.B. CNAME x.B.", "N x.B. MX 1 B.", "N B. DNAME B.",
                                        "N Www.B. TXT t", NULL};
    uint8_t buf[512];
    uint32_t len = build("www.B.", DNS_TYPE_A, lines, buf, sizeof buf);
    assert_int_equal(len, sizeof want);
    assert_memory_equal(buf, want, len);
}

/* What was compressed reads back; names behind the table's end or offset 0x3fff are written out. */
static void many_names_survive(void **state)
{
    (void)state;
    static uint8_t buf[65535];
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_msg_out out;
    struct dns_msg msg;
    char line[128];
    dns_msg_out_init(&out, buf, sizeof buf, 7, DNS_FLAG_QR);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(line, sizeof line, "h%u.z%u.example. NS ns%u.z%u.example.", i, i % 7, i, i);
        put_line(&out, DNS_ANSWER, line);
    }
    uint32_t len = dns_msg_out_finish(&out);
    assert_true(len > 0x4000);
    assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &msg), DNS_OK);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t rdata[512];
        char text[DNS_NAME_TEXT_MAX];
        struct dns_name owner = dns_rr_owner(&msg, &msg.rr[i]);
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        assert_int_equal(dns_rdata_expand(&msg, &msg.rr[i], &w), DNS_OK);
        (void)snprintf(line, sizeof line, "h%u.z%u.example.", i, i % 7);
        (void)dns_name_text(&owner, text);
        assert_string_equal(text, line);
        (void)snprintf(line, sizeof line, "ns%u.z%u.example.", i, i);
        assert_true(dns_rdata_text(DNS_TYPE_NS, rdata, w.off, text, sizeof text) > 0);
        assert_string_equal(text, line);
    }
}

/* A pointer has 14 bits: what lies behind 0x3fff is not referred to. */
static void far_names_are_not_pointed_to(void **state)
{
    (void)state;
    static uint8_t buf[65535];
    static const uint8_t filler[0x4000];
    struct dns_rr table[4];
    struct dns_msg msg;
    struct dns_msg_out out;
    struct dns_name far;
    assert_int_equal(dns_name_parse("far.example", &far), DNS_OK);
    dns_msg_out_init(&out, buf, sizeof buf, 7, 0);
    dns_msg_out_rr(&out, DNS_ANSWER, &dns_root, 999, 1, 0, filler, sizeof filler);
    for (unsigned i = 0; i < 2; i++)
        dns_msg_out_rr(&out, DNS_ANSWER, &far, 999, 1, 0, "", 0);
    uint32_t len = dns_msg_out_finish(&out);
    assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &msg), DNS_OK);
    for (unsigned i = 1; i <= 2; i++) {
        struct dns_name owner = dns_rr_owner(&msg, &msg.rr[i]);
        assert_true(dns_name_equal(&owner, &far));
    }
}

static void a_mark_goes_back(void **state)
{
    (void)state;
    uint8_t buf[60];
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, sizeof buf, 7, 0);
    put_line(&out, DNS_ANSWER, "a. A 1.1.1.1");
    struct dns_msg_mark mark = dns_msg_out_mark(&out);
    put_line(&out, DNS_ANSWER, "a.longer.name. TXT 0123456789012345678901234567890123456789");
    assert_int_equal(out.w.err, DNS_E_SPACE);
    dns_msg_out_rewind(&out, mark);
    put_line(&out, DNS_ADDITIONAL, "longer. A 1.1.1.1"); /* no pointer to what is gone */
    uint32_t len = dns_msg_out_finish(&out);
    struct dns_rr table[4];
    struct dns_msg msg;
    assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &msg), DNS_OK);
    assert_int_equal(msg.rr_count, 2);
    assert_int_equal(msg.rr[1].section, DNS_ADDITIONAL);
}

static void malformed_rdata_is_not_written(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, sizeof buf, 7, 0);
    dns_msg_out_rr(&out, DNS_ANSWER, &dns_root, DNS_TYPE_NS, 1, 0, "\1a\0x", 4);
    assert_int_equal(dns_msg_out_finish(&out), 0);
}

/* --- copying -------------------------------------------------------------------------------- */

#define SIG(type) "RRSIG " type " 8 3 60 20300101000000 20200101000000 1 example. AAAAAAAAAAAAAAAA"

struct copy_case {
    const char *what;
    uint16_t qtype;
    bool strip;
    uint32_t less; /* octets less than the whole copy takes */
    const char *in[10];
    const char *kept; /* one letter a record: the last of its owner's first label */
    bool truncated;
};

// clang-format off
static const struct copy_case copies[] = {
    {"everything", DNS_TYPE_A, false, 0,
     {"N a.example. A 1.1.1.1", "A b.example. NS c.", "X c.example. A 1.1.1.2", NULL}, "abc", false},
    {"additional goes silently", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "X b.example. A 1.1.1.2", "X b.example. A 1.1.1.3", "X c.example. A 1.1.1.2", NULL}, "abb", false},
    {"all of an additional set", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "X b.example. A 1.1.1.2", "X c.example. A 1.1.1.2", "X c.example. A 1.1.1.3", NULL}, "ab", false},
    {"with its signature", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "X b.example. A 1.1.1.2", "X b.example. " SIG("A"), NULL}, "a", false},
    {"answer goes with TC", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "N b.example. A 1.1.1.1", "N b.example. " SIG("A"), NULL}, "a", true},
    {"authority goes with TC", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "A b.example. NSEC c.example. A", NULL}, "a", true},
    {"the signature lies apart", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "N b.example. A 1.1.1.1", "N c.example. A 1.1.1.1", "N a.example. " SIG("A"), "N b.example. " SIG("A"), NULL}, "", true},
    {"only the last two lie apart", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "N a.example. " SIG("A"), "N b.example. A 1.1.1.1", "N c.example. A 1.1.1.1", "N b.example. " SIG("A"), NULL}, "aa", true},
    {"a set in another section stays", DNS_TYPE_A, false, 1,
     {"N b.example. A 1.1.1.1", "X a.example. A 1.1.1.1", "X b.example. A 1.1.1.1", NULL}, "ba", false},
    {"same owner, another type stays", DNS_TYPE_A, false, 1,
     {"N a.example. A 1.1.1.1", "X b.example. A 1.1.1.1", "X b.example. AAAA ::1", NULL}, "ab", false},
    {"no DNSSEC", DNS_TYPE_A, true, 0,
     {"N a.example. A 1.1.1.1", "N a.example. " SIG("A"), "A b.example. NSEC c.example. A", "A c.example. NSEC3 1 0 0 - 00000000 A",
      "A d.example. DS 1 8 2 AA", "A e.example. SOA a. b. 1 2 3 4 5", NULL}, "ade", false},
    {"no DNSSEC, signatures do not join what is cut", DNS_TYPE_A, true, 1,
     {"N a.example. A 1.1.1.1", "N b.example. A 1.1.1.1", "N a.example. " SIG("A"), NULL}, "a", true},
    {"no DNSSEC, nor do they when they come first", DNS_TYPE_A, true, 1,
     {"N b.example. " SIG("A"), "N a.example. A 1.1.1.1", "N b.example. A 1.1.1.1", NULL}, "a", true},
    {"NSEC was asked for", DNS_TYPE_NSEC, true, 0,
     {"N a.example. NSEC c.example. A", "N a.example. " SIG("NSEC"), NULL}, "a", false},
    {"RRSIG was asked for", DNS_TYPE_RRSIG, true, 0,
     {"N a.example. " SIG("NSEC"), "A b.example. NSEC c.example. A", NULL}, "a", false},
    {"ANY was asked for", DNS_TYPE_ANY, true, 0,
     {"N a.example. A 1.1.1.1", "N a.example. " SIG("A"), "N a.example. NSEC c.example. A", NULL}, "aaa", false},
};
// clang-format on

static void check_copy(const struct copy_case *c, const struct dns_msg *msg)
{
    uint8_t buf[2048];
    char kept[16] = {0};
    struct dns_rr table[16];
    struct dns_msg copy;
    const struct dns_ede ede = {.code = DNS_EDE_STALE, .text = "old"};
    const struct dns_opt_out opt = {.udp_size = 1232, .dnssec_ok = !c->strip, .ede = &ede};
    const struct dns_copy how = {
        .id = 9, .flags = DNS_FLAG_QR | DNS_FLAG_RA, .opt = &opt, .strip_dnssec = c->strip};
    uint32_t whole = dns_msg_copy(msg, &how, buf, sizeof buf);
    assert_true(whole > 0);
    uint32_t len = dns_msg_copy(msg, &how, buf, whole - c->less);
    assert_true(len > 0 && len <= whole - c->less);
    assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &copy), DNS_OK);
    for (uint32_t i = 0; i < copy.rr_count; i++) {
        struct dns_name owner = dns_rr_owner(&copy, &copy.rr[i]);
        kept[i] = (char)owner.wire[1];
    }
    assert_string_equal(kept, c->kept);
    assert_int_equal(copy.id, 9);
    assert_int_equal((copy.flags & DNS_FLAG_TC) != 0, c->truncated);
    assert_true(copy.edns.present);
    struct dns_ede found;
    dns_ede_find(buf, &copy.edns, &found);
    assert_int_equal(found.code, DNS_EDE_STALE);
    assert_string_equal(found.text, "old");
    for (size_t cap = 0; cap < whole; cap++) { /* whatever there is room for, it is a message */
        len = dns_msg_copy(msg, &how, buf, cap);
        assert_true(len <= cap);
        if (len > 0)
            assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &copy), DNS_OK);
    }
}

static void copies_keep_whole_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(copies); i++) {
        uint8_t buf[2048];
        struct dns_rr table[16];
        struct dns_msg msg;
        print_message("%s\n", copies[i].what);
        uint32_t len = build("a.example.", copies[i].qtype, copies[i].in, buf, sizeof buf);
        assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &msg), DNS_OK);
        check_copy(&copies[i], &msg);
    }
}

static void copies_age_and_keep_the_clients_spelling(void **state)
{
    (void)state;
    static const char *const lines[] = {"N www.example. 100 A 1.1.1.1",
                                        "N www.example. 20 A 1.1.1.2", NULL};
    uint8_t in[512];
    uint8_t out[512];
    struct dns_rr table[4];
    struct dns_msg msg;
    uint32_t len = build("www.example.", DNS_TYPE_A, lines, in, sizeof in);
    assert_int_equal(dns_msg_read(in, len, table, COUNT(table), &msg), DNS_OK);
    struct dns_question question = question_of("wWw.eXample.", DNS_TYPE_A);
    const struct dns_copy how = {.flags = DNS_FLAG_QR, .question = &question, .age_s = 30};
    struct dns_rr copied[4];
    struct dns_msg copy;
    len = dns_msg_copy(&msg, &how, out, sizeof out);
    assert_int_equal(dns_msg_read(out, len, copied, COUNT(copied), &copy), DNS_OK);
    assert_memory_equal(copy.question.name.wire, question.name.wire, question.name.len);
    assert_int_equal(copy.rr[0].ttl_s, 70);
    assert_int_equal(copy.rr[1].ttl_s, 0);
    assert_memory_equal(out + copy.rr[1].ttl_off, "\0\0\0\0", 4); /* not below 0 */
    assert_false(copy.edns.present);
}

static void queries_are_padded(void **state)
{
    (void)state;
    uint8_t buf[512];
    struct dns_rr table[1];
    struct dns_msg msg;
    const struct dns_question question = question_of("www.example.", DNS_TYPE_A);
    struct dns_opt_out opt = {.udp_size = 4096, .dnssec_ok = true, .pad_to = 128};
    uint32_t len = dns_query_write(buf, sizeof buf, 0, &question, DNS_FLAG_CD, &opt);
    assert_int_equal(len, 128);
    assert_int_equal(dns_msg_read(buf, len, table, COUNT(table), &msg), DNS_OK);
    assert_int_equal(msg.flags, DNS_FLAG_RD | DNS_FLAG_CD);
    assert_true(msg.edns.dnssec_ok);
    assert_int_equal(dns_query_write(buf, 100, 0, &question, 0, &opt), 100); /* as far as it goes */
    opt.pad_to = 0;
    len = dns_query_write(buf, sizeof buf, 0, &question, 0, &opt);
    assert_int_equal(len, 12 + 17 + dns_opt_len(&opt));
    assert_int_equal(dns_query_write(buf, len, 0, &question, 0, &opt), len);
    assert_int_equal(dns_query_write(buf, len - 1, 0, &question, 0, &opt), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read),
        cmocka_unit_test(the_view_tells_what_is_there),
        cmocka_unit_test(counts_are_bounded),
        cmocka_unit_test(names_are_compressed),
        cmocka_unit_test(many_names_survive),
        cmocka_unit_test(far_names_are_not_pointed_to),
        cmocka_unit_test(a_mark_goes_back),
        cmocka_unit_test(malformed_rdata_is_not_written),
        cmocka_unit_test(copies_keep_whole_sets),
        cmocka_unit_test(copies_age_and_keep_the_clients_spelling),
        cmocka_unit_test(queries_are_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
