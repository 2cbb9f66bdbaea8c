// SPDX-License-Identifier: MIT
/* Whatever the file says: what is found lies within it, and what is carried on into the next is
 * bounded. The checks of header and records are mended first, as whoever may write the file could
 * do. */
#include "cache/siphash.h"
#include "cache/snapshot_form.h"

#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void write_check(uint8_t *at, uint64_t check)
{
    struct dns_writer w = dns_writer_init(at, SNAPSHOT_CHECK_LEN);
    dns_write_u32(&w, (uint32_t)(check >> 32));
    dns_write_u32(&w, (uint32_t)check);
}

/* The record that follows the header; others stay as damaged as they are. */
static void mend(uint8_t *octets, size_t len)
{
    if (len < SNAPSHOT_HEADER_LEN)
        return;
    write_check(
        octets + SNAPSHOT_HEADER_LEN - SNAPSHOT_CHECK_LEN,
        cache_siphash(snapshot_header_key, octets, SNAPSHOT_HEADER_LEN - SNAPSHOT_CHECK_LEN));
    uint8_t *record = octets + SNAPSHOT_HEADER_LEN;
    struct dns_reader r = dns_reader_init(octets, len);
    (void)dns_read_bytes(&r, SNAPSHOT_HEADER_LEN + SNAPSHOT_CHECK_LEN);
    uint32_t record_len = dns_read_u32(&r);
    uint32_t room = (uint32_t)len - SNAPSHOT_HEADER_LEN - SNAPSHOT_CHECK_LEN;
    if (r.err == DNS_OK && record_len <= room)
        write_check(record, cache_siphash(octets + SNAPSHOT_HEADER_LEN - SNAPSHOT_CHECK_LEN - 16,
                                          record + SNAPSHOT_CHECK_LEN, record_len));
}

static bool discard(void *arg, uint64_t off, const void *octets, size_t len)
{
    uint64_t *end = arg;
    (void)octets;
    *end = off + len > *end ? off + len : *end;
    return true;
}

static void carry(const struct snapshot *s)
{
    static const uint8_t seed[16] = {1};
    uint64_t end = 0;
    uint64_t octets_max = s->len / 2;
    struct snapshot_out *out = snapshot_out_new(NOW, seed, discard, &end);
    if (!out)
        return;
    snapshot_out_carry(out, s, octets_max);
    int64_t records = snapshot_out_finish(out);
    must(records >= 0 && records <= s->slot_count);
    must(records == 0 || end <= 2 * octets_max + 1024); /* the slots, too */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *octets = malloc(len ? len : 1);
    struct snapshot s;
    struct snapshot_message m;
    struct dns_question q = {.type = DNS_TYPE_A, .class_ = DNS_CLASS_IN};
    if (!octets || dns_name_parse("n1.example.", &q.name) != DNS_OK) {
        free(octets);
        return 0;
    }
    memcpy(octets, data, len);
    mend(octets, len);
    bool is_snapshot = snapshot_read(octets, len, &s) == NULL;
    if (is_snapshot && snapshot_find(&s, &q, NOW, &m)) {
        must(m.wire >= octets && m.wire + m.len <= octets + len);
        must(m.len > 0);
    }
    if (is_snapshot)
        carry(&s);
    free(octets);
    return 0;
}
