// SPDX-License-Identifier: MIT
#include "proxy/state_file.h"

#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST_TEXT_LEN 64u
#define LAST_LINE_LEN (7u + DIGEST_TEXT_LEN + 1u) /* "sha256 " HEX "\n" */
#define FILE_NAME_MAX 64u

/* --- the text -------------------------------------------------------------------------------- */

static bool digest_text(const char *text, size_t len, char ret[static DIGEST_TEXT_LEN + 1])
{
    uint8_t digest[32];
    unsigned digest_len = 0;
    if (EVP_Digest(text, len, digest, &digest_len, EVP_sha256(), NULL) != 1 ||
        digest_len != sizeof digest)
        return false;
    for (unsigned i = 0; i < sizeof digest; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
    return true;
}

char *state_text_close(const char *name, unsigned version, const char *body)
{
    char digest[DIGEST_TEXT_LEN + 1];
    char *head = NULL;
    char *whole = NULL;
    int len = asprintf(&head, "veridoh %s %u\n%s", name, version, body);
    if (len < 0)
        return NULL;
    if (!digest_text(head, (size_t)len, digest) ||
        asprintf(&whole, "%ssha256 %s\n", head, digest) < 0)
        whole = NULL;
    free(head);
    return whole;
}

/* The length of the first line with its newline; 0: it is not what it has to be. */
static size_t first_line(const char *text, size_t len, const char *name, unsigned version,
                         const char **ret_why)
{
    char want[FILE_NAME_MAX + 32];
    int want_len = snprintf(want, sizeof want, "veridoh %s %u\n", name, version);
    const char *end = memchr(text, '\n', len);
    size_t line_len = end ? (size_t)(end - text) + 1 : 0;
    if (line_len == (size_t)want_len && memcmp(text, want, line_len) == 0)
        return line_len;
    size_t prefix = strlen("veridoh ") + strlen(name) + 1;
    bool other = line_len > prefix && memcmp(text, want, prefix) == 0;
    *ret_why =
        other ? "it is of a version that is not known here" : "it does not begin as it should";
    return 0;
}

char *state_text_open(const char *text, size_t len, const char *name, unsigned version,
                      const char **ret_why)
{
    char digest[DIGEST_TEXT_LEN + 1];
    size_t head = first_line(text, len, name, version, ret_why);
    if (head == 0)
        return NULL;
    *ret_why = "its checksum is wrong: it is torn, or was changed";
    if (len < head + LAST_LINE_LEN || memchr(text, '\0', len))
        return NULL;
    const char *last = text + len - LAST_LINE_LEN;
    if (last[-1] != '\n' || memcmp(last, "sha256 ", 7) != 0 || text[len - 1] != '\n' ||
        !digest_text(text, len - LAST_LINE_LEN, digest) ||
        memcmp(last + 7, digest, DIGEST_TEXT_LEN) != 0)
        return NULL;
    *ret_why = "out of memory";
    return strndup(text + head, len - LAST_LINE_LEN - head);
}

/* --- files ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(char error[static STATE_ERROR_MAX],
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, STATE_ERROR_MAX, format, arguments);
    va_end(arguments);
}

static int open_directory(const char *directory)
{
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* A temporary file that a killed writer left is thrown away, never written into. */
static bool write_new(int dir, const char *temporary, const char *text)
{
    (void)unlinkat(dir, temporary, 0); /* usually there is none */
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, text, strlen(text)) && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && ok)
        return false;
    errno = error;
    return ok;
}

static bool replace(int dir, const char *name, const char *text)
{
    char temporary[FILE_NAME_MAX + 8];
    (void)snprintf(temporary, sizeof temporary, ".%s.new", name);
    if (write_new(dir, temporary, text) && renameat(dir, temporary, dir, name) == 0)
        return fsync(dir) == 0;
    int error = errno;
    (void)unlinkat(dir, temporary, 0); /* the failure is told already */
    errno = error;
    return false;
}

bool state_file_write(const char *directory, const char *name, unsigned version, const char *body,
                      char error[static STATE_ERROR_MAX])
{
    char *text = state_text_close(name, version, body);
    int dir = text ? open_directory(directory) : -1;
    bool ok = dir >= 0 && replace(dir, name, text);
    if (!text)
        say(error, "%s/%s: out of memory", directory, name);
    else if (!ok)
        say(error, "%s/%s: %s", directory, name, strerror(errno));
    if (dir >= 0)
        (void)close(dir); /* nothing was written through it */
    free(text);
    return ok;
}

/* All of a regular file; NULL and *ret_why, which is NULL when there is no such file. */
static char *read_all(int dir, const char *name, size_t *ret_len, const char **ret_why)
{
    struct stat status;
    /* O_NONBLOCK: nobody's named pipe makes us wait */
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        *ret_why = errno == ENOENT ? NULL : strerror(errno);
        return NULL;
    }
    char *text = NULL;
    *ret_why = "it is no file of at most 1 MiB";
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= STATE_FILE_MAX)
        text = malloc(STATE_FILE_MAX + 1u);
    size_t len = 0;
    while (text && len <= STATE_FILE_MAX) {
        ssize_t n = read(fd, text + len, STATE_FILE_MAX + 1u - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    (void)close(fd); /* only read from */
    if (text && len > STATE_FILE_MAX) {
        free(text);
        return NULL;
    }
    *ret_len = len;
    return text;
}

enum state_found state_file_read(const char *directory, const char *name, unsigned version,
                                 char **ret_body, char error[static STATE_ERROR_MAX])
{
    const char *why = NULL;
    size_t len = 0;
    int dir = open_directory(directory);
    char *text = dir >= 0 ? read_all(dir, name, &len, &why) : NULL;
    if (dir < 0)
        why = strerror(errno);
    else
        (void)close(dir); /* only read from */
    char *body = text ? state_text_open(text, len, name, version, &why) : NULL;
    free(text);
    if (body) {
        *ret_body = body;
        return STATE_READ;
    }
    if (!why)
        return STATE_ABSENT;
    say(error, "%s/%s: %s", directory, name, why);
    return STATE_REFUSED;
}
