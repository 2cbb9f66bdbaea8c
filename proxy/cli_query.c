// SPDX-License-Identifier: MIT
/* `veridoh query NAME [TYPE]`: a plain answer, proven, one record a line. */
#include "proxy/cli.h"
#include "proxy/cli_local.h"
#include "proxy/cli_session.h"
#include "proxy/records_print.h"

#include <string.h>

#define USAGE "query [--config FILE] [--dnssec] [--cd] NAME [TYPE]"

struct asked {
    const struct dns_question *question;
    const struct cli_options *options;
    int status;
};

static void print(const struct dns_msg *msg, bool dnssec)
{
    char rcode[DNS_NUMBER_TEXT_MAX];
    if (records_print(stdout, msg, dnssec) == 0)
        (void)fprintf(stderr, "veridoh: %s%s\n", dns_rcode_text(msg->rcode, rcode),
                      msg->rcode == DNS_RCODE_NOERROR ? ", no record of this type" : "");
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct asked *asked = arg;
    if (!answer->wire) {
        (void)fprintf(stderr, "veridoh: SERVFAIL: %s%s%s\n", dns_ede_text(answer->ede.code),
                      answer->ede.text[0] ? ": " : "", answer->ede.text);
        asked->status = answer->status == VAL_BOGUS ? 1 : 3;
        return;
    }
    static struct dns_rr table[DNS_RR_MAX];
    struct dns_msg msg;
    if (dns_msg_read(answer->wire, answer->len, table, DNS_RR_MAX, &msg) != DNS_OK) {
        asked->status = 3;
        return;
    }
    print(&msg, asked->options->dnssec);
    asked->status = 0;
}

static int ask(const struct config *config, const struct dns_question *question,
               const struct cli_options *options)
{
    struct asked asked = {.question = question, .options = options, .status = 3};
    struct resolver_question q = {.question = question, .checking_disabled = options->no_check};
    struct cli_local local;
    if (cli_local(config, question, &local)) {
        print(&local.msg, options->dnssec);
        (void)fprintf(stderr, "veridoh: %s\n", local.why);
        return 0;
    }
    int status = cli_session_ask(config, options->config_path, &q, on_answer, &asked);
    return status ? status : asked.status;
}

int cli_query(int argc, char **argv)
{
    static const struct cli_form form = {.usage = USAGE, .options = "dn", .words_max = 2};
    struct cli_options options;
    int first = cli_options(argc, argv, &form, &options);
    struct dns_question question;
    if (first < 0)
        return first == -2 ? 0 : CLI_EX_USAGE;
    if (!cli_question(argc, argv, first, USAGE, &question))
        return CLI_EX_USAGE;
    struct config *config = config_read(options.config_path, stderr);
    if (!config)
        return CLI_EX_CONFIG;
    int status = ask(config, &question, &options);
    config_free(config);
    return status;
}
