// SPDX-License-Identifier: MIT
/* Answers: one allocation each, with the places of its TTLs, so that a hit is a copy and a few
 * subtractions. */
#include "cache/store.h"
#include "dns/rdata.h"

#include <stdlib.h>
#include <string.h>

struct answer {
    uint64_t stored_ms; /* mono */
    uint64_t stored_s;  /* wall */
    uint64_t expires_s; /* wall: end of every signature */
    uint32_t ttl_s;     /* it lives that long from stored_ms */
    uint32_t len;       /* octets of the message */
    uint16_t ttl_count;
    uint16_t rcode;
    uint8_t status;
    uint8_t ede_len;
    uint16_t ede_code;
    uint8_t octets[]; /* ttl_count offsets (2 octets each), the message, the EDE's text */
};

static struct dns_msg read_view(const uint8_t *wire, uint32_t len, struct dns_rr *table, bool *ok)
{
    struct dns_msg msg = {.rr_count = 0};
    *ok = dns_msg_read(wire, len, table, DNS_RR_MAX, &msg) == DNS_OK;
    return msg;
}

/* RFC 2308 5: min(SOA TTL, SOA minimum); false without a SOA. */
static bool negative_ttl(const struct dns_msg *msg, uint32_t *ret)
{
    for (uint32_t i = 0; i < msg->rr_count; i++) {
        const struct dns_rr *rr = &msg->rr[i];
        uint8_t rdata[2 * DNS_NAME_MAX + 20];
        struct dns_writer w = dns_writer_init(rdata, sizeof rdata);
        struct dns_soa soa;
        if (rr->type != DNS_TYPE_SOA || rr->section != DNS_AUTHORITY ||
            dns_rdata_expand(msg, rr, &w) != DNS_OK ||
            dns_soa_read(dns_reader_init(rdata, w.off), &soa) != DNS_OK)
            continue;
        *ret = rr->ttl_s < soa.minimum_s ? rr->ttl_s : soa.minimum_s;
        return true;
    }
    return false;
}

static bool has_answer(const struct dns_msg *msg)
{
    for (uint32_t i = 0; i < msg->rr_count; i++)
        if (msg->rr[i].section == DNS_ANSWER &&
            (msg->rr[i].type == msg->question.type || msg->question.type == DNS_TYPE_ANY))
            return true;
    return false;
}

/* How long the message may be kept; 0: not at all. */
static uint32_t lifetime(const struct cache_limits *limits, const struct dns_msg *msg,
                         uint64_t expires_s, uint64_t wall_s)
{
    uint32_t ttl_s = UINT32_MAX;
    for (uint32_t i = 0; i < msg->rr_count; i++)
        ttl_s = msg->rr[i].ttl_s < ttl_s ? msg->rr[i].ttl_s : ttl_s;
    if (!has_answer(msg)) {
        uint32_t negative;
        if (!negative_ttl(msg, &negative))
            return 0;
        ttl_s = negative < ttl_s ? negative : ttl_s;
        ttl_s = limits->negative_ttl_s < ttl_s ? limits->negative_ttl_s : ttl_s;
    }
    ttl_s = limits->min_ttl_s > ttl_s ? limits->min_ttl_s : ttl_s;
    ttl_s = limits->max_ttl_s < ttl_s ? limits->max_ttl_s : ttl_s;
    uint64_t left_s = expires_s > wall_s ? expires_s - wall_s : 0;
    return left_s < ttl_s ? (uint32_t)left_s : ttl_s;
}

static struct shard_entry *make_entry(const struct cache_bytes_key *key, const struct dns_msg *msg,
                                      const struct answer *head, const struct dns_ede *ede)
{
    uint8_t ede_len = ede->code == DNS_EDE_NONE ? 0 : (uint8_t)strlen(ede->text);
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
    struct dns_writer w = dns_writer_init(a->octets, len - sizeof *a);
    for (uint32_t i = 0; i < msg->rr_count; i++)
        dns_write_u16(&w, (uint16_t)msg->rr[i].ttl_off);
    dns_write_bytes(&w, msg->buf, msg->len);
    dns_write_bytes(&w, ede->text, ede_len);
    return entry;
}

void cache_answer_put(struct cache *cache, const struct cache_key *key,
                      const struct cache_answer *answer, struct cache_now now)
{
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    bool ok = false;
    struct dns_msg msg =
        table ? read_view(answer->wire, answer->len, table, &ok) : (struct dns_msg){0};
    struct answer head = {.stored_ms = now.mono_ms,
                          .stored_s = now.wall_s,
                          .expires_s = answer->expires_s,
                          .status = (uint8_t)answer->status};
    if (ok)
        head.ttl_s = lifetime(&cache->limits, &msg, answer->expires_s, now.wall_s);
    struct cache_bytes_key k;
    struct cache_bytes_key plain;
    cache_key_make(cache, key, CACHE_ANSWER, true, &k);
    cache_key_make(cache, key, CACHE_ANSWER, false, &plain);
    struct shard_entry *entry = head.ttl_s > 0 ? make_entry(&k, &msg, &head, &answer->ede) : NULL;
    free(table);
    if (!entry)
        return;
    struct cache_shard *shard = cache_shard_lock(cache, k.hash);
    shard->puts++;
    shard_put(&shard->shard, entry);
    cache_shard_unlock(shard);
    shard = cache_shard_lock(cache, plain.hash); /* a form derived from an older answer goes */
    struct shard_entry *old = shard_find(&shard->shard, plain.octets, plain.len, plain.hash);
    if (old)
        shard_remove(&shard->shard, old);
    cache_shard_unlock(shard);
}

