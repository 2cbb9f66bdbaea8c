// SPDX-License-Identifier: MIT
#include "proxy/question_hash.h"

#include "cache/siphash.h"

#include <openssl/rand.h>

bool question_hash_key_make(struct question_hash_key *ret)
{
    return RAND_bytes(ret->octets, sizeof ret->octets) == 1;
}

/* Of name, case ignored, and type; of one name hardly anything else is asked at the same time. */
uint32_t question_hash(const struct question_hash_key *key, const struct dns_question *question)
{
    uint8_t octets[DNS_NAME_MAX + 2u];
    struct dns_writer w = dns_writer_init(octets, sizeof octets);
    struct dns_name name = question->name;
    dns_name_lower(&name);
    dns_write_name(&w, &name);
    dns_write_u16(&w, question->type);
    return (uint32_t)cache_siphash(key->octets, octets, w.off);
}
