// SPDX-License-Identifier: MIT
// Denial by NSEC3: the examples of RFC 5155 B, then each proof with and without each of its
// records.
#include "tests/test.h"
#include "tests/unit/validate_records.h"
#include "validate/denial.h"

#define SETS_MAX 40
#define HASH_LEN 20

enum question { NODATA, NXDOMAIN, WILDCARD, NO_DS };

static const struct val_policy policy = {.nsec3_insecure_above = 50, .nsec3_bogus_above = 500};

struct denial_case {
    const char *what;
    enum question question;
    const char *qname;
    uint16_t qtype; /* NODATA; labels of the encloser for WILDCARD */
    int want;       /* enum val_proof, or enum val_no_ds for NO_DS */
    /* One record a line: "match NAME TYPE…" is the NSEC3 of NAME; "cover NAME" and "optout NAME"
     * one whose gap holds just the hash of NAME, without and with the opt-out flag. */
    const char *records;
};

#define YES VAL_PROOF_SECURE
#define NO VAL_PROOF_NONE
#define APEX "match example. NS SOA RRSIG DNSKEY NSEC3PARAM\n"

// clang-format off
static const struct denial_case cases[] = {
    /* NODATA: RFC 5155 8.5 to 8.7 */
    {"the type is not there", NODATA, "a.example.", DNS_TYPE_MX, YES, "match a.example. A RRSIG\n"},
    {"owner in another case", NODATA, "A.eXample.", DNS_TYPE_MX, YES, "match a.example. A RRSIG\n"},
    {"the type is there", NODATA, "a.example.", DNS_TYPE_A, NO, "match a.example. A RRSIG\n"},
    {"a CNAME is there", NODATA, "a.example.", DNS_TYPE_A, NO, "match a.example. CNAME RRSIG\n"},
    {"non-terminal", NODATA, "a.example.", DNS_TYPE_A, YES, "match a.example.\n"},
    {"of another name", NODATA, "a.example.", DNS_TYPE_MX, NO, "match b.example. A RRSIG\n"},
    {"parent side of a cut", NODATA, "a.example.", DNS_TYPE_A, NO, "match a.example. NS\n"},
    {"parent side, DS", NODATA, "a.example.", DNS_TYPE_DS, YES, "match a.example. NS\n"},
    {"child side, DS", NODATA, "example.", DNS_TYPE_DS, NO, APEX},
    {"ANY with nothing", NODATA, "a.example.", DNS_TYPE_ANY, YES, "match a.example. RRSIG\n"},
    {"ANY with something", NODATA, "a.example.", DNS_TYPE_ANY, NO, "match a.example. A RRSIG\n"},
    {"DS behind opt-out", NODATA, "a.example.", DNS_TYPE_DS, VAL_PROOF_OPT_OUT, APEX "optout a.example.\n"},
    {"empty, behind opt-out", NODATA, "b.a.example.", DNS_TYPE_MX, VAL_PROOF_OPT_OUT, APEX "optout a.example.\n"},
    {"compact denial", NODATA, "a.example.", DNS_TYPE_MX, YES, "match a.example. RRSIG NXNAME\n"},
    {"DS behind a gap without it", NODATA, "a.example.", DNS_TYPE_DS, NO, APEX "cover a.example.\n"},
    {"DS behind opt-out, no encloser", NODATA, "a.example.", DNS_TYPE_DS, NO, "optout a.example.\n"},
    {"wildcard", NODATA, "a.example.", DNS_TYPE_MX, YES, APEX "cover a.example.\nmatch *.example. A RRSIG\n"},
    {"wildcard with the type", NODATA, "a.example.", DNS_TYPE_A, NO, APEX "cover a.example.\nmatch *.example. A RRSIG\n"},
    {"wildcard with a CNAME", NODATA, "a.example.", DNS_TYPE_A, NO, APEX "cover a.example.\nmatch *.example. CNAME RRSIG\n"},
    {"wildcard, no encloser", NODATA, "a.example.", DNS_TYPE_MX, NO, "cover a.example.\nmatch *.example. A RRSIG\n"},
    {"wildcard, no gap", NODATA, "a.example.", DNS_TYPE_MX, NO, APEX "match *.example. A RRSIG\n"},
    {"wildcard missing", NODATA, "a.example.", DNS_TYPE_MX, NO, APEX "cover a.example.\n"},
    {"wildcard of another encloser", NODATA, "b.a.example.", DNS_TYPE_MX, NO,
     "match a.example. A RRSIG\ncover b.a.example.\nmatch *.example. A RRSIG\n"},
    {"wildcard behind opt-out", NODATA, "a.example.", DNS_TYPE_MX, VAL_PROOF_OPT_OUT,
     APEX "optout a.example.\nmatch *.example. A RRSIG\n"},

    /* NXDOMAIN: 8.4 */
    {"all three", NXDOMAIN, "a.example.", 0, YES, APEX "cover a.example.\ncover *.example.\n"},
    {"no encloser", NXDOMAIN, "a.example.", 0, NO, "cover a.example.\ncover *.example.\n"},
    {"no gap", NXDOMAIN, "a.example.", 0, NO, APEX "cover *.example.\n"},
    {"wildcard not denied", NXDOMAIN, "a.example.", 0, NO, APEX "cover a.example.\n"},
    {"wildcard exists", NXDOMAIN, "a.example.", 0, NO, APEX "cover a.example.\nmatch *.example. A RRSIG\n"},
    {"opt-out", NXDOMAIN, "a.example.", 0, VAL_PROOF_OPT_OUT, APEX "optout a.example.\ncover *.example.\n"},
    {"the name itself exists", NXDOMAIN, "a.example.", 0, NO, APEX "match a.example.\ncover *.example.\n"},
    {"deep", NXDOMAIN, "d.c.b.a.example.", 0, YES, "match b.a.example.\ncover c.b.a.example.\ncover *.b.a.example.\n"},
    {"deep: qname covered, the next closer name not", NXDOMAIN, "d.c.b.a.example.", 0, NO,
     "match b.a.example.\ncover d.c.b.a.example.\ncover *.b.a.example.\n"},
    {"encloser is a cut", NXDOMAIN, "b.a.example.", 0, NO, "match a.example. NS\ncover b.a.example.\ncover *.a.example.\n"},
    {"encloser is a signed cut", NXDOMAIN, "b.a.example.", 0, NO, "match a.example. NS DS RRSIG\ncover b.a.example.\ncover *.a.example.\n"},
    {"encloser is a DNAME", NXDOMAIN, "b.a.example.", 0, NO, "match a.example. DNAME RRSIG\ncover b.a.example.\ncover *.a.example.\n"},
    {"outside the zone", NXDOMAIN, "a.test.", 0, NO, APEX "cover a.test.\ncover *.test.\n"},

    {"compact denial, rcode restored", NXDOMAIN, "a.example.", 0, YES, "match a.example. RRSIG NXNAME\n"},
    {"compact denial of a non-terminal", NXDOMAIN, "a.example.", 0, NO, "match a.example. RRSIG\n"},
    {"compact denial, with something there", NXDOMAIN, "a.example.", 0, NO, "match a.example. A RRSIG NXNAME\n"},

    /* answers from a wildcard: 8.8 */
    {"nothing closer", WILDCARD, "a.example.", 1, YES, "cover a.example.\n"},
    {"nothing closer, deep", WILDCARD, "c.b.a.example.", 1, YES, "cover a.example.\n"},
    {"qname instead of the next closer name", WILDCARD, "c.b.a.example.", 1, NO, "cover c.b.a.example.\n"},
    {"opt-out wildcard", WILDCARD, "a.example.", 1, VAL_PROOF_OPT_OUT, "optout a.example.\n"},
    {"no record for it", WILDCARD, "a.example.", 1, NO, APEX},
    {"labels that are no expansion", WILDCARD, "a.example.", 2, NO, "cover a.example.\n"},
    {"labels above the zone", WILDCARD, "a.example.", 0, NO, "cover example.\n"},

    /* no DS: 8.6, 8.9 */
    {"insecure cut", NO_DS, "a.example.", 0, VAL_NO_DS_CUT, "match a.example. NS\n"},
    {"secure cut", NO_DS, "a.example.", 0, VAL_NO_DS_UNPROVEN, "match a.example. NS DS RRSIG\n"},
    {"the child answered", NO_DS, "a.example.", 0, VAL_NO_DS_WRONG_SIDE, "match a.example. NS SOA RRSIG\n"},
    {"no cut", NO_DS, "a.example.", 0, VAL_NO_DS_NOT_A_CUT, "match a.example. A RRSIG\n"},
    {"non-terminal", NO_DS, "a.example.", 0, VAL_NO_DS_NOT_A_CUT, "match a.example.\n"},
    {"opt-out cut", NO_DS, "a.example.", 0, VAL_NO_DS_OPT_OUT, APEX "optout a.example.\n"},
    {"opt-out, below", NO_DS, "b.a.example.", 0, VAL_NO_DS_OPT_OUT, APEX "optout a.example.\n"},
    {"opt-out, no encloser", NO_DS, "a.example.", 0, VAL_NO_DS_UNPROVEN, "optout a.example.\n"},
    {"opt-out, encloser is a cut", NO_DS, "b.a.example.", 0, VAL_NO_DS_UNPROVEN, "match a.example. NS DS RRSIG\noptout b.a.example.\n"},
    {"does not exist", NO_DS, "a.example.", 0, VAL_NO_DS_NOT_A_CUT, APEX "cover a.example.\n"},
    {"nothing at all", NO_DS, "a.example.", 0, VAL_NO_DS_UNPROVEN, APEX},
};
// clang-format on

