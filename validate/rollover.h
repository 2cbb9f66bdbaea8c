/* SPDX-License-Identifier: MIT */
/* Follows the keys of every trust anchor as their zones roll them (RFC 5011). A machine without
 * I/O: DNSKEY answers and `now` go in; states, the anchors to use and "look again at" come out.
 *
 *            in a proven set        not in it             REVOKE, self-signed   time
 * (start)    ADDPEND; VALID when    -                     REVOKED when          -
 *            an anchor means it                           an anchor means it
 * ADDPEND    VALID after hold-down  (start)               REVOKED               -
 * VALID      -                      MISSING               REVOKED               -
 * MISSING    VALID                  -                     REVOKED               -
 * REVOKED    -                      -                     seen again            REMOVED when unseen
 *                                                                               for 30 days
 * REMOVED    -                      -                     -                     -
 *
 * A proven set is one that a key trusted right now has signed; any other, and none, changes
 * nothing. A revocation speaks for itself: the set need only be signed by the revoked key, which
 * must be one that is known here. REVOKED and REMOVED keys are never used again, nor is any
 * configured anchor that means them, and they are remembered.
 *
 * Owner     one thread at a time. */
#ifndef VALIDATE_ROLLOVER_H
#define VALIDATE_ROLLOVER_H

#include "validate/anchors.h"
#include "validate/budget.h"

#define VAL_ROLLOVER_STATES(X)                                                                     \
    X(VAL_ROLLOVER_START, "start")                                                                 \
    X(VAL_ROLLOVER_ADDPEND, "addpend")                                                             \
    X(VAL_ROLLOVER_VALID, "valid")                                                                 \
    X(VAL_ROLLOVER_MISSING, "missing")                                                             \
    X(VAL_ROLLOVER_REVOKED, "revoked")                                                             \
    X(VAL_ROLLOVER_REMOVED, "removed")
#define X(id, words) id,
enum val_rollover_state { VAL_ROLLOVER_STATES(X) VAL_ROLLOVER_STATE_COUNT };
#undef X
const char *val_rollover_state_text(enum val_rollover_state state); /* static, never NULL */

#define VAL_ROLLOVER_HOUR_S UINT64_C(3600)
#define VAL_ROLLOVER_DAY_S UINT64_C(86400)
#define VAL_ROLLOVER_HOLD_S (30 * VAL_ROLLOVER_DAY_S) /* RFC 5011 2.4.1, 2.4.2 */

struct val_rollover;

/* Every zone that has an anchor in `configured`, with nothing learnt yet. A reference is taken. */
struct val_rollover *val_rollover_new(const struct val_anchors *configured);
void val_rollover_free(struct val_rollover *rollover); /* NULL is fine */

uint32_t val_rollover_count(const struct val_rollover *rollover); /* zones */
const struct dns_name *val_rollover_zone(const struct val_rollover *rollover, uint32_t index);
/* When its DNSKEY set has to be asked for (RFC 5011 2.3); 0: at once. */
uint64_t val_rollover_due_s(const struct val_rollover *rollover, uint32_t index);
/* When a proven set was seen last; 0: never. */
uint64_t val_rollover_seen_s(const struct val_rollover *rollover, uint32_t index);

struct val_rollover_key { /* one key of a zone, as it stands */
    enum val_rollover_state state;
    uint16_t tag; /* without REVOKE */
    uint8_t algorithm;
    uint64_t since_s; /* when it came into this state; REVOKED: when it was last seen */
    uint64_t due_s;   /* ADDPEND: the end of the hold-down */
};
uint32_t val_rollover_keys(const struct val_rollover *rollover, uint32_t index,
                           struct val_rollover_key *ret, uint32_t cap);

/* Told of each change, while it happens. */
typedef void val_rollover_change_fn(void *arg, const struct dns_name *zone, uint16_t tag,
                                    enum val_rollover_state from, enum val_rollover_state to);

enum val_rollover_seen {
    VAL_ROLLOVER_FAILED,  /* no proven set in it: look again after the retry interval */
    VAL_ROLLOVER_SAME,    /* proven, nothing but the time has changed */
    VAL_ROLLOVER_CHANGED, /* some key has: make the anchors anew, keep the state */
};
struct val_rollover_how { /* borrowed for the call */
    const struct val_policy *policy;
    const struct val_limits *limits;
    val_rollover_change_fn *on_change; /* or NULL */
    void *arg;
};
/* The answer to a DNSKEY question for the index-th zone; NULL: there was none. */
enum val_rollover_seen val_rollover_see(struct val_rollover *rollover, uint32_t index,
                                        const struct dns_msg *msg, uint64_t now_s,
                                        const struct val_rollover_how *how);

/* What may be used at now_s, as val_anchors_in_use(): configured anchors but for those that mean a
 * revoked key, and the keys that are VALID or MISSING. */
struct val_anchors *val_rollover_anchors(const struct val_rollover *rollover, uint64_t now_s,
                                         uint64_t *ret_until_s);

/* The state as text, one line a zone and a key; malloc()ed, NULL when out of memory. */
char *val_rollover_text(const struct val_rollover *rollover);

/* Takes up what val_rollover_text() wrote earlier; zones that have no anchor any more are left out,
 * and of zones with other anchors than then only what is REVOKED or REMOVED is taken.
 * All or nothing: on failure the words why, and nothing has changed. NULL: taken. */
const char *val_rollover_read(struct val_rollover *rollover, const char *text, uint64_t now_s);

#endif
