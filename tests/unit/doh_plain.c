// SPDX-License-Identifier: MIT
/* Plain DNS: routes and bootstrap through c-ares, against a server of our own over UDP and TCP. */
#include "doh/bootstrap.h"
#include "doh/parts.h"
#include "tests/unit/doh_world.h"

enum say {
    SAY_ANSWER,
    SAY_SERVFAIL,
    SAY_LARGE,     /* more than 512 octets, not truncated */
    SAY_TRUNCATED, /* by UDP; all of it by TCP */
    SAY_OTHER,     /* an answer to another question */
    SAY_NO_EDNS,   /* FORMERR without OPT to every query that has one */
    SAY_NOTHING,
    SAY_NO_ADDRESS,
    SAY_ONLY_V4, /* silent to all else */
};

struct plain_server {
    uv_udp_t udp;
    uv_tcp_t tcp, accepted;
    struct doh_address address;
    enum say say;
    unsigned queries, by_tcp, with_opt;
    uint16_t last_id, last_port, last_type;
    char in[4096], out[4096];
};

static size_t reply_to(struct plain_server *s, const uint8_t *octets, size_t len, bool tcp)
{
    struct dns_rr table[4];
    struct dns_msg query;
    struct dns_msg_out out;
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    static const uint8_t text[250] = {249};
    assert_int_equal(dns_msg_read(octets, len, table, 4, &query), DNS_OK);
    s->queries++;
    s->by_tcp += tcp;
    s->with_opt += query.edns.present;
    s->last_id = query.id;
    s->last_type = query.question.type;
    bool formerr = s->say == SAY_NO_EDNS && query.edns.present;
    uint16_t rcode = formerr                  ? DNS_RCODE_FORMERR
                     : s->say == SAY_SERVFAIL ? DNS_RCODE_SERVFAIL
                                              : DNS_RCODE_NOERROR;
    bool cut = s->say == SAY_TRUNCATED && !tcp;
    dns_msg_out_init(
        &out, s->out + 2, sizeof s->out - 2, query.id,
        (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (cut ? DNS_FLAG_TC : 0) | rcode));
    struct dns_question question = query.question;
    if (s->say == SAY_OTHER)
        question.type ^= 1;
    dns_msg_out_question(&out, &question);
    if (rcode == DNS_RCODE_NOERROR && !cut && query.question.type == DNS_TYPE_A &&
        s->say != SAY_NO_ADDRESS)
        dns_msg_out_rr(&out, DNS_ANSWER, &query.question.name, DNS_TYPE_A, DNS_CLASS_IN, 300,
                       loopback, 4);
    for (unsigned i = 0; i < 3 && (s->say == SAY_LARGE || (s->say == SAY_TRUNCATED && tcp)); i++)
        dns_msg_out_rr(&out, DNS_ADDITIONAL, &query.question.name, DNS_TYPE_TXT, DNS_CLASS_IN, i,
                       text, sizeof text);
    size_t n = dns_msg_out_finish(&out);
    assert_true(n > 0);
    s->out[0] = (char)(n >> 8);
    s->out[1] = (char)n;
    return n;
}

static void on_udp_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct plain_server *s = handle->data;
    *buf = uv_buf_init(s->in, sizeof s->in);
}

static void on_udp(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                   unsigned flags)
{
    (void)flags;
    struct plain_server *s = udp->data;
    if (n <= 0 || !from)
        return;
    size_t len = reply_to(s, (const uint8_t *)buf->base, (size_t)n, false);
    s->last_port = ((const struct sockaddr_in *)from)->sin_port;
    if (s->say == SAY_NOTHING || (s->say == SAY_ONLY_V4 && s->last_type != DNS_TYPE_A))
        return;
    uv_buf_t out = uv_buf_init(s->out + 2, (unsigned)len);
    assert_int_equal(uv_udp_try_send(udp, &out, 1, from), len);
}

static void on_tcp_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct plain_server *s = stream->data;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    if (n < 14)
        return;
    size_t len = reply_to(s, (const uint8_t *)buf->base + 2, (size_t)n - 2, true);
    uv_buf_t out = uv_buf_init(s->out, (unsigned)len + 2);
    assert_int_equal(uv_try_write(stream, &out, 1), len + 2);
}

