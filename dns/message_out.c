// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#include <string.h>

void dns_msg_out_init(struct dns_msg_out *out, void *buf, size_t cap, uint16_t id, uint16_t flags)
{
    memset(out->count, 0, sizeof out->count);
    out->names.count = 0; /* what lies beyond is never read */
    out->w = dns_writer_init(buf, cap < DNS_MSG_MAX ? cap : DNS_MSG_MAX);
    dns_write_u16(&out->w, id);
    dns_write_u16(&out->w, flags);
    for (unsigned i = 0; i < 4; i++)
        dns_write_u16(&out->w, 0); /* patched by dns_msg_out_finish() */
}

/* Whether the name that begins at `off` of our own output is this suffix. Pointers there are ours.
 */
static bool written_here(const struct dns_msg_out *out, uint32_t off, const uint8_t *suffix)
{
    const uint8_t *buf = out->w.buf;
    for (;;) {
        while (buf[off] >= 0xc0)
            off = (buf[off] & 0x3fu) << 8 | buf[off + 1];
        uint8_t len = *suffix;
        if (buf[off] != len || memcmp(buf + off + 1, suffix + 1, len) != 0)
            return false;
        if (len == 0)
            return true;
        off += len + 1u;
        suffix += len + 1u;
    }
}

/* A slot is looked at in full only when hash and length agree. So a name costs at most one long
 * comparison a slot, whatever names somebody has made up. */
static uint32_t find_suffix(const struct dns_msg_out *out, uint32_t hash, const uint8_t *suffix,
                            uint8_t len)
{
    const struct dns_compress *names = &out->names;
    for (unsigned i = 0; i < names->count; i++)
        if (names->hash[i] == hash && names->len[i] == len &&
            written_here(out, names->off[i], suffix))
            return names->off[i];
    return 0;
}

static void remember(struct dns_compress *names, uint32_t off, uint32_t hash, uint8_t len)
{
    if (off > 0x3fff || names->count == DNS_COMPRESS_SLOTS)
        return;
    names->off[names->count] = (uint16_t)off;
    names->hash[names->count] = hash;
    names->len[names->count] = len;
    names->count++;
}

/* The hash of every suffix but the root, by label from the left; in one pass from the right. */
static unsigned hash_suffixes(const struct dns_name *name, uint8_t at[static 127],
                              uint32_t hash[static 127])
{
    unsigned count = 0;
    for (unsigned i = 0; name->wire[i] != 0; i += name->wire[i] + 1u)
        at[count++] = (uint8_t)i;
    uint32_t h = 2166136261u;
    unsigned end = name->len - 1u;
    for (unsigned label = count; label-- > 0; end = at[label]) {
        for (unsigned i = at[label]; i < end; i++)
            h = (h ^ name->wire[i]) * 16777619u;
        hash[label] = h;
    }
    return count;
}

static void write_compressed(struct dns_msg_out *out, const struct dns_name *name)
{
    uint8_t at[127];
    uint32_t hash[127];
    unsigned labels = hash_suffixes(name, at, hash);
    uint32_t start = out->w.off;
    uint32_t known = 0;
    unsigned kept = 0; /* labels that have to be written out */
    for (; kept < labels; kept++) {
        const uint8_t *suffix = name->wire + at[kept];
        known = find_suffix(out, hash[kept], suffix, (uint8_t)(name->len - at[kept]));
        if (known > 0)
            break;
    }
    if (known > 0) {
        dns_write_bytes(&out->w, name->wire, at[kept]);
        dns_write_u16(&out->w, (uint16_t)(0xc000u | known));
    } else {
        dns_write_name(&out->w, name);
    }
    if (out->w.err != DNS_OK)
        return;
    for (unsigned i = 0; i < kept; i++)
        remember(&out->names, start + at[i], hash[i], (uint8_t)(name->len - at[i]));
}

void dns_msg_out_question(struct dns_msg_out *out, const struct dns_question *question)
{
    write_compressed(out, &question->name);
    dns_write_u16(&out->w, question->type);
    dns_write_u16(&out->w, question->class_);
    out->count[0]++;
}

/* Names are compressed for the types of RFC 1035 only (RFC 3597 4). */
static void write_rdata(struct dns_msg_out *out, uint16_t type, const void *rdata, uint16_t len)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    if (!shape || shape->names != DNS_NAMES_BOTH) {
        dns_write_bytes(&out->w, rdata, len);
        return;
    }
    struct dns_reader r = dns_reader_init(rdata, len);
    for (const uint8_t *f = shape->fields; *f && r.err == DNS_OK; f++) {
        struct dns_name name;
        uint32_t from = r.off;
        dns_field_read(&r, *f, DNS_NAMES_PLAIN, &name);
        if (r.err != DNS_OK)
            break;
        if (dns_field_is_name(*f))
            write_compressed(out, &name);
        else
            dns_write_bytes(&out->w, r.buf + from, r.off - from);
    }
    if (dns_reader_finish(&r) != DNS_OK && out->w.err == DNS_OK)
        out->w.err = DNS_E_FORM;
}

void dns_msg_out_rr(struct dns_msg_out *out, enum dns_section section, const struct dns_name *owner,
                    uint16_t type, uint16_t class_, uint32_t ttl_s, const void *rdata,
                    uint16_t rdata_len)
{
    write_compressed(out, owner);
    dns_write_u16(&out->w, type);
    dns_write_u16(&out->w, class_);
    dns_write_u32(&out->w, ttl_s);
    uint32_t len_off = out->w.off;
    dns_write_u16(&out->w, 0);
    write_rdata(out, type, rdata, rdata_len);
    dns_write_patch_u16(&out->w, len_off, (uint16_t)(out->w.off - len_off - 2u));
    out->count[section + 1]++;
}

void dns_msg_out_opt(struct dns_msg_out *out, const struct dns_opt_out *opt)
{
    dns_write_opt(&out->w, opt);
    out->count[3]++;
}

uint32_t dns_msg_out_finish(struct dns_msg_out *out)
{
    for (unsigned i = 0; i < 4; i++)
        dns_write_patch_u16(&out->w, 4u + 2u * i, out->count[i]);
    return out->w.err == DNS_OK ? out->w.off : 0;
}

struct dns_msg_mark dns_msg_out_mark(const struct dns_msg_out *out)
{
    struct dns_msg_mark mark = {.off = out->w.off, .names = out->names.count};
    memcpy(mark.count, out->count, sizeof mark.count);
    return mark;
}

void dns_msg_out_rewind(struct dns_msg_out *out, struct dns_msg_mark mark)
{
    out->w.off = mark.off;
    out->names.count = mark.names;
    memcpy(out->count, mark.count, sizeof mark.count);
    if (out->w.err == DNS_E_SPACE)
        out->w.err = DNS_OK;
}

uint32_t dns_query_write(void *buf, size_t cap, uint16_t id, const struct dns_question *question,
                         uint16_t flags, const struct dns_opt_out *opt)
{
    struct dns_msg_out out;
    dns_msg_out_init(&out, buf, cap, id, (uint16_t)(flags | DNS_FLAG_RD));
    dns_msg_out_question(&out, question);
    dns_msg_out_opt(&out, opt);
    return dns_msg_out_finish(&out);
}
