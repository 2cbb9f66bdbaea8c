// SPDX-License-Identifier: MIT
/* Real sockets that share a port, and one client: which of them gets which question. */
#include "dns/message.h"
#include "proxy/listener_steer.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUP 4u
#define NAMES 400u

struct group {
    int fd[GROUP], client;
    struct sockaddr_in at;
};

static void open_group(struct group *g, bool steered)
{
    int on = 1;
    socklen_t len = sizeof g->at;
    g->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (unsigned i = 0; i < GROUP; i++) {
        g->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        assert_int_equal(setsockopt(g->fd[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
        assert_int_equal(bind(g->fd[i], (struct sockaddr *)&g->at, sizeof g->at), 0);
        assert_int_equal(getsockname(g->fd[i], (struct sockaddr *)&g->at, &len), 0);
        if (steered)
            assert_true(listener_steer(g->fd[i], GROUP));
    }
    g->client = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(g->client, (struct sockaddr *)&g->at, sizeof g->at), 0);
}

static void close_group(struct group *g)
{
    for (unsigned i = 0; i < GROUP; i++)
        (void)close(g->fd[i]);
    (void)close(g->client);
}

/* Which of the group got it; loopback delivers before send() returns. */
static unsigned receiver(struct group *g, const void *octets, size_t len)
{
    unsigned at = GROUP;
    uint8_t buf[1024];
    assert_int_equal(send(g->client, octets, len, 0), len);
    for (unsigned i = 0; i < GROUP; i++)
        if (recv(g->fd[i], buf, sizeof buf, 0) == (ssize_t)len)
            at = i;
    assert_true(at < GROUP);
    return at;
}

static unsigned receiver_of(struct group *g, uint16_t id, const char *name, uint16_t type)
{
    uint8_t wire[512];
    struct dns_question q = {.type = type, .class_ = DNS_CLASS_IN};
    struct dns_opt_out opt = {.udp_size = (uint16_t)(1200 + id % 2), .dnssec_ok = id % 3 == 0};
    assert_int_equal(dns_name_parse(name, &q.name), DNS_OK);
    return receiver(g, wire, dns_query_write(wire, sizeof wire, id, &q, 0, &opt));
}

static void count_names(struct group *g, unsigned count[static GROUP])
{
    for (uint16_t i = 0; i < NAMES; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "host%u.example.com.", i);
        count[receiver_of(g, i, name, DNS_TYPE_A)]++;
    }
}

static void one_client_is_spread_over_all(void **state)
{
    (void)state;
    struct group g;
    unsigned count[GROUP] = {0};
    open_group(&g, true);
    count_names(&g, count);
    for (unsigned i = 0; i < GROUP; i++)
        assert_in_range(count[i], NAMES / GROUP / 2, NAMES / GROUP * 2);
    close_group(&g);
}

/* What it is for: without it all of them go to one. */
static void left_alone_one_gets_all(void **state)
{
    (void)state;
    struct group g;
    unsigned count[GROUP] = {0}, most = 0;
    open_group(&g, false);
    count_names(&g, count);
    for (unsigned i = 0; i < GROUP; i++)
        most = count[i] > most ? count[i] : most;
    assert_int_equal(most, NAMES);
    close_group(&g);
}

static void equal_questions_meet(void **state)
{
    static const char *const spelled[] = {"www.example.com.", "WWW.example.com.",
                                          "wWw.eXaMpLe.CoM."};
    (void)state;
    struct group g;
    open_group(&g, true);
    unsigned at = receiver_of(&g, 7, spelled[0], DNS_TYPE_A);
    for (uint16_t i = 0; i < 30; i++)
        assert_int_equal(receiver_of(&g, i, spelled[i % COUNT(spelled)], DNS_TYPE_A), at);
    close_group(&g);
}

static void short_ones_are_delivered_too(void **state)
{
    (void)state;
    struct group g;
    uint8_t octets[32] = {0};
    open_group(&g, true);
    for (size_t len = 1; len <= sizeof octets; len++)
        (void)receiver(&g, octets, len); /* asserts that somebody got it */
    close_group(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_is_spread_over_all),
        cmocka_unit_test(left_alone_one_gets_all),
        cmocka_unit_test(equal_questions_meet),
        cmocka_unit_test(short_ones_are_delivered_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