static void on_tcp(uv_stream_t *listener, int status)
{
    struct plain_server *s = listener->data;
    assert_int_equal(status, 0);
    assert_int_equal(uv_tcp_init(listener->loop, &s->accepted), 0);
    s->accepted.data = s;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&s->accepted), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&s->accepted, on_udp_alloc, on_tcp_read), 0);
}

static int bound(int type, struct doh_address *address)
{
    socklen_t len = sizeof address->sa.v4;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (bind(fd, &address->sa.any, len) == 0 && getsockname(fd, &address->sa.any, &len) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* One port that is free for both. */
static void bind_both(struct doh_address *address, int *ret_udp, int *ret_tcp)
{
    for (;;) {
        address->sa.v4.sin_port = 0;
        *ret_udp = bound(SOCK_DGRAM, address);
        assert_true(*ret_udp >= 0);
        *ret_tcp = bound(SOCK_STREAM, address);
        if (*ret_tcp >= 0)
            return;
        (void)close(*ret_udp);
    }
}

static void plain_open(struct plain_server *s, uv_loop_t *loop, enum say say)
{
    int udp, tcp;
    memset(s, 0, sizeof *s);
    s->say = say;
    s->address.sa.v4.sin_family = AF_INET;
    s->address.sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind_both(&s->address, &udp, &tcp);
    assert_int_equal(uv_udp_init(loop, &s->udp), 0);
    assert_int_equal(uv_tcp_init(loop, &s->tcp), 0);
    s->udp.data = s->tcp.data = s;
    assert_int_equal(uv_udp_open(&s->udp, udp), 0);
    assert_int_equal(uv_tcp_open(&s->tcp, tcp), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->tcp, 4, on_tcp), 0);
    assert_int_equal(uv_udp_recv_start(&s->udp, on_udp_alloc, on_udp), 0);
}

static void plain_close(struct plain_server *s)
{
    uv_close((uv_handle_t *)&s->udp, NULL);
    uv_close((uv_handle_t *)&s->tcp, NULL);
    if (s->accepted.data && !uv_is_closing((uv_handle_t *)&s->accepted))
        uv_close((uv_handle_t *)&s->accepted, NULL);
}

static const struct doh_request routed = {.route = 0};

static void routes(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum say say;
        enum doh_err err;
        unsigned queries, by_tcp;
    } cases[] = {
        {"answer", SAY_ANSWER, DOH_OK, 1, 0},
        {"SERVFAIL is an answer", SAY_SERVFAIL, DOH_OK, 1, 0},
        {"700 octets by UDP", SAY_LARGE, DOH_OK, 1, 0},
        {"truncated", SAY_TRUNCATED, DOH_OK, 2, 1},
        {"no EDNS there", SAY_NO_EDNS, DOH_OK, 2, 0},
        {"to another question", SAY_OTHER, DOH_E_TIMEOUT, 2, 0}, /* c-ares itself waits on */
        {"silence", SAY_NOTHING, DOH_E_TIMEOUT, 2, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct world w;
        struct plain_server plain;
        struct question q;
        struct dns_name domain = question_for("route.test").name;
        struct doh_route_config route = {.domains = &domain, .domain_count = 1, .server_count = 1};
        world_init(&w, 1);
        plain_open(&plain, &w.loop, cases[i].say);
        route.servers = &plain.address;
        w.config.routes = &route;
        w.config.route_count = 1;
        world_start(&w);
        ask_how(&w, &q, "www.route.test", routed, on_done);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, cases[i].err);
        assert_int_equal(plain.queries, cases[i].queries);
        assert_int_equal(plain.by_tcp, cases[i].by_tcp);
        assert_true(plain.with_opt >= 1);
        assert_int_equal(w.server[0].connections, 0);
        if (q.err == DOH_OK)
            assert_int_equal(q.upstream, DOH_ROUTE_DEFAULT);
        plain_close(&plain);
        world_close(&w);
    }
}

