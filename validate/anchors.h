/* SPDX-License-Identifier: MIT */
/* Where trust starts, and where it is told not to look (RFC 4033 5, RFC 7646). Filled once, then
 * immutable and shared: references are counted (atomically). Two such objects stand at any time:
 * what was configured, with its dates, and what may be used right now, made of it by
 * val_anchors_in_use() or val_rollover_anchors(). Only the latter is for proofs. */
#ifndef VALIDATE_ANCHORS_H
#define VALIDATE_ANCHORS_H

#include "validate/keys.h"

struct val_anchors;
struct val_anchors *val_anchors_new(void);          /* empty */
void val_anchors_free(struct val_anchors *anchors); /* of its builder, who shared it with nobody */
const struct val_anchors *val_anchors_ref(const struct val_anchors *anchors);
void val_anchors_unref(const struct val_anchors *anchors); /* NULL is fine */

/* --- filling ------------------------------------------------------------------------------- */

#define VAL_ANCHOR_ALWAYS UINT64_MAX

struct val_anchor { /* one positive anchor: a DS */
    struct dns_name zone;
    struct val_rdata ds;
    uint64_t from_s, until_s; /* may be used when from_s <= now < until_s */
    const char *source;       /* where it was read, "root.key:3"; for messages */
};

/* Copied. The same DS of the same zone again only widens its dates. DNS_E_FORM when the digest does
 * not fit its type. */
enum dns_err val_anchors_add(struct val_anchors *anchors, const struct val_anchor *anchor);

/* The root's KSK-2017 (20326) and KSK-2024 (38696), as DS. */
enum dns_err val_anchors_add_builtin(struct val_anchors *anchors);

/* The SHA-256 DS of a DNSKEY; DNS_E_FORM for a key that may not sign a zone or is revoked. */
enum dns_err val_anchor_ds_of(const struct dns_name *zone, const uint8_t *dnskey, uint32_t len,
                              struct dns_writer *w);

/* One DS or DNSKEY record in zone-file syntax; DNSKEY becomes its SHA-256 DS. Blank lines and
 * ';' or '#' comments are fine and add nothing. */
enum dns_err val_anchors_add_line(struct val_anchors *anchors, const char *line);

/* A whole file of such lines; `name` is its name for messages. On failure *ret_line is the first
 * bad one (from 1). */
enum dns_err val_anchors_add_file(struct val_anchors *anchors, const char *name, const char *text,
                                  unsigned *ret_line);
enum dns_err val_anchors_add_text(struct val_anchors *anchors, const char *text,
                                  unsigned *ret_line);

/* Nothing at or below `zone` is validated before `until_s` (UINT64_MAX: for good). */
enum dns_err val_anchors_add_negative(struct val_anchors *anchors, const struct dns_name *zone,
                                      uint64_t until_s, const char *reason);

/* The zone has an anchor but none of its keys is left (all revoked, or out of their dates): what is
 * below is bogus, never insecure. */
enum dns_err val_anchors_close(struct val_anchors *anchors, const struct dns_name *zone);

/* All of it, to be added to; NULL when out of memory. */
struct val_anchors *val_anchors_copy(const struct val_anchors *from);

/* Adds the negative ones of another. */
enum dns_err val_anchors_add_negatives(struct val_anchors *anchors, const struct val_anchors *from);

/* --- looking ------------------------------------------------------------------------------- */

uint32_t val_anchors_count(const struct val_anchors *anchors); /* positive ones */
/* The index-th of them; borrowed from anchors. */
struct val_anchor val_anchors_at(const struct val_anchors *anchors, uint32_t index);
bool val_anchor_valid(const struct val_anchor *anchor, uint64_t now_s); /* its dates */
/* A positive anchor strictly above `zone`: it takes over where those of the zone are gone. */
bool val_anchors_above(const struct val_anchors *anchors, const struct dns_name *zone);
/* Those of just this zone; borrowed. */
struct val_ds_set val_anchors_ds(const struct val_anchors *anchors, const struct dns_name *zone);
/* A key with this tag is trusted for the zone. */
bool val_anchors_has_tag(const struct val_anchors *anchors, const struct dns_name *zone,
                         uint16_t key_tag);

/* What may be used at now_s: the positive ones within their dates, closed zones where none is left
 * and nothing above takes over, all the negative ones. *ret_until_s is when it has to be made anew
 * (UINT64_MAX: never). NULL when out of memory. */
struct val_anchors *val_anchors_in_use(const struct val_anchors *configured, uint64_t now_s,
                                       uint64_t *ret_until_s);

/* A deeper anchor below a negative one wins, as the deepest statement about a name does. */
enum val_anchor_kind { VAL_ANCHOR_NONE, VAL_ANCHOR_POSITIVE, VAL_ANCHOR_NEGATIVE };
struct val_anchor_hit {
    enum val_anchor_kind kind;
    const struct dns_name *zone; /* borrowed from anchors; NONE: the root */
    struct val_ds_set ds;        /* POSITIVE; borrowed likewise. Empty: closed */
    const char *reason;          /* NEGATIVE; borrowed */
    uint64_t until_s;            /* NEGATIVE: when it ends */
};
/* Dates of positive anchors are not looked at. */
struct val_anchor_hit val_anchors_find(const struct val_anchors *anchors,
                                       const struct dns_name *name, uint64_t now_s);

#endif
