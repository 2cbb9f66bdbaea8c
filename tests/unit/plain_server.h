/* SPDX-License-Identifier: MIT */
/* A plain DNS server on the test's own loop, over UDP and TCP, that answers as told: an A record
 * with 127.0.0.1 to whatever is asked for. */
#ifndef TESTS_UNIT_PLAIN_SERVER_H
#define TESTS_UNIT_PLAIN_SERVER_H

#include "dns/message.h"
#include "doh/config.h"
#include "tests/test.h"

#include <uv.h>

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

enum say {
    SAY_ANSWER,
    SAY_SERVFAIL,
    SAY_LARGE,     /* more than 512 octets, not truncated */
    SAY_TRUNCATED, /* by UDP; all of it by TCP */
    SAY_OTHER,     /* an answer to another question */
    SAY_NO_EDNS,   /* FORMERR without OPT to every query that has one */
    SAY_NOTHING,
    SAY_NO_ADDRESS,
    SAY_ONLY_V4, /* silent to all else */
    SAY_V6_LATE, /* AAAA ::1, when plain_say_late() is called */
    SAY_V4_LATE, /* the other way round, and AAAA is a group: no connection can be made to it */
};

struct plain_server {
    uv_udp_t udp;
    uv_tcp_t tcp, accepted;
    struct doh_address address;
    enum say say;
    unsigned queries, by_tcp, with_opt;
    uint16_t last_id, last_port, last_type;
    char in[4096], out[4096], late[512];
    size_t late_len;
    struct sockaddr_in late_to;
};

static inline size_t reply_to(struct plain_server *s, const uint8_t *octets, size_t len, bool tcp)
{
    struct dns_rr table[4];
    struct dns_msg query;
    struct dns_msg_out out;
    static const uint8_t loopback[4] = {127, 0, 0, 1}, loopback_v6[16] = {[15] = 1},
                         group_v6[16] = {0xff, 0x0e, [15] = 1};
    static const uint8_t text[250] = {249};
    assert_int_equal(dns_msg_read(octets, len, table, 4, &query), DNS_OK);
    s->queries++;
    s->by_tcp += tcp;
    s->with_opt += query.edns.present;
    s->last_id = query.id;
    s->last_type = query.question.type;
    bool formerr = s->say == SAY_NO_EDNS && query.edns.present;
    uint16_t rcode = formerr                  ? DNS_RCODE_FORMERR
                     : s->say == SAY_SERVFAIL ? DNS_RCODE_SERVFAIL
                                              : DNS_RCODE_NOERROR;
    bool cut = s->say == SAY_TRUNCATED && !tcp;
    dns_msg_out_init(
        &out, s->out + 2, sizeof s->out - 2, query.id,
        (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | (cut ? DNS_FLAG_TC : 0) | rcode));
    struct dns_question question = query.question;
    if (s->say == SAY_OTHER)
        question.type ^= 1;
    dns_msg_out_question(&out, &question);
    if (rcode == DNS_RCODE_NOERROR && !cut && query.question.type == DNS_TYPE_A &&
        s->say != SAY_NO_ADDRESS)
        dns_msg_out_rr(&out, DNS_ANSWER, &query.question.name, DNS_TYPE_A, DNS_CLASS_IN, 300,
                       loopback, 4);
    if ((s->say == SAY_V6_LATE || s->say == SAY_V4_LATE) && query.question.type == DNS_TYPE_AAAA)
        dns_msg_out_rr(&out, DNS_ANSWER, &query.question.name, DNS_TYPE_AAAA, DNS_CLASS_IN, 300,
                       s->say == SAY_V6_LATE ? loopback_v6 : group_v6, 16);
    for (unsigned i = 0; i < 3 && (s->say == SAY_LARGE || (s->say == SAY_TRUNCATED && tcp)); i++)
        dns_msg_out_rr(&out, DNS_ADDITIONAL, &query.question.name, DNS_TYPE_TXT, DNS_CLASS_IN, i,
                       text, sizeof text);
    size_t n = dns_msg_out_finish(&out);
    assert_true(n > 0);
    s->out[0] = (char)(n >> 8);
    s->out[1] = (char)n;
    return n;
}

static inline void on_udp_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct plain_server *s = handle->data;
    *buf = uv_buf_init(s->in, sizeof s->in);
}

