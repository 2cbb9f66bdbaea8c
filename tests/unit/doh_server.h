/* SPDX-License-Identifier: MIT */
/* A DoH server on the test's own loop, on a free port of 127.0.0.1, that behaves as told; and the
 * certificates for it, made when the program starts. */
#ifndef TESTS_UNIT_DOH_SERVER_H
#define TESTS_UNIT_DOH_SERVER_H

#include "dns/message.h"
#include "doh/list.h"
#include "tests/test.h"

#include <nghttp2/nghttp2.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <uv.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SERVER_HOST "doh.test"
#define SERVER_BIG 70000u

/* --- certificates ---------------------------------------------------------------------------- */

struct authority {
    EVP_PKEY *key;
    X509 *cert;
    char file[64]; /* PEM */
};

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Valid from `from` days from now to `days`; signed by itself without an issuer. */
static inline X509 *make_certificate_from(EVP_PKEY *key, const char *name, X509 *issuer,
                                          EVP_PKEY *issuer_key, long from, long days)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 86400 * from);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400 * days);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
    if (issuer) {
        char names[128];
        (void)snprintf(names, sizeof names, "DNS:%s,IP:127.0.0.1,IP:::1", name);
        add_extension(cert, issuer, NID_subject_alt_name, names);
    } else {
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    assert_true(X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    return cert;
}

static inline X509 *make_certificate(EVP_PKEY *key, const char *name, X509 *issuer,
                                     EVP_PKEY *issuer_key, long days)
{
    return make_certificate_from(key, name, issuer, issuer_key, -2, days);
}

static inline struct authority authority_named(const char *name)
{
    struct authority a = {.key = EVP_EC_gen("P-256"), .file = "/tmp/veridoh-unit-ca-XXXXXX"};
    a.cert = make_certificate(a.key, name, NULL, NULL, 10);
    FILE *f = fdopen(mkstemp(a.file), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, a.cert), 1);
    assert_int_equal(fclose(f), 0);
    return a;
}

static inline struct authority authority_new(void)
{
    return authority_named("test authority");
}

