// SPDX-License-Identifier: MIT
#include "proxy/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_ 1024u
#define LINES_A_SECOND 50u

static const char *const words[] = {"error", "warning", "info", "debug"};
static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3), for the journal */

void log_init(struct log *log, enum log_level level, enum log_format format)
{
    if (format == LOG_FORMAT_AUTO)
        format = getenv("JOURNAL_STREAM") ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
    log->level = level;
    log->format = format;
    atomic_init(&log->second, 0);
    atomic_init(&log->lines, 0);
    atomic_init(&log->dropped, 0);
}

/* A storm of lines tells no more than its first ones. Errors always pass. */
static bool pass(struct log *log, enum log_level level, uint32_t *dropped)
{
    uint64_t now = (uint64_t)time(NULL);
    *dropped = 0;
    if (atomic_exchange_explicit(&log->second, now, memory_order_relaxed) != now) {
        atomic_store_explicit(&log->lines, 0, memory_order_relaxed);
        *dropped = atomic_exchange_explicit(&log->dropped, 0, memory_order_relaxed);
    }
    uint32_t lines = atomic_fetch_add_explicit(&log->lines, 1, memory_order_relaxed);
    if (level == LOG_LEVEL_ERROR || lines < LINES_A_SECOND)
        return true;
    atomic_fetch_add_explicit(&log->dropped, 1, memory_order_relaxed);
    return false;
}

/* What a terminal or a JSON reader could take amiss becomes '?'. */
static void clean(char *text, bool json)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f ||
            (json && (*text == '"' || *text == '\\')))
            *text = '?';
}

static int frame(const struct log *log, enum log_level level, const char *text, char *line)
{
    switch (log->format) {
    case LOG_FORMAT_JOURNAL: return snprintf(line, LINE_MAX_, "<%d>%s\n", priorities[level], text);
    case LOG_FORMAT_JSON:
        return snprintf(line, LINE_MAX_, "{\"ts\":%lld,\"level\":\"%s\",\"msg\":\"%s\"}\n",
                        (long long)time(NULL), words[level], text);
    case LOG_FORMAT_AUTO:
    case LOG_FORMAT_TEXT: break;
    }
    return snprintf(line, LINE_MAX_, "veridoh: %s%s%s\n",
                    level == LOG_LEVEL_INFO ? "" : words[level],
                    level == LOG_LEVEL_INFO ? "" : ": ", text);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    char text[LINE_MAX_ - 96];
    char line[LINE_MAX_];
    uint32_t dropped;
    if (level > log->level || !pass(log, level, &dropped))
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t off = n > 0 && (size_t)n < sizeof text ? (size_t)n : strlen(text);
    if (dropped > 0)
        (void)snprintf(text + off, sizeof text - off, " (and %u lines that were left out)",
                       dropped);
    clean(text, log->format == LOG_FORMAT_JSON);
    n = frame(log, level, text, line);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nobody to tell */
}
