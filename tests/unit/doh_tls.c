// SPDX-License-Identifier: MIT
/* Who is believed to be an upstream, and what is said of those who are not. Over real sockets and
 * real TLS. */
#include "doh/pin.h"
#include "doh/shared.h"
#include "tests/unit/doh_world.h"

/* Writes a certificate and its key, signed by `ca`, to files named after the templates. */
static void identity_files(const struct authority *ca, char *cert_file, char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key, "me.test", ca->cert, ca->key, 5);
    FILE *f = fdopen(mkstemp(cert_file), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(fclose(f), 0);
    f = fdopen(mkstemp(key_file), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Without a socket: octets are carried between the two until the client has an opinion. */
static enum doh_tls_step handshake_with(SSL_CTX *server_context, struct doh_tls *tls)
{
    SSL *server = SSL_new(server_context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(server, in, out);
    SSL_set_accept_state(server);
    enum doh_tls_step step = DOH_TLS_MORE;
    for (unsigned i = 0; i < 10 && step == DOH_TLS_MORE; i++) {
        char octets[16384];
        step = doh_tls_handshake(tls);
        struct doh_buffer *sent = doh_tls_out(tls);
        (void)BIO_write(in, doh_buffer_front(sent), (int)doh_buffer_used(sent));
        doh_buffer_drop(sent, doh_buffer_used(sent));
        (void)SSL_do_handshake(server);
        int n = BIO_read(out, octets, sizeof octets);
        if (n > 0)
            assert_true(doh_buffer_add(doh_tls_in(tls), octets, (size_t)n));
    }
    SSL_free(server);
    return step;
}

/* --- pins ------------------------------------------------------------------------------------ */

static void pins_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true},
        {"sha256//+/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true},
        {"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false},
        {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", false},
        {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
        {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA?=", false},
        {"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=x", false},
        {"sha256//", false},
        {"", false},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].text);
        char again[DOH_PIN_TEXT_MAX];
        struct doh_pin pin;
        assert_int_equal(doh_pin_parse(cases[i].text, &pin), cases[i].good);
        if (cases[i].good)
            assert_string_equal(doh_pin_text(&pin, again), cases[i].text);
    }
}

static char *pin_of_server(const struct world *w, char text[static DOH_PIN_TEXT_MAX])
{
    struct doh_pin pin;
    assert_true(doh_pin_of(SSL_CTX_get0_certificate(w->server[0].context), &pin));
    (void)doh_pin_text(&pin, text);
    return text;
}

static char wrong_pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void a_pinned_key_is_taken(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        char right[DOH_PIN_TEXT_MAX];
        struct question q;
        struct world w;
        struct doh_upstream_status status;
        world_init(&w, 1);
        char *pins[] = {wrong_pin, pin_of_server(&w, right)};
        w.upstream[0].pins = pins;
        w.upstream[0].pin_count = 2;
        world_start(&w);
        for (unsigned i = 0; i <= resumed; i++) {
            ask_and_wait(&w, &q, "example.test");
            assert_int_equal(q.err, DOH_OK);
            server_hang_up(&w.server[0]);
        }
        (void)doh_pool_status(w.pool, &status, 1);
        assert_int_equal(status.resumed, resumed);
        world_close(&w);
    }
}

static void another_key_is_not(void **state)
{
    (void)state;
    char right[DOH_PIN_TEXT_MAX];
    struct question q;
    struct world w;
    char *pins[] = {wrong_pin};
    world_init(&w, 1);
    w.upstream[0].pins = pins;
    w.upstream[0].pin_count = 1;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_TLS);
    assert_int_equal(w.server[0].requests, 0);
    assert_non_null(strstr(w.warning, pin_of_server(&w, right))); /* what to write instead */
    assert_non_null(strstr(w.warning, "'pin'"));
    world_close(&w);
}

/* The session that is resumed belongs to a key that is not pinned (any more). */
static void a_resumed_session_is_checked_too(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    struct doh_tls_peer peer = doh_shared_peer(w.shared, 0);
    struct doh_pin pin;
    assert_true(doh_pin_parse(wrong_pin, &pin));
    peer.pins = &pin;
    for (unsigned pinned = 0; pinned < 2; pinned++) {
        peer.pin_count = pinned;
        SSL_SESSION *session = doh_shared_session(w.shared, 0); /* the server gave two tickets */
        assert_non_null(session);
        struct doh_tls *tls = doh_tls_new(doh_shared_context(w.shared, 0), &peer, session);
        enum doh_tls_step step = handshake_with(w.server[0].context, tls);
        assert_true(doh_tls_resumed(tls));
        assert_int_equal(step, pinned ? DOH_TLS_FAILED : DOH_TLS_DONE);
        doh_tls_free(tls);
        SSL_SESSION_free(session);
    }
    world_close(&w);
}

static char *pin_of_authority(const struct authority *ca, char text[static DOH_PIN_TEXT_MAX])
{
    struct doh_pin pin;
    assert_true(doh_pin_of_certificate(ca->cert, &pin));
    (void)doh_pin_certificate_text(&pin, text);
    return text;
}

static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

/* Anybody can send it. Nor is such a session kept, which would bring it along as if proven. */
static void a_pinned_certificate_that_signed_nothing_is_not_enough(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(versions); i++) {
        char text[DOH_PIN_TEXT_MAX];
        struct question q;
        struct world w;
        world_init(&w, 1);
        struct authority other = authority_named("the authority that is pinned");
        char *pins[] = {pin_of_authority(&other, text)};
        w.upstream[0].pins = pins;
        w.upstream[0].pin_count = 1;
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, versions[i]), 1);
        assert_int_equal(SSL_CTX_add1_chain_cert(w.server[0].context, other.cert), 1);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_E_TLS);
        assert_non_null(strstr(w.warning, "none of the pinned ones"));
        assert_null(doh_shared_session(w.shared, 0));
        assert_int_equal(w.server[0].requests, 0);
        world_close(&w);
        authority_free(&other);
    }
}