static inline void authority_free(struct authority *a)
{
    (void)unlink(a->file);
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

/* --- the server ------------------------------------------------------------------------------ */

enum act {
    ACT_ANSWER,
    ACT_DROP,
    ACT_RESET,   /* TCP RST */
    ACT_CLOSE,   /* FIN */
    ACT_GOAWAY,  /* last stream 0 */
    ACT_REFUSE,  /* RST_STREAM REFUSED_STREAM */
    ACT_ABANDON, /* RST_STREAM INTERNAL_ERROR */
    ACT_GARBAGE, /* not HTTP/2 */
    ACT_BIG,
    ACT_TRUNCATED,
    ACT_OTHER_QUESTION,
    ACT_OTHER_ID,
    ACT_LARGE,   /* as large as an answer may be */
    ACT_ADDRESS, /* the loopback address of the family asked for */
};

struct behaviour {
    enum act act;
    unsigned first, count; /* for `count` requests from the one numbered `first` on; 0: all */
    unsigned status;       /* 0: 200 */
    unsigned delay_ms;     /* of the answer */
    const char *media, *age, *retry_after;
};

struct server {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_timer_t late; /* looks for delayed answers that are due, and for peers to be read */
    SSL_CTX *context;
    uint16_t port;
    uint32_t max_streams; /* 0: says nothing */
    bool slams;           /* closes every connection at once */
    bool dead;            /* server_die() is over */
    bool hangs;           /* new ones hear nothing */
    bool leaves;          /* GOAWAY with the greeting */
    unsigned swallowed;   /* nor do the next so many */
    unsigned lag_ms;      /* new ones are not read for that long */
    bool takes_early;     /* reads early data; server_allow_early() lets clients know */
    unsigned quota;       /* GOAWAY after so many requests of a connection; 0: never */
    struct behaviour behaviour;
    unsigned (*delay_of)(unsigned request); /* ms, for each; NULL: as `behaviour` says */
    struct doh_list peers;
    unsigned connections, handshakes, resumed, requests, posts, gets, fresh;
    unsigned batches; /* TCP segments that brought requests */
    unsigned early;   /* requests that came before the handshake's end */
    unsigned reads;   /* of the last connection, until its first request came */
    unsigned goodbyes, goaways, pings;
    unsigned open, open_max; /* streams, now and most at one time */
    char order[64];          /* first letters of the names asked for, as they came */
};

struct served {
    struct doh_list link;
    int32_t id;
    uint64_t due_ms; /* 0: not delayed */
    struct behaviour how;
    bool get;
    char path[2048];
    uint8_t query[2048], reply[SERVER_BIG];
    uint32_t query_len, reply_len, sent;
};

struct peer {
    struct doh_list link, served;
    struct server *server;
    uv_tcp_t tcp;
    SSL *ssl;
    BIO *in, *out;
    nghttp2_session *h2;
    bool greeted, doomed, counted, early_over;
    unsigned requests, reads;
    uint64_t deaf_until_ms; /* 0: it is read */
    enum act doom;
    char buf[65536];
};

static inline void on_peer_closed(uv_handle_t *handle)
{
    struct peer *p = DOH_ITEM(handle, struct peer, tcp);
    nghttp2_session_del(p->h2);
    while (!doh_list_empty(&p->served)) {
        struct served *s = DOH_ITEM(p->served.next, struct served, link);
        doh_list_remove(&s->link);
        free(s);
    }
    if (p->ssl) /* else OpenSSL takes back the tickets for early data, which it keeps count of */
        SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(p->ssl);
    free(p);
}

static inline void peer_close(struct peer *p)
{
    if (uv_is_closing((uv_handle_t *)&p->tcp))
        return;
    doh_list_remove(&p->link);
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static inline void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static inline void peer_send(struct peer *p, const void *octets, size_t len)
{
    uv_write_t *write = malloc(sizeof *write + len);
    memcpy(write + 1, octets, len);
    uv_buf_t buf = uv_buf_init((char *)(write + 1), (unsigned)len);
    if (uv_write(write, (uv_stream_t *)&p->tcp, &buf, 1, on_written) != 0)
        free(write);
}

/* Before the handshake's end as an answer to early data. */
static inline void peer_encrypt(struct peer *p, const void *octets, size_t len)
{
    size_t written = 0;
    int rc = SSL_is_init_finished(p->ssl) ? SSL_write_ex(p->ssl, octets, len, &written)
                                          : SSL_write_early_data(p->ssl, octets, len, &written);
    assert_int_equal(rc, 1);
    assert_int_equal(written, len);
}

static inline void peer_flush(struct peer *p)
{
    const uint8_t *octets;
    ssize_t n;
    while (p->h2 && (n = nghttp2_session_mem_send(p->h2, &octets)) > 0)
        peer_encrypt(p, octets, (size_t)n);
    char cipher[16384];
    int len;
    while ((len = BIO_read(p->out, cipher, sizeof cipher)) > 0)
        peer_send(p, cipher, (size_t)len);
}

static inline unsigned base64url_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = strchr(digits, c);
    assert_non_null(at);
    return (unsigned)(at - digits);
}

static inline void decode_get(struct served *s)
{
    const char *text = strstr(s->path, "dns=");
    assert_non_null(text);
    uint32_t bits = 0;
    unsigned count = 0;
    for (text += 4; *text; text++) {
        bits = (bits << 6) | base64url_digit(*text);
        count += 6;
        if (count >= 8) {
            count -= 8;
            s->query[s->query_len++] = (uint8_t)(bits >> count);
        }
    }
}

static inline ssize_t on_reply(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t cap,
                               uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)h2;
    (void)id;
    (void)arg;
    struct served *s = source->ptr;
    uint32_t n = s->reply_len - s->sent < cap ? s->reply_len - s->sent : (uint32_t)cap;
    memcpy(buf, s->reply + s->sent, n);
    s->sent += n;
    if (s->sent == s->reply_len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static inline nghttp2_nv server_field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

/* The question back, without any record. */
static inline void write_reply(struct served *s, enum act act)
{
    struct dns_rr table[4];
    struct dns_msg msg;
    assert_int_equal(dns_msg_read(s->query, s->query_len, table, 4, &msg), DNS_OK);
    s->reply_len = act == ACT_BIG ? SERVER_BIG : act == ACT_LARGE ? DNS_MSG_MAX : msg.question_end;
    memcpy(s->reply, s->query, msg.question_end);
    s->reply[2] = (uint8_t)(0x81 | (act == ACT_TRUNCATED ? 2 : 0));
    s->reply[3] = 0x80;
    memset(s->reply + 6, 0, 6);
    if (act == ACT_LARGE) { /* one record of a private type behind the question */
        uint32_t rdata_len = DNS_MSG_MAX - msg.question_end - 12;
        const uint8_t head[12] = {
            0xc0, 12, 0xff, 0, 0, 1, 0, 0, 0, 0, (uint8_t)(rdata_len >> 8), (uint8_t)rdata_len};
        s->reply[7] = 1;
        memcpy(s->reply + msg.question_end, head, sizeof head);
    }
    if (act == ACT_ADDRESS) {
        const uint8_t len = msg.question.type == DNS_TYPE_A ? 4 : 16;
        const uint8_t head[12] = {0xc0, 12, 0,  (uint8_t)msg.question.type, 0, 1, 0, 0, 1,
                                  44,   0,  len};
        const uint8_t v4[16] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
        s->reply[7] = 1;
        memcpy(s->reply + msg.question_end, head, sizeof head);
        memcpy(s->reply + msg.question_end + sizeof head, len == 4 ? v4 : v6, len);
        s->reply_len += (uint32_t)sizeof head + len;
    }
    if (act == ACT_OTHER_QUESTION)
        s->reply[msg.question_end - 3] ^= 1; /* the type */
    if (act == ACT_OTHER_ID)
        s->reply[1] ^= 1;
}

static inline void reply(struct peer *p, struct served *s, const struct behaviour *b)
{
    char status[12];
    nghttp2_nv nv[4];
    size_t n = 0;
    nghttp2_data_provider body = {.source = {.ptr = s}, .read_callback = on_reply};
    (void)snprintf(status, sizeof status, "%u", b->status ? b->status : 200);
    nv[n++] = server_field(":status", status);
    nv[n++] = server_field("content-type", b->media ? b->media : "application/dns-message");
    if (b->age)
        nv[n++] = server_field("age", b->age);
    if (b->retry_after)
        nv[n++] = server_field("retry-after", b->retry_after);
    write_reply(s, b->act);
    assert_int_equal(nghttp2_submit_response(p->h2, s->id, nv, n, &body), 0);
}

static inline void on_peer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static inline void on_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static inline void on_late(uv_timer_t *timer)
{
    struct server *server = DOH_ITEM(timer, struct server, late);
    for (struct doh_list *i = server->peers.next; i != &server->peers; i = i->next) {
        struct peer *p = DOH_ITEM(i, struct peer, link);
        for (struct doh_list *j = p->served.next; j != &p->served; j = j->next) {
            struct served *s = DOH_ITEM(j, struct served, link);
            if (s->due_ms == 0 || s->due_ms > uv_now(server->loop))
                continue;
            s->due_ms = 0;
            reply(p, s, &s->how);
        }
        peer_flush(p);
        if (p->deaf_until_ms > 0 && p->deaf_until_ms <= uv_now(server->loop)) {
            p->deaf_until_ms = 0;
            assert_int_equal(uv_read_start((uv_stream_t *)&p->tcp, on_peer_alloc, on_peer_read), 0);
        }
    }
}

static inline void act(struct peer *p, struct served *s)
{
    static const struct behaviour honest = {.act = ACT_ANSWER};
    struct server *server = p->server;
    const struct behaviour *b = &server->behaviour;
    unsigned number = server->requests++;
    if (b->count > 0 && (number < b->first || number >= b->first + b->count))
        b = &honest;
    switch (b->act) {
    case ACT_DROP: return;
    case ACT_RESET:
    case ACT_CLOSE:
    case ACT_GARBAGE:
        p->doomed = true; /* when nghttp2 has returned */
        p->doom = b->act;
        return;
    case ACT_GOAWAY: (void)nghttp2_submit_goaway(p->h2, 0, 0, NGHTTP2_NO_ERROR, NULL, 0); return;
    case ACT_REFUSE:
        (void)nghttp2_submit_rst_stream(p->h2, 0, s->id, NGHTTP2_REFUSED_STREAM);
        return;
    case ACT_ABANDON:
        (void)nghttp2_submit_rst_stream(p->h2, 0, s->id, NGHTTP2_INTERNAL_ERROR);
        return;
    default: break;
    }
    s->how = *b;
    if (server->delay_of)
        s->how.delay_ms = server->delay_of(number);
    if (s->how.delay_ms == 0) {
        reply(p, s, b);
        return;
    }
    s->due_ms = uv_now(server->loop) + s->how.delay_ms;
    (void)uv_timer_start(&server->late, on_late, 1, 1);
}

static inline int on_server_begin(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    struct peer *p = arg;
    struct served *s = calloc(1, sizeof *s);
    s->id = frame->hd.stream_id;
    doh_list_init(&s->link);
    doh_list_append(&p->served, &s->link);
    if (++p->server->open > p->server->open_max)
        p->server->open_max = p->server->open;
    return nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, s);
}

static inline int on_server_header(nghttp2_session *h2, const nghttp2_frame *frame,
                                   const uint8_t *name, size_t name_len, const uint8_t *value,
                                   size_t value_len, uint8_t flags, void *arg)
{
    (void)flags;
    struct peer *p = arg;
    struct served *s = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (name_len == 7 && !memcmp(name, ":method", 7))
        s->get = value[0] == 'G';
    if (name_len == 5 && !memcmp(name, ":path", 5) && value_len < sizeof s->path)
        memcpy(s->path, value, value_len);
    if (name_len == 13 && !memcmp(name, "cache-control", 13))
        p->server->fresh++;
    return 0;
}

static inline int on_server_data(nghttp2_session *h2, uint8_t flags, int32_t id,
                                 const uint8_t *data, size_t len, void *arg)
{
    (void)flags;
    (void)arg;
    struct served *s = nghttp2_session_get_stream_user_data(h2, id);
    assert_true(len <= sizeof s->query - s->query_len);
    memcpy(s->query + s->query_len, data, len);
    s->query_len += (uint32_t)len;
    return 0;
}

static inline int on_server_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
    struct peer *p = arg;
    struct server *server = p->server;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        server->goodbyes++;
    if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        server->pings++;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    struct served *s = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (!s)
        return 0;
    if (s->get)
        decode_get(s);
    *(s->get ? &server->gets : &server->posts) += 1;
    size_t at = strlen(server->order);
    if (at + 1 < sizeof server->order && s->query_len > 13)
        server->order[at] = (char)s->query[13];
    if (!p->counted)
        server->batches++;
    p->counted = true;
    if (!SSL_is_init_finished(p->ssl))
        server->early++;
    if (p->requests == 0)
        server->reads = p->reads;
    act(p, s);
    if (++p->requests == server->quota) {
        server->goaways++;
        (void)nghttp2_submit_goaway(p->h2, 0, s->id, NGHTTP2_NO_ERROR, NULL, 0);
    }
    return 0;
}

