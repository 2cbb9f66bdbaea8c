/* SPDX-License-Identifier: MIT */
/* The snapshot (cache/snapshot.h) as a file in the state directory: mapped at start, written by the
 * main thread, which runs no loop, now and then and at the end. */
#ifndef PROXY_SNAPSHOT_FILE_H
#define PROXY_SNAPSHOT_FILE_H

#include "cache/cache.h"

#define SNAPSHOT_FILE_NAME "answers.snapshot"
#define SNAPSHOT_ERROR_MAX 256u

/* NULL when there is none or it cannot be used; then *error says why, or is empty: there is none,
 * which is no fault. The file is only ever replaced by rename, never shortened, so that what is
 * mapped stays what it was. */
struct snapshot_file;
struct snapshot_file *snapshot_file_open(const char *directory,
                                         char error[static SNAPSHOT_ERROR_MAX]);
const struct snapshot *snapshot_file_get(const struct snapshot_file *file);
void snapshot_file_close(struct snapshot_file *file); /* NULL is fine */

/* Blocks: writes what the cache holds, and what the old file holds besides (snapshot_out_carry();
 * so one that starts and ends soon loses nothing), beside it, syncs, renames. The number of
 * records, or -1 and a sentence; then the old file is as it was. So it is when it was written later
 * than now and has more records than the new one would: the clock is behind, and will be set. */
int64_t snapshot_file_write(const char *directory, struct cache *cache, uint64_t octets_max,
                            struct cache_now now, char error[static SNAPSHOT_ERROR_MAX]);

#endif
