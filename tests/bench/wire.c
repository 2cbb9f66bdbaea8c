// SPDX-License-Identifier: MIT
/* wire RTT_MS: a link with a delay, for kernels without netem. It makes the tun device "wire0" with
 * the address 198.18.0.1 in this network namespace. What is sent to 198.18.0.2 comes back after
 * half a round trip as if 198.18.0.2 had sent it: source and destination are swapped (no checksum
 * changes by that), so a server that listens on 198.18.0.1 is reached at 198.18.0.2, far away.
 * The delay is on every packet, handshakes and acknowledgements too. A server may begin with a
 * window of 32 packets: unbound sends each HTTP/2 frame in one of its own, of which the usual ten,
 * counted however short they are, hold a few answers only. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define RING 4096u
#define PACKET_MAX 1600u
#define IPV4_HEADER 20

struct packet {
    uint64_t due_ns;
    ssize_t len;
    uint8_t octets[PACKET_MAX];
};

static struct packet ring[RING];

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_device(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "wire0");
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        return -1;
    return system("ip addr add 198.18.0.1/24 dev wire0 && ip link set wire0 up && "
                  "ip route change 198.18.0.0/24 dev wire0 proto kernel scope link "
                  "src 198.18.0.1 initcwnd 32") == 0
               ? fd
               : -1;
}

static void swap_addresses(uint8_t *ip)
{
    uint8_t source[4];
    memcpy(source, ip + 12, 4);
    memcpy(ip + 12, ip + 16, 4);
    memcpy(ip + 16, source, 4);
}

/* Moves what has come in and what is due; returns when the next is. */
static uint64_t turn(int fd, uint64_t delay_ns)
{
    static uint32_t head, tail;
    for (uint64_t now = now_ns(); tail != head && ring[tail % RING].due_ns <= now; tail++) {
        struct packet *p = &ring[tail % RING];
        swap_addresses(p->octets);
        (void)!write(fd, p->octets, (size_t)p->len); /* a lost packet is sent again by its TCP */
    }
    while (head - tail < RING) {
        struct packet *p = &ring[head % RING];
        p->len = read(fd, p->octets, sizeof p->octets);
        if (p->len <= 0)
            break;
        p->due_ns = now_ns() + delay_ns;
        head += p->len >= IPV4_HEADER && p->octets[0] >> 4 == 4;
    }
    return tail != head ? ring[tail % RING].due_ns : UINT64_MAX;
}

int main(int argc, char **argv)
{
    uint64_t delay_ns = (uint64_t)(strtod(argc > 1 ? argv[1] : "0", NULL) * 1e6 / 2);
    int fd = open_device();
    if (fd < 0) {
        perror("wire");
        return 1;
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    (void)puts("up");
    (void)fflush(stdout);
    for (;;) {
        uint64_t next_ns = turn(fd, delay_ns);
        uint64_t now = now_ns();
        uint64_t wait_ns = next_ns == UINT64_MAX ? 100000000u : next_ns > now ? next_ns - now : 0;
        struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                                .tv_nsec = (long)(wait_ns % 1000000000u)};
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        (void)ppoll(&readable, 1, &wait, NULL); /* however it ends: look anew */
    }
}
