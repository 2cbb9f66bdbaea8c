// SPDX-License-Identifier: MIT
/* Keys: what an entry is found by, and the hash that says in which shard. */
#include "cache/siphash.h"
#include "cache/store.h"

#define FORM_AT 1u /* the octet of a key that says which form */

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

_Static_assert(SHARD_KEY_MAX >= 11 + DNS_NAME_MAX, "every key fits");

void cache_key_make(const struct cache *cache, const struct cache_key *key, enum cache_kind kind,
                    struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, sizeof ret->octets);
    dns_write_u8(&w, (uint8_t)kind);
    dns_write_u8(&w, 0); /* FORM_AT; not yet set when the hash is taken */
    dns_write_u8(&w, key->checking_disabled);
    dns_write_u32(&w, key->route);
    dns_write_u16(&w, key->question->type);
    dns_write_u16(&w, key->question->class_);
    ret->len = (uint16_t)w.off; /* 11 */
    append_lower(ret, &key->question->name);
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}

bool cache_key_read(const uint8_t *octets, uint16_t len, struct cache_key_parts *ret)
{
    struct dns_reader r = dns_reader_init(octets, len);
    if (dns_read_u8(&r) != CACHE_ANSWER)
        return false;
    ret->dnssec_ok = dns_read_u8(&r) != 0;
    ret->checking_disabled = dns_read_u8(&r) != 0;
    ret->route = dns_read_u32(&r);
    ret->question.type = dns_read_u16(&r);
    ret->question.class_ = dns_read_u16(&r);
    return dns_name_read_plain(&r, &ret->question.name) == DNS_OK;
}

void cache_key_set_form(struct cache_bytes_key *key, bool dnssec_ok)
{
    key->octets[FORM_AT] = dnssec_ok;
}

void cache_key_name(const struct cache *cache, const struct dns_name *name,
                    struct cache_bytes_key *ret)
{
    struct dns_writer w = dns_writer_init(ret->octets, sizeof ret->octets);
    dns_write_u8(&w, CACHE_ZONE);
    ret->len = (uint16_t)w.off;
    append_lower(ret, name);
    ret->hash = cache_siphash(cache->seed, ret->octets, ret->len);
}
