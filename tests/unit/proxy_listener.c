// SPDX-License-Identifier: MIT
/* Listeners against real sockets of this machine's loopback. What the kernel would do only under
 * pressure is asked for by wrapping the system call: the program's own definition comes first. */
#include "proxy/listener.h"
#include "proxy/listener_socket.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GIVE_UP_MS 10000u
#define HELD_MAX 512u

/* --- a kernel under pressure ----------------------------------------------------------------- */

static struct {
    int send_errno; /* the next `times` calls fail with it */
    unsigned send_times;
    unsigned send_calls;
    int accept_errno;
    unsigned accept_times, accept_calls;
    int bind_errno;
} kernel;

/* glibc declares the addresses as transparent unions, which pedants distinguish. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int sendmmsg(int fd, struct mmsghdr *message, unsigned int count, int flags)
{
    kernel.send_calls++;
    if (kernel.send_times > 0) {
        kernel.send_times--;
        errno = kernel.send_errno;
        return -1;
    }
    return (int)syscall(SYS_sendmmsg, fd, message, count, flags);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    kernel.accept_calls++;
    if (kernel.accept_times > 0) {
        kernel.accept_times--;
        errno = kernel.accept_errno;
        return -1;
    }
    return (int)syscall(SYS_accept4, fd, address, len, flags);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    if (kernel.bind_errno != 0) {
        errno = kernel.bind_errno;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address, len);
}
#pragma GCC diagnostic pop

/* --- one listener and what it was asked ------------------------------------------------------ */

struct held {
    struct listener_client client;
    uint8_t wire[64];
    uint32_t len;
};

struct world {
    uv_loop_t loop;
    uv_timer_t tick; /* so that a wait for a condition outside the loop ends */
    unsigned ticks;
    struct listener *listener;
    struct doh_address bound;
    bool hold;           /* keep questions instead of answering at once */
    uint32_t answer_len; /* 0: as long as the question */
    bool drop;           /* nor ever */
    bool close_at_once;  /* in the middle of the first question */
    struct held held[HELD_MAX];
    uint32_t held_count;
    bool closed;
};

static const struct listener_limits roomy = {.tcp_clients = 16,
                                             .tcp_per_client = 16,
                                             .tcp_in_flight = 64,
                                             .tcp_idle_ms = 60000,
                                             .tcp_write_max = 1u << 20};

/* Tests about answers run twice: made elsewhere, and made in room that the listener has. */
static bool in_place;

/* False: it has none. */
static bool put_in_place(const struct listener_client *client, const uint8_t *wire, uint32_t len)
{
    uint32_t cap = 0;
    uint8_t *room = listener_reserve(client, len, &cap);
    if (!room)
        return false;
    assert_true(cap >= len);
    memcpy(room, wire, len);
    listener_commit(client, len);
    return true;
}

static void answer(struct world *w, const struct listener_client *client, const uint8_t *wire,
                   uint32_t len)
{
    static uint8_t octets[65535];
    memset(octets, 0xee, sizeof octets);
    memcpy(octets, wire, len);
    octets[2] |= 0x80; /* QR */
    uint32_t answer_len = w->answer_len ? w->answer_len : len;
    if (!in_place || !put_in_place(client, octets, answer_len))
        listener_answer(client, octets, answer_len);
}

static void on_closed(void *arg)
{
    ((struct world *)arg)->closed = true;
}

static void on_query(struct world *w, const struct listener_client *client, const uint8_t *wire,
                     uint32_t len)
{
    assert_non_null(w->listener); /* no questions after close */
    assert_true(client->here);
    if (w->close_at_once) {
        assert_false(w->closed);
        listener_close(w->listener, on_closed, w);
        w->listener = NULL;
        w->close_at_once = false;
        return;
    }
    if (w->drop) {
        listener_drop(client);
        return;
    }
    if (!w->hold) {
        answer(w, client, wire, len);
        return;
    }
    assert_true(w->held_count < HELD_MAX);
    struct held *held = &w->held[w->held_count++];
    held->client = *client;
    held->len = len < sizeof held->wire ? len : sizeof held->wire;
    memcpy(held->wire, wire, held->len);
}

static void on_queries(void *arg, const struct listener_query *query, uint32_t count)
{
    const struct world *w = arg;
    for (uint32_t i = 0; i < count && w->listener; i++)
        on_query(arg, &query[i].client, query[i].wire, query[i].len);
}

static void release(struct world *w, uint32_t i)
{
    answer(w, &w->held[i].client, w->held[i].wire, w->held[i].len);
}

static struct doh_address address_of(const char *ip, uint16_t port)
{
    struct doh_address a = {.sa.v6.sin6_family = AF_INET6};
    if (inet_pton(AF_INET6, ip, &a.sa.v6.sin6_addr) != 1) {
        a = (struct doh_address){.sa.v4.sin_family = AF_INET};
        assert_int_equal(inet_pton(AF_INET, ip, &a.sa.v4.sin_addr), 1);
    }
    *(a.sa.any.sa_family == AF_INET6 ? &a.sa.v6.sin6_port : &a.sa.v4.sin_port) = htons(port);
    return a;
}

static void on_tick(uv_timer_t *timer)
{
    ((struct world *)timer->data)->ticks++;
}

static struct world *world_new(const char *ip, const struct listener_limits *limits)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    memset(&kernel, 0, sizeof kernel);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_timer_init(&w->loop, &w->tick), 0);
    w->tick.data = w;
    assert_int_equal(uv_timer_start(&w->tick, on_tick, 2, 2), 0);
    struct doh_address address = address_of(ip, 0);
    char error[256] = "";
    w->listener =
        listener_open(&w->loop, &address, limits, on_queries, w, &w->bound, error, sizeof error);
    if (!w->listener)
        print_error("%s\n", error);
    assert_non_null(w->listener);
    assert_int_not_equal(listener_address_port(&w->bound), 0);
    return w;
}

