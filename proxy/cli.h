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
int cli_explain(int argc, char **argv);  /* 0 secure, 1 bogus, 2 insecure, 3 no answer */
int cli_query(int argc, char **argv);    /* 0 an answer, 1 refused, 3 no answer */
int cli_health(int argc, char **argv);   /* 0 healthy, 1 not */
int cli_discover(int argc, char **argv); /* 0 found, 1 found but not verified, 3 nothing there */

/* --- shared by them --- */

/* "[--config FILE] words…": -1 after a message to stderr, else the index of the first word. */
struct cli_options {
    const char *config_path;
    bool dnssec;   /* --dnssec */
    bool no_check; /* --cd */
};
int cli_options(int argc, char **argv, const char *usage, struct cli_options *ret);

/* NAME [TYPE] (default A) from words; false after a message to stderr. */
bool cli_question(int argc, char **argv, int first, struct dns_question *ret);

#endif
