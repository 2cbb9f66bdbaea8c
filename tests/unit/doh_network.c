// SPDX-License-Identifier: MIT
/* What the kernel says of the network, and what a pool does about it. The second half runs in a
 * network namespace of its own; where that is not permitted it is skipped. */
#include "doh/network.h"
#include "tests/unit/doh_world.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>

/* --- messages -------------------------------------------------------------------------------- */

struct message {
    uint8_t octets[256];
    uint32_t len;
};

static struct message message_of(uint16_t type, const void *payload, uint32_t len)
{
    struct message m = {.len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(len))};
    const struct nlmsghdr head = {.nlmsg_len = (uint32_t)NLMSG_HDRLEN + len, .nlmsg_type = type};
    memcpy(m.octets, &head, sizeof head);
    memcpy(m.octets + NLMSG_HDRLEN, payload, len);
    return m;
}

static void add_attribute(struct message *m, uint16_t type, const void *octets, uint32_t len)
{
    const struct rtattr attr = {.rta_len = (uint16_t)(sizeof attr + len), .rta_type = type};
    memcpy(m->octets + m->len, &attr, sizeof attr);
    memcpy(m->octets + m->len + sizeof attr, octets, len);
    m->len += (uint32_t)RTA_ALIGN(sizeof attr + len);
    memcpy(m->octets, &m->len, sizeof m->len);
}

static struct doh_netlink_news news_of(const struct message *m)
{
    struct doh_netlink_news news = {0};
    doh_netlink_read(m->octets, m->len, &news);
    return news;
}

static void links(void **state)
{
    (void)state;
    static const struct {
        unsigned change;
        bool changed;
    } cases[] = {
        {IFF_UP, true}, {IFF_RUNNING, true}, {1u << 16, true}, {IFF_PROMISC, false}, {0, false}};
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct ifinfomsg link = {.ifi_change = cases[i].change};
        struct message m = message_of(RTM_NEWLINK, &link, sizeof link);
        assert_int_equal(news_of(&m).changed, cases[i].changed);
        assert_false(news_of(&m).rerouted);
    }
}

static void routes(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct rtmsg route;
        bool changed, rerouted;
    } cases[] = {
        {"default", {.rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST}, true, true},
        {"a network",
         {.rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST, .rtm_dst_len = 24},
         true,
         false},
        {"of an address", {.rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_UNICAST}, false, false},
        {"multicast", {.rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_MULTICAST}, false, false},
        {"a cache entry",
         {.rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST, .rtm_flags = RTM_F_CLONED},
         false,
         false},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        static const uint16_t types[] = {RTM_NEWROUTE, RTM_DELROUTE};
        for (unsigned t = 0; t < COUNT(types); t++) {
            struct message m = message_of(types[t], &cases[i].route, sizeof cases[i].route);
            assert_int_equal(news_of(&m).changed, cases[i].changed);
            assert_int_equal(news_of(&m).rerouted, cases[i].rerouted);
        }
    }
}

static void addresses(void **state)
{
    (void)state;
    static const uint8_t v4[] = {192, 0, 2, 1}, other[] = {192, 0, 2, 2},
                         v6[16] = {0x20, 1, [15] = 7};
    struct ifaddrmsg a = {.ifa_family = AF_INET};
    struct message m = message_of(RTM_DELADDR, &a, sizeof a);
    add_attribute(&m, IFA_ADDRESS, other, 4); /* of a point-to-point link */
    add_attribute(&m, IFA_LOCAL, v4, 4);
    struct doh_netlink_news news = news_of(&m);
    assert_true(news.changed);
    assert_int_equal(news.gone_count, 1);
    assert_memory_equal(&news.gone[0].sa.v4.sin_addr, v4, 4);

    a.ifa_family = AF_INET6;
    m = message_of(RTM_DELADDR, &a, sizeof a);
    add_attribute(&m, IFA_ADDRESS, v6, 16);
    news = news_of(&m);
    assert_int_equal(news.gone_count, 1);
    assert_int_equal(news.gone[0].sa.any.sa_family, AF_INET6);
    assert_memory_equal(&news.gone[0].sa.v6.sin6_addr, v6, 16);

    m = message_of(RTM_NEWADDR, &a, sizeof a);
    add_attribute(&m, IFA_ADDRESS, v6, 16);
    news = news_of(&m);
    assert_true(news.changed);
    assert_int_equal(news.gone_count, 0);
}