static void world_free(struct world *w)
{
    if (w->listener)
        listener_close(w->listener, on_closed, w);
    uv_close((uv_handle_t *)&w->tick, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_true(w->closed);
    assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing was left open */
    free(w);
}

static struct listener_stats stats(const struct world *w)
{
    struct listener_stats s;
    listener_stats(w->listener, &s);
    return s;
}

/* Turns the loop until `condition`; fails when that takes for ever. */
#define UNTIL(w, condition)                                                                        \
    do {                                                                                           \
        uint64_t began_ms = uv_hrtime() / 1000000;                                                 \
        while (!(condition)) {                                                                     \
            if (uv_hrtime() / 1000000 - began_ms > GIVE_UP_MS)                                     \
                fail_msg("never: %s", #condition);                                                 \
            (void)uv_run(&(w)->loop, UV_RUN_ONCE);                                                 \
        }                                                                                          \
    } while (0)

/* Some turns in which nothing is expected to happen. */
static void turns(struct world *w)
{
    for (unsigned i = 0; i < 5; i++)
        (void)uv_run(&w->loop, UV_RUN_ONCE);
}

/* --- clients --------------------------------------------------------------------------------- */

#define QUESTION                                                                                   \
    20u /* octets of our questions: a header, whose first two are the ID, and eight                \
         */

static void question(uint8_t wire[static QUESTION], uint16_t id)
{
    memset(wire, 0x11, QUESTION);
    wire[0] = (uint8_t)(id >> 8);
    wire[1] = (uint8_t)id;
    wire[2] = 0;
}

static int client(const struct world *w, int type, const char *ip)
{
    struct doh_address to = ip ? address_of(ip, listener_address_port(&w->bound)) : w->bound;
    int fd = socket(to.sa.any.sa_family, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to.sa.any, listener_address_len(&to)), 0);
    return fd;
}

static void ask_udp(int fd, uint16_t id)
{
    uint8_t wire[QUESTION];
    question(wire, id);
    assert_int_equal(send(fd, wire, sizeof wire, 0), QUESTION);
}

static ssize_t receive(int fd, void *buf, size_t cap)
{
    return recv(fd, buf, cap, MSG_DONTWAIT);
}

static uint16_t answered_id(const uint8_t *wire, ssize_t len)
{
    assert_true(len >= (ssize_t)QUESTION);
    assert_true(wire[2] & 0x80);
    return (uint16_t)(wire[0] << 8 | wire[1]);
}

static void ask_tcp(int fd, uint16_t first_id, unsigned count)
{
    uint8_t frames[64 * (QUESTION + 2)];
    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *frame = frames + i * (QUESTION + 2);
        frame[0] = 0;
        frame[1] = QUESTION;
        question(frame + 2, (uint16_t)(first_id + i));
    }
    size_t len = count * (QUESTION + 2);
    assert_int_equal(send(fd, frames, len, MSG_NOSIGNAL), len);
}

/* Frames as they arrive; end: the server has closed, too. */
struct inbox {
    uint8_t octets[200000];
    size_t len;
    uint16_t id[512];
    unsigned count;
    bool ended, reset;
};

static void fill(struct inbox *in, int fd)
{
    ssize_t got = receive(fd, in->octets + in->len, sizeof in->octets - in->len);
    in->ended = in->ended || got == 0;
    in->reset = in->reset || (got < 0 && errno != EAGAIN);
    in->len += got > 0 ? (size_t)got : 0;
    size_t off = 0;
    while (in->len - off >= 2) {
        size_t frame = (size_t)in->octets[off] << 8 | in->octets[off + 1];
        if (in->len - off - 2 < frame)
            break;
        assert_true(in->count < COUNT(in->id));
        in->id[in->count++] = answered_id(in->octets + off + 2, (ssize_t)frame);
        off += 2 + frame;
    }
    memmove(in->octets, in->octets + off, in->len - off);
    in->len -= off;
}

static unsigned received(struct inbox *in, int fd)
{
    fill(in, fd);
    return in->count;
}

static bool gone(struct inbox *in, int fd)
{
    fill(in, fd);
    return in->ended || in->reset;
}

/* --- UDP ------------------------------------------------------------------------------------- */

static void udp_answers_leave_in_batches(void **state)
{
    static const char *const where[] = {"127.0.0.1", "::1"};
    (void)state;
    for (size_t a = 0; a < COUNT(where); a++) {
        print_message("%s\n", where[a]);
        struct world *w = world_new(where[a], &roomy);
        int fd = client(w, SOCK_DGRAM, NULL);
        for (uint16_t id = 0; id < 64; id++)
            ask_udp(fd, id);
        UNTIL(w, stats(w).udp_answers == 64);
        assert_int_equal(kernel.send_calls, 2); /* two batches of 32 */
        for (uint16_t id = 0; id < 64; id++) {
            uint8_t wire[512];
            ssize_t len = receive(fd, wire, sizeof wire);
            assert_int_equal(answered_id(wire, len), id);
            assert_int_equal(len, QUESTION);
        }
        assert_int_equal(stats(w).udp_questions, 64);
        (void)close(fd);
        world_free(w);
    }
}

/* A hit waits for no work that questions before it make: all that is there is read first, within
 * what a turn may take. */
static void udp_reads_all_that_waits_before_a_turn_ends(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    w->hold = true;
    int fd = client(w, SOCK_DGRAM, NULL);
    for (uint16_t id = 0; id < 260; id++)
        ask_udp(fd, id);
    while (w->held_count == 0)
        (void)uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(w->held_count, 256);
    UNTIL(w, w->held_count == 260);
    (void)close(fd);
    world_free(w);
}

