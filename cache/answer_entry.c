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

/* Records, by the header; the sections come one after the other. */
static uint32_t count_in(const uint8_t *wire)
{
    return get_u16(wire + COUNTS_OFF) + get_u16(wire + COUNTS_OFF + 2) +
           get_u16(wire + COUNTS_OFF + 4);
}

static struct answer_form form_at(const uint8_t *wire, uint32_t len)
{
    return (struct answer_form){wire, wire + len, len, count_in(wire)};
}

static const uint8_t *end_of(const struct answer_form *form)
{
    return form->ttl_offs + 2u * form->count;
}

/* The beginning of the whole, with the TTLs that lie in it. */
static struct answer_form beginning(const struct answer_form *full, uint32_t len)
{
    struct answer_form form = {full->wire, full->ttl_offs, len, 0};
    while (form.count < full->count && get_u16(form.ttl_offs + 2u * form.count) < len)
        form.count++;
    return form;
}

struct answer_form answer_form(const struct answer *a, bool dnssec_ok)
{
    struct answer_form full = form_at(a->octets, a->len);
    if (dnssec_ok)
        return full;
    return a->is_apart ? form_at(end_of(&full), a->plain_len) : beginning(&full, a->plain_len);
}

void answer_ede(const struct answer *a, struct dns_ede *ret)
{
    ret->code = DNS_EDE_NONE;
    ret->text[0] = '\0';
    if (!a->has_ede)
        return;
    struct answer_form last = answer_form(a, !a->is_apart);
    const uint8_t *ede = end_of(&last);
    ret->code = (uint16_t)get_u16(ede);
    memcpy(ret->text, ede + 3, ede[2]);
    ret->text[ede[2]] = '\0';
}

void answer_patch_counts(const struct answer_form *form, uint8_t *wire)
{
    uint32_t left = form->count; /* sections are in order: the first of them are kept */
    if (left == count_in(wire))
        return;
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
    uint32_t len;
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
    return true;
}

static void make_plain(const struct dns_msg *msg, struct plain *ret)
{
    *ret = (struct plain){.is_apart = false};
    if (!find_cut(msg, ret) && !write_apart(msg, ret))
        ret->len = 0;
}

/* With each record's TTL within the limits, no ID, and the question as the key spells it; behind it
 * where those TTLs are. */
static void write_form(struct dns_writer *w, const struct dns_msg *msg, struct cache_lifetime life,
                       const struct cache_bytes_key *key)
{
    uint8_t *wire = w->buf + w->off;
    dns_write_bytes(w, msg->buf, msg->len);
    for (uint32_t i = 0; i < msg->rr_count; i++)
        dns_write_u16(w, (uint16_t)msg->rr[i].ttl_off);
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

static void write_head(struct answer *a, const struct dns_msg *msg, const struct plain *plain,
                       const struct cache_answer *answer, struct cache_lifetime life,
                       uint64_t mono_ms)
{
    uint64_t end_s = answer->expires_s;
    a->stored_low = (uint32_t)mono_ms;
    a->stored_high = (uint8_t)(mono_ms >> 32);
    a->expires_s = end_s < ANSWER_NO_END ? (uint32_t)end_s : ANSWER_NO_END;
    a->ttl_s = life.ttl_s;
    a->len = (uint16_t)msg->len; /* at most DNS_MSG_MAX */
    a->plain_len = (uint16_t)plain->len;
    a->is_apart = plain->is_apart;
    a->has_ede = answer->ede.code != DNS_EDE_NONE;
    a->status = (uint8_t)answer->status & 3u;
}

static size_t form_len(const struct dns_msg *msg)
{
    return msg->len + 2u * (size_t)msg->rr_count;
}

static void write_ede(struct dns_writer *w, const struct dns_ede *ede, uint8_t text_len)
{
    dns_write_u16(w, ede->code);
    dns_write_u8(w, text_len);
    dns_write_bytes(w, ede->text, text_len);
}

static struct shard_entry *make(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                const struct plain *plain, const struct cache_answer *answer,
                                struct cache_lifetime life, uint64_t mono_ms)
{
    bool has_ede = answer->ede.code != DNS_EDE_NONE;
    uint8_t text_len = (uint8_t)strnlen(answer->ede.text, DNS_EDE_TEXT_MAX);
    size_t len = form_len(msg) + (plain->is_apart ? form_len(&plain->msg) : 0) +
                 (has_ede ? 3u + text_len : 0);
    struct shard_entry *entry = shard_entry_new_around(
        key->octets, key->len, key->hash, ANSWER_HEAD_LEN + len, ANSWER_HEAD_LEN + DNS_HEADER_LEN);
    if (!entry)
        return NULL;
    struct answer *a = shard_entry_data(entry);
    struct dns_writer w = dns_writer_init(a->octets, len);
    write_head(a, msg, plain, answer, life, mono_ms);
    write_form(&w, msg, life, key);
    if (plain->is_apart)
        write_form(&w, &plain->msg, life, key);
    if (has_ede)
        write_ede(&w, &answer->ede, text_len);
    return entry;
}

struct shard_entry *answer_entry_new(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                     const struct cache_answer *answer, struct cache_lifetime life,
                                     uint64_t mono_ms)
{
    struct plain plain;
    if (count_in(msg->buf) != msg->rr_count)
        return NULL;
    make_plain(msg, &plain);
    struct shard_entry *entry = make(key, msg, &plain, answer, life, mono_ms);
    free(plain.octets);
    free(plain.table);
    return entry;
}
