/* SPDX-License-Identifier: MIT */
/* The subcommands. Each takes its own argv (argv[0] is the command's name) and returns the exit
 * status: sysexits(3) for misuse (64), missing service (69) and configuration (78). */
#ifndef PROXY_CLI_H
#define PROXY_CLI_H

#include "proxy/config.h"
#include "proxy/resolver.h"

#define CLI_CONFIG_DEFAULT "/etc/veridoh/veridoh.yaml"
enum { CLI_EX_USAGE = 64, CLI_EX_UNAVAILABLE = 69, CLI_EX_CONFIG = 78 };

int cli_run(int argc, char **argv);
int cli_check_config(int argc, char **argv);
int cli_config_reference(int argc, char **argv);
int cli_explain(int argc, char **argv);  /* 0 secure, 1 bogus, 2 insecure or local, 3 no answer */
int cli_query(int argc, char **argv);    /* 0 an answer, 1 refused, 3 no answer */
int cli_health(int argc, char **argv);   /* 0 it answers, 1 it does not, 2 not --ready */
int cli_discover(int argc, char **argv); /* 0 found, 1 found but not verified, 3 nothing there */

/* --- shared by them --- */

/* To stderr: what was wrong, and below it the usage. -1. */
__attribute__((format(printf, 2, 3))) int cli_misused(const char *usage, const char *format, ...);
/* The same for what getopt_long() does not accept, of a list that begins with ':'. */
int cli_bad_option(char *const *argv, const char *usage, int getopt_result);

struct cli_form {
    const char *usage;   /* without the program's name */
    const char *options; /* besides --config and --help: letters of those below */
    int words_max;
};

/* "[--config FILE] words…": -1 after a message to stderr, -2 after --help, else the index of the
 * first word. */
struct cli_options {
    const char *config_path;
    bool dnssec;   /* d: --dnssec */
    bool no_check; /* n: --cd */
    bool ready;    /* r: --ready */
};
int cli_options(int argc, char **argv, const struct cli_form *form, struct cli_options *ret);

/* NAME [TYPE] (default A) from words; false after a message to stderr. */
bool cli_question(int argc, char **argv, int first, const char *usage, struct dns_question *ret);

#endif
