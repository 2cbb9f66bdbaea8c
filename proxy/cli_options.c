// SPDX-License-Identifier: MIT
#include "proxy/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

int cli_misused(const char *usage, const char *format, ...)
{
    va_list args;
    (void)fputs("veridoh: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\nusage: veridoh %s\n", usage);
    return -1;
}

/* Letters that stand together are told one by one: the word before optind may be an earlier one. */
static int not_an_option(const char *word, int letter, const char *usage)
{
    const char letters[] = {'-', (char)letter, '\0'};
    return cli_misused(usage, "'%s' is not an option of this command", letter ? letters : word);
}

int cli_bad_option(char *const *argv, const char *usage, int getopt_result)
{
    const char *word = argv[optind - 1];
    if (getopt_result == ':')
        return cli_misused(usage, "'%s' needs a value", word);
    bool is_long = optopt == 0 || (!strncmp(word, "--", 2) && strchr(word, '='));
    return not_an_option(word, is_long ? 0 : optopt, usage);
}

int cli_options(int argc, char **argv, const struct cli_form *form, struct cli_options *ret)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"dnssec", no_argument, NULL, 'd'},
        {"cd", no_argument, NULL, 'n'},           {"ready", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct cli_options out = {.config_path = CLI_CONFIG_DEFAULT};
    optind = 1;
    opterr = 0;
    int row = -1; /* of a long option */
    for (int o = 0; (o = getopt_long(argc, argv, ":c:dnrh", options, &row)) != -1; row = -1) {
        if (strchr("dnr", o) && !strchr(form->options, o))
            return not_an_option(argv[optind - 1], row < 0 ? o : 0, form->usage);
        switch (o) {
        case 'c': out.config_path = optarg; break;
        case 'd': out.dnssec = true; break;
        case 'n': out.no_check = true; break;
        case 'r': out.ready = true; break;
        case 'h': (void)printf("usage: veridoh %s\n", form->usage); return -2;
        default: return cli_bad_option(argv, form->usage, o);
        }
    }
    if (argc - optind > form->words_max)
        return cli_misused(form->usage, "'%s' is not expected%s", argv[optind + form->words_max],
                           form->words_max == 0 ? "; --config FILE names the configuration" : "");
    *ret = out;
    return optind;
}

bool cli_question(int argc, char **argv, int first, const char *usage, struct dns_question *ret)
{
    struct dns_question q = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    if (first >= argc) {
        (void)cli_misused(usage, "a name is missing");
        return false;
    }
    enum dns_err err = dns_name_parse(argv[first], &q.name);
    if (err != DNS_OK) {
        (void)cli_misused(usage, "'%s' is not a domain name: %s", argv[first], dns_err_text(err));
        return false;
    }
    if (first + 1 < argc && dns_type_parse(argv[first + 1], &q.type) != DNS_OK) {
        (void)cli_misused(usage, "'%s' is not a record type", argv[first + 1]);
        return false;
    }
    *ret = q;
    return true;
}
