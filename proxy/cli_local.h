/* SPDX-License-Identifier: MIT */
/* For the command line: what the daemon would answer by itself, of names that never leave this
 * machine (proxy/policy.h). */
#ifndef PROXY_CLI_LOCAL_H
#define PROXY_CLI_LOCAL_H

#include "proxy/policy.h"

struct cli_local {
    struct dns_msg msg; /* the answer; until the next call */
    char why[DNS_NAME_TEXT_MAX + 256];
};

/* False: it would be asked upstream. */
bool cli_local(const struct config *config, const struct dns_question *question,
               struct cli_local *ret);

#endif
