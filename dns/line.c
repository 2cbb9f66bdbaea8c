// SPDX-License-Identifier: MIT
#include "dns/rdata.h"
#include "dns/words.h"

static enum dns_err next_text(struct dns_words *words, char text[static DNS_NAME_TEXT_MAX],
                              struct dns_word *ret)
{
    if (!dns_words_next(words, ret))
        return DNS_E_TEXT;
    return dns_word_copy(*ret, text, DNS_NAME_TEXT_MAX);
}

/* TTL and class in either order, each at most once (RFC 1035 5.1), then the type. */
static enum dns_err parse_head(struct dns_words *words, struct dns_line *line)
{
    char text[DNS_NAME_TEXT_MAX];
    struct dns_word word;
    bool have_ttl = false;
    bool have_class = false;
    for (;;) {
        enum dns_err err = next_text(words, text, &word);
        if (err != DNS_OK)
            return err;
        if (!have_ttl && dns_word_number(word, INT32_MAX, &line->ttl_s) == DNS_OK)
            have_ttl = true;
        else if (!have_class && dns_class_parse(text, &line->class_) == DNS_OK)
            have_class = true;
        else
            return dns_type_parse(text, &line->type);
    }
}

enum dns_err dns_line_parse(const char *line, const struct dns_name *origin, uint32_t default_ttl_s,
                            struct dns_line *ret, struct dns_writer *w)
{
    struct dns_line out = {.ttl_s = default_ttl_s, .class_ = DNS_CLASS_IN};
    struct dns_words words = {.at = line};
    struct dns_word word;
    char text[DNS_NAME_TEXT_MAX];
    enum dns_err err = next_text(&words, text, &word);
    if (err == DNS_OK)
        err = dns_name_parse_relative(text, origin, &out.owner);
    if (err == DNS_OK)
        err = parse_head(&words, &out);
    if (err == DNS_OK)
        err = dns_rdata_parse(out.type, words.at, origin, w);
    if (err == DNS_OK)
        *ret = out;
    return err;
}
