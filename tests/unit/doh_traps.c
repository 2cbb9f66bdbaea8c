// SPDX-License-Identifier: MIT
/* What the libraries do that the room has to live with: each probe shows a trap that our code goes
 * round, on the version that is installed. A probe that fails says that the trap is gone or has
 * changed, and names the place that may be simplified or has to be looked at. */
#include "tests/unit/doh_world.h"

#include <ares.h>
#include <openssl/err.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

static void feed(nghttp2_session *session, const uint8_t *octets, size_t len)
{
    assert_int_equal(nghttp2_session_mem_recv(session, octets, len), len);
}

static const uint8_t settings_frame[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};

/* doh/h2.c copies what it gets before it asks for more. */
static void nghttp2_overwrites_what_it_gave(void **state)
{
    (void)state;
    const uint8_t *settings, *ping;
    nghttp2_session *session = client();
    assert_int_equal(nghttp2_submit_ping(session, 0, (const uint8_t *)"12345678"), 0);
    assert_true(nghttp2_session_mem_send(session, &ping) > 0); /* the preface */
    assert_true(nghttp2_session_mem_send(session, &settings) > 0);
    assert_true(nghttp2_session_mem_send(session, &ping) > 0);
    assert_ptr_equal(settings, ping);
    nghttp2_session_del(session);
}

/* doh/connection.c goes on reading after a GOAWAY, until this says that nothing is to come. */
static void nghttp2_has_more_to_read_after_goaway(void **state)
{
    (void)state;
    static const uint8_t goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    static const uint8_t answer[] = {0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88}; /* HEADERS, :status 200 */
    nghttp2_session *session = client();
    assert_int_equal(request(session), 1);
    feed(session, settings_frame, sizeof settings_frame);
    (void)drain(session);
    feed(session, goaway, sizeof goaway);
    (void)drain(session);
    assert_true(nghttp2_session_want_read(session));
    feed(session, answer, sizeof answer);
    (void)drain(session);
    assert_false(nghttp2_session_want_read(session) || nghttp2_session_want_write(session));
    nghttp2_session_del(session);
}

static int on_failing_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                           size_t len, void *user_data)
{
    (void)session;
    (void)flags;
    (void)id;
    (void)data;
    (void)len;
    return *(const int *)user_data;
}

/* doh/h2.c ends a stream that is too long by RST_STREAM: what the callback returns is either passed
 * over or the end of all streams. */
static void nghttp2_cannot_fail_one_stream(void **state)
{
    (void)state;
    static const uint8_t answer[] = {0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88, 0, 0, 1, 0, 0, 0, 0, 0, 1, 9};
    int results[] = {NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE, NGHTTP2_ERR_CALLBACK_FAILURE};
    for (unsigned i = 0; i < COUNT(results); i++) {
        nghttp2_session *session = NULL;
        nghttp2_session_callbacks *callbacks = NULL;
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_failing_data);
        assert_int_equal(nghttp2_session_client_new(&session, callbacks, &results[i]), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(request(session), 1);
        feed(session, settings_frame, sizeof settings_frame);
        (void)drain(session);
        ssize_t n = nghttp2_session_mem_recv(session, answer, sizeof answer);
        if (i == 0)
            assert_int_equal(n, sizeof answer);
        else
            assert_int_equal(n, NGHTTP2_ERR_CALLBACK_FAILURE);
        (void)drain(session);
        assert_int_equal(nghttp2_session_want_read(session), 1); /* no RST_STREAM, no GOAWAY */
        nghttp2_session_del(session);
    }
}

/* --- OpenSSL --------------------------------------------------------------------------------- */

/* Client and server, with pipes between them. */
struct ends {
    SSL *ssl[2];
    BIO *pipe[2];
};

struct contexts {
    struct authority ca;
    SSL_CTX *context[2];
};

static struct contexts contexts_new(void)
{
    struct contexts c = {.ca = authority_new()};
    c.context[0] = SSL_CTX_new(TLS_client_method());
    c.context[1] = server_context(&c.ca, SERVER_HOST, 5);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(c.context[0]), c.ca.cert);
    SSL_CTX_set_verify(c.context[0], SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_set_max_early_data(c.context[1], 16384), 1);
    return c;
}

static void contexts_free(struct contexts *c)
{
    SSL_CTX_free(c->context[0]);
    SSL_CTX_free(c->context[1]);
    authority_free(&c->ca);
}

