// SPDX-License-Identifier: MIT
#include "proxy/config_anchors.h"

#include "proxy/anchors_xml.h"
#include "proxy/clock.h"

#include <stdlib.h>
#include <string.h>

#define ANCHOR_FILE_MAX (1u << 20)

/* NULL when it cannot be read, is larger than that, or has a NUL in it. */
static char *read_text(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    char *text = malloc(ANCHOR_FILE_MAX + 1u);
    size_t len = text ? fread(text, 1, ANCHOR_FILE_MAX + 1u, f) : 0;
    bool broken = !text || ferror(f) || len > ANCHOR_FILE_MAX || memchr(text, '\0', len);
    (void)fclose(f); /* only read from */
    if (broken) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

static void add_xml(struct val_anchors *anchors, struct config_errors *errors, const char *path,
                    const char *text, size_t len)
{
    struct anchors_xml_error error;
    if (anchors_xml_add(anchors, path, text, len, &error))
        return;
    (void)fprintf(errors->out, "%s:%u:%u: error: %s\n", path, error.line, error.column, error.text);
    errors->count++;
}

static void add_records(struct val_anchors *anchors, struct config_errors *errors, const char *path,
                        const char *text)
{
    unsigned line = 0;
    enum dns_err err = val_anchors_add_file(anchors, path, text, &line);
    if (err == DNS_OK)
        return;
    (void)fprintf(errors->out, "%s:%u:1: error: not a DS or DNSKEY record in zone-file form: %s\n",
                  path, line, dns_err_text(err));
    errors->count++;
}

/* `where` the file is named. */
static void add_anchors(struct val_anchors *anchors, struct config_errors *errors, const char *path,
                        const char *where)
{
    uint32_t before = val_anchors_count(anchors);
    size_t len = 0;
    if (!strcmp(path, "builtin")) {
        if (val_anchors_add_builtin(anchors) != DNS_OK)
            config_error_of(errors, where, "trust-anchors: out of memory");
        return;
    }
    char *text = read_text(path, &len);
    if (!text)
        config_error_of(errors, where, "%s: cannot be read, or is no text of at most 1 MiB", path);
    else if (anchors_xml_is(text))
        add_xml(anchors, errors, path, text, len);
    else
        add_records(anchors, errors, path, text);
    if (text && errors->count == 0 && val_anchors_count(anchors) == before && before == 0)
        config_error_of(errors, where, "%s: has no trust anchor in it", path);
    free(text);
}

static void add_all_anchors(const struct config_draft *draft, struct config_errors *errors)
{
    struct val_anchors *anchors = draft->c.anchors;
    char where[64];
    for (uint32_t i = 0; i < draft->trust_anchor_count; i++) {
        (void)snprintf(where, sizeof where, "validation.trust-anchors[%u]", i);
        add_anchors(anchors, errors, draft->trust_anchors[i], where);
    }
    for (uint32_t i = 0; i < draft->c.doh.route_count; i++) {
        const struct doh_route_config *route = &draft->c.doh.routes[i];
        for (uint32_t a = 0; a < route->trust_anchor_count; a++) {
            (void)snprintf(where, sizeof where, "routes[%u].trust-anchors[%u]", i, a);
            add_anchors(anchors, errors, route->trust_anchors[a], where);
        }
    }
}

/* What is wrong with an anchor right now; NULL: nothing. */
static const char *unusable(const struct config_draft *draft, const struct val_anchor *anchor,
                            uint64_t now_s)
{
    struct val_ds_set ds = {&anchor->ds, 1};
    if (now_s < anchor->from_s)
        return "it is not valid yet (validFrom)";
    if (now_s >= anchor->until_s)
        return "it is not valid any more (validUntil)";
    switch (val_ds_usable(&ds, &draft->c.policy)) {
    case VAL_WHY_NONE: return NULL;
    case VAL_WHY_DIGEST: return "its digest type is not supported here";
    default: return "its algorithm is not supported here";
    }
}

static bool zone_is_usable(const struct config_draft *draft, const struct dns_name *zone,
                           uint64_t now_s)
{
    for (uint32_t i = 0; i < val_anchors_count(draft->c.anchors); i++) {
        struct val_anchor anchor = val_anchors_at(draft->c.anchors, i);
        if (dns_name_equal(&anchor.zone, zone) && !unusable(draft, &anchor, now_s))
            return true;
    }
    return false;
}

/* A zone whose anchors are all of no use would be bogus, or worse, insecure. */
static void check_anchors(const struct config_draft *draft, struct config_errors *errors,
                          uint64_t now_s)
{
    const struct val_anchors *anchors = draft->c.anchors;
    for (uint32_t i = 0; i < val_anchors_count(anchors); i++) {
        struct val_anchor anchor = val_anchors_at(anchors, i);
        char zone[DNS_NAME_TEXT_MAX];
        if (zone_is_usable(draft, &anchor.zone, now_s))
            continue;
        (void)dns_name_text(&anchor.zone, zone);
        (void)fprintf(errors->out, "%s:1: error: no trust anchor of %s can be used: %s\n",
                      anchor.source, zone, unusable(draft, &anchor, now_s));
        errors->count++;
    }
    if (val_anchors_count(anchors) == 0 && errors->count == 0)
        config_error_of(errors, "validation.trust-anchors",
                        "trust-anchors: at least one is needed");
}

void config_anchors_finish(struct config_draft *draft, struct config_errors *errors)
{
    struct val_anchors *anchors = val_anchors_new();
    draft->c.anchors = anchors;
    if (!anchors) {
        config_error_of(errors, "validation", "trust-anchors: out of memory");
        return;
    }
    add_all_anchors(draft, errors);
    check_anchors(draft, errors, clock_wall_s());
    for (uint32_t i = 0; i < draft->negative_count; i++) {
        const struct config_negative *n = &draft->negative[i];
        if (val_anchors_add_negative(anchors, &n->domain, n->until_s ? n->until_s : UINT64_MAX,
                                     n->reason ? n->reason : "configured") != DNS_OK)
            config_error_of(errors, "validation", "negative-trust-anchors: out of memory");
    }
}
