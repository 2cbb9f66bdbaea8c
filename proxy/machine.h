/* SPDX-License-Identifier: MIT */
/* What this machine, or the cgroup it granted us, has to give. */
#ifndef PROXY_MACHINE_H
#define PROXY_MACHINE_H

#include <stddef.h>
#include <stdint.h>

uint32_t machine_cpus(void); /* at least 1: affinity and cgroup quota, rounded up */
size_t machine_memory(void); /* octets: the cgroup's limit or the machine's */

#endif
