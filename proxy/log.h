/* SPDX-License-Identifier: MIT */
/* Lines on stderr, one fact each. */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

#include "proxy/config.h"

/* Immutable after log_init() but for the rate limit; shared by all workers. */
struct log {
    enum log_level level;
    enum log_format format;
    /* Lines of this second: shared by the workers, counted with relaxed atomics, for a line more or
     * less does not matter. */
    _Atomic uint64_t second;
    _Atomic uint32_t lines, dropped;
};

void log_init(struct log *log, enum log_level level, enum log_format format);
__attribute__((format(printf, 3, 4))) void log_write(struct log *log, enum log_level level,
                                                     const char *format, ...);

#endif
