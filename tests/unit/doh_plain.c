// SPDX-License-Identifier: MIT
/* Plain DNS: routes and bootstrap through c-ares, against a server of our own over UDP and TCP. */
#include "doh/bootstrap.h"
#include "doh/parts.h"
#include "tests/unit/doh_world.h"
#include "tests/unit/plain_server.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

/* With one plain server: of a route to route.test, or the one that is asked for the first
 * upstream's host. */
struct plain_world {
    struct world w;
    struct plain_server plain;
    struct dns_name domain;
    struct doh_route_config route;
};

static void plain_world_init(struct plain_world *p, uint32_t upstreams, enum say say)
{
    world_init(&p->w, upstreams);
    plain_open(&p->plain, &p->w.loop, say);
}

static void routed_init(struct plain_world *p, enum say say)
{
    plain_world_init(p, 1, say);
    p->domain = question_for("route.test").name;
    p->route = (struct doh_route_config){
        .domains = &p->domain, .domain_count = 1, .servers = &p->plain.address, .server_count = 1};
    p->w.config.routes = &p->route;
    p->w.config.route_count = 1;
}

static void bootstrap_init(struct plain_world *p, uint32_t upstreams, enum say say)
{
    plain_world_init(p, upstreams, say);
    p->w.upstream[0].address_count = 0;
    p->w.upstream[0].bootstrap = &p->plain.address;
    p->w.upstream[0].bootstrap_count = 1;
}

/* The servers are the IPv4 and the IPv6 address of one upstream; the latter is told late. */
static void two_families_init(struct plain_world *p)
{
    bootstrap_init(p, 2, SAY_V6_LATE);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_port = htons(p->w.server[0].port),
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    world_move(&p->w, 1, (const struct sockaddr *)&at);
    p->w.config.upstream_count = 1;
}

static void plain_world_close(struct plain_world *p)
{
    plain_close(&p->plain);
    world_close(&p->w);
}

static void ask_routed(struct plain_world *p, struct question *q)
{
    ask_how(&p->w, q, "www.route.test", (struct doh_request){.route = 0}, on_done);
}

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
        struct plain_world p;
        struct question q;
        routed_init(&p, cases[i].say);
        world_start(&p.w);
        ask_routed(&p, &q);
        run_until(&p.w, &q.done, 1);
        assert_int_equal(q.err, cases[i].err);
        assert_int_equal(p.plain.queries, cases[i].queries);
        assert_int_equal(p.plain.by_tcp, cases[i].by_tcp);
        assert_true(p.plain.with_opt >= 1);
        assert_int_equal(p.w.server[0].connections, 0);
        if (q.err == DOH_OK)
            assert_int_equal(q.upstream, DOH_ROUTE_DEFAULT);
        plain_world_close(&p);
    }
}

static void ids_are_drawn(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    unsigned zeros = 0, same = 0;
    uint16_t last = 0;
    routed_init(&p, SAY_ANSWER);
    world_start(&p.w);
    for (unsigned i = 0; i < 20; i++) {
        ask_routed(&p, &q);
        run_until(&p.w, &q.done, 1);
        zeros += p.plain.last_id == 0;
        same += p.plain.last_id == last;
        last = p.plain.last_id;
    }
    assert_true(zeros < 3 && same < 3);
    plain_world_close(&p);
}

static void a_dead_server_is_followed_by_the_next(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    struct doh_address servers[2];
    routed_init(&p, SAY_ANSWER);
    servers[0] = servers[1] = p.plain.address;
    servers[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 3); /* nobody listens there */
    p.route.servers = servers;
    p.route.server_count = 2;
    world_start(&p.w);
    ask_routed(&p, &q);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    plain_world_close(&p);
}

static void routed_questions_are_cancelled(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 4; turns++) {
        struct plain_world p;
        struct question q, closed;
        routed_init(&p, SAY_NOTHING);
        world_start(&p.w);
        ask_routed(&p, &q);
        ask_routed(&p, &closed);
        for (unsigned i = 0; i < turns; i++)
            (void)uv_run(&p.w.loop, UV_RUN_ONCE);
        doh_fetch_cancel(q.fetch);
        plain_world_close(&p);
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
        struct plain_world p;
        struct question q;
        if (bootstrap)
            bootstrap_init(&p, 1, SAY_NOTHING);
        else
            routed_init(&p, SAY_NOTHING);
        world_start(&p.w);
        if (bootstrap)
            ask(&p.w, &q, "example.test");
        else
            ask_routed(&p, &q);
        run_until(&p.w, &p.plain.queries, bootstrap ? 2 : 1);
        uint16_t port = p.plain.last_port;
        p.plain.say = SAY_ANSWER;
        doh_network_changed(&p.w.pool->network, false);
        run_until(&p.w, &q.done, 1);
        assert_int_equal(q.err, DOH_OK);
        assert_int_not_equal(p.plain.last_port, port);
        plain_world_close(&p);
    }
}

