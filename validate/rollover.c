// SPDX-License-Identifier: MIT
/* One look at a zone's keys, and what it makes of each key's state. */
#include "validate/rollover_parts.h"

#include <string.h>

#define ARENA_MAX (256u << 10)

static const char *const state_words[] = {
#define X(id, words) [id] = words,
    VAL_ROLLOVER_STATES(X)
#undef X
};

const char *val_rollover_state_text(enum val_rollover_state state)
{
    return state < VAL_ROLLOVER_STATE_COUNT ? state_words[state] : "unknown";
}

struct look {
    struct val_rollover *rollover;
    struct rollover_zone *zone;
    const struct val_rrset *set;
    uint64_t now_s;
    uint32_t ttl_s; /* original TTL of the proven set */
    const struct val_rollover_how *how;
    struct val_budget budget;
    bool changed;
};

static void move(struct look *l, struct rollover_key *k, enum val_rollover_state to)
{
    if (l->how->on_change)
        l->how->on_change(l->how->arg, &l->zone->name, dns_key_tag(k->rdata, k->len), k->state, to);
    k->state = to;
    k->since_s = l->now_s;
    k->due_s = 0;
    l->changed = true;
}

static struct rollover_key *key_find(const struct rollover_zone *z, const uint8_t *rdata,
                                     uint32_t len)
{
    for (uint32_t i = 0; i < z->key_count; i++)
        if (z->key[i].len == len && memcmp(z->key[i].rdata, rdata, len) == 0)
            return &z->key[i];
    return NULL;
}

static void key_forget(struct rollover_zone *z, struct rollover_key *k)
{
    size_t behind = (size_t)(z->key + z->key_count - k) - 1;
    memmove(k, k + 1, behind * sizeof *k);
    z->key_count--;
}

/* Room for one more: RFC 5011 4.2 lets a REMOVED key be forgotten; the oldest goes, but none that
 * an anchor means, which would rise again with it. */
static bool make_room(struct look *l)
{
    struct rollover_zone *z = l->zone;
    struct rollover_key *oldest = NULL;
    if (z->key_count < ROLLOVER_KEYS_MAX)
        return true;
    for (uint32_t i = 0; i < z->key_count; i++) {
        struct rollover_key *k = &z->key[i];
        if (k->state == VAL_ROLLOVER_REMOVED && (!oldest || k->since_s < oldest->since_s) &&
            !rollover_meant_by(l->rollover, &z->name, k->rdata, k->len, l->now_s).ever)
            oldest = k;
    }
    if (oldest)
        key_forget(z, oldest);
    return oldest != NULL;
}

static struct rollover_key *key_add(struct look *l, const uint8_t *rdata, uint32_t len)
{
    if (len > ROLLOVER_RDATA_MAX || !make_room(l))
        return NULL;
    struct rollover_key *k = &l->zone->key[l->zone->key_count++];
    *k = (struct rollover_key){.state = VAL_ROLLOVER_START, .len = (uint16_t)len};
    memcpy(k->rdata, rdata, len);
    return k;
}

/* A DNSKEY of the set as it is compared and kept: REVOKE clear. False: not one that is followed. */
struct candidate {
    uint8_t rdata[ROLLOVER_RDATA_MAX];
    uint32_t len;
    bool revoked;
    struct dns_dnskey dnskey; /* as it came; borrowed from the set */
    uint16_t tag;             /* as it came */
};

static bool candidate_read(const struct val_rdata *rr, struct candidate *ret)
{
    if (rr->len > ROLLOVER_RDATA_MAX ||
        dns_dnskey_read(dns_reader_init(rr->data, rr->len), &ret->dnskey) != DNS_OK ||
        ret->dnskey.protocol != 3 || (ret->dnskey.flags & DNS_KEY_ZONE) == 0)
        return false;
    memcpy(ret->rdata, rr->data, rr->len);
    ret->rdata[1] &= (uint8_t)~DNS_KEY_REVOKE;
    ret->len = rr->len;
    ret->revoked = (ret->dnskey.flags & DNS_KEY_REVOKE) != 0;
    ret->tag = dns_key_tag(rr->data, rr->len);
    return true;
}

/* --- revocation (RFC 5011 2.1) --------------------------------------------------------------- */

