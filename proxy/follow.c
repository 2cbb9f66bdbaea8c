// SPDX-License-Identifier: MIT
#include "proxy/follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS 10000u
#define SAY_AGAIN_S 3600u
#define SAVE_S 3600u
#define TAGS_MAX 12u /* as many as a label has room for */
#define TABLE_MAX 256u
#define TYPE_NULL 10u /* RFC 1035 3.3.10; asked for here and nowhere else */

/*            due           proven answer   no proof          raw answer or none
 * IDLE       ASK_PROVEN    -               -                 -
 * ASK_PROVEN -             look, IDLE      ASK_RAW           -
 * ASK_RAW    -             -               -                 look, IDLE
 *
 * What the resolver cannot prove is looked at raw: it may be the last key's revocation, which
 * nobody else has signed. */
struct looking {
    struct follow *follow;
    uint32_t index; /* of the zone */
    struct resolver_ask *ask;
};

struct saving { /* on a thread of the pool, for disks are slow */
    uv_work_t work;
    struct follow *follow;
    char *anchors, *clock; /* or NULL */
    uint64_t clock_s;
};

struct follow {
    const struct config *config;
    struct resolver *resolver;
    struct resolver_clock clock;
    struct cache *cache;
    struct trust *trust;
    struct log *log;
    uv_timer_t tick;
    struct looking *looking; /* one for each zone that is followed */
    uint32_t count;
    struct resolver_ask *signal;
    struct saving saving;
    bool is_saving, keys_changed;
    bool untrusted;   /* as it was at the last tick */
    uint64_t said_ms; /* when that was said */
    uint64_t proven;  /* secure answers of the resolver, at the last save */
    uint64_t saved_s; /* of the clock; 0: not yet by this process */
    bool closing, timer_closed;
};

static struct cache_now now_of(const struct follow *f)
{
    return f->clock.now(f->clock.arg);
}

/* --- the clock ------------------------------------------------------------------------------- */

