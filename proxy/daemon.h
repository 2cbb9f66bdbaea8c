/* SPDX-License-Identifier: MIT */
/* The program that runs: workers, signals, the shared cache. */
#ifndef PROXY_DAEMON_H
#define PROXY_DAEMON_H

#include "proxy/config.h"

/* Takes `config` over. Runs until SIGTERM or SIGINT; returns the exit status. */
int daemon_run(struct config *config, const char *config_path);

#endif
