// SPDX-License-Identifier: MIT
#include "doh/pin.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

static const char key_prefix[] = "sha256//";
static const char certificate_prefix[] = "tbs-sha256//";
#define BASE64_LEN 44u /* of 32 octets, with one '=' */

bool doh_pin_parse(const char *text, struct doh_pin *ret)
{
    uint8_t octets[33]; /* OpenSSL counts what is padding, too */
    size_t skip = strlen(key_prefix);
    if (strncmp(text, certificate_prefix, strlen(certificate_prefix)) == 0)
        skip = strlen(certificate_prefix);
    else if (strncmp(text, key_prefix, skip) != 0)
        return false;
    if (strlen(text) != skip + BASE64_LEN)
        return false;
    const char *base64 = text + skip;
    if (base64[BASE64_LEN - 1] != '=' || base64[BASE64_LEN - 2] == '=' ||
        EVP_DecodeBlock(octets, (const unsigned char *)base64, BASE64_LEN) != (int)sizeof octets)
        return false;
    memcpy(ret->sha256, octets, sizeof ret->sha256);
    return true;
}

bool doh_pin_of(const X509 *certificate, struct doh_pin *ret)
{
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    if (len <= 0)
        return false;
    bool done = EVP_Digest(spki, (size_t)len, ret->sha256, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(spki);
    return done;
}

bool doh_pin_of_certificate(X509 *certificate, struct doh_pin *ret)
{
    uint8_t *octets = NULL;
    int len = i2d_re_X509_tbs(certificate, &octets);
    if (len <= 0)
        return false;
    bool done = EVP_Digest(octets, (size_t)len, ret->sha256, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(octets);
    return done;
}

static const char *text_of(const char *prefix, const struct doh_pin *pin,
                           char text[static DOH_PIN_TEXT_MAX])
{
    unsigned char base64[BASE64_LEN + 1];
    (void)EVP_EncodeBlock(base64, pin->sha256, sizeof pin->sha256); /* its length is known */
    (void)snprintf(text, DOH_PIN_TEXT_MAX, "%s%s", prefix, (const char *)base64);
    return text;
}

const char *doh_pin_text(const struct doh_pin *pin, char text[static DOH_PIN_TEXT_MAX])
{
    return text_of(key_prefix, pin, text);
}

const char *doh_pin_certificate_text(const struct doh_pin *pin, char text[static DOH_PIN_TEXT_MAX])
{
    return text_of(certificate_prefix, pin, text);
}

bool doh_pin_among(const struct doh_pin *pin, const struct doh_pin *pins, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(pin->sha256, pins[i].sha256, sizeof pin->sha256) == 0)
            return true;
    return false;
}
