// SPDX-License-Identifier: MIT
#include "proxy/cli.h"

#include <getopt.h>
#include <string.h>

int cli_options(int argc, char **argv, const char *usage, struct cli_options *ret)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dnssec", no_argument, NULL, 'd'},
                                            {"cd", no_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct cli_options out = {.config_path = CLI_CONFIG_DEFAULT};
    optind = 1;
    for (int o = 0; (o = getopt_long(argc, argv, "c:dnh", options, NULL)) != -1;) {
        switch (o) {
        case 'c': out.config_path = optarg; break;
        case 'd': out.dnssec = true; break;
        case 'n': out.no_check = true; break;
        case 'h': (void)printf("usage: veridoh %s\n", usage); return -2;
        default: (void)fprintf(stderr, "usage: veridoh %s\n", usage); return -1;
        }
    }
    *ret = out;
    return optind;
}

bool cli_question(int argc, char **argv, int first, struct dns_question *ret)
{
    struct dns_question q = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    if (first >= argc || argc - first > 2) {
        (void)fprintf(stderr, "veridoh: give a name and, if it is not A, a type\n");
        return false;
    }
    enum dns_err err = dns_name_parse(argv[first], &q.name);
    if (err != DNS_OK) {
        (void)fprintf(stderr, "veridoh: '%s' is not a domain name: %s\n", argv[first],
                      dns_err_text(err));
        return false;
    }
    if (first + 1 < argc && dns_type_parse(argv[first + 1], &q.type) != DNS_OK) {
        (void)fprintf(stderr, "veridoh: '%s' is not a record type\n", argv[first + 1]);
        return false;
    }
    *ret = q;
    return true;
}
