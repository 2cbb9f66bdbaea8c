// SPDX-License-Identifier: MIT
#include "proxy/trust.h"

#include "proxy/state_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION 1u                               /* of both texts */
#define PLAUSIBLE_S (UINT64_C(20) * 366 * 86400) /* nobody runs a build for longer */

struct trust {
    const struct config *config;
    struct log *log;
    struct clock clock;
    uv_mutex_t lock; /* guards `anchors`; held for taking a reference or changing the pointer */
    const struct val_anchors *anchors;
    uint64_t version; /* atomic: changed under the lock, read without */
    struct val_rollover *rollover;
    uint64_t until_s;
    bool keeps, proven;
};

#define SAY(trust, level, ...)                                                                     \
    do {                                                                                           \
        if ((trust)->log)                                                                          \
            log_write((trust)->log, level, __VA_ARGS__);                                           \
    } while (0)

static uint64_t now_of(struct trust *trust)
{
    struct resolver_clock clock = clock_guarded(&trust->clock);
    return clock.now(clock.arg).wall_s;
}

/* --- the anchors in use ---------------------------------------------------------------------- */

const struct val_anchors *trust_anchors(struct trust *trust)
{
    uv_mutex_lock(&trust->lock);
    const struct val_anchors *anchors = val_anchors_ref(trust->anchors);
    uv_mutex_unlock(&trust->lock);
    return anchors;
}

uint64_t trust_version(const struct trust *trust)
{
    /* Acquire, with the release in put(): the lock that a reader takes next orders the rest. */
    return __atomic_load_n(&trust->version, __ATOMIC_ACQUIRE);
}

static void put(struct trust *trust, const struct val_anchors *anchors)
{
    uv_mutex_lock(&trust->lock);
    const struct val_anchors *old = trust->anchors;
    trust->anchors = anchors;
    (void)__atomic_add_fetch(&trust->version, 1, __ATOMIC_RELEASE);
    uv_mutex_unlock(&trust->lock);
    val_anchors_unref(old);
}

static bool has(const struct val_anchors *anchors, const struct val_anchor *one)
{
    struct val_ds_set set = val_anchors_ds(anchors, &one->zone);
    for (uint32_t i = 0; i < set.count; i++)
        if (set.rr[i].len == one->ds.len && memcmp(set.rr[i].data, one->ds.data, one->ds.len) == 0)
            return true;
    return false;
}

bool trust_lacks_some_of(const struct val_anchors *now, const struct val_anchors *before)
{
    for (uint32_t i = 0; i < val_anchors_count(before); i++) {
        struct val_anchor one = val_anchors_at(before, i);
        if (!has(now, &one))
            return true;
    }
    return false;
}

/* Anchors without a key left are what an operator has to hear of. */
static void warn_of_closed(const struct trust *trust, const struct val_anchors *anchors)
{
    for (uint32_t i = 0; i < val_anchors_count(trust->config->anchors); i++) {
        struct val_anchor one = val_anchors_at(trust->config->anchors, i);
        char zone[DNS_NAME_TEXT_MAX];
        if (val_anchors_ds(anchors, &one.zone).count > 0)
            continue;
        (void)dns_name_text(&one.zone, zone);
        SAY(trust, LOG_LEVEL_ERROR,
            "trust anchor of %s (%s): no key is left; what is below it is %s", zone, one.source,
            val_anchors_above(anchors, &one.zone) ? "judged by the anchor above" : "refused");
    }
}

static struct val_anchors *make(struct trust *trust, uint64_t now_s)
{
    return trust->rollover ? val_rollover_anchors(trust->rollover, now_s, &trust->until_s)
                           : val_anchors_in_use(trust->config->anchors, now_s, &trust->until_s);
}

bool trust_renew(struct trust *trust, uint64_t now_s)
{
    struct val_anchors *made = make(trust, now_s);
    if (!made) {
        SAY(trust, LOG_LEVEL_ERROR, "trust anchors: out of memory; those in use stay");
        return false;
    }
    bool less =
        trust_lacks_some_of(made, trust->anchors); /* only this thread changes the pointer */
    put(trust, made);
    warn_of_closed(trust, made);
    return less;
}

uint64_t trust_until_s(const struct trust *trust)
{
    return trust->until_s;
}

struct val_rollover *trust_rollover(struct trust *trust)
{
    return trust->rollover;
}

struct clock *trust_clock(struct trust *trust)
{
    return &trust->clock;
}

/* --- what is kept ---------------------------------------------------------------------------- */

bool trust_keeps(const struct trust *trust)
{
    return trust->keeps;
}

char *trust_anchors_body(const struct trust *trust)
{
    return trust->rollover ? val_rollover_text(trust->rollover) : NULL;
}

char *trust_clock_body(uint64_t now_s)
{
    char *body = NULL;
    return asprintf(&body, "saved %" PRIu64 "\n", now_s) > 0 ? body : NULL;
}

static bool write_state(const struct trust *trust, const char *name, const char *body)
{
    char error[STATE_ERROR_MAX];
    bool ok = state_file_write(trust->config->state_directory, name, VERSION, body, error);
    if (!ok)
        SAY(trust, LOG_LEVEL_WARNING, "state not kept: %s", error);
    return ok;
}