static void udp_answers_may_come_later(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    w->hold = true;
    int fd = client(w, SOCK_DGRAM, NULL);
    for (uint16_t id = 0; id < 40; id++)
        ask_udp(fd, id);
    UNTIL(w, w->held_count == 40);
    listener_stop(w->listener); /* answers still leave after that */
    for (uint32_t i = 40; i-- > 0;)
        release(w, i);
    assert_int_equal(kernel.send_calls, 0); /* collected: they leave with the turn */
    UNTIL(w, stats(w).udp_answers == 40);
    assert_int_equal(kernel.send_calls, 1);
    uint8_t wire[512];
    assert_int_equal(answered_id(wire, receive(fd, wire, sizeof wire)), 39);
    ask_udp(fd, 99);
    turns(w);
    assert_int_equal(stats(w).udp_questions, 40);
    (void)close(fd);
    world_free(w);
}

/* A connected client takes answers from the address it asked and from no other. */
static void udp_answers_leave_from_the_address_asked(void **state)
{
    static const struct {
        const char *listen, *ask;
    } rows[] = {{"0.0.0.0", "127.0.0.1"}, {"0.0.0.0", "127.3.2.1"}, {"::", "::1"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s asked at %s\n", rows[i].listen, rows[i].ask);
        struct world *w = world_new(rows[i].listen, &roomy);
        int fd = client(w, SOCK_DGRAM, rows[i].ask);
        ask_udp(fd, 7);
        uint8_t wire[512];
        ssize_t len;
        UNTIL(w, (len = receive(fd, wire, sizeof wire)) > 0);
        assert_int_equal(answered_id(wire, len), 7);
        (void)close(fd);
        world_free(w);
    }
}

static void udp_takes_large_answers_and_no_large_questions(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    w->answer_len = 60000;
    int fd = client(w, SOCK_DGRAM, NULL);
    uint8_t large[5000] = {0};
    assert_int_equal(send(fd, large, sizeof large, 0), sizeof large);
    for (uint16_t id = 0; id < 10; id++) /* more than the buffer of answers holds */
        ask_udp(fd, id);
    UNTIL(w, stats(w).udp_questions == 11);
    UNTIL(w, stats(w).udp_answers + stats(w).udp_send_errors == 10);
    static uint8_t wire[65535];
    assert_int_equal(receive(fd, wire, sizeof wire), 60000);
    assert_int_equal(answered_id(wire, 60000), 0);
    assert_int_equal(wire[59999], 0xee);
    assert_int_equal(stats(w).udp_send_errors, 0);
    (void)close(fd);
    world_free(w);
}

static void udp_waits_when_the_kernel_is_full(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    w->hold = true;
    int fd = client(w, SOCK_DGRAM, NULL);
    for (uint16_t id = 0; id < 100; id++)
        ask_udp(fd, id);
    UNTIL(w, w->held_count == 100);
    kernel.send_errno = EAGAIN;
    kernel.send_times = 1;
    for (uint32_t i = 0; i < 100; i++)
        release(w, i);
    assert_int_equal(kernel.send_calls, 1);         /* at the 65th; then no more is tried */
    assert_int_equal(stats(w).udp_send_errors, 36); /* 64 wait, the others are dropped */
    UNTIL(w, stats(w).udp_answers == 64);
    assert_int_equal(kernel.send_calls, 2);
    (void)close(fd);
    world_free(w);
}

static void udp_gives_up_what_cannot_be_sent(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    int fd = client(w, SOCK_DGRAM, NULL);
    kernel.send_errno = EPERM;
    kernel.send_times = 1;
    for (uint16_t id = 0; id < 3; id++)
        ask_udp(fd, id);
    UNTIL(w, stats(w).udp_answers == 2);
    assert_int_equal(stats(w).udp_send_errors, 1);
    uint8_t wire[512];
    assert_int_equal(answered_id(wire, receive(fd, wire, sizeof wire)), 1);
    (void)close(fd);
    world_free(w);
}

static void closing_inside_a_question_is_fine(void **state)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct world *w = world_new("127.0.0.1", &roomy);
        w->close_at_once = true;
        int fd = client(w, types[i], NULL);
        if (types[i] == SOCK_STREAM)
            ask_tcp(fd, 1, 3);
        else
            for (uint16_t id = 0; id < 3; id++)
                ask_udp(fd, id);
        UNTIL(w, w->closed);
        (void)close(fd);
        world_free(w);
    }
}

/* --- TCP: frames ----------------------------------------------------------------------------- */

static void tcp_answers_in_any_order(void **state)
{
    static const char *const where[] = {"127.0.0.1", "::1"};
    (void)state;
    for (size_t a = 0; a < COUNT(where); a++) {
        struct world *w = world_new(where[a], &roomy);
        struct inbox in = {.count = 0};
        w->hold = true;
        int fd = client(w, SOCK_STREAM, NULL);
        ask_tcp(fd, 0, 50);
        UNTIL(w, w->held_count == 50);
        for (uint32_t i = 50; i-- > 0;)
            release(w, i);
        UNTIL(w, received(&in, fd) == 50);
        for (unsigned i = 0; i < 50; i++)
            assert_int_equal(in.id[i], 49 - i);
        assert_int_equal(stats(w).tcp_questions, 50);
        assert_int_equal(stats(w).tcp_answers, 50);
        (void)close(fd);
        world_free(w);
    }
}