/* Cut anywhere, with any length in it: nothing beyond the end is read (ASan), nothing is made up.
 */
static void what_is_cut_is_passed_over(void **state)
{
    (void)state;
    static const uint8_t v4[] = {192, 0, 2, 1};
    struct ifaddrmsg a = {.ifa_family = AF_INET};
    struct message m = message_of(RTM_DELADDR, &a, sizeof a);
    add_attribute(&m, IFA_LOCAL, v4, 4);
    for (uint32_t len = 0; len < m.len; len++) {
        uint8_t *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, m.octets, len);
        struct doh_netlink_news news = {0};
        doh_netlink_read(exact, len, &news);
        assert_int_equal(news.gone_count, 0);
        if (len >= 4) { /* as if it were whole */
            memcpy(exact, &len, sizeof len);
            doh_netlink_read(exact, len, &news);
            assert_int_equal(news.gone_count, 0);
        }
        free(exact);
    }
}

static void more_than_fit_count_as_all(void **state)
{
    (void)state;
    static const uint8_t v4[] = {192, 0, 2, 1};
    struct ifaddrmsg a = {.ifa_family = AF_INET};
    struct message m = message_of(RTM_DELADDR, &a, sizeof a);
    add_attribute(&m, IFA_LOCAL, v4, 4);
    struct doh_netlink_news news = {0};
    for (unsigned i = 0; i < DOH_NETLINK_GONE_MAX; i++)
        doh_netlink_read(m.octets, m.len, &news);
    assert_false(news.rerouted);
    doh_netlink_read(m.octets, m.len, &news);
    assert_true(news.rerouted);
    assert_int_equal(news.gone_count, DOH_NETLINK_GONE_MAX);
}

static void sleep_is_noticed_once(void **state)
{
    (void)state;
    struct doh_network n = {.asleep_ms = 5000};
    assert_false(doh_network_slept(&n, 5000));
    assert_false(doh_network_slept(&n, 7000)); /* clocks are read one after the other */
    assert_true(doh_network_slept(&n, 7001));
    assert_false(doh_network_slept(&n, 7001));
    assert_true(doh_network_slept(&n, 3600000));
}

/* --- a network of our own -------------------------------------------------------------------- */

static bool alone; /* in a namespace */

static void set_up(const char *name, bool up)
{
    struct ifreq r = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    (void)close(fd);
}

static struct sockaddr_in at_192_0_2_1(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
}

static void add_second_address(void)
{
    struct ifreq r = {.ifr_name = "lo:1"};
    struct sockaddr_in at = at_192_0_2_1();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(&r.ifr_addr, &at, sizeof at);
    assert_int_equal(ioctl(fd, SIOCSIFADDR, &r), 0);
    (void)close(fd);
}

static void default_route(bool add)
{
    char lo[] = "lo";
    struct rtentry r = {.rt_flags = RTF_UP, .rt_dev = lo};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    r.rt_dst.sa_family = r.rt_genmask.sa_family = AF_INET;
    assert_int_equal(ioctl(fd, add ? SIOCADDRT : SIOCDELRT, &r), 0);
    (void)close(fd);
}

static int make_network(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return 0;
    alone = true;
    set_up("lo", true);
    return 0;
}

static void count_news(void *arg)
{
    ++*(unsigned *)arg;
}

/* A program that starts before the network: the question waits, and is answered within a second of
 * the link or the address; the connection that was to be ready needs no question. */
