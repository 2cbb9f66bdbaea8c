// SPDX-License-Identifier: MIT
#include "dns/rdata_table.h"

#include <string.h>

void dns_msg_out_init(struct dns_msg_out *out, void *buf, size_t cap, uint16_t id, uint16_t flags)
{
    memset(out, 0, sizeof *out);
    out->w = dns_writer_init(buf, cap < DNS_MSG_MAX ? cap : DNS_MSG_MAX);
    dns_write_u16(&out->w, id);
    dns_write_u16(&out->w, flags);
    for (unsigned i = 0; i < 4; i++)
        dns_write_u16(&out->w, 0); /* patched by dns_msg_out_finish() */
}

/* Whether the name written at `off` is just the suffix given; octet for octet, so that case is
 * kept. Names in our own output need no bounds but the writer's. */
static bool written_here(const struct dns_msg_out *out, uint32_t off, const uint8_t *suffix)
{
    const uint8_t *buf = out->w.buf;
    for (;;) {
        while (buf[off] >= 0xc0)
            off = (uint32_t)(buf[off] & 0x3f) << 8 | buf[off + 1];
        if (buf[off] != *suffix)
            return false;
        if (*suffix == 0)
            return true;
        if (memcmp(buf + off + 1, suffix + 1, *suffix) != 0)
            return false;
        off += *suffix + 1u;
        suffix += *suffix + 1u;
    }
}

static uint32_t find_suffix(const struct dns_msg_out *out, const uint8_t *suffix)
{
    for (unsigned i = 0; i < out->names.count; i++)
        if (written_here(out, out->names.off[i], suffix))
            return out->names.off[i];
    return 0;
}

static void write_compressed(struct dns_msg_out *out, const struct dns_name *name)
{
    const uint8_t *at = name->wire;
    uint32_t start = out->w.off;
    uint8_t names_before = out->names.count;
    while (*at != 0 && out->w.err == DNS_OK) {
        uint32_t known = 0;
        uint8_t now = out->names.count;
        out->names.count = names_before; /* this name itself is not whole yet */
        known = find_suffix(out, at);
        out->names.count = now;
        if (known > 0) {
            dns_write_u16(&out->w, (uint16_t)(0xc000 | known));
            return;
        }
        uint32_t off = start + (uint32_t)(at - name->wire);
        if (off < 0x4000 && out->names.count < DNS_COMPRESS_SLOTS)
            out->names.off[out->names.count++] = (uint16_t)off;
        dns_write_bytes(&out->w, at, *at + 1u);
        at += *at + 1u;
    }
    if (out->w.err == DNS_OK)
        dns_write_u8(&out->w, 0);
    if (out->w.err != DNS_OK)
        out->names.count = names_before;
}

void dns_msg_out_question(struct dns_msg_out *out, const struct dns_question *question)
{
    write_compressed(out, &question->name);
    dns_write_u16(&out->w, question->type);
    dns_write_u16(&out->w, question->class_);
    out->count[0]++;
}

static void write_rdata(struct dns_msg_out *out, uint16_t type, const void *rdata, uint16_t len)
{
    const struct dns_rdata_shape *shape = dns_rdata_shape(type);
    if (!shape || !shape->old) { /* RFC 3597 4: never compressed */
        dns_write_bytes(&out->w, rdata, len);
        return;
    }
    struct dns_reader r = dns_reader_init(rdata, len);
    for (const uint8_t *f = shape->fields; *f && r.err == DNS_OK; f++) {
        struct dns_name name;
        uint32_t from = r.off;
        dns_field_skip(&r, *f, &name);
        if (r.err != DNS_OK)
            break;
        if (*f == DNS_FIELD_NAME)
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
