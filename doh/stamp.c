// SPDX-License-Identifier: MIT
#include "doh/stamp.h"

#include "dns/reader.h"
#include "doh/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OCTETS_MAX 1024u
#define PROPERTIES_LEN 8u
#define MORE 0x80u /* of a length: another item follows */

static const char scheme[] = "sdns://";

bool doh_stamp_is(const char *text)
{
    return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 4648 5 without padding; the bits that are left over are zero, so that one stamp has one
 * text. */
static bool decode(const char *text, uint8_t *octets, uint32_t *ret_len)
{
    uint32_t bits = 0, count = 0, len = 0;
    for (const char *p = text; *p; p++) {
        int digit = digit_of(*p);
        if (digit < 0)
            return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (len == OCTETS_MAX)
            return false;
        octets[len++] = (uint8_t)(bits >> count);
    }
    *ret_len = len;
    return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

/* One item: a length octet and what it counts. */
static struct dns_reader read_item(struct dns_reader *r, bool *ret_more)
{
    uint8_t len = dns_read_u8(r);
    *ret_more = (len & MORE) != 0;
    len &= (uint8_t)~MORE;
    const uint8_t *octets = dns_read_bytes(r, len);
    return dns_reader_init(octets, octets ? len : 0);
}

/* The item as text; false when it is too long or not of printable ASCII. */
static bool item_text(struct dns_reader item, char *text, size_t cap)
{
    uint32_t len = item.end - item.off;
    const uint8_t *octets = dns_read_bytes(&item, len);
    if (len >= cap)
        return false;
    for (uint32_t i = 0; i < len; i++)
        if (octets[i] <= ' ' || octets[i] > '~')
            return false;
    if (len > 0)
        memcpy(text, octets, len);
    text[len] = '\0';
    return true;
}

static bool read_text(struct dns_reader *r, char *text, size_t cap)
{
    bool more;
    struct dns_reader item = read_item(r, &more);
    return r->err == DNS_OK && !more && item_text(item, text, cap);
}

/* Cuts ":port" off; the port stays as it is when there is none. False: it is no port. */
static bool cut_port(char *text, uint16_t *port)
{
    char *close = strrchr(text, ']');
    char *colon = strrchr(close ? close : text, ':');
    uint32_t value = 0;
    if (!colon || (!close && strchr(text, ':') != colon))
        return true; /* a bare IPv6 address */
    if (colon[1] == '\0' || strlen(colon + 1) > 5)
        return false;
    for (const char *p = colon + 1; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        value = value * 10 + (uint32_t)(*p - '0');
    }
    if (value == 0 || value > 65535)
        return false;
    *port = (uint16_t)value;
    *colon = '\0';
    return true;
}

/* "192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443"; "" and ":443" are no address but may be. */
static bool parse_address(char *text, uint16_t *port, struct doh_address *ret)
{
    struct doh_address address = {.sa.any.sa_family = AF_UNSPEC};
    if (!cut_port(text, port))
        return false;
    size_t len = strlen(text);
    if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
        text[len - 1] = '\0';
        text++;
    }
    if (inet_pton(AF_INET, text, &address.sa.v4.sin_addr) == 1)
        address.sa.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.sa.v6.sin6_addr) == 1)
        address.sa.v6.sin6_family = AF_INET6;
    else if (text[0] != '\0')
        return false;
    if (address.sa.any.sa_family != AF_UNSPEC)
        doh_address_set_port(&address, *port);
    *ret = address;
    return true;
}

static const char *read_hashes(struct dns_reader *r, struct doh_stamp *stamp)
{
    for (bool more = true; more;) {
        struct dns_reader item = read_item(r, &more);
        uint32_t len = item.end - item.off;
        const uint8_t *octets = dns_read_bytes(&item, len);
        if (r->err != DNS_OK)
            return "the stamp ends too soon";
        if (len == 0) /* the way to write that there is none */
            continue;
        if (len != sizeof stamp->hash[0] || stamp->hash_count == DOH_STAMP_LIST_MAX)
            return "a certificate's hash in the stamp is not of 32 octets, or there are too many";
        memcpy(stamp->hash[stamp->hash_count++], octets, len);
    }
    return NULL;
}

