// SPDX-License-Identifier: MIT
#include "tests/upstream/tls.h"

#include "tests/upstream/keys.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

enum { DAY_S = 24 * 3600, CERTIFICATE_DAYS = 400 };

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static X509 *new_certificate(const char *common_name, EVP_PKEY *pkey)
{
    X509 *cert = X509_new();
    uint8_t serial[8];
    if (!cert || RAND_bytes(serial, sizeof serial) != 1)
        return NULL;
    serial[0] &= 0x7f; /* a serial number is positive (RFC 5280 4.1.2.2) */
    BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
    (void)BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    (void)X509_set_version(cert, X509_VERSION_3);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), (long)CERTIFICATE_DAYS * DAY_S);
    (void)X509_set_pubkey(cert, pkey);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                     (const uint8_t *)common_name, -1, -1, 0);
    return cert;
}

static X509 *make_authority(EVP_PKEY *pkey)
{
    X509 *cert = new_certificate("veridoh test authority", pkey);
    if (!cert)
        return NULL;
    (void)X509_set_issuer_name(cert, X509_get_subject_name(cert));
    if (add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE") &&
        add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
        X509_sign(cert, pkey, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static X509 *make_server(const char *name, EVP_PKEY *server_key, X509 *issuer, EVP_PKEY *ca_key)
{
    char names[400];
    (void)snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", name);
    X509 *cert = new_certificate(name, server_key);
    if (!cert)
        return NULL;
    (void)X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    if (add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
        add_extension(cert, issuer, NID_subject_alt_name, names) &&
        X509_sign(cert, ca_key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool write_pem(const char *dir, const char *file, X509 *cert)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *out = fopen(path, "we");
    bool ok = out && PEM_write_X509(out, cert) == 1;
    return (!out || fclose(out) == 0) && ok;
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char h2[] = {2, 'h', '2'};
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, h2, sizeof h2, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *tls_make(const char *name, const char *dir)
{
    EVP_PKEY *ca_key = key_derive("certificate authority", DNS_ALG_ECDSAP256, 0);
    EVP_PKEY *server_key = key_derive("server certificate", DNS_ALG_ECDSAP256, 0);
    X509 *ca = ca_key ? make_authority(ca_key) : NULL;
    X509 *server = ca && server_key ? make_server(name, server_key, ca, ca_key) : NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool ok = ctx && server && SSL_CTX_use_certificate(ctx, server) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, server_key) == 1 && write_pem(dir, "ca.pem", ca) &&
              write_pem(dir, "server.pem", server);
    if (ok) {
        (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_alpn_select_cb(ctx, choose_h2, NULL);
    } else {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    X509_free(server);
    X509_free(ca);
    EVP_PKEY_free(server_key);
    EVP_PKEY_free(ca_key);
    return ctx;
}
