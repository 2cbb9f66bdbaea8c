// SPDX-License-Identifier: MIT
#include "cache/siphash.h"
#include "cache/snapshot_form.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_FIRST 1024u
#define RECORD_MAX                                                                                 \
    (SNAPSHOT_CHECK_LEN + SNAPSHOT_RECORD_FIXED + DNS_NAME_MAX + DNS_MSG_MAX + SNAPSHOT_UNIT)

struct place {
    uint64_t hash;
    uint32_t unit; /* offset of the record in SNAPSHOT_UNITs */
};

struct snapshot_out {
    snapshot_write_fn *write;
    void *arg;
    bool failed;
    uint64_t now_s, off; /* where the next record goes */
    uint8_t seed[16];
    struct place *place;
    uint32_t count, room;
    uint8_t record[RECORD_MAX];
};

static void write_u64(struct dns_writer *w, uint64_t value)
{
    dns_write_u32(w, (uint32_t)(value >> 32));
    dns_write_u32(w, (uint32_t)value);
}

static void write_out(struct snapshot_out *out, uint64_t off, const void *octets, size_t len)
{
    if (!out->failed && !out->write(out->arg, off, octets, len))
        out->failed = true;
}

struct snapshot_out *snapshot_out_new(uint64_t now_s, const uint8_t seed[static 16],
                                      snapshot_write_fn *write, void *arg)
{
    struct snapshot_out *out = malloc(sizeof *out);
    struct place *place = malloc(PLACES_FIRST * sizeof *place);
    if (!out || !place) {
        free(out);
        free(place);
        return NULL;
    }
    out->write = write;
    out->arg = arg;
    out->failed = false;
    out->now_s = now_s;
    out->off = SNAPSHOT_HEADER_LEN;
    memcpy(out->seed, seed, sizeof out->seed);
    out->place = place;
    out->count = 0;
    out->room = PLACES_FIRST;
    return out;
}

/* Twice as many slots as records, or more. */
static uint32_t slots_for(uint32_t count)
{
    uint32_t slots = 16;
    while (slots < UINT32_MAX / 2 && slots / 2 < count)
        slots *= 2;
    return slots;
}

/* --- records --------------------------------------------------------------------------------- */

static bool make_place(struct snapshot_out *out)
{
    if (out->count < out->room)
        return true;
    struct place *place = realloc(out->place, 2u * (size_t)out->room * sizeof *place);
    if (!place) {
        out->failed = true;
        return false;
    }
    out->place = place;
    out->room *= 2;
    return true;
}

/* The record in out->record, padded. 0: it does not fit. */
static uint32_t write_record(struct snapshot_out *out, const struct snapshot_entry *entry)
{
    struct dns_name lower = entry->question->name;
    dns_name_lower(&lower);
    struct dns_writer w = dns_writer_init(out->record, sizeof out->record);
    write_u64(&w, 0); /* the check */
    dns_write_u32(&w, SNAPSHOT_RECORD_FIXED + lower.len + entry->len);
    write_u64(&w, entry->stored_s);
    dns_write_u32(&w, entry->ttl_s);
    dns_write_u16(&w, entry->question->type);
    dns_write_u16(&w, entry->question->class_);
    dns_write_u8(&w, lower.len);
    dns_write_name(&w, &lower);
    dns_write_bytes(&w, entry->wire, entry->len);
    uint32_t len = w.off - SNAPSHOT_CHECK_LEN;
    while (w.err == DNS_OK && w.off % SNAPSHOT_UNIT != 0)
        dns_write_u8(&w, 0);
    struct dns_writer check = dns_writer_init(out->record, SNAPSHOT_CHECK_LEN);
    write_u64(&check, cache_siphash(out->seed, out->record + SNAPSHOT_CHECK_LEN, len));
    return w.err == DNS_OK ? w.off : 0;
}

void snapshot_out_add(struct snapshot_out *out, const struct snapshot_entry *entry)
{
    uint64_t unit = out->off / SNAPSHOT_UNIT;
    if (out->failed || entry->stored_s > out->now_s || unit > UINT32_MAX || !make_place(out))
        return;
    uint32_t len = write_record(out, entry);
    if (len == 0)
        return;
    write_out(out, out->off, out->record, len);
    out->place[out->count++] =
        (struct place){.hash = snapshot_hash(out->seed, entry->question), .unit = (uint32_t)unit};
    out->off += len;
}

/* --- what an older one holds ----------------------------------------------------------------- */

/* Hashes of questions. Never more than half full. */
struct known {
    uint64_t *hash; /* 0: empty */
    uint32_t mask;
};

/* False: it was there. */
static bool note(struct known *known, uint64_t hash)
{
    hash = hash ? hash : 1;
    uint32_t at = (uint32_t)hash & known->mask;
    while (known->hash[at] != 0 && known->hash[at] != hash)
        at = (at + 1) & known->mask;
    bool is_new = known->hash[at] == 0;
    known->hash[at] = hash;
    return is_new;
}