static void tcp_takes_frames_octet_by_octet(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    struct inbox in = {.count = 0};
    int fd = client(w, SOCK_STREAM, NULL);
    uint8_t frame[2 + QUESTION] = {0, QUESTION};
    question(frame + 2, 300);
    for (size_t i = 0; i < sizeof frame; i++) {
        assert_int_equal(stats(w).tcp_questions, 0);
        assert_int_equal(send(fd, frame + i, 1, 0), 1);
        turns(w);
    }
    UNTIL(w, received(&in, fd) == 1);
    assert_int_equal(in.id[0], 300);
    (void)close(fd);
    world_free(w);
}

static void tcp_questions_keep_coming(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    struct inbox in = {.count = 0};
    w->answer_len = 3000; /* collected answers are written before all questions are taken */
    int fd = client(w, SOCK_STREAM, NULL);
    for (uint16_t id = 0; id < 512; id = (uint16_t)(id + 64))
        ask_tcp(fd, id, 64);
    UNTIL(w, received(&in, fd) == 512);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(in.id[i], i);
    (void)close(fd);
    world_free(w);
}

/* What was asked before a frame that cannot be one is answered; then the connection ends. */
static void tcp_closes_after_a_bad_frame(void **state)
{
    static const struct {
        const char *what;
        uint8_t octets[2];
    } rows[] = {
        {"empty", {0, 0}}, {"shorter than a header", {0, 11}}, {"longer than a question", {16, 1}}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct world *w = world_new("127.0.0.1", &roomy);
        struct inbox in = {.count = 0};
        w->hold = true;
        int fd = client(w, SOCK_STREAM, NULL);
        ask_tcp(fd, 5, 1);
        assert_int_equal(send(fd, rows[i].octets, 2, 0), 2);
        ask_tcp(fd, 6, 1);
        UNTIL(w, w->held_count == 1);
        turns(w);
        assert_false(gone(&in, fd));
        release(w, 0);
        UNTIL(w, gone(&in, fd));
        assert_int_equal(in.count, 1);
        assert_int_equal(in.id[0], 5);
        assert_int_equal(w->held_count, 1);
        (void)close(fd);
        world_free(w);
    }
}

static void tcp_longest_question_and_answer(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    struct inbox in = {.count = 0};
    w->answer_len = 65535;
    int fd = client(w, SOCK_STREAM, NULL);
    uint8_t frame[2 + 4096] = {16, 0};
    question(frame + 2, 1);
    assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
    UNTIL(w, received(&in, fd) == 1);
    w->hold = true;
    ask_tcp(fd, 2, 1);
    UNTIL(w, w->held_count == 1);
    static const uint8_t too_long[65536]; /* no frame holds it: as good as no answer */
    listener_answer(&w->held[0].client, too_long, sizeof too_long);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    UNTIL(w, gone(&in, fd));
    assert_int_equal(in.count, 1);
    (void)close(fd);
    world_free(w);
}

static void tcp_half_closed_clients_get_their_answers(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_in_flight = 2; /* so that whole questions wait behind the end of file */
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    struct inbox in = {.count = 0};
    w->hold = true;
    int fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 10, 5);
    assert_int_equal(send(fd, "\0", 1, 0), 1); /* a frame that never gets whole */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (uint32_t i = 0; i < 5; i++) {
        UNTIL(w, w->held_count > i);
        assert_false(gone(&in, fd));
        if (i == 3)
            listener_drop(&w->held[i].client); /* not every question has an answer */
        else
            release(w, i);
    }
    UNTIL(w, gone(&in, fd));
    assert_false(in.reset);
    assert_int_equal(in.count, 4);
    (void)close(fd);
    world_free(w);
}

/* --- TCP: limits ----------------------------------------------------------------------------- */

static void tcp_stops_reading_at_the_limit_in_flight(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_in_flight = 4;
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    struct inbox in = {.count = 0};
    w->hold = true;
    int fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 0, 10);
    UNTIL(w, w->held_count == 4);
    turns(w);
    assert_int_equal(w->held_count, 4);
    release(w, 0);
    listener_drop(&w->held[1].client);
    UNTIL(w, w->held_count == 6);
    turns(w);
    assert_int_equal(w->held_count, 6);
    for (uint32_t i = 2; i < 10; i++) {
        UNTIL(w, w->held_count > i);
        release(w, i);
    }
    UNTIL(w, received(&in, fd) == 9);
    (void)close(fd);
    world_free(w);
}

static void tcp_bounds_connections(void **state)
{
    static const struct {
        const char *what;
        uint32_t clients, per_client;
    } rows[] = {{"in all", 2, 9}, {"of one address", 9, 2}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct listener_limits few = roomy;
        few.tcp_clients = rows[i].clients;
        few.tcp_per_client = rows[i].per_client;
        struct world *w = world_new("127.0.0.1", &few);
        struct inbox in[4] = {{.count = 0}};
        int fd[4];
        for (unsigned c = 0; c < 3; c++) {
            fd[c] = client(w, SOCK_STREAM, NULL);
            UNTIL(w, stats(w).tcp_accepted + stats(w).tcp_refused == c + 1);
        }
        UNTIL(w, gone(&in[2], fd[2]));
        assert_int_equal(stats(w).tcp_refused, 1);
        (void)close(fd[0]);
        fd[3] = client(w, SOCK_STREAM, NULL); /* accepted once the first has left */
        turns(w);
        for (unsigned tries = 0; gone(&in[3], fd[3]) && tries < 100; tries++) {
            (void)close(fd[3]);
            in[3] = (struct inbox){.count = 0};
            fd[3] = client(w, SOCK_STREAM, NULL);
            turns(w);
        }
        ask_tcp(fd[3], 1, 1);
        ask_tcp(fd[1], 1, 1);
        UNTIL(w, received(&in[3], fd[3]) == 1 && received(&in[1], fd[1]) == 1);
        for (unsigned c = 1; c < 4; c++)
            (void)close(fd[c]);
        world_free(w);
    }
}

