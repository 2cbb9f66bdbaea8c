// SPDX-License-Identifier: MIT
/* `veridoh discover ADDRESS`: asks a plain resolver for its DoH self (RFC 9462), makes sure that it
 * is, and prints configuration. */
#include "doh/address.h"
#include "proxy/cli.h"
#include "proxy/cli_ask.h"
#include "proxy/config_value.h"
#include "proxy/discover_tls.h"

#include <openssl/rand.h>

#include <arpa/inet.h>
#include <getopt.h>
#include <string.h>

#define USAGE "discover [--ca FILE] [--opportunistic FILE] ADDRESS[:PORT]"
#define TRIES 3

enum { FOUND = 0, UNVERIFIED = 1, NOTHING = 3 };

static bool is_answer(struct cli_exchange *e, ssize_t len, struct dns_rr *table, uint32_t cap,
                      struct dns_msg *ret)
{
    struct dns_question question = doh_discover_question();
    return len > 0 && dns_msg_read(e->answer, (size_t)len, table, cap, ret) == DNS_OK &&
           ret->id == (e->query[0] << 8 | e->query[1]) && dns_msg_answers(ret, &question);
}

/* False after a message to stderr. */
static bool ask(struct cli_exchange *e, struct dns_rr *table, uint32_t cap, struct dns_msg *ret)
{
    struct dns_question question = doh_discover_question();
    struct dns_opt_out opt = {.udp_size = 1232};
    char text[DOH_ADDRESS_TEXT_MAX], rcode[DNS_NUMBER_TEXT_MAX];
    uint16_t id = 0;
    (void)RAND_bytes((unsigned char *)&id, sizeof id); /* else it is easier to guess, no more */
    e->len = dns_query_write(e->query, sizeof e->query, id, &question, 0, &opt);
    bool ok = is_answer(e, cli_ask_udp(e, TRIES), table, cap, ret);
    if (ok && (ret->flags & DNS_FLAG_TC))
        ok = is_answer(e, cli_ask_tcp(e), table, cap, ret);
    if (!ok)
        (void)fprintf(stderr, "veridoh: %s gives no answer\n", doh_address_text(e->at, text));
    else if (ret->rcode != DNS_RCODE_NOERROR)
        (void)fprintf(stderr, "veridoh: %s designates no encrypted resolver: %s\n",
                      doh_address_text(e->at, text), dns_rcode_text(ret->rcode, rcode));
    return ok;
}

static void bare(const struct doh_address *address, char text[static INET6_ADDRSTRLEN])
{
    const void *octets = address->sa.any.sa_family == AF_INET6
                             ? (const void *)&address->sa.v6.sin6_addr
                             : (const void *)&address->sa.v4.sin_addr;
    text[0] = '\0';
    (void)inet_ntop(address->sa.any.sa_family, octets, text, INET6_ADDRSTRLEN); /* both are known */
}

static void print_upstream(const struct doh_designated *d, const struct discover_check *check,
                           const struct doh_address *at, const struct discover_found *found)
{
    char ip[INET6_ADDRSTRLEN], reached[INET6_ADDRSTRLEN];
    bool v6 = check->resolver->sa.any.sa_family == AF_INET6;
    bare(check->resolver, ip);
    bare(at, reached);
    (void)printf("  - name: %s\n    url: https://", d->target);
    if (found->for_target)
        (void)printf("%s", d->target);
    else
        (void)printf(v6 ? "[%s]" : "%s", ip);
    if (d->port != 443)
        (void)printf(":%u", d->port);
    (void)printf("%s\n    addresses: [\"%s\"]\n", d->path, reached);
    if (check->keep_file || check->ca_file)
        (void)printf("    ca: %s\n", check->keep_file ? check->keep_file : check->ca_file);
}

static bool same_host(struct doh_address a, struct doh_address b)
{
    doh_address_set_port(&a, 0);
    doh_address_set_port(&b, 0);
    return doh_address_equal(&a, &b);
}

