/* SPDX-License-Identifier: MIT */
/* Why octets or text could not be read, or not be written. */
#ifndef DNS_ERR_H
#define DNS_ERR_H

#define DNS_ERRORS(X)                                                                              \
    X(DNS_OK, "ok")                                                                                \
    X(DNS_E_SHORT, "ends too early")                                                               \
    X(DNS_E_TRAILING, "octets are left over")                                                      \
    X(DNS_E_LABEL, "a label's type or length is not legal")                                        \
    X(DNS_E_NAME_LONG, "a name is longer than 255 octets")                                         \
    X(DNS_E_POINTER, "a compression pointer does not point backwards")                             \
    X(DNS_E_COUNT, "more records than are looked at")                                              \
    X(DNS_E_OPT, "the OPT record is not legal")                                                    \
    X(DNS_E_FORM, "a value that is not legal here")                                                \
    X(DNS_E_TEXT, "not in presentation form")                                                      \
    X(DNS_E_SPACE, "no room left in the buffer")

#define X(id, words) id,
enum dns_err { DNS_ERRORS(X) };
#undef X

const char *dns_err_text(enum dns_err err); /* static, never NULL */

#endif
