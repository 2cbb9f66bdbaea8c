// SPDX-License-Identifier: MIT
#include "proxy/cli_local.h"

#include "proxy/clock.h"
#include "proxy/local.h"

#include <stdio.h>

bool cli_local(const struct config *config, const struct dns_question *question,
               struct cli_local *ret)
{
    static uint8_t answer[2048]; /* one thread: the command line */
    static struct dns_rr table[4];
    const struct request request = {
        .flags = DNS_FLAG_RD, .has_question = true, .question = *question, .cap = sizeof answer};
    struct policy_local local;
    char zone[DNS_NAME_TEXT_MAX];
    policy_local(config, question, clock_wall_s(), &local);
    if (local.answer == POLICY_FORWARD)
        return false;
    uint32_t len = local_answer(&request, &local, 0, answer, sizeof answer);
    if (len == 0 || dns_msg_read(answer, len, table, 4, &ret->msg) != DNS_OK)
        return false; /* there is room for both */
    (void)dns_name_text(&local.zone, zone);
    (void)snprintf(ret->why, sizeof ret->why, "answered here, nothing is asked upstream: %s %s",
                   zone, local.why);
    return true;
}
