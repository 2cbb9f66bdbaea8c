/* SPDX-License-Identifier: MIT */
/* The control channel: TCP on loopback, one command a line, reply lines that end with a line ".".
 * The first reply line is "ok" or "error: REASON".
 *
 *   rule add KEY=VALUE…   rule clear   stats   stats reset   delay MS   now EPOCH */
#ifndef UPSTREAM_CONTROL_H
#define UPSTREAM_CONTROL_H

#include "tests/upstream/upstream.h"

#include <uv.h>

struct control {
    uv_tcp_t listener;
    struct upstream *upstream;
    struct client *clients;
};

bool control_listen(struct control *control, uv_loop_t *loop, uint16_t *port);
void control_close(struct control *control);

/* One command; the reply is malloc()ed text for the caller to free. */
char *control_run(struct upstream *upstream, const char *command);

#endif
