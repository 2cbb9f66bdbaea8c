// SPDX-License-Identifier: MIT
/* `veridoh health`: asks the running daemon, at the first listening address that it has, for the
 * TXT record health.veridoh. in class CH, and prints what it says. Blocks; it is a program of its
 * own. */
#include "proxy/cli.h"
#include "proxy/cli_ask.h"
#include "proxy/listener_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define USAGE "health [--config FILE] [--ready]"
enum { ANSWERS = 0, NO_ANSWER = 1, NOT_READY = 2 };

/* A wildcard address is asked at loopback. */
static struct doh_address reachable(struct doh_address listen)
{
    if (listen.sa.any.sa_family == AF_INET && listen.sa.v4.sin_addr.s_addr == htonl(INADDR_ANY))
        listen.sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listen.sa.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&listen.sa.v6.sin6_addr))
        listen.sa.v6.sin6_addr = in6addr_loopback;
    return listen;
}

/* It is cut, or it is not seen by UDP that this machine asks, as at a global IPv6 address. */
static bool must_ask_by_tcp(const uint8_t *answer)
{
    return answer[2] & DNS_FLAG_TC >> 8 || (answer[3] & 0x0f) == DNS_RCODE_REFUSED;
}

/* Octets of the answer, or -1 with errno. TCP is not the first choice: its clients are counted, and
 * where there is no place for one more, what UDP could hold says how the daemon is. */
static ssize_t ask(struct cli_exchange *exchange)
{
    static struct cli_exchange by_tcp;
    ssize_t got = cli_ask_udp(exchange, 1);
    if (got < DNS_HEADER_LEN || !must_ask_by_tcp(exchange->answer))
        return got;
    by_tcp = *exchange;
    ssize_t more = cli_ask_tcp(&by_tcp);
    if (more >= 0)
        *exchange = by_tcp;
    else
        perror("veridoh: no answer by TCP, so this is what UDP holds");
    return more >= 0 ? more : got;
}

/* Without IPv6 the daemon leaves some addresses out. -1: a message went to stderr. */
static ssize_t ask_daemon(const struct config *config, struct cli_exchange *exchange)
{
    ssize_t got = -1;
    for (uint32_t i = 0; i < config->listen_count && got < 0; i++) {
        const struct doh_address at = reachable(config->listen[i]);
        exchange->at = &at;
        got = ask(exchange);
        if (got < 0 && !listener_address_lacks_ipv6(&at, errno))
            break;
    }
    exchange->at = NULL;
    if (got < 0)
        perror("veridoh: no answer");
    return got;
}

static bool begins_with(const uint8_t *text, size_t len, const char *word)
{
    return len >= strlen(word) && !memcmp(text, word, strlen(word));
}

static int judge(const uint8_t *answer, size_t len, bool must_be_ready)
{
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_msg msg;
    if (dns_msg_read(answer, len, table, DNS_RR_MAX, &msg) != DNS_OK ||
        msg.rcode != DNS_RCODE_NOERROR) {
        (void)fprintf(stderr, "veridoh: the listener's answer is no health report\n");
        return NO_ANSWER;
    }
    int status = NO_ANSWER;
    for (uint32_t i = 0; i < msg.rr_count; i++) {
        struct dns_reader r = dns_rr_rdata(&msg, &msg.rr[i]);
        while (msg.rr[i].type == DNS_TYPE_TXT && dns_reader_left(&r) > 0) {
            uint8_t n = dns_read_u8(&r);
            const uint8_t *text = dns_read_bytes(&r, n);
            if (!text)
                break;
            if (n == 2 && begins_with(text, n, "ok"))
                status = ANSWERS;
            else if (begins_with(text, n, "degraded: "))
                status = must_be_ready ? NOT_READY : ANSWERS;
            (void)printf("%.*s\n", (int)n, (const char *)text);
        }
    }
    return status;
}

int cli_health(int argc, char **argv)
{
    static const struct cli_form form = {.usage = USAGE, .options = "r"};
    static struct cli_exchange exchange;
    struct cli_options options;
    int first = cli_options(argc, argv, &form, &options);
    if (first < 0)
        return first == -2 ? 0 : CLI_EX_USAGE;
    struct dns_question question = {.type = DNS_TYPE_TXT, .class_ = DNS_CLASS_CH};
    struct dns_opt_out opt = {.udp_size = 4096};
    if (dns_name_parse("health.veridoh.", &question.name) != DNS_OK)
        return CLI_EX_UNAVAILABLE;
    exchange.len =
        dns_query_write(exchange.query, sizeof exchange.query, 0x6865, &question, 0, &opt);
    struct config *config = config_read(options.config_path, stderr);
    if (!config)
        return CLI_EX_CONFIG;
    ssize_t got = ask_daemon(config, &exchange);
    config_free(config);
    return got < 0 ? NO_ANSWER : judge(exchange.answer, (size_t)got, options.ready);
}
