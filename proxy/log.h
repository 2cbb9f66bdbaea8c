/* SPDX-License-Identifier: MIT */
/* Lines on stderr, one fact each, for a person, the journal or a machine. */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

#include "proxy/config.h"

#include <uv.h>

#define LOG_KINDS 64u
#define LOG_LINES_A_SECOND 10u /* of one kind */

struct log_kind {
    const char *format; /* its address is what makes lines of one kind */
    uint64_t second;
    uint32_t lines, dropped;
};

/* Shared by all threads. */
struct log {
    int fd;
    enum log_level level;
    enum log_format format;
    uv_mutex_t lock; /* guards kind; held for a look-up, never across a write */
    struct log_kind kind[LOG_KINDS];
};

/* AUTO becomes JOURNAL when systemd says that `fd` leads there, else TEXT. False: no lock. */
bool log_init(struct log *log, int fd, enum log_level level, enum log_format format);
void log_deinit(struct log *log);

/* One write(2) a line, so that lines of several threads stay whole. More than LOG_LINES_A_SECOND
 * of one kind are left out, and counted in the next one. `format` must be a literal. */
__attribute__((format(printf, 3, 4))) void log_write(struct log *log, enum log_level level,
                                                     const char *format, ...);

#endif
