// SPDX-License-Identifier: MIT
#include "doh/discover.h"

#include "doh/address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HTTPS_PORT 443u

/* RFC 9460 14.3.2, RFC 9461 5 */
enum {
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_IPV6HINT = 6,
    KEY_DOHPATH = 7,
};

struct dns_question doh_discover_question(void)
{
    struct dns_question question = {.type = DNS_TYPE_SVCB, .class_ = DNS_CLASS_IN};
    (void)dns_name_parse("_dns.resolver.arpa", &question.name); /* it is one */
    return question;
}

static bool knows(uint16_t key)
{
    return key == KEY_ALPN || key == KEY_NO_DEFAULT_ALPN || key == KEY_PORT ||
           key == KEY_IPV4HINT || key == KEY_IPV6HINT || key == KEY_DOHPATH;
}

static bool read_mandatory(struct dns_reader r)
{
    while (dns_reader_left(&r) > 0)
        if (!knows(dns_read_u16(&r)))
            return false;
    return r.err == DNS_OK;
}

static bool has_h2(struct dns_reader r)
{
    bool found = false;
    while (dns_reader_left(&r) > 0) {
        uint8_t len = dns_read_u8(&r);
        const uint8_t *id = dns_read_bytes(&r, len);
        found = found || (id && len == 2 && memcmp(id, "h2", 2) == 0);
    }
    return found && r.err == DNS_OK;
}

static bool read_hints(struct dns_reader r, sa_family_t family, struct doh_designated *d)
{
    uint32_t len = family == AF_INET ? 4 : 16;
    while (dns_reader_left(&r) > 0) {
        struct doh_address address = {.sa.any.sa_family = family};
        const uint8_t *octets = dns_read_bytes(&r, len);
        if (!octets)
            return false;
        memcpy(family == AF_INET ? (void *)&address.sa.v4.sin_addr
                                 : (void *)&address.sa.v6.sin6_addr,
               octets, len);
        if (d->address_count < DOH_DESIGNATED_ADDRESSES_MAX)
            d->address[d->address_count++] = address;
    }
    return true;
}

/* "/dns-query{?dns}"; whether it is one that we can use, the URL's parser says. */
static bool read_path(struct dns_reader r, struct doh_designated *d)
{
    uint32_t len = dns_reader_left(&r);
    const uint8_t *octets = dns_read_bytes(&r, len);
    if (!octets || len == 0 || len >= sizeof d->path || octets[0] != '/' ||
        memchr(octets, '\0', len))
        return false;
    memcpy(d->path, octets, len);
    d->path[len] = '\0';
    return true;
}

static bool read_params(struct dns_reader r, struct doh_designated *d)
{
    bool ok = true, h2 = false;
    int32_t last = -1;
    while (ok && dns_reader_left(&r) > 0) {
        uint16_t key = dns_read_u16(&r);
        uint16_t len = dns_read_u16(&r);
        struct dns_reader value = dns_read_child(&r, len);
        if (r.err != DNS_OK || key <= last) /* RFC 9460 2.2: in order, each once */
            return false;
        last = key;
        switch (key) {
        case KEY_MANDATORY: ok = read_mandatory(value); break;
        case KEY_ALPN: h2 = has_h2(value); break;
        case KEY_PORT:
            d->port = dns_read_u16(&value);
            ok = dns_reader_finish(&value) == DNS_OK && d->port != 0;
            break;
        case KEY_IPV4HINT: ok = read_hints(value, AF_INET, d); break;
        case KEY_IPV6HINT: ok = read_hints(value, AF_INET6, d); break;
        case KEY_DOHPATH: ok = read_path(value, d); break;
        default: break;
        }
    }
    return ok && r.err == DNS_OK && h2 && d->path[0] != '\0';
}

/* The target as a host name; false for the root and for what no URL can hold. */
static bool read_target(const struct dns_name *name, struct doh_designated *d)
{
    char url[DOH_AUTHORITY_MAX + DOH_PATH_MAX + 16];
    struct doh_url parsed;
    if (name->labels == 0)
        return false;
    (void)dns_name_text(name, d->target);
    size_t len = strlen(d->target);
    d->target[len - 1] = '\0'; /* the final dot */
    int n = snprintf(url, sizeof url, "https://%s:%u%s", d->target, d->port, d->path);
    return n > 0 && (size_t)n < sizeof url && doh_url_parse(url, &parsed) == NULL &&
           !parsed.is_ip && parsed.port == d->port && strcasecmp(parsed.host, d->target) == 0;
}

static bool read_record(const struct dns_msg *msg, const struct dns_rr *rr,
                        struct doh_designated *ret)
{
    struct doh_designated d = {.port = HTTPS_PORT};
    struct dns_reader r = dns_rr_rdata(msg, rr);
    struct dns_name target;
    d.priority = dns_read_u16(&r);
    if (r.err != DNS_OK || d.priority == 0 || dns_name_read(&r, &target) != DNS_OK ||
        !read_params(r, &d) || !read_target(&target, &d))
        return false;
    for (uint32_t i = 0; i < d.address_count; i++)
        doh_address_set_port(&d.address[i], d.port);
    *ret = d;
    return true;
}

uint32_t doh_discover_read(const struct dns_msg *msg, struct doh_designated ret[static 8])
{
    struct dns_question question = doh_discover_question();
    uint32_t count = 0;
    for (uint32_t i = 0; i < msg->rr_count && count < DOH_DESIGNATED_MAX; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        struct doh_designated d;
        if (rr->section != DNS_ANSWER || rr->type != DNS_TYPE_SVCB || rr->class_ != DNS_CLASS_IN)
            continue;
        struct dns_name owner = dns_rr_owner(msg, rr);
        if (!dns_name_equal(&owner, &question.name) || !read_record(msg, rr, &d))
            continue;
        uint32_t at = count++;
        for (; at > 0 && ret[at - 1].priority > d.priority; at--)
            ret[at] = ret[at - 1];
        ret[at] = d;
    }
    return count;
}