/* The slot is used again; the answer to the one who left is not for the one who came. */
static void tcp_late_answers_find_nobody(void **state)
{
    struct listener_limits one = roomy;
    one.tcp_clients = 1;
    (void)state;
    struct world *w = world_new("127.0.0.1", &one);
    struct inbox in = {.count = 0};
    w->hold = true;
    int fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 1, 1);
    UNTIL(w, w->held_count == 1);
    struct linger reset = {.l_onoff = 1, .l_linger = 0}; /* else it waits for the answer */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    (void)close(fd);
    turns(w);
    fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 2, 1);
    UNTIL(w, w->held_count == 2);
    assert_int_equal(w->held[0].client.connection, w->held[1].client.connection);
    release(w, 0);
    listener_drop(&w->held[0].client);
    turns(w);
    assert_int_equal(received(&in, fd), 0);
    release(w, 1);
    UNTIL(w, received(&in, fd) == 1);
    assert_int_equal(in.id[0], 2);
    (void)close(fd);
    world_free(w);
}

/* What the kernel buffers is some megabytes; what we hold beyond that is bounded. */
static void tcp_clients_that_do_not_read_are_closed(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_in_flight = 512;
    few.tcp_write_max = 100000;
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    struct inbox in = {.count = 0};
    w->hold = true;
    int fd = client(w, SOCK_STREAM, NULL);
    w->answer_len = 60000;
    for (uint16_t id = 0; id < 512; id = (uint16_t)(id + 64))
        ask_tcp(fd, id, 64);
    UNTIL(w, w->held_count == 512);
    for (uint32_t i = 0; i < 512 && stats(w).tcp_answers == i; i++)
        release(w, i);
    assert_true(stats(w).tcp_answers < 512);
    assert_true(stats(w).tcp_answers > 1);
    UNTIL(w, gone(&in, fd));
    (void)close(fd);
    world_free(w);
}

/* One that reads late is slowed down instead: what it asks is not even read. */
static void tcp_questions_wait_for_the_client_to_read(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_write_max = 100000;
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    struct inbox in = {.count = 0};
    int fd = client(w, SOCK_STREAM, NULL);
    w->answer_len = 60000;
    for (uint16_t id = 0; id < 512; id = (uint16_t)(id + 64))
        ask_tcp(fd, id, 64);
    uint64_t before;
    do { /* until the kernel is full */
        before = stats(w).tcp_questions;
        turns(w);
    } while (stats(w).tcp_questions != before);
    assert_in_range(before, 2, 511);
    UNTIL(w, received(&in, fd) == 512);
    (void)close(fd);
    world_free(w);
}

static void tcp_idle_connections_close(void **state)
{
    struct listener_limits hasty = roomy;
    hasty.tcp_idle_ms = 200;
    (void)state;
    struct world *w = world_new("127.0.0.1", &hasty);
    struct inbox in = {.count = 0};
    struct inbox busy_in = {.count = 0};
    w->hold = true;
    int busy = client(w, SOCK_STREAM, NULL);
    ask_tcp(busy, 1, 1);
    UNTIL(w, w->held_count == 1); /* from now on it is our turn, not its */
    uint64_t began_ns = uv_hrtime();
    int fd = client(w, SOCK_STREAM, NULL);
    UNTIL(w, gone(&in, fd));
    assert_true(uv_hrtime() - began_ns >= UINT64_C(190) * 1000000);
    assert_int_equal(stats(w).tcp_timeouts, 1);
    assert_false(gone(&busy_in, busy));
    release(w, 0);
    UNTIL(w, gone(&busy_in, busy));
    assert_int_equal(busy_in.count, 1);
    assert_int_equal(stats(w).tcp_timeouts, 2);
    (void)close(fd);
    (void)close(busy);
    world_free(w);
}

/* An octet now and then is no question. */
static void tcp_tricklers_are_idle(void **state)
{
    struct listener_limits hasty = roomy;
    hasty.tcp_idle_ms = 100;
    (void)state;
    struct world *w = world_new("127.0.0.1", &hasty);
    struct inbox in = {.count = 0};
    int fd = client(w, SOCK_STREAM, NULL);
    (void)send(fd, "\x10", 1, MSG_NOSIGNAL);
    for (unsigned i = 0; !gone(&in, fd) && i < 4000; i++) {
        unsigned ticks = w->ticks;
        (void)send(fd, "", 1, MSG_NOSIGNAL);
        UNTIL(w, w->ticks != ticks);
    }
    assert_true(gone(&in, fd));
    assert_int_equal(stats(w).tcp_timeouts, 1);
    (void)close(fd);
    world_free(w);
}

/* Nor is one idle whose questions have no answers. */
static void tcp_questions_show_life(void **state)
{
    struct listener_limits hasty = roomy;
    hasty.tcp_idle_ms = 400;
    (void)state;
    struct world *w = world_new("127.0.0.1", &hasty);
    struct inbox in = {.count = 0};
    w->drop = true;
    int fd = client(w, SOCK_STREAM, NULL);
    uint64_t began_ns = uv_hrtime();
    for (uint16_t id = 0; uv_hrtime() - began_ns < UINT64_C(1000) * 1000000; id++) {
        unsigned ticks = w->ticks;
        ask_tcp(fd, id, 1);
        UNTIL(w, w->ticks != ticks && stats(w).tcp_questions == id + 1u);
    }
    assert_false(gone(&in, fd));
    assert_int_equal(stats(w).tcp_timeouts, 0);
    (void)close(fd);
    world_free(w);
}

