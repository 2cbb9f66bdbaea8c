// SPDX-License-Identifier: MIT
#include "doh/tls.h"

#include "doh/tls_reason.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_MAX (64u << 10)
#define EARLY_MAX 8192u    /* with the ClientHello it fits into a first congestion window */
#define OUT_MAX (2u << 20) /* a peer that reads nothing is given up beyond it */

struct doh_tls {
    SSL *ssl;
    BIO_METHOD *method;
    struct doh_buffer in, out;
    char host[256];
    bool is_ip;
    const struct doh_pin *pins;
    uint32_t pin_count;
    uint64_t floor_s; /* it is no earlier than that */
    char error[DOH_TLS_TEXT_MAX];
};

static int bio_read(BIO *bio, char *buf, int cap)
{
    struct doh_tls *tls = BIO_get_data(bio);
    size_t used = doh_buffer_used(&tls->in);
    BIO_clear_retry_flags(bio);
    if (used == 0 || cap <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = used < (size_t)cap ? used : (size_t)cap;
    memcpy(buf, doh_buffer_front(&tls->in), n);
    doh_buffer_drop(&tls->in, n);
    return (int)n;
}

static int bio_write(BIO *bio, const char *octets, int len)
{
    struct doh_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0 || !doh_buffer_add(&tls->out, octets, (size_t)len))
        return -1;
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *ptr)
{
    (void)bio;
    (void)number;
    (void)ptr;
    return command == BIO_CTRL_FLUSH; /* the connection flushes once a turn */
}

static BIO *new_bio(struct doh_tls *tls)
{
    tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "flat buffers");
    if (!tls->method || BIO_meth_set_read(tls->method, bio_read) != 1 ||
        BIO_meth_set_write(tls->method, bio_write) != 1 ||
        BIO_meth_set_ctrl(tls->method, bio_ctrl) != 1)
        return NULL;
    BIO *bio = BIO_new(tls->method);
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* Called for each certificate of the chain. Only words are added here: the verdict stays. */
static int on_verified(int ok, X509_STORE_CTX *verification)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct doh_tls *tls = SSL_get_app_data(ssl);
    if (!ok)
        doh_tls_reason_certificate(verification, tls->host, tls->error, sizeof tls->error);
    return ok;
}

/* A digest of one thing is none of another, so that pins of keys and of certificates need not be
 * told apart. */
static bool holds_pinned(const struct doh_tls *tls, const X509 *peer, const STACK_OF(X509) * chain)
{
    struct doh_pin pin;
    if (tls->pin_count == 0 ||
        (peer && doh_pin_of(peer, &pin) && doh_pin_among(&pin, tls->pins, tls->pin_count)))
        return true;
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (doh_pin_of_certificate(sk_X509_value(chain, i), &pin) &&
            doh_pin_among(&pin, tls->pins, tls->pin_count))
            return true;
    return false;
}

static bool check_pins(struct doh_tls *tls, const X509 *peer, const STACK_OF(X509) * chain)
{
    char text[DOH_PIN_TEXT_MAX];
    struct doh_pin pin;
    if (holds_pinned(tls, peer, chain))
        return true;
    (void)snprintf(tls->error, sizeof tls->error,
                   "its key is none of the pinned ones, but %s: if its operator has changed it, "
                   "change 'pin', else somebody is in between",
                   peer && doh_pin_of(peer, &pin) ? doh_pin_text(&pin, text) : "unknown");
    return false;
}

