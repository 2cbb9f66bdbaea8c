// SPDX-License-Identifier: MIT
#include "validate/reason.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *words;
    uint16_t ede;
} whys[] = {
#define X(id, words, ede) [id] = {words, ede},
    VAL_WHYS(X)
#undef X
};
#define WHY_COUNT (sizeof(whys) / sizeof(whys[0]))

const char *val_why_text(enum val_why why)
{
    return (size_t)why < WHY_COUNT ? whys[why].words : "unknown";
}

uint16_t val_why_ede(enum val_why why)
{
    return (size_t)why < WHY_COUNT ? whys[why].ede : DNS_EDE_NONE;
}

/* EXTRA-TEXT as it grows; what does not fit is cut. Names are escaped, so it stays ASCII. */
struct text {
    char *at;
    size_t left; /* without the final NUL */
};

static void put(struct text *text, const char *words)
{
    size_t len = strnlen(words, text->left);
    memcpy(text->at, words, len);
    text->at += len;
    text->left -= len;
    *text->at = '\0';
}

static void put_name(struct text *text, const char *before, const struct dns_name *name)
{
    char words[DNS_NAME_TEXT_MAX];
    if (name->len == 0) /* a reason that concerns no name */
        return;
    (void)dns_name_text(name, words); /* the length is not needed */
    put(text, before);
    put(text, words);
}

void val_reason_ede(const struct val_reason *reason, struct dns_ede *ret)
{
    struct text text = {ret->text, DNS_EDE_TEXT_MAX};
    char number[DNS_NUMBER_TEXT_MAX];

    ret->code = val_why_ede(reason->why);
    put(&text, val_why_text(reason->why));
    put_name(&text, ": ", &reason->name);
    if (reason->name.len > 0 && reason->type != 0) {
        put(&text, " ");
        put(&text, dns_type_text(reason->type, number));
    }
    put_name(&text, ", zone ", &reason->zone);
    if (reason->algorithm == 0)
        return;
    put(&text, ", key tag ");
    (void)snprintf(number, sizeof(number), "%u", reason->key_tag); /* five digits fit */
    put(&text, number);
}
