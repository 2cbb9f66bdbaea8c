/* SPDX-License-Identifier: MIT */
/* One field of one record changed at a time: which fields a record has, which changes there are,
 * and a message with a record so changed, octet by octet, however impossible it is. Include after
 * tests/unit/signer.h. */
#ifndef TESTS_UNIT_MUTATE_H
#define TESTS_UNIT_MUTATE_H

#include "tests/unit/signer.h"

enum field_kind {
    FIELD_NUMBER,  /* of 1, 2 or 4 octets */
    FIELD_NAME,    /* uncompressed */
    FIELD_COUNTED, /* an octet of length, then so many */
    FIELD_REST,    /* to the end */
};

struct field {
    const char *name; /* as the RFC calls it */
    enum field_kind kind;
    uint8_t len; /* of a number */
};

struct field_list {
    uint16_t type;
    struct field field[10];
};

// clang-format off
static const struct field_list field_lists[] = {
    {DNS_TYPE_RRSIG, {{"type covered", FIELD_NUMBER, 2}, {"algorithm", FIELD_NUMBER, 1},
                      {"labels", FIELD_NUMBER, 1}, {"original TTL", FIELD_NUMBER, 4},
                      {"expiration", FIELD_NUMBER, 4}, {"inception", FIELD_NUMBER, 4},
                      {"key tag", FIELD_NUMBER, 2}, {"signer", FIELD_NAME, 0},
                      {"signature", FIELD_REST, 0}}},
    {DNS_TYPE_DNSKEY, {{"flags", FIELD_NUMBER, 2}, {"protocol", FIELD_NUMBER, 1},
                       {"algorithm", FIELD_NUMBER, 1}, {"public key", FIELD_REST, 0}}},
    {DNS_TYPE_DS, {{"key tag", FIELD_NUMBER, 2}, {"algorithm", FIELD_NUMBER, 1},
                   {"digest type", FIELD_NUMBER, 1}, {"digest", FIELD_REST, 0}}},
    {DNS_TYPE_NSEC, {{"next name", FIELD_NAME, 0}, {"types", FIELD_REST, 0}}},
    {DNS_TYPE_NSEC3, {{"hash algorithm", FIELD_NUMBER, 1}, {"flags", FIELD_NUMBER, 1},
                      {"iterations", FIELD_NUMBER, 2}, {"salt", FIELD_COUNTED, 0},
                      {"next hash", FIELD_COUNTED, 0}, {"types", FIELD_REST, 0}}},
    {DNS_TYPE_SOA, {{"mname", FIELD_NAME, 0}, {"rname", FIELD_NAME, 0},
                    {"serial", FIELD_NUMBER, 4}, {"refresh", FIELD_NUMBER, 4},
                    {"retry", FIELD_NUMBER, 4}, {"expire", FIELD_NUMBER, 4},
                    {"minimum", FIELD_NUMBER, 4}}},
    {DNS_TYPE_CNAME, {{"target", FIELD_NAME, 0}}},
    {DNS_TYPE_DNAME, {{"target", FIELD_NAME, 0}}},
    {0, {{"data", FIELD_REST, 0}}}, /* any other */
};
// clang-format on

/* The fields in front of RDATA, in a table of their own: they are changed in the head. */
enum head { HEAD_OWNER, HEAD_TYPE, HEAD_CLASS, HEAD_TTL, HEAD_COUNT };
static const struct field head_fields[HEAD_COUNT] = {{"owner", FIELD_NAME, 0},
                                                     {"type", FIELD_NUMBER, 2},
                                                     {"class", FIELD_NUMBER, 2},
                                                     {"TTL", FIELD_NUMBER, 4}};

/* A record as octets, cut into its fields. */
struct fielded {
    uint8_t wire[2 * DNS_NAME_MAX + WORLD_RDATA_MAX];
    uint32_t len;
    struct {
        const struct field *field;
        uint32_t off, len;
    } at[HEAD_COUNT + 10];
    uint32_t count;
    uint32_t rdata_len_at; /* where RDLENGTH stands */
};

