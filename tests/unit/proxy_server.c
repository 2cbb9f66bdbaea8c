// SPDX-License-Identifier: MIT
/* The server between a listener and a resolver that are made up: the functions of this
 * page's first part stand in for the real ones. */
#include "proxy/tally.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* --- what stands in -------------------------------------------------------------------------- */

static struct fake {
    uint8_t sent[DNS_MSG_MAX]; /* the last answer */
    uint32_t sent_len, answers, drops;
    uint8_t *room; /* that the listener has: of room_cap octets, or up to room_most on demand */
    uint32_t room_cap, room_most;
    uint32_t reserves, copies, commits;
    struct listener_client to;
    uint64_t bogus;
    uint32_t upstreams, failing; /* the first of them */
    char upstream_name[DOH_UPSTREAMS_MAX][16];
    bool full, hit; /* the resolver takes no more; the cache has it */
    struct cache_hit found;
    uint8_t wire[4096]; /* what it finds or answers */
    uint32_t wire_len;
    uint32_t asked;
    struct resolver_question question;
    struct dns_question name;
    resolver_done_fn *done;
    void *done_arg;
    struct cache_key key;
    const struct val_anchors *anchors;
    struct doh_upstream_status upstream; /* what each of them is but its name and error */
    uint32_t for_routes;                 /* of them, the last ones */
    uint32_t tries;
} fake;

void listener_answer(const struct listener_client *client, const uint8_t *wire, uint32_t len)
{
    memcpy(fake.sent, wire, len);
    fake.sent_len = len;
    fake.to = *client;
    fake.answers++;
}

/* An allocation of its own, so that what is written behind it is seen. */
uint8_t *listener_reserve(const struct listener_client *client, uint32_t least, uint32_t *ret_cap)
{
    (void)client;
    fake.reserves++;
    free(fake.room);
    fake.room = NULL;
    if (least > fake.room_most)
        return NULL;
    *ret_cap = least > fake.room_cap ? least : fake.room_cap;
    fake.room = malloc(*ret_cap);
    assert_non_null(fake.room);
    return fake.room;
}

void listener_commit(const struct listener_client *client, uint32_t len)
{
    assert_non_null(fake.room);
    fake.commits++;
    listener_answer(client, fake.room, len);
    free(fake.room);
    fake.room = NULL;
}

void listener_drop(const struct listener_client *client)
{
    (void)client;
    fake.drops++;
}

struct resolver_ask *resolver_ask(struct resolver *resolver, const struct resolver_question *q,
                                  resolver_done_fn *done, void *arg)
{
    (void)resolver;
    if (fake.full)
        return NULL;
    fake.asked++;
    fake.question = *q;
    fake.name = *q->question;
    fake.done = done;
    fake.done_arg = arg;
    return (struct resolver_ask *)&fake;
}

void resolver_try(struct resolver *resolver)
{
    (void)resolver;
    fake.tries++;
}

const struct val_anchors *resolver_anchors(struct resolver *resolver)
{
    (void)resolver;
    return fake.anchors;
}

bool resolver_hit(struct resolver *resolver, const struct cache_key *key,
                  const struct cache_bytes_key *place, struct cache_now at, uint8_t *buf,
                  uint32_t cap, struct cache_hit *ret)
{
    (void)resolver;
    assert_int_equal(place->hash, key->question->type);
    assert_int_equal(at.mono_ms, 5000);
    fake.key = *key;
    ret->len = fake.hit ? fake.wire_len : 0;
    if (!fake.hit || fake.wire_len > cap)
        return false;
    memcpy(buf, fake.wire, fake.wire_len);
    *ret = fake.found;
    ret->len = fake.wire_len;
    fake.copies++;
    return true;
}

void resolver_stats(const struct resolver *resolver, struct resolver_stats *ret)
{
    (void)resolver;
    *ret = (struct resolver_stats){.bogus = 7 + fake.bogus};
}

void cache_answer_seek(struct cache *cache, const struct cache_key *key,
                       struct cache_bytes_key *ret)
{
    (void)cache;
    ret->hash = key->question->type;
}

void cache_answer_expect(struct cache *cache, const struct cache_bytes_key *key)
{
    (void)cache;
    (void)key;
}

struct cache_stats cache_stats(struct cache *cache)
{
    (void)cache;
    return (struct cache_stats){.answers = 5};
}