/* The root is proven by full handshakes alone: a session does not have it. */
static void a_pinned_root_that_is_not_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(versions); i++) {
        char text[DOH_PIN_TEXT_MAX];
        struct question q;
        struct world w;
        world_init(&w, 1);
        char *pins[] = {pin_of_authority(&w.ca, text)};
        w.upstream[0].pins = pins;
        w.upstream[0].pin_count = 1;
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, versions[i]), 1);
        world_start(&w);
        for (unsigned n = 0; n < 2; n++) {
            ask_and_wait(&w, &q, "example.test");
            assert_int_equal(q.err, DOH_OK);
            hang_up_and_see(&w);
        }
        assert_int_equal(w.server[0].connections, 2);
        assert_int_equal(w.warnings, 0);
        world_close(&w);
    }
}

/* --- certificates ---------------------------------------------------------------------------- */

/* "on 2026-01-31", so many days from now. */
static const char *day(const char *preposition, long days, char text[static 32])
{
    time_t at = time(NULL) + 86400 * days;
    struct tm tm;
    char date[16];
    assert_non_null(gmtime_r(&at, &tm));
    assert_true(strftime(date, sizeof date, "%F", &tm) > 0);
    (void)snprintf(text, 32, "%s %s", preposition, date);
    return text;
}

static void refusals_name_the_day(void **state)
{
    (void)state;
    for (unsigned expired = 0; expired < 2; expired++) {
        struct question q;
        struct world w;
        char text[32];
        world_init(&w, 1);
        SSL_CTX_free(w.server[0].context);
        w.server[0].context =
            server_context_from(&w.ca, SERVER_HOST, expired ? -9 : 3, expired ? -3 : 9);
        world_start(&w);
        const char *want = day(expired ? "expired, on" : "before", expired ? -3 : 3, text);
        ask_and_wait(&w, &q, "example.test");
        if (!strstr(w.warning, want))
            fail_msg("\"%s\" does not say \"%s\"", w.warning, want);
        world_close(&w);
    }
}

