// SPDX-License-Identifier: MIT
/* Answers: a hit is a look-up, a copy and a few subtractions. */
#include "cache/answer_entry.h"

#include <stdlib.h>
#include <string.h>

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
    shard->puts++;
    shard_put(&shard->shard, entry);
    cache_unlock(shard);
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

/* Copies the message with its TTLs lowered; none outlives a signature. */
static void copy_aged(const struct answer_form *form, uint32_t age_s, uint64_t valid_s,
                      uint8_t *buf)
{
    memcpy(buf, form->wire, form->len);
    for (uint32_t i = 0; i < form->count; i++) {
        const uint8_t *off = form->ttl_offs + 2u * i;
        uint8_t *p = buf + ((uint32_t)off[0] << 8 | off[1]);
        uint32_t ttl_s = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        ttl_s = ttl_s > age_s ? ttl_s - age_s : 0;
        ttl_s = valid_s < ttl_s ? (uint32_t)valid_s : ttl_s;
        p[0] = (uint8_t)(ttl_s >> 24);
        p[1] = (uint8_t)(ttl_s >> 16);
        p[2] = (uint8_t)(ttl_s >> 8);
        p[3] = (uint8_t)ttl_s;
    }
}

static bool copy_hit(const struct answer *a, bool dnssec_ok, struct cache_now now, uint8_t *buf,
                     uint32_t cap, struct cache_hit *ret)
{
    struct answer_form form = answer_form(a, dnssec_ok);
    if (form.len == 0 || form.len > cap)
        return false;
    copy_aged(&form, (uint32_t)(age_ms(a, now) / 1000), answer_expires_s(a) - now.wall_s, buf);
    answer_patch_counts(a, dnssec_ok, buf);
    ret->len = form.len;
    ret->ttl_s = ttl_left(a, now);
    ret->status = (enum val_status)a->status;
    ret->rcode = buf[3] & 15u;
    answer_ede(a, &ret->ede);
    return true;
}

bool cache_answer_find(struct cache *cache, const struct cache_key *key, struct cache_now now,
                       uint8_t *buf, uint32_t cap, struct cache_hit *ret)
{
    struct cache_bytes_key k;
    cache_note_clocks(cache, now);
    cache_key_make(cache, key, CACHE_ANSWER, &k);
    struct cache_shard *shard = cache_lock_answers(cache, k.hash);
    struct shard_entry *entry = shard_find(&shard->shard, k.octets, k.len, k.hash);
    const struct answer *a = entry ? shard_entry_data(entry) : NULL;
    if (a && ttl_left(a, now) == 0) {
        shard_remove(&shard->shard, entry);
        a = NULL;
    }
    bool hit = a && copy_hit(a, key->dnssec_ok, now, buf, cap, ret);
    shard->hits += hit;
    shard->misses += !hit;
    cache_unlock(shard);
    return hit;
}
