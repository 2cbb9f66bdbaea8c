// SPDX-License-Identifier: MIT
#include "cache/answer_entry.h"

#include <stdlib.h>
#include <string.h>

#define COUNTS_OFF 6u /* ANCOUNT; NSCOUNT and ARCOUNT follow */

static uint32_t get_u16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static void put_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void put_u32(uint8_t *p, uint32_t value)
{
    put_u16(p, value >> 16);
    put_u16(p + 2, value);
}

/* --- reading --------------------------------------------------------------------------------- */

uint64_t answer_stored_ms(const struct answer *a)
{
    return (uint64_t)a->stored_high << 32 | a->stored_low;
}

uint64_t answer_expires_s(const struct answer *a)
{
    return a->expires_s == ANSWER_NO_END ? UINT64_MAX : a->expires_s;
}

static const uint8_t *offsets_of(const struct answer *a)
{
    return (const uint8_t *)(a + 1);
}

static const uint8_t *message_of(const struct answer *a)
{
    uint32_t apart = a->is_apart ? a->plain_count : 0;
    return offsets_of(a) + 2u * (a->count + apart);
}

static const uint8_t *end_of(const struct answer *a)
{
    return message_of(a) + a->len + (a->is_apart ? a->plain_len : 0);
}

struct answer_form answer_form(const struct answer *a, bool dnssec_ok)
{
    struct answer_form full = {message_of(a), offsets_of(a), a->len, a->count};
    struct answer_form plain = {full.wire, full.ttl_offs, a->plain_len, a->plain_count};
    if (a->is_apart) {
        plain.wire += a->len;
        plain.ttl_offs += 2u * a->count;
    }
    return dnssec_ok ? full : plain;
}

void answer_ede(const struct answer *a, struct dns_ede *ret)
{
    ret->code = DNS_EDE_NONE;
    ret->text[0] = '\0';
    if (!a->has_ede)
        return;
    ret->code = (uint16_t)get_u16(end_of(a));
    memcpy(ret->text, end_of(a) + 2, a->ede_len);
    ret->text[a->ede_len] = '\0';
}

void answer_patch_counts(const struct answer *a, bool dnssec_ok, uint8_t *wire)
{
    if (dnssec_ok || a->is_apart || a->plain_count == a->count)
        return;
    uint32_t left = a->plain_count; /* sections are in order: the first of them are kept */
    for (unsigned section = 0; section < 3; section++) {
        uint8_t *p = wire + COUNTS_OFF + 2 * section;
        uint32_t kept = get_u16(p) < left ? get_u16(p) : left;
        put_u16(p, kept);
        left -= kept;
    }
}

/* --- making ---------------------------------------------------------------------------------- */

/* What is needed for the form without DNSSEC records. */
struct plain {
    bool is_apart;
    uint32_t len, count;
    struct dns_msg msg; /* when apart; reads octets and table */
    uint8_t *octets;
    struct dns_rr *table;
};

/* The records that stay come first, and the others can be cut off. */
static bool find_cut(const struct dns_msg *msg, struct plain *ret)
{
    uint32_t kept = 0;
    while (kept < msg->rr_count && !dns_rr_is_dnssec_only(msg, &msg->rr[kept]))
        kept++;
    for (uint32_t i = kept; i < msg->rr_count; i++)
        if (!dns_rr_is_dnssec_only(msg, &msg->rr[i]))
            return false;
    ret->count = kept;
    ret->len = kept < msg->rr_count ? msg->rr[kept].owner_off : msg->len;
    return true;
}

/* Rarely, but it may be, this is the longer form: names are compressed anew. */
static bool write_apart(const struct dns_msg *msg, struct plain *ret)
{
    const struct dns_copy how = {.flags = msg->flags, .strip_dnssec = true};
    ret->octets = malloc(DNS_MSG_MAX);
    ret->table = malloc(DNS_RR_MAX * sizeof *ret->table);
    if (!ret->octets || !ret->table)
        return false;
    uint32_t len = dns_msg_copy(msg, &how, ret->octets, DNS_MSG_MAX);
    if (len == 0 || dns_msg_read(ret->octets, len, ret->table, DNS_RR_MAX, &ret->msg) != DNS_OK ||
        ret->msg.flags & DNS_FLAG_TC)
        return false;
    ret->is_apart = true;
    ret->len = len;
    ret->count = ret->msg.rr_count;
    return true;
}