static void refusals_say_which_check_and_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *what, *name, *url_host;
        long from, days;
        enum { KNOWN, STRANGER, ODD, SELF } signer;
        const char *said[3];
    } cases[] = {
        {"another host",
         "elsewhere.test",
         SERVER_HOST,
         -2,
         5,
         KNOWN,
         {"not for " SERVER_HOST, "for elsewhere.test", "check url"}},
        {"another host than the address",
         "elsewhere.test",
         "127.0.0.3",
         -2,
         5,
         KNOWN,
         {"not for 127.0.0.3", "elsewhere.test, 127.0.0.1, ::1", "check url"}},
        {"more names than are told",
         "with-a-name-of-some-length.test,DNS:and-another-that-is-longer.test,DNS:and-one-more."
         "test",
         SERVER_HOST,
         -2,
         5,
         KNOWN,
         {"not for " SERVER_HOST, "and-one-more.test, ...: ", "check url"}},
        {"expired",
         SERVER_HOST,
         SERVER_HOST,
         -2,
         -1,
         KNOWN,
         {"its certificate has expired, on 20", "renew", "the clock here is wrong (20"}},
        {"not yet valid",
         SERVER_HOST,
         SERVER_HOST,
         1,
         5,
         KNOWN,
         {"not valid before 20", "clock here says 20", "set the clock"}},
        {"unknown authority",
         SERVER_HOST,
         SERVER_HOST,
         -2,
         5,
         STRANGER,
         {"signed by \"stranger\"", "not trusted here", "'ca' names a file"}},
        {"signed by itself",
         SERVER_HOST,
         SERVER_HOST,
         -2,
         5,
         SELF,
         {"signed by itself", "in between", "'ca'"}},
        {"a name that is no text",
         "else\x01where.test",
         SERVER_HOST,
         -2,
         5,
         KNOWN,
         {"not for " SERVER_HOST, "for else?where.test", "check url"}},
        {"half a wildcard",
         "d*." SERVER_HOST,
         "dns." SERVER_HOST,
         -2,
         5,
         KNOWN,
         {"not for dns." SERVER_HOST, "for d*." SERVER_HOST, "check url"}},
        {"a wildcard", "*." SERVER_HOST, "dns." SERVER_HOST, -2, 5, KNOWN, {NULL}},
        {"an authority whose name is no text",
         SERVER_HOST,
         SERVER_HOST,
         -2,
         5,
         ODD,
         {"signed by \"an?odd[31mone\"", "not trusted here", "'ca' names a file"}},
        {"address in it", "elsewhere.test", "127.0.0.1", -2, 5, KNOWN, {NULL}},
        {"host in it", SERVER_HOST, SERVER_HOST, -2, 5, KNOWN, {NULL}},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        world_init(&w, 1);
        struct authority other =
            authority_named(cases[i].signer == ODD ? "an\nodd[31mone" : "stranger");
        const struct authority *signer = cases[i].signer == KNOWN  ? &w.ca
                                         : cases[i].signer == SELF ? NULL
                                                                   : &other;
        SSL_CTX_free(w.server[0].context);
        w.server[0].context =
            server_context_from(signer, cases[i].name, cases[i].from, cases[i].days);
        (void)snprintf(w.url[0], sizeof w.url[0], "https://%s:%u/dns-query", cases[i].url_host,
                       w.server[0].port);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        bool refused = cases[i].said[0] != NULL;
        assert_int_equal(q.err, refused ? DOH_E_TLS : DOH_OK);
        assert_int_equal(w.server[0].requests, refused ? 0 : 1);
        assert_int_equal(w.server[0].connections, 1);
        for (unsigned s = 0; refused && s < COUNT(cases[i].said); s++)
            if (!strstr(w.warning, cases[i].said[s]))
                fail_msg("\"%s\" does not say \"%s\"", w.warning, cases[i].said[s]);
        authority_free(&other);
        world_close(&w);
    }
}

