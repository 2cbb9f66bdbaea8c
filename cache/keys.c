// SPDX-License-Identifier: MIT
/* Keys: what an entry is found by, and the hash that says in which shard. */
#include "cache/siphash.h"
#include "cache/store.h"

#define CHECKING_DISABLED 0x80u /* of the first octet; the lower half of it is the kind */
#define ROUTE_MASK                                                                                 \
    0xffffffu /* a configuration of one MiB has fewer; the special ones keep apart                 \
               */

/* Length octets are below 'A'. A plain loop over two arrays: compilers make vector code of it. */
static void copy_lower(uint8_t *restrict to, const uint8_t *restrict from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t is_upper = (uint8_t)(from[i] - 'A') < 26u;
        to[i] = (uint8_t)(from[i] | is_upper << 5);
    }
}

static void append_lower(struct cache_bytes_key *key, const struct dns_name *name)
{
    copy_lower(key->octets + key->len, name->wire, name->len);
    key->len = (uint16_t)(key->len + name->len);
}

_Static_assert(SHARD_KEY_MAX == CACHE_KEY_MAX, "a key is what a shard takes");
_Static_assert(SHARD_KEY_MAX >= SHARD_KEY_HEAD + DNS_NAME_MAX + 4, "every key fits");

void cache_key_make(const struct cache *cache, const struct cache_key *key, enum cache_kind kind,
                    struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, SHARD_KEY_HEAD);
    unsigned cd = key->checking_disabled ? CHECKING_DISABLED : 0u;
    dns_write_u32(&w, (uint32_t)(kind | cd) << 24 | (key->route & ROUTE_MASK));
    ret->len = SHARD_KEY_HEAD;
    append_lower(ret, &key->question->name);
    struct dns_writer tail = dns_writer_init(ret->octets + ret->len, 4);
    dns_write_u16(&tail, key->question->type);
    dns_write_u16(&tail, key->question->class_);
    ret->len = (uint16_t)(ret->len + 4u);
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}

bool cache_key_read(const uint8_t *octets, uint16_t len, struct cache_key_parts *ret)
{
    struct dns_reader r = dns_reader_init(octets, len);
    uint8_t first = dns_read_u8(&r);
    if ((first & SHARD_KIND_MASK) != CACHE_ANSWER)
        return false;
    ret->checking_disabled = (first & CHECKING_DISABLED) != 0;
    ret->route = (uint32_t)dns_read_u8(&r) << 16;
    ret->route |= dns_read_u16(&r);
    bool ok = dns_name_read_plain(&r, &ret->question.name) == DNS_OK;
    ret->question.type = dns_read_u16(&r);
    ret->question.class_ = dns_read_u16(&r);
    return ok && r.err == DNS_OK;
}

bool cache_key_has_route(const struct cache_key_parts *key, uint32_t route)
{
    return key->route == (route & ROUTE_MASK);
}

void cache_key_name(const struct cache *cache, const struct dns_name *name,
                    struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, SHARD_KEY_HEAD);
    dns_write_u32(&w, (uint32_t)CACHE_ZONE << 24);
    ret->len = SHARD_KEY_HEAD;
    append_lower(ret, name);
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}