static void ids_are_drawn(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    struct dns_name domain = question_for("route.test").name;
    struct doh_route_config route = {.domains = &domain, .domain_count = 1, .server_count = 1};
    unsigned zeros = 0, same = 0;
    uint16_t last = 0;
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ANSWER);
    route.servers = &plain.address;
    w.config.routes = &route;
    w.config.route_count = 1;
    world_start(&w);
    for (unsigned i = 0; i < 20; i++) {
        ask_how(&w, &q, "www.route.test", routed, on_done);
        run_until(&w, &q.done, 1);
        zeros += plain.last_id == 0;
        same += plain.last_id == last;
        last = plain.last_id;
    }
    assert_true(zeros < 3 && same < 3);
    plain_close(&plain);
    world_close(&w);
}

static void a_dead_server_is_followed_by_the_next(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    struct dns_name domain = question_for("route.test").name;
    struct doh_address servers[2];
    struct doh_route_config route = {
        .domains = &domain, .domain_count = 1, .servers = servers, .server_count = 2};
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ANSWER);
    servers[0] = servers[1] = plain.address;
    servers[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 3); /* nobody listens there */
    w.config.routes = &route;
    w.config.route_count = 1;
    world_start(&w);
    ask_how(&w, &q, "www.route.test", routed, on_done);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    plain_close(&plain);
    world_close(&w);
}

static void routed_questions_are_cancelled(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 4; turns++) {
        struct world w;
        struct plain_server plain;
        struct question q, closed;
        struct dns_name domain = question_for("route.test").name;
        struct doh_route_config route = {.domains = &domain, .domain_count = 1, .server_count = 1};
        world_init(&w, 1);
        plain_open(&plain, &w.loop, SAY_NOTHING);
        route.servers = &plain.address;
        w.config.routes = &route;
        w.config.route_count = 1;
        world_start(&w);
        ask_how(&w, &q, "www.route.test", routed, on_done);
        ask_how(&w, &closed, "www.route.test", routed, on_done);
        for (unsigned i = 0; i < turns; i++)
            (void)uv_run(&w.loop, UV_RUN_ONCE);
        doh_fetch_cancel(q.fetch);
        plain_close(&plain);
        world_close(&w);
        assert_int_equal(q.done, 0);
        assert_int_equal(closed.done, 1);
        assert_int_equal(closed.err, DOH_E_CANCELLED);
    }
}

/* c-ares' sockets are of the network that was there when they were opened: what waits is asked
 * through others. */
static void another_network_takes_other_sockets(void **state)
{
    (void)state;
    for (unsigned bootstrap = 0; bootstrap < 2; bootstrap++) {
        struct world w;
        struct plain_server plain;
        struct question q;
        struct dns_name domain = question_for("route.test").name;
        struct doh_route_config route = {.domains = &domain, .domain_count = 1, .server_count = 1};
        world_init(&w, 1);
        plain_open(&plain, &w.loop, SAY_NOTHING);
        route.servers = w.upstream[0].bootstrap = &plain.address;
        w.upstream[0].address_count = bootstrap ? 0 : 1;
        w.upstream[0].bootstrap_count = bootstrap;
        w.config.routes = &route;
        w.config.route_count = bootstrap ? 0 : 1;
        world_start(&w);
        if (bootstrap)
            ask(&w, &q, "example.test");
        else
            ask_how(&w, &q, "www.route.test", routed, on_done);
        run_until(&w, &plain.queries, bootstrap ? 2 : 1);
        uint16_t port = plain.last_port;
        plain.say = SAY_ANSWER;
        doh_network_changed(&w.pool->network, false);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, DOH_OK);
        assert_int_not_equal(plain.last_port, port);
        plain_close(&plain);
        world_close(&w);
    }
}

