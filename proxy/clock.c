// SPDX-License-Identifier: MIT
#include "proxy/clock.h"

#include <time.h>

static uint64_t mono_ms(void)
{
    struct timespec boot;
    (void)clock_gettime(CLOCK_BOOTTIME, &boot); /* cannot fail for clocks that every kernel has */
    return (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000;
}

static uint64_t system_s(void)
{
    struct timespec real;
    (void)clock_gettime(CLOCK_REALTIME, &real); /* likewise */
    return real.tv_sec > 0 ? (uint64_t)real.tv_sec : 0;
}

uint64_t clock_build_s(void)
{
    return VERIDOH_BUILD_S;
}

uint64_t clock_wall_s(void)
{
    uint64_t now_s = system_s();
    return now_s > clock_build_s() ? now_s : clock_build_s();
}

/* --- the floor ------------------------------------------------------------------------------- */

static uint64_t saved_of(const struct clock *clock)
{
    return __atomic_load_n(&clock->saved_s, __ATOMIC_RELAXED); /* a number on its own */
}

void clock_init(struct clock *clock, uint64_t saved_s)
{
    *clock = (struct clock){clock_build_s(), mono_ms(), saved_s};
}

void clock_saved(struct clock *clock, uint64_t saved_s)
{
    __atomic_store_n(&clock->saved_s, saved_s, __ATOMIC_RELAXED);
}

uint64_t clock_floor_s(const struct clock *clock)
{
    uint64_t saved_s = saved_of(clock);
    return saved_s > clock->build_s ? saved_s : clock->build_s;
}

static bool plausible(const struct clock *clock, uint64_t real_s)
{
    return real_s >= clock->build_s && real_s + CLOCK_SLACK_S >= saved_of(clock);
}

bool clock_trusted(const struct clock *clock)
{
    return plausible(clock, system_s());
}

/* --- what is told ---------------------------------------------------------------------------- */

static struct cache_now now(void *arg)
{
    (void)arg;
    return (struct cache_now){.mono_ms = mono_ms(), .wall_s = system_s()};
}

struct resolver_clock clock_system(void)
{
    return (struct resolver_clock){.now = now};
}

static struct cache_now guarded_now(void *arg)
{
    const struct clock *clock = arg;
    struct cache_now n = now(NULL);
    if (!plausible(clock, n.wall_s))
        n.wall_s = clock_floor_s(clock) + (n.mono_ms - clock->began_ms) / 1000;
    return n;
}

struct resolver_clock clock_guarded(struct clock *clock)
{
    return (struct resolver_clock){.now = guarded_now, .arg = clock};
}