static void step(uint8_t hash[HASH_LEN], int by)
{
    hash[HASH_LEN - 1] = (uint8_t)(hash[HASH_LEN - 1] + by); /* wraps once in 256 names */
    if (by > 0 && hash[HASH_LEN - 1] == 0)
        hash[HASH_LEN - 2]++;
    if (by < 0 && hash[HASH_LEN - 1] == UINT8_MAX)
        hash[HASH_LEN - 2]--;
}

/* "match NAME TYPES" and so on, as a record in zone-file form with these parameters. */
static void put_record(char *text, size_t cap, const char *spec, unsigned iterations,
                       const char *salt)
{
    char kind[8], name_text[256], owner[64], next[64];
    uint8_t hash[HASH_LEN], salt_octets[255];
    int used = 0;
    assert_int_equal(sscanf(spec, "%7s %255s%n", kind, name_text, &used), 2);
    struct dns_name name = name_of(name_text);
    struct dns_writer w = dns_writer_init(salt_octets, sizeof(salt_octets));
    if (strcmp(salt, "-") != 0)
        assert_int_equal(dns_hex_read(salt, &w), DNS_OK);
    struct val_limits limits = val_limits_default;
    limits.sha1_blocks = UINT32_MAX;
    struct val_budget budget = val_budget_init(&limits);
    const struct dns_nsec3 params = {.hash_algorithm = 1,
                                     .iterations = (uint16_t)iterations,
                                     .salt = salt_octets,
                                     .salt_len = w.off};
    assert_true(val_nsec3_hash(&name, &params, &budget, hash));
    if (strcmp(kind, "match") != 0)
        step(hash, -1);
    dns_base32hex_text(hash, sizeof(hash), owner, sizeof(owner));
    step(hash, strcmp(kind, "match") == 0 ? 1 : 2);
    dns_base32hex_text(hash, sizeof(hash), next, sizeof(next));
    (void)snprintf(text, cap, "%s.example. NSEC3 1 %d %u %s %s%s", owner,
                   strcmp(kind, "optout") == 0, iterations, salt, next, spec + used);
}