static bool signs_itself(struct look *l, const struct candidate *c)
{
    struct val_key key;
    struct val_verified verified;
    if (val_key_parse(&c->dnskey, c->tag, l->how->policy, &key) != VAL_WHY_NONE)
        return false;
    const struct val_zone alone = {
        .name = l->zone->name, .kind = VAL_ZONE_SECURE, .keys = &key, .key_count = 1};
    val_rrset_verify(l->set, &alone, l->now_s, l->how->policy, &l->budget, &verified);
    val_key_deinit(&key);
    return verified.secure;
}

/* Only what is known here can be revoked: others cost no signature and no room. */
static void revoke(struct look *l, const struct candidate *c)
{
    struct rollover_key *k = key_find(l->zone, c->rdata, c->len);
    if (!k && !rollover_meant_by(l->rollover, &l->zone->name, c->rdata, c->len, l->now_s).ever)
        return;
    if (k && k->state == VAL_ROLLOVER_REMOVED)
        return;
    if (k && k->state == VAL_ROLLOVER_REVOKED) {
        k->since_s = l->now_s; /* it is still there: the time until it is removed begins anew */
        return;
    }
    if (!signs_itself(l, c))
        return;
    k = k ? k : key_add(l, c->rdata, c->len);
    if (k)
        move(l, k, VAL_ROLLOVER_REVOKED);
}

static void revoke_all(struct look *l)
{
    for (uint32_t i = 0; i < l->set->count; i++) {
        struct candidate c;
        if (candidate_read(&l->set->rr[i], &c) && c.revoked)
            revoke(l, &c);
    }
}

/* --- a proven set ---------------------------------------------------------------------------- */

/* Signed by a key that is trusted now. */
static bool prove(struct look *l, const struct val_sig **ret_sig)
{
    uint64_t until_s;
    struct val_reason reason;
    struct val_anchors *used = val_rollover_anchors(l->rollover, l->now_s, &until_s);
    if (!used)
        return false;
    struct val_ds_set ds = val_anchors_ds(used, &l->zone->name);
    const struct val_zone *lifted =
        ds.count == 0 ? NULL
                      : val_zone_lift(&l->zone->name, &ds, UINT64_MAX, l->set, l->now_s,
                                      l->how->policy, &l->budget, &reason, ret_sig, NULL);
    val_zone_unref(lifted);
    val_anchors_unref(used);
    return lifted != NULL;
}

static bool can_be_used(const struct look *l, const struct candidate *c)
{
    struct val_key key;
    if (val_key_parse(&c->dnskey, c->tag, l->how->policy, &key) != VAL_WHY_NONE)
        return false;
    val_key_deinit(&key);
    return true;
}

static uint32_t pending(const struct rollover_zone *z)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < z->key_count; i++)
        count += z->key[i].state == VAL_ROLLOVER_ADDPEND;
    return count;
}

/* RFC 5011 2.4.1: thirty days, or the original TTL when that is longer. */
static void begin_hold_down(struct look *l, struct rollover_key *k)
{
    move(l, k, VAL_ROLLOVER_ADDPEND);
    k->due_s =
        l->now_s + (l->ttl_s > VAL_ROLLOVER_HOLD_S ? (uint64_t)l->ttl_s : VAL_ROLLOVER_HOLD_S);
}

static void newcomer(struct look *l, const struct candidate *c)
{
    bool configured =
        rollover_meant_by(l->rollover, &l->zone->name, c->rdata, c->len, l->now_s).now;
    if (!can_be_used(l, c) || (!configured && pending(l->zone) >= ROLLOVER_PENDING_MAX))
        return;
    struct rollover_key *k = key_add(l, c->rdata, c->len);
    if (k && configured)
        move(l, k, VAL_ROLLOVER_VALID);
    else if (k)
        begin_hold_down(l, k);
}

/* Not revoked, with SEP set (RFC 5011 2.4.1): it is there. */
static void present(struct look *l, const struct candidate *c)
{
    struct rollover_key *k = key_find(l->zone, c->rdata, c->len);
    if (!k)
        newcomer(l, c);
    else if (k->state == VAL_ROLLOVER_MISSING ||
             (k->state == VAL_ROLLOVER_ADDPEND && l->now_s >= k->due_s))
        move(l, k, VAL_ROLLOVER_VALID);
}