static void tcp_patience_shrinks_in_a_crowd(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_idle_ms = 4000;
    few.tcp_clients = 5;
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    int fd[5];
    for (unsigned c = 0; c < 5; c++)
        fd[c] = client(w, SOCK_STREAM, NULL);
    UNTIL(w, stats(w).tcp_accepted == 5);
    uint64_t began_ns = uv_hrtime();
    UNTIL(w, stats(w).tcp_timeouts > 0); /* after a tenth */
    assert_true(uv_hrtime() - began_ns < UINT64_C(3000) * 1000000);
    for (unsigned c = 0; c < 5; c++)
        (void)close(fd[c]);
    world_free(w);
}

static void tcp_waits_without_spinning_when_descriptors_are_short(void **state)
{
    static const int numbers[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        print_message("%s\n", strerror(numbers[i]));
        struct world *w = world_new("127.0.0.1", &roomy);
        struct inbox in = {.count = 0};
        kernel.accept_errno = numbers[i];
        kernel.accept_times = 2;
        uint64_t began_ns = uv_hrtime();
        int fd = client(w, SOCK_STREAM, NULL);
        ask_tcp(fd, 1, 1);
        UNTIL(w, received(&in, fd) == 1);
        assert_true(uv_hrtime() - began_ns >= UINT64_C(150) * 1000000); /* two pauses */
        assert_in_range(kernel.accept_calls, 3, 4); /* maybe the end of the queue, too */
        (void)close(fd);
        world_free(w);
    }
}

static void tcp_goes_on_after_a_connection_that_has_gone(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    struct inbox in = {.count = 0};
    kernel.accept_errno = ECONNABORTED;
    kernel.accept_times = 3;
    int fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 1, 1);
    UNTIL(w, received(&in, fd) == 1);
    (void)close(fd);
    world_free(w);
}

static void tcp_stop_lets_answers_out(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    struct inbox in = {.count = 0};
    struct inbox idle_in = {.count = 0};
    w->hold = true;
    int idle = client(w, SOCK_STREAM, NULL);
    int fd = client(w, SOCK_STREAM, NULL);
    ask_tcp(fd, 1, 2);
    UNTIL(w, w->held_count == 2);
    listener_stop(w->listener);
    listener_stop(w->listener);
    ask_tcp(fd, 3, 1); /* not taken any more */
    UNTIL(w, gone(&idle_in, idle));
    release(w, 1);
    UNTIL(w, received(&in, fd) == 1);
    assert_false(gone(&in, fd));
    release(w, 0);
    UNTIL(w, gone(&in, fd));
    assert_int_equal(in.count, 2);
    assert_int_equal(w->held_count, 2);
    struct doh_address to = w->bound;
    int late = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(late, &to.sa.any, listener_address_len(&to)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(late);
    (void)close(fd);
    (void)close(idle);
    world_free(w);
}

/* --- answers made in place ------------------------------------------------------------------- */

/* One question of each kind that waits for its answer. */
static int held_question(struct world *w, int type)
{
    w->hold = true;
    int fd = client(w, type, NULL);
    if (type == SOCK_STREAM)
        ask_tcp(fd, 7, 1);
    else
        ask_udp(fd, 7);
    UNTIL(w, w->held_count == 1);
    return fd;
}

static const int both[] = {SOCK_DGRAM, SOCK_STREAM};

/* The length of the one answer that comes, without the frame's. */
static size_t only_answer(struct world *w, int type, int fd)
{
    uint8_t octets[4096];
    ssize_t got;
    UNTIL(w, (got = receive(fd, octets, sizeof octets)) > 0);
    turns(w);
    uint8_t more;
    assert_int_equal(receive(fd, &more, 1), -1);
    size_t head = type == SOCK_STREAM ? 2 : 0;
    assert_int_equal(answered_id(octets + head, got - (ssize_t)head), 7);
    if (head > 0)
        assert_int_equal(octets[0] << 8 | octets[1], got - 2);
    return (size_t)got - head;
}

static uint8_t *reserved(const struct world *w, uint32_t least)
{
    uint32_t cap = 0;
    uint8_t *room = listener_reserve(&w->held[0].client, least, &cap);
    if (room) {
        assert_true(cap >= least);
        memset(room, 0xee, cap); /* all of it is ours */
        room[0] = 0;
        room[1] = 7;
    }
    return room;
}

static void room_not_used_is_no_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct world *w = world_new("127.0.0.1", &roomy);
        int fd = held_question(w, both[i]);
        assert_non_null(reserved(w, 500));
        turns(w);
        assert_int_equal(stats(w).udp_answers + stats(w).tcp_answers, 0);
        assert_non_null(reserved(w, 3000));
        uint8_t *room = reserved(w, 100); /* takes the place of the one before */
        assert_non_null(room);
        listener_commit(&w->held[0].client, 50); /* less than was thought */
        assert_int_equal(only_answer(w, both[i], fd), 50);
        (void)close(fd);
        world_free(w);
    }
}

/* An answer of another one's in between, what leaves with a turn, and nothing at all before: then
 * there is nothing to send. */
static void room_is_there_until_something_is_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct world *w = world_new("127.0.0.1", &roomy);
        int fd = held_question(w, both[i]);
        const struct listener_client *to = &w->held[0].client;
        listener_commit(to, 20);
        listener_commit(to, 0);
        assert_non_null(reserved(w, 500));
        release(w, 0);
        listener_commit(to, 20);
        assert_int_equal(only_answer(w, both[i], fd), QUESTION);
        release(w, 0);
        assert_non_null(reserved(w, 500));
        turns(w);
        listener_commit(to, 20);
        assert_int_equal(only_answer(w, both[i], fd), QUESTION);
        assert_int_equal(stats(w).udp_answers + stats(w).tcp_answers, 2);
        assert_int_equal(stats(w).udp_send_errors, both[i] == SOCK_DGRAM ? 4 : 0);
        (void)close(fd);
        world_free(w);
    }
}