/* Still to be lived, judged by both clocks; 0: over. */
static uint32_t ttl_left(const struct answer *a, struct cache_now now, uint32_t *ret_age_s)
{
    uint64_t age_s = (now.mono_ms - a->stored_ms) / 1000;
    if (now.mono_ms < a->stored_ms || age_s >= a->ttl_s || now.wall_s >= a->expires_s)
        return 0;
    uint64_t left_s = a->ttl_s - age_s;
    uint64_t valid_s = a->expires_s - now.wall_s;
    *ret_age_s = (uint32_t)age_s;
    return (uint32_t)(valid_s < left_s ? valid_s : left_s);
}

/* Copies the message with its TTLs lowered. */
static void copy_aged(const struct answer *a, uint32_t age_s, uint32_t left_s, uint8_t *buf)
{
    const uint8_t *message = a->octets + 2u * a->ttl_count;
    memcpy(buf, message, a->len);
    for (uint16_t i = 0; i < a->ttl_count; i++) {
        uint32_t at = (uint32_t)a->octets[2u * i] << 8 | a->octets[2u * i + 1];
        uint8_t *p = buf + at;
        uint32_t ttl = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        ttl = ttl > age_s ? ttl - age_s : 0;
        ttl = ttl < left_s ? ttl : left_s; /* none outlives the whole, nor a signature */
        p[0] = (uint8_t)(ttl >> 24);
        p[1] = (uint8_t)(ttl >> 16);
        p[2] = (uint8_t)(ttl >> 8);
        p[3] = (uint8_t)ttl;
    }
}

static bool find(struct cache *cache, const struct cache_bytes_key *k, struct cache_now now,
                 uint8_t *buf, uint32_t cap, struct cache_hit *ret, struct answer *ret_head)
{
    struct cache_shard *shard = cache_shard_lock(cache, k->hash);
    struct shard_entry *entry = shard_find(&shard->shard, k->octets, k->len, k->hash);
    const struct answer *a = entry ? shard_entry_data(entry) : NULL;
    uint32_t age_s = 0;
    uint32_t left_s = a ? ttl_left(a, now, &age_s) : 0;
    bool hit = left_s > 0 && a->len <= cap;
    if (hit) {
        copy_aged(a, age_s, left_s, buf);
        *ret = (struct cache_hit){.len = a->len,
                                  .ttl_s = left_s,
                                  .status = (enum val_status)a->status,
                                  .rcode = a->rcode,
                                  .ede = {.code = a->ede_code}};
        memcpy(ret->ede.text, a->octets + 2u * a->ttl_count + a->len, a->ede_len);
        *ret_head = *a;
    } else if (a && left_s == 0) {
        shard_remove(&shard->shard, entry);
    }
    cache_shard_unlock(shard);
    return hit;
}

/* Makes the form without DNSSEC records from the one with them, and keeps it. */
static bool derive_plain(struct cache *cache, const struct cache_bytes_key *plain,
                         const struct answer *head, uint8_t *buf, uint32_t cap,
                         struct cache_hit *hit, struct cache_now now)
{
    struct dns_rr *table = malloc(DNS_RR_MAX * sizeof *table);
    uint8_t *stripped = malloc(DNS_MSG_MAX);
    bool ok = false;
    struct dns_msg msg;
    if (table && stripped)
        msg = read_view(buf, hit->len, table, &ok);
    struct dns_copy how = {.strip_dnssec = true};
    if (ok) {
        how.flags = msg.flags;
        uint32_t len = dns_msg_copy(&msg, &how, stripped, DNS_MSG_MAX);
        ok =
            len > 0 && len <= cap && dns_msg_read(stripped, len, table, DNS_RR_MAX, &msg) == DNS_OK;
    }
    if (ok) {
        struct answer again = *head;
        again.stored_ms = now.mono_ms;
        again.stored_s = now.wall_s;
        again.ttl_s = hit->ttl_s;
        struct shard_entry *entry = make_entry(plain, &msg, &again, &hit->ede);
        memcpy(buf, stripped, msg.len);
        hit->len = msg.len;
        if (entry) {
            struct cache_shard *shard = cache_shard_lock(cache, plain->hash);
            shard_put(&shard->shard, entry);
            cache_shard_unlock(shard);
        }
    }
    free(stripped);
    free(table);
    return ok;
}

bool cache_answer_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                       uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    struct cache_bytes_key k;
    struct answer head;
    cache_key_make(cache, key, CACHE_ANSWER, key->dnssec_ok, &k);
    bool hit = find(cache, &k, now, buf, cap, ret, &head);
    if (!hit && !key->dnssec_ok) {
        struct cache_bytes_key full;
        cache_key_make(cache, key, CACHE_ANSWER, true, &full);
        hit = find(cache, &full, now, buf, cap, ret, &head) &&
              derive_plain(cache, &k, &head, buf, cap, ret, now);
    }
    struct cache_shard *shard = cache_shard_lock(cache, k.hash);
    shard->hits += hit;
    shard->misses += !hit;
    cache_shard_unlock(shard);
    return hit;
}
