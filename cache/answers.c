// SPDX-License-Identifier: MIT
/* Answers: a hit is a look-up, a copy and a few subtractions. */
#include "cache/answer_entry.h"

#include <stdlib.h>
#include <string.h>

#define PREFETCH_LEAST_S 5u

struct cache_answer_view cache_answer_view(struct shard_entry *entry)
{
    const struct answer *a = shard_entry_data(entry);
    struct answer_form full = answer_form(a, true);
    return (struct cache_answer_view){
        .wire = full.wire, .len = full.len, .stored_ms = answer_stored_ms(a), .ttl_s = a->ttl_s};
}

/* --- put ------------------------------------------------------------------------------------- */

/* The tail of the key is to be found in the message. */
static bool has_question(const struct dns_msg *msg, const struct dns_question *question)
{
    return msg->question_count == 1 && msg->question.type == question->type &&
           msg->question.class_ == question->class_ &&
           dns_name_equal(&msg->question.name, &question->name) &&
           msg->question_end == DNS_HEADER_LEN + question->name.len + 4u;
}

static void put_message(struct cache *cache, const struct cache_key *key, const struct dns_msg *msg,
                        const struct cache_answer *answer, struct cache_now now)
{
    uint64_t valid_s = answer->expires_s > now.wall_s ? answer->expires_s - now.wall_s : 0;
    struct cache_limits limits = cache->limits;
    if (answer->negative_ttl_s > 0 && answer->negative_ttl_s < limits.negative_ttl_s)
        limits.negative_ttl_s = answer->negative_ttl_s;
    struct cache_lifetime life = cache_lifetime(&limits, msg, valid_s);
    if (life.ttl_s == 0 || !has_question(msg, key->question))
        return;
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    struct shard_entry *entry = answer_entry_new(&k, msg, answer, life, now.mono_ms);
    if (!entry)
        return; /* only a cache */
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    if (cache_is_in(cache, answer->epoch)) {
        shard->puts++;
        shard_put(&shard->shard, entry);
        entry = NULL;
    }
    cache_unlock(shard);
    free(entry);
}

void cache_answer_put(struct cache *cache, const struct cache_key *key,
                      const struct cache_answer *answer, struct cache_now now)
{
    uint32_t count = dns_header_records(answer->wire, answer->len);
    count = count < DNS_RR_MAX ? count : DNS_RR_MAX;
    struct dns_rr *table = malloc((count + 1) * sizeof *table); /* one more, for not to be none */
    struct dns_msg msg;
    cache_note_clocks(cache, now);
    if (table && answer->len <= DNS_MSG_MAX &&
        dns_msg_read(answer->wire, answer->len, table, count, &msg) == DNS_OK)
        put_message(cache, key, &msg, answer, now);
    free(table);
}

/* --- find ------------------------------------------------------------------------------------ */

/* Another worker may have stored it later than our `now`, which is as old as this turn of the loop:
 * then its age is 0. */
static uint64_t age_ms(const struct answer *a, struct cache_now now)
{
    uint64_t stored_ms = answer_stored_ms(a);
    return now.mono_ms > stored_ms ? now.mono_ms - stored_ms : 0;
}

/* Still to be lived, judged by both clocks; 0: over. */
static uint32_t ttl_left(const struct answer *a, struct cache_now now)
{
    uint64_t age_s = age_ms(a, now) / 1000;
    uint64_t expires_s = answer_expires_s(a);
    if (age_s >= a->ttl_s || now.wall_s >= expires_s)
        return 0;
    uint64_t left_s = a->ttl_s - age_s;
    uint64_t valid_s = expires_s - now.wall_s;
    return (uint32_t)(valid_s < left_s ? valid_s : left_s);
}