/* A machine whose clock is behind knows that it is no earlier than the floor. What had expired by
 * then is refused; what is to begin later may have begun. */
static void a_clock_that_is_behind(void **state)
{
    (void)state;
    enum { DAY_S = 86400 };
    static const struct {
        const char *what;
        int floor_days;  /* from now on; 0: the clock is right */
        long from, days; /* the certificate; its authority's lasts ten */
        const char *said;
    } cases[] = {
        {"expired since, says the floor", 9, -2, 5, "its certificate has expired"},
        {"expired long ago", 9, -9, -1, "its certificate has expired"},
        {"its authority has expired since", 20, -2, 30, "its authority's certificate has expired"},
        {"valid at the floor", 3, -2, 5, NULL},
        {"to begin after the floor", 3, 4, 9, NULL},
        {"to begin, but the clock is right", 0, 4, 9, "its certificate is not valid before"},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        world_init(&w, 1);
        SSL_CTX_free(w.server[0].context);
        w.server[0].context = server_context_from(&w.ca, SERVER_HOST, cases[i].from, cases[i].days);
        world_start(&w);
        doh_shared_not_before(w.shared,
                              (uint64_t)(time(NULL) + (time_t)cases[i].floor_days * DAY_S - 60));
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, cases[i].said ? DOH_E_TLS : DOH_OK);
        if (cases[i].said)
            assert_non_null(strstr(w.warning, cases[i].said));
        world_close(&w);
    }
}

/* A ticket that is still good makes no expired certificate good. */
static void an_expired_certificate_is_not_resumed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(versions); i++) {
        struct question q;
        struct world w;
        world_init(&w, 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, versions[i]), 1);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        server_hang_up(&w.server[0]);
        doh_shared_not_before(w.shared, (uint64_t)time(NULL) + UINT64_C(6) * 86400);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_E_TLS);
        assert_int_equal(w.server[0].resumed, 0);
        assert_non_null(strstr(w.warning, "its certificate has expired"));
        world_close(&w);
    }
}

/* Before the handshake ends well, both have agreed to HTTP/2 (RFC 9113 3.2). */
static void who_does_not_speak_http2_is_refused(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    SSL_CTX_set_alpn_select_cb(w.server[0].context, NULL, NULL);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_TLS);
    assert_int_equal(w.server[0].requests, 0);
    assert_non_null(strstr(w.warning, "does not agree to HTTP/2"));
    world_close(&w);
}

/* https://[::1]/dns-query: no SNI, and the address must be in the certificate. */
static void an_ipv6_address_is_a_host(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    server_close(&w.server[0]);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    server_open_at(&w.server[0], &w.loop, &w.ca, "elsewhere.test", 5, (struct sockaddr *)&at);
    (void)snprintf(w.url[0], sizeof w.url[0], "https://[::1]:%u/dns-query", w.server[0].port);
    w.upstream[0].address_count = 0; /* the URL has it */
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    world_close(&w);
}

/* --- versions, sessions, our own certificate ------------------------------------------------- */

static void the_oldest_version_is_configured(void **state)
{
    (void)state;
    static const struct {
        int server_max, min;
        bool good;
    } cases[] = {
        {TLS1_3_VERSION, DOH_TLS_1_3, true},
        {TLS1_2_VERSION, DOH_TLS_1_2, true},
        {TLS1_2_VERSION, DOH_TLS_1_3, false},
        {TLS1_1_VERSION, DOH_TLS_1_2, false},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct question q;
        struct world w;
        world_init(&w, 1);
        w.config.tls_min = cases[i].min;
        SSL_CTX_set_security_level(w.server[0].context, 0); /* else TLS 1.1 is out anyway */
        assert_int_equal(SSL_CTX_set_min_proto_version(w.server[0].context, TLS1_VERSION), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, cases[i].server_max),
                         1);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, cases[i].good ? DOH_OK : DOH_E_TLS);
        if (!cases[i].good)
            assert_non_null(strstr(w.warning, "transport.tls-min"));
        world_close(&w);
    }
}