static void carry_record(struct snapshot_out *out, const struct snapshot *old,
                         const struct snapshot_record *record)
{
    struct snapshot_entry entry = {.question = &record->question,
                                   .wire = record->wire,
                                   .len = record->wire_len,
                                   .stored_s = record->stored_s,
                                   .ttl_s = record->ttl_s};
    if (snapshot_record_is_good(old, record, out->now_s))
        snapshot_out_add(out, &entry);
}

/* In the order of the file: that is how a disk likes to be read, and what was added first is what
 * counts. Behind a damaged length nothing more is found. */
static void carry_all(struct snapshot_out *out, const struct snapshot *old, struct known *known,
                      uint32_t most, uint64_t octets_max)
{
    size_t off = SNAPSHOT_HEADER_LEN;
    struct snapshot_record record;
    while (most > 0 && off < octets_max && snapshot_record_read(old, off, &record)) {
        size_t len = SNAPSHOT_CHECK_LEN + (size_t)record.len;
        off += (len + SNAPSHOT_UNIT - 1) / SNAPSHOT_UNIT * SNAPSHOT_UNIT;
        if (!note(known, snapshot_hash(out->seed, &record.question)))
            continue;
        most--;
        if (out->off + len <= octets_max)
            carry_record(out, old, &record);
    }
}

void snapshot_out_carry(struct snapshot_out *out, const struct snapshot *old, uint64_t octets_max)
{
    uint64_t octets = old->slots_off < octets_max ? old->slots_off : octets_max;
    uint64_t most = octets / SNAPSHOT_RECORD_LEAST; /* whatever the header says */
    most = most < old->record_count ? most : old->record_count;
    most = most < UINT32_MAX / 4 ? most : UINT32_MAX / 4;
    uint32_t room = slots_for(out->count + (uint32_t)most);
    struct known known = {.hash = calloc(room, sizeof *known.hash), .mask = room - 1};
    if (!known.hash) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->count; i++)
        (void)note(&known, out->place[i].hash); /* one may have come twice */
    carry_all(out, old, &known, (uint32_t)most, octets_max);
    free(known.hash);
}

/* --- the end --------------------------------------------------------------------------------- */

/* One that finds no slot is left out: nobody would look that far for it. */
static uint32_t fill_slots(const struct snapshot_out *out, uint8_t *slots, uint32_t slot_count)
{
    uint32_t filled = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct place *place = &out->place[i];
        for (uint32_t n = 0; n < SNAPSHOT_PROBES_MAX; n++) {
            uint32_t at = ((uint32_t)place->hash + n) & (slot_count - 1);
            struct dns_writer w =
                dns_writer_init(slots + (size_t)at * SNAPSHOT_SLOT_LEN, SNAPSHOT_SLOT_LEN);
            struct dns_reader r = dns_reader_init(w.buf, SNAPSHOT_SLOT_LEN);
            (void)dns_read_u32(&r);
            if (dns_read_u32(&r) != 0)
                continue;
            dns_write_u32(&w, (uint32_t)(place->hash >> 32));
            dns_write_u32(&w, place->unit);
            filled++;
            break;
        }
    }
    return filled;
}

static void write_header(struct snapshot_out *out, uint32_t slot_count, uint32_t record_count,
                         uint64_t file_len)
{
    uint8_t header[SNAPSHOT_HEADER_LEN];
    struct dns_writer w = dns_writer_init(header, sizeof header);
    dns_write_bytes(&w, SNAPSHOT_MAGIC, strlen(SNAPSHOT_MAGIC));
    dns_write_u32(&w, SNAPSHOT_VERSION);
    dns_write_u32(&w, slot_count);
    dns_write_u32(&w, record_count);
    dns_write_u32(&w, 0);
    write_u64(&w, out->now_s);
    write_u64(&w, out->off);
    write_u64(&w, file_len);
    dns_write_bytes(&w, out->seed, sizeof out->seed);
    write_u64(&w, cache_siphash(snapshot_header_key, header, w.off));
    write_out(out, 0, header, sizeof header);
}

int64_t snapshot_out_finish(struct snapshot_out *out)
{
    uint32_t slot_count = slots_for(out->count), filled = 0;
    size_t len = (size_t)slot_count * SNAPSHOT_SLOT_LEN;
    uint8_t *slots = calloc(slot_count, SNAPSHOT_SLOT_LEN);
    out->failed = out->failed || !slots;
    if (!out->failed) {
        filled = fill_slots(out, slots, slot_count);
        write_out(out, out->off, slots, len);
        write_header(out, slot_count, filled, out->off + len);
    }
    int64_t records = out->failed ? -1 : (int64_t)filled;
    free(slots);
    free(out->place);
    free(out);
    return records;
}