static inline int on_server_close(nghttp2_session *h2, int32_t id, uint32_t code, void *arg)
{
    (void)code;
    struct served *s = nghttp2_session_get_stream_user_data(h2, id);
    ((struct peer *)arg)->server->open--;
    if (s)
        doh_list_remove(&s->link);
    free(s);
    return 0;
}

static inline void peer_greet(struct peer *p)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0}};
    settings[0].value = p->server->max_streams;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_server_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_server_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_server_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_server_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_server_close);
    assert_int_equal(nghttp2_session_server_new2(&p->h2, callbacks, p, option), 0);
    assert_int_equal(
        nghttp2_submit_settings(p->h2, 0, settings, p->server->max_streams > 0 ? 1 : 0), 0);
    if (p->server->leaves)
        assert_int_equal(nghttp2_submit_goaway(p->h2, 0, 0, NGHTTP2_NO_ERROR, NULL, 0), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    p->greeted = true;
    p->server->handshakes++;
    p->server->resumed += SSL_session_reused(p->ssl) == 1;
}

static inline void peer_die(struct peer *p)
{
    if (p->doom == ACT_GARBAGE) {
        static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\nthis is not HTTP/2 at all";
        (void)SSL_write(p->ssl, garbage, sizeof garbage);
        peer_flush(p);
        p->doomed = false;
    } else if (p->doom == ACT_RESET) {
        doh_list_remove(&p->link);
        (void)uv_tcp_close_reset(&p->tcp, on_peer_closed);
    } else {
        peer_close(p);
    }
}

