// SPDX-License-Identifier: MIT
/* bare PORT: the least a UDP server can do on this kernel: read a batch, put the same A record
 * behind each question, send the batch. No DNS work, so what it reaches is the machine's limit. */
#include <uv.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64u
#define OCTETS 2048u
#define RR_LEN 16u

struct bare {
    uv_poll_t poll;
    int fd;
    struct mmsghdr message[BATCH];
    struct iovec octets_of[BATCH];
    struct sockaddr_storage peer[BATCH];
    uint8_t octets[BATCH][OCTETS];
};

/* Length of the answer that is made in place, or 0. An OPT is cut off. */
static size_t answer(uint8_t *b, size_t len)
{
    static const uint8_t rr[RR_LEN] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1};
    size_t end = 12;
    if (len < 17 || len > OCTETS - RR_LEN)
        return 0;
    while (end < len && b[end] != 0)
        end += b[end] + 1u;
    end += 5;
    if (end > len)
        return 0;
    b[2] |= 0x80;
    b[3] = 0x80;
    b[7] = 1;
    b[11] = 0;
    memcpy(b + end, rr, sizeof rr);
    return end + sizeof rr;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct bare *bare = poll->data;
    int count = BATCH;
    (void)status; /* an error of the socket shows in recvmmsg */
    (void)events;
    while (count == BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) {
            bare->octets_of[i] = (struct iovec){.iov_base = bare->octets[i], .iov_len = OCTETS};
            bare->message[i].msg_hdr = (struct msghdr){.msg_name = &bare->peer[i],
                                                       .msg_namelen = sizeof bare->peer[i],
                                                       .msg_iov = &bare->octets_of[i],
                                                       .msg_iovlen = 1};
        }
        count = recvmmsg(bare->fd, bare->message, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            bare->octets_of[i].iov_len = answer(bare->octets[i], bare->message[i].msg_len);
        if (count > 0)
            (void)sendmmsg(bare->fd, bare->message, (unsigned)count, 0); /* UDP: may be lost */
    }
}

int main(int argc, char **argv)
{
    static struct bare bare;
    int octets = 4 << 20;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    at.sin_port = htons((uint16_t)strtoul(argc > 1 ? argv[1] : "0", NULL, 10));
    bare.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(bare.fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets); /* a wish */
    if (argc < 2 || bind(bare.fd, (struct sockaddr *)&at, sizeof at) != 0) {
        perror("bare");
        return 1;
    }
    bare.poll.data = &bare;
    if (uv_poll_init(uv_default_loop(), &bare.poll, bare.fd) != 0 ||
        uv_poll_start(&bare.poll, UV_READABLE, on_readable) != 0)
        return 1;
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
