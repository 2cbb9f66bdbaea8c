// SPDX-License-Identifier: MIT
#include "proxy/log.h"

#include "dns/text_out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 800u
#define FRAME_MAX (6u * TEXT_MAX + 128u) /* every octet as \u0000 */

static const char *const words[] = {"error", "warning", "info", "debug"};
static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3), for the journal */

/* systemd.exec(5): JOURNAL_STREAM is inherited by children whose stderr leads elsewhere; so it
 * counts only when it names the very file. */
static bool leads_to_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uint64_t device = 0;
    uint64_t inode = 0;
    struct stat st;
    return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
           fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

bool log_init(struct log *log, int fd, enum log_level level, enum log_format format)
{
    if (format == LOG_FORMAT_AUTO)
        format = leads_to_journal(fd) ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
    *log = (struct log){.fd = fd, .level = level, .format = format};
    return uv_mutex_init(&log->lock) == 0;
}

void log_deinit(struct log *log)
{
    uv_mutex_destroy(&log->lock);
}

/* --- how much -------------------------------------------------------------------------------- */

/* Its own place, or that of the kind that has been silent for longest. */
static struct log_kind *kind_of(struct log *log, const char *format)
{
    struct log_kind *oldest = &log->kind[0];
    for (unsigned i = 0; i < LOG_KINDS; i++) {
        if (log->kind[i].format == format)
            return &log->kind[i];
        if (log->kind[i].second < oldest->second)
            oldest = &log->kind[i];
    }
    *oldest = (struct log_kind){.format = format};
    return oldest;
}

/* A storm of lines tells no more than its first ones. */
static bool pass(struct log *log, const char *format, uint64_t second, uint32_t *ret_dropped)
{
    uv_mutex_lock(&log->lock);
    struct log_kind *kind = kind_of(log, format);
    *ret_dropped = 0;
    if (kind->second != second) {
        *ret_dropped = kind->dropped;
        kind->second = second;
        kind->lines = kind->dropped = 0;
    }
    bool ok = kind->lines < LOG_LINES_A_SECOND;
    if (ok)
        kind->lines++;
    else
        kind->dropped++;
    uv_mutex_unlock(&log->lock);
    return ok;
}

/* --- in what form ---------------------------------------------------------------------------- */

/* Control characters could forge a line or talk to a terminal. */
static void put_plain(struct dns_text *t, const char *text)
{
    for (; *text; text++)
        dns_text_put(t, "%c", (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void put_json(struct dns_text *t, const char *text)
{
    for (; *text; text++) {
        unsigned char octet = (unsigned char)*text;
        if (octet < 0x20 || octet > 0x7e) /* octets from outside need not be UTF-8 */
            dns_text_put(t, "\\u%04x", octet);
        else
            dns_text_put(t, octet == '"' || octet == '\\' ? "\\%c" : "%c", octet);
    }
}

static void put_line(struct dns_text *t, const struct log *log, enum log_level level,
                     uint64_t second, const char *text)
{
    switch (log->format) {
    case LOG_FORMAT_JSON:
        dns_text_put(t, "{\"time\":%" PRIu64 ",\"level\":\"%s\",\"message\":\"", second,
                     words[level]);
        put_json(t, text);
        dns_text_put(t, "\"}\n");
        return;
    case LOG_FORMAT_JOURNAL: dns_text_put(t, "<%d>", priorities[level]); break;
    case LOG_FORMAT_AUTO:
    case LOG_FORMAT_TEXT:
        dns_text_put(t, "veridoh: ");
        if (level != LOG_LEVEL_INFO)
            dns_text_put(t, "%s: ", words[level]);
        break;
    }
    put_plain(t, text);
    dns_text_put(t, "\n");
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    char text[TEXT_MAX];
    char line[FRAME_MAX];
    uint64_t second = (uint64_t)time(NULL);
    uint32_t dropped;
    if (level > log->level || !pass(log, format, second, &dropped))
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text - 64, format, args);
    va_end(args);
    if (len < 0)
        return;
    if (dropped > 0)
        (void)snprintf(text + strlen(text), 64, " (and %u more like this)", dropped);
    struct dns_text t = dns_text_init(line, sizeof line);
    put_line(&t, log, level, second, text);
    if (write(log->fd, line, t.off) < 0)
        return; /* there is nobody left to tell */
}