static struct ends ends_new(const struct contexts *c, SSL_SESSION *session)
{
    struct ends e;
    assert_int_equal(BIO_new_bio_pair(&e.pipe[0], 1 << 16, &e.pipe[1], 1 << 16), 1);
    for (unsigned i = 0; i < 2; i++) {
        e.ssl[i] = SSL_new(c->context[i]);
        SSL_set_bio(e.ssl[i], e.pipe[i], e.pipe[i]);
    }
    SSL_set_connect_state(e.ssl[0]);
    SSL_set_accept_state(e.ssl[1]);
    if (session)
        assert_int_equal(SSL_set_session(e.ssl[0], session), 1);
    return e;
}

static void ends_free(struct ends *e)
{
    SSL_free(e->ssl[0]);
    SSL_free(e->ssl[1]);
}

/* Also reads the tickets. */
static void shake_hands(struct ends *e)
{
    char octet;
    for (unsigned i = 0; i < 8; i++)
        (void)SSL_do_handshake(e->ssl[i % 2]);
    assert_true(SSL_is_init_finished(e->ssl[0]) && SSL_is_init_finished(e->ssl[1]));
    assert_true(SSL_read(e->ssl[0], &octet, 1) < 0);
}

static SSL_SESSION *session_of(const struct contexts *c)
{
    struct ends e = ends_new(c, NULL);
    shake_hands(&e);
    SSL_SESSION *session = SSL_get1_session(e.ssl[0]);
    for (unsigned i = 0; i < 2; i++) /* else neither keeps it */
        SSL_set_shutdown(e.ssl[i], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ends_free(&e);
    return session;
}

/* doh/connection.c collects what a turn sends before it is encrypted: two writes are two records.
 */
static void openssl_makes_a_record_of_each_write(void **state)
{
    (void)state;
    struct contexts c = contexts_new();
    struct ends e = ends_new(&c, NULL);
    shake_hands(&e);
    size_t before = BIO_ctrl_pending(e.pipe[1]);
    assert_int_equal(SSL_write(e.ssl[0], "0123456789", 10), 10);
    size_t one = BIO_ctrl_pending(e.pipe[1]) - before;
    assert_int_equal(SSL_write(e.ssl[0], "01234", 5), 5);
    assert_int_equal(SSL_write(e.ssl[0], "56789", 5), 5);
    assert_true(BIO_ctrl_pending(e.pipe[1]) - before - one > one + 16);
    ends_free(&e);
    contexts_free(&c);
}

/* doh/tls.c clears the queue of errors before each call. */
static void openssl_takes_old_errors_for_new(void **state)
{
    (void)state;
    char octet;
    struct contexts c = contexts_new();
    struct ends e = ends_new(&c, NULL);
    shake_hands(&e);
    int rc = SSL_read(e.ssl[0], &octet, 1);
    assert_int_equal(SSL_get_error(e.ssl[0], rc), SSL_ERROR_WANT_READ);
    ERR_raise(ERR_LIB_X509, ERR_R_INTERNAL_ERROR); /* somebody else's */
    rc = SSL_read(e.ssl[0], &octet, 1);
    assert_int_equal(SSL_get_error(e.ssl[0], rc), SSL_ERROR_SSL);
    ERR_clear_error();
    ends_free(&e);
    contexts_free(&c);
}

/* doh_tls_free() says that both ends have said goodbye, whether they have or not. */
static void openssl_spoils_the_session_of_a_cut_connection(void **state)
{
    (void)state;
    struct contexts c = contexts_new();
    for (unsigned polite = 0; polite < 2; polite++) {
        struct ends e = ends_new(&c, NULL);
        shake_hands(&e);
        SSL_SESSION *session = SSL_get1_session(e.ssl[0]);
        assert_int_equal(SSL_SESSION_is_resumable(session), 1);
        if (polite)
            SSL_set_shutdown(e.ssl[0], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        ends_free(&e);
        assert_int_equal(SSL_SESSION_is_resumable(session), polite);
        SSL_SESSION_free(session);
    }
    contexts_free(&c);
}

/* doh/tls.c looks for pins in the chain as it was sent, then. */
static void openssl_forgets_the_verified_chain(void **state)
{
    (void)state;
    struct contexts c = contexts_new();
    struct ends e = ends_new(&c, NULL);
    shake_hands(&e);
    assert_non_null(SSL_get0_verified_chain(e.ssl[0]));
    ends_free(&e);
    SSL_SESSION *session = session_of(&c);
    e = ends_new(&c, session);
    shake_hands(&e);
    assert_int_equal(SSL_session_reused(e.ssl[0]), 1);
    assert_null(SSL_get0_verified_chain(e.ssl[0]));
    assert_non_null(SSL_get_peer_cert_chain(e.ssl[0]));
    ends_free(&e);
    SSL_SESSION_free(session);
    contexts_free(&c);
}

/* Of what the client has sent: whether the ClientHello has that extension (RFC 8446 4.1.2). */
static bool hello_has(const uint8_t *sent, size_t len, uint16_t wanted)
{
    struct dns_reader r = dns_reader_init(sent, (uint32_t)len);
    (void)dns_read_bytes(&r, 5 + 4 + 2 + 32);   /* record, handshake, version, random */
    (void)dns_read_bytes(&r, dns_read_u8(&r));  /* the session's ID */
    (void)dns_read_bytes(&r, dns_read_u16(&r)); /* cipher suites */
    (void)dns_read_bytes(&r, dns_read_u8(&r));  /* compression */
    uint32_t left = dns_read_u16(&r);
    bool found = false;
    while (left >= 4 && r.err == DNS_OK) {
        uint16_t type = dns_read_u16(&r), size = dns_read_u16(&r);
        (void)dns_read_bytes(&r, size);
        left -= 4u + size;
        found = found || type == wanted;
    }
    assert_int_equal(r.err, DNS_OK);
    return found;
}

static bool has_application_data(const uint8_t *sent, size_t len)
{
    for (size_t at = 0; at + 5 <= len; at += 5u + ((size_t)sent[at + 3] << 8 | sent[at + 4]))
        if (sent[at] == SSL3_RT_APPLICATION_DATA)
            return true;
    return false;
}

/* doh/tls.c looks at the ticket's age itself: too old, it is left out, and the early data, which
 * nobody can read then, is not. */
static void openssl_sends_early_data_without_a_ticket(void **state)
{
    (void)state;
    struct contexts c = contexts_new();
    for (unsigned expired = 0; expired < 2; expired++) {
        uint8_t sent[8192];
        size_t written;
        SSL_SESSION *session = session_of(&c);
        assert_true(SSL_SESSION_get_max_early_data(session) > 0);
        if (expired)
            (void)SSL_SESSION_set_time(session, (long)time(NULL) - 8 * 86400);
        struct ends e = ends_new(&c, session);
        assert_int_equal(SSL_write_early_data(e.ssl[0], "question", 8, &written), 1);
        int len = BIO_read(e.pipe[1], sent, sizeof sent);
        assert_true(len > 0);
        assert_int_equal(hello_has(sent, (size_t)len, TLSEXT_TYPE_psk), !expired);
        assert_true(has_application_data(sent, (size_t)len));
        ends_free(&e);
        SSL_SESSION_free(session);
    }
    contexts_free(&c);
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

static void on_never(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
    _exit(2);
}

static void forget_a_descriptor(void)
{
    static const struct rlimit no_core = {0, 0};
    uv_loop_t loop;
    uv_poll_t poll;
    int pair[2];
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (uv_loop_init(&loop) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        uv_poll_init(&loop, &poll, pair[0]) != 0)
        _exit(1);
    (void)uv_poll_start(&poll, UV_READABLE, on_never);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    (void)dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), pair[0]); /* it is somebody else's now */
    (void)uv_poll_start(&poll, UV_READABLE | UV_WRITABLE, on_never);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    _exit(0);
}

/* Every descriptor of the room is no longer watched when it is closed. */
static void libuv_aborts_over_a_closed_descriptor(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        forget_a_descriptor();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* --- c-ares ---------------------------------------------------------------------------------- */

#define ANSWER_LEN 900u /* not truncated, longer than 512 */

struct ares_probe {
    ares_channel channel;
    int udp, tcp;
    unsigned asked_udp, asked_tcp, done;
    int len, rcode;
    size_t query_len[4]; /* of each UDP query that came */
    uint16_t id[4], from_port[4];
    bool formerr;         /* answer the first so, without OPT */
    uint8_t rcode_told;   /* by the server */
    unsigned ask_twice;   /* 1: another question while the first runs */
    unsigned closed_open; /* sockets that were still open when we were told of their end */
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
    if (p->asked_udp < 4) {
        p->query_len[p->asked_udp] = (size_t)n;
        p->id[p->asked_udp] = (uint16_t)(buf[0] << 8 | buf[1]);
        p->from_port[p->asked_udp] = ntohs(from.sin_port);
    }
    size_t len = ANSWER_LEN;
    buf[2] |= 0x80;
    buf[3] = p->rcode_told;
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

static void on_ares_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct ares_probe *p = arg;
    if (!readable && !writable && fcntl(fd, F_GETFD) >= 0)
        p->closed_open++;
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
    struct ares_options options = {.flags = flags,
                                   .timeout = 300,
                                   .tries = 1,
                                   .ednspsz = 1232,
                                   .sock_state_cb = on_ares_socket,
                                   .sock_state_cb_data = p};
    char nothing[] = "/dev/null";
    options.resolvconf_path = nothing;
    assert_int_equal(ares_init_options(&p->channel, &options,
                                       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                           ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF |
                                           ARES_OPT_SOCK_STATE_CB),
                     ARES_SUCCESS);
    struct ares_addr_port_node server = {
        .family = AF_INET, .udp_port = ntohs(at.sin_port), .tcp_port = ntohs(at.sin_port)};
    server.addr.addr4 = at.sin_addr;
    assert_int_equal(ares_set_servers_ports(p->channel, &server), ARES_SUCCESS);
    uint8_t wire[512];
    struct dns_question question = question_for("example.test");
    struct dns_opt_out opt = {.udp_size = 1232, .pad_to = 128};
    for (uint16_t i = 0; i <= p->ask_twice; i++) {
        uint32_t len = dns_query_write(wire, sizeof wire, (uint16_t)(7 + i), &question, 0, &opt);
        ares_send(p->channel, wire, (int)len, on_ares, p);
    }
    for (unsigned i = 0; i < 200 && p->done <= p->ask_twice; i++) {
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

/* doh/plain.c has its own deadlines: nobody waits for these. */
static void cares_is_very_patient(void **state)
{
    (void)state;
    ares_channel channel;
    struct ares_options options;
    int mask;
    assert_int_equal(ares_init(&channel), ARES_SUCCESS);
    assert_int_equal(ares_save_options(channel, &options, &mask), ARES_SUCCESS);
    assert_true(options.timeout * ((1 << options.tries) - 1) > 5000); /* each doubles */
    ares_destroy_options(&options);
    ares_destroy(channel);
}

/* doh/plain.c sets NOCHECKRESP: what a server refuses is an answer, too. */
static void cares_hides_refusals(void **state)
{
    (void)state;
    struct ares_probe hidden = {.rcode_told = DNS_RCODE_REFUSED}, seen = hidden;
    ares_ask(&hidden, ARES_FLAG_EDNS);
    assert_true(hidden.len < 0);
    ares_ask(&seen, ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP);
    assert_int_equal(seen.len, ANSWER_LEN);
    assert_int_equal(seen.rcode, DNS_RCODE_REFUSED);
}

/* doh/route.c takes a new channel every so often; doh/plain.c draws the IDs. */
static void cares_keeps_port_and_id(void **state)
{
    (void)state;
    struct ares_probe p = {.ask_twice = 1};
    ares_ask(&p, ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP);
    assert_int_equal(p.asked_udp, 2);
    assert_int_equal(p.from_port[0], p.from_port[1]);
    assert_int_equal(p.id[0], 7);
    assert_int_equal(p.id[1], 8);
}

/* doh/plain.c stops to watch a socket when it is told so: it is closed next. */
static void cares_tells_before_it_closes(void **state)
{
    (void)state;
    struct ares_probe p = {0};
    ares_ask(&p, ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP);
    assert_true(p.closed_open > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nghttp2_parks_requests_silently),
        cmocka_unit_test(nghttp2_default_window_is_too_small),
        cmocka_unit_test(nghttp2_overwrites_what_it_gave),
        cmocka_unit_test(nghttp2_has_more_to_read_after_goaway),
        cmocka_unit_test(nghttp2_cannot_fail_one_stream),
        cmocka_unit_test(openssl_makes_a_record_of_each_write),
        cmocka_unit_test(openssl_takes_old_errors_for_new),
        cmocka_unit_test(openssl_spoils_the_session_of_a_cut_connection),
        cmocka_unit_test(openssl_forgets_the_verified_chain),
        cmocka_unit_test(openssl_sends_early_data_without_a_ticket),
        cmocka_unit_test(libuv_caches_its_clock),
        cmocka_unit_test(libuv_aborts_over_a_closed_descriptor),
        cmocka_unit_test(cares_without_edns_knows_512_octets),
        cmocka_unit_test(cares_chops_the_query_after_formerr),
        cmocka_unit_test(cares_is_very_patient),
        cmocka_unit_test(cares_hides_refusals),
        cmocka_unit_test(cares_keeps_port_and_id),
        cmocka_unit_test(cares_tells_before_it_closes),
    };
    assert_int_equal(ares_library_init(ARES_LIB_INIT_ALL), ARES_SUCCESS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ares_library_cleanup();
    return failed;
}
