// SPDX-License-Identifier: MIT
#include "proxy/health.h"

#include "proxy/tally.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void add(struct health *h, const char *format, ...)
{
    va_list args;
    if (h->count == HEALTH_LINES_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(h->line[h->count++], HEALTH_LINE_MAX, format, args);
    va_end(args);
}

bool health_is_failing(const struct doh_upstream_status *s)
{
    bool is_back = s->connected && !s->backing_off && s->quarantine_ms == 0;
    return s->last_error[0] != '\0' && !is_back;
}

/* Why no name can be resolved, or NULL. Upstreams that only routes name do not count: they know
 * nothing of all other names. */
static const char *outage(const struct doh_upstream_status *status, uint32_t count)
{
    uint32_t asked = 0;
    uint32_t failing = 0;
    uint64_t answers = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (status[i].route_only)
            continue;
        asked++;
        failing += health_is_failing(&status[i]);
        answers += status[i].answers;
    }
    if (asked > 0 && failing == asked)
        return "no upstream answers";
    return asked > 0 && answers == 0 ? "no upstream has answered yet" : NULL;
}

static void add_upstreams(struct health *h, const struct doh_upstream_status *status,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct doh_upstream_status *s = &status[i];
        add(h,
            "upstream=%.40s connected=%d questions=%" PRIu64 " failures=%" PRIu64 " lies=%" PRIu64
            " rtt_ms=%u quarantine_ms=%u%s%.120s",
            s->name, s->connected, s->questions, s->failures, s->lies, s->rtt_ms, s->quarantine_ms,
            s->last_error[0] ? " error=" : "", s->last_error);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct doh_upstream_status *s = &status[i];
        add(h,
            "connections=%.40s handshakes=%" PRIu64 " resumed=%" PRIu64 " early=%" PRIu64
            " reused=%" PRIu64 " replays=%" PRIu64 " hedges=%" PRIu64,
            s->name, s->connects, s->resumed, s->early, s->reused, s->replays, s->hedges);
        add(h,
            "honesty=%.40s score=%u stripped=%" PRIu64 " bogus=%" PRIu64 " mismatched=%" PRIu64
            " filtered=%" PRIu64,
            s->name, s->honesty, s->stripped, s->bogus, s->mismatches, s->filtered);
    }
}

static bool clock_is_wrong(const struct server_parts *parts)
{
    return parts->clock_wrong && *parts->clock_wrong;
}

/* The root's keys that are trusted, and whether the clock is. */
static void add_anchors(struct health *h, const struct server_parts *parts)
{
    const struct val_anchors *anchors = resolver_anchors(parts->resolver);
    struct val_ds_set set = val_anchors_ds(anchors, &dns_root);
    char tags[HEALTH_LINE_MAX / 2] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < set.count && len + 8 < sizeof tags; i++) {
        struct dns_ds ds;
        if (dns_ds_read(dns_reader_init(set.rr[i].data, set.rr[i].len), &ds) == DNS_OK)
            len += (size_t)snprintf(tags + len, sizeof tags - len, "%s%u", len > 0 ? "," : "",
                                    ds.key_tag);
    }
    add(h, "root_keys=%s clock=%s", tags, clock_is_wrong(parts) ? "wrong" : "right");
}

static void add_verdict(struct health *h, const struct server_parts *parts,
                        const struct doh_upstream_status *status, uint32_t count)
{
    const char *why = outage(status, count);
    if (why)
        resolver_try(parts->resolver); /* clients may wait for it to end before they ask anything */
    if (clock_is_wrong(parts))
        add(h, "degraded: this machine's clock is wrong");
    else if (why)
        add(h, "degraded: %s", why);
    else
        add(h, "ok");
}

void health_fill(struct health *h, const struct server_parts *parts, uint64_t uptime_s)
{
    struct server_stats s;
    struct resolver_stats r;
    struct cache_stats c = cache_stats(parts->cache);
    struct doh_upstream_status status[DOH_UPSTREAMS_MAX];
    uint32_t count = doh_pool_status(parts->pool, status, DOH_UPSTREAMS_MAX);
    tally_sum(parts->tally, &s, &r);
    h->count = 0;
    add_verdict(h, parts, status, count);
    add(h, "uptime_s=%" PRIu64 " workers=%u", uptime_s, parts->config->workers);
    add(h,
        "questions=%" PRIu64 " hits=%" PRIu64 " local=%" PRIu64 " refused=%" PRIu64
        " malformed=%" PRIu64 " dropped=%" PRIu64,
        s.questions, s.hits, s.local, s.refused, s.malformed, s.dropped);
    add(h,
        "secure=%" PRIu64 " insecure=%" PRIu64 " bogus=%" PRIu64 " indeterminate=%" PRIu64
        " unvalidated=%" PRIu64 " joined=%" PRIu64 " disbelieved=%" PRIu64 " restored=%" PRIu64
        " synthesized=%" PRIu64 " stale=%" PRIu64 " prefetched=%" PRIu64,
        r.secure, r.insecure, r.bogus, r.indeterminate, r.unvalidated, r.joined, r.disbelieved,
        r.restored, r.synthesized, r.stale, r.prefetched);
    add(h, "signatures=%" PRIu64 " remembered=%" PRIu64, r.signatures, r.remembered);
    add(h,
        "cache_answers=%" PRIu64 " cache_zones=%" PRIu64 " cache_gaps=%" PRIu64
        " cache_bytes=%" PRIu64 " cache_hits=%" PRIu64 " cache_misses=%" PRIu64
        " cache_evictions=%" PRIu64,
        c.answers, c.zones, c.gaps, c.bytes, c.hits, c.misses, c.evictions);
    add_anchors(h, parts);
    if (parts->config->workers > 1)
        add(h, "upstreams_seen_by_worker=%u", parts->worker);
    add_upstreams(h, status, count);
}
