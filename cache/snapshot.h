/* SPDX-License-Identifier: MIT */
/* A snapshot: what the cache held, on disk, as messages by question, so that a process that starts
 * need not ask for everything anew. Nothing in it is believed: a message found here takes the way
 * of one that an upstream has sent, and is proven again from the root key down before it is used.
 *
 * The file is one header, the records, and a hash table of their places, so that opening it reads
 * the header only, however large it is:
 *
 *   header   "vdohsnap", version, slot count, record count, 0 (u32 each), when it was written,
 *            offset of the slots, length of the file (u64 each), seed (16 octets); check
 *   record   check; length from here on (u32), when it was stored (u64, seconds since 1970), TTL
 *            (u32), type, class, length of the name (u8), the name in lower case, the message
 *   slot     the hash's upper half (u32), the record's offset in units of 8 octets (u32, 0: empty)
 *
 * Numbers are in network order. A check is a SipHash: it finds torn and rotten files. Whoever may
 * write the file may also write a right check; that is why nothing in it is believed. */
#ifndef CACHE_SNAPSHOT_H
#define CACHE_SNAPSHOT_H

#include "dns/message.h"

/* --- reading: no allocation; the octets are borrowed as long as the snapshot is used -----------
 */

struct snapshot {
    const uint8_t *octets;
    size_t len;
    size_t slots_off;
    uint32_t slot_count, record_count;
    uint64_t written_s; /* since 1970 */
    uint8_t seed[16];
};

/* NULL, or why it cannot be used (static): not a snapshot, another version or torn. */
const char *snapshot_read(const void *octets, size_t len, struct snapshot *ret);

struct snapshot_message {
    const uint8_t *wire; /* borrowed from the snapshot; ID 0, no OPT, TTLs as of its storing */
    uint32_t len;
    uint32_t age_s; /* to subtract from each TTL */
};

/* False: there is none, its TTL has run out, its record is damaged, or the file was written later
 * than `now_s`, by which no age can be told; once the clock is right, it may be. From any thread.
 */
bool snapshot_find(const struct snapshot *snapshot, const struct dns_question *question,
                   uint64_t now_s, struct snapshot_message *ret);

/* --- writing -----------------------------------------------------------------------------------
 */

/* Writes `len` octets at `off`; false: it failed, and nothing more is written. Offsets grow, but
 * for the header, which comes last, at 0: a file without it is no snapshot. */
typedef bool snapshot_write_fn(void *arg, uint64_t off, const void *octets, size_t len);

struct snapshot_out;
/* NULL when out of memory. `seed`: 16 random octets. */
struct snapshot_out *snapshot_out_new(uint64_t now_s, const uint8_t seed[static 16],
                                      snapshot_write_fn *write, void *arg);
struct snapshot_entry {
    const struct dns_question *question; /* case ignored */
    const uint8_t *wire;
    uint32_t len;
    uint64_t stored_s; /* not after now_s */
    uint32_t ttl_s;
};
void snapshot_out_add(struct snapshot_out *out, const struct snapshot_entry *entry);
/* Adds what `old` holds that is alive and whose question nobody has added yet, until the records
 * take `octets_max`; no more of the old file than that is looked at. */
void snapshot_out_carry(struct snapshot_out *out, const struct snapshot *old, uint64_t octets_max);
/* Writes slots and header, and frees. The number of records, or -1: something failed. */
int64_t snapshot_out_finish(struct snapshot_out *out_take);

#endif
