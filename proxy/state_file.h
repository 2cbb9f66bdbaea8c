/* SPDX-License-Identifier: MIT */
/* Small texts in the state directory, each in a file of its own:
 *
 *   veridoh NAME VERSION
 *   … lines …
 *   sha256 HEX            of all that stands before
 *
 * A file is replaced as a whole (temporary file, fsync, rename, fsync of the directory): whenever
 * the process or the machine stops, what is found afterwards is the old text or the new one. What
 * is found otherwise (torn, longer than allowed, of an unknown version, changed by hand) is
 * refused. All calls may block on the disk. */
#ifndef PROXY_STATE_FILE_H
#define PROXY_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define STATE_FILE_MAX (1u << 20) /* octets, all of it */
#define STATE_ERROR_MAX 256u

/* `body` is whole lines. False, and why in `error`. */
bool state_file_write(const char *directory, const char *name, unsigned version, const char *body,
                      char error[static STATE_ERROR_MAX]);

/* STATE_READ: *ret_body is the lines, malloc()ed. STATE_REFUSED: why in `error`. */
enum state_found { STATE_READ, STATE_ABSENT, STATE_REFUSED };
enum state_found state_file_read(const char *directory, const char *name, unsigned version,
                                 char **ret_body, char error[static STATE_ERROR_MAX]);

/* The reading half, for octets that are not in a file: NULL and why. */
char *state_text_open(const char *text, size_t len, const char *name, unsigned version,
                      const char **ret_why);
/* The writing half; malloc()ed, NULL when out of memory. */
char *state_text_close(const char *name, unsigned version, const char *body);

#endif
