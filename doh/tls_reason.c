// SPDX-License-Identifier: MIT
#include "doh/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_LEN 80u
#define NAMES_MAX_LEN 100u
#define MORE ", ..."
#define DATE_MAX_LEN 24u

static const char *date_of(const ASN1_TIME *at, char text[static DATE_MAX_LEN])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(at, &tm) != 1 || strftime(text, DATE_MAX_LEN, "%F %R", &tm) == 0)
        (void)snprintf(text, DATE_MAX_LEN, "?");
    return text;
}

static const char *clock_says(char text[static DATE_MAX_LEN])
{
    time_t now = time(NULL);
    struct tm tm;
    if (!gmtime_r(&now, &tm) || strftime(text, DATE_MAX_LEN, "%F %R", &tm) == 0)
        (void)snprintf(text, DATE_MAX_LEN, "?");
    return text;
}

/* The most telling part of a distinguished name. Only printable ASCII: it comes from outside. */
static const char *name_of(const X509_NAME *name, char text[static NAME_MAX_LEN])
{
    static const int parts[] = {NID_commonName, NID_organizationalUnitName, NID_organizationName};
    (void)snprintf(text, NAME_MAX_LEN, "an unnamed authority");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int at = X509_NAME_get_index_by_NID(name, parts[i], -1);
        if (at < 0)
            continue;
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        (void)snprintf(text, NAME_MAX_LEN, "\"%.*s\"",
                       ASN1_STRING_length(value) < 60 ? ASN1_STRING_length(value) : 60,
                       (const char *)ASN1_STRING_get0_data(value));
        for (char *c = text; *c; c++)
            *c = *c >= ' ' && *c <= '~' ? *c : '?';
        break;
    }
    return text;
}

static void add_name(const GENERAL_NAME *name, char *text, size_t cap)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *octets =
        type == GEN_DNS || type == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
    char ip[INET6_ADDRSTRLEN];
    size_t used = strlen(text);
    const char *comma = used > 0 ? ", " : "";
    int len = octets ? ASN1_STRING_length(value) : 0;
    if (type == GEN_DNS && len > 0)
        (void)snprintf(text + used, cap - used, "%s%.*s", comma, len, (const char *)octets);
    else if (type == GEN_IPADD && (len == 4 || len == 16) &&
             inet_ntop(len == 4 ? AF_INET : AF_INET6, octets, ip, sizeof ip))
        (void)snprintf(text + used, cap - used, "%s%s", comma, ip);
}

static const char *names_of(X509 *certificate, char text[static NAMES_MAX_LEN])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    text[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && strlen(text) < NAMES_MAX_LEN - 1; i++)
        add_name(sk_GENERAL_NAME_value(names, i), text, NAMES_MAX_LEN);
    GENERAL_NAMES_free(names);
    if (strlen(text) == NAMES_MAX_LEN - 1) { /* full: not half a name, but that there are more */
        size_t end = NAMES_MAX_LEN - sizeof MORE;
        const char *comma = memrchr(text, ',', end);
        end = comma ? (size_t)(comma - text) : end;
        (void)snprintf(text + end, NAMES_MAX_LEN - end, MORE);
    }
    for (char *c = text; *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    if (text[0] == '\0')
        (void)snprintf(text, NAMES_MAX_LEN, "nobody");
    return text;
}

void doh_tls_reason_certificate(X509_STORE_CTX *verification, const char *host, char *text,
                                size_t cap)
{
    char name[NAME_MAX_LEN], names[NAMES_MAX_LEN], date[DATE_MAX_LEN], now[DATE_MAX_LEN];
    X509 *certificate = X509_STORE_CTX_get_current_cert(verification);
    int error = X509_STORE_CTX_get_error(verification);
    const char *whose = X509_STORE_CTX_get_error_depth(verification) > 0
                            ? "its authority's certificate"
                            : "its certificate";
    if (!certificate) {
        (void)snprintf(text, cap, "its certificate is refused: %s",
                       X509_verify_cert_error_string(error));
        return;
    }
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        (void)snprintf(text, cap,
                       "%s has expired, on %s UTC: its operator has to renew it, unless the clock "
                       "here is wrong (%s UTC)",
                       whose, date_of(X509_get0_notAfter(certificate), date), clock_says(now));
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)snprintf(text, cap,
                       "%s is not valid before %s UTC, and the clock here says %s UTC: set the "
                       "clock",
                       whose, date_of(X509_get0_notBefore(certificate), date), clock_says(now));
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        (void)snprintf(text, cap,
                       "its certificate is not for %.80s, but for %s: check url and addresses, or "
                       "somebody is in between",
                       host, names_of(certificate, names));
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        (void)snprintf(text, cap,
                       "its certificate is signed by itself: somebody is in between, or it belongs "
                       "into the file that 'ca' names");
        return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        (void)snprintf(text, cap,
                       "its certificate is signed by %s, an authority that is not trusted here: "
                       "'ca' names a file of those that are; the public ones are in the package "
                       "ca-certificates",
                       name_of(X509_get_issuer_name(certificate), name));
        return;
    default:
        (void)snprintf(text, cap, "%s is refused: %s", whose, X509_verify_cert_error_string(error));
    }
}

void doh_tls_reason_protocol(char *text, size_t cap)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        reason = reason ? reason : "the server broke the protocol";
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        (void)snprintf(text, cap,
                       "the server speaks no version of TLS that transport.tls-min "
                       "allows");
        return;
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        (void)snprintf(text, cap,
                       "the server wants a client certificate: client-cert and "
                       "client-key name the files");
        return;
    default: (void)snprintf(text, cap, "TLS failed: %s", reason ? reason : "an unknown error");
    }
}
