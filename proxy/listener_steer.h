/* SPDX-License-Identifier: MIT */
/* Which of the workers' UDP sockets a question goes to. */
#ifndef PROXY_LISTENER_STEER_H
#define PROXY_LISTENER_STEER_H

#include <stdbool.h>
#include <stdint.h>

/* Left alone, the kernel chooses by addresses and ports: all questions of a forwarder before us,
 * which asks from one socket, would go to one worker. Steered, they are spread by the first octets
 * of the name asked for, so that equal questions of many clients still meet in one worker, which
 * asks upstream once for all of them.
 *
 * `fd` is bound, one of `count` sockets that share its address by SO_REUSEPORT; each of them may
 * say so, it holds for all. While fewer are open the kernel chooses as before. False: this kernel
 * cannot; then nothing is changed. */
bool listener_steer(int fd, uint32_t count);

#endif
