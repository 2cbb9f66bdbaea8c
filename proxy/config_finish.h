/* SPDX-License-Identifier: MIT */
/* What is checked and made once every key has been read. */
#ifndef PROXY_CONFIG_FINISH_H
#define PROXY_CONFIG_FINISH_H

#include "proxy/config_errors.h"
#include "proxy/config_schema.h"

/* Moves the draft's parts into a whole configuration: names from URLs, anchors, policy, automatic
 * sizes. NULL, with errors said, when parts do not fit together. */
struct config *config_finish(struct config_draft *draft, struct config_errors *errors);
void config_draft_free(struct config_draft *draft); /* NULL is fine */

#endif
