/* SPDX-License-Identifier: MIT */
/* The only place where time is read; everything below is told. A machine without a battery for its
 * clock, or with an empty one, starts in the past: then every certificate and every signature would
 * be "not yet valid", and NTP could not find its servers. So the clock is not trusted while it is
 * before this program's build date, or more than CLOCK_SLACK_S before the time that was saved last,
 * and that later one of both, the floor, is told instead: time goes on from there. */
#ifndef PROXY_CLOCK_H
#define PROXY_CLOCK_H

#include "proxy/resolver.h"

#define CLOCK_SLACK_S 3600u /* NTP and summer time may set a clock back that far */

/* One for all threads. */
struct clock {
    uint64_t build_s;  /* immutable */
    uint64_t began_ms; /* when the floor began to count; immutable */
    uint64_t
        saved_s; /* atomic: written by whoever saves, read by all; no other datum hangs on it */
};

/* Seconds since 1970 when the source was committed or packed (SOURCE_DATE_EPOCH). */
uint64_t clock_build_s(void);

/* The system's time, but no earlier than the build date: for what is done once, at the start. */
uint64_t clock_wall_s(void);

/* `saved_s` from the state directory, 0 when there is none. */
void clock_init(struct clock *clock, uint64_t saved_s);
void clock_saved(struct clock *clock, uint64_t saved_s); /* it has been saved anew */
bool clock_trusted(const struct clock *clock);
/* Before this, certificates and signatures are not judged. */
uint64_t clock_floor_s(const struct clock *clock);

/* mono_ms from CLOCK_BOOTTIME (goes on through suspend), wall_s from CLOCK_REALTIME. */
struct resolver_clock clock_system(void);
/* The same, but wall_s from the floor while the clock is not trusted. Borrows it. */
struct resolver_clock clock_guarded(struct clock *clock);

#endif
