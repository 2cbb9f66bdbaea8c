/* SPDX-License-Identifier: MIT */
/* The two queues of a shard and its ghosts: who comes in where, and who has to go. */
#ifndef CACHE_S3FIFO_H
#define CACHE_S3FIFO_H

#include "cache/shard.h"

void s3fifo_push(struct shard *shard, struct shard_entry *entry, enum shard_queue queue);
void s3fifo_take(struct shard *shard, struct shard_entry *entry);

/* The queue for an entry with this hash: main, when it has left small not long ago. */
enum shard_queue s3fifo_entrance(struct shard *shard, uint32_t hash);

/* Removes entries until `need` octets fit within the limit. False: not even into an empty shard. */
bool s3fifo_make_room(struct shard *shard, size_t need);

#endif
