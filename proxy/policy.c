// SPDX-License-Identifier: MIT
#include "proxy/policy.h"

#include "doh/pool.h"
#include "proxy/search.h"

#include <string.h>
#include <strings.h>

/* --- who ------------------------------------------------------------------------------------- */

static bool prefix_has(const struct config_network *network, const uint8_t address[static 16])
{
    unsigned octets = network->bits / 8u;
    unsigned rest = network->bits % 8u;
    if (memcmp(network->address, address, octets) != 0)
        return false;
    return rest == 0 || (network->address[octets] ^ address[octets]) >> (8u - rest) == 0;
}

bool policy_allows(const struct config *config, const struct doh_address *peer)
{
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff}; /* IPv4 as ::ffff:a.b.c.d */
    if (peer->sa.any.sa_family == AF_INET6)
        memcpy(address, &peer->sa.v6.sin6_addr, 16);
    else
        memcpy(address + 12, &peer->sa.v4.sin_addr, 4);
    for (uint32_t i = 0; i < config->allow_count; i++)
        if (prefix_has(&config->allow[i], address))
            return true;
    return false;
}

/* --- what ------------------------------------------------------------------------------------ */

enum special {
    SPECIAL_LOCALHOST, /* it and all below it are this machine */
    SPECIAL_ABSENT,    /* not in the public DNS at all: NXDOMAIN for itself, too */
    SPECIAL_EMPTY,     /* a zone delegated insecurely that has nothing but its apex */
};

struct special_name {
    const char *wire; /* the final NUL is the root label */
    uint8_t len, labels;
    enum special what;
};

#define ARPA "\4arpa"
#define IN_ADDR "\7in-addr" ARPA
#define ZERO4                                                                                      \
    "\1"                                                                                           \
    "0"                                                                                            \
    "\1"                                                                                           \
    "0"                                                                                            \
    "\1"                                                                                           \
    "0"                                                                                            \
    "\1"                                                                                           \
    "0"
#define ZERO28 ZERO4 ZERO4 ZERO4 ZERO4 ZERO4 ZERO4 ZERO4
#define IP6 "\3ip6" ARPA
#define ROW(labels, what, wire)                                                                    \
    {                                                                                              \
        wire, sizeof(wire), labels, what                                                           \
    }

// clang-format off
static const struct special_name specials[] = {
    ROW(1, SPECIAL_LOCALHOST, "\11localhost"),                      /* RFC 6761 6.3 */
    ROW(1, SPECIAL_ABSENT, "\7invalid"),                            /* RFC 6761 6.4 */
    ROW(1, SPECIAL_ABSENT, "\5onion"),                              /* RFC 7686 2 */
    ROW(1, SPECIAL_ABSENT, "\5local"),                              /* RFC 6762 22.1 */
    ROW(1, SPECIAL_ABSENT, "\3alt"),                                /* RFC 9476 3 */
    ROW(2, SPECIAL_EMPTY, "\4home" ARPA),                           /* RFC 8375 */
    ROW(2, SPECIAL_EMPTY, "\10resolver" ARPA),                      /* RFC 9462 6.4: we designate none */
    ROW(3, SPECIAL_EMPTY, "\1" "0" IN_ADDR),                        /* RFC 6303 4.2 and on */
    ROW(3, SPECIAL_EMPTY, "\3" "127" IN_ADDR),
    ROW(3, SPECIAL_EMPTY, "\2" "10" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "16" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "17" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "18" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "19" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "20" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "21" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "22" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "23" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "24" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "25" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "26" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "27" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "28" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "29" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "30" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\2" "31" "\3" "172" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\3" "168" "\3" "192" IN_ADDR),
    ROW(4, SPECIAL_EMPTY, "\3" "254" "\3" "169" IN_ADDR),
    ROW(5, SPECIAL_EMPTY, "\1" "2" "\1" "0" "\3" "192" IN_ADDR),    /* TEST-NET-1 to -3 */
    ROW(5, SPECIAL_EMPTY, "\3" "100" "\2" "51" "\3" "198" IN_ADDR),
    ROW(5, SPECIAL_EMPTY, "\3" "113" "\1" "0" "\3" "203" IN_ADDR),
    ROW(6, SPECIAL_EMPTY, "\3" "255" "\3" "255" "\3" "255" "\3" "255" IN_ADDR),
    ROW(34, SPECIAL_EMPTY, ZERO4 ZERO28 IP6),
    ROW(34, SPECIAL_EMPTY, "\1" "1" "\1" "0" "\1" "0" "\1" "0" ZERO28 IP6),
    ROW(4, SPECIAL_EMPTY, "\1" "d" "\1" "f" IP6),
    ROW(5, SPECIAL_EMPTY, "\1" "8" "\1" "e" "\1" "f" IP6),
    ROW(5, SPECIAL_EMPTY, "\1" "9" "\1" "e" "\1" "f" IP6),
    ROW(5, SPECIAL_EMPTY, "\1" "a" "\1" "e" "\1" "f" IP6),
    ROW(5, SPECIAL_EMPTY, "\1" "b" "\1" "e" "\1" "f" IP6),
    ROW(10, SPECIAL_EMPTY, "\1" "8" "\1" "b" "\1" "d" "\1" "0" "\1" "1" "\1" "0" "\1" "0" "\1" "2" IP6),
};
// clang-format on