/* TLS 1.3 tickets are for one use each, TLS 1.2 sessions for many; both outlive connections. */
static void sessions_are_resumed(void **state)
{
    (void)state;
    for (unsigned v = 0; v < COUNT(versions); v++) {
        struct question q;
        struct world w;
        struct doh_upstream_status status;
        world_init(&w, 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, versions[v]), 1);
        world_start(&w);
        for (unsigned i = 0; i < 8; i++) {
            ask_and_wait(&w, &q, "example.test");
            assert_int_equal(q.err, DOH_OK);
            ask_and_wait(&w, &q, "example.test");
            hang_up_and_see(&w);
        }
        (void)doh_pool_status(w.pool, &status, 1);
        assert_int_equal(status.connects, 8);
        assert_int_equal(status.resumed, 7);
        assert_int_equal(status.reused, 8);
        world_close(&w);
    }
}

static void tickets_are_given_out_once(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < 4; i++) { /* two tickets each: more than are kept */
        ask_and_wait(&w, &q, "example.test");
        hang_up_and_see(&w);
    }
    SSL_SESSION *session[6];
    unsigned count = 0;
    while (count < COUNT(session) && (session[count] = doh_shared_session(w.shared, 0)) != NULL)
        count++;
    assert_in_range(count, 2, 4);
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(session[i], session[j]);
    for (unsigned i = 0; i < count; i++)
        SSL_SESSION_free(session[i]);
    world_close(&w);
}

static void our_certificate_is_shown(void **state)
{
    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        struct question q;
        struct world w;
        world_init(&w, 1);
        char cert[] = "/tmp/veridoh-unit-cert-XXXXXX", key[] = "/tmp/veridoh-unit-key-XXXXXX";
        identity_files(&w.ca, cert, key);
        SSL_CTX_set_verify(w.server[0].context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(w.server[0].context), w.ca.cert);
        if (with) {
            w.upstream[0].client_cert = cert;
            w.upstream[0].client_key = key;
        }
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err == DOH_OK, with);
        if (!with)
            assert_non_null(strstr(w.warning, "client-cert"));
        (void)unlink(cert);
        (void)unlink(key);
        world_close(&w);
    }
}

static unsigned shown; /* certificates to the server */

static int on_shown(int ok, X509_STORE_CTX *verification)
{
    (void)ok;
    (void)verification;
    shown++;
    return 1;
}

/* Who fails our checks does not learn who we are. */
static void our_certificate_is_not_shown_to_strangers(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int version;
        bool pinned;
    } cases[] = {
        {"another key is pinned, TLS 1.3", TLS1_3_VERSION, true},
        {"another key is pinned, TLS 1.2", TLS1_2_VERSION, true},
        {"it does not speak HTTP/2", TLS1_3_VERSION, false}, /* 1.2 tells too late */
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        char *pins[] = {wrong_pin};
        struct question q;
        struct world w;
        world_init(&w, 1);
        char cert[] = "/tmp/veridoh-unit-cert-XXXXXX", key[] = "/tmp/veridoh-unit-key-XXXXXX";
        identity_files(&w.ca, cert, key);
        w.upstream[0].client_cert = cert;
        w.upstream[0].client_key = key;
        w.upstream[0].pins = pins;
        w.upstream[0].pin_count = cases[i].pinned;
        SSL_CTX_set_verify(w.server[0].context, SSL_VERIFY_PEER, on_shown);
        assert_int_equal(SSL_CTX_set_max_proto_version(w.server[0].context, cases[i].version), 1);
        if (!cases[i].pinned)
            SSL_CTX_set_alpn_select_cb(w.server[0].context, NULL, NULL);
        shown = 0;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        while (!doh_list_empty(&w.server[0].peers)) /* it reads all that was sent */
            (void)uv_run(&w.loop, UV_RUN_ONCE);
        assert_int_equal(q.err, DOH_E_TLS);
        assert_int_equal(shown, 0);
        assert_int_equal(w.server[0].handshakes, 0);
        (void)unlink(cert);
        (void)unlink(key);
        world_close(&w);
    }
}