static inline void peer_feed(struct peer *p, const void *plain, size_t len)
{
    if (!p->greeted)
        peer_greet(p);
    if (nghttp2_session_mem_recv(p->h2, plain, len) < 0)
        p->doomed = true;
}

static inline void peer_read_early(struct peer *p)
{
    char plain[16384];
    while (!p->early_over && !p->doomed) {
        size_t len = 0;
        int rc = SSL_read_early_data(p->ssl, plain, sizeof plain, &len);
        if (rc == SSL_READ_EARLY_DATA_ERROR)
            return; /* there will be more */
        p->early_over = rc == SSL_READ_EARLY_DATA_FINISH;
        if (len > 0)
            peer_feed(p, plain, len);
    }
}

static inline void peer_advance(struct peer *p)
{
    char plain[16384];
    p->counted = false;
    if (p->server->takes_early)
        peer_read_early(p);
    if (p->server->takes_early && !p->early_over && !p->doomed) {
        peer_flush(p);
        return;
    }
    if (!p->doomed && !SSL_is_init_finished(p->ssl) && SSL_do_handshake(p->ssl) != 1) {
        peer_flush(p);
        return;
    }
    if (!p->greeted)
        peer_greet(p);
    int n;
    while (!p->doomed && (n = SSL_read(p->ssl, plain, sizeof plain)) > 0)
        peer_feed(p, plain, (size_t)n);
    if (p->doomed)
        peer_die(p);
    else
        peer_flush(p);
}

