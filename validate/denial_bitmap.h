/* SPDX-License-Identifier: MIT */
/* What the type bit map of an NSEC or NSEC3 says about its owner; the same rules for both. */
#ifndef VALIDATE_DENIAL_BITMAP_H
#define VALIDATE_DENIAL_BITMAP_H

#include "validate/denial.h"

struct val_bitmap {
    const uint8_t *data;
    uint32_t len;
};

bool val_bitmap_has(struct val_bitmap map, uint16_t type);

/* NS without SOA: the parent's side of a cut (RFC 6840 4.1). */
bool val_bitmap_parent_side(struct val_bitmap map);

/* The owner, which exists, has no `qtype`: neither the type nor a CNAME is there, and the record
 * comes from the side of a cut that knows. `root`: the owner is the root. */
bool val_bitmap_denies(struct val_bitmap map, uint16_t qtype, bool root);

/* The owner's own record says that it does not exist (RFC 9824 3.1). */
bool val_bitmap_nonexistent(struct val_bitmap map);

/* What the owner's own record says about a cut there. */
enum val_no_ds val_bitmap_no_ds(struct val_bitmap map);

#endif
