/* SPDX-License-Identifier: MIT */
/* The words of one line of presentation form (RFC 1035 5.1): blanks separate, quotes group, ';'
 * begins a comment. Words are slices of the text; whoever reads one undoes its escapes. */
#ifndef DNS_WORDS_H
#define DNS_WORDS_H

#include "dns/writer.h"

#include <stdbool.h>

struct dns_words {
    const char *at; /* borrowed, NUL-terminated */
    enum dns_err
        err; /* DNS_E_TEXT: an open quote, or a parenthesis; then there are no more words */
};

struct dns_word {
    const char *at;
    size_t len;
    bool quoted; /* begins with a quote; the quotes are part of the slice */
};

/* False at the end, or with words->err set. A quoted word ends with its quote; a quote inside a
 * word (key="some value") keeps blanks in it. */
bool dns_words_next(struct dns_words *words, struct dns_word *ret);

/* All the rest of the line but a comment, as one slice; for base64 and hex, which may be split. */
struct dns_word dns_words_rest(struct dns_words *words);

bool dns_word_is(struct dns_word word, const char *text); /* to the letter, not quoted */

/* The word as a string, escapes left in; DNS_E_TEXT when quoted or longer than cap - 1. */
enum dns_err dns_word_copy(struct dns_word word, char *text, size_t cap);

enum dns_err dns_word_number(struct dns_word word, uint32_t most, uint32_t *ret);

/* Its octets, quotes dropped and escapes undone. */
enum dns_err dns_word_octets(struct dns_word word, struct dns_writer *w);

#endif