static struct records records_of(const char *specs, unsigned iterations, const char *salt)
{
    static char text[1u << 14];
    char *copy = strdup(specs), *rest = copy;
    size_t len = 0;
    for (char *line = strsep(&rest, "\n"); line && line[0]; line = strsep(&rest, "\n")) {
        put_record(text + len, sizeof(text) - len, line, iterations, salt);
        len += strlen(text + len);
        text[len++] = '\n';
        text[len] = '\0';
    }
    free(copy);
    return records_from_text(text);
}

static int ask(const struct denial_case *c, const struct val_denial *d)
{
    struct dns_name qname = name_of(c->qname);
    switch (c->question) {
    case NODATA: return (int)val_prove_nodata(d, &qname, c->qtype);
    case NXDOMAIN: return (int)val_prove_nxdomain(d, &qname);
    case WILDCARD: return (int)val_prove_wildcard(d, &qname, c->qtype);
    case NO_DS: return (int)val_prove_no_ds(d, &qname);
    }
    return -1;
}

/* Forwards and backwards: the order of the records is the sender's. */
static int ask_records(const struct denial_case *c, const struct records *records,
                       struct val_budget *budget)
{
    const struct dns_name zone = name_of("example.");
    const struct val_rrset *sets[SETS_MAX];
    uint32_t count = records->sets.count;
    assert_true(count <= SETS_MAX);
    const struct val_denial d = {&zone, sets, count, &policy, budget};
    for (uint32_t j = 0; j < count; j++)
        sets[j] = &records->sets.set[count - 1 - j];
    int backwards = ask(c, &d);
    for (uint32_t j = 0; j < count; j++)
        sets[j] = &records->sets.set[j];
    int forwards = ask(c, &d);
    assert_int_equal(forwards, backwards);
    return forwards;
}