/* A network of our own, with these addresses on its only link; false when not allowed. */
static bool make_link(struct doh_address *address, unsigned count)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int index = (int)if_nametoindex("lo");
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    (void)close(fd);
    for (unsigned i = 0; done && i < count; i++) {
        struct {
            struct in6_addr address;
            uint32_t prefix_len;
            int index;
        } v6 = {address[i].sa.v6.sin6_addr, 64, index}; /* in6_ifreq */
        if (IN6_IS_ADDR_LINKLOCAL(&v6.address))
            address[i].sa.v6.sin6_scope_id = (uint32_t)index;
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        done = ioctl(fd, SIOCSIFADDR, &v6) == 0;
        while (done && bind(fd, &address[i].sa.any, sizeof address[i].sa.v6) != 0) {
            assert_int_equal(errno, EADDRNOTAVAIL); /* tentative (RFC 4862 5.4), for a moment */
            (void)poll(NULL, 0, 1);
        }
        (void)close(fd);
    }
    return done;
}

/* "nameserver fe80::1%eth0" (RFC 4007 11): c-ares knows nothing of links. Others have none. */
static void servers_by_ipv6(void **state)
{
    (void)state;
    static const enum say says[] = {SAY_ANSWER, SAY_TRUNCATED}; /* by UDP, and by TCP */
    struct doh_address address[] = {
        {.sa.v6 = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0xfe, 0x80, [15] = 1}}},
        {.sa.v6 = {.sin6_family = AF_INET6,
                   .sin6_addr.s6_addr = {0xfd, 0, 1, 2, 3, 4, 5, 6, 7, 8, [15] = 1}}},
    };
    if (!make_link(address, COUNT(address)))
        skip();
    for (unsigned n = 0; n < COUNT(says) * COUNT(address); n++) {
        unsigned i = n % COUNT(says);
        struct plain_world p;
        struct question q;
        routed_init(&p, says[i]);
        plain_close(&p.plain);
        (void)uv_run(&p.w.loop, UV_RUN_NOWAIT); /* its handles go */
        plain_open_at(&p.plain, &p.w.loop, says[i], &address[n / COUNT(says)]);
        world_start(&p.w);
        ask_routed(&p, &q);
        run_until(&p.w, &q.done, 1);
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(p.plain.queries, i + 1);
        assert_int_equal(p.plain.by_tcp, i);
        plain_world_close(&p);
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
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ONLY_V4);
    world_start(&p.w);
    ask_well(&p.w, &q, 1, "example.test");
    plain_world_close(&p);
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
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ANSWER);
    world_start(&p.w);
    ask_well(&p.w, &q, 1, "example.test");
    assert_int_equal(p.plain.queries, 2); /* A and AAAA of that name, and nothing else */
    server_hang_up(&p.w.server[0]);
    ask_and_wait(&p.w, &q, "example.test");
    assert_int_equal(p.plain.queries, 2); /* known for 300 s */
    plain_world_close(&p);
}

/* The TTL is over: the old address is used at once, and nobody but a DoH upstream is asked. */
static void old_addresses_are_asked_for_by_doh(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ANSWER);
    world_start(&p.w);
    ask_and_wait(&p.w, &q, "example.test");
    unsigned before = p.w.server[0].requests;
    p.w.pool->upstreams[0].dial.expires_ms = 0;
    server_hang_up(&p.w.server[0]);
    ask_well(&p.w, &q, 1, "example.test");
    run_until(&p.w, &p.w.server[0].requests, before + 3); /* the question, A and AAAA of the host */
    assert_int_equal(p.plain.queries, 2);
    plain_world_close(&p);
}

static unsigned last_is_late(unsigned request)
{
    return request == 3 ? 300 : 0;
}

/* The other family's answer comes while connections are being made to the addresses known: it is
 * dropped, but asked for again. */
static void what_comes_during_a_race_is_asked_for_again(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ANSWER);
    p.w.server[0].behaviour.act = ACT_ADDRESS;
    world_start(&p.w);
    struct doh_dial *d = &p.w.pool->upstreams[0].dial;
    ask_and_wait(&p.w, &q, "example.test");
    d->expires_ms = 0;
    p.w.server[0].delay_of = last_is_late;
    server_hang_up(&p.w.server[0]);
    ask_well(&p.w, &q, 1, "example.test");
    run_until(&p.w, &p.w.server[0].requests, 4); /* the question, A and AAAA of the host */
    pause_ms(&p.w, 50);
    assert_true(d->expires_ms > doh_now(p.w.pool)); /* the first is there */
    d->state = DOH_DIAL_RACING;
    pause_ms(&p.w, 500);
    assert_true(d->expires_ms <= doh_now(p.w.pool));
    d->state = DOH_DIAL_IDLE;
    plain_world_close(&p);
}

static void addresses_that_fail_are_looked_up_anew(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ANSWER);
    p.w.upstream[0].address_count = 1;
    p.w.address[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 3);
    world_start(&p.w);
    ask_well(&p.w, &q, 1, "example.test");
    plain_world_close(&p);
}

