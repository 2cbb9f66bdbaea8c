/* SPDX-License-Identifier: MIT */
/* One question asked through the same code as the daemon's, without listeners: a loop, a cache, a
 * pool and a resolver of its own, which live for just that question. */
#ifndef PROXY_CLI_SESSION_H
#define PROXY_CLI_SESSION_H

#include "proxy/resolver.h"

/* Calls `done` with the answer, before everything is closed again. Upstream events at warning and
 * above go to stderr. 0, or an exit status after a message to stderr. `config` was read from
 * `config_path`. */
int cli_session_ask(const struct config *config, const char *config_path,
                    const struct resolver_question *question, resolver_done_fn *done, void *arg);

#endif
