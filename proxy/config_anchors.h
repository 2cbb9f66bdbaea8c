/* SPDX-License-Identifier: MIT */
/* What is made of the trust anchors once every key has been read: their files are read, and each
 * zone is to have one that can be used. */
#ifndef PROXY_CONFIG_ANCHORS_H
#define PROXY_CONFIG_ANCHORS_H

#include "proxy/config_errors.h"
#include "proxy/config_schema.h"

/* Makes draft->c.anchors of what is configured, also of routes, and says an error of each that does
 * not fit. NULL stays when out of memory. */
void config_anchors_finish(struct config_draft *draft, struct config_errors *errors);

#endif
