/* SPDX-License-Identifier: MIT */
/* Presentation form under construction: bounded, always NUL-terminated, the first lack of room
 * sticks. */
#ifndef DNS_TEXT_OUT_H
#define DNS_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_text {
    char *at; /* borrowed */
    size_t off, cap;
    bool full;
};

struct dns_text dns_text_init(char *at, size_t cap);
void dns_text_put(struct dns_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void dns_text_hex(struct dns_text *t, const uint8_t *data, size_t len);

/* One octet inside a quoted string: '"' and '\' escaped, what is not printable ASCII as \DDD. */
void dns_text_octet(struct dns_text *t, uint8_t octet);
void dns_text_quoted(struct dns_text *t, const uint8_t *data, size_t len);

/* What an encoder like dns_base64_text() makes of the octets. */
void dns_text_coded(struct dns_text *t, const uint8_t *data, size_t len,
                    size_t (*code)(const uint8_t *, size_t, char *, size_t));

#endif