static void starting_without_a_network_is_normal(void **state)
{
    (void)state;
    if (!alone)
        skip();
    for (unsigned routeless = 0; routeless < 2; routeless++) {
        struct question q;
        struct world w;
        unsigned news = 0;
        struct sockaddr_in any = {.sin_family = AF_INET};
        world_init(&w, 1);
        world_move(&w, 0, (struct sockaddr *)&any);
        w.config.connect_ms = 4000; /* the kernel itself tries again after 1 s and 3 s */
        if (routeless)
            w.address[0].sa.v4 = at_192_0_2_1();
        else
            set_up("lo", false);
        world_start(&w);
        doh_pool_on_news(w.pool, count_news, &news);
        doh_pool_warm(w.pool);
        ask(&w, &q, "example.test");
        pause_ms(&w, routeless ? 500 : 1200);
        assert_int_equal(q.done, 0);
        if (routeless)
            assert_non_null(strstr(w.warning, "Network is unreachable"));
        uint64_t begin = uv_hrtime();
        if (routeless)
            add_second_address();
        else
            set_up("lo", true);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, DOH_OK);
        assert_true((uv_hrtime() - begin) / 1000000 < 1000);
        assert_in_range(news, 1, 3);
        if (routeless)
            set_up("lo:1", false);
        world_close(&w);
    }
}

/* It was there, went, and comes: nobody waits for a back-off. */
static void a_link_that_comes_back_is_used_at_once(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    if (!alone)
        skip();
    world_init(&w, 1);
    w.config.connect_ms = 200;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    set_up("lo", false);
    server_hang_up(&w.server[0]);
    for (unsigned i = 0; i < 2; i++) /* so that there is a back-off */
        ask_and_wait(&w, &q, "example.test");
    assert_int_not_equal(q.err, DOH_OK);
    uint64_t begin = uv_hrtime();
    set_up("lo", true);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_true((uv_hrtime() - begin) / 1000000 < 1000);
    world_close(&w);
}

/* What an upstream is kept away from for a minute, it may do right on another network. */
static void another_network_is_another_chance(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    if (!alone)
        skip();
    world_init(&w, 2);
    w.server[0].behaviour = (struct behaviour){.status = 404, .count = 1};
    world_start(&w);
    for (unsigned i = 0; i < 2; i++) {
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.upstream, 1);
    }
    add_second_address();
    pause_ms(&w, DOH_NETWORK_SETTLE_MS + 50);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 0);
    set_up("lo:1", false);
    world_close(&w);
}

static void a_lost_address_takes_its_connections_along(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    if (!alone)
        skip();
    add_second_address();
    world_init(&w, 2);
    struct sockaddr_in at = at_192_0_2_1();
    world_move(&w, 0, (struct sockaddr *)&at);
    w.address[0].sa.v4 = at;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 0);
    w.server[0].behaviour.act = ACT_DROP;
    ask(&w, &q, "example.test");
    run_until(&w, &w.server[0].requests, 2);
    uint64_t begin = uv_hrtime();
    set_up("lo:1", false); /* takes the address away */
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(q.upstream, 1);
    assert_true((uv_hrtime() - begin) / 1000000 < 250); /* sooner than any time-out */
    world_close(&w);
}

static void another_route_makes_connections_suspect(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    if (!alone)
        skip();
    for (unsigned dead = 0; dead < 2; dead++) {
        world_init(&w, 1);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        struct peer *p = DOH_ITEM(w.server[0].peers.next, struct peer, link);
        if (dead)
            assert_int_equal(uv_read_stop((uv_stream_t *)&p->tcp), 0);
        default_route(true);
        pause_ms(&w, DOH_NETWORK_SETTLE_MS + 50);
        default_route(false);
        pause_ms(&w, DOH_NETWORK_SETTLE_MS + 50);
        uint64_t begin = uv_hrtime();
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.sent, 1);
        assert_true((uv_hrtime() - begin) / 1000000 < 250); /* no silence had to be waited for */
        assert_int_equal(w.server[0].connections, dead ? 2 : 1);
        if (!dead)
            assert_in_range(w.server[0].pings, 1, 2);
        world_close(&w);
    }
}

struct noise {
    uv_timer_t timer;
    unsigned ticks;
};

