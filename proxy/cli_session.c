// SPDX-License-Identifier: MIT
#include "proxy/cli_session.h"

#include "proxy/cli.h"
#include "proxy/trust.h"

#include <openssl/rand.h>

#include <stdio.h>

struct session {
    uv_loop_t loop;
    struct doh_shared *shared;
    struct doh_pool *pool;
    struct cache *cache;
    struct trust *trust;
    struct resolver_clock clock;
    struct resolver *resolver;
    resolver_done_fn *done;
    void *arg;
};

static void on_event(void *arg, enum doh_event_level level, const char *text)
{
    (void)arg;
    if (level >= DOH_EVENT_WARNING)
        (void)fprintf(stderr, "veridoh: %s\n", text);
}

static void on_pool_closed(void *arg)
{
    (void)arg; /* the loop runs out of handles and ends */
}

static void on_resolver_closed(void *arg)
{
    struct session *s = arg;
    doh_pool_close(s->pool, on_pool_closed, s);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct session *s = arg;
    s->done(s->arg, answer);
    resolver_close(s->resolver, on_resolver_closed, s);
}

static bool open_session(struct session *s, const struct config *config, const char *config_path)
{
    struct doh_fault fault;
    uint8_t seed[16];
    if (RAND_bytes(seed, sizeof seed) != 1) {
        (void)fprintf(stderr, "veridoh: no random numbers\n");
        return false;
    }
    s->shared = doh_shared_new(&config->doh, &fault);
    if (!s->shared) {
        config_say_fault(config_path, &fault, stderr);
        return false;
    }
    s->trust = trust_open(config, NULL);
    if (!s->trust) {
        (void)fprintf(stderr, "veridoh: out of memory\n");
        return false;
    }
    if (!clock_trusted(trust_clock(s->trust)))
        (void)fprintf(stderr, "veridoh: this machine's clock is wrong; proving as of the earliest "
                              "time that it can be\n");
    doh_shared_not_before(s->shared, clock_floor_s(trust_clock(s->trust)));
    s->clock = clock_guarded(trust_clock(s->trust));
    s->cache = cache_new(&config->cache, seed);
    s->pool = s->cache ? doh_pool_new(&s->loop, s->shared, on_event, s) : NULL;
    s->resolver = s->pool ? resolver_new(&s->loop, config, s->cache, s->pool, &s->clock) : NULL;
    if (s->resolver)
        resolver_use_trust(s->resolver, s->trust);
    else
        (void)fprintf(stderr, "veridoh: out of memory\n");
    return s->resolver != NULL;
}

int cli_session_ask(const struct config *config, const char *config_path,
                    const struct resolver_question *question, resolver_done_fn *done, void *arg)
{
    struct session s = {.done = done, .arg = arg};
    int status = CLI_EX_UNAVAILABLE;
    if (uv_loop_init(&s.loop) != 0)
        return status;
    if (open_session(&s, config, config_path)) {
        if (resolver_ask(s.resolver, question, on_answer, &s))
            status = 0;
        else
            resolver_close(s.resolver, on_resolver_closed, &s);
    } else if (s.pool) {
        doh_pool_close(s.pool, on_pool_closed, &s);
    }
    (void)uv_run(&s.loop, UV_RUN_DEFAULT); /* until the last handle has closed */
    (void)uv_loop_close(&s.loop);
    trust_free(s.trust);
    if (s.shared)
        doh_shared_free(s.shared);
    if (s.cache)
        cache_free(s.cache);
    return status;
}
