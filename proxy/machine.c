// SPDX-License-Identifier: MIT
#include "proxy/machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first line of a small file under the cgroup mount; inside a container that is its own. */
static int first_line(const char *path, char line[static 128])
{
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    int ok = fgets(line, 128, f) != NULL;
    (void)fclose(f); /* only read from */
    return ok;
}

/* CPUs of the quota, rounded up, or 0 without one. */
static uint32_t quota_cpus(void)
{
    char line[128];
    int64_t quota = -1;
    int64_t period = 0;
    if (first_line("/sys/fs/cgroup/cpu.max",
                   line)) { /* cgroup v2: "max 100000" or "50000 100000" */
        if (sscanf(line, "%" SCNd64 " %" SCNd64, &quota, &period) != 2)
            return 0;
    } else if (first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line)) { /* v1 */
        if (sscanf(line, "%" SCNd64, &quota) != 1 ||
            !first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", line) ||
            sscanf(line, "%" SCNd64, &period) != 1)
            return 0;
    }
    if (quota <= 0 || period <= 0 || quota / period >= 1024)
        return 0;
    return (uint32_t)((quota + period - 1) / period);
}

uint32_t machine_cpus(void)
{
    cpu_set_t set;
    uint32_t cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
    uint32_t quota = quota_cpus();
    if (quota > 0 && quota < cpus)
        cpus = quota;
    return cpus > 0 ? cpus : 1;
}

size_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 1u << 30;
    char line[128];
    uint64_t limit = 0;
    if ((first_line("/sys/fs/cgroup/memory.max", line) ||
         first_line("/sys/fs/cgroup/memory/memory.limit_in_bytes", line)) &&
        sscanf(line, "%" SCNu64, &limit) == 1 && limit > 0 && limit < memory)
        memory = limit;
    return (size_t)memory;
}
