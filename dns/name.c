// SPDX-License-Identifier: MIT
#include "dns/name.h"

#include <string.h>

/* A name of 127 labels, each behind a pointer of its own; longer chains only cost time. */
#define JUMPS_MAX 127u

const struct dns_name dns_root = {.len = 1, .labels = 0, .wire = {0}};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Appends one label to a name under construction, its final root label not yet written. */
static enum dns_err append(struct dns_name *name, const void *label, size_t len)
{
    if (len == 0 || len > DNS_LABEL_MAX)
        return DNS_E_LABEL;
    if (name->len + len + 2u > DNS_NAME_MAX) /* its length octet, and the root label to come */
        return DNS_E_NAME_LONG;
    name->wire[name->len] = (uint8_t)len;
    memcpy(name->wire + name->len + 1, label, len);
    name->len = (uint8_t)(name->len + len + 1);
    name->labels++;
    return DNS_OK;
}

static void finish(struct dns_name *name, struct dns_name *ret)
{
    name->wire[name->len++] = 0;
    *ret = *name;
}

/* Appends labels until the root label (0) or a pointer (its two octets). An error is in r->err. */
static uint16_t read_labels(struct dns_reader *r, struct dns_name *name)
{
    for (;;) {
        uint8_t len = dns_read_u8(r);
        if (r->err != DNS_OK || len == 0)
            return 0;
        if (len >= 0xc0)
            return (uint16_t)(len << 8 | dns_read_u8(r));
        if (len > DNS_LABEL_MAX) { /* 01 and 10 are not in use (RFC 6891 5) */
            r->err = DNS_E_LABEL;
            return 0;
        }
        const uint8_t *label = dns_read_bytes(r, len);
        if (label)
            r->err = append(name, label, len);
    }
}

struct run { /* labels one behind the other */
    uint32_t len;
    unsigned labels;
};

/* Up to the root label or a pointer. False: there is none of them within `left` octets. */
static bool find_run(const uint8_t *at, uint32_t left, struct run *ret)
{
    struct run run = {0, 0};
    while (run.len < left && at[run.len] != 0 && at[run.len] <= DNS_LABEL_MAX) {
        run.len += at[run.len] + 1u;
        run.labels++;
    }
    *ret = run;
    return run.len < left && (at[run.len] == 0 || at[run.len] >= 0xc0);
}

static void put_runs(struct dns_name *ret, const uint8_t *head, struct run first,
                     const uint8_t *tail, struct run last)
{
    ret->len = (uint8_t)(first.len + last.len + 1);
    ret->labels = (uint8_t)(first.labels + last.labels);
    if (first.len > 0)
        memcpy(ret->wire, head, first.len);
    memcpy(ret->wire + first.len, tail, last.len + 1);
}

/* Nearly every name stands there whole, or up to one pointer to what does: then it is a copy or
 * two. False, and nothing has moved: it does not, or something is wrong with it. */
static bool read_whole(struct dns_reader *r, bool may_point, struct dns_name *ret)
{
    uint32_t left = dns_reader_left(r);
    const uint8_t *at = r->buf + r->off;
    struct run first, last;
    if (!find_run(at, left, &first))
        return false;
    if (at[first.len] == 0) {
        if (first.len >= DNS_NAME_MAX)
            return false;
        put_runs(ret, at, (struct run){0, 0}, at, first);
        (void)dns_read_bytes(r, first.len + 1); /* they are there */
        return true;
    }
    if (!may_point || left - first.len < 2)
        return false;
    uint32_t target = (at[first.len] & 0x3fu) << 8 | at[first.len + 1];
    if (target >= r->off || !find_run(r->buf + target, r->end - target, &last) ||
        r->buf[target + last.len] != 0 || first.len + last.len >= DNS_NAME_MAX)
        return false;
    put_runs(ret, at, first, r->buf + target, last);
    (void)dns_read_bytes(r, first.len + 2); /* likewise */
    return true;
}

enum dns_err dns_name_read(struct dns_reader *r, struct dns_name *ret)
{
    if (read_whole(r, true, ret))
        return DNS_OK;
    struct dns_name name = {0};
    struct dns_reader at = *r; /* moves along the pointers; r only over the part at this place */
    uint32_t start = at.off;
    uint32_t behind = at.off;
    for (unsigned jumps = 0;; jumps++) {
        uint16_t pointer = read_labels(&at, &name);
        if (jumps == 0)
            behind = at.off;
        if (at.err != DNS_OK || pointer == 0)
            break;
        uint32_t target = pointer & 0x3fffu;
        if (target >= start || jumps == JUMPS_MAX) {
            at.err = DNS_E_POINTER;
            break;
        }
        at.off = start = target; /* each jump lands before all the last */
    }
    r->err = at.err;
    if (at.err != DNS_OK)
        return at.err;
    r->off = behind;
    finish(&name, ret);
    return DNS_OK;
}

enum dns_err dns_name_read_plain(struct dns_reader *r, struct dns_name *ret)
{
    if (read_whole(r, false, ret))
        return DNS_OK;
    struct dns_name name = {0}; /* the same again, to say what is wrong with it */
    uint16_t pointer = read_labels(r, &name);
    if (r->err == DNS_OK && pointer != 0)
        r->err = DNS_E_POINTER;
    if (r->err == DNS_OK)
        finish(&name, ret);
    return r->err;
}

