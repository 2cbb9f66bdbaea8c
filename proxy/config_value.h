/* SPDX-License-Identifier: MIT */
/* One scalar of the configuration, from its text to its C value. */
#ifndef PROXY_CONFIG_VALUE_H
#define PROXY_CONFIG_VALUE_H

#include "proxy/config_schema.h"

#define CONFIG_WORDS_MAX 240u

/* Stores the value at `at` (char * are allocated; an older one there is freed). On failure what was
 * expected is written into `expected` and nothing is stored. `folder` is where relative paths
 * start. */
bool config_value_store(const struct config_key *key, const char *text, const char *folder,
                        void *at, char expected[static CONFIG_WORDS_MAX]);

/* How the kind is called in messages and in the reference: "a duration", "true or false". */
const char *config_kind_text(const struct config_key *key);

/* The key of `keys` within two edits of `name`, or NULL. */
const struct config_key *config_nearest(const struct config_key *keys, const char *name);

#endif