bool trust_write_anchors(const struct trust *trust, const char *body)
{
    return write_state(trust, "anchors", body);
}

bool trust_write_clock(struct trust *trust, const char *body, uint64_t now_s)
{
    bool ok = write_state(trust, "clock", body);
    if (ok)
        clock_saved(&trust->clock, now_s);
    return ok;
}

void trust_set_proven(struct trust *trust)
{
    trust->proven = true;
}

void trust_save_at_end(struct trust *trust)
{
    uint64_t now_s = now_of(trust);
    char *anchors = trust->keeps ? trust_anchors_body(trust) : NULL;
    bool clock = trust->keeps && trust->proven && clock_trusted(&trust->clock);
    char *body = clock ? trust_clock_body(now_s) : NULL;
    if (anchors)
        (void)trust_write_anchors(trust, anchors); /* said there */
    if (body)
        (void)trust_write_clock(trust, body, now_s);
    free(anchors);
    free(body);
}

static bool saved_of(const char *body, uint64_t *ret)
{
    char *again = NULL;
    unsigned long long saved_s = 0;
    if (strncmp(body, "saved ", 6) == 0)
        saved_s = strtoull(body + 6, NULL, 10);
    again = trust_clock_body(saved_s); /* the one form there is */
    bool ok = again && strcmp(again, body) == 0 && saved_s < clock_build_s() + PLAUSIBLE_S;
    free(again);
    *ret = ok ? saved_s : 0;
    return ok;
}

/* Reads one text; NULL: there is none, or none that can be believed. */
static char *read_state(const struct trust *trust, const char *name)
{
    char error[STATE_ERROR_MAX];
    char *body = NULL;
    if (!trust->config->state_directory)
        return NULL;
    if (state_file_read(trust->config->state_directory, name, VERSION, &body, error) ==
        STATE_REFUSED)
        SAY(trust, LOG_LEVEL_WARNING, "state refused: %s; going on with what is configured", error);
    return body;
}

static uint64_t read_clock(const struct trust *trust)
{
    uint64_t saved_s = 0;
    char *body = read_state(trust, "clock");
    if (body && !saved_of(body, &saved_s))
        SAY(trust, LOG_LEVEL_WARNING,
            "state refused: %s/clock: no time that can be; going on "
            "without it",
            trust->config->state_directory);
    free(body);
    return saved_s;
}

static void read_anchors(struct trust *trust)
{
    char *body = read_state(trust, "anchors");
    const char *why = body ? val_rollover_read(trust->rollover, body, now_of(trust)) : NULL;
    if (why)
        SAY(trust, LOG_LEVEL_WARNING,
            "state refused: %s/anchors: %s; going on with the configured trust anchors",
            trust->config->state_directory, why);
    free(body);
}

static void look_at_directory(struct trust *trust)
{
    const char *directory = trust->config->state_directory;
    trust->keeps = directory && access(directory, W_OK | X_OK) == 0;
    if (!directory)
        SAY(trust, LOG_LEVEL_INFO,
            "no state directory: what is learnt of trust anchors and of the time is forgotten at "
            "the end (process.state-directory)");
    else if (!trust->keeps)
        SAY(trust, LOG_LEVEL_WARNING,
            "state directory %s cannot be written: what is learnt of trust anchors and of the time "
            "is forgotten at the end; going on with the configured trust anchors",
            directory);
}

/* --- life ------------------------------------------------------------------------------------ */

static void say_anchors(const struct trust *trust)
{
    for (uint32_t i = 0; i < val_anchors_count(trust->anchors); i++) {
        struct val_anchor one = val_anchors_at(trust->anchors, i);
        char zone[DNS_NAME_TEXT_MAX];
        struct dns_ds ds;
        (void)dns_name_text(&one.zone, zone);
        if (dns_ds_read(dns_reader_init(one.ds.data, one.ds.len), &ds) == DNS_OK)
            SAY(trust, LOG_LEVEL_DEBUG, "trust anchor of %s: key tag %u (%s)", zone, ds.key_tag,
                one.source);
    }
}

struct trust *trust_open(const struct config *config, struct log *log)
{
    struct trust *trust = calloc(1, sizeof *trust);
    if (!trust || uv_mutex_init(&trust->lock) != 0) {
        free(trust);
        return NULL;
    }
    trust->config = config;
    trust->log = log;
    look_at_directory(trust);
    clock_init(&trust->clock, read_clock(trust));
    if (config->rollover)
        trust->rollover = val_rollover_new(config->anchors);
    if (trust->rollover)
        read_anchors(trust);
    trust->anchors = config->rollover && !trust->rollover ? NULL : make(trust, now_of(trust));
    if (!trust->anchors) {
        trust_free(trust);
        return NULL;
    }
    warn_of_closed(trust, trust->anchors);
    say_anchors(trust);
    return trust;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    val_rollover_free(trust->rollover);
    val_anchors_unref(trust->anchors);
    uv_mutex_destroy(&trust->lock);
    free(trust);
}
