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

static bool is_whole(const struct snapshot *s, uint64_t file_len, uint64_t slots_off)
{
    return file_len == s->len && slots_off >= SNAPSHOT_HEADER_LEN && slots_off <= s->len &&
           slots_off % SNAPSHOT_UNIT == 0 && s->slot_count > 0 &&
           (s->slot_count & (s->slot_count - 1)) == 0 &&
           s->len - slots_off == (uint64_t)s->slot_count * SNAPSHOT_SLOT_LEN;
}

const char *snapshot_read(const void *octets, size_t len, struct snapshot *ret)
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
    if (!is_whole(&s, file_len, slots_off))
        return "it is torn";
    s.slots_off = (size_t)slots_off;
    *ret = s;
    return NULL;
}

/* A record is no longer than what may be written. */
#define RECORD_LEN_MAX (SNAPSHOT_RECORD_FIXED + DNS_NAME_MAX + DNS_MSG_MAX)

bool snapshot_record_read(const struct snapshot *s, size_t off, struct snapshot_record *ret)
{
    if (off < SNAPSHOT_HEADER_LEN || off > s->slots_off ||
        s->slots_off - off < SNAPSHOT_CHECK_LEN + SNAPSHOT_RECORD_FIXED)
        return false;
    size_t room = s->slots_off - off;
    struct dns_reader r = dns_reader_init(s->octets + off, room < UINT32_MAX ? room : UINT32_MAX);
    struct snapshot_record record = {.check = read_u64(&r), .octets = s->octets + off};
    record.octets += SNAPSHOT_CHECK_LEN;
    record.len = dns_read_u32(&r);
    if (record.len < SNAPSHOT_RECORD_FIXED || record.len > RECORD_LEN_MAX ||
        record.len > r.end - SNAPSHOT_CHECK_LEN)
        return false;
    r.end = SNAPSHOT_CHECK_LEN + record.len;
    record.stored_s = read_u64(&r);
    record.ttl_s = dns_read_u32(&r);
    record.question.type = dns_read_u16(&r);
    record.question.class_ = dns_read_u16(&r);
    uint8_t len = dns_read_u8(&r);
    const uint8_t *name = dns_read_bytes(&r, len);
    if (!name || dns_name_from_wire(name, len, &record.question.name) != DNS_OK)
        return false;
    record.wire_len = dns_reader_left(&r);
    record.wire = dns_read_bytes(&r, record.wire_len);
    *ret = record;
    return true;
}

bool snapshot_record_is_good(const struct snapshot *s, const struct snapshot_record *record,
                             uint64_t now_s)
{
    return s->written_s <= now_s && record->stored_s <= s->written_s &&
           now_s - record->stored_s < record->ttl_s && record->wire_len > 0 &&
           has_check(s->seed, record->octets, record->len, record->check);
}

struct slot {
    uint32_t upper; /* half of the hash */
    size_t off;     /* 0: empty */
};

static struct slot read_slot(const struct snapshot *s, uint32_t slot)
{
    const uint8_t *at = s->octets + s->slots_off + (size_t)slot * SNAPSHOT_SLOT_LEN;
    struct dns_reader r = dns_reader_init(at, SNAPSHOT_SLOT_LEN);
    uint32_t upper = dns_read_u32(&r);
    return (struct slot){.upper = upper, .off = (size_t)dns_read_u32(&r) * SNAPSHOT_UNIT};
}

static bool same_question(const struct dns_question *a, const struct dns_question *b)
{
    return a->type == b->type && a->class_ == b->class_ && dns_name_equal(&a->name, &b->name);
}

/* The first record of the question decides: what follows it is older, and there is one check at
 * most, whatever the file says. */
bool snapshot_find(const struct snapshot *s, const struct dns_question *question, uint64_t now_s,
                   struct snapshot_message *ret)
{
    uint64_t hash = snapshot_hash(s->seed, question);
    uint32_t mask = s->slot_count - 1;
    for (uint32_t i = 0; i < SNAPSHOT_PROBES_MAX && i <= mask; i++) {
        struct slot slot = read_slot(s, ((uint32_t)hash + i) & mask);
        struct snapshot_record record;
        if (slot.off == 0)
            return false;
        if (slot.upper != (uint32_t)(hash >> 32) || !snapshot_record_read(s, slot.off, &record) ||
            !same_question(&record.question, question))
            continue;
        if (!snapshot_record_is_good(s, &record, now_s))
            return false;
        *ret = (struct snapshot_message){.wire = record.wire,
                                         .len = record.wire_len,
                                         .age_s = (uint32_t)(now_s - record.stored_s)};
        return true;
    }
    return false;
}
