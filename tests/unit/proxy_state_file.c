// SPDX-License-Identifier: MIT
/* A writer is killed at every octet that it writes and at every call that it makes: what is found
 * afterwards is the old state or the new one. write(), fsync(), renameat() and unlinkat() of
 * state_file.c lead here (--wrap). */
#include "proxy/state_file.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/veridoh-state-XXXXXX";
static long lives = -1; /* octets and calls until the end; negative: for ever */
static bool fail_instead;

static bool spend(void)
{
    if (lives < 0 || lives-- > 0)
        return true;
    lives = 0;
    if (!fail_instead)
        (void)kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return false;
}

ssize_t __real_write(int fd, const void *octets, size_t len);
ssize_t __wrap_write(int fd, const void *octets, size_t len);
ssize_t __wrap_write(int fd, const void *octets, size_t len)
{
    if (lives < 0 || len == 0)
        return __real_write(fd, octets, len);
    return spend() ? __real_write(fd, octets, 1) : -1; /* as short as a write can be */
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return spend() ? __real_fsync(fd) : -1;
}

int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    return spend() ? __real_renameat(from, old, to, name) : -1;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
    return spend() ? __real_unlinkat(dir, name, flags) : -1;
}

static char *read_body(void)
{
    char *body = NULL;
    char error[STATE_ERROR_MAX] = "";
    enum state_found found = state_file_read(directory, "anchors", 1, &body, error);
    if (found != STATE_READ)
        fail_msg("%d: %s", found, error);
    return body;
}

#define OLD "old 1\n"
#define NEW "new 22\nnew 33\n"

static void put(const char *body)
{
    char error[STATE_ERROR_MAX];
    if (!state_file_write(directory, "anchors", 1, body, error))
        fail_msg("%s", error);
}

/* Whether the writer got to its end. */
static bool write_and_die(long after)
{
    int status;
    char error[STATE_ERROR_MAX];
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lives = after;
        (void)state_file_write(directory, "anchors", 1, NEW, error);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

static void killed_anywhere_it_is_the_old_or_the_new(void **state)
{
    (void)state;
    unsigned old = 0;
    unsigned new = 0;
    put(OLD);
    for (long after = 0;; after++) {
        bool ended = write_and_die(after);
        char *body = read_body();
        bool is_new = !strcmp(body, NEW);
        assert_true(is_new || !strcmp(body, OLD));
        assert_true(is_new || new == 0); /* once it has happened it happens from then on */
        old += !is_new;
        new += is_new;
        free(body);
        if (ended)
            break;
        put(OLD); /* over whatever the dead one left */
        new = 0;
        body = read_body();
        assert_string_equal(body, OLD);
        free(body);
    }
    print_message("%u times the old one, at last the new one\n", old);
    assert_true(old > strlen(NEW) + 64);
    assert_int_equal(new, 1);
}

static unsigned files(void)
{
    unsigned count = 0;
    DIR *d = opendir(directory);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(d);
    return count;
}

static void a_full_disk_leaves_the_old_one(void **state)
{
    (void)state;
    bool ok = false;
    put(OLD);
    fail_instead = true;
    for (long after = 0; !ok; after++) {
        char error[STATE_ERROR_MAX] = "";
        lives = after;
        ok = state_file_write(directory, "anchors", 1, NEW, error);
        lives = -1;
        assert_true(ok || strstr(error, "No space left"));
        char *body = read_body();
        assert_true(!strcmp(body, NEW) || (!ok && !strcmp(body, OLD)));
        free(body);
        put(OLD);
        assert_int_equal(files(), 1);
    }
    fail_instead = false;
}

/* --- what is refused ------------------------------------------------------------------------- */

static void every_cut_and_every_flip_is_seen(void **state)
{
    (void)state;
    const char *why;
    char *text = state_text_close("anchors", 1, NEW);
    size_t len = strlen(text);
    char *body = state_text_open(text, len, "anchors", 1, &why);
    assert_string_equal(body, NEW);
    free(body);
    for (size_t cut = 0; cut < len; cut++)
        assert_null(state_text_open(text, cut, "anchors", 1, &why));
    for (size_t i = 0; i < len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (char)(1u << bit));
            assert_null(state_text_open(text, len, "anchors", 1, &why));
            text[i] = (char)(text[i] ^ (char)(1u << bit));
        }
    char *longer = NULL;
    assert_true(asprintf(&longer, "%s\n", text) > 0);
    assert_null(state_text_open(longer, len + 1, "anchors", 1, &why));
    free(longer);
    free(text);
}

static void other_versions_and_names_are_refused(void **state)
{
    (void)state;
    const char *why = NULL;
    char *text = state_text_close("anchors", 2, NEW);
    assert_null(state_text_open(text, strlen(text), "anchors", 1, &why));
    assert_string_equal(why, "it is of a version that is not known here");
    assert_null(state_text_open(text, strlen(text), "clock", 2, &why));
    free(text);
    text = state_text_close("anchors", 1, "");
    char *body = state_text_open(text, strlen(text), "anchors", 1, &why);
    assert_string_equal(body, "");
    free(body);
    free(text);
}

static void what_is_no_file_is_refused_and_absence_is_none(void **state)
{
    (void)state;
    char *body = NULL;
    char path[64];
    char error[STATE_ERROR_MAX] = "";
    assert_int_equal(state_file_read(directory, "clock", 1, &body, error), STATE_ABSENT);
    assert_int_equal(state_file_read("/nonexistent", "clock", 1, &body, error), STATE_REFUSED);
    (void)snprintf(path, sizeof path, "%s/clock", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(state_file_read(directory, "clock", 1, &body, error), STATE_REFUSED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("anchors", path), 0);
    assert_int_equal(state_file_read(directory, "clock", 1, &body, error), STATE_REFUSED);
    assert_int_equal(unlink(path), 0);
    FILE *file = fopen(path, "w");
    assert_int_equal(ftruncate(fileno(file), STATE_FILE_MAX + 1), 0);
    (void)fclose(file);
    assert_int_equal(state_file_read(directory, "clock", 1, &body, error), STATE_REFUSED);
    assert_non_null(strstr(error, "1 MiB"));
    assert_int_equal(unlink(path), 0);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[64];
    (void)snprintf(path, sizeof path, "%s/anchors", directory);
    return unlink(path) == 0 && rmdir(directory) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_anywhere_it_is_the_old_or_the_new),
        cmocka_unit_test(a_full_disk_leaves_the_old_one),
        cmocka_unit_test(every_cut_and_every_flip_is_seen),
        cmocka_unit_test(other_versions_and_names_are_refused),
        cmocka_unit_test(what_is_no_file_is_refused_and_absence_is_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
