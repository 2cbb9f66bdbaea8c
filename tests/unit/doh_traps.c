// SPDX-License-Identifier: MIT
/* What the libraries do that the room has to live with: each probe shows a trap that our code goes
 * round, on the version that is installed. A probe that fails says that the trap is gone or has
 * changed, and names the place that may be simplified or has to be looked at. */
#include "tests/unit/doh_world.h"

#include <ares.h>

#include <poll.h>

/* --- nghttp2 --------------------------------------------------------------------------------- */

static nghttp2_session *client(void)
{
    nghttp2_session *session = NULL;
    nghttp2_session_callbacks *callbacks = NULL;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_session_client_new(&session, callbacks, NULL), 0);
    assert_int_equal(nghttp2_submit_settings(session, 0, NULL, 0), 0);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static int32_t request(nghttp2_session *session)
{
    nghttp2_nv nv[] = {server_field(":method", "GET"), server_field(":scheme", "https"),
                       server_field(":authority", "doh.test"), server_field(":path", "/")};
    return nghttp2_submit_request(session, NULL, nv, COUNT(nv), NULL, NULL);
}

static size_t drain(nghttp2_session *session)
{
    const uint8_t *octets;
    ssize_t n;
    size_t all = 0;
    while ((n = nghttp2_session_mem_send(session, &octets)) > 0)
        all += (size_t)n;
    assert_int_equal(n, 0);
    return all;
}

/* doh/h2.c counts streams itself, and never submits more than there is room for. */
static void nghttp2_parks_requests_silently(void **state)
{
    (void)state;
    static const uint8_t settings_max_5[] = {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 5};
    nghttp2_session *session = client();
    (void)drain(session);
    assert_int_equal(nghttp2_session_mem_recv(session, settings_max_5, sizeof settings_max_5),
                     sizeof settings_max_5);
    (void)drain(session);
    for (unsigned i = 0; i < 20; i++)
        assert_true(request(session) > 0); /* all are taken */
    (void)drain(session);
    assert_int_equal(nghttp2_session_get_outbound_queue_size(session), 15);
    assert_false(nghttp2_session_want_write(session)); /* and it says that there is nothing to do */
    nghttp2_session_del(session);
}

/* doh/h2.c: 128 KiB, since a padded answer of 65535 octets takes 256 more for each frame. */
static void nghttp2_default_window_is_too_small(void **state)
{
    (void)state;
    nghttp2_session *session = client();
    assert_true(nghttp2_session_get_local_settings(session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) <=
                DNS_MSG_MAX);
    assert_true(nghttp2_session_get_local_window_size(session) <= (int32_t)DNS_MSG_MAX);
    nghttp2_session_del(session);
}

/* --- OpenSSL --------------------------------------------------------------------------------- */

/* doh/connection.c collects what a turn sends before it is encrypted: two writes are two records.
 */
static void openssl_makes_a_record_of_each_write(void **state)
{
    (void)state;
    struct authority ca = authority_new();
    SSL_CTX *contexts[2] = {SSL_CTX_new(TLS_client_method()), server_context(&ca, SERVER_HOST, 5)};
    SSL *ssl[2];
    BIO *pipe[2];
    assert_int_equal(BIO_new_bio_pair(&pipe[0], 1 << 16, &pipe[1], 1 << 16), 1);
    for (unsigned i = 0; i < 2; i++) {
        ssl[i] = SSL_new(contexts[i]);
        SSL_set_bio(ssl[i], pipe[i], pipe[i]);
    }
    SSL_set_connect_state(ssl[0]);
    SSL_set_accept_state(ssl[1]);
    for (unsigned i = 0; i < 8; i++)
        (void)SSL_do_handshake(ssl[i % 2]);
    assert_true(SSL_is_init_finished(ssl[0]) && SSL_is_init_finished(ssl[1]));
    size_t before = BIO_ctrl_pending(pipe[1]);
    assert_int_equal(SSL_write(ssl[0], "0123456789", 10), 10);
    size_t one = BIO_ctrl_pending(pipe[1]) - before;
    assert_int_equal(SSL_write(ssl[0], "01234", 5), 5);
    assert_int_equal(SSL_write(ssl[0], "56789", 5), 5);
    assert_true(BIO_ctrl_pending(pipe[1]) - before - one > one + 16);
    for (unsigned i = 0; i < 2; i++) {
        SSL_free(ssl[i]);
        SSL_CTX_free(contexts[i]);
    }
    authority_free(&ca);
}

/* --- libuv ----------------------------------------------------------------------------------- */