static inline uint32_t field_len(const struct field *field, const uint8_t *data, uint32_t left)
{
    uint32_t len = 0;
    switch (field->kind) {
    case FIELD_NUMBER: return field->len;
    case FIELD_COUNTED: return 1u + data[0];
    case FIELD_REST: return left;
    case FIELD_NAME:
        while (data[len] != 0)
            len += 1u + data[len];
        return len + 1;
    }
    return 0;
}

static inline void field_add(struct fielded *f, const struct field *field, uint32_t off,
                             uint32_t len)
{
    f->at[f->count].field = field;
    f->at[f->count].off = off;
    f->at[f->count++].len = len;
}

static inline void fielded_init(struct fielded *f, const struct world_rr *rr)
{
    struct dns_writer w = dns_writer_init(f->wire, sizeof f->wire);
    uint32_t before = 0;
    f->count = 0;
    for (unsigned head = 0; head < HEAD_COUNT; head++) {
        switch ((enum head)head) {
        case HEAD_OWNER: dns_write_bytes(&w, rr->owner.wire, rr->owner.len); break;
        case HEAD_TYPE: dns_write_u16(&w, rr->type); break;
        case HEAD_CLASS: dns_write_u16(&w, DNS_CLASS_IN); break;
        case HEAD_TTL: dns_write_u32(&w, rr->ttl_s); break;
        case HEAD_COUNT: break;
        }
        field_add(f, &head_fields[head], before, w.off - before);
        before = w.off;
    }
    f->rdata_len_at = w.off;
    dns_write_u16(&w, rr->len);
    dns_write_bytes(&w, rr->rdata, rr->len);
    assert_int_equal(w.err, DNS_OK);
    f->len = w.off;
    const struct field_list *list = field_lists;
    while (list->type != 0 && list->type != rr->type)
        list++;
    uint32_t at = f->rdata_len_at + 2;
    for (unsigned i = 0; i < 10 && list->field[i].name && at < f->len; i++) {
        uint32_t len = field_len(&list->field[i], f->wire + at, f->len - at);
        field_add(f, &list->field[i], at, len);
        at += len;
    }
    assert_int_equal(at, f->len); /* no octet belongs to no field */
}

/* --- changes --------------------------------------------------------------------------------- */

enum change_kind {
    CHANGE_BIT,   /* one bit, `at` counts them from the field's first */
    CHANGE_ZERO,  /* all octets 0 */
    CHANGE_MAX,   /* all octets 255 */
    CHANGE_ADD,   /* the number one more, … */
    CHANGE_SUB,   /* … one less */
    CHANGE_CUT,   /* the last octet, of a name the first label, goes */
    CHANGE_GROW,  /* an octet, to a name a label, comes */
    CHANGE_EMPTY, /* nothing is left */
};

struct change {
    enum change_kind kind;
    uint32_t at; /* which bit */
};

#define CHANGES_MAX 800u

static inline bool is_head(const struct field *field)
{
    return field >= head_fields && field < head_fields + HEAD_COUNT;
}

/* Not each bit of a long field, whose octets are all the same to everybody: of names by turns the
 * one that is case and the lowest, of hashes and keys those of three octets. Type, class
 * and TTL are read as wholes. */
static inline bool bit_matters(const struct field *field, uint32_t octet, uint32_t bit,
                               uint32_t len)
{
    switch (field->kind) {
    case FIELD_NUMBER: return !is_head(field) || bit % 4 == 3;
    case FIELD_NAME: return bit == (octet % 2 ? 2u : 7u);
    case FIELD_COUNTED: return true;
    case FIELD_REST: return len <= 8 || octet == 0 || octet == len / 2 || octet == len - 1;
    }
    return true;
}

static inline uint32_t changes_of(const struct fielded *f, uint32_t i, struct change *ret)
{
    const struct field *field = f->at[i].field;
    uint32_t len = f->at[i].len;
    uint32_t count = 0;
    for (uint32_t octet = 0; octet < len; octet++)
        for (uint32_t bit = 0; bit < 8; bit++)
            if (bit_matters(field, octet, bit, len))
                ret[count++] = (struct change){CHANGE_BIT, octet * 8 + bit};
    ret[count++] = (struct change){CHANGE_ZERO, 0};
    ret[count++] = (struct change){CHANGE_MAX, 0};
    if (field->kind == FIELD_NUMBER) {
        ret[count++] = (struct change){CHANGE_ADD, 0};
        ret[count++] = (struct change){CHANGE_SUB, 0};
    } else {
        ret[count++] = (struct change){CHANGE_CUT, 0};
        ret[count++] = (struct change){CHANGE_GROW, 0};
        ret[count++] = (struct change){CHANGE_EMPTY, 0};
    }
    assert_in_range(count, 1, CHANGES_MAX);
    return count;
}

