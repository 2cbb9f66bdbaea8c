// SPDX-License-Identifier: MIT
#include "proxy/snapshot_file.h"

#include "doh/pool.h"

#include <openssl/rand.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_LEN ((size_t)256 * 1024)

struct snapshot_file {
    struct snapshot snapshot;
    void *octets; /* mapped */
    size_t len;
};

static void say(char error[static SNAPSHOT_ERROR_MAX], const char *path, const char *why)
{
    (void)snprintf(error, SNAPSHOT_ERROR_MAX, "%.160s: %.80s", path, why);
}

/* --- reading --------------------------------------------------------------------------------- */

static void *map(const char *path, size_t *ret_len, char error[static SNAPSHOT_ERROR_MAX])
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return NULL;
    void *octets = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        octets = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (octets == MAP_FAILED)
        say(error, path, fd < 0 ? strerror(errno) : "it cannot be mapped");
    else
        *ret_len = (size_t)st.st_size;
    if (fd >= 0)
        (void)close(fd); /* only read from */
    return octets == MAP_FAILED ? NULL : octets;
}

struct snapshot_file *snapshot_file_open(const char *directory,
                                         char error[static SNAPSHOT_ERROR_MAX])
{
    char path[PATH_MAX];
    struct snapshot_file *file = calloc(1, sizeof *file);
    error[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/" SNAPSHOT_FILE_NAME, directory);
    if (file)
        file->octets = map(path, &file->len, error);
    if (file && file->octets) {
        const char *why = snapshot_read(file->octets, file->len, &file->snapshot);
        if (!why)
            return file;
        say(error, path, why);
        (void)munmap(file->octets, file->len); /* cannot fail for what mmap gave */
    }
    free(file);
    return NULL;
}

const struct snapshot *snapshot_file_get(const struct snapshot_file *file)
{
    return &file->snapshot;
}

void snapshot_file_close(struct snapshot_file *file)
{
    if (!file)
        return;
    (void)munmap(file->octets, file->len); /* cannot fail for what mmap gave */
    free(file);
}

/* --- writing --------------------------------------------------------------------------------- */

struct target {
    int fd, error;                /* the first errno, or 0 */
    const struct snapshot *older; /* the file in place, or NULL */
    bool is_poorer;               /* than that, which may be right once the clock is */
    uint64_t off;                 /* of the buffer in the file */
    size_t used;
    uint8_t buffer[BUFFER_LEN];
};

static bool write_at(struct target *t, uint64_t off, const uint8_t *octets, size_t len)
{
    while (len > 0 && t->error == 0) {
        ssize_t n = pwrite(t->fd, octets, len, (off_t)off);
        if (n > 0) {
            octets += n;
            off += (uint64_t)n;
            len -= (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            t->error = n == 0 ? ENOSPC : errno;
        }
    }
    return t->error == 0;
}

static bool flush(struct target *t)
{
    bool ok = write_at(t, t->off, t->buffer, t->used);
    t->off += t->used;
    t->used = 0;
    return ok;
}

static bool write_out(void *arg, uint64_t off, const void *octets, size_t len)
{
    struct target *t = arg;
    bool follows = off == t->off + t->used;
    if (!follows || len > sizeof t->buffer - t->used) {
        if (!flush(t))
            return false;
        t->off = off;
    }
    if (len > sizeof t->buffer) {
        t->off = off + len;
        return write_at(t, off, octets, len);
    }
    memcpy(t->buffer + t->used, octets, len);
    t->used += len;
    return true;
}

static void add(void *arg, const struct snapshot_entry *entry)
{
    snapshot_out_add(arg, entry);
}

static int64_t write_all(struct target *t, struct cache *cache, uint64_t octets_max,
                         struct cache_now now)
{
    uint8_t seed[16];
    struct snapshot_out *out = RAND_bytes(seed, sizeof seed) == 1
                                   ? snapshot_out_new(now.wall_s, seed, write_out, t)
                                   : NULL;
    if (!out)
        return -1;
    bool is_future = t->older && t->older->written_s > now.wall_s;
    bool whole = cache_each(cache, DOH_ROUTE_DEFAULT, now, add, out);
    if (whole && t->older && !is_future)
        snapshot_out_carry(out, t->older, octets_max);
    int64_t records = snapshot_out_finish(out);
    t->is_poorer = is_future && records < t->older->record_count;
    if (!whole || records < 0 || t->is_poorer || !flush(t))
        return -1;
    if (fsync(t->fd) != 0)
        t->error = errno;
    return t->error == 0 ? records : -1;
}

/* A rename that is not synced may be undone by a crash: then the old file is there, whole. */
static void sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

/* Into the temporary file, and that in place. */
static int64_t replace(struct target *t, const char *path, const char *temporary,
                       struct cache *cache, uint64_t octets_max, struct cache_now now)
{
    t->fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->fd < 0) {
        t->error = errno;
        return -1;
    }
    int64_t records = write_all(t, cache, octets_max, now);
    (void)close(t->fd); /* fsync has told what there was to tell */
    if (records >= 0 && rename(temporary, path) != 0) {
        t->error = errno;
        records = -1;
    }
    if (records < 0)
        (void)unlink(temporary);
    return records;
}

static const char *why_not(const struct target *t)
{
    if (t->error)
        return strerror(t->error);
    return t->is_poorer ? "kept as it is: it was written later than now, and has more"
                        : "out of memory";
}

int64_t snapshot_file_write(const char *directory, struct cache *cache, uint64_t octets_max,
                            struct cache_now now, char error[static SNAPSHOT_ERROR_MAX])
{
    char path[PATH_MAX], temporary[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/" SNAPSHOT_FILE_NAME, directory);
    (void)snprintf(temporary, sizeof temporary, "%s/" SNAPSHOT_FILE_NAME ".new", directory);
    struct target *t = malloc(sizeof *t);
    if (!t) {
        say(error, path, "out of memory");
        return -1;
    }
    t->error = 0;
    t->off = 0;
    t->used = 0;
    t->is_poorer = false;
    struct snapshot_file *older = snapshot_file_open(directory, error); /* unusable: replaced */
    t->older = older ? snapshot_file_get(older) : NULL;
    int64_t records = replace(t, path, temporary, cache, octets_max, now);
    if (records < 0)
        say(error, path, why_not(t));
    else
        sync_directory(directory);
    snapshot_file_close(older);
    free(t);
    return records;
}