static void the_longest_route_wins(void **state)
{
    (void)state;
    struct dns_name first[2] = {question_for("test").name, question_for("a.b.test").name};
    struct dns_name second = question_for("b.test").name;
    struct doh_route_config list[2] = {{.domains = first, .domain_count = 2},
                                       {.domains = &second, .domain_count = 1}};
    struct doh_config config = {.routes = list, .route_count = 2};
    static const struct {
        const char *name;
        uint32_t want;
    } cases[] = {
        {"test", 0},
        {"x.test", 0},
        {"b.test", 1},
        {"x.B.Test", 1},
        {"a.b.test", 0},
        {"y.a.b.test", 0},
        {"xb.test", 0},
        {"example", DOH_ROUTE_DEFAULT},
        {".", DOH_ROUTE_DEFAULT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct dns_name name = question_for(cases[i].name).name;
        assert_int_equal(doh_route_find(&config, &name), cases[i].want);
    }
}

/* --- bootstrap ------------------------------------------------------------------------------- */

/* Only what is an answer: of that type and class, as long as such an address, in that section. */
static void addresses_are_collected(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum dns_section section;
        uint16_t type, class_, len;
        uint32_t ttl_s;
        bool taken;
    } cases[] = {
        {"an address", DNS_ANSWER, DNS_TYPE_A, DNS_CLASS_IN, 4, 300, true},
        {"another one, for a shorter time", DNS_ANSWER, DNS_TYPE_A, DNS_CLASS_IN, 4, 60, true},
        {"a third, for a longer time", DNS_ANSWER, DNS_TYPE_A, DNS_CLASS_IN, 4, 900, true},
        {"of the other family", DNS_ANSWER, DNS_TYPE_AAAA, DNS_CLASS_IN, 16, 10, false},
        {"of another class", DNS_ANSWER, DNS_TYPE_A, 3, 4, 10, false},
        {"authority", DNS_AUTHORITY, DNS_TYPE_A, DNS_CLASS_IN, 4, 10, false},
        {"additional", DNS_ADDITIONAL, DNS_TYPE_A, DNS_CLASS_IN, 4, 10, false},
    };
    static const uint8_t octets[16] = {192, 0, 2, 1};
    uint8_t wire[1024];
    struct dns_msg_out out;
    struct dns_rr table[16];
    struct dns_msg msg;
    struct doh_address address[DOH_BOOTSTRAP_MAX];
    struct dns_question question = question_for("doh.test");
    uint32_t taken = 0, ttl_s = 0;
    dns_msg_out_init(&out, wire, sizeof wire, 0, DNS_FLAG_QR);
    dns_msg_out_question(&out, &question);
    for (unsigned i = 0; i < COUNT(cases); i++) {
        uint8_t rdata[16];
        memcpy(rdata, octets, sizeof rdata);
        rdata[3] = (uint8_t)(i + 1);
        dns_msg_out_rr(&out, cases[i].section, &question.name, cases[i].type, cases[i].class_,
                       cases[i].ttl_s, rdata, cases[i].len);
    }
    uint32_t len = (uint32_t)dns_msg_out_finish(&out);
    assert_int_equal(dns_msg_read(wire, len, table, COUNT(table), &msg), DNS_OK);
    uint32_t count = doh_bootstrap_collect(&msg, DNS_TYPE_A, address, &ttl_s);
    for (unsigned i = 0; i < COUNT(cases); i++) {
        if (!cases[i].taken)
            continue;
        print_message("%s\n", cases[i].what);
        assert_true(taken < count);
        assert_int_equal(ntohl(address[taken++].sa.v4.sin_addr.s_addr) & 255, i + 1);
    }
    assert_int_equal(count, taken);
    assert_int_equal(ttl_s, 60);
}

/* The other family's answer never comes. */
static void one_family_is_enough(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ONLY_V4);
    w.upstream[0].address_count = 0;
    w.upstream[0].bootstrap = &plain.address;
    w.upstream[0].bootstrap_count = 1;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    plain_close(&plain);
    world_close(&w);
}

static void on_no_address(void *arg, const struct doh_address *address, uint32_t count,
                          uint32_t ttl_s)
{
    (void)arg;
    (void)address;
    (void)count;
    (void)ttl_s;
}

/* The system's servers are ourselves: nobody is asked, or the question would come back here. */
static void we_do_not_ask_ourselves(void **state)
{
    (void)state;
    for (unsigned self = 0; self < 2; self++) {
        struct world w;
        char path[] = "/tmp/veridoh-unit-resolv-XXXXXX";
        FILE *f = fdopen(mkstemp(path), "w");
        assert_non_null(f);
        assert_true(fputs("nameserver 127.0.0.1\n", f) >= 0);
        assert_int_equal(fclose(f), 0);
        world_init(&w, 1);
        struct doh_address us = w.address[0];
        us.sa.v4.sin_port = htons(53);
        w.config.resolv_conf = path;
        w.config.self = &us;
        w.config.self_count = self;
        world_start(&w);
        struct doh_bootstrap *b = doh_bootstrap_new(w.pool, &w.upstream[0], "doh.test");
        assert_non_null(b);
        assert_int_equal(doh_bootstrap_start(b, on_no_address, NULL), !self);
        doh_bootstrap_close(b);
        (void)unlink(path);
        world_close(&w);
    }
}

