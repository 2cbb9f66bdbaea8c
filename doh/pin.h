/* SPDX-License-Identifier: MIT */
/* Pinned public keys, as curl writes them: "sha256//" and the base64 of the SHA-256 of the server
 * certificate's SubjectPublicKeyInfo (RFC 7469 2.4). Or pinned certificates, as DNS stamps have
 * them: "tbs-sha256//" and the same of the to-be-signed part of any certificate of the chain. A pin
 * comes on top of the chain of certificates, it does not replace it. */
#ifndef DOH_PIN_H
#define DOH_PIN_H

#include <openssl/x509.h>

#include <stdbool.h>
#include <stdint.h>

#define DOH_PIN_TEXT_MAX 64u

struct doh_pin {
    uint8_t sha256[32];
};

bool doh_pin_parse(const char *text, struct doh_pin *ret);
bool doh_pin_of(const X509 *certificate, struct doh_pin *ret);       /* false: out of memory */
bool doh_pin_of_certificate(X509 *certificate, struct doh_pin *ret); /* its to-be-signed part */
const char *doh_pin_text(const struct doh_pin *pin, char text[static DOH_PIN_TEXT_MAX]);
const char *doh_pin_certificate_text(const struct doh_pin *pin, char text[static DOH_PIN_TEXT_MAX]);
bool doh_pin_among(const struct doh_pin *pin, const struct doh_pin *pins, uint32_t count);

#endif
