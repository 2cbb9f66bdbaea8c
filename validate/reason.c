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
    size_t len = strlen(words) < text->left ? strlen(words) : text->left;
    memcpy(text->at, words, len);
    text->at += len;
    text->left -= len;
    *text->at = '\0';
}

/* How a name is shown: its end, from the beginning of a label, where it does not fit. */
struct shown {
    char words[DNS_NAME_TEXT_MAX];
    const char *from; /* in words; NULL: no name is concerned */
    bool cut;
};

#define CUT_MARK "..." /* in front of what is left of a name */

static void show(struct shown *shown, const struct dns_name *name)
{
    shown->cut = false;
    shown->from = NULL;
    if (name->len == 0)
        return;
    (void)dns_name_text(name, shown->words); /* the length is not needed */
    shown->from = shown->words;
}

static size_t shown_len(const struct shown *shown)
{
    return shown->from ? strlen(shown->from) + (shown->cut ? strlen(CUT_MARK) : 0) : 0;
}

static void shorten(struct shown *shown, size_t len)
{
    size_t keep = len > strlen(CUT_MARK) ? len - strlen(CUT_MARK) : 0;
    if (shown_len(shown) <= len)
        return;
    const char *from = shown->from + strlen(shown->from) - keep;
    const char *dot = strchr(from, '.');
    shown->from = dot && dot[1] != '\0' ? dot + 1 : from;
    shown->cut = true;
}

static void put_shown(struct text *text, const char *before, const struct shown *shown)
{
    if (!shown->from)
        return;
    put(text, before);
    put(text, shown->cut ? CUT_MARK : "");
    put(text, shown->from);
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both together in `room` octets; the shorter one is not cut for the longer. */
static void share(struct shown *name, struct shown *zone, size_t room)
{
    size_t name_len = shown_len(name), zone_len = shown_len(zone);
    size_t half = room / 2;
    if (name_len + zone_len <= room)
        return;
    shorten(name, room - at_most(zone_len, half));
    shorten(zone, room - at_most(shown_len(name), room));
}

#define BEFORE_NAME ": "
#define BEFORE_ZONE ", zone "
#define BEFORE_TAG ", key tag "

void val_reason_ede(const struct val_reason *reason, struct dns_ede *ret)
{
    struct text text = {ret->text, DNS_EDE_TEXT_MAX};
    char number[DNS_NUMBER_TEXT_MAX], tag[DNS_NUMBER_TEXT_MAX] = "";
    struct shown name, zone;
    const char *type = reason->type != 0 ? dns_type_text(reason->type, number) : "";

    if (reason->algorithm != 0)
        (void)snprintf(tag, sizeof(tag), "%u", reason->key_tag); /* five digits fit */
    bool apex = type[0] != '\0' && dns_name_equal(&reason->name, &reason->zone);
    show(&name, apex ? &(struct dns_name){.len = 0} : &reason->name); /* the zone says it */
    show(&zone, &reason->zone);
    size_t taken = strlen(val_why_text(reason->why)) + strlen(BEFORE_NAME) + 1 + strlen(type) +
                   strlen(BEFORE_ZONE) + strlen(BEFORE_TAG) + strlen(tag) + VAL_EDE_ROOM;
    share(&name, &zone, taken < DNS_EDE_TEXT_MAX ? DNS_EDE_TEXT_MAX - taken : 0);

    ret->code = val_why_ede(reason->why);
    put(&text, val_why_text(reason->why));
    put_shown(&text, BEFORE_NAME, &name);
    if ((name.from || apex) && type[0] != '\0') {
        put(&text, apex ? BEFORE_NAME : " ");
        put(&text, type);
    }
    put_shown(&text, BEFORE_ZONE, &zone);
    if (tag[0] == '\0')
        return;
    put(&text, BEFORE_TAG);
    put(&text, tag);
}
