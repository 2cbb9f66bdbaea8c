/* SPDX-License-Identifier: MIT */
/* Errors of a configuration file, each with its place and the line, as compilers show them:
 *
 *   veridoh.yaml:7:16: error: routes: there is no upstream named 'nobody'
 *         upstreams: nobody
 *                    ^
 */
#ifndef PROXY_CONFIG_ERRORS_H
#define PROXY_CONFIG_ERRORS_H

#include <yaml.h>

#include <stdio.h>

struct config_errors {
    const char *path;
    const char *text; /* the whole file */
    size_t len;
    yaml_document_t *document; /* NULL: it could not be read */
    FILE *out;
    unsigned count; /* of errors said */
};

__attribute__((format(printf, 3, 4))) void
config_error_at(struct config_errors *errors, yaml_mark_t mark, const char *format, ...);

/* The same of a value named by its keys: "routes[1].upstreams[0]". What the file does not have is
 * shown where it would be. */
__attribute__((format(printf, 3, 4))) void
config_error_of(struct config_errors *errors, const char *where, const char *format, ...);

#endif