static void date_text(uint64_t moment_s, char text[static 32])
{
    struct tm tm;
    time_t t = (time_t)moment_s;
    if (!gmtime_r(&t, &tm) || strftime(text, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        (void)snprintf(text, 32, "%" PRIu64, moment_s);
}

static void say_untrusted(const struct follow *f)
{
    char says[32];
    char floor[32];
    date_text((uint64_t)time(NULL), says);
    date_text(clock_floor_s(trust_clock(f->trust)), floor);
    log_write(
        f->log, LOG_LEVEL_ERROR,
        "the clock is wrong: it says %s, before %s, which is this program's build date or the "
        "time last saved; until it is right only validation.time-names are answered, "
        "unproven, and routes",
        says, floor);
}

/* Once, and then every hour. */
static bool clock_is_right(struct follow *f)
{
    uint64_t mono_ms = now_of(f).mono_ms;
    bool right = clock_trusted(trust_clock(f->trust));
    if (!right && (!f->untrusted || mono_ms - f->said_ms >= SAY_AGAIN_S * UINT64_C(1000))) {
        say_untrusted(f);
        f->said_ms = mono_ms;
    }
    if (right && f->untrusted) {
        struct resolver_stats stats;
        char says[32];
        date_text(now_of(f).wall_s, says);
        log_write(f->log, LOG_LEVEL_WARNING, "the clock is right again: it says %s", says);
        resolver_stats(f->resolver, &stats);
        f->proven = stats.secure; /* what was proven with the floor's time proves no time */
    }
    f->untrusted = !right;
    return right;
}

/* --- keeping --------------------------------------------------------------------------------- */

static void save(struct follow *f);

static void free_when_done(struct follow *f)
{
    if (!f->timer_closed || f->is_saving)
        return;
    free(f->looking);
    free(f);
}

static void on_save(uv_work_t *work)
{
    struct saving *s = work->data;
    /* First the time: keys seen later than that would be refused as the future's, revocations with
     * them, by a machine that starts with a wrong clock. */
    if (s->clock)
        (void)trust_write_clock(s->follow->trust, s->clock, s->clock_s);
    if (s->anchors)
        (void)trust_write_anchors(s->follow->trust, s->anchors); /* said there */
}

static void on_saved(uv_work_t *work, int status)
{
    struct saving *s = work->data;
    struct follow *f = s->follow;
    (void)status; /* nothing cancels it */
    free(s->anchors);
    free(s->clock);
    f->is_saving = false;
    if (f->closing)
        free_when_done(f);
    else if (f->keys_changed)
        save(f);
}

/* Signatures have proven the time right since it was saved. */
static bool clock_is_proven(const struct follow *f)
{
    struct resolver_stats stats;
    resolver_stats(f->resolver, &stats);
    return clock_trusted(trust_clock(f->trust)) && !f->untrusted && stats.secure > f->proven;
}

static bool clock_is_due(struct follow *f, uint64_t now_s)
{
    struct resolver_stats stats;
    if (!clock_is_proven(f) || (f->saved_s > 0 && now_s < f->saved_s + SAVE_S))
        return false;
    resolver_stats(f->resolver, &stats);
    f->proven = stats.secure;
    f->saved_s = now_s;
    return true;
}

static void save(struct follow *f)
{
    uint64_t now_s = now_of(f).wall_s;
    if (!trust_keeps(f->trust) || f->is_saving)
        return;
    bool clock = clock_is_due(f, now_s);
    if (!clock && !f->keys_changed)
        return;
    f->saving = (struct saving){.follow = f, .clock_s = now_s};
    f->saving.anchors = f->keys_changed ? trust_anchors_body(f->trust) : NULL;
    f->saving.clock = clock ? trust_clock_body(now_s) : NULL;
    f->saving.work.data = &f->saving;
    f->keys_changed = false;
    f->is_saving = uv_queue_work(f->tick.loop, &f->saving.work, on_save, on_saved) == 0;
}

/* --- key tags (RFC 8145) --------------------------------------------------------------------- */

static int compare_tags(const void *left, const void *right)
{
    return (int)*(const uint16_t *)left - (int)*(const uint16_t *)right;
}

static uint32_t tags_of(const struct val_anchors *anchors, const struct dns_name *zone,
                        uint16_t ret[static TAGS_MAX])
{
    struct val_ds_set set = val_anchors_ds(anchors, zone);
    uint32_t count = 0;
    for (uint32_t i = 0; i < set.count && count < TAGS_MAX; i++) {
        struct dns_ds ds;
        bool known = dns_ds_read(dns_reader_init(set.rr[i].data, set.rr[i].len), &ds) != DNS_OK;
        for (uint32_t j = 0; j < count; j++)
            known = known || ret[j] == ds.key_tag;
        if (!known)
            ret[count++] = ds.key_tag;
    }
    qsort(ret, count, sizeof *ret, compare_tags);
    return count;
}

bool follow_key_tag_name(const struct val_anchors *anchors, const struct dns_name *zone,
                         struct dns_name *ret)
{
    uint16_t tags[TAGS_MAX];
    char label[64] = "_ta";
    uint32_t count = tags_of(anchors, zone, tags);
    size_t len = strlen(label);
    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(label + len, sizeof label - len, "-%04x", tags[i]);
    return count > 0 && dns_name_prepend(label, len, zone, ret) == DNS_OK;
}

static void on_signalled(void *arg, const struct resolver_answer *answer)
{
    struct follow *f = arg;
    (void)answer; /* RFC 8145 5.3: the answer says nothing */
    f->signal = NULL;
}

static void signal_tags(struct follow *f)
{
    const struct val_anchors *anchors = trust_anchors(f->trust);
    struct dns_question question = {.type = TYPE_NULL, .class_ = DNS_CLASS_IN};
    struct resolver_question q = {
        .question = &question, .checking_disabled = true, .past_cache = true};
    if (!f->signal && follow_key_tag_name(anchors, &dns_root, &question.name))
        f->signal = resolver_ask(f->resolver, &q, on_signalled, f);
    val_anchors_unref(anchors);
}

/* --- looking at keys ------------------------------------------------------------------------- */

static void on_change(void *arg, const struct dns_name *zone, uint16_t tag,
                      enum val_rollover_state from, enum val_rollover_state to)
{
    struct follow *f = arg;
    char name[DNS_NAME_TEXT_MAX];
    bool loud = to == VAL_ROLLOVER_REVOKED || to == VAL_ROLLOVER_MISSING;
    (void)dns_name_text(zone, name);
    log_write(f->log, loud ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
              "trust anchor of %s: key tag %u was %s, is %s", name, tag,
              val_rollover_state_text(from), val_rollover_state_text(to));
}

static void renew(struct follow *f)
{
    if (trust_renew(f->trust, now_of(f).wall_s))
        cache_flush(f->cache); /* nothing stays that a withdrawn key may have proven */
}

static void look(struct looking *l, const struct dns_msg *msg)
{
    struct follow *f = l->follow;
    const struct val_rollover_how how = {&f->config->policy, &f->config->limits, on_change, f};
    enum val_rollover_seen seen = VAL_ROLLOVER_FAILED;
    if (clock_trusted(trust_clock(f->trust)))
        seen = val_rollover_see(trust_rollover(f->trust), l->index, msg, now_of(f).wall_s, &how);
    if (seen == VAL_ROLLOVER_CHANGED)
        renew(f);
    f->keys_changed = f->keys_changed || seen != VAL_ROLLOVER_FAILED;
    save(f);
}

static bool ask(struct looking *l, bool raw, resolver_done_fn *done)
{
    struct follow *f = l->follow;
    struct dns_question question = {.name = *val_rollover_zone(trust_rollover(f->trust), l->index),
                                    .type = DNS_TYPE_DNSKEY,
                                    .class_ = DNS_CLASS_IN};
    struct resolver_question q = {
        .question = &question, .checking_disabled = raw, .past_cache = true};
    l->ask = resolver_ask(f->resolver, &q, done, l);
    return l->ask != NULL;
}

static void look_at_wire(struct looking *l, const struct resolver_answer *answer)
{
    struct dns_rr table[TABLE_MAX];
    struct dns_msg msg;
    bool ok =
        answer->wire && dns_msg_read(answer->wire, answer->len, table, TABLE_MAX, &msg) == DNS_OK;
    look(l, ok ? &msg : NULL);
}

static void on_raw(void *arg, const struct resolver_answer *answer)
{
    struct looking *l = arg;
    l->ask = NULL;
    look_at_wire(l, answer);
}

static void on_proven(void *arg, const struct resolver_answer *answer)
{
    struct looking *l = arg;
    l->ask = NULL;
    if (answer->status == VAL_SECURE)
        look_at_wire(l, answer);
    else if (!ask(l, true, on_raw))
        look(l, NULL);
}

/* A clock that was set back must not put the next look off for years. */
static bool is_due(const struct follow *f, uint32_t index, uint64_t now_s)
{
    uint64_t due_s = val_rollover_due_s(trust_rollover(f->trust), index);
    return due_s <= now_s || due_s > now_s + 15 * VAL_ROLLOVER_DAY_S;
}

static void look_where_due(struct follow *f)
{
    uint64_t now_s = now_of(f).wall_s;
    for (uint32_t i = 0; i < f->count; i++) {
        struct looking *l = &f->looking[i];
        if (l->ask || !is_due(f, i, now_s))
            continue;
        if (f->config->signal_key_tags &&
            val_rollover_zone(trust_rollover(f->trust), i)->labels == 0)
            signal_tags(f); /* RFC 8145 5.2: beside the question for the keys */
        if (!ask(l, false, on_proven))
            look(l, NULL);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct follow *f = timer->data;
    if (!clock_is_right(f))
        return;
    if (now_of(f).wall_s >= trust_until_s(f->trust))
        renew(f);
    look_where_due(f);
    save(f);
}

/* --- life ------------------------------------------------------------------------------------ */

struct follow *follow_open(uv_loop_t *loop, const struct config *config, struct resolver *resolver,
                           struct cache *cache, struct trust *trust, struct log *log)
{
    struct follow *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->config = config;
    f->resolver = resolver;
    f->cache = cache;
    f->trust = trust;
    f->log = log;
    f->clock = clock_guarded(trust_clock(trust));
    f->count = trust_rollover(trust) ? val_rollover_count(trust_rollover(trust)) : 0;
    f->looking = calloc(f->count + 1u, sizeof *f->looking);
    if (!f->looking) {
        free(f);
        return NULL;
    }
    for (uint32_t i = 0; i < f->count; i++)
        f->looking[i] = (struct looking){.follow = f, .index = i};
    (void)uv_timer_init(loop, &f->tick); /* cannot fail, nor can the start */
    f->tick.data = f;
    (void)uv_timer_start(&f->tick, on_tick, 0, TICK_MS);
    return f;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct follow *f = handle->data;
    f->timer_closed = true;
    free_when_done(f);
}

void follow_close(struct follow *f)
{
    f->closing = true;
    if (clock_is_proven(f))
        trust_set_proven(f->trust);
    for (uint32_t i = 0; i < f->count; i++)
        if (f->looking[i].ask)
            resolver_cancel(f->looking[i].ask);
    if (f->signal)
        resolver_cancel(f->signal);
    uv_close((uv_handle_t *)&f->tick, on_timer_closed);
}
