/* SPDX-License-Identifier: MIT */
/* The table of keys, written out: see also config_reference() in proxy/config.h. */
#ifndef PROXY_CONFIG_REFERENCE_H
#define PROXY_CONFIG_REFERENCE_H

#include "proxy/config_schema.h"

void config_reference_mdoc(FILE *out); /* a .Bl list for conf/veridoh.yaml.5 */
void config_reference_json(FILE *out); /* a JSON Schema for editors */

#endif
