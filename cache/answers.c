// SPDX-License-Identifier: MIT
/* Answers: one allocation each, with the places of its TTLs, so that a hit is a copy and a few
 * subtractions. */
#include "cache/lifetime.h"
#include "cache/store.h"

#include <stdlib.h>
#include <string.h>

/* Behind it: ttl_count offsets (2 octets each), the message, the EDE's text. */
struct answer {
    uint64_t stored_ms; /* mono */
    uint64_t expires_s; /* wall: end of every signature */
    uint64_t serial;    /* of the put, also in the form that is derived from it */
    uint32_t ttl_s;     /* it lives that long from stored_ms */
    uint32_t len;       /* octets of the message */
    uint16_t ttl_count;
    uint16_t rcode;
    uint16_t ede_code;
    uint8_t ede_len;
    uint8_t status; /* enum val_status */
};

static const uint8_t *message_of(const struct answer *a)
{
    return (const uint8_t *)(a + 1) + 2u * a->ttl_count;
}

static uint32_t offset_at(const struct answer *a, uint32_t i)
{
    const uint8_t *p = (const uint8_t *)(a + 1) + 2u * i;
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

/* --- entries --------------------------------------------------------------------------------- */

/* `head` says all but what follows from the message. */
static struct shard_entry *make_entry(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                      const struct answer *head, const struct dns_ede *ede)
{
    uint8_t ede_len = ede->code == DNS_EDE_NONE ? 0 : (uint8_t)strnlen(ede->text, DNS_EDE_TEXT_MAX);
    size_t len = sizeof(struct answer) + 2u * msg->rr_count + msg->len + ede_len;
    struct shard_entry *entry = shard_entry_new(key->octets, key->len, key->hash, len);
    if (!entry)
        return NULL;
    struct answer *a = shard_entry_data(entry);
    *a = *head;
    a->len = msg->len;
    a->ttl_count = (uint16_t)msg->rr_count; /* at most DNS_RR_MAX */
    a->rcode = msg->rcode;
    a->ede_code = ede->code;
    a->ede_len = ede_len;
    struct dns_writer w = dns_writer_init(a + 1, len - sizeof *a);
    for (uint32_t i = 0; i < msg->rr_count; i++)
        dns_write_u16(&w, (uint16_t)msg->rr[i].ttl_off);
    dns_write_u16(&w, 0); /* the ID */
    dns_write_bytes(&w, msg->buf + 2, msg->len - 2);
    dns_write_bytes(&w, ede->text, ede_len);
    return entry;
}

/* Before the entry is seen by anybody: each record's TTL within the limits. */
static void limit_ttls(struct answer *a, const struct dns_msg *msg, struct cache_lifetime life)
{
    uint8_t *message = (uint8_t *)(a + 1) + 2u * a->ttl_count;
    for (uint32_t i = 0; i < a->ttl_count; i++) {
        uint32_t ttl_s = msg->rr[i].ttl_s; /* a set top bit is read as 0 (RFC 2181 8) */
        ttl_s = ttl_s > life.rr_min_s ? ttl_s : life.rr_min_s;
        ttl_s = ttl_s < life.rr_max_s ? ttl_s : life.rr_max_s;
        put_u32(message + offset_at(a, i), ttl_s);
    }
}

struct cache_answer_view cache_answer_view(struct shard_entry *entry)
{
    const struct answer *a = shard_entry_data(entry);
    return (struct cache_answer_view){
        .wire = message_of(a), .len = a->len, .stored_ms = a->stored_ms, .ttl_s = a->ttl_s};
}

static struct answer *find_form(struct cache_shard *shard, struct cache_bytes_key *key,
                                bool dnssec_ok, struct shard_entry **ret_entry)
{
    cache_key_set_form(key, dnssec_ok);
    *ret_entry = shard_find(&shard->shard, key->octets, key->len, key->hash);
    return *ret_entry ? shard_entry_data(*ret_entry) : NULL;
}

static void remove_form(struct cache_shard *shard, struct cache_bytes_key *key, bool dnssec_ok)
{
    struct shard_entry *entry;
    if (find_form(shard, key, dnssec_ok, &entry))
        shard_remove(&shard->shard, entry);
}

/* --- put ------------------------------------------------------------------------------------- */

static void publish(struct cache *cache, struct cache_bytes_key *key, struct shard_entry *entry)
{
    struct answer *a = shard_entry_data(entry);
    struct cache_shard *shard = cache_lock_answers(cache, key->hash);
    a->serial = ++shard->puts;
    remove_form(shard, key, false); /* it was derived from the one before */
    shard_put(&shard->shard, entry);
    cache_unlock(shard);
}

static void put_message(struct cache *cache, const struct cache_key *key, const struct dns_msg *msg,
                        const struct cache_answer *answer, struct cache_now now)
{
    uint64_t valid_s = answer->expires_s > now.wall_s ? answer->expires_s - now.wall_s : 0;
    struct cache_limits limits = cache->limits;
    if (answer->negative_ttl_s > 0 && answer->negative_ttl_s < limits.negative_ttl_s)
        limits.negative_ttl_s = answer->negative_ttl_s;
    struct cache_lifetime life = cache_lifetime(&limits, msg, valid_s);
    if (life.ttl_s == 0)
        return;
    struct answer head = {.stored_ms = now.mono_ms,
                          .expires_s = answer->expires_s,
                          .ttl_s = life.ttl_s,
                          .status = (uint8_t)answer->status};
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    cache_key_set_form(&k, true);
    struct shard_entry *entry = make_entry(&k, msg, &head, &answer->ede);
    if (!entry)
        return; /* only a cache */
    limit_ttls(shard_entry_data(entry), msg, life);
    publish(cache, &k, entry);
}

void cache_answer_put(struct cache *cache, const struct cache_key *key,
                      const struct cache_answer *answer, struct cache_now now)
{
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    struct dns_msg msg;
    cache_note_clocks(cache, now);
    if (table && answer->len <= DNS_MSG_MAX &&
        dns_msg_read(answer->wire, answer->len, table, DNS_RR_MAX, &msg) == DNS_OK)
        put_message(cache, key, &msg, answer, now);
    free(table);
}

/* --- find ------------------------------------------------------------------------------------ */

/* Still to be lived, judged by both clocks; 0: over. Another worker may have stored it later than
 * our `now`, which is as old as this turn of the loop: then its age is 0. */
static uint32_t ttl_left(const struct answer *a, struct cache_now now, uint32_t *ret_age_s)
{
    uint64_t age_s = now.mono_ms > a->stored_ms ? (now.mono_ms - a->stored_ms) / 1000 : 0;
    if (age_s >= a->ttl_s || now.wall_s >= a->expires_s)
        return 0;
    uint64_t left_s = a->ttl_s - age_s;
    uint64_t valid_s = a->expires_s - now.wall_s;
    *ret_age_s = (uint32_t)age_s;
    return (uint32_t)(valid_s < left_s ? valid_s : left_s);
}

/* Copies the message with its TTLs lowered; none outlives a signature. */
static void copy_aged(const struct answer *a, uint32_t age_s, uint64_t valid_s, uint8_t *buf)
{
    memcpy(buf, message_of(a), a->len);
    for (uint32_t i = 0; i < a->ttl_count; i++) {
        uint8_t *p = buf + offset_at(a, i);
        uint32_t ttl_s = get_u32(p);
        ttl_s = ttl_s > age_s ? ttl_s - age_s : 0;
        put_u32(p, valid_s < ttl_s ? (uint32_t)valid_s : ttl_s);
    }
}

/* What a look-up found, and what is needed to derive the other form from it. */
struct found {
    bool is_full; /* the form with DNSSEC records */
    struct answer head;
};

/* One form; true when it is alive and fits. One that is over is removed. */
static bool copy_form(struct cache_shard *shard, struct cache_bytes_key *key, bool dnssec_ok,
                      struct cache_now now, uint8_t *buf, uint32_t cap, struct cache_hit *ret,
                      struct found *ret_found)
{
    struct shard_entry *entry;
    const struct answer *a = find_form(shard, key, dnssec_ok, &entry);
    uint32_t age_s = 0;
    uint32_t left_s = a ? ttl_left(a, now, &age_s) : 0;
    if (a && left_s == 0)
        shard_remove(&shard->shard, entry);
    if (left_s == 0 || a->len > cap)
        return false;
    copy_aged(a, age_s, a->expires_s - now.wall_s, buf);
    *ret = (struct cache_hit){.len = a->len,
                              .ttl_s = left_s,
                              .status = (enum val_status)a->status,
                              .rcode = a->rcode,
                              .ede = {.code = a->ede_code}};
    memcpy(ret->ede.text, message_of(a) + a->len, a->ede_len);
    *ret_found = (struct found){.is_full = dnssec_ok, .head = *a};
    ret_found->head.stored_ms += age_s * UINT64_C(1000); /* part of a second stays with it */
    ret_found->head.ttl_s -= age_s;
    return true;
}

/* Keeps the derived form, unless what it was derived from has been replaced or has gone. */
static void keep_plain(struct cache *cache, struct cache_bytes_key *key, const struct answer *head,
                       const struct dns_msg *msg, const struct dns_ede *ede)
{
    cache_key_set_form(key, false);
    struct shard_entry *entry = make_entry(key, msg, head, ede);
    if (!entry)
        return;
    struct cache_shard *shard = cache_lock_answers(cache, key->hash);
    struct shard_entry *full_entry;
    const struct answer *full = find_form(shard, key, true, &full_entry);
    if (full && full->serial == head->serial)
        shard_put(&shard->shard, entry);
    else
        free(entry);
    cache_unlock(shard);
}

/* In place, from the form with DNSSEC records to the one without. That is rarely, but may be, the
 * longer one: names are compressed anew. False: it cannot be had, or not in `cap` octets. */
static bool derive_plain(struct cache *cache, struct cache_bytes_key *key,
                         const struct found *found, uint8_t *buf, uint32_t cap,
                         struct cache_hit *hit)
{
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    uint8_t *plain = malloc(DNS_MSG_MAX);
    struct dns_msg msg;
    bool ok = table && plain && dns_msg_read(buf, hit->len, table, DNS_RR_MAX, &msg) == DNS_OK;
    if (ok) {
        struct dns_copy how = {.flags = msg.flags, .strip_dnssec = true};
        uint32_t len = dns_msg_copy(&msg, &how, plain, DNS_MSG_MAX);
        ok = len > 0 && dns_msg_read(plain, len, table, DNS_RR_MAX, &msg) == DNS_OK &&
             !(msg.flags & DNS_FLAG_TC) && len <= cap;
    }
    if (ok) {
        keep_plain(cache, key, &found->head, &msg, &hit->ede);
        memcpy(buf, plain, msg.len);
        hit->len = msg.len;
    }
    free(plain);
    free(table);
    return ok;
}

bool cache_answer_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                       uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    struct cache_bytes_key k;
    struct found found;
    cache_note_clocks(cache, now);
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    bool hit = copy_form(shard, &k, key->dnssec_ok, now, buf, cap, ret, &found) ||
               (!key->dnssec_ok && copy_form(shard, &k, true, now, buf, cap, ret, &found));
    shard->hits += hit;
    shard->misses += !hit;
    cache_unlock(shard);
    if (!hit || found.is_full == key->dnssec_ok)
        return hit;
    return derive_plain(cache, &k, &found, buf, cap, ret);
}
