// SPDX-License-Identifier: MIT
#include "proxy/cli_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S 2

/* Leaves errno as it was. */
static void close_quietly(int fd)
{
    int reason = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = reason;
}

static int open_socket(const struct doh_address *at, int type)
{
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int fd = socket(at->sa.any.sa_family, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
        connect(fd, &at->sa.any, doh_address_len(at)) == 0)
        return fd;
    close_quietly(fd);
    return -1;
}

ssize_t cli_ask_udp(struct cli_exchange *e, int tries)
{
    ssize_t got = -1;
    int fd = open_socket(e->at, SOCK_DGRAM);
    for (int i = 0; fd >= 0 && got < 0 && i < tries; i++)
        if (send(fd, e->query, e->len, 0) == (ssize_t)e->len)
            got = recv(fd, e->answer, sizeof e->answer, 0);
    close_quietly(fd);
    return got;
}

static bool receive_all(int fd, uint8_t *buf, size_t len)
{
    for (size_t off = 0; off < len;) {
        ssize_t n = recv(fd, buf + off, len - off, 0);
        if (n == 0)
            errno = ECONNRESET; /* in the middle of an answer */
        if (n <= 0)
            return false;
        off += (size_t)n;
    }
    return true;
}

ssize_t cli_ask_tcp(struct cli_exchange *e)
{
    uint8_t frame[sizeof e->query + 2];
    ssize_t got = -1;
    int fd = open_socket(e->at, SOCK_STREAM);
    frame[0] = (uint8_t)(e->len >> 8);
    frame[1] = (uint8_t)e->len;
    memcpy(frame + 2, e->query, e->len);
    if (fd >= 0 && send(fd, frame, e->len + 2, MSG_NOSIGNAL) == (ssize_t)e->len + 2 &&
        receive_all(fd, frame, 2)) {
        size_t len = (size_t)frame[0] << 8 | frame[1];
        if (receive_all(fd, e->answer, len)) /* has room for any length */
            got = (ssize_t)len;
    }
    close_quietly(fd);
    return got;
}
