// SPDX-License-Identifier: MIT
#include "cache/snapshot.h"

#include "cache/siphash.h"
#include "cache/snapshot_form.h"

#include <string.h>

const uint8_t snapshot_header_key[16];

static uint64_t read_u64(struct dns_reader *r)
{
    uint64_t high = dns_read_u32(r);
    return high << 32 | dns_read_u32(r);
}

uint64_t snapshot_hash(const uint8_t seed[static 16], const struct dns_question *question)
{
    uint8_t key[DNS_NAME_MAX + 4];
    struct dns_writer w = dns_writer_init(key, sizeof key);
    struct dns_name lower = question->name;
    dns_name_lower(&lower);
    dns_write_u16(&w, question->type);
    dns_write_u16(&w, question->class_);
    dns_write_name(&w, &lower);
    return cache_siphash(seed, key, w.off);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool has_check(const uint8_t key[static 16], const uint8_t *octets, size_t len,
                      uint64_t check)
{
    return cache_siphash(key, octets, len) == check;
}

static const char *judge(const struct snapshot *s, uint64_t file_len, uint64_t slots_off,
                         uint64_t now_s)
{
    if (file_len != s->len || slots_off < SNAPSHOT_HEADER_LEN || slots_off > s->len ||
        slots_off % SNAPSHOT_UNIT != 0 || s->slot_count == 0 ||
        (s->slot_count & (s->slot_count - 1)) != 0 ||
        s->len - slots_off != (uint64_t)s->slot_count * SNAPSHOT_SLOT_LEN)
        return "it is torn";
    if (s->written_s > now_s)
        return "it was written later than now";
    return NULL;
}

const char *snapshot_read(const void *octets, size_t len, uint64_t now_s, struct snapshot *ret)
{
    struct snapshot s = {.octets = octets, .len = len};
    if (len < SNAPSHOT_HEADER_LEN || memcmp(octets, SNAPSHOT_MAGIC, strlen(SNAPSHOT_MAGIC)) != 0)
        return "it is no snapshot";
    struct dns_reader r = dns_reader_init(octets, SNAPSHOT_HEADER_LEN);
    (void)dns_read_bytes(&r, strlen(SNAPSHOT_MAGIC));
    uint32_t version = dns_read_u32(&r);
    s.slot_count = dns_read_u32(&r);
    s.record_count = dns_read_u32(&r);
    (void)dns_read_u32(&r);
    s.written_s = read_u64(&r);
    uint64_t slots_off = read_u64(&r);
    uint64_t file_len = read_u64(&r);
    memcpy(s.seed, dns_read_bytes(&r, sizeof s.seed),
           sizeof s.seed); /* SNAPSHOT_HEADER_LEN has them */
    if (version != SNAPSHOT_VERSION)
        return "it is of another version";
    if (!has_check(snapshot_header_key, octets, SNAPSHOT_HEADER_LEN - SNAPSHOT_CHECK_LEN,
                   read_u64(&r)))
        return "its header is damaged";
    const char *why = judge(&s, file_len, slots_off, now_s);
    if (why)
        return why;
    s.slots_off = (size_t)slots_off;
    *ret = s;
    return NULL;
}

/* A reader over one whole record, check verified, standing behind its length. False: damaged. */
static bool open_record(const struct snapshot *s, size_t off, struct dns_reader *ret)
{
    if (off < SNAPSHOT_HEADER_LEN || off > s->slots_off ||
        s->slots_off - off < SNAPSHOT_CHECK_LEN + SNAPSHOT_RECORD_FIXED)
        return false;
    size_t room = s->slots_off - off;
    struct dns_reader r = dns_reader_init(s->octets + off, room < UINT32_MAX ? room : UINT32_MAX);
    uint64_t check = read_u64(&r);
    uint32_t len = dns_read_u32(&r);
    if (len < SNAPSHOT_RECORD_FIXED || len > r.end - SNAPSHOT_CHECK_LEN)
        return false;
    r.end = SNAPSHOT_CHECK_LEN + len;
    *ret = r;
    return has_check(s->seed, s->octets + off + SNAPSHOT_CHECK_LEN, len, check);
}

static bool same_question(struct dns_reader *r, const struct dns_question *question)
{
    uint16_t type = dns_read_u16(r), class_ = dns_read_u16(r);
    uint8_t len = dns_read_u8(r);
    const uint8_t *wire = dns_read_bytes(r, len);
    struct dns_name name;
    return wire && type == question->type && class_ == question->class_ &&
           dns_name_from_wire(wire, len, &name) == DNS_OK && dns_name_equal(&name, &question->name);
}

/* True when the record answers the question, over or not; then *ret says which. */
static bool match(const struct snapshot *s, size_t off, const struct dns_question *question,
                  uint64_t now_s, struct snapshot_message *ret)
{
    struct dns_reader r;
    if (!open_record(s, off, &r))
        return false;
    uint64_t stored_s = read_u64(&r);
    uint32_t ttl_s = dns_read_u32(&r);
    if (!same_question(&r, question))
        return false;
    uint64_t age_s = now_s - stored_s;
    bool alive = stored_s <= s->written_s && now_s >= stored_s && age_s < ttl_s;
    ret->len = alive ? dns_reader_left(&r) : 0;
    ret->wire = dns_read_bytes(&r, dns_reader_left(&r));
    ret->age_s = alive ? (uint32_t)age_s : 0;
    return true;
}

bool snapshot_find(const struct snapshot *s, const struct dns_question *question, uint64_t now_s,
                   struct snapshot_message *ret)
{
    uint64_t hash = snapshot_hash(s->seed, question);
    uint32_t mask = s->slot_count - 1;
    for (uint32_t i = 0; i < SNAPSHOT_PROBES_MAX && i <= mask; i++) {
        size_t at = s->slots_off + (size_t)(((uint32_t)hash + i) & mask) * SNAPSHOT_SLOT_LEN;
        struct dns_reader slot = dns_reader_init(s->octets + at, SNAPSHOT_SLOT_LEN);
        uint32_t upper = dns_read_u32(&slot);
        size_t off = (size_t)dns_read_u32(&slot) * SNAPSHOT_UNIT;
        if (off == 0)
            return false;
        struct snapshot_message message;
        if (upper == (uint32_t)(hash >> 32) && match(s, off, question, now_s, &message)) {
            *ret = message;
            return message.len > 0;
        }
    }
    return false;
}
