// SPDX-License-Identifier: MIT
#include "proxy/health.h"

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

static void add_upstreams(struct health *h, const struct doh_pool *pool)
{
    struct doh_upstream_status status[DOH_UPSTREAMS_MAX];
    uint32_t count = doh_pool_status(pool, status, DOH_UPSTREAMS_MAX);
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
    bool right = !parts->clock_wrong || !*parts->clock_wrong;
    add(h, "root_keys=%s clock=%s", tags, right ? "right" : "wrong");
}

void health_fill(struct health *h, const struct server_parts *parts,
                 const struct server_stats *server, uint64_t uptime_s)
{
    struct resolver_stats r;
    struct cache_stats c = cache_stats(parts->cache);
    resolver_stats(parts->resolver, &r);
    h->count = 0;
    add(h, "ok");
    add(h, "uptime_s=%" PRIu64 " workers=%u", uptime_s, parts->config->workers);
    add(h,
        "questions=%" PRIu64 " hits=%" PRIu64 " local=%" PRIu64 " refused=%" PRIu64
        " malformed=%" PRIu64 " dropped=%" PRIu64,
        server->questions, server->hits, server->local, server->refused, server->malformed,
        server->dropped);
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
    add_upstreams(h, parts->pool);
}
