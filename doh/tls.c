// SPDX-License-Identifier: MIT
#include "doh/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct doh_tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    char error[160];
};

static bool set_peer(SSL *ssl, const struct doh_url *url)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (url->is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(param, url->host) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, url->host, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, url->host) == 1;
}

struct doh_tls *doh_tls_new(const struct doh_shared_upstream *upstream, SSL_SESSION *session)
{
    struct doh_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    tls->ssl = SSL_new(upstream->ctx);
    if (!tls->in || !tls->out || !tls->ssl || !set_peer(tls->ssl, &upstream->url)) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    (void)BIO_set_mem_eof_return(tls->in, -1); /* empty means: not yet */
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_connect_state(tls->ssl);
    if (session)
        (void)SSL_set_session(tls->ssl, session); /* refused: a full handshake it is */
    return tls;
}

void doh_tls_free(struct doh_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

bool doh_tls_feed(struct doh_tls *tls, const uint8_t *cipher, size_t len)
{
    return len <= INT32_MAX && BIO_write(tls->in, cipher, (int)len) == (int)len;
}

static void keep_error(struct doh_tls *tls)
{
    long verify = SSL_get_verify_result(tls->ssl);
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (verify != X509_V_OK)
        (void)snprintf(tls->error, sizeof tls->error, "certificate refused: %s",
                       X509_verify_cert_error_string(verify));
    else
        (void)snprintf(tls->error, sizeof tls->error, "TLS failed: %s",
                       reason ? reason : "the connection was closed");
    ERR_clear_error();
}

static bool agreed_on_h2(const struct doh_tls *tls)
{
    const unsigned char *protocol;
    unsigned len;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
    return len == 2 && memcmp(protocol, "h2", 2) == 0;
}

enum doh_tls_step doh_tls_handshake(struct doh_tls *tls)
{
    ERR_clear_error();
    int n = SSL_do_handshake(tls->ssl);
    if (n == 1 && agreed_on_h2(tls))
        return DOH_TLS_DONE;
    if (n == 1) {
        (void)snprintf(tls->error, sizeof tls->error, "the server does not speak HTTP/2 (ALPN h2)");
        return DOH_TLS_FAILED;
    }
    int why = SSL_get_error(tls->ssl, n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return DOH_TLS_WANT;
    keep_error(tls);
    return DOH_TLS_FAILED;
}

int doh_tls_read(struct doh_tls *tls, uint8_t *plain, int cap)
{
    ERR_clear_error();
    int n = SSL_read(tls->ssl, plain, cap);
    if (n > 0)
        return n;
    int why = SSL_get_error(tls->ssl, n);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return 0;
    if (why != SSL_ERROR_ZERO_RETURN)
        keep_error(tls);
    ERR_clear_error();
    return -1;
}

bool doh_tls_write(struct doh_tls *tls, const uint8_t *plain, size_t len)
{
    ERR_clear_error();
    return len == 0 || (len <= INT32_MAX && SSL_write(tls->ssl, plain, (int)len) == (int)len);
}

size_t doh_tls_pending(struct doh_tls *tls, const uint8_t **ret)
{
    char *data = NULL;
    long len = BIO_get_mem_data(tls->out, &data);
    *ret = (const uint8_t *)data;
    return len > 0 ? (size_t)len : 0;
}

void doh_tls_sent(struct doh_tls *tls, size_t len)
{
    uint8_t gone[4096];
    while (len > 0) { /* a memory BIO drops what is read from it */
        int n = BIO_read(tls->out, gone, (int)(len < sizeof gone ? len : sizeof gone));
        if (n <= 0)
            return;
        len -= (size_t)n;
    }
}

const char *doh_tls_error(const struct doh_tls *tls)
{
    return tls->error[0] ? tls->error : "TLS failed";
}

SSL_SESSION *doh_tls_session(struct doh_tls *tls)
{
    SSL_SESSION *session = SSL_get1_session(tls->ssl);
    if (session && !SSL_SESSION_is_resumable(session)) {
        SSL_SESSION_free(session);
        return NULL;
    }
    return session;
}

bool doh_tls_resumed(const struct doh_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}