static inline bool is_late(const struct plain_server *s)
{
    return (s->say == SAY_V6_LATE && s->last_type == DNS_TYPE_AAAA) ||
           (s->say == SAY_V4_LATE && s->last_type == DNS_TYPE_A);
}

static inline void on_udp(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
                          const struct sockaddr *from, unsigned flags)
{
    (void)flags;
    struct plain_server *s = udp->data;
    if (n <= 0 || !from)
        return;
    size_t len = reply_to(s, (const uint8_t *)buf->base, (size_t)n, false);
    s->last_port = ((const struct sockaddr_in *)from)->sin_port;
    if (s->say == SAY_NOTHING || (s->say == SAY_ONLY_V4 && s->last_type != DNS_TYPE_A))
        return;
    if (is_late(s)) {
        assert_true(len <= sizeof s->late);
        memcpy(s->late, s->out + 2, s->late_len = len);
        s->late_to = *(const struct sockaddr_in *)from;
        return;
    }
    uv_buf_t out = uv_buf_init(s->out + 2, (unsigned)len);
    assert_int_equal(uv_udp_try_send(udp, &out, 1, from), len);
}

static inline void on_tcp_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct plain_server *s = stream->data;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    if (n < 14)
        return;
    size_t len = reply_to(s, (const uint8_t *)buf->base + 2, (size_t)n - 2, true);
    uv_buf_t out = uv_buf_init(s->out, (unsigned)len + 2);
    assert_int_equal(uv_try_write(stream, &out, 1), len + 2);
}

static inline void on_tcp(uv_stream_t *listener, int status)
{
    struct plain_server *s = listener->data;
    assert_int_equal(status, 0);
    assert_int_equal(uv_tcp_init(listener->loop, &s->accepted), 0);
    s->accepted.data = s;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&s->accepted), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&s->accepted, on_udp_alloc, on_tcp_read), 0);
}

static inline int bound(int type, struct doh_address *address)
{
    socklen_t len = sizeof address->sa;
    int fd = socket(address->sa.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (bind(fd, &address->sa.any, len) == 0 && getsockname(fd, &address->sa.any, &len) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* One port that is free for both. */
static inline void bind_both(struct doh_address *address, int *ret_udp, int *ret_tcp)
{
    for (;;) {
        address->sa.v4.sin_port = 0;
        *ret_udp = bound(SOCK_DGRAM, address);
        assert_true(*ret_udp >= 0);
        *ret_tcp = bound(SOCK_STREAM, address);
        if (*ret_tcp >= 0)
            return;
        (void)close(*ret_udp);
    }
}

/* On a free port of that address, by UDP and TCP. */
static inline void plain_open_at(struct plain_server *s, uv_loop_t *loop, enum say say,
                                 const struct doh_address *where)
{
    int udp, tcp;
    memset(s, 0, sizeof *s);
    s->say = say;
    s->address = *where;
    bind_both(&s->address, &udp, &tcp);
    assert_int_equal(uv_udp_init(loop, &s->udp), 0);
    assert_int_equal(uv_tcp_init(loop, &s->tcp), 0);
    s->udp.data = s->tcp.data = s;
    assert_int_equal(uv_udp_open(&s->udp, udp), 0);
    assert_int_equal(uv_tcp_open(&s->tcp, tcp), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&s->tcp, 4, on_tcp), 0);
    assert_int_equal(uv_udp_recv_start(&s->udp, on_udp_alloc, on_udp), 0);
}

static inline void plain_open(struct plain_server *s, uv_loop_t *loop, enum say say)
{
    struct doh_address loopback = {.sa.v4 = {.sin_family = AF_INET}};
    loopback.sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    plain_open_at(s, loop, say, &loopback);
}

static inline void plain_say_late(struct plain_server *s)
{
    uv_buf_t out = uv_buf_init(s->late, (unsigned)s->late_len);
    assert_true(s->late_len > 0);
    assert_int_equal(uv_udp_try_send(&s->udp, &out, 1, (const struct sockaddr *)&s->late_to),
                     s->late_len);
}

static inline void plain_close(struct plain_server *s)
{
    uv_close((uv_handle_t *)&s->udp, NULL);
    uv_close((uv_handle_t *)&s->tcp, NULL);
    if (s->accepted.data && !uv_is_closing((uv_handle_t *)&s->accepted))
        uv_close((uv_handle_t *)&s->accepted, NULL);
}

#endif