/* Within the handshake: whoever fails the pins is neither shown our certificate nor resumed. */
static int verify(X509_STORE_CTX *verification, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
    int rc = X509_verify_cert(verification);
    if (rc != 1 || check_pins(SSL_get_app_data(ssl), X509_STORE_CTX_get0_cert(verification),
                              X509_STORE_CTX_get0_chain(verification)))
        return rc;
    X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

SSL_CTX *doh_tls_context(X509_STORE *store, bool tls13_only)
{
    static const unsigned char h2[] = {2, 'h', '2'};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return NULL;
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verified);
    SSL_CTX_set_cert_verify_callback(context, verify, NULL);
    SSL_CTX_set1_cert_store(context, store);
    if (SSL_CTX_set_min_proto_version(context, tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context, h2, sizeof h2) != 0) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

bool doh_tls_certificate(SSL_CTX *context, const char *path)
{
    ERR_clear_error();
    return SSL_CTX_use_certificate_chain_file(context, path) == 1;
}

bool doh_tls_key(SSL_CTX *context, const char *path)
{
    ERR_clear_error();
    return SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1; /* it compares them */
}

static bool expect_host(SSL *ssl, const char *host, bool is_ip)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct doh_tls *doh_tls_new(SSL_CTX *context, const struct doh_tls_peer *peer, SSL_SESSION *session)
{
    struct doh_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->in = doh_buffer_init(IN_MAX);
    tls->out = doh_buffer_init(OUT_MAX);
    (void)snprintf(tls->host, sizeof tls->host, "%s", peer->host);
    tls->is_ip = peer->is_ip;
    tls->pins = peer->pins;
    tls->pin_count = peer->pin_count;
    tls->ssl = SSL_new(context);
    BIO *bio = tls->ssl ? new_bio(tls) : NULL;
    if (!bio || SSL_set_app_data(tls->ssl, tls) != 1 ||
        !expect_host(tls->ssl, peer->host, peer->is_ip)) {
        BIO_free(bio);
        doh_tls_free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_connect_state(tls->ssl);
    if (session)
        (void)SSL_set_session(tls->ssl, session); /* if it cannot be used, a full handshake */
    return tls;
}

void doh_tls_free(struct doh_tls *tls)
{
    if (!tls)
        return;
    if (tls->ssl) /* else OpenSSL makes the session of a cut connection unfit for resumption */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    BIO_meth_free(tls->method);
    doh_buffer_deinit(&tls->in);
    doh_buffer_deinit(&tls->out);
    free(tls);
}

/* The time is the floor's or some later one: what was valid only before it is refused, what will be
 * valid only from then on may well be by now. */
static int accept_younger(int ok, X509_STORE_CTX *context)
{
    if (ok || X509_STORE_CTX_get_error(context) != X509_V_ERR_CERT_NOT_YET_VALID)
        return on_verified(ok, context);
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
}

/* As of the time at which a full handshake would judge it. */
static bool has_expired(const struct doh_tls *tls, const X509 *certificate)
{
    time_t now = time(NULL), floor = (time_t)tls->floor_s;
    return X509_cmp_time(X509_get0_notAfter(certificate), now > floor ? &now : &floor) <= 0;
}

/* A resumed handshake looks at no certificate: it would be good for as long as the ticket. */
static void drop_expired_session(struct doh_tls *tls)
{
    SSL_SESSION *session = SSL_get_session(tls->ssl);
    const X509 *certificate = session ? SSL_SESSION_get0_peer(session) : NULL;
    if (certificate && has_expired(tls, certificate))
        (void)SSL_set_session(tls->ssl, NULL); /* cannot fail without one */
}

void doh_tls_not_before(struct doh_tls *tls, uint64_t floor_s)
{
    tls->floor_s = floor_s;
    drop_expired_session(tls);
    if (time(NULL) >= (time_t)floor_s)
        return;
    X509_VERIFY_PARAM_set_time(SSL_get0_param(tls->ssl), (time_t)floor_s);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, accept_younger);
}

struct doh_buffer *doh_tls_in(struct doh_tls *tls)
{
    return &tls->in;
}

struct doh_buffer *doh_tls_out(struct doh_tls *tls)
{
    return &tls->out;
}

static void name_the_check(struct doh_tls *tls)
{
    if (SSL_get_verify_result(tls->ssl) == X509_V_OK || tls->error[0] == '\0')
        doh_tls_reason_protocol(tls->error, sizeof tls->error);
}

static enum doh_tls_step step_of(struct doh_tls *tls, int rc)
{
    int error = SSL_get_error(tls->ssl, rc);
    if (error == SSL_ERROR_WANT_READ)
        return DOH_TLS_MORE;
    name_the_check(tls);
    return DOH_TLS_FAILED;
}

static bool speaks_h2(struct doh_tls *tls)
{
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
    if (len == 2 && memcmp(protocol, "h2", 2) == 0)
        return true;
    (void)snprintf(tls->error, sizeof tls->error, "the server does not agree to HTTP/2 (ALPN)");
    return false;
}

/* A resumed session brings its first handshake's certificates, as the server sent them, which are
 * judged again: the pins may have changed since. */
static bool is_pinned(struct doh_tls *tls)
{
    STACK_OF(X509) *proven = SSL_get0_verified_chain(tls->ssl);
    return check_pins(tls, SSL_get0_peer_certificate(tls->ssl),
                      proven ? proven : SSL_get_peer_cert_chain(tls->ssl));
}

bool doh_tls_may_resume(const SSL *ssl)
{
    return holds_pinned(SSL_get_app_data(ssl), SSL_get0_peer_certificate(ssl),
                        SSL_get_peer_cert_chain(ssl));
}

/* --- early data ------------------------------------------------------------------------------ */

/* OpenSSL leaves a ticket that is too old out of its ClientHello, but not the early data. An age is
 * a difference of what the system's clock says: to set it right ends every ticket. */
static bool is_ticket_fresh(const SSL_SESSION *session)
{
    time_t now = time(NULL), issued = (time_t)SSL_SESSION_get_time(session);
    unsigned long lifetime = SSL_SESSION_get_ticket_lifetime_hint(session);
    return now >= issued && (unsigned long)(now - issued) + 1 < lifetime;
}

static bool spoke_h2(const SSL_SESSION *session)
{
    const unsigned char *protocol = NULL;
    size_t len = 0;
    SSL_SESSION_get0_alpn_selected(session, &protocol, &len);
    return len == 2 && memcmp(protocol, "h2", 2) == 0;
}

static bool is_certificate_for(X509 *certificate, const char *host, bool is_ip)
{
    if (is_ip)
        return X509_check_ip_asc(certificate, host, 0) == 1;
    return X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* Whoever has the session's key reads what is sent early: so the checks come first, too. */
uint32_t doh_tls_early_max(struct doh_tls *tls)
{
    SSL_SESSION *session = SSL_get_session(tls->ssl);
    X509 *certificate = session ? SSL_SESSION_get0_peer(session) : NULL;
    if (!certificate || SSL_SESSION_get_protocol_version(session) != TLS1_3_VERSION ||
        !is_ticket_fresh(session) || !spoke_h2(session) ||
        SSL_get_verify_result(tls->ssl) != X509_V_OK ||
        !is_certificate_for(certificate, tls->host, tls->is_ip) || !is_pinned(tls))
        return 0;
    uint32_t max = SSL_SESSION_get_max_early_data(session);
    return max < EARLY_MAX ? max : EARLY_MAX;
}

bool doh_tls_write_early(struct doh_tls *tls, const void *octets, size_t len)
{
    ERR_clear_error();
    size_t written;
    if (SSL_write_early_data(tls->ssl, octets, len, &written) == 1 && written == len)
        return true;
    name_the_check(tls);
    return false;
}

bool doh_tls_early_accepted(const struct doh_tls *tls)
{
    return SSL_get_early_data_status(tls->ssl) == SSL_EARLY_DATA_ACCEPTED;
}

enum doh_tls_step doh_tls_handshake(struct doh_tls *tls)
{
    ERR_clear_error(); /* SSL_get_error() looks at what others of this thread left there */
    int rc = SSL_do_handshake(tls->ssl);
    if (rc != 1)
        return step_of(tls, rc);
    if (speaks_h2(tls) && is_pinned(tls))
        return DOH_TLS_DONE;
    doh_buffer_drop(&tls->out, doh_buffer_used(&tls->out)); /* in TLS 1.3 our certificate */
    return DOH_TLS_FAILED;
}

enum doh_tls_step doh_tls_read(struct doh_tls *tls, void *buf, size_t cap, size_t *ret_len)
{
    ERR_clear_error();
    size_t len = 0;
    int rc = SSL_read_ex(tls->ssl, buf, cap, &len);
    if (rc != 1 && SSL_get_error(tls->ssl, rc) == SSL_ERROR_ZERO_RETURN) {
        *ret_len = 0;
        return DOH_TLS_DONE;
    }
    if (rc != 1)
        return step_of(tls, rc);
    *ret_len = len;
    return DOH_TLS_DONE;
}

bool doh_tls_write(struct doh_tls *tls, const void *octets, size_t len)
{
    ERR_clear_error();
    size_t written;
    return len == 0 || (SSL_write_ex(tls->ssl, octets, len, &written) == 1 && written == len);
}

void doh_tls_goodbye(struct doh_tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl); /* a courtesy; the peer's own is not waited for */
    ERR_clear_error();
}

bool doh_tls_resumed(const struct doh_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

const char *doh_tls_error(const struct doh_tls *tls)
{
    return tls->error;
}