static bool is_within(const struct dns_name *name, const struct special_name *special)
{
    if (name->labels < special->labels || name->len < special->len)
        return false;
    unsigned off = dns_name_suffix_off(name, special->labels);
    if (name->len - off != special->len)
        return false;
    for (unsigned i = 0; i < special->len; i++) {
        uint8_t octet = name->wire[off + i];
        if (octet >= 'A' && octet <= 'Z')
            octet = (uint8_t)(octet + ('a' - 'A'));
        if (octet != (uint8_t)special->wire[i])
            return false;
    }
    return true;
}

/* Every special name ends in one of a few labels, and hardly any name that is asked for does. */
static bool may_be_special(const struct dns_name *name)
{
    static const char *const last[] = {"alt", "arpa", "local", "onion", "invalid", "localhost"};
    if (name->labels == 0)
        return false;
    const uint8_t *label = name->wire + dns_name_suffix_off(name, 1);
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        if (label[0] == strlen(last[i]) && (label[1] | 0x20) == last[i][0] && /* mostly not */
            strncasecmp((const char *)label + 1, last[i], label[0]) == 0)
            return true;
    return false;
}

static const struct special_name *find_special(const struct dns_name *name)
{
    if (!may_be_special(name))
        return NULL;
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        if (is_within(name, &specials[i]))
            return &specials[i];
    return NULL;
}

/* The operator knows better: a server or a key was configured for just this part of the tree. */
static bool is_overruled(const struct config *config, const struct dns_name *name,
                         const struct special_name *special, uint64_t now_s)
{
    if (doh_route_find(&config->doh, name) != DOH_ROUTE_DEFAULT)
        return true;
    struct val_anchor_hit hit = val_anchors_find(config->anchors, name, now_s);
    return hit.kind != VAL_ANCHOR_NONE && hit.zone->labels >= special->labels;
}

static enum policy_answer answer_of(const struct special_name *special,
                                    const struct dns_question *question)
{
    bool apex = question->name.labels == special->labels;
    switch (special->what) {
    case SPECIAL_LOCALHOST:
        return question->type == DNS_TYPE_A || question->type == DNS_TYPE_AAAA ? POLICY_LOCALHOST
                                                                               : POLICY_NODATA;
    case SPECIAL_ABSENT: return POLICY_NXDOMAIN;
    case SPECIAL_EMPTY:
        if (!apex)
            return POLICY_NXDOMAIN;
        return question->type == DNS_TYPE_DS ? POLICY_FORWARD : POLICY_NODATA;
    }
    return POLICY_FORWARD;
}

static const char *why_of(enum special what)
{
    switch (what) {
    case SPECIAL_LOCALHOST: return "is this machine (RFC 6761)";
    case SPECIAL_ABSENT: return "is no part of the public DNS (RFC 6761, 6762, 7686, 9476)";
    case SPECIAL_EMPTY:
        return "belongs to the network at hand, and the public DNS knows nothing of what is there "
               "(RFC 6303, 8375, 9462)";
    }
    return "";
}

void policy_local(const struct config *config, const struct dns_question *question, uint64_t now_s,
                  struct policy_local *ret)
{
    const struct special_name *special = find_special(&question->name);
    ret->answer = POLICY_FORWARD;
    if (search_is_expansion(&config->doh, question, &ret->zone)) {
        ret->answer = POLICY_NXDOMAIN;
        ret->why = "is where a search list leads, and the cluster has no name of that form";
    } else if (special && !is_overruled(config, &question->name, special, now_s)) {
        ret->answer = answer_of(special, question);
        ret->zone = dns_name_suffix(&question->name, special->labels);
        ret->why = why_of(special->what);
    }
}

bool policy_time_name(const struct config *config, const struct dns_question *question)
{
    if (question->type != DNS_TYPE_A && question->type != DNS_TYPE_AAAA)
        return false;
    for (uint32_t i = 0; i < config->time_name_count; i++)
        if (dns_name_within(&question->name, &config->time_names[i]))
            return true;
    return false;
}