/* The record with `add` octets more (or less) at `off`, RDLENGTH as it then is. */
static inline void resize(struct fielded *f, uint32_t off, int add)
{
    uint32_t from = add < 0 ? off + (uint32_t)-add : off;
    memmove(f->wire + (int)from + add, f->wire + from, f->len - from);
    for (int i = 0; i < add; i++)
        f->wire[off + (uint32_t)i] = 0;
    f->len = (uint32_t)((int)f->len + add);
    if (off < f->rdata_len_at)
        f->rdata_len_at = (uint32_t)((int)f->rdata_len_at + add);
    uint32_t rdata_len = f->len - f->rdata_len_at - 2;
    f->wire[f->rdata_len_at] = (uint8_t)(rdata_len >> 8);
    f->wire[f->rdata_len_at + 1] = (uint8_t)rdata_len;
}

static inline void add_to_number(uint8_t *at, uint32_t len, int by)
{
    for (uint32_t i = len; i-- > 0;) {
        at[i] = (uint8_t)(at[i] + by);
        if (at[i] != (by > 0 ? 0 : 255))
            return; /* no carry */
    }
}

static inline void change_cut(struct fielded *f, uint32_t i)
{
    uint32_t off = f->at[i].off, len = f->at[i].len;
    switch (f->at[i].field->kind) {
    case FIELD_NAME:
        if (f->wire[off] != 0)
            resize(f, off, -(1 + f->wire[off]));
        return;
    case FIELD_COUNTED:
        if (f->wire[off] > 0) {
            f->wire[off]--;
            resize(f, off + len - 1, -1);
        }
        return;
    case FIELD_NUMBER:
    case FIELD_REST: resize(f, off + len - 1, -1); return;
    }
}

static inline void change_grow(struct fielded *f, uint32_t i)
{
    uint32_t off = f->at[i].off, len = f->at[i].len;
    switch (f->at[i].field->kind) {
    case FIELD_NAME:
        resize(f, off, 2);
        f->wire[off] = 1;
        f->wire[off + 1] = 'x';
        return;
    case FIELD_COUNTED:
        f->wire[off]++;
        resize(f, off + len, 1);
        return;
    case FIELD_NUMBER:
    case FIELD_REST: resize(f, off + len, 1); return;
    }
}

static inline void change_empty(struct fielded *f, uint32_t i)
{
    uint32_t off = f->at[i].off, len = f->at[i].len;
    bool keeps_one = f->at[i].field->kind != FIELD_REST; /* the root, or a length of 0 */
    if (keeps_one)
        f->wire[off] = 0;
    resize(f, off + keeps_one, -(int)(len - keeps_one));
}

/* False: it is as it was. */
static inline bool change_apply(struct fielded *f, uint32_t i, const struct change *change)
{
    static struct fielded before;
    uint8_t *at = f->wire + f->at[i].off;
    uint32_t len = f->at[i].len;
    before = *f;
    switch (change->kind) {
    case CHANGE_BIT: at[change->at / 8] ^= (uint8_t)(0x80 >> change->at % 8); break;
    case CHANGE_ZERO: memset(at, 0, len); break;
    case CHANGE_MAX: memset(at, 255, len); break;
    case CHANGE_ADD: add_to_number(at, len, 1); break;
    case CHANGE_SUB: add_to_number(at, len, -1); break;
    case CHANGE_CUT: change_cut(f, i); break;
    case CHANGE_GROW: change_grow(f, i); break;
    case CHANGE_EMPTY: change_empty(f, i); break;
    }
    return f->len != before.len || memcmp(f->wire, before.wire, f->len) != 0;
}

static inline const char *change_text(const struct change *change)
{
    static const char *const words[] = {"bit", "0",       "255s",     "+1",
                                        "-1",  "cut off", "grown by", "emptied"};
    return words[change->kind];
}

#endif