uint32_t doh_pool_status(const struct doh_pool *pool, struct doh_upstream_status *ret, uint32_t cap)
{
    (void)pool;
    assert_true(cap > 0);
    uint32_t count = fake.upstreams < cap ? fake.upstreams : cap;
    for (uint32_t i = 0; i < count; i++) {
        ret[i] = fake.upstream;
        ret[i].name = fake.upstream_name[i];
        ret[i].rtt_ms = 12;
        ret[i].route_only = i >= count - fake.for_routes;
        (void)snprintf(fake.upstream_name[i], sizeof fake.upstream_name[i], "up%u", i);
        if (i < fake.failing)
            (void)snprintf(ret[i].last_error, sizeof ret[i].last_error, "it is silent");
    }
    return count;
}

uint32_t doh_route_find(const struct doh_config *config, const struct dns_name *name)
{
    (void)config;
    (void)name;
    return DOH_ROUTE_DEFAULT;
}

uint32_t doh_route_of(const struct doh_config *config, const struct dns_question *question)
{
    return doh_route_find(config, &question->name);
}

static struct cache_now now(void *arg)
{
    (void)arg;
    return (struct cache_now){.mono_ms = 5000, .wall_s = 1700000000};
}

/* --- a server with it ------------------------------------------------------------------------ */

struct world {
    struct config config;
    struct config_network loopback;
    struct log log;
    bool clock_wrong;
    struct tally *tally;
    struct server *server;
    struct listener_client client;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    memset(&fake, 0, sizeof fake);
    fake.upstreams = 1;
    fake.upstream = (struct doh_upstream_status){.connected = true, .answers = 9};
    fake.room_cap = 4096;
    fake.room_most = DNS_MSG_MAX;
    w->loopback = (struct config_network){.address = {[10] = 0xff, 0xff, 127}, .bits = 104};
    w->config = (struct config){.allow = &w->loopback,
                                .allow_count = 1,
                                .anchors = val_anchors_new(),
                                .udp_size = 1232,
                                .workers = 3,
                                .tcp_idle_ms = 10000};
    assert_true(log_init(&w->log, -1, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT));
    w->tally = tally_new(w->config.workers);
    struct server_parts parts = {.config = &w->config,
                                 .clock = {.now = now},
                                 .log = &w->log,
                                 .clock_wrong = &w->clock_wrong,
                                 .worker = 2,
                                 .tally = w->tally};
    fake.anchors = w->config.anchors;
    assert_non_null(w->tally);
    w->server = server_new(&parts);
    assert_non_null(w->server);
    w->client.here = true;
    w->client.connection = 42;
    w->client.peer.sa.v4 =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    server_free(w->server);
    tally_free(w->tally);
    log_deinit(&w->log);
    val_anchors_free(w->config.anchors);
    free(fake.room);
    free(w);
    return 0;
}

static struct dns_question question_of(const char *name, uint16_t type, uint16_t class_)
{
    struct dns_question q = {.type = type, .class_ = class_};
    assert_int_equal(dns_name_parse(name, &q.name), DNS_OK);
    return q;
}

static uint32_t write_query(uint8_t buf[static 512], const char *name, uint16_t type,
                            uint16_t class_, uint16_t flags, bool dnssec_ok)
{
    struct dns_question q = question_of(name, type, class_);
    struct dns_opt_out opt = {.udp_size = 4096, .dnssec_ok = dnssec_ok};
    uint32_t len = dns_query_write(buf, 512, 0x1234, &q, flags, &opt);
    assert_int_not_equal(len, 0);
    return len;
}

static struct dns_rr table[DNS_RR_MAX];

static struct dns_msg sent(void)
{
    struct dns_msg msg;
    assert_int_equal(dns_msg_read(fake.sent, fake.sent_len, table, DNS_RR_MAX, &msg), DNS_OK);
    return msg;
}

static uint16_t sent_ede(void)
{
    struct dns_msg msg = sent();
    struct dns_ede ede;
    dns_ede_find(fake.sent, &msg.edns, &ede);
    return ede.code;
}

static void tell(struct world *w, const uint8_t *wire, uint32_t len)
{
    const struct listener_query query = {w->client, wire, len};
    server_on_queries(w->server, &query, 1);
}

static void ask(struct world *w, const char *name, uint16_t type)
{
    uint8_t query[512];
    uint32_t len = write_query(query, name, type, DNS_CLASS_IN, 0, false);
    tell(w, query, len);
}