/* Containers start: addresses come and go that concern none of our connections. */
static void on_noise(uv_timer_t *timer)
{
    struct noise *noise = DOH_ITEM(timer, struct noise, timer);
    if (noise->ticks++ % 2 == 0)
        add_second_address();
    else
        set_up("lo:1", false);
}

static void changes_without_end_starve_nobody(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct noise noise = {.ticks = 0};
    unsigned news = 0;
    if (!alone)
        skip();
    world_init(&w, 1);
    w.server[0].lag_ms = 300;
    world_start(&w);
    doh_pool_on_news(w.pool, count_news, &news);
    assert_int_equal(uv_timer_init(&w.loop, &noise.timer), 0);
    assert_int_equal(uv_timer_start(&noise.timer, on_noise, 50, 50), 0);
    uint64_t begin_ms = uv_now(&w.loop);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(uv_now(&w.loop) - begin_ms, 300, 1200);
    pause_ms(&w, begin_ms + 1700 - uv_now(&w.loop));
    assert_in_range(news, 1, 4); /* and back-offs are not forgiven five times a second */
    assert_int_equal(w.server[0].pings, 0);
    default_route(true); /* this one does concern it */
    pause_ms(&w, DOH_NETWORK_SETTLE_MS + 50);
    assert_int_equal(w.server[0].pings, 1);
    default_route(false);
    uv_close((uv_handle_t *)&noise.timer, NULL);
    if (noise.ticks % 2 == 1)
        set_up("lo:1", false);
    world_close(&w);
}

static void on_flap(uv_timer_t *timer)
{
    struct noise *noise = DOH_ITEM(timer, struct noise, timer);
    default_route(noise->ticks++ % 2 == 0);
}

/* Nor does a default route that comes and goes. */
static void a_route_that_flaps_starves_nobody(void **state)
{
    (void)state;
    struct world w;
    struct noise noise = {.ticks = 0};
    unsigned news = 0;
    if (!alone)
        skip();
    world_init(&w, 1);
    world_start(&w);
    doh_pool_on_news(w.pool, count_news, &news);
    assert_int_equal(uv_timer_init(&w.loop, &noise.timer), 0);
    assert_int_equal(uv_timer_start(&noise.timer, on_flap, 50, 50), 0);
    pause_ms(&w, 1700);
    assert_in_range(news, 2, 4);
    uv_close((uv_handle_t *)&noise.timer, NULL);
    if (noise.ticks % 2 == 1)
        default_route(false);
    world_close(&w);
}

/* What is not repeated is noticed as soon as the first time. */
static void after_a_quiet_time_all_begins_anew(void **state)
{
    (void)state;
    struct world w;
    unsigned news = 0;
    if (!alone)
        skip();
    world_init(&w, 1);
    world_start(&w);
    doh_pool_on_news(w.pool, count_news, &news);
    for (unsigned i = 0; i < 3; i++) {
        if (i % 2 == 0)
            add_second_address();
        else
            set_up("lo:1", false);
        pause_ms(&w, DOH_NETWORK_SETTLE_MS + 50);
        assert_int_equal(news, i + 1);
        pause_ms(&w, 2 * DOH_NETWORK_SETTLE_MS);
        assert_int_equal(news, i + 1);
    }
    set_up("lo:1", false);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links),
        cmocka_unit_test(routes),
        cmocka_unit_test(addresses),
        cmocka_unit_test(what_is_cut_is_passed_over),
        cmocka_unit_test(more_than_fit_count_as_all),
        cmocka_unit_test(sleep_is_noticed_once),
        cmocka_unit_test(starting_without_a_network_is_normal),
        cmocka_unit_test(a_link_that_comes_back_is_used_at_once),
        cmocka_unit_test(another_network_is_another_chance),
        cmocka_unit_test(a_lost_address_takes_its_connections_along),
        cmocka_unit_test(another_route_makes_connections_suspect),
        cmocka_unit_test(changes_without_end_starve_nobody),
        cmocka_unit_test(a_route_that_flaps_starves_nobody),
        cmocka_unit_test(after_a_quiet_time_all_begins_anew),
    };
    return cmocka_run_group_tests(tests, make_network, NULL);
}