static void make_plain(const struct dns_msg *msg, struct plain *ret)
{
    *ret = (struct plain){.is_apart = false};
    if (!find_cut(msg, ret) && !write_apart(msg, ret))
        ret->len = ret->count = 0;
}

static void write_offsets(struct dns_writer *w, const struct dns_msg *msg)
{
    for (uint32_t i = 0; i < msg->rr_count; i++)
        dns_write_u16(w, (uint16_t)msg->rr[i].ttl_off);
}

/* With each record's TTL within the limits, no ID, and the question as the key spells it. */
static void write_message(struct dns_writer *w, const struct dns_msg *msg,
                          struct cache_lifetime life, const struct cache_bytes_key *key)
{
    uint8_t *wire = w->buf + w->off;
    dns_write_bytes(w, msg->buf, msg->len);
    if (w->err != DNS_OK)
        return;
    put_u16(wire, 0);
    memcpy(wire + DNS_HEADER_LEN, key->octets + SHARD_KEY_HEAD, key->len - SHARD_KEY_HEAD);
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        uint32_t ttl_s = msg->rr[i].ttl_s; /* a set top bit is read as 0 (RFC 2181 8) */
        ttl_s = ttl_s > life.rr_min_s ? ttl_s : life.rr_min_s;
        ttl_s = ttl_s < life.rr_max_s ? ttl_s : life.rr_max_s;
        put_u32(wire + msg->rr[i].ttl_off, ttl_s);
    }
}

static struct answer head_of(const struct dns_msg *msg, const struct plain *plain,
                             const struct cache_answer *answer, struct cache_lifetime life,
                             uint64_t mono_ms)
{
    bool has_ede = answer->ede.code != DNS_EDE_NONE;
    uint64_t end_s = answer->expires_s;
    return (struct answer){
        .stored_low = (uint32_t)mono_ms,
        .stored_high = (uint8_t)(mono_ms >> 32),
        .expires_s = end_s < ANSWER_NO_END ? (uint32_t)end_s : ANSWER_NO_END,
        .ttl_s = life.ttl_s,
        .len = (uint16_t)msg->len,        /* at most DNS_MSG_MAX */
        .count = (uint16_t)msg->rr_count, /* at most DNS_RR_MAX */
        .plain_len = (uint16_t)plain->len,
        .plain_count = (uint16_t)plain->count,
        .is_apart = plain->is_apart,
        .has_ede = has_ede,
        .ede_len = has_ede ? (uint8_t)strnlen(answer->ede.text, DNS_EDE_TEXT_MAX) : 0,
        .status = (uint8_t)answer->status,
    };
}

struct shard_entry *answer_entry_new(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                     const struct cache_answer *answer, struct cache_lifetime life,
                                     uint64_t mono_ms)
{
    struct plain plain;
    make_plain(msg, &plain);
    struct answer head = head_of(msg, &plain, answer, life, mono_ms);
    size_t message_off = sizeof head + (size_t)(message_of(&head) - offsets_of(&head));
    size_t len = sizeof head + (size_t)(end_of(&head) - offsets_of(&head)) +
                 (head.has_ede ? 2u + head.ede_len : 0);
    struct shard_entry *entry =
        shard_entry_new_around(key->octets, key->len, key->hash, len, message_off + DNS_HEADER_LEN);
    if (entry) {
        struct answer *a = shard_entry_data(entry);
        *a = head;
        struct dns_writer w = dns_writer_init(a + 1, len - sizeof *a);
        write_offsets(&w, msg);
        if (plain.is_apart)
            write_offsets(&w, &plain.msg);
        write_message(&w, msg, life, key);
        if (plain.is_apart)
            write_message(&w, &plain.msg, life, key);
        if (head.has_ede)
            dns_write_u16(&w, answer->ede.code);
        dns_write_bytes(&w, answer->ede.text, head.ede_len);
    }
    free(plain.octets);
    free(plain.table);
    return entry;
}