static bool in_set(const struct look *l, const struct rollover_key *k, bool *ret_revoked)
{
    bool found = false;
    *ret_revoked = false;
    for (uint32_t i = 0; i < l->set->count; i++) {
        struct candidate c;
        if (!candidate_read(&l->set->rr[i], &c) || c.len != k->len ||
            memcmp(c.rdata, k->rdata, k->len) != 0)
            continue;
        found = found || !c.revoked;
        *ret_revoked = *ret_revoked || c.revoked;
    }
    return found;
}

static void absent(struct look *l)
{
    for (uint32_t i = l->zone->key_count; i-- > 0;) {
        struct rollover_key *k = &l->zone->key[i];
        bool revoked;
        if (in_set(l, k, &revoked))
            continue;
        if (k->state == VAL_ROLLOVER_VALID) {
            move(l, k, VAL_ROLLOVER_MISSING);
        } else if (k->state == VAL_ROLLOVER_ADDPEND) {
            move(l, k, VAL_ROLLOVER_START);
            key_forget(l->zone, k);
        } else if (k->state == VAL_ROLLOVER_REVOKED && !revoked &&
                   l->now_s >= k->since_s + VAL_ROLLOVER_HOLD_S) {
            move(l, k, VAL_ROLLOVER_REMOVED);
        }
    }
}

static void take_up(struct look *l)
{
    for (uint32_t i = 0; i < l->set->count; i++) {
        struct candidate c;
        if (candidate_read(&l->set->rr[i], &c) && !c.revoked && (c.dnskey.flags & DNS_KEY_SEP) != 0)
            present(l, &c);
    }
    absent(l);
}

/* --- when to look again (RFC 5011 2.3) ------------------------------------------------------- */

static uint64_t clamped(uint64_t ttl_s, uint64_t left_s, uint64_t most_s)
{
    uint64_t interval_s = ttl_s < left_s ? ttl_s : left_s;
    if (interval_s > most_s)
        interval_s = most_s;
    return interval_s > VAL_ROLLOVER_HOUR_S ? interval_s : VAL_ROLLOVER_HOUR_S;
}

static void plan_next(struct rollover_zone *z, uint64_t now_s, bool proven)
{
    uint64_t left_s = z->expires_s > now_s ? z->expires_s - now_s : 0;
    z->due_s = now_s + (proven ? clamped(z->ttl_s / 2, left_s / 2, 15 * VAL_ROLLOVER_DAY_S)
                               : clamped(z->ttl_s / 10, left_s / 10, VAL_ROLLOVER_DAY_S));
}

static bool look_at(struct look *l)
{
    const struct val_sig *sig = NULL;
    struct rollover_zone *z = l->zone;
    revoke_all(l);
    if (!prove(l, &sig))
        return false;
    l->ttl_s = sig->rrsig.original_ttl_s;
    z->ttl_s = l->ttl_s;
    z->expires_s = val_rrsig_expires(&sig->rrsig, l->now_s);
    z->seen_s = l->now_s;
    take_up(l);
    return true;
}

enum val_rollover_seen val_rollover_see(struct val_rollover *rollover, uint32_t index,
                                        const struct dns_msg *msg, uint64_t now_s,
                                        const struct val_rollover_how *how)
{
    struct look l = {.rollover = rollover,
                     .zone = &rollover->zone[index],
                     .now_s = now_s,
                     .how = how,
                     .budget = val_budget_init(how->limits)};
    struct val_arena *arena = msg ? val_arena_new(ARENA_MAX, NULL) : NULL;
    struct val_rrsets sets;
    bool malformed = false;
    bool proven = false;
    if (arena && val_rrsets_split(msg, arena, &sets, &malformed) == DNS_OK)
        l.set = val_rrsets_find(&sets, &l.zone->name, DNS_TYPE_DNSKEY);
    if (l.set && l.set->class_ == DNS_CLASS_IN)
        proven = look_at(&l);
    plan_next(l.zone, now_s, proven);
    val_arena_free(arena);
    if (l.changed)
        return VAL_ROLLOVER_CHANGED;
    return proven ? VAL_ROLLOVER_SAME : VAL_ROLLOVER_FAILED;
}