/* The IPv4 address is a black hole that would be given more time, the IPv6 one comes late. */
static void late_addresses_are_dialled_soon(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    two_families_init(&p);
    p.w.config.connect_ms = 8000;
    p.w.server[0].hangs = true;
    world_start(&p.w);
    p.w.pool->upstreams[0].health.srtt_us = 1000000; /* far: second tries are 3 s away */
    ask(&p.w, &q, "example.test");
    run_until(&p.w, &p.w.server[0].connections, 1);
    plain_say_late(&p.plain);
    uint64_t begin_ms = doh_now(p.w.pool);
    run_until(&p.w, &p.w.server[1].connections, 1);
    assert_in_range(doh_now(p.w.pool) - begin_ms, 240, 1500);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(p.w.server[0].connections, 1);
    plain_world_close(&p);
}

/* No connection can even begin to the first family's address, as without IPv6. */
static void the_other_family_is_waited_for(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_V4_LATE);
    world_start(&p.w);
    struct doh_dial *d = &p.w.pool->upstreams[0].dial;
    ask(&p.w, &q, "example.test");
    run_until(&p.w, &d->count, 1);
    pause_ms(&p.w, 100);
    assert_int_equal(d->rest[0].length_ms > 0, 1); /* it has failed */
    plain_say_late(&p.plain);
    uint64_t begin_ms = doh_now(p.w.pool);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(p.w.pool) - begin_ms, 0, 1000);
    assert_int_equal(p.plain.queries, 2);
    plain_world_close(&p);
}

/* The resolver drops AAAA, and the server is away for a moment: meanwhile it is dialled again. */
static void waiting_for_the_other_family_holds_up_nothing(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_ONLY_V4);
    p.w.server[0].slams = true;
    world_start(&p.w);
    uint64_t begin_ms = doh_now(p.w.pool);
    ask(&p.w, &q, "example.test");
    pause_ms(&p.w, 300);
    p.w.server[0].slams = false;
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(p.w.pool) - begin_ms, 300, 1200);
    plain_world_close(&p);
}

/* The servers are asked anew when the network is another, also while only that is waited for. */
static void another_network_begins_the_look_up_anew(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 1, SAY_V4_LATE);
    world_start(&p.w);
    ask(&p.w, &q, "example.test");
    run_until(&p.w, &p.plain.queries, 2);
    pause_ms(&p.w, 50);
    p.plain.say = SAY_ANSWER; /* but the first is lost */
    uint64_t begin_ms = doh_now(p.w.pool);
    doh_network_changed(&p.w.pool->network, false);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(p.w.pool) - begin_ms, 0, 400);
    plain_world_close(&p);
}

/* The IPv4 address refuses, and IPv6 comes later. */
static void either_family_is_waited_for(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    two_families_init(&p);
    p.w.server[0].slams = true;
    world_start(&p.w);
    ask(&p.w, &q, "example.test");
    run_until(&p.w, &p.w.server[0].connections, 1);
    pause_ms(&p.w, 50);
    plain_say_late(&p.plain);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(p.plain.queries, 2);
    plain_world_close(&p);
}

/* And when that one brings nothing, the race is over: it is not waited for in vain. */
static void the_other_family_may_have_nothing(void **state)
{
    (void)state;
    struct plain_world p;
    struct question q;
    bootstrap_init(&p, 2, SAY_V4_LATE);
    p.w.config.choice = DOH_FAILOVER;
    world_start(&p.w);
    ask(&p.w, &q, "example.test");
    run_until(&p.w, &p.w.pool->upstreams[0].dial.count, 1);
    p.plain.say = SAY_NO_ADDRESS; /* to the question that is repeated */
    run_until(&p.w, &p.w.warnings, 1);
    assert_non_null(strstr(p.w.warning, "first"));
    assert_int_equal(p.w.pool->upstreams[0].dial.state, DOH_DIAL_IDLE);
    run_until(&p.w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK); /* by the other one */
    plain_world_close(&p);
}

static void hosts_that_are_not_found(void **state)
{
    (void)state;
    static const enum say says[] = {SAY_NO_ADDRESS, SAY_SERVFAIL, SAY_NOTHING};
    for (size_t i = 0; i < COUNT(says); i++) {
        struct plain_world p;
        struct question q;
        bootstrap_init(&p, 2, says[i]);
        world_start(&p.w);
        ask_and_wait(&p.w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK); /* by the other one */
        assert_int_equal(q.upstream, 1);
        if (says[i] != SAY_NOTHING)
            assert_non_null(
                strstr(p.w.warning, "bootstrap servers give no address of " SERVER_HOST));
        plain_world_close(&p);
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
        cmocka_unit_test(what_comes_during_a_race_is_asked_for_again),
        cmocka_unit_test(addresses_that_fail_are_looked_up_anew),
        cmocka_unit_test(the_other_family_is_waited_for),
        cmocka_unit_test(waiting_for_the_other_family_holds_up_nothing),
        cmocka_unit_test(another_network_begins_the_look_up_anew),
        cmocka_unit_test(either_family_is_waited_for),
        cmocka_unit_test(the_other_family_may_have_nothing),
        cmocka_unit_test(late_addresses_are_dialled_soon),
        cmocka_unit_test(hosts_that_are_not_found),
        cmocka_unit_test(servers_by_ipv6), /* last: in another network */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