static void room_is_not_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct world *w = world_new("127.0.0.1", &roomy);
        int fd = held_question(w, both[i]);
        uint32_t cap = 0;
        assert_non_null(listener_reserve(&w->held[0].client, 500, &cap));
        listener_commit(&w->held[0].client, cap + 1);
        turns(w);
        assert_int_equal(stats(w).udp_answers + stats(w).tcp_answers, 0);
        uint8_t none;
        assert_int_equal(receive(fd, &none, 1), -1);
        (void)close(fd);
        world_free(w);
    }
}

static void room_is_none_after_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        struct world *w = world_new("127.0.0.1", &roomy);
        int fd = held_question(w, both[i]);
        assert_non_null(reserved(w, 500));
        listener_close(w->listener, on_closed, w);
        w->listener = NULL;
        listener_commit(&w->held[0].client, 20);
        assert_null(reserved(w, 20));
        (void)close(fd);
        world_free(w);
    }
}

static void udp_room_is_made_by_sending(void **state)
{
    static const struct {
        const char *what;
        uint32_t len, fit;
    } rows[] = {{"as many as leave at once", 30, 64}, {"as many octets", 60000, 4}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        struct world *w = world_new("127.0.0.1", &roomy);
        int fd = held_question(w, SOCK_DGRAM);
        for (uint32_t n = 0; n < rows[i].fit; n++) {
            assert_non_null(reserved(w, rows[i].len));
            listener_commit(&w->held[0].client, rows[i].len);
            assert_int_equal(kernel.send_calls, 0);
        }
        assert_non_null(reserved(w, rows[i].len));
        assert_int_equal(kernel.send_calls, 1);
        assert_int_equal(stats(w).udp_answers, rows[i].fit);
        listener_commit(&w->held[0].client, rows[i].len);
        UNTIL(w, stats(w).udp_answers == rows[i].fit + 1);
        (void)close(fd);
        world_free(w);
    }
}

static void udp_room_of_a_kernel_that_is_full(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    int fd = held_question(w, SOCK_DGRAM);
    kernel.send_errno = EAGAIN;
    kernel.send_times = 1;
    for (uint32_t i = 0; i < 64; i++) {
        assert_non_null(reserved(w, 100));
        listener_commit(&w->held[0].client, 100);
    }
    assert_null(reserved(w, 100));
    assert_null(reserved(w, 100));
    listener_commit(&w->held[0].client, 100); /* in none */
    assert_int_equal(kernel.send_calls, 1);   /* no more is tried */
    assert_int_equal(stats(w).udp_send_errors, 1);
    UNTIL(w, stats(w).udp_answers == 64);
    assert_non_null(reserved(w, 100));
    (void)close(fd);
    world_free(w);
}

/* Who does not read has no room left, but it is an answer's length that decides whether he goes. */
static void tcp_room_is_bounded_by_what_is_unread(void **state)
{
    struct listener_limits few = roomy;
    few.tcp_in_flight = 512;
    few.tcp_write_max = 150000; /* two of the longest frames and 18926 octets */
    (void)state;
    struct world *w = world_new("127.0.0.1", &few);
    struct inbox in = {.count = 0};
    int fd = held_question(w, SOCK_STREAM);
    assert_null(reserved(w, 65536)); /* no frame holds it */
    for (unsigned i = 0; i < 2; i++) {
        assert_non_null(reserved(w, 65535));
        listener_commit(&w->held[0].client, 65535);
    }
    assert_null(reserved(w, 18925));
    uint32_t cap = 0;
    assert_non_null(listener_reserve(&w->held[0].client, 100, &cap));
    assert_int_equal(cap, 18924); /* without the frame's head */
    assert_non_null(reserved(w, 18924));
    listener_commit(&w->held[0].client, 18924);
    assert_null(reserved(w, 1));
    assert_int_equal(stats(w).tcp_answers, 3);
    UNTIL(w, received(&in, fd) == 3);
    assert_false(in.ended || in.reset);
    (void)close(fd);
    world_free(w);
}

/* --- opening --------------------------------------------------------------------------------- */

static void workers_share_a_port(void **state)
{
    (void)state;
    struct world *w = world_new("127.0.0.1", &roomy);
    char error[256];
    struct listener *second =
        listener_open(&w->loop, &w->bound, &roomy, on_queries, w, NULL, error, sizeof error);
    assert_non_null(second);
    struct world other = {.closed = false};
    listener_close(second, on_closed, &other);
    UNTIL(w, other.closed);
    world_free(w);
}

static void both_families_share_a_port(void **state)
{
    (void)state;
    struct world *w = world_new("0.0.0.0", &roomy);
    struct doh_address v6 = address_of("::", listener_address_port(&w->bound));
    char error[256] = "";
    struct listener *second =
        listener_open(&w->loop, &v6, &roomy, on_queries, w, NULL, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(second);
    struct world other = {.closed = false};
    listener_close(second, on_closed, &other);
    UNTIL(w, other.closed);
    world_free(w);
}

static void ipv6_does_not_take_ipv4(void **state)
{
    (void)state;
    struct world *w = world_new("::", &roomy);
    struct doh_address v4 = address_of("127.0.0.1", listener_address_port(&w->bound));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, &v4.sa.any, listener_address_len(&v4)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(fd);
    world_free(w);
}

static void failures_name_the_remedy(void **state)
{
    static const struct {
        const char *ip;
        uint16_t port;
        int number;
        const char *words;
    } rows[] = {
        {"127.0.0.1", 53, EACCES, "CAP_NET_BIND_SERVICE"},
        {"127.0.0.1", 53, EADDRINUSE, "127.0.0.1:53 (UDP)"},
        {"::1", 53, EADDRINUSE, "another program listens there"},
        {"192.0.2.1", 53, EADDRNOTAVAIL, "no interface has this address"},
    };
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].words);
        memset(&kernel, 0, sizeof kernel);
        kernel.bind_errno = rows[i].number;
        struct doh_address address = address_of(rows[i].ip, rows[i].port);
        struct doh_address bound = address;
        char error[256] = "";
        assert_null(
            listener_open(&loop, &address, &roomy, on_queries, NULL, &bound, error, sizeof error));
        assert_non_null(strstr(error, rows[i].words));
        assert_non_null(strstr(error, strerror(rows[i].number)));
    }
    memset(&kernel, 0, sizeof kernel);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* In a container without IPv6 the kernel may have none, or have it switched off. */