/* Every deadline of the room is counted on uv_now(): it stands still within a turn. */
static void libuv_caches_its_clock(void **state)
{
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    uint64_t before = uv_now(&loop);
    (void)poll(NULL, 0, 20);
    assert_int_equal(uv_now(&loop), before);
    uv_update_time(&loop);
    assert_true(uv_now(&loop) >= before + 19);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* --- c-ares ---------------------------------------------------------------------------------- */

#define ANSWER_LEN 900u /* not truncated, longer than 512 */

struct ares_probe {
    ares_channel channel;
    int udp, tcp;
    unsigned asked_udp, asked_tcp, done;
    int len, rcode;
    size_t query_len[4]; /* of each UDP query that came */
    bool formerr;        /* answer the first so, without OPT */
};

static void on_ares(void *arg, int status, int timeouts, unsigned char *buf, int len)
{
    struct ares_probe *p = arg;
    (void)timeouts;
    p->done++;
    p->len = status == ARES_SUCCESS ? len : -status;
    p->rcode = len > 3 ? buf[3] & 15 : -1;
}

static void answer_udp(struct ares_probe *p)
{
    uint8_t buf[2048];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t n =
        recvfrom(p->udp, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    if (n < 12)
        return;
    if (p->asked_udp < 4)
        p->query_len[p->asked_udp] = (size_t)n;
    size_t len = ANSWER_LEN;
    buf[2] |= 0x80;
    if (p->formerr && p->asked_udp == 0) {
        buf[3] = 1;
        memset(buf + 6, 0, 6);
        len = 12 + 14 + 4; /* with the question: else it is passed over */
    } else {
        memset(buf + n, 0, sizeof buf - (size_t)n);
    }
    p->asked_udp++;
    (void)sendto(p->udp, buf, len, 0, (struct sockaddr *)&from, from_len);
}

static void ares_ask(struct ares_probe *p, int flags)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof at;
    p->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    p->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(p->tcp, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(p->tcp, (struct sockaddr *)&at, &at_len), 0);
    assert_int_equal(bind(p->udp, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(p->tcp, 4), 0);
    struct ares_options options = {.flags = flags, .timeout = 300, .tries = 1, .ednspsz = 1232};
    char nothing[] = "/dev/null";
    options.resolvconf_path = nothing;
    assert_int_equal(ares_init_options(&p->channel, &options,
                                       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                           ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF),
                     ARES_SUCCESS);
    struct ares_addr_port_node server = {
        .family = AF_INET, .udp_port = ntohs(at.sin_port), .tcp_port = ntohs(at.sin_port)};
    server.addr.addr4 = at.sin_addr;
    assert_int_equal(ares_set_servers_ports(p->channel, &server), ARES_SUCCESS);
    uint8_t wire[512];
    struct dns_question question = question_for("example.test");
    struct dns_opt_out opt = {.udp_size = 1232, .pad_to = 128};
    uint32_t len = dns_query_write(wire, sizeof wire, 7, &question, 0, &opt);
    ares_send(p->channel, wire, (int)len, on_ares, p);
    for (unsigned i = 0; i < 200 && p->done == 0; i++) {
        struct pollfd fds[2 + ARES_GETSOCK_MAXNUM] = {{p->udp, POLLIN, 0}, {p->tcp, POLLIN, 0}};
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        int bits = ares_getsock(p->channel, sockets, ARES_GETSOCK_MAXNUM);
        nfds_t count = 2;
        for (int s = 0; s < ARES_GETSOCK_MAXNUM; s++)
            if (ARES_GETSOCK_READABLE(bits, s))
                fds[count++] = (struct pollfd){sockets[s], POLLIN, 0};
        (void)poll(fds, count, 10);
        answer_udp(p);
        int fd = accept(p->tcp, NULL, NULL);
        if (fd >= 0) {
            p->asked_tcp++;
            (void)close(fd);
        }
        for (nfds_t s = 2; s < count; s++)
            ares_process_fd(p->channel, fds[s].revents ? fds[s].fd : ARES_SOCKET_BAD,
                            ARES_SOCKET_BAD);
        ares_process_fd(p->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    ares_destroy(p->channel);
    (void)close(p->udp);
    (void)close(p->tcp);
}

/* doh/plain.c sets ARES_FLAG_EDNS and EDNSPSZ, although it writes its own OPT. */
static void cares_without_edns_knows_512_octets(void **state)
{
    (void)state;
    struct ares_probe cut = {0}, tcp = {0}, whole = {0};
    ares_ask(&cut, ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC);
    assert_int_equal(cut.len, 512); /* although TC is 0 */
    ares_ask(&tcp, ARES_FLAG_NOCHECKRESP);
    assert_true(tcp.asked_tcp > 0); /* although TC is 0 */
    ares_ask(&whole, ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS);
    assert_int_equal(whole.len, ANSWER_LEN);
    assert_int_equal(whole.asked_tcp, 0);
}

/* doh/plain.c: the OPT is the last record and bare, so that what is chopped off is just that. */
static void cares_chops_the_query_after_formerr(void **state)
{
    (void)state;
    struct ares_probe p = {.formerr = true};
    ares_ask(&p, ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS);
    assert_true(p.asked_udp >= 2);
    assert_int_equal(p.query_len[0], 128);
    assert_int_equal(p.query_len[1], 128 - 11); /* in the middle of the padding */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nghttp2_parks_requests_silently),
        cmocka_unit_test(nghttp2_default_window_is_too_small),
        cmocka_unit_test(openssl_makes_a_record_of_each_write),
        cmocka_unit_test(libuv_caches_its_clock),
        cmocka_unit_test(cares_without_edns_knows_512_octets),
        cmocka_unit_test(cares_chops_the_query_after_formerr),
    };
    assert_int_equal(ares_library_init(ARES_LIB_INIT_ALL), ARES_SUCCESS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ares_library_cleanup();
    return failed;
}
