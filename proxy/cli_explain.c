// SPDX-License-Identifier: MIT
/* `veridoh explain NAME [TYPE]`: asks through the same code as the daemon, with an empty cache, and
 * shows the chain of trust that carried the answer, or where it broke. */
#include "proxy/cli.h"
#include "proxy/cli_local.h"
#include "proxy/cli_session.h"
#include "proxy/clock.h"
#include "proxy/explain_print.h"
#include "proxy/records_print.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define USAGE "explain [--config FILE] NAME [TYPE]"
enum { EXPLAIN_SECURE = 0, EXPLAIN_BOGUS = 1, EXPLAIN_INSECURE = 2, EXPLAIN_NO_ANSWER = 3 };

struct explaining {
    const struct dns_question *question;
    const struct config *config;
    const struct val_trace *trace;
    int status;
};

static int exit_status(enum val_status status)
{
    switch (status) {
    case VAL_SECURE: return EXPLAIN_SECURE;
    case VAL_INSECURE: return EXPLAIN_INSECURE;
    case VAL_INDETERMINATE: return EXPLAIN_NO_ANSWER;
    case VAL_BOGUS: return EXPLAIN_BOGUS;
    }
    return EXPLAIN_NO_ANSWER;
}

/* The first record's data, or the rcode of an answer without one. */
static void describe_message(const struct dns_msg *msg, char *text, size_t cap)
{
    char rcode[DNS_NUMBER_TEXT_MAX];
    records_first(msg, text, cap);
    if (!text[0])
        (void)snprintf(text, cap, "(%s%s)", dns_rcode_text(msg->rcode, rcode),
                       msg->rcode == DNS_RCODE_NOERROR ? ", no such record" : "");
}

static void describe(const struct resolver_answer *answer, char *text, size_t cap)
{
    static struct dns_rr table[DNS_RR_MAX]; /* one thread: the command line */
    struct dns_msg msg;
    text[0] = '\0';
    if (answer->wire && dns_msg_read(answer->wire, answer->len, table, DNS_RR_MAX, &msg) == DNS_OK)
        describe_message(&msg, text, cap);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct explaining *e = arg;
    static char data[1024];
    describe(answer, data, sizeof data);
    struct resolver_clock clock = clock_system();
    struct explain_report report = {
        .question = e->question,
        .answer = answer,
        .trace = e->trace,
        .data = data,
        .doh = &e->config->doh,
        .now_s = clock.now(clock.arg).wall_s,
        .unicode = !strcmp(nl_langinfo(CODESET), "UTF-8"),
    };
    explain_print(stdout, &report);
    e->status = exit_status(answer->status);
}

/* Nobody has signed it, and nobody needs to. */
static int explain_local(const struct dns_question *question, const struct cli_local *local)
{
    char data[256];
    describe_message(&local->msg, data, sizeof data);
    explain_print_local(stdout, question, data, local->why);
    return EXPLAIN_INSECURE;
}

static int ask(const struct config *config, const char *config_path,
               const struct dns_question *question)
{
    struct cli_local local;
    if (cli_local(config, question, &local))
        return explain_local(question, &local);
    struct val_trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return CLI_EX_UNAVAILABLE;
    struct explaining e = {
        .question = question, .config = config, .trace = trace, .status = EXPLAIN_NO_ANSWER};
    struct resolver_question q = {.question = question, .past_cache = true, .trace = trace};
    int status = cli_session_ask(config, config_path, &q, on_answer, &e);
    free(trace);
    return status ? status : e.status;
}

int cli_explain(int argc, char **argv)
{
    static const struct cli_form form = {.usage = USAGE, .options = "", .words_max = 2};
    struct cli_options options;
    int first = cli_options(argc, argv, &form, &options);
    struct dns_question question;
    if (first < 0)
        return first == -2 ? 0 : CLI_EX_USAGE;
    if (!cli_question(argc, argv, first, USAGE, &question))
        return CLI_EX_USAGE;
    (void)setlocale(LC_CTYPE, "");
    struct config *config = config_read(options.config_path, stderr);
    if (!config)
        return CLI_EX_CONFIG;
    int status = ask(config, options.config_path, &question);
    config_free(config);
    return status;
}
