/* SPDX-License-Identifier: MIT */
/* Where a question is found in the tables of what is under way: keyed, so that nobody outside can
 * make one chain of them long. */
#ifndef PROXY_QUESTION_HASH_H
#define PROXY_QUESTION_HASH_H

#include "dns/message.h"

struct question_hash_key {
    uint8_t octets[16];
};

bool question_hash_key_make(struct question_hash_key *ret); /* at random; false: it cannot be had */
uint32_t question_hash(const struct question_hash_key *key, const struct dns_question *question);

#endif
