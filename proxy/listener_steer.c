// SPDX-License-Identifier: MIT
#include "proxy/listener_steer.h"

#include <linux/filter.h>
#include <sys/socket.h>

/* The name follows the header of 12 octets. Its first 16 octets, or 4 of a question too short for
 * that, are mixed; letters count without case (RFC 4343; clients that mix case ask the same). */
#define NAME 12u
#define MIXED (NAME + 16u)
#define NO_CASE 0xdfdfdfdfu
#define FACTOR 0x9e3779b1u /* odd, its bits spread: the golden ratio's fraction */

#define LOAD(off)                                                                                  \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off)), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, NO_CASE)
#define MIX BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, FACTOR)
#define KEEP BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define ADD_KEPT BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0)
#define CHOOSE(count)                                                                              \
    BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16), BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (count)),         \
        BPF_STMT(BPF_RET | BPF_A, 0)

bool listener_steer(int fd, uint32_t count)
{
    /* Offsets count from the DNS message: the kernel has taken the UDP header off. A load past its
     * end gives worker 0. */
    // clang-format off
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, MIXED, 6, 0),
        LOAD(NAME), MIX, CHOOSE(count), /* 6 */
        LOAD(NAME), MIX, KEEP,
        LOAD(NAME + 4), ADD_KEPT, MIX, KEEP,
        LOAD(NAME + 8), ADD_KEPT, MIX, KEEP,
        LOAD(NAME + 12), ADD_KEPT, MIX, CHOOSE(count),
    };
    // clang-format on
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}
