// SPDX-License-Identifier: MIT
#include "proxy/config_schema.h"

#include <stddef.h>

#define AT(field) offsetof(struct config_draft, field)
#define LIST(items, item_count)                                                                    \
    .kind = CONFIG_LIST, .offset = AT(items), .count_offset = AT(item_count)
#define BETWEEN(lo, hi) .min = (lo), .max = (hi)

static const char *const automatic[] = {"auto", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const choices[] = {"failover", "fastest", "round-robin", "spread", NULL};
static const char *const hedges[] = {"off", "other", NULL};
static const char *const builtin[] = {"builtin", NULL};
static const char *const auto_off_on[] = {"auto", "off", "on", NULL};
static const char *const none[] = {"none", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const formats[] = {"auto", "text", "journal", "json", NULL};

// clang-format off
static const struct config_key an_ip[] = {{.name = "", .kind = CONFIG_IP}, {.name = NULL}};
static const struct config_key a_server[] = {{.name = "", .kind = CONFIG_ENDPOINT, .min = 53}, {.name = NULL}};
static const struct config_key a_pin[] = {{.name = "", .kind = CONFIG_STRING}, {.name = NULL}};
static const struct config_key a_domain[] = {{.name = "", .kind = CONFIG_DOMAIN}, {.name = NULL}};
static const struct config_key a_name[] = {{.name = "", .kind = CONFIG_STRING}, {.name = NULL}};
static const struct config_key an_anchor_file[] = {{.name = "", .kind = CONFIG_PATH, .words = builtin}, {.name = NULL}};
static const struct config_key a_network[] = {{.name = "", .kind = CONFIG_NETWORK}, {.name = NULL}};

static const struct config_key listen_keys[] = {
    {.name = "address", .kind = CONFIG_ENDPOINT, .min = 53, .required = true,
     .doc = "IP address and port to take questions at, by UDP and by TCP; port 53 when left out. "
            "Quote IPv6: \"[::1]:53\"."},
    {.name = NULL}};
static const struct config_key a_listener[] = {
    {.name = "", .kind = CONFIG_MAP, .children = listen_keys}, {.name = NULL}};

#define UP(field) offsetof(struct doh_upstream_config, field)
static const struct config_key upstream_keys[] = {
    {.name = "name", .kind = CONFIG_STRING, .offset = UP(name),
     .doc = "What logs and error texts call it. Default: the host name of the URL."},
    {.name = "url", .kind = CONFIG_URL, .offset = UP(url), .required = true,
     .doc = "The resolver's URL template (RFC 8484). Asked by POST; with {?dns} at its end GET is "
            "possible too. Or its DNS stamp, sdns://...: addresses, bootstrap servers and certificate hashes in it are added to "
            "those given here."},
    {.name = "get", .kind = CONFIG_BOOL, .offset = UP(get), .fallback = "false",
     .doc = "Ask by GET, which the resolver's HTTP caches may answer. Puts names into URLs."},
    {.name = "operator", .kind = CONFIG_STRING, .offset = UP(operator_),
     .doc = "Who runs it. An answer that is not believed is asked for again at another operator. "
            "Default: the host name of the URL."},
    {.name = "addresses", .kind = CONFIG_LIST, .offset = UP(addresses), .count_offset = UP(address_count),
     .element_size = sizeof(struct doh_address), .children = an_ip,
     .doc = "IP addresses of the host; it is looked up only if they fail and it has bootstrap servers."},
    {.name = "bootstrap", .kind = CONFIG_LIST, .offset = UP(bootstrap), .count_offset = UP(bootstrap_count),
     .element_size = sizeof(struct doh_address), .children = a_server,
     .doc = "Plain DNS servers, asked for this host name only: when no addresses are given or known from before, and when those fail."},
    {.name = "ca", .kind = CONFIG_PATH, .offset = UP(ca_file),
     .doc = "PEM file of the authorities to trust for it instead of the system's."},
    {.name = "route-only", .kind = CONFIG_BOOL, .offset = UP(route_only), .fallback = "false",
     .doc = "Ask it only for the routes that name it."},
    {.name = "pin", .kind = CONFIG_LIST, .offset = UP(pins), .count_offset = UP(pin_count),
     .element_size = sizeof(char *), .children = a_pin,
     .doc = "Keys of which the server's must be one, besides a certificate that holds: \"sha256//\" "
            "and the base64 of the SHA-256 of the public key, as curl's --pinnedpubkey."},
    {.name = "client-cert", .kind = CONFIG_PATH, .offset = UP(client_cert),
     .doc = "PEM file of a certificate and its chain, for a resolver that asks who we are."},
    {.name = "client-key", .kind = CONFIG_PATH, .offset = UP(client_key),
     .doc = "PEM file of that certificate's key."},
    {.name = "tier", .kind = CONFIG_COUNT, .offset = UP(tier), BETWEEN(0, 9), .fallback = "0",
     .doc = "As long as an upstream of a lower tier lives, those of a higher one are not asked."},
    {.name = NULL}};
static const struct config_key an_upstream[] = {
    {.name = "", .kind = CONFIG_MAP, .children = upstream_keys}, {.name = NULL}};

#define ROUTE(field) offsetof(struct doh_route_config, field)
static const struct config_key route_keys[] = {
    {.name = "domains", .kind = CONFIG_LIST, .offset = ROUTE(domains), .count_offset = ROUTE(domain_count),
     .element_size = sizeof(struct dns_name), .children = a_domain,
     .doc = "Names at and below these domains take the route; the longest match wins."},
    {.name = "domains-from", .kind = CONFIG_PATH, .offset = ROUTE(domains_from),
     .doc = "A file like /etc/resolv.conf, read again when it changes: the domains of its search list are added, as far as no other "
            "route names them. In a search list like Kubernetes' (NAMESPACE.svc.ZONE, svc.ZONE, ZONE) addresses of names that its "
            "schema cannot have are answered here: www.example.com.NAMESPACE.svc.ZONE, www.example.com.ZONE."},
    {.name = "servers", .kind = CONFIG_LIST, .offset = ROUTE(servers), .count_offset = ROUTE(server_count),
     .element_size = sizeof(struct doh_address), .children = a_server,
     .doc = "Plain DNS servers, IP or \"IP:port\", or the sdns:// stamp of one."},
    {.name = "servers-from", .kind = CONFIG_PATH, .offset = ROUTE(servers_from),
     .doc = "A file like /etc/resolv.conf: its servers are asked, too, but never one that is this program. Read again when it "
            "changes."},
    {.name = "upstreams", .kind = CONFIG_LIST, .offset = ROUTE(groups), .count_offset = ROUTE(group_count),
     .element_size = sizeof(char *), .children = a_name, .or_one = true,
     .doc = "Names of upstreams: these and no others are asked, by DoH. Instead of plain servers."},
    {.name = "validate", .kind = CONFIG_WORD, .offset = ROUTE(validate), .fallback = "auto", .words = auto_off_on,
     .doc = "off: the answers are believed as they stand, the route is a negative trust anchor. on: they are proven from the trust "
            "anchors, like all others. auto: on with upstreams or trust-anchors, off with plain servers."},
    {.name = "trust-anchors", .kind = CONFIG_LIST, .offset = ROUTE(trust_anchors), .count_offset = ROUTE(trust_anchor_count),
     .element_size = sizeof(char *), .children = an_anchor_file, .or_one = true,
     .doc = "Files of anchors for these domains, as in validation; then validate is on."},
    {.name = "max-negative-ttl", .kind = CONFIG_SECONDS, .offset = ROUTE(negative_ttl_s), BETWEEN(0, 86400), .fallback = "0s",
     .doc = "Keep absences of this route at most that long; 0s: as all others. 5s suits a cluster where names come and go."},
    {.name = NULL}};
static const struct config_key a_route[] = {
    {.name = "", .kind = CONFIG_MAP, .children = route_keys}, {.name = NULL}};

static const struct config_key cache_keys[] = {
    {.name = "size", .kind = CONFIG_SIZE, .offset = AT(c.cache.bytes), BETWEEN(1 << 20, (uint64_t)1 << 40), .fallback = "auto", .words = automatic,
     .doc = "Most octets that answers, keys and tables take together; auto is 64 MiB or an eighth of the memory granted."},
    {.name = "min-ttl", .kind = CONFIG_SECONDS, .offset = AT(c.cache.min_ttl_s), BETWEEN(0, 3600), .fallback = "0s",
     .doc = "Keep answers at least that long, but never past a signature's end."},
    {.name = "max-ttl", .kind = CONFIG_SECONDS, .offset = AT(c.cache.max_ttl_s), BETWEEN(1, 604800), .fallback = "1d",
     .doc = "Keep answers at most that long."},
    {.name = "max-negative-ttl", .kind = CONFIG_SECONDS, .offset = AT(c.cache.negative_ttl_s), BETWEEN(1, 86400), .fallback = "1h",
     .doc = "The same for \"no such name\" and \"no such record\" (RFC 2308)."},
    {.name = "failure-ttl", .kind = CONFIG_SECONDS, .offset = AT(c.cache.failure_ttl_s), BETWEEN(1, 300), .fallback = "1s",
     .doc = "A question that failed is not asked again that long; doubles with each failure (RFC 9520)."},
    {.name = "max-failure-ttl", .kind = CONFIG_SECONDS, .offset = AT(c.cache.failure_max_ttl_s), BETWEEN(1, 300), .fallback = "5m",
     .doc = "Where that doubling ends."},
    {.name = "max-stale", .kind = CONFIG_SECONDS, .offset = AT(c.cache.max_stale_s), BETWEEN(0, 604800), .fallback = "1d",
     .doc = "While no upstream answers, or with a failure or what is no answer, what was proven is still given out for that long after its "
            "TTL, with a TTL of 30 s and EDE 3 or 19, until a signature has ended (RFC 8767). "
            "Never in place of what is found bogus, nor of what an upstream says it blocks (EDE 15 to 18) or finds bogus itself (EDE 6 to 12). "
            "0s: not at all."},
    {.name = "stale-after", .kind = CONFIG_MS, .offset = AT(c.cache.stale_after_ms), BETWEEN(0, 60000), .fallback = "1800ms",
     .doc = "It is given out when upstream has not answered for that long; at once while all upstreams are known to be down."},
    {.name = "prefetch", .kind = CONFIG_BOOL, .offset = AT(c.prefetch), .fallback = "true",
     .doc = "Ask anew for an answer that is in use, in the last tenth or second of its life, so that nobody waits when it ends."},
    {.name = "aggressive-nsec", .kind = CONFIG_BOOL, .offset = AT(c.cache.gaps), .fallback = "true",
     .doc = "Answer \"no such name\", \"no such record\" and what a wildcard makes from NSEC and NSEC3 records that were proven "
            "for other names (RFC 8198), without asking an upstream. A name that is new is then seen when their TTL ends."},
    {.name = "snapshot", .kind = CONFIG_SECONDS, .offset = AT(c.snapshot_s), BETWEEN(0, 604800), .fallback = "15m",
     .doc = "How often the cache is written to the state directory, besides at the end; 0s: never. What is read from there "
            "after a start is proven again before it is used."},
    {.name = NULL}};

#define NEGATIVE(field) offsetof(struct config_negative, field)
static const struct config_key negative_keys[] = {
    {.name = "domain", .kind = CONFIG_DOMAIN, .offset = NEGATIVE(domain), .required = true,
     .doc = "Nothing at or below it is validated."},
    {.name = "until", .kind = CONFIG_DATE, .offset = NEGATIVE(until_s),
     .doc = "The first day on which it is validated again, YYYY-MM-DD (UTC). Left out: for good."},
    {.name = "reason", .kind = CONFIG_STRING, .offset = NEGATIVE(reason),
     .doc = "Why; shown to those who ask."},
    {.name = NULL}};
static const struct config_key a_negative[] = {
    {.name = "", .kind = CONFIG_MAP, .children = negative_keys}, {.name = NULL}};

static const struct config_key budget_keys[] = {
    {.name = "crypto-units", .kind = CONFIG_COUNT, .offset = AT(c.limits.crypto_units), BETWEEN(20, 100000), .fallback = "240",
     .doc = "Signature work for one question. RSA-2048 is 1 unit, P-256 3, RSA-4096 4, Ed25519 5, Ed448 15, P-384 20."},
    {.name = "failed-signatures", .kind = CONFIG_COUNT, .offset = AT(c.limits.failed_signatures), BETWEEN(1, 1000), .fallback = "6",
     .doc = "Signatures that may turn out wrong before the answer is refused."},
    {.name = "sha1-blocks", .kind = CONFIG_COUNT, .offset = AT(c.limits.sha1_blocks), BETWEEN(100, 1000000), .fallback = "1024",
     .doc = "NSEC3 hashing for one question, in blocks of SHA-1."},
    {.name = "fetches", .kind = CONFIG_COUNT, .offset = AT(c.limits.fetches), BETWEEN(10, 1000), .fallback = "24",
     .doc = "DS and DNSKEY questions sent upstream for one question."},
    {.name = "flights", .kind = CONFIG_COUNT, .offset = AT(c.limits.flights), BETWEEN(1, 50), .fallback = "5",
     .doc = "Rounds of them, one after the other."},
    {.name = "slice-units", .kind = CONFIG_COUNT, .offset = AT(c.limits.slice_units), BETWEEN(1, 10000), .fallback = "8",
     .doc = "Signature work, in the units above, after which other questions have their turn."},
    {.name = "signatures-per-rrset", .kind = CONFIG_COUNT, .offset = AT(c.limits.rrsigs_per_rrset), BETWEEN(1, 32), .fallback = "4",
     .doc = "RRSIGs tried for one RRset, after those that cannot fit are left out."},
    {.name = "keys-per-tag", .kind = CONFIG_COUNT, .offset = AT(c.limits.keys_per_tag), BETWEEN(1, 16), .fallback = "2",
     .doc = "Keys tried that share algorithm and key tag."},
    {.name = "ds-per-zone", .kind = CONFIG_COUNT, .offset = AT(c.limits.ds_per_zone), BETWEEN(1, 16), .fallback = "8",
     .doc = "DS records of one zone that are followed."},
    {.name = "keys-per-zone", .kind = CONFIG_COUNT, .offset = AT(c.limits.keys_per_zone), BETWEEN(1, 256), .fallback = "32",
     .doc = "Keys of one zone that are kept; the rest is passed over."},
    {.name = "nsec-per-message", .kind = CONFIG_COUNT, .offset = AT(c.limits.nsec_per_message), BETWEEN(2, 32), .fallback = "12",
     .doc = "NSEC records of one zone in one message."},
    {.name = "nsec3-per-message", .kind = CONFIG_COUNT, .offset = AT(c.limits.nsec3_per_message), BETWEEN(3, 32), .fallback = "8",
     .doc = "The same of NSEC3."},
    {.name = "rrsets-per-message", .kind = CONFIG_COUNT, .offset = AT(c.limits.rrsets_per_message), BETWEEN(2, 64), .fallback = "32",
     .doc = "RRsets of one answer, its aliases and denials among them. An answer to ANY is cut short instead."},
    {.name = "aliases", .kind = CONFIG_COUNT, .offset = AT(c.limits.hops), BETWEEN(1, 64), .fallback = "12",
     .doc = "Steps by CNAME or DNAME from the name that was asked for to the last."},
    {.name = "zones", .kind = CONFIG_COUNT, .offset = AT(c.limits.zones), BETWEEN(2, 32), .fallback = "16",
     .doc = "Zones in one chain of trust."},
    {.name = "labels", .kind = CONFIG_COUNT, .offset = AT(c.limits.labels), BETWEEN(1, 40), .fallback = "20",
     .doc = "Labels of a name below the deepest zone that is known to be signed."},
    {.name = NULL}};

static const struct config_key validation_keys[] = {
    {.name = "trust-anchors", LIST(trust_anchors, trust_anchor_count), .element_size = sizeof(char *), .children = an_anchor_file, .fallback = "builtin", .or_one = true,
     .doc = "builtin: the root's keys 20326 and 38696; or files of DS or DNSKEY records, or IANA's root-anchors.xml (RFC 9718). Several are taken together, also of zones below the root."},
    {.name = "rollover", .kind = CONFIG_BOOL, .offset = AT(c.rollover), .fallback = "true",
     .doc = "Follow the keys of every trust anchor as their zones roll them (RFC 5011), and keep what was learnt in the state directory."},
    {.name = "signal-key-tags", .kind = CONFIG_BOOL, .offset = AT(c.signal_key_tags), .fallback = "true",
     .doc = "Tell the root's servers which of its keys are trusted here, by a question for _ta-XXXX whenever its keys are looked at (RFC 8145)."},
    {.name = "sentinel", .kind = CONFIG_BOOL, .offset = AT(c.sentinel), .fallback = "true",
     .doc = "Let names that begin with root-key-sentinel-is-ta-NNNNN or root-key-sentinel-not-ta-NNNNN find out whether that root key is trusted here (RFC 8509)."},
    {.name = "time-names", LIST(c.time_names, c.time_name_count), .element_size = sizeof(struct dns_name), .children = a_domain,
     .fallback = "pool.ntp.org time.cloudflare.com time.google.com time1.google.com time2.google.com time3.google.com time4.google.com time.apple.com time.windows.com time.nist.gov time.facebook.com ntp.ubuntu.com",
     .doc = "Names at and below these are answered unproven, and nothing else is answered, while this machine's clock is before the program's build date or the time last saved: so that NTP can set it right."},
    {.name = "negative-trust-anchors", LIST(negative, negative_count), .element_size = sizeof(struct config_negative), .children = a_negative,
     .doc = "Domains that are not validated although they are signed (RFC 7646)."},
    {.name = "sha1", .kind = CONFIG_BOOL, .offset = AT(sha1), .fallback = "false",
     .doc = "Believe RSASHA1 signatures. Off, zones signed so count as unsigned (RFC 9905)."},
    {.name = "skew", .kind = CONFIG_SECONDS, .offset = AT(skew_s), BETWEEN(0, 86400), .fallback = "60s",
     .doc = "A signature may begin that far in the future."},
    {.name = "nsec3-iterations", .kind = CONFIG_COUNT, .offset = AT(nsec3_iterations), BETWEEN(0, 500), .fallback = "50",
     .doc = "More iterations make a zone's denials insecure (RFC 9276); more than 500 are refused. What such a zone signs may then be "
            "replaced on the way by what is not signed, as in a zone without keys."},
    {.name = "rsa-min-bits", .kind = CONFIG_COUNT, .offset = AT(rsa_bits_min), BETWEEN(1024, 4096), .fallback = "1024",
     .doc = "RSA keys that are shorter count as unsupported: zones that have no other are as good as unsigned. Longer than 4096 bits likewise."},
    {.name = "budget", .kind = CONFIG_MAP, .children = budget_keys,
     .doc = "What the proof of one answer may cost; beyond it the answer is refused."},
    {.name = NULL}};

static const struct config_key client_keys[] = {
    {.name = "allow", LIST(c.allow, c.allow_count), .element_size = sizeof(struct config_network), .children = a_network,
     .doc = "Networks that may ask besides this machine itself, as 10.0.0.0/8. This machine is who asks from a loopback address or from "
            "the very address that is asked (from outside Linux takes no IPv4 packet that says so, unless accept_local is set), by "
            "IPv6 the latter over TCP only (there anybody on the link can forge such UDP packets); also whoever comes through a forwarder "
            "that runs beside it, as that of rootless containers, for that asks from here."},
    {.name = "deadline", .kind = CONFIG_MS, .offset = AT(c.query_ms), BETWEEN(500, 60000), .fallback = "4500ms",
     .doc = "A question is answered within that time, if only with SERVFAIL. Stub resolvers wait 5 s."},
    {.name = "in-flight", .kind = CONFIG_COUNT, .offset = AT(c.queries_max), BETWEEN(16, 1000000), .fallback = "4096",
     .doc = "Questions that wait for an answer at one time, each worker. Equal ones are asked upstream once, but each counts. One more is "
            "answered at once with SERVFAIL and the error \"Not Ready\". One that waits takes about 16 KiB, or half of one when an equal one "
            "waits already; what proofs are made from takes at most 64 KiB times this number, or 16 MiB if that is more."},
    {.name = "udp-size", .kind = CONFIG_COUNT, .offset = AT(c.udp_size), BETWEEN(512, 4096), .fallback = "1232",
     .doc = "Largest UDP answer to another machine; more goes by TCP. To this one it is 4096."},
    {.name = "tcp-connections", .kind = CONFIG_COUNT, .offset = AT(c.tcp_clients), BETWEEN(1, 65536), .fallback = "256",
     .doc = "TCP connections at one time, each worker and listening address; one client has at most half of them and one. Where the process "
            "may not open that many files there are fewer, so that upstreams can always be reached; the log then says so."},
    {.name = "tcp-in-flight", .kind = CONFIG_COUNT, .offset = AT(c.tcp_in_flight), BETWEEN(1, 4096), .fallback = "64",
     .doc = "Questions under way on one TCP connection."},
    {.name = "tcp-idle", .kind = CONFIG_MS, .offset = AT(c.tcp_idle_ms), BETWEEN(100, 600000), .fallback = "10s",
     .doc = "A TCP connection without a question is closed after that time."},
    {.name = NULL}};

#define DOH(field) AT(c.doh.field)
static const struct config_key transport_keys[] = {
    {.name = "connect-timeout", .kind = CONFIG_MS, .offset = DOH(connect_ms), BETWEEN(100, 30000), .fallback = "2s",
     .doc = "For TCP and TLS together, each address."},
    {.name = "answer-timeout", .kind = CONFIG_MS, .offset = DOH(deadline_ms), BETWEEN(100, 30000), .fallback = "3s",
     .doc = "A question that a connection has not answered for that long is given up there, and with it the connection, unless that has answered others meanwhile."},
    {.name = "idle-timeout", .kind = CONFIG_MS, .offset = DOH(idle_ms), BETWEEN(1000, 3600000), .fallback = "30s",
     .doc = "A connection without questions is closed after that time."},
    {.name = "tls-min", .kind = CONFIG_WORD, .offset = DOH(tls_min), .fallback = "1.2", .words = tls_versions,
     .doc = "The oldest version of TLS that will do. The newest that both sides know is used."},
    {.name = "early-data", .kind = CONFIG_BOOL, .offset = DOH(early_data), .fallback = "false",
     .doc = "TLS 1.3 early data (0-RTT): when a connection is opened anew to an upstream that is asked by GET and allows it, questions that "
            "wait go out with the first octets of the handshake, which saves a round trip. The price is privacy: whoever records them can "
            "send them to the server again and see what it does, they lack the forward secrecy of all else, and as with every resumed "
            "session the server can link the connection to the last one, even from another address."},
    {.name = "choice", .kind = CONFIG_WORD, .offset = DOH(choice), .fallback = "failover", .words = choices,
     .doc = "Which upstream of a tier is asked. failover: the first that lives. fastest: of two drawn at "
            "random the one that answers sooner and has less to do. round-robin: each in turn. spread: "
            "always the same for names of one registrable domain (by the Public Suffix List, whose "
            "private part counts, too), so that none sees all."},
    {.name = "hedge", .kind = CONFIG_WORD, .offset = DOH(hedge), .fallback = "other", .words = hedges,
     .doc = "other: a question that takes longer than 19 of 20 do is asked at another upstream, too, but "
            "no more than one in 20. Off keeps each question at one upstream unless that fails."},
    {.name = "client-subnet", LIST(subnet, subnet_count), .element_size = sizeof(struct config_network), .children = a_network, .or_one = true,
     .doc = "One network that upstreams are told all questions come from (RFC 7871), for answers that are near; 0.0.0.0/0 asks them "
            "to tell nobody anything. What clients send of the kind never goes on. Left out: nothing is said."},
    {.name = "resolv-conf", .kind = CONFIG_PATH, .offset = DOH(resolv_conf), .fallback = "/etc/resolv.conf", .words = none,
     .doc = "Whose servers are asked for an upstream's host when it has neither addresses nor bootstrap servers and was never "
            "reached before, or not again where it was: those of them that are not this program. none: nobody."},
    {.name = "padding", .kind = CONFIG_COUNT, .offset = DOH(pad_to), BETWEEN(0, 512), .fallback = "128",
     .doc = "Questions are padded to a multiple of that many octets (RFC 8467); 0: not."},
    {.name = NULL}};

static const struct config_key process_keys[] = {
    {.name = "workers", .kind = CONFIG_COUNT, .offset = AT(c.workers), BETWEEN(1, 256), .fallback = "auto", .words = automatic,
     .doc = "Threads, each with its own loop, sockets and upstream connections; auto: the CPUs granted."},
    {.name = "state-directory", .kind = CONFIG_PATH, .offset = AT(c.state_directory), .fallback = "auto", .words = automatic,
     .doc = "Where what is learned is kept for the next start; it must exist when the program starts, and be writable. auto: the one that systemd grants, "
            "else none: then nothing is kept."},
    {.name = NULL}};

static const struct config_key log_keys[] = {
    {.name = "level", .kind = CONFIG_WORD, .offset = AT(c.log_level), .fallback = "info", .words = levels,
     .doc = "How much is said on stderr."},
    {.name = "format", .kind = CONFIG_WORD, .offset = AT(c.log_format), .fallback = "auto", .words = formats,
     .doc = "auto: journal priorities under systemd, else text."},
    {.name = "queries", .kind = CONFIG_BOOL, .offset = AT(c.log_queries), .fallback = "false",
     .doc = "Names that were asked for may appear in the log."},
    {.name = NULL}};

static const struct config_key root_keys[] = {
    {.name = "listen", LIST(c.listen, c.listen_count), .element_size = sizeof(struct doh_address), .children = a_listener, .required = true,
     .doc = "Where questions are taken."},
    {.name = "upstreams", LIST(c.doh.upstreams, c.doh.upstream_count), .element_size = sizeof(struct doh_upstream_config), .children = an_upstream, .required = true,
     .doc = "DoH resolvers, in order of preference. Two operators or more, so that one can contradict the other."},
    {.name = "routes", LIST(c.doh.routes, c.doh.route_count), .element_size = sizeof(struct doh_route_config), .children = a_route,
     .doc = "Domains whose questions go elsewhere: to certain upstreams, or to plain DNS servers."},
    {.name = "cache", .kind = CONFIG_MAP, .children = cache_keys, .doc = "What is kept, and how long."},
    {.name = "validation", .kind = CONFIG_MAP, .children = validation_keys, .doc = "DNSSEC."},
    {.name = "clients", .kind = CONFIG_MAP, .children = client_keys, .doc = "Who may ask, and how much."},
    {.name = "transport", .kind = CONFIG_MAP, .children = transport_keys, .doc = "Connections to upstreams."},
    {.name = "process", .kind = CONFIG_MAP, .children = process_keys, .doc = "The program itself."},
    {.name = "log", .kind = CONFIG_MAP, .children = log_keys, .doc = "What is said, and how."},
    {.name = NULL}};
// clang-format on

const struct config_key config_root = {
    .name = "", .kind = CONFIG_MAP, .children = root_keys, .doc = "veridoh's configuration"};