/* Each look-up begins with the next of the servers. */
static void bootstrap_servers_take_turns(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain[2];
    struct doh_address servers[2];
    struct question q;
    world_init(&w, 1);
    for (unsigned i = 0; i < 2; i++) {
        plain_open(&plain[i], &w.loop, SAY_ANSWER);
        servers[i] = plain[i].address;
    }
    w.upstream[0].address_count = 0;
    w.upstream[0].bootstrap = servers;
    w.upstream[0].bootstrap_count = 2;
    world_start(&w);
    for (unsigned i = 0; i < 4; i++) {
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        server_hang_up(&w.server[0]);
        w.pool->upstreams[0].dial.look_up = true; /* as if the addresses had failed */
    }
    assert_true(plain[0].queries > 0);
    assert_true(plain[1].queries > 0);
    for (unsigned i = 0; i < 2; i++)
        plain_close(&plain[i]);
    world_close(&w);
}

static void hosts_are_looked_up(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ANSWER);
    w.upstream[0].address_count = 0;
    w.upstream[0].bootstrap = &plain.address;
    w.upstream[0].bootstrap_count = 1;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(plain.queries, 2); /* A and AAAA of that name, and nothing else */
    server_hang_up(&w.server[0]);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(plain.queries, 2); /* known for 300 s */
    plain_close(&plain);
    world_close(&w);
}

/* The TTL is over: the old address is used at once, and nobody but a DoH upstream is asked. */
static void old_addresses_are_asked_for_by_doh(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ANSWER);
    w.upstream[0].address_count = 0;
    w.upstream[0].bootstrap = &plain.address;
    w.upstream[0].bootstrap_count = 1;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    unsigned before = w.server[0].requests;
    w.pool->upstreams[0].dial.expires_ms = 0;
    server_hang_up(&w.server[0]);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    run_until(&w, &w.server[0].requests, before + 3); /* the question, A and AAAA of the host */
    assert_int_equal(plain.queries, 2);
    plain_close(&plain);
    world_close(&w);
}

static void addresses_that_fail_are_looked_up_anew(void **state)
{
    (void)state;
    struct world w;
    struct plain_server plain;
    struct question q;
    world_init(&w, 1);
    plain_open(&plain, &w.loop, SAY_ANSWER);
    w.address[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 3);
    w.upstream[0].bootstrap = &plain.address;
    w.upstream[0].bootstrap_count = 1;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    plain_close(&plain);
    world_close(&w);
}

static void hosts_that_are_not_found(void **state)
{
    (void)state;
    static const enum say says[] = {SAY_NO_ADDRESS, SAY_SERVFAIL, SAY_NOTHING};
    for (size_t i = 0; i < COUNT(says); i++) {
        struct world w;
        struct plain_server plain;
        struct question q;
        world_init(&w, 2);
        plain_open(&plain, &w.loop, says[i]);
        w.upstream[0].address_count = 0;
        w.upstream[0].bootstrap = &plain.address;
        w.upstream[0].bootstrap_count = 1;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK); /* by the other one */
        assert_int_equal(q.upstream, 1);
        if (says[i] != SAY_NOTHING)
            assert_non_null(strstr(w.warning, "bootstrap servers give no address of " SERVER_HOST));
        plain_close(&plain);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(ids_are_drawn),
        cmocka_unit_test(a_dead_server_is_followed_by_the_next),
        cmocka_unit_test(routed_questions_are_cancelled),
        cmocka_unit_test(another_network_takes_other_sockets),
        cmocka_unit_test(the_longest_route_wins),
        cmocka_unit_test(addresses_are_collected),
        cmocka_unit_test(one_family_is_enough),
        cmocka_unit_test(bootstrap_servers_take_turns),
        cmocka_unit_test(we_do_not_ask_ourselves),
        cmocka_unit_test(hosts_are_looked_up),
        cmocka_unit_test(old_addresses_are_asked_for_by_doh),
        cmocka_unit_test(addresses_that_fail_are_looked_up_anew),
        cmocka_unit_test(hosts_that_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
