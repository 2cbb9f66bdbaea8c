/* SPDX-License-Identifier: MIT */
/* IANA's root-anchors.xml (RFC 9718 2, RFC 7958 2.1): KeyDigest elements with their dates, read
 * with expat. Its signature (root-anchors.p7s) is not looked at: whoever fetches the file checks
 * it. */
#ifndef PROXY_ANCHORS_XML_H
#define PROXY_ANCHORS_XML_H

#include "validate/anchors.h"

#include <stdbool.h>

#define ANCHORS_XML_MAX (64u << 10) /* octets; IANA's file has two thousand */

struct anchors_xml_error {
    unsigned line, column; /* from 1 */
    char text[160];
};

bool anchors_xml_is(const char *text); /* rather than zone-file lines */

/* Adds every KeyDigest of a digest type that is known here; one with a PublicKey must be that key's
 * digest. Document types and entities are refused. `name` is the file's, for messages. False:
 * nothing of the file can be relied on; *ret_error says why. */
bool anchors_xml_add(struct val_anchors *anchors, const char *name, const char *text, size_t len,
                     struct anchors_xml_error *ret_error);

#endif
