// SPDX-License-Identifier: MIT
#include "proxy/discover_tls.h"

#include "doh/address.h"
#include "proxy/clock.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 3

static const unsigned char h2[] = {2, 'h', '2'};

/* A clock that is before this program's build date is wrong (proxy/clock.h). */
static SSL_CTX *new_context(const struct discover_check *check)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return NULL;
    bool ok = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_alpn_protos(context, h2, sizeof h2) == 0;
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), (time_t)clock_wall_s());
    if (check->keep_file)
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    else
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    ok = ok && (check->ca_file ? SSL_CTX_load_verify_file(context, check->ca_file) == 1
                               : SSL_CTX_set_default_verify_paths(context) == 1);
    if (ok)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

const char *discover_tls_ca_fault(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC); /* OpenSSL calls every such failure "system lib" */
    if (fd < 0)
        return strerror(errno);
    (void)close(fd); /* only read from */
    X509_STORE *store = X509_STORE_new();
    bool ok = store && X509_STORE_load_file(store, file) == 1;
    X509_STORE_free(store);
    ERR_clear_error();
    return ok ? NULL : "no certificate in it";
}

static int dial(const struct doh_address *at)
{
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(at->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
        connect(fd, &at->sa.any, doh_address_len(at)) == 0)
        return fd;
    int reason = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = reason;
    return -1;
}

static bool names_address(X509 *certificate, const struct doh_address *address)
{
    bool v6 = address->sa.any.sa_family == AF_INET6;
    const uint8_t *octets =
        v6 ? (const uint8_t *)&address->sa.v6.sin6_addr : (const uint8_t *)&address->sa.v4.sin_addr;
    return X509_check_ip(certificate, octets, v6 ? 16 : 4, 0) == 1;
}

static bool speaks_h2(const SSL *ssl)
{
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    return len == 2 && memcmp(protocol, "h2", 2) == 0;
}

/* The end of the chain that was sent, which has to be its own issuer to be an authority. */
static bool keep_authority(SSL *ssl, const char *path, char error[static 256])
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    X509 *last = sk_X509_num(chain) > 0 ? sk_X509_value(chain, sk_X509_num(chain) - 1) : NULL;
    if (!last || X509_check_issued(last, last) != X509_V_OK) {
        (void)snprintf(error, 256, "it does not send the certificate of its authority");
        return false;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = file && PEM_write_X509(file, last) == 1;
    if (!ok)
        (void)snprintf(error, 256, "%s cannot be written: %s", path, strerror(errno));
    if (file)
        ok = fclose(file) == 0 && ok;
    else if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool judge(SSL *ssl, const struct discover_check *check,
                  const struct doh_designated *designated, struct discover_found *ret,
                  char error[static 256])
{
    char text[DOH_ADDRESS_TEXT_MAX];
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (!certificate || !speaks_h2(ssl)) {
        (void)snprintf(error, 256, "it does not agree to HTTP/2");
        return false;
    }
    ret->for_address = names_address(certificate, check->resolver);
    ret->for_target = X509_check_host(certificate, designated->target, 0,
                                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    if (check->keep_file && (ret->for_address || ret->for_target))
        return keep_authority(ssl, check->keep_file, error);
    if (ret->for_address)
        return true;
    (void)snprintf(error, 256, "its certificate is not for the address of the resolver, %s",
                   doh_address_text(check->resolver, text));
    return false;
}

static void say_why(const SSL *ssl, char error[static 256])
{
    long verdict = SSL_get_verify_result(ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    if (verdict != X509_V_OK)
        (void)snprintf(error, 256, "its certificate is refused: %s",
                       X509_verify_cert_error_string(verdict));
    else
        (void)snprintf(error, 256, "no TLS with it: %s", reason ? reason : "no answer in time");
}

bool discover_tls(const struct discover_check *check, const struct doh_designated *designated,
                  const struct doh_address *at, struct discover_found *ret, char error[static 256])
{
    bool ok = false;
    ERR_clear_error();
    SSL_CTX *context = new_context(check);
    SSL *ssl = context ? SSL_new(context) : NULL;
    int fd = ssl ? dial(at) : -1;
    if (!ssl)
        (void)snprintf(error, 256, "TLS cannot be set up%s%s", check->ca_file ? " with " : "",
                       check->ca_file ? check->ca_file : "");
    else if (fd < 0)
        (void)snprintf(error, 256, "no connection: %s", strerror(errno));
    else if (SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, designated->target) != 1 ||
             SSL_connect(ssl) != 1)
        say_why(ssl, error);
    else
        ok = judge(ssl, check, designated, ret, error);
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}