static void test_cases(void **state)
{
    (void)state;
    static const char *const salts[] = {"-", "aabbccdd"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        for (size_t j = 0; j < COUNT(salts); j++) {
            struct val_budget budget = val_budget_init(&val_limits_default);
            struct records records = records_of(cases[i].records, (unsigned)j * 5, salts[j]);
            assert_int_equal(ask_records(&cases[i], &records, &budget), cases[i].want);
            records_free(&records);
        }
    }
}

/* RFC 5155 appendix A. */
static void test_hashes(void **state)
{
    static const struct {
        const char *name, *hash;
    } hashes[] = {
        {"example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
        {"a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
        {"Ai.Example.", "gjeqe526plbf1g8mklp59enfd789njgi"},
        {"ns1.example.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
        {"ns2.example.", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
        {"w.example.", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
        {"*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
        {"x.w.example.", "b4um86eghhds6nea196smvmlo4ors995"},
        {"y.w.example.", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
        {"x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s"},
        {"xx.example.", "t644ebqk9bibcna874givr6joj62mlhv"},
        {"2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi"},
    };
    (void)state;
    static const uint8_t salt[] = {0xaa, 0xbb, 0xcc, 0xdd};
    struct dns_nsec3 params = {
        .hash_algorithm = 1, .iterations = 12, .salt = salt, .salt_len = sizeof(salt)};
    for (size_t i = 0; i < COUNT(hashes); i++) {
        uint8_t hash[HASH_LEN], want[HASH_LEN];
        struct dns_name name = name_of(hashes[i].name);
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct dns_writer w = dns_writer_init(want, sizeof(want));
        print_message("%s\n", hashes[i].name);
        assert_int_equal(dns_base32hex_read(hashes[i].hash, 32, &w), DNS_OK);
        assert_true(val_nsec3_hash(&name, &params, &budget, hash));
        assert_memory_equal(hash, want, sizeof(hash));
        assert_int_equal(budget.sha1_blocks, 1024 - 13);
    }
}

/* RFC 5155 appendix B, from its own zone. */
static const struct denial_case published[] = {
    {"B.1 name error", NXDOMAIN, "a.c.x.w.example.", 0, VAL_PROOF_OPT_OUT, NULL},
    {"B.2 no data", NODATA, "ns1.example.", DNS_TYPE_MX, YES, NULL},
    {"B.2.1 non-terminal", NODATA, "w.example.", DNS_TYPE_A, YES, NULL},
    {"B.3 opt-out unsigned zone", NO_DS, "c.example.", 0, VAL_NO_DS_OPT_OUT, NULL},
    {"B.4 wildcard", WILDCARD, "a.z.w.example.", 2, VAL_PROOF_OPT_OUT, NULL},
    {"B.5 wildcard no data", NODATA, "a.z.w.example.", DNS_TYPE_AAAA, VAL_PROOF_OPT_OUT, NULL},
    {"B.6 DS at the child", NODATA, "example.", DNS_TYPE_DS, NO, NULL},
};

static void test_published(void **state)
{
    (void)state;
    struct records records = records_from_file("rfc5155.zone");
    for (size_t i = 0; i < COUNT(published); i++) {
        struct val_budget budget = val_budget_init(&val_limits_default);
        print_message("%s\n", published[i].what);
        assert_int_equal(ask_records(&published[i], &records, &budget), published[i].want);
    }
    records_free(&records);
}

/* Records that must be overlooked; each would otherwise prove the NODATA. */
static void test_overlooked(void **state)
{
    (void)state;
    static const struct denial_case c = {"", NODATA, "a.example.", DNS_TYPE_MX, 0, NULL};
    static const struct {
        const char *what;
        uint32_t at; /* octet of RDATA to change */
        uint8_t value;
    } changes[] = {
        {"unknown hash algorithm", 0, 2},
        {"unknown flag", 1, 2},
        {"hash of 19 octets", 9, 19},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct records records = records_of("match a.example. A RRSIG\n", 0, "aabbccdd");
        assert_int_equal(ask_records(&c, &records, &budget), YES);
        uint8_t *rdata = (uint8_t *)(uintptr_t)records.sets.set[0].rr[0].data;
        rdata[changes[i].at] = changes[i].value;
        print_message("%s\n", changes[i].what);
        assert_int_equal(ask_records(&c, &records, &budget), NO);
        records_free(&records);
    }
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct records records = records_of("match a.example. A RRSIG\n", 0, "-");
    struct dns_name *owner = &records.sets.set[0].owner, below = name_of("x.example."), deeper;
    assert_int_equal(dns_name_prepend(owner->wire + 1, owner->wire[0], &below, &deeper), DNS_OK);
    *owner = deeper; /* not hash.zone */
    assert_int_equal(ask_records(&c, &records, &budget), NO);
    records_free(&records);
}

/* All records of a proof are of one chain: the last one would do but for a changed octet. */
static void test_mixed(void **state)
{
    (void)state;
    static const struct denial_case c = {"", NXDOMAIN, "a.example.", 0, 0, NULL};
    static const struct {
        const char *what;
        uint32_t at; /* octet of RDATA */
        uint8_t value;
        int want;
    } second[] = {
        {"the same", 0, 1, YES},
        {"iterations", 3, 4, NO},
        {"salt", 5, 0xab, NO},
    };
    for (size_t i = 0; i < COUNT(second); i++) {
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct records records = records_of(APEX "cover a.example.\ncover *.example.\n", 3, "aa");
        uint8_t *rdata = (uint8_t *)(uintptr_t)records.sets.set[2].rr[0].data;
        rdata[second[i].at] = second[i].value;
        print_message("%s\n", second[i].what);
        assert_int_equal(ask_records(&c, &records, &budget), second[i].want);
        records_free(&records);
    }
}

/* RFC 9276 3.2. */
static void test_iterations(void **state)
{
    (void)state;
    static const struct denial_case c = {"", NODATA, "a.example.", DNS_TYPE_MX, 0, NULL};
    static const struct denial_case ds = {"", NO_DS, "a.example.", 0, 0, NULL};
    static const struct {
        unsigned iterations;
        int nodata, no_ds;
    } rows[] = {
        {0, YES, VAL_NO_DS_NOT_A_CUT},
        {50, YES, VAL_NO_DS_NOT_A_CUT},
        {51, VAL_PROOF_ITERATIONS, VAL_NO_DS_ITERATIONS},
        {500, VAL_PROOF_ITERATIONS, VAL_NO_DS_ITERATIONS},
        {501, VAL_PROOF_REFUSED, VAL_NO_DS_REFUSED},
        {65535, VAL_PROOF_REFUSED, VAL_NO_DS_REFUSED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct val_budget budget = val_budget_init(&val_limits_default);
        struct records records = records_of("match a.example. A RRSIG\n", rows[i].iterations, "-");
        print_message("%u\n", rows[i].iterations);
        assert_int_equal(ask_records(&c, &records, &budget), rows[i].nodata);
        assert_int_equal(ask_records(&ds, &records, &budget), rows[i].no_ds);
        if (rows[i].iterations > 50)
            assert_int_equal(budget.sha1_blocks, val_limits_default.sha1_blocks);
        records_free(&records);
    }
}

/* CVE-2023-50868: what a name of 126 labels costs is what of it exists. */
static void test_costs(void **state)
{
    (void)state;
    char deep[2 * 125 + sizeof("a.example.")] = "";
    for (size_t i = 0; i < 122; i++)
        memcpy(deep + 2 * i, "x.", 2);
    memcpy(deep + 2 * 122, "a.example.", sizeof("a.example."));
    const struct denial_case c = {"", NXDOMAIN, deep, 0, 0, NULL};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct records records = records_of(APEX "cover a.example.\ncover *.example.\n", 50, "aabb");
    const struct dns_name zone = name_of("example.");
    const struct val_rrset *sets[3];
    for (uint32_t i = 0; i < 3; i++)
        sets[i] = &records.sets.set[i];
    struct val_denial d = {&zone, sets, 3, &policy, &budget};
    assert_int_equal(ask(&c, &d), YES);
    assert_int_equal(budget.sha1_blocks, 1024 - 3 * 51); /* the apex, a.example., *.example. */

    budget.sha1_blocks = 3 * 51 - 1;
    assert_int_equal(ask(&c, &d), VAL_PROOF_BUDGET);
    budget.sha1_blocks = 0;
    struct dns_name a = name_of("a.example.");
    assert_int_equal(val_prove_no_ds(&d, &a), VAL_NO_DS_BUDGET);
    records_free(&records);
}

static void test_too_many(void **state)
{
    (void)state;
    static const struct denial_case c = {"", NODATA, "a.example.", DNS_TYPE_MX, 0, NULL};
    struct val_budget budget = val_budget_init(&val_limits_default);
    struct records one = records_of("match a.example. A RRSIG\n", 0, "-");
    struct val_rrset sets[9];
    for (size_t i = 0; i < COUNT(sets); i++)
        sets[i] = one.sets.set[0];
    struct records records = {NULL, {sets, COUNT(sets)}};
    assert_int_equal(ask_records(&c, &records, &budget), VAL_PROOF_BUDGET);
    records.sets.count--;
    assert_int_equal(ask_records(&c, &records, &budget), YES);
    records_free(&one);
}

/* The last gap goes round the end; a lone record's everywhere but its owner. */
static void test_circle(void **state)
{
    (void)state;
    static const struct denial_case c = {"", WILDCARD, "a.example.", 1, 0, NULL};
    /* a.example. hashes to 35mt… under the parameters of RFC 5155 */
    static const struct {
        const char *owner, *next;
        int want;
    } rows[] = {
        {"30000000000000000000000000000000", "40000000000000000000000000000000", YES},
        {"40000000000000000000000000000000", "50000000000000000000000000000000", NO},
        {"v0000000000000000000000000000000", "40000000000000000000000000000000", YES},
        {"30000000000000000000000000000000", "20000000000000000000000000000000", YES},
        {"40000000000000000000000000000000", "30000000000000000000000000000000", NO},
        {"40000000000000000000000000000000", "40000000000000000000000000000000", YES},
        {"35mthgpgcu1qg68fab165klnsnk3dpvl", "35mthgpgcu1qg68fab165klnsnk3dpvl", NO},
        {"20000000000000000000000000000000", "35mthgpgcu1qg68fab165klnsnk3dpvl", NO},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        struct val_budget budget = val_budget_init(&val_limits_default);
        (void)snprintf(text, sizeof(text), "%s.example. NSEC3 1 0 12 aabbccdd %s A RRSIG",
                       rows[i].owner, rows[i].next);
        print_message("%s\n", text);
        struct records records = records_from_text(text);
        assert_int_equal(ask_records(&c, &records, &budget), rows[i].want);
        records_free(&records);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes), cmocka_unit_test(test_published),
        cmocka_unit_test(test_cases),  cmocka_unit_test(test_overlooked),
        cmocka_unit_test(test_mixed),  cmocka_unit_test(test_iterations),
        cmocka_unit_test(test_costs),  cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_circle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
