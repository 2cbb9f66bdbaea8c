/* SPDX-License-Identifier: MIT */
/* The answer section in master-file form, for people. */
#ifndef PROXY_RECORDS_PRINT_H
#define PROXY_RECORDS_PRINT_H

#include "dns/rdata.h"

#include <stdio.h>

/* One record a line, RRSIGs only with `dnssec`. Returns how many lines were printed. */
uint32_t records_print(FILE *out, const struct dns_msg *msg, bool dnssec);

/* Just the data of the first record that answers the question, into `text` ("" when none). */
void records_first(const struct dns_msg *msg, char *text, size_t cap);

#endif
