/* SPDX-License-Identifier: MIT */
/* Records in zone-file text as the validator sees them: written into a message, read back, split.
 * For the validate_… tests; include after tests/test.h. */
#ifndef TESTS_UNIT_VALIDATE_RECORDS_H
#define TESTS_UNIT_VALIDATE_RECORDS_H

#include "validate/rrset.h"

#include <stdio.h>
#include <stdlib.h>

struct records {
    struct val_arena *arena;
    struct val_rrsets sets;
};

static inline struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(text, &name), DNS_OK);
    return name;
}

/* All octets after the header are records of the answer section. */
static inline struct records records_from_message(const uint8_t *msg, uint32_t len)
{
    static struct dns_rr table[DNS_RR_MAX];
    struct records records = {.arena = val_arena_new(1u << 20, NULL)};
    struct dns_msg read;
    bool malformed;
    assert_int_equal(dns_msg_read(msg, len, table, DNS_RR_MAX, &read), DNS_OK);
    assert_int_equal(val_rrsets_split(&read, records.arena, &records.sets, &malformed), DNS_OK);
    assert_false(malformed);
    return records;
}

/* One record a line; ';' begins a comment line. */
static inline struct records records_from_text(const char *text)
{
    static uint8_t msg[DNS_MSG_MAX], rdata[DNS_MSG_MAX];
    struct dns_msg_out out;
    dns_msg_out_init(&out, msg, sizeof(msg), 0, DNS_FLAG_QR);
    char *copy = strdup(text), *rest = copy;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        struct dns_writer w = dns_writer_init(rdata, sizeof(rdata));
        struct dns_line record;
        if (line[0] == '\0' || line[0] == ';')
            continue;
        enum dns_err err = dns_line_parse(line, &dns_root, 3600, &record, &w);
        if (err != DNS_OK)
            fail_msg("%s: %s", dns_err_text(err), line);
        dns_msg_out_rr(&out, DNS_ANSWER, &record.owner, record.type, record.class_, record.ttl_s,
                       rdata, (uint16_t)w.off);
    }
    free(copy);
    uint32_t len = dns_msg_out_finish(&out);
    assert_true(len > 0);
    return records_from_message(msg, len);
}

static inline char *file_text(const char *name)
{
    static char text[1u << 16];
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s", path);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    (void)fclose(file); /* it was only read */
    return text;
}

static inline struct records records_from_file(const char *name)
{
    return records_from_text(file_text(name));
}

static inline void records_free(struct records *records)
{
    val_arena_free(records->arena);
}

static inline const struct val_rrset *records_find(const struct records *records, const char *owner,
                                                   uint16_t type)
{
    struct dns_name name = name_of(owner);
    const struct val_rrset *set = val_rrsets_find(&records->sets, &name, type);
    if (!set)
        fail_msg("no type %u at %s", type, owner);
    return set;
}

#endif