static const char *read_bootstrap(struct dns_reader *r, struct doh_stamp *stamp)
{
    for (bool more = true; more;) {
        char text[64];
        uint16_t port = 53;
        struct doh_address address;
        struct dns_reader item = read_item(r, &more);
        if (r->err != DNS_OK || !item_text(item, text, sizeof text) ||
            !parse_address(text, &port, &address))
            return "a bootstrap address in the stamp is none";
        if (address.sa.any.sa_family == AF_UNSPEC)
            continue;
        if (stamp->bootstrap_count == DOH_STAMP_LIST_MAX)
            return "too many bootstrap addresses in the stamp";
        stamp->bootstrap[stamp->bootstrap_count++] = address;
    }
    return NULL;
}

static const char *make_url(struct doh_stamp *stamp, char *host, uint16_t port, const char *path)
{
    struct doh_url url;
    if (!cut_port(host, &port))
        return "the host in the stamp has a port that is none";
    if (path[0] != '/')
        return "the path in the stamp does not begin with /";
    if (host[strcspn(host, "/?#@{")] != '\0')
        return "the host in the stamp is no host";
    int n = port == 443
                ? snprintf(stamp->url, sizeof stamp->url, "https://%s%s", host, path)
                : snprintf(stamp->url, sizeof stamp->url, "https://%s:%u%s", host, port, path);
    if (n < 0 || (size_t)n >= sizeof stamp->url)
        return "host and path in the stamp are too long";
    if (stamp->address.sa.any.sa_family != AF_UNSPEC)
        doh_address_set_port(&stamp->address, port);
    return doh_url_parse(stamp->url, &url);
}

static const char *read_doh(struct dns_reader *r, struct doh_stamp *stamp)
{
    char address[64], host[DOH_AUTHORITY_MAX], path[DOH_PATH_MAX];
    uint16_t port = 443;
    if (!read_text(r, address, sizeof address) || !parse_address(address, &port, &stamp->address))
        return "the address in the stamp is none";
    const char *wrong = read_hashes(r, stamp);
    if (wrong)
        return wrong;
    if (!read_text(r, host, sizeof host) || !read_text(r, path, sizeof path))
        return "the host or the path in the stamp cannot be read";
    wrong = make_url(stamp, host, port, path);
    if (wrong || r->off == r->end)
        return wrong;
    return read_bootstrap(r, stamp);
}

static const char *read_plain(struct dns_reader *r, struct doh_stamp *stamp)
{
    char address[64];
    uint16_t port = 53;
    if (!read_text(r, address, sizeof address) || !parse_address(address, &port, &stamp->address) ||
        stamp->address.sa.any.sa_family == AF_UNSPEC)
        return "the address in the stamp is none";
    return NULL;
}

const char *doh_stamp_parse(const char *text, struct doh_stamp *ret)
{
    uint8_t octets[OCTETS_MAX];
    uint32_t len;
    struct doh_stamp stamp = {.hash_count = 0};
    if (!doh_stamp_is(text))
        return "it does not begin with sdns://";
    if (!decode(text + strlen(scheme), octets, &len))
        return "what follows sdns:// is not base64url without padding";
    struct dns_reader r = dns_reader_init(octets, len);
    uint8_t protocol = dns_read_u8(&r);
    (void)dns_read_bytes(&r, PROPERTIES_LEN);
    if (r.err != DNS_OK)
        return "the stamp ends too soon";
    const char *wrong;
    switch (protocol) {
    case 0x00:
        stamp.kind = DOH_STAMP_PLAIN;
        wrong = read_plain(&r, &stamp);
        break;
    case 0x02:
        stamp.kind = DOH_STAMP_DOH;
        wrong = read_doh(&r, &stamp);
        break;
    default: return "the stamp is for a protocol that is not spoken here, only DoH and plain DNS";
    }
    if (!wrong && r.off != r.end)
        wrong = "something follows the end of the stamp";
    if (!wrong)
        *ret = stamp;
    return wrong;
}
