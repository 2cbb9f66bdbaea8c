// SPDX-License-Identifier: MIT
#include "proxy/cli.h"
#include "proxy/config_reference.h"
#include "proxy/daemon.h"
#include "proxy/descriptors.h"

#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *words;
};

static int version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("veridoh %s\n", VERIDOH_VERSION);
    return 0;
}

int cli_run(int argc, char **argv)
{
    static const struct cli_form form = {.usage = "run [--config FILE]", .options = ""};
    struct cli_options options;
    int first = cli_options(argc, argv, &form, &options);
    if (first < 0)
        return first == -2 ? 0 : CLI_EX_USAGE;
    struct config *config = config_read(options.config_path, stderr);
    return config ? daemon_run(config, options.config_path) : CLI_EX_CONFIG;
}

int cli_check_config(int argc, char **argv)
{
    static const struct cli_form form = {
        .usage = "check-config FILE", .options = "", .words_max = 1};
    struct cli_options options;
    int first = cli_options(argc, argv, &form, &options);
    if (first < 0)
        return first == -2 ? 0 : CLI_EX_USAGE;
    const char *path = first < argc ? argv[first] : options.config_path;
    struct config *config = config_read(path, stderr);
    if (!config)
        return CLI_EX_CONFIG;
    const char *lost = config_state_fault(config);
    if (lost)
        (void)fprintf(stderr, "%s: warning: process.state-directory: %s: %s; nothing is kept\n",
                      path, config->state_directory, lost);
    struct doh_fault fault;
    struct doh_shared *shared = doh_shared_new(&config->doh, &fault);
    if (shared)
        (void)printf("%s: fine: %u listening addresses, %u upstreams, %u routes\n", path,
                     config->listen_count, config->doh.upstream_count, config->doh.route_count);
    else
        config_say_fault(path, &fault, stderr);
    int status = shared ? 0 : CLI_EX_CONFIG;
    doh_shared_free(shared);
    config_free(config);
    return status;
}

int cli_config_reference(int argc, char **argv)
{
    static const char usage_of_it[] = "config-reference [--mdoc | --json-schema]";
    const char *form = argc > 1 ? argv[1] : "";
    if (!strcmp(form, "--help") || !strcmp(form, "-h")) {
        (void)printf("usage: veridoh %s\n", usage_of_it);
        return 0;
    }
    void (*print)(FILE *) = argc == 1                        ? config_reference
                            : !strcmp(form, "--mdoc")        ? config_reference_mdoc
                            : !strcmp(form, "--json-schema") ? config_reference_json
                                                             : NULL;
    if (!print)
        (void)cli_misused(usage_of_it, "'%s' is not an option of this command", form);
    else if (argc > 2)
        (void)cli_misused(usage_of_it, "'%s' is not expected", argv[2]);
    else
        print(stdout);
    return print && argc <= 2 ? 0 : CLI_EX_USAGE;
}

static const struct command commands[] = {
    {"run", cli_run, "take questions, until SIGTERM or SIGINT"},
    {"check-config", cli_check_config, "read a configuration and name every mistake in it"},
    {"explain", cli_explain, "ask for a name and show the chain of trust to its answer"},
    {"query", cli_query, "ask for a name and print the proven answer"},
    {"health", cli_health, "ask the running daemon how it is"},
    {"discover", cli_discover, "ask a plain resolver for its DoH self, and print configuration"},
    {"config-reference", cli_config_reference, "every key; --mdoc, --json-schema for machines"},
    {"version", version, "print the version"},
    {NULL, NULL, NULL},
};

static int usage(FILE *out, int status)
{
    (void)fprintf(out, "usage: veridoh COMMAND [--config FILE] ...\n\n");
    for (const struct command *c = commands; c->name; c++)
        (void)fprintf(out, "  %-17s %s\n", c->name, c->words);
    (void)fprintf(out, "\nThe configuration is %s unless --config says otherwise.\n",
                  CLI_CONFIG_DEFAULT);
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    descriptors_hold_standard();
    if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        return version(argc, argv);
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return usage(stdout, 0);
    for (const struct command *c = commands; c->name; c++)
        if (!strcmp(c->name, name))
            return c->run(argc - 1, argv + 1);
    if (*name)
        (void)fprintf(stderr, "veridoh: '%s' is not a command\n", name);
    return usage(stderr, CLI_EX_USAGE);
}
