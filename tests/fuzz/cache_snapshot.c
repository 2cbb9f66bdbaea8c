// SPDX-License-Identifier: MIT
/* Whatever the file says: what is found lies within it. The
 * checks of header and records are mended first, as whoever may write the file could do. */
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
    if (snapshot_read(octets, len, NOW, &s) == NULL && snapshot_find(&s, &q, NOW, &m)) {
        must(m.wire >= octets && m.wire + m.len <= octets + len);
        must(m.len > 0);
    }
    free(octets);
    return 0;
}
