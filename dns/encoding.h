/* SPDX-License-Identifier: MIT */
/* The decoders of dns/rdata.h for slices of text. */
#ifndef DNS_ENCODING_H
#define DNS_ENCODING_H

#include "dns/words.h"

enum dns_err dns_base64_read_word(struct dns_word word, struct dns_writer *w);
enum dns_err dns_hex_read_word(struct dns_word word, struct dns_writer *w);

#endif