/* One designation at one of its addresses. */
static bool try_at(const struct doh_designated *d, const struct discover_check *check,
                   const struct doh_address *at, bool first)
{
    char error[256], text[DOH_ADDRESS_TEXT_MAX];
    struct discover_found found = {.for_address = false};
    if (check->keep_file && !same_host(*at, *check->resolver)) {
        (void)fprintf(stderr,
                      "veridoh: %s at %s: without proof it must be at the same address "
                      "(RFC 9462 4.3)\n",
                      d->target, doh_address_text(at, text));
        return false;
    }
    if (!discover_tls(check, d, at, &found, error)) {
        (void)fprintf(stderr, "veridoh: %s at %s: %s\n", d->target, doh_address_text(at, text),
                      error);
        return false;
    }
    if (first)
        (void)printf("# designated by %s (RFC 9462), %s\nupstreams:\n",
                     doh_address_text(check->resolver, text),
                     check->keep_file ? "NOT verified: whoever answered at that moment is believed"
                                      : "verified: its certificate names that address");
    print_upstream(d, check, at, &found);
    return true;
}

static int try_all(const struct dns_msg *msg, const struct discover_check *check)
{
    static struct doh_designated designated[DOH_DESIGNATED_MAX];
    uint32_t count = doh_discover_read(msg, designated), found = 0;
    if (count == 0) {
        (void)fprintf(stderr, "veridoh: no DoH resolver is designated there\n");
        return NOTHING;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct doh_designated *d = &designated[i];
        if (d->address_count == 0) { /* most often it is the same machine */
            d->address[d->address_count++] = *check->resolver;
            doh_address_set_port(&d->address[0], d->port);
        }
        bool works = false;
        for (uint32_t a = 0; a < d->address_count && !works; a++)
            works = try_at(d, check, &d->address[a], found == 0);
        found += works;
        if (works && check->keep_file)
            break; /* one file, one authority */
    }
    return found > 0 ? FOUND : UNVERIFIED;
}

/* RFC 9462 4.3: addresses that no certificate of a public authority can be for. */
static bool is_private(const struct doh_address *address)
{
    if (address->sa.any.sa_family == AF_INET6) {
        const struct in6_addr *a = &address->sa.v6.sin6_addr;
        return (a->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(a) ||
               IN6_IS_ADDR_LOOPBACK(a);
    }
    uint32_t a = ntohl(address->sa.v4.sin_addr.s_addr);
    return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
           a >> 16 == 0xa9fe;
}

static int read_arguments(int argc, char **argv, struct discover_check *check,
                          struct doh_address *ret)
{
    static const struct option options[] = {{"ca", required_argument, NULL, 'c'},
                                            {"opportunistic", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static const struct config_key address = {.name = "", .kind = CONFIG_ENDPOINT, .min = 53};
    char expected[CONFIG_WORDS_MAX];
    optind = 1;
    opterr = 0;
    for (int o = 0; (o = getopt_long(argc, argv, ":c:o:h", options, NULL)) != -1;) {
        switch (o) {
        case 'c': check->ca_file = optarg; break;
        case 'o': check->keep_file = optarg; break;
        case 'h': (void)printf("usage: veridoh %s\n", USAGE); return -2;
        default: return cli_bad_option(argv, USAGE, o);
        }
    }
    if (optind == argc)
        return cli_misused(USAGE, "an address is missing");
    if (argc - optind > 1)
        return cli_misused(USAGE, "'%s' is not expected", argv[optind + 1]);
    if (!config_value_store(&address, argv[optind], ".", ret, expected))
        return cli_misused(USAGE, "'%s' is not %s", argv[optind], expected);
    if (check->keep_file && !is_private(ret))
        return cli_misused(USAGE, "--opportunistic is for private addresses only: a public one can "
                                  "have a certificate (RFC 9462 4.3)");
    const char *why = check->ca_file ? discover_tls_ca_fault(check->ca_file) : NULL;
    return why ? cli_misused(USAGE, "--ca %s: %s", check->ca_file, why) : 0;
}

int cli_discover(int argc, char **argv)
{
    static struct dns_rr table[DNS_RR_MAX];
    static struct cli_exchange exchange;
    struct doh_address resolver;
    struct discover_check check = {.resolver = &resolver};
    struct dns_msg msg;
    int wrong = read_arguments(argc, argv, &check, &resolver);
    if (wrong)
        return wrong == -2 ? 0 : CLI_EX_USAGE;
    exchange.at = &resolver;
    if (!ask(&exchange, table, DNS_RR_MAX, &msg))
        return CLI_EX_UNAVAILABLE;
    return msg.rcode == DNS_RCODE_NOERROR ? try_all(&msg, &check) : NOTHING;
}
