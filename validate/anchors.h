/* SPDX-License-Identifier: MIT */
/* Where trust starts, and where it is told not to look (RFC 4033 5, RFC 7646). Built once, then
 * immutable and shared. */
#ifndef VALIDATE_ANCHORS_H
#define VALIDATE_ANCHORS_H

#include "validate/keys.h"

struct val_anchors;
struct val_anchors *val_anchors_new(void); /* empty */
void val_anchors_free(struct val_anchors *anchors);

/* The root's KSK-2017 (20326) and KSK-2024 (38696), as DS. */
enum dns_err val_anchors_add_builtin(struct val_anchors *anchors);

/* One DS or DNSKEY record in zone-file syntax; DNSKEY becomes its SHA-256 DS. Blank lines and
 * ';' or '#' comments are fine and add nothing. */
enum dns_err val_anchors_add_line(struct val_anchors *anchors, const char *line);

/* A whole file of such lines. On failure *ret_line is the first bad one (from 1). */
enum dns_err val_anchors_add_text(struct val_anchors *anchors, const char *text,
                                  unsigned *ret_line);

/* Nothing at or below `zone` is validated until `until_s` (UINT64_MAX: for good). */
enum dns_err val_anchors_add_negative(struct val_anchors *anchors, const struct dns_name *zone,
                                      uint64_t until_s, const char *reason);

/* A deeper anchor below a negative one wins, as the deepest statement about a name does. */
enum val_anchor_kind { VAL_ANCHOR_NONE, VAL_ANCHOR_POSITIVE, VAL_ANCHOR_NEGATIVE };
struct val_anchor_hit {
    enum val_anchor_kind kind;
    struct dns_name zone;
    struct val_ds_set ds; /* POSITIVE; borrowed from anchors */
    const char *reason;   /* NEGATIVE; borrowed */
};
struct val_anchor_hit val_anchors_find(const struct val_anchors *anchors,
                                       const struct dns_name *name, uint64_t now_s);
uint32_t val_anchors_count(const struct val_anchors *anchors); /* positive ones */

#endif