static inline void on_peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct peer *p = DOH_ITEM(handle, struct peer, tcp);
    *buf = uv_buf_init(p->buf, sizeof p->buf);
}

static inline void on_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct peer *p = DOH_ITEM(stream, struct peer, tcp);
    if (n < 0) {
        peer_close(p);
        return;
    }
    (void)BIO_write(p->in, buf->base, (int)n);
    p->reads++;
    if (n > 0)
        peer_advance(p);
}

static inline void on_server_connection(uv_stream_t *listener, int status)
{
    struct server *server = DOH_ITEM(listener, struct server, tcp);
    assert_int_equal(status, 0);
    struct peer *p = calloc(1, sizeof *p);
    p->server = server;
    server->connections++;
    doh_list_init(&p->link);
    doh_list_init(&p->served);
    doh_list_append(&server->peers, &p->link);
    assert_int_equal(uv_tcp_init(server->loop, &p->tcp), 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
    if (server->slams) {
        peer_close(p);
        return;
    }
    p->ssl = SSL_new(server->context);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_accept_state(p->ssl);
    if (server->hangs || server->swallowed > 0) {
        server->swallowed -= server->swallowed > 0;
        return;
    }
    if (server->lag_ms > 0) {
        p->deaf_until_ms = uv_now(server->loop) + server->lag_ms;
        (void)uv_timer_start(&server->late, on_late, 1, 1);
        return;
    }
    assert_int_equal(uv_read_start((uv_stream_t *)&p->tcp, on_peer_alloc, on_peer_read), 0);
}

static inline int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                            const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    (void)arg;
    *out = (const unsigned char *)"h2";
    *out_len = 2;
    return SSL_TLSEXT_ERR_OK;
}