/* www.example. A with `count` addresses and an RRSIG, in DO form. */
static void make_wire(unsigned count)
{
    static const uint8_t rrsig[] = {0, 1, 13, 2, 0, 0, 1, 44, 0, 0, 0, 9, 0, 0, 0, 1, 0, 7, 0, 1};
    struct dns_question q = question_of("www.example.", DNS_TYPE_A, DNS_CLASS_IN);
    struct dns_msg_out out;
    dns_msg_out_init(&out, fake.wire, sizeof fake.wire, 0, DNS_FLAG_QR);
    dns_msg_out_question(&out, &q);
    for (unsigned i = 0; i < count; i++)
        dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_A, DNS_CLASS_IN, 60,
                       &(uint8_t[]){192, 0, 2, (uint8_t)i}, 4);
    dns_msg_out_rr(&out, DNS_ANSWER, &q.name, DNS_TYPE_RRSIG, DNS_CLASS_IN, 60, rrsig,
                   sizeof rrsig);
    fake.wire_len = dns_msg_out_finish(&out);
    assert_int_not_equal(fake.wire_len, 0);
}

/* --- what is no question --------------------------------------------------------------------- */

struct raw_case {
    const char *what;
    uint8_t wire[64];
    uint32_t len;
    bool answered;
    uint16_t rcode;
    uint16_t flags; /* expected, without rcode */
};