enum dns_err dns_name_from_wire(const void *wire, size_t len, struct dns_name *ret)
{
    struct dns_reader r = dns_reader_init(wire, len);
    struct dns_name name;
    (void)dns_name_read_plain(&r, &name); /* its error is r.err */
    enum dns_err err = dns_reader_finish(&r);
    if (err == DNS_OK)
        *ret = name;
    return err;
}

void dns_write_name(struct dns_writer *w, const struct dns_name *name)
{
    dns_write_bytes(w, name->wire, name->len);
}

/* Mostly names that are equal are so in case, too. */
static bool equal_octets(const uint8_t *a, const uint8_t *b, unsigned len)
{
    if (memcmp(a, b, len) == 0)
        return true;
    for (unsigned i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i])) /* length octets are below 'A' */
            return false;
    return true;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && equal_octets(a->wire, b->wire, a->len);
}

/* Offsets of each label's length octet, from the left. */
static unsigned label_offs(const struct dns_name *name, uint8_t off[static 128])
{
    unsigned count = 0;
    for (unsigned at = 0; name->wire[at] != 0; at += name->wire[at] + 1u)
        off[count++] = (uint8_t)at;
    return count;
}

static int compare_labels(const uint8_t *a, const uint8_t *b)
{
    unsigned common = a[0] < b[0] ? a[0] : b[0];
    for (unsigned i = 1; i <= common; i++) {
        int difference = lower(a[i]) - lower(b[i]);
        if (difference != 0)
            return difference;
    }
    return a[0] - b[0];
}

int dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
    uint8_t a_off[128];
    uint8_t b_off[128];
    unsigned a_left = label_offs(a, a_off);
    unsigned b_left = label_offs(b, b_off);
    while (a_left > 0 && b_left > 0) {
        int difference = compare_labels(a->wire + a_off[--a_left], b->wire + b_off[--b_left]);
        if (difference != 0)
            return difference;
    }
    return (int)a_left - (int)b_left;
}

unsigned dns_name_suffix_off(const struct dns_name *name, unsigned labels)
{
    unsigned at = 0;
    for (unsigned left = name->labels; left > labels; left--)
        at += name->wire[at] + 1u;
    return at;
}

void dns_name_copy(struct dns_name *ret, const struct dns_name *name)
{
    ret->len = name->len;
    ret->labels = name->labels;
    memcpy(ret->wire, name->wire, name->len);
}

struct dns_name dns_name_suffix(const struct dns_name *name, unsigned labels)
{
    unsigned off = dns_name_suffix_off(name, labels);
    struct dns_name suffix; /* what is behind its end is nothing to anybody */
    suffix.len = (uint8_t)(name->len - off);
    suffix.labels = (uint8_t)labels;
    memcpy(suffix.wire, name->wire + off, suffix.len);
    return suffix;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *ancestor)
{
    if (name->labels < ancestor->labels || name->len < ancestor->len)
        return false;
    unsigned off = dns_name_suffix_off(name, ancestor->labels);
    return name->len - off == ancestor->len &&
           equal_octets(name->wire + off, ancestor->wire, ancestor->len);
}

unsigned dns_name_common_labels(const struct dns_name *a, const struct dns_name *b)
{
    uint8_t a_off[128];
    uint8_t b_off[128];
    unsigned a_left = label_offs(a, a_off);
    unsigned b_left = label_offs(b, b_off);
    unsigned common = 0;
    while (a_left > 0 && b_left > 0 &&
           compare_labels(a->wire + a_off[--a_left], b->wire + b_off[--b_left]) == 0)
        common++;
    return common;
}

enum dns_err dns_name_prepend(const void *label, size_t label_len, const struct dns_name *parent,
                              struct dns_name *ret)
{
    struct dns_name name = {0};
    enum dns_err err = append(&name, label, label_len);
    if (err != DNS_OK)
        return err;
    if (name.len + (unsigned)parent->len > DNS_NAME_MAX)
        return DNS_E_NAME_LONG;
    memcpy(name.wire + name.len, parent->wire, parent->len);
    name.len = (uint8_t)(name.len + parent->len);
    name.labels = (uint8_t)(parent->labels + 1);
    *ret = name;
    return DNS_OK;
}

enum dns_err dns_name_wildcard(const struct dns_name *name, struct dns_name *ret)
{
    return dns_name_prepend("*", 1, name, ret);
}

bool dns_name_is_wildcard(const struct dns_name *name)
{
    return name->wire[0] == 1 && name->wire[1] == '*';
}

enum dns_err dns_name_substitute(const struct dns_name *name, const struct dns_name *owner,
                                 const struct dns_name *target, struct dns_name *ret)
{
    if (name->labels <= owner->labels || !dns_name_within(name, owner))
        return DNS_E_FORM;
    unsigned kept = dns_name_suffix_off(name, owner->labels);
    if (kept + target->len > DNS_NAME_MAX)
        return DNS_E_NAME_LONG;
    struct dns_name out = {.len = (uint8_t)(kept + target->len),
                           .labels = (uint8_t)(name->labels - owner->labels + target->labels)};
    memcpy(out.wire, name->wire, kept);
    memcpy(out.wire + kept, target->wire, target->len);
    *ret = out;
    return DNS_OK;
}

void dns_name_lower(struct dns_name *name)
{
    for (unsigned i = 0; i < name->len; i++)
        name->wire[i] = lower(name->wire[i]);
}