static void ipv6_that_is_not_there_is_known(void **state)
{
    static const struct {
        const char *ip;
        int number;
        bool lacks;
    } rows[] = {
        {"::1", EADDRNOTAVAIL, true},
        {"::1", EAFNOSUPPORT, true},
        {"::", EADDRNOTAVAIL, true},
        {"::", EAFNOSUPPORT, true},
        {"::1", EADDRINUSE, false},
        {"::", EACCES, false},
        {"::1", 0, false},
        {"2001:db8::1", EADDRNOTAVAIL, false},
        {"2001:db8::1", EAFNOSUPPORT, false},
        {"127.0.0.1", EADDRNOTAVAIL, false},
        {"0.0.0.0", EAFNOSUPPORT, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct doh_address at = address_of(rows[i].ip, 53);
        print_message("%s: %s\n", rows[i].ip, strerror(rows[i].number));
        assert_int_equal(listener_address_lacks_ipv6(&at, rows[i].number), rows[i].lacks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_answers_leave_in_batches),
        cmocka_unit_test(udp_reads_all_that_waits_before_a_turn_ends),
        cmocka_unit_test(udp_answers_may_come_later),
        cmocka_unit_test(udp_answers_leave_from_the_address_asked),
        cmocka_unit_test(udp_takes_large_answers_and_no_large_questions),
        cmocka_unit_test(udp_waits_when_the_kernel_is_full),
        cmocka_unit_test(udp_gives_up_what_cannot_be_sent),
        cmocka_unit_test(closing_inside_a_question_is_fine),
        cmocka_unit_test(tcp_answers_in_any_order),
        cmocka_unit_test(tcp_takes_frames_octet_by_octet),
        cmocka_unit_test(tcp_questions_keep_coming),
        cmocka_unit_test(tcp_closes_after_a_bad_frame),
        cmocka_unit_test(tcp_longest_question_and_answer),
        cmocka_unit_test(tcp_half_closed_clients_get_their_answers),
        cmocka_unit_test(tcp_stops_reading_at_the_limit_in_flight),
        cmocka_unit_test(tcp_bounds_connections),
        cmocka_unit_test(tcp_late_answers_find_nobody),
        cmocka_unit_test(tcp_clients_that_do_not_read_are_closed),
        cmocka_unit_test(tcp_questions_wait_for_the_client_to_read),
        cmocka_unit_test(tcp_idle_connections_close),
        cmocka_unit_test(tcp_tricklers_are_idle),
        cmocka_unit_test(tcp_questions_show_life),
        cmocka_unit_test(tcp_patience_shrinks_in_a_crowd),
        cmocka_unit_test(tcp_waits_without_spinning_when_descriptors_are_short),
        cmocka_unit_test(tcp_goes_on_after_a_connection_that_has_gone),
        cmocka_unit_test(tcp_stop_lets_answers_out),
        cmocka_unit_test(room_not_used_is_no_answer),
        cmocka_unit_test(room_is_there_until_something_is_sent),
        cmocka_unit_test(room_is_not_left),
        cmocka_unit_test(room_is_none_after_close),
        cmocka_unit_test(udp_room_is_made_by_sending),
        cmocka_unit_test(udp_room_of_a_kernel_that_is_full),
        cmocka_unit_test(tcp_room_is_bounded_by_what_is_unread),
        cmocka_unit_test(workers_share_a_port),
        cmocka_unit_test(both_families_share_a_port),
        cmocka_unit_test(ipv6_does_not_take_ipv4),
        cmocka_unit_test(failures_name_the_remedy),
        cmocka_unit_test(ipv6_that_is_not_there_is_known),
    };
    const struct CMUnitTest answers[] = {
        cmocka_unit_test(udp_answers_leave_in_batches),
        cmocka_unit_test(udp_answers_may_come_later),
        cmocka_unit_test(udp_answers_leave_from_the_address_asked),
        cmocka_unit_test(udp_takes_large_answers_and_no_large_questions),
        cmocka_unit_test(udp_waits_when_the_kernel_is_full),
        cmocka_unit_test(udp_gives_up_what_cannot_be_sent),
        cmocka_unit_test(tcp_answers_in_any_order),
        cmocka_unit_test(tcp_questions_keep_coming),
        cmocka_unit_test(tcp_longest_question_and_answer),
        cmocka_unit_test(tcp_half_closed_clients_get_their_answers),
        cmocka_unit_test(tcp_stops_reading_at_the_limit_in_flight),
        cmocka_unit_test(tcp_late_answers_find_nobody),
        cmocka_unit_test(tcp_clients_that_do_not_read_are_closed),
        cmocka_unit_test(tcp_questions_wait_for_the_client_to_read),
        cmocka_unit_test(tcp_stop_lets_answers_out),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    in_place = true;
    return failed + cmocka_run_group_tests(answers, NULL, NULL);
}
