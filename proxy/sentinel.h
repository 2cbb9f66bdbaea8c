/* SPDX-License-Identifier: MIT */
/* The root key trust anchor sentinel (RFC 8509): users find out which root keys their resolver
 * trusts by two names that fail or resolve accordingly. */
#ifndef PROXY_SENTINEL_H
#define PROXY_SENTINEL_H

#include "validate/anchors.h"

struct sentinel {
    enum { SENTINEL_NONE, SENTINEL_IS_TA, SENTINEL_NOT_TA } kind;
    uint16_t key_tag;
};
/* By the leftmost label: root-key-sentinel-is-ta-NNNNN, root-key-sentinel-not-ta-NNNNN, with five
 * digits. */
struct sentinel sentinel_read(const struct dns_name *name);

/* RFC 8509 3.2: whether a secure answer to this question, asked with CD clear, becomes SERVFAIL. */
bool sentinel_refuses(const struct dns_question *question, const struct val_anchors *anchors);

#endif
