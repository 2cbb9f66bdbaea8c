/* SPDX-License-Identifier: MIT */
/* Tags of signatures that verified (validate/memo.h): a table of fixed size for all workers. */
#ifndef CACHE_MEMO_H
#define CACHE_MEMO_H

#include "validate/memo.h"

struct cache_memo;
struct cache_memo *cache_memo_new(size_t bytes); /* at most; NULL when out of memory */
void cache_memo_free(struct cache_memo *memo);   /* NULL is fine */
size_t cache_memo_bytes(const struct cache_memo *memo);
bool cache_memo_find(struct cache_memo *memo, const struct val_memo_tag *tag);
void cache_memo_learn(struct cache_memo *memo, const struct val_memo_tag *tag);
void cache_memo_clear(struct cache_memo *memo);

#endif
