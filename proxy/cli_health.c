// SPDX-License-Identifier: MIT
/* `veridoh health`: asks the running daemon at its first listening address for the TXT record
 * health.veridoh. in class CH, and prints what it says. Blocks; it is a program of its own. */
#include "proxy/cli.h"
#include "proxy/records_print.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define USAGE "health [--config FILE]"
#define TIMEOUT_S 2

/* A wildcard address is asked at loopback. */
static struct doh_address reachable(struct doh_address listen)
{
    if (listen.sa.any.sa_family == AF_INET && listen.sa.v4.sin_addr.s_addr == htonl(INADDR_ANY))
        listen.sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listen.sa.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&listen.sa.v6.sin6_addr))
        listen.sa.v6.sin6_addr = in6addr_loopback;
    return listen;
}

/* Octets of the answer, or -1 with a message to stderr. */
static ssize_t ask(const struct doh_address *at, const uint8_t *query, uint32_t len,
                   uint8_t *answer, size_t cap)
{
    socklen_t at_len = at->sa.any.sa_family == AF_INET ? sizeof at->sa.v4 : sizeof at->sa.v6;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(at->sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t got = -1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
        connect(fd, &at->sa.any, at_len) == 0 && send(fd, query, len, 0) == (ssize_t)len)
        got = recv(fd, answer, cap, 0);
    if (got < 0)
        perror("veridoh: no answer");
    if (fd >= 0)
        (void)close(fd);
    return got;
}

static int judge(const uint8_t *answer, size_t len)
{
    struct dns_rr table[32];
    struct dns_msg msg;
    if (dns_msg_read(answer, len, table, 32, &msg) != DNS_OK || msg.rcode != DNS_RCODE_NOERROR) {
        (void)fprintf(stderr, "veridoh: the listener's answer is no health report\n");
        return 1;
    }
    int status = 1;
    for (uint32_t i = 0; i < msg.rr_count; i++) {
        struct dns_reader r = dns_rr_rdata(&msg, &msg.rr[i]);
        while (msg.rr[i].type == DNS_TYPE_TXT && dns_reader_left(&r) > 0) {
            uint8_t n = dns_read_u8(&r);
            const uint8_t *text = dns_read_bytes(&r, n);
            if (!text)
                break;
            if (n == 2 && !memcmp(text, "ok", 2))
                status = 0;
            (void)printf("%.*s\n", (int)n, (const char *)text);
        }
    }
    return status;
}

int cli_health(int argc, char **argv)
{
    struct cli_options options;
    int first = cli_options(argc, argv, USAGE, &options);
    if (first < 0 || first != argc)
        return first == -2 ? 0 : CLI_EX_USAGE;
    struct config *config = config_read(options.config_path, stderr);
    if (!config)
        return CLI_EX_CONFIG;
    struct doh_address at = reachable(config->listen[0]);
    config_free(config);
    struct dns_question question = {.type = DNS_TYPE_TXT, .class_ = DNS_CLASS_CH};
    uint8_t query[512];
    uint8_t answer[4096];
    struct dns_opt_out opt = {.udp_size = sizeof answer};
    if (dns_name_parse("health.veridoh.", &question.name) != DNS_OK)
        return CLI_EX_UNAVAILABLE;
    uint32_t len = dns_query_write(query, sizeof query, 0x6865, &question, 0, &opt);
    ssize_t got = ask(&at, query, len, answer, sizeof answer);
    return got < 0 ? 1 : judge(answer, (size_t)got);
}