/* `ca` NULL: signed by itself. */
static inline SSL_CTX *server_context_from(const struct authority *ca, const char *name, long from,
                                           long days)
{
    static const unsigned char id[] = "unit";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert =
        make_certificate_from(key, name, ca ? ca->cert : NULL, ca ? ca->key : NULL, from, days);
    assert_int_equal(SSL_CTX_use_certificate(context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    SSL_CTX_set_session_id_context(context, id, sizeof id);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}

static inline SSL_CTX *server_context(const struct authority *ca, const char *name, long days)
{
    return server_context_from(ca, name, -2, days);
}

/* From now on its tickets allow that many octets of early data, each once, and it takes them. */
static inline void server_allow_early(struct server *server, uint32_t octets)
{
    assert_int_equal(SSL_CTX_set_max_early_data(server->context, octets), 1);
    server->takes_early = true;
}

static inline void server_open_at(struct server *server, uv_loop_t *loop,
                                  const struct authority *ca, const char *name, long days,
                                  const struct sockaddr *where)
{
    struct sockaddr_storage at;
    int len = sizeof at;
    memset(server, 0, sizeof *server);
    server->loop = loop;
    server->context = server_context(ca, name, days);
    doh_list_init(&server->peers);
    assert_int_equal(uv_timer_init(loop, &server->late), 0);
    assert_int_equal(uv_tcp_init(loop, &server->tcp), 0);
    assert_int_equal(uv_tcp_bind(&server->tcp, where, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 64, on_server_connection), 0);
    assert_int_equal(uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(((struct sockaddr_in *)&at)->sin_port); /* in both families there */
}

/* `days`: until the certificate for `name` expires; may be negative. */
static inline void server_open(struct server *server, uv_loop_t *loop, const struct authority *ca,
                               const char *name, long days)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server_open_at(server, loop, ca, name, days, (const struct sockaddr *)&at);
}

/* SETTINGS on every connection that is open: from now on so many streams. */
static inline void server_limit(struct server *server, uint32_t streams)
{
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}};
    for (struct doh_list *i = server->peers.next; i != &server->peers; i = i->next) {
        struct peer *p = DOH_ITEM(i, struct peer, link);
        if (!p->greeted)
            continue;
        assert_int_equal(nghttp2_submit_settings(p->h2, 0, settings, 1), 0);
        peer_flush(p);
    }
}

static inline void server_hang_up(struct server *server)
{
    while (!doh_list_empty(&server->peers))
        peer_close(DOH_ITEM(server->peers.next, struct peer, link));
}

static inline void on_server_dead(uv_handle_t *handle)
{
    DOH_ITEM(handle, struct server, tcp)->dead = true;
}

/* As a process that dies: RST on every connection. `dead` when the loop has let go of its socket.
 */
static inline void server_die(struct server *server)
{
    while (!doh_list_empty(&server->peers)) {
        struct peer *p = DOH_ITEM(server->peers.next, struct peer, link);
        doh_list_remove(&p->link);
        if (uv_tcp_close_reset(&p->tcp, on_peer_closed) != 0)
            uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
    }
    server->dead = false;
    uv_close((uv_handle_t *)&server->tcp, on_server_dead);
}

static inline void server_close(struct server *server)
{
    server_hang_up(server);
    uv_close((uv_handle_t *)&server->late, NULL);
    if (!uv_is_closing((uv_handle_t *)&server->tcp))
        uv_close((uv_handle_t *)&server->tcp, NULL);
    SSL_CTX_free(server->context);
}

#endif
