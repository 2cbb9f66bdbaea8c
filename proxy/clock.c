// SPDX-License-Identifier: MIT
#include "proxy/clock.h"

#include <time.h>

static struct cache_now now(void *arg)
{
    (void)arg;
    struct timespec boot;
    struct timespec real;
    (void)clock_gettime(CLOCK_BOOTTIME, &boot); /* cannot fail for clocks that every kernel has */
    (void)clock_gettime(CLOCK_REALTIME, &real);
    return (struct cache_now){
        .mono_ms = (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000,
        .wall_s = real.tv_sec > 0 ? (uint64_t)real.tv_sec : 0,
    };
}

struct resolver_clock clock_system(void)
{
    return (struct resolver_clock){.now = now};
}