static uint32_t read_ttl(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_ttl(uint8_t *p, uint32_t ttl_s)
{
    p[0] = (uint8_t)(ttl_s >> 24);
    p[1] = (uint8_t)(ttl_s >> 16);
    p[2] = (uint8_t)(ttl_s >> 8);
    p[3] = (uint8_t)ttl_s;
}

static uint32_t ttl_off(const struct answer_form *form, uint32_t i)
{
    const uint8_t *off = form->ttl_offs + 2u * i;
    return (uint32_t)off[0] << 8 | off[1];
}

/* None outlives a signature. */
static void age(const struct answer_form *form, uint32_t age_s, uint64_t valid_s, uint8_t *buf)
{
    for (uint32_t i = 0; i < form->count; i++) {
        uint8_t *p = buf + ttl_off(form, i);
        uint32_t ttl_s = read_ttl(p);
        ttl_s = ttl_s > age_s ? ttl_s - age_s : 0;
        write_ttl(p, valid_s < ttl_s ? (uint32_t)valid_s : ttl_s);
    }
}

static bool copy_form(const struct answer *a, const struct answer_form *form, uint8_t *buf,
                      uint32_t cap, struct cache_hit *ret)
{
    ret->len = form->len;
    if (form->len == 0 || form->len > cap)
        return false;
    memcpy(buf, form->wire, form->len);
    answer_patch_counts(form, buf);
    ret->status = (enum val_status)a->status;
    ret->rcode = buf[3] & 15u;
    ret->prefetch = false;
    answer_ede(a, &ret->ede);
    return true;
}

/* In the last tenth of its life, or its last second when that is more and not most of it, and asked
 * for twice or more. Told once. */
static bool wants_prefetch(struct shard_entry *entry, uint32_t left_s, uint32_t ttl_s)
{
    uint32_t last_s = ttl_s / 10 > 0 || ttl_s < PREFETCH_LEAST_S ? ttl_s / 10 : 1;
    if (entry->flag || entry->frequency < 2 || left_s > last_s)
        return false;
    entry->flag = 1;
    return true;
}

/* ret->ttl_s says already that it is alive. */
static bool copy_hit(struct shard_entry *entry, bool dnssec_ok, struct cache_now now, uint8_t *buf,
                     uint32_t cap, struct cache_hit *ret)
{
    const struct answer *a = shard_entry_data(entry);
    struct answer_form form = answer_form(a, dnssec_ok);
    if (!copy_form(a, &form, buf, cap, ret))
        return false;
    age(&form, (uint32_t)(age_ms(a, now) / 1000), answer_expires_s(a) - now.wall_s, buf);
    shard_note_hit(entry);
    ret->prefetch = wants_prefetch(entry, ret->ttl_s, a->ttl_s);
    return true;
}

/* What a signature, or a negative anchor, vouched for until now is nothing once that has ended:
 * then it is neither proven nor proven to be insecure. */
static bool is_past_use(const struct cache *cache, const struct answer *a, struct cache_now now)
{
    return now.wall_s >= answer_expires_s(a) ||
           age_ms(a, now) / 1000 >= (uint64_t)a->ttl_s + cache->limits.max_stale_s;
}

void cache_answer_seek(struct cache *cache, const struct cache_key *key,
                       struct cache_bytes_key *ret)
{
    cache_key_make(cache, key, CACHE_ANSWER, ret);
    shard_expect_bucket(&cache_shard_of_answer(cache, ret->hash)->shard, ret->hash);
}

void cache_answer_expect(struct cache *cache, const struct cache_bytes_key *key)
{
    struct cache_shard *shard = cache_shard_of_answer(cache, key->hash);
    if (!shard_is_large(&shard->shard))
        return; /* so little is in the processor's cache without us */
    (void)cache_lock_answers(cache, key->hash);
    shard_expect_entry(&shard->shard, key->hash);
    cache_unlock(shard);
}

bool cache_answer_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                       uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    struct cache_bytes_key k;
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    return cache_answer_find_at(cache, &k, key->dnssec_ok, now, buf, cap, ret);
}

bool cache_answer_find_at(struct cache *cache, const struct cache_bytes_key *key, bool dnssec_ok,
                          struct cache_now now, uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    cache_note_clocks(cache, now);
    ret->len = 0;
    struct cache_shard *shard = cache_lock_answers(cache, key->hash);
    struct shard_entry *entry = shard_peek(&shard->shard, key->octets, key->len, key->hash);
    const struct answer *a = entry ? shard_entry_data(entry) : NULL;
    ret->ttl_s = a ? ttl_left(a, now) : 0;
    bool hit = ret->ttl_s > 0 && copy_hit(entry, dnssec_ok, now, buf, cap, ret);
    if (a && ret->ttl_s == 0 && (cache->limits.max_stale_s == 0 || is_past_use(cache, a, now)))
        shard_remove(&shard->shard, entry);
    shard->hits += hit;
    shard->misses += ret->len == 0;
    cache_unlock(shard);
    return hit;
}

static bool copy_stale(const struct answer *a, bool dnssec_ok, uint8_t *buf, uint32_t cap,
                       struct cache_hit *ret)
{
    struct answer_form form = answer_form(a, dnssec_ok);
    if (!copy_form(a, &form, buf, cap, ret))
        return false;
    for (uint32_t i = 0; i < form.count; i++)
        write_ttl(buf + ttl_off(&form, i), CACHE_STALE_TTL_S);
    ret->ttl_s = CACHE_STALE_TTL_S;
    return true;
}

bool cache_answer_find_stale(struct cache *cache, const struct cache_key *key, struct cache_now now,
                             uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    struct cache_bytes_key k;
    ret->len = 0;
    if (key->checking_disabled || cache->limits.max_stale_s == 0)
        return false;
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    struct shard_entry *entry = shard_find(&shard->shard, k.octets, k.len, k.hash);
    const struct answer *a = entry ? shard_entry_data(entry) : NULL;
    bool found = a && !is_past_use(cache, a, now) && copy_stale(a, key->dnssec_ok, buf, cap, ret);
    cache_unlock(shard);
    return found;
}
