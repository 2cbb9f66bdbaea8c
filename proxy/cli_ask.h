/* SPDX-License-Identifier: MIT */
/* One question by plain DNS, for the command line: each call blocks for seconds at most. */
#ifndef PROXY_CLI_ASK_H
#define PROXY_CLI_ASK_H

#include "dns/message.h"
#include "doh/address.h"

#include <sys/types.h>

struct cli_exchange {
    const struct doh_address *at;
    uint8_t query[512];
    uint32_t len; /* of the query */
    uint8_t answer[DNS_MSG_MAX];
};

/* Octets of the answer, which may be anybody's, or -1 with errno. UDP asks again, `tries` times in
 * all, while there is no answer. */
ssize_t cli_ask_udp(struct cli_exchange *exchange, int tries);
ssize_t cli_ask_tcp(struct cli_exchange *exchange);

#endif
