// SPDX-License-Identifier: MIT
#include "proxy/sentinel.h"

#include <string.h>
#include <strings.h>

#define DIGITS 5u

static bool tag_of(const uint8_t *text, uint16_t *ret)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - (uint32_t)'0');
    }
    *ret = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool label_is(const struct dns_name *name, const char *prefix, uint16_t *ret_tag)
{
    size_t len = strlen(prefix);
    return name->labels > 0 && name->wire[0] == len + DIGITS &&
           strncasecmp((const char *)name->wire + 1, prefix, len) == 0 &&
           tag_of(name->wire + 1 + len, ret_tag);
}

struct sentinel sentinel_read(const struct dns_name *name)
{
    struct sentinel sentinel = {SENTINEL_NONE, 0};
    if (label_is(name, "root-key-sentinel-is-ta-", &sentinel.key_tag))
        sentinel.kind = SENTINEL_IS_TA;
    else if (label_is(name, "root-key-sentinel-not-ta-", &sentinel.key_tag))
        sentinel.kind = SENTINEL_NOT_TA;
    return sentinel;
}

bool sentinel_refuses(const struct dns_question *question, const struct val_anchors *anchors)
{
    struct sentinel sentinel = sentinel_read(&question->name);
    if (sentinel.kind == SENTINEL_NONE ||
        (question->type != DNS_TYPE_A && question->type != DNS_TYPE_AAAA))
        return false;
    bool trusted = val_anchors_has_tag(anchors, &dns_root, sentinel.key_tag);
    return trusted == (sentinel.kind == SENTINEL_NOT_TA);
}