static void bad_files_and_pins_are_named(void **state)
{
    (void)state;
    struct authority ca = authority_new();
    char cert[] = "/tmp/veridoh-unit-cert-XXXXXX", key[] = "/tmp/veridoh-unit-key-XXXXXX";
    char cert2[] = "/tmp/veridoh-unit-cert-XXXXXX", key2[] = "/tmp/veridoh-unit-key-XXXXXX";
    identity_files(&ca, cert, key);
    identity_files(&ca, cert2, key2);
    char bad_pin[] = "sha256//AAAA";
    char *pins[] = {wrong_pin, bad_pin};
    const struct {
        char *cert, *key;
        uint32_t pin_count;
        const char *about, *said; /* NULL: fine */
    } cases[] = {
        {cert, key, 1, NULL, NULL},
        {cert, NULL, 0, "client-cert", "belong together"},
        {NULL, key, 0, "client-key", "belong together"},
        {ca.file, key, 0, "client-key", "client-key names no file"},
        {cert, key2, 0, "client-key", "client-key names no file"},
        {cert, "/nonexistent", 0, "client-key", "client-key names no file"},
        {"/nonexistent", key, 0, "client-cert", "no certificate can be read"},
        {NULL, NULL, 2, "pin", "the pin sha256//AAAA"},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct doh_fault fault = {0};
        struct doh_upstream_config upstream = {.name = "one",
                                               .url = "https://doh.test/",
                                               .ca_file = ca.file,
                                               .client_cert = cases[i].cert,
                                               .client_key = cases[i].key,
                                               .pins = pins,
                                               .pin_count = cases[i].pin_count};
        struct doh_config config = {.upstreams = &upstream, .upstream_count = 1};
        struct doh_shared *shared = doh_shared_new(&config, &fault);
        assert_int_equal(shared == NULL, cases[i].said != NULL);
        if (cases[i].said && !strstr(fault.text, cases[i].said))
            fail_msg("\"%s\" does not say \"%s\"", fault.text, cases[i].said);
        if (cases[i].about)
            assert_string_equal(fault.key, cases[i].about);
        doh_shared_free(shared);
    }
    (void)unlink(cert);
    (void)unlink(key);
    (void)unlink(cert2);
    (void)unlink(key2);
    authority_free(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_are_read),
        cmocka_unit_test(a_pinned_key_is_taken),
        cmocka_unit_test(another_key_is_not),
        cmocka_unit_test(a_resumed_session_is_checked_too),
        cmocka_unit_test(a_pinned_certificate_that_signed_nothing_is_not_enough),
        cmocka_unit_test(a_pinned_root_that_is_not_sent),
        cmocka_unit_test(refusals_say_which_check_and_what_to_do),
        cmocka_unit_test(refusals_name_the_day),
        cmocka_unit_test(a_clock_that_is_behind),
        cmocka_unit_test(an_expired_certificate_is_not_resumed),
        cmocka_unit_test(who_does_not_speak_http2_is_refused),
        cmocka_unit_test(an_ipv6_address_is_a_host),
        cmocka_unit_test(the_oldest_version_is_configured),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(tickets_are_given_out_once),
        cmocka_unit_test(our_certificate_is_shown),
        cmocka_unit_test(our_certificate_is_not_shown_to_strangers),
        cmocka_unit_test(bad_files_and_pins_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