#define NAME_A 1, 'a', 0, 0, 1, 0, 1
// clang-format off
static const struct raw_case raws[] = {
    {"eleven octets", HEX(1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0), false, 0, 0},
    {"a response", HEX(1, 2, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, NAME_A), false, 0, 0},
    {"no question", HEX(1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), true, 1, 0x8180},
    {"two questions", HEX(1, 2, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, NAME_A, NAME_A), true, 1, 0x8180},
    {"cut", HEX(1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a'), true, 1, 0x8180},
    {"trailing octets", HEX(1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, NAME_A, 9), true, 1, 0x8080},
    {"IQUERY", HEX(1, 2, 0x08, 0, 0, 1, 0, 0, 0, 0, 0, 0, NAME_A), true, 4, 0x8880},
    {"NOTIFY", HEX(1, 2, 0x24, 0, 0, 1, 0, 0, 0, 0, 0, 0, NAME_A), true, 4, 0xa080},
    {"UPDATE that is cut", HEX(1, 2, 0x28, 0, 0, 1, 0, 9, 0, 0, 0, 0), true, 4, 0xa880},
    {"an OPT of a later version",
     HEX(1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, NAME_A, 0, 0, 41, 4, 0, 0, 1, 0, 0, 0, 0), true, 16, 0x8080},
    {"two OPTs",
     HEX(1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, NAME_A, 0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0,
         0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0), true, 1, 0x8080},
};
// clang-format on

static void test_raw(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(raws); i++) {
        const struct raw_case *c = &raws[i];
        fake.answers = fake.drops = 0;
        print_message("%s\n", c->what);
        tell(w, c->wire, c->len);
        assert_int_equal(fake.answers, c->answered);
        assert_int_equal(fake.drops, !c->answered);
        if (!c->answered)
            continue;
        struct dns_msg msg = sent();
        assert_int_equal(msg.id, 0x0102);
        assert_int_equal(msg.rcode, c->rcode);
        assert_int_equal(msg.flags & 0xfff0, c->flags);
    }
    assert_int_equal(fake.asked, 0);
}

/* --- questions that are turned away ---------------------------------------------------------- */

struct away_case {
    const char *name;
    uint16_t type, class_, rcode, ede;
};

static const struct away_case aways[] = {
    {"a.", DNS_TYPE_NXNAME, DNS_CLASS_IN, DNS_RCODE_FORMERR, DNS_EDE_INVALID_QTYPE},
    {"a.", DNS_TYPE_OPT, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", DNS_TYPE_AXFR, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", DNS_TYPE_IXFR, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", DNS_TYPE_TSIG, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", 249, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", 253, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"a.", 254, DNS_CLASS_IN, DNS_RCODE_NOTIMP, DNS_EDE_NONE},
    {"version.bind.", DNS_TYPE_TXT, DNS_CLASS_CH, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED},
    {"health.veridoh.", DNS_TYPE_A, DNS_CLASS_CH, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED},
    {"a.", DNS_TYPE_A, DNS_CLASS_ANY, DNS_RCODE_REFUSED, DNS_EDE_NOT_SUPPORTED},
    {"x.invalid.", DNS_TYPE_DS, DNS_CLASS_IN, DNS_RCODE_NXDOMAIN, DNS_EDE_NONE},
};

static void test_turned_away(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(aways); i++) {
        uint8_t query[512];
        const struct away_case *c = &aways[i];
        print_message("%s %u %u\n", c->name, c->type, c->class_);
        uint32_t len = write_query(query, c->name, c->type, c->class_, 0, false);
        tell(w, query, len);
        assert_int_equal(sent().rcode, c->rcode);
        assert_int_equal(sent_ede(), c->ede);
    }
    assert_int_equal(fake.asked, 0);
    assert_int_equal(fake.answers, COUNT(aways));
}

static void test_strangers(void **state)
{
    struct world *w = *state;
    fake.hit = true;
    make_wire(1);
    w->client.here = false;
    w->client.peer.sa.v4.sin_addr.s_addr = htonl(0xc0000207);
    ask(w, "www.example.", DNS_TYPE_A);
    assert_int_equal(sent().rcode, DNS_RCODE_REFUSED);
    assert_int_equal(sent().rr_count, 0);
    assert_int_equal(sent_ede(), DNS_EDE_PROHIBITED);
}

static void test_health(void **state)
{
    struct world *w = *state;
    uint8_t query[512];
    uint32_t len = write_query(query, "Health.veridoh.", DNS_TYPE_TXT, DNS_CLASS_CH, 0, false);
    tell(w, query, len);
    struct dns_msg msg = sent();
    struct dns_reader first = dns_rr_rdata(&msg, &msg.rr[0]);
    assert_int_equal(msg.rcode, DNS_RCODE_NOERROR);
    assert_memory_equal(dns_read_bytes(&first, 3), "\2ok", 3);
    assert_non_null(memmem(fake.sent, fake.sent_len, "bogus=7", 7));
    assert_non_null(memmem(fake.sent, fake.sent_len, "cache_answers=5", 15));
    assert_non_null(memmem(fake.sent, fake.sent_len, "upstream=up0 connected=1", 24));
    w->client.here = false; /* even one who may ask */
    tell(w, query, len);
    assert_int_equal(sent().rcode, DNS_RCODE_REFUSED);
}

static const char *health_line(struct world *w, unsigned i, char text[static 256])
{
    uint8_t query[512];
    tell(w, query, write_query(query, "health.veridoh.", DNS_TYPE_TXT, DNS_CLASS_CH, 0, false));
    struct dns_msg msg = sent();
    assert_true(i < msg.rr_count);
    struct dns_reader rdata = dns_rr_rdata(&msg, &msg.rr[i]);
    uint8_t len = dns_read_u8(&rdata);
    memcpy(text, dns_read_bytes(&rdata, len), len);
    text[len] = '\0';
    return text;
}

/* What others have counted counts, also what was counted before. */
static void test_health_is_of_all_workers(void **state)
{
    struct world *w = *state;
    char text[256];
    tally_server(w->tally, 1, &(struct server_stats){.questions = 100, .hits = 5});
    tally_server(w->tally, 3, &(struct server_stats){.questions = 1000, .untimely = 9});
    tally_resolver(w->tally, 1, &(struct resolver_stats){.secure = 40, .bogus = 100});
    tally_resolver(w->tally, 3, &(struct resolver_stats){.secure = 4, .synthesized = 3});
    assert_string_equal(health_line(w, 1, text), "uptime_s=0 workers=3");
    assert_non_null(strstr(health_line(w, 2, text), "questions=1102 hits=5 "));
    assert_non_null(strstr(health_line(w, 3, text), "secure=44 insecure=0 bogus=107 "));
    assert_non_null(strstr(text, " synthesized=3 "));
    assert_string_equal(health_line(w, 7, text), "upstreams_seen_by_worker=2");
}

/* Others are told without a report: at each question, and when one that waited is answered. */
static void test_others_are_told(void **state)
{
    struct world *w = *state;
    struct server_stats s;
    struct resolver_stats r;
    ask(w, "www.example.", DNS_TYPE_A);
    tally_sum(w->tally, &s, &r);
    assert_int_equal(s.questions, 1);
    assert_int_equal(r.bogus, 7);
    fake.bogus = 1;
    struct resolver_answer answer = {.status = VAL_BOGUS};
    fake.done(fake.done_arg, &answer);
    tally_sum(w->tally, &s, &r);
    assert_int_equal(r.bogus, 8);
}

static void test_health_degraded(void **state)
{
    struct world *w = *state;
    char text[256];
    fake.upstreams = 3;
    fake.upstream.connected = false;
    fake.failing = 2;
    assert_string_equal(health_line(w, 0, text), "ok");
    fake.for_routes = 1; /* the third, which works */
    assert_string_equal(health_line(w, 0, text), "degraded: no upstream answers");
    fake.for_routes = 0;
    fake.failing = 3;
    assert_int_equal(fake.tries, 1);
    assert_string_equal(health_line(w, 0, text), "degraded: no upstream answers");
    assert_int_equal(fake.tries, 2);
    fake.failing = 0;
    fake.upstream.answers = 0;
    assert_string_equal(health_line(w, 0, text), "degraded: no upstream has answered yet");
    assert_int_equal(fake.tries, 3);
    fake.upstream.answers = 1;
    fake.failing = 0;
    w->clock_wrong = true;
    assert_string_equal(health_line(w, 0, text), "degraded: this machine's clock is wrong");
    fake.upstreams = 0; /* routes alone */
    w->clock_wrong = false;
    assert_string_equal(health_line(w, 0, text), "ok");
}

/* The error of the last try is all that is left of it: they are connected again. */
static void test_health_after_an_outage(void **state)
{
    struct world *w = *state;
    char text[256];
    fake.upstreams = fake.failing = 3;
    assert_string_equal(health_line(w, 0, text), "ok");
    fake.upstream.backing_off = true;
    assert_string_equal(health_line(w, 0, text), "degraded: no upstream answers");
    fake.upstream.backing_off = false;
    fake.upstream.quarantine_ms = 1;
    assert_string_equal(health_line(w, 0, text), "degraded: no upstream answers");
}

static void test_health_of_many(void **state)
{
    struct world *w = *state;
    uint8_t query[512];
    fake.upstreams = DOH_UPSTREAMS_MAX;
    uint32_t len = write_query(query, "health.veridoh.", DNS_TYPE_TXT, DNS_CLASS_CH, 0, false);
    w->client.tcp = true;
    tell(w, query, len);
    assert_int_equal(sent().flags & DNS_FLAG_TC, 0);
    for (unsigned i = 0; i < DOH_UPSTREAMS_MAX; i++) {
        static const char *const what[] = {"upstream", "connections", "honesty"};
        char words[32];
        for (size_t k = 0; k < COUNT(what); k++) {
            (void)snprintf(words, sizeof words, "%s=up%u ", what[k], i);
            print_message("%s\n", words);
            assert_non_null(memmem(fake.sent, fake.sent_len, words, strlen(words)));
        }
    }
    w->client.tcp = false; /* 4096 octets are not enough, which is said */
    tell(w, query, len);
    assert_true(fake.sent_len <= 4096);
    assert_int_equal(sent().flags & DNS_FLAG_TC, DNS_FLAG_TC);
}

/* --- hits and misses ------------------------------------------------------------------------- */

static void test_hit(void **state)
{
    struct world *w = *state;
    uint8_t query[512];
    make_wire(2);
    fake.hit = true;
    fake.found = (struct cache_hit){.status = VAL_SECURE, .ede.code = DNS_EDE_NONE};
    uint32_t len = write_query(query, "wWw.example.", DNS_TYPE_A, DNS_CLASS_IN, DNS_FLAG_CD, true);
    tell(w, query, len);
    struct dns_msg msg = sent();
    assert_int_equal(msg.flags,
                     DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | DNS_FLAG_AD | DNS_FLAG_CD);
    assert_int_equal(msg.question.name.wire[2], 'W');
    assert_int_equal(msg.rr_count, 3);
    assert_true(fake.key.dnssec_ok && fake.key.checking_disabled);
    assert_int_equal(fake.key.route, DOH_ROUTE_DEFAULT);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(server_waiting(w->server), 0);
    assert_int_equal(fake.commits, 1);
}

struct room_case {
    const char *what;
    uint32_t cap, most; /* the listener's */
    unsigned addresses; /* 16 octets each, and 66 for the rest */
    uint32_t reserves, commits;
};

// clang-format off
static const struct room_case rooms[] = {
    {"there is some",                             4096, 65535, 200, 1, 1},
    {"more has to be made",                        512, 65535, 200, 2, 1},
    {"there is none",                                0,     0, 200, 1, 0},
    {"there is never enough",                      512,  2000, 200, 2, 0},
    {"there is enough, but not for an OPT behind", 709, 65535,  40, 1, 0},
};
// clang-format on

/* Wherever a hit is made, it is the same to the octet, or to the name at least; and where there is
 * room for it at the listener's, it is made there. */
static void test_hit_in_place(void **state)
{
    struct world *w = *state;
    uint8_t query[512];
    fake.hit = true;
    fake.found = (struct cache_hit){.status = VAL_SECURE, .ede.code = DNS_EDE_NONE};
    w->client.tcp = true;
    uint32_t len = write_query(query, "wWw.example.", DNS_TYPE_A, DNS_CLASS_IN, 0, true);
    for (size_t i = 0; i < COUNT(rooms); i++) {
        const struct room_case *c = &rooms[i];
        print_message("%s\n", c->what);
        make_wire(c->addresses);
        fake.room_cap = c->cap;
        fake.room_most = c->most;
        fake.answers = fake.reserves = fake.commits = fake.copies = 0;
        tell(w, query, len);
        assert_int_equal(fake.answers, 1);
        assert_int_equal(fake.copies, 1);
        assert_int_equal(fake.reserves, c->reserves);
        assert_int_equal(fake.commits, c->commits);
        struct dns_msg msg = sent();
        assert_int_equal(msg.flags, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | DNS_FLAG_AD);
        assert_int_equal(msg.id, 0x1234);
        assert_int_equal(msg.question.name.wire[2], 'W');
        assert_int_equal(msg.rr_count, c->addresses + 1);
        assert_true(msg.edns.present);
    }
    assert_int_equal(fake.asked, 0);
}

/* It goes from where it was made to who asked, or not at all. */
static void test_hit_refused(void **state)
{
    struct world *w = *state;
    make_wire(2);
    fake.hit = true;
    fake.found = (struct cache_hit){.status = VAL_SECURE, .ede.code = DNS_EDE_NONE};
    w->config.sentinel = true; /* and there is no such key */
    ask(w, "root-key-sentinel-is-ta-12345.example.", DNS_TYPE_A);
    assert_int_equal(sent().rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(sent().rr_count, 0);
    assert_int_equal(fake.copies, 1);
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.answers, 1);
}

/* What came at once is answered one by one: each by its own key, faults in between or not. */
static void test_batch(void **state)
{
    struct world *w = *state;
    uint8_t wire[4][512] = {{0}};
    struct listener_query query[4];
    uint32_t len[4] = {
        write_query(wire[0], "a.example.", DNS_TYPE_A, DNS_CLASS_IN, 0, false),
        5, /* no header: dropped */
        write_query(wire[2], "b.example.", DNS_TYPE_AXFR, DNS_CLASS_IN, 0, false),
        write_query(wire[3], "c.example.", DNS_TYPE_MX, DNS_CLASS_IN, 0, false),
    };
    for (unsigned i = 0; i < 4; i++)
        query[i] = (struct listener_query){w->client, wire[i], len[i]};
    server_on_queries(w->server, query, 4);
    assert_int_equal(fake.drops, 1);
    assert_int_equal(fake.answers, 1);
    assert_int_equal(sent().rcode, DNS_RCODE_NOTIMP);
    assert_int_equal(fake.asked, 2);
    assert_int_equal(fake.key.question->type, DNS_TYPE_MX);
    assert_int_equal(server_waiting(w->server), 2);
}

/* From elsewhere 200 addresses do not fit into 1232 octets; from here, and by TCP, they do. */
static void test_hit_too_long(void **state)
{
    struct world *w = *state;
    uint8_t query[512];
    make_wire(200);
    fake.hit = true;
    uint32_t len = write_query(query, "www.example.", DNS_TYPE_A, DNS_CLASS_IN, 0, true);
    tell(w, query, len);
    assert_false(sent().flags & DNS_FLAG_TC);
    assert_int_equal(sent().rr_count, 201);
    fake.commits = 0;
    w->client.here = false;
    tell(w, query, len);
    assert_true(sent().flags & DNS_FLAG_TC);
    assert_in_range(fake.sent_len, 12, 1232);
    assert_int_equal(fake.commits, 0);
    w->client.tcp = true;
    tell(w, query, len);
    assert_false(sent().flags & DNS_FLAG_TC);
    assert_int_equal(sent().rr_count, 201);
}

static void test_miss(void **state)
{
    struct world *w = *state;
    ask(w, "wwW.example.", DNS_TYPE_A);
    assert_int_equal(fake.asked, 1);
    assert_int_equal(fake.answers, 0);
    assert_int_equal(server_waiting(w->server), 1);
    assert_false(fake.question.checking_disabled);
    make_wire(2);
    struct resolver_answer answer = {.wire = fake.wire,
                                     .len = fake.wire_len,
                                     .status = VAL_INSECURE,
                                     .ede = {.code = DNS_EDE_NEGATIVE_TRUST_ANCHOR}};
    fake.done(fake.done_arg, &answer);
    struct dns_msg msg = sent();
    assert_int_equal(msg.id, 0x1234);
    assert_int_equal(msg.rr_count, 2); /* no DO: no RRSIG */
    assert_int_equal(msg.question.name.wire[3], 'W');
    assert_int_equal(sent_ede(), DNS_EDE_NEGATIVE_TRUST_ANCHOR);
    assert_int_equal(fake.to.connection, 42);
    assert_int_equal(server_waiting(w->server), 0);
}

static void test_refused_by_proof(void **state)
{
    struct world *w = *state;
    ask(w, "www.example.", DNS_TYPE_A);
    struct resolver_answer answer = {.status = VAL_BOGUS,
                                     .ede = {.code = DNS_EDE_SIGNATURE_EXPIRED, .text = "old"}};
    fake.done(fake.done_arg, &answer);
    assert_int_equal(sent().rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(sent().rr_count, 0);
    assert_int_equal(sent_ede(), DNS_EDE_SIGNATURE_EXPIRED);
}

static void test_answer_that_cannot_be_written(void **state)
{
    struct world *w = *state;
    static const uint8_t garbage[20] = {0};
    ask(w, "www.example.", DNS_TYPE_A);
    struct resolver_answer answer = {
        .wire = garbage, .len = sizeof garbage, .status = VAL_SECURE, .ede.code = DNS_EDE_NONE};
    fake.done(fake.done_arg, &answer);
    assert_int_equal(sent().rcode, DNS_RCODE_SERVFAIL);
    assert_false(sent().flags & DNS_FLAG_AD);
}

static void test_too_many(void **state)
{
    struct world *w = *state;
    fake.full = true;
    ask(w, "www.example.", DNS_TYPE_A);
    assert_int_equal(sent().rcode, DNS_RCODE_SERVFAIL);
    assert_int_equal(sent_ede(), DNS_EDE_NOT_READY);
    assert_int_equal(server_waiting(w->server), 0);
}

/* In any order they are answered, the list stays whole; what is left is freed with the server. */
static void test_several_wait(void **state)
{
    struct world *w = *state;
    void *arg[4];
    struct resolver_answer answer = {.status = VAL_INDETERMINATE, .ede.code = DNS_EDE_NONE};
    for (unsigned i = 0; i < 4; i++) {
        ask(w, "www.example.", DNS_TYPE_A);
        arg[i] = fake.done_arg;
    }
    static const unsigned order[] = {1, 3, 0};
    for (unsigned i = 0; i < COUNT(order); i++) {
        fake.done(arg[order[i]], &answer);
        assert_int_equal(server_waiting(w->server), 3 - i);
    }
    assert_int_equal(fake.answers, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_raw),
        TEST(test_turned_away),
        TEST(test_strangers),
        TEST(test_health),
        TEST(test_health_is_of_all_workers),
        TEST(test_others_are_told),
        TEST(test_health_degraded),
        TEST(test_health_after_an_outage),
        TEST(test_health_of_many),
        TEST(test_hit),
        TEST(test_hit_in_place),
        TEST(test_hit_refused),
        TEST(test_batch),
        TEST(test_hit_too_long),
        TEST(test_miss),
        TEST(test_refused_by_proof),
        TEST(test_answer_that_cannot_be_written),
        TEST(test_too_many),
        TEST(test_several_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
