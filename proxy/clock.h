/* SPDX-License-Identifier: MIT */
/* The only place where time is read; everything below is told. */
#ifndef PROXY_CLOCK_H
#define PROXY_CLOCK_H

#include "proxy/resolver.h"

/* mono_ms from CLOCK_BOOTTIME (goes on through suspend), wall_s from CLOCK_REALTIME. */
struct resolver_clock clock_system(void);

#endif
