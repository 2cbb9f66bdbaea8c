// SPDX-License-Identifier: MIT
#include "proxy/config_stamp.h"

#include "doh/pin.h"
#include "doh/stamp.h"

#include <stdlib.h>
#include <string.h>

static bool add_address(struct doh_address **list, uint32_t *count,
                        const struct doh_address *address)
{
    struct doh_address *grown = realloc(*list, (*count + 1u) * sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    grown[(*count)++] = *address;
    return true;
}

static bool add_hash(struct doh_upstream_config *u, const uint8_t hash[static 32])
{
    char text[DOH_PIN_TEXT_MAX];
    struct doh_pin pin;
    char **grown = realloc(u->pins, (u->pin_count + 1u) * sizeof *grown);
    if (!grown)
        return false;
    u->pins = grown;
    memcpy(pin.sha256, hash, sizeof pin.sha256);
    grown[u->pin_count] = strdup(doh_pin_certificate_text(&pin, text));
    if (!grown[u->pin_count])
        return false;
    u->pin_count++;
    return true;
}

const char *config_stamp_expand(struct doh_upstream_config *u)
{
    struct doh_stamp stamp;
    if (!doh_stamp_is(u->url))
        return NULL;
    const char *wrong = doh_stamp_parse(u->url, &stamp);
    if (wrong)
        return wrong;
    if (stamp.kind != DOH_STAMP_DOH)
        return "the stamp is for plain DNS; an upstream is asked by DoH";
    char *url = strdup(stamp.url);
    if (!url)
        return "out of memory";
    free(u->url);
    u->url = url;
    bool ok = stamp.address.sa.any.sa_family == AF_UNSPEC ||
              add_address(&u->addresses, &u->address_count, &stamp.address);
    for (uint32_t i = 0; i < stamp.bootstrap_count; i++)
        ok = ok && add_address(&u->bootstrap, &u->bootstrap_count, &stamp.bootstrap[i]);
    for (uint32_t i = 0; i < stamp.hash_count; i++)
        ok = ok && add_hash(u, stamp.hash[i]);
    return ok ? NULL : "out of memory";
}

bool config_stamp_server(const char *text, struct doh_address *ret)
{
    struct doh_stamp stamp;
    if (!doh_stamp_is(text) || doh_stamp_parse(text, &stamp) || stamp.kind != DOH_STAMP_PLAIN)
        return false;
    *ret = stamp.address;
    return true;
}
