// SPDX-License-Identifier: MIT
/* Preloaded: adds the seconds that the file $MOVED_TIME names to the wall clock of a program, and
 * looks anew each time, so that a test moves time while the program runs. Clocks that only count on
 * stay as they are. By bare system calls, for it is there before anything else, a sanitizer's
 * runtime too. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void)
{
    char text[32];
    long value = 0;
    long sign = 1;
    const char *path = getenv("MOVED_TIME");
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    long len = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[len > 0 ? len : 0] = '\0';
    const char *p = text;
    if (*p == '-') {
        sign = -1;
        p++;
    }
    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    return sign * value;
}

int clock_gettime(clockid_t which, struct timespec *ret)
{
    long status = syscall(SYS_clock_gettime, which, ret);
    if (status == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        ret->tv_sec += offset_s();
    return (int)status;
}

time_t time(time_t *ret)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}
