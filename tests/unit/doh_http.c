// SPDX-License-Identifier: MIT
/* URLs, responses, and the HTTP/2 session against a server session in memory. */
#include "doh/h2.h"
#include "tests/test.h"

#include <nghttp2/nghttp2.h>

#include <stdlib.h>

struct url_case {
    const char *text;
    bool ok;
    const char *host, *authority, *path;
    uint16_t port;
    bool is_ip, has_variable;
};

// clang-format off
static const struct url_case urls[] = {
    {"https://dns.example/dns-query", true, "dns.example", "dns.example", "/dns-query", 443, false, false},
    {"https://dns.example:8443/q{?dns}", true, "dns.example", "dns.example:8443", "/q", 8443, false, true},
    {"https://[2620:fe::fe]/dns-query", true, "2620:fe::fe", "[2620:fe::fe]", "/dns-query", 443, true, false},
    {"https://9.9.9.9:4/x", true, "9.9.9.9", "9.9.9.9:4", "/x", 4, true, false},
    {"http://dns.example/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://", false, NULL, NULL, NULL, 0, false, false},
    {"https://dns.example", false, NULL, NULL, NULL, 0, false, false},       /* no path */
    {"https://dns.example:0/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://dns.example:65536/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://[dns.example]/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://[::1/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://user@dns.example/q", false, NULL, NULL, NULL, 0, false, false},
    {"https://dns.example/{name}{?dns}", false, NULL, NULL, NULL, 0, false, false},
    {"https://dns.example/a b", false, NULL, NULL, NULL, 0, false, false},
    {"https://dns.example/a\r\nx: y", false, NULL, NULL, NULL, 0, false, false},
};

struct response_case {
    const char *status, *media, *age, *retry_after;
    enum doh_meaning meaning;
    uint32_t age_s, retry_after_s;
};

static const struct response_case responses[] = {
    {"200", "application/dns-message", "0", NULL, DOH_MEANS_ANSWER, 0, 0},
    {"200", "Application/DNS-Message; charset=x", "17", NULL, DOH_MEANS_ANSWER, 17, 0},
    {"200", "application/dns-message2", NULL, NULL, DOH_MEANS_CONFIG, 0, 0},
    {"200", "text/html", NULL, NULL, DOH_MEANS_CONFIG, 0, 0},
    {"200", "", NULL, NULL, DOH_MEANS_CONFIG, 0, 0},
    {"301", "application/dns-message", NULL, NULL, DOH_MEANS_BROKEN, 0, 0}, /* never followed */
    {"400", NULL, NULL, NULL, DOH_MEANS_CONFIG, 0, 0},
    {"404", NULL, NULL, NULL, DOH_MEANS_CONFIG, 0, 0},
    {"405", NULL, NULL, NULL, DOH_MEANS_METHOD, 0, 0},
    {"415", NULL, NULL, NULL, DOH_MEANS_METHOD, 0, 0},
    {"421", NULL, NULL, NULL, DOH_MEANS_AGAIN, 0, 0},
    {"429", NULL, NULL, "30", DOH_MEANS_LATER, 0, 30},
    {"503", NULL, NULL, "Wed, 21 Oct 2026 07:28:00 GMT", DOH_MEANS_LATER, 0, 0},
    {"502", NULL, NULL, NULL, DOH_MEANS_BROKEN, 0, 0},
    {"99", NULL, NULL, NULL, DOH_MEANS_BROKEN, 0, 0},
    {"200", "application/dns-message", "-1", NULL, DOH_MEANS_ANSWER, 0, 0},
};
// clang-format on

static void templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct doh_url url;
        const char *error = NULL;
        bool ok = doh_url_parse(urls[i].text, &url, &error);
        if (ok != urls[i].ok)
            print_error("%s\n", urls[i].text);
        assert_int_equal(ok, urls[i].ok);
        if (!ok) {
            assert_non_null(error);
            continue;
        }
        assert_string_equal(url.host, urls[i].host);
        assert_string_equal(url.authority, urls[i].authority);
        assert_string_equal(url.path, urls[i].path);
        assert_int_equal(url.port, urls[i].port);
        assert_int_equal(url.is_ip, urls[i].is_ip);
        assert_int_equal(url.has_variable, urls[i].has_variable);
    }
}

static void header(struct doh_response *r, const char *name, const char *value)
{
    if (value)
        doh_response_header(r, (const uint8_t *)name, strlen(name), (const uint8_t *)value,
                            strlen(value));
}

static void meanings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(responses); i++) {
        struct doh_response r = {0};
        header(&r, ":status", responses[i].status);
        header(&r, "content-type", responses[i].media);
        header(&r, "age", responses[i].age);
        header(&r, "retry-after", responses[i].retry_after);
        if (doh_response_meaning(&r) != responses[i].meaning)
            print_error("row %zu\n", i);
        assert_int_equal(doh_response_meaning(&r), responses[i].meaning);
        assert_int_equal(r.age_s, responses[i].age_s);
        assert_int_equal(r.retry_after_s, responses[i].retry_after_s);
    }
}

/* --- against a server ------------------------------------------------------------------------ */

struct peer { /* answers each stream with its own number as the body, or as told */
    nghttp2_session *session;
    struct doh_h2 *client;
    int32_t seen[64];
    unsigned count;
    uint32_t body_len;
    char path[256], method[8];
};

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct peer *p = arg;
    (void)session;
    bool request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && p->count < COUNT(p->seen))
        p->seen[p->count++] = frame->hd.stream_id;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct peer *p = arg;
    (void)session, (void)frame, (void)flags;
    if (name_len == 5 && !memcmp(name, ":path", 5) && value_len < sizeof p->path)
        memcpy(p->path, value, value_len + 1);
    if (name_len == 7 && !memcmp(name, ":method", 7) && value_len < sizeof p->method)
        memcpy(p->method, value, value_len + 1);
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)session, (void)stream, (void)arg;
    uint32_t *left = source->ptr;
    size_t n = *left < cap ? *left : cap;
    memset(buf, 'b', n);
    *left -= (uint32_t)n;
    if (*left == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void peer_init(struct peer *p)
{
    nghttp2_session_callbacks *callbacks;
    *p = (struct peer){.client = doh_h2_new(), .body_len = 100};
    assert_non_null(p->client);
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    assert_int_equal(nghttp2_session_server_new(&p->session, callbacks, p), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(p->session, 0, NULL, 0), 0);
}

static void peer_deinit(struct peer *p)
{
    doh_h2_free(p->client);
    nghttp2_session_del(p->session);
}

/* Octets to and fro until neither side has any. */
static void exchange_octets(struct peer *p)
{
    for (bool any = true; any;) {
        const uint8_t *octets;
        long n;
        any = false;
        while ((n = doh_h2_take(p->client, &octets)) > 0) {
            assert_int_equal(nghttp2_session_mem_recv(p->session, octets, (size_t)n), n);
            any = true;
        }
        while ((n = nghttp2_session_mem_send(p->session, &octets)) > 0) {
            assert_true(doh_h2_feed(p->client, octets, (size_t)n));
            any = true;
        }
    }
}

static void answer(struct peer *p, int32_t stream, uint32_t *left)
{
    static const nghttp2_nv headers[] = {
        {(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0},
        {(uint8_t *)"content-type", (uint8_t *)"application/dns-message", 12, 23, 0},
    };
    const nghttp2_data_provider body = {{.ptr = left}, read_body};
    assert_int_equal(nghttp2_submit_response(p->session, stream, headers, COUNT(headers), &body),
                     0);
}

static struct doh_url url_of(const char *text)
{
    struct doh_url url;
    const char *error;
    assert_true(doh_url_parse(text, &url, &error));
    return url;
}

#define MANY 40u
static const uint8_t query[33] = {1, 2, 3};

static void submit(struct peer *p, struct doh_exchange *x, bool get)
{
    struct doh_url url = url_of("https://a.example/q{?dns}");
    x->query = query;
    x->query_len = sizeof query;
    assert_true(doh_h2_submit(p->client, &url, get, false, x));
}

static void many_streams_out_of_order(void **state)
{
    (void)state;
    struct peer p;
    struct doh_exchange x[MANY] = {0};
    uint32_t left[MANY];
    peer_init(&p);
    for (unsigned i = 0; i < MANY; i++)
        submit(&p, &x[i], false);
    exchange_octets(&p);
    assert_int_equal(p.count, MANY);
    assert_string_equal(p.method, "POST");
    for (unsigned i = MANY; i-- > 0;) {
        left[i] = i * 1500; /* 58 KiB the largest: windows must be large enough */
        answer(&p, p.seen[i], &left[i]);
    }
    exchange_octets(&p);
    unsigned ended = 0;
    for (struct doh_exchange *e = doh_h2_finished(p.client); e; e = doh_h2_finished(p.client)) {
        assert_int_equal(e->end, DOH_H2_ANSWERED);
        assert_int_equal(e->body_len, (uint32_t)(e - x) * 1500);
        ended++;
    }
    assert_int_equal(ended, MANY);
    for (unsigned i = 0; i < MANY; i++)
        doh_exchange_deinit(&x[i]);
    peer_deinit(&p);
}

static void get_puts_the_query_into_the_path(void **state)
{
    (void)state;
    struct peer p;
    struct doh_exchange x = {0};
    peer_init(&p);
    submit(&p, &x, true);
    exchange_octets(&p);
    assert_string_equal(p.method, "GET");
    assert_string_equal(p.path, "/q?dns=AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    doh_h2_forget(p.client, &x);
    peer_deinit(&p);
}

static void a_body_too_large_costs_only_its_stream(void **state)
{
    (void)state;
    struct peer p;
    struct doh_exchange x[2] = {0};
    uint32_t left[2] = {DOH_BODY_MAX + 1, DOH_BODY_MAX};
    peer_init(&p);
    submit(&p, &x[0], false);
    submit(&p, &x[1], false);
    exchange_octets(&p);
    answer(&p, p.seen[0], &left[0]);
    answer(&p, p.seen[1], &left[1]);
    exchange_octets(&p);
    for (unsigned i = 0; i < 2; i++) {
        struct doh_exchange *e = doh_h2_finished(p.client);
        assert_non_null(e);
        assert_int_equal(e->end, e == &x[0] ? DOH_H2_TOO_LARGE : DOH_H2_ANSWERED);
    }
    doh_exchange_deinit(&x[0]);
    doh_exchange_deinit(&x[1]);
    peer_deinit(&p);
}

static void goaway_refuses_what_it_does_not_cover(void **state)
{
    (void)state;
    struct peer p;
    struct doh_exchange x[2] = {0};
    struct doh_exchange late = {.query = query, .query_len = sizeof query};
    uint32_t left = 10;
    peer_init(&p);
    submit(&p, &x[0], false);
    submit(&p, &x[1], false);
    exchange_octets(&p);
    assert_int_equal(nghttp2_submit_goaway(p.session, 0, p.seen[0], NGHTTP2_NO_ERROR, NULL, 0), 0);
    answer(&p, p.seen[0], &left);
    exchange_octets(&p);
    struct doh_url url = url_of("https://a.example/q");
    assert_true(doh_h2_draining(p.client));
    assert_int_equal(doh_h2_limit(p.client), 0);
    assert_false(doh_h2_submit(p.client, &url, false, false, &late));
    for (unsigned i = 0; i < 2; i++) {
        struct doh_exchange *e = doh_h2_finished(p.client);
        assert_non_null(e);
        assert_int_equal(e->end, e == &x[0] ? DOH_H2_ANSWERED : DOH_H2_REFUSED);
    }
    doh_exchange_deinit(&x[0]);
    doh_exchange_deinit(&x[1]);
    peer_deinit(&p);
}

static void the_peers_stream_limit_is_known(void **state)
{
    (void)state;
    struct peer p;
    const nghttp2_settings_entry one = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1};
    peer_init(&p);
    assert_int_equal(doh_h2_limit(p.client), 100); /* before SETTINGS */
    assert_int_equal(nghttp2_submit_settings(p.session, 0, &one, 1), 0);
    exchange_octets(&p);
    assert_int_equal(doh_h2_limit(p.client), 1);
    peer_deinit(&p);
}

static void reset_forget_and_lose(void **state)
{
    (void)state;
    struct peer p;
    struct doh_exchange x[3] = {0};
    peer_init(&p);
    for (unsigned i = 0; i < 3; i++)
        submit(&p, &x[i], false);
    exchange_octets(&p);
    assert_int_equal(nghttp2_submit_rst_stream(p.session, 0, p.seen[0], NGHTTP2_INTERNAL_ERROR), 0);
    exchange_octets(&p);
    assert_ptr_equal(doh_h2_finished(p.client), &x[0]);
    assert_int_equal(x[0].end, DOH_H2_RESET);
    doh_h2_forget(p.client, &x[1]); /* never told of again */
    doh_h2_lose(p.client, DOH_H2_LOST);
    assert_ptr_equal(doh_h2_finished(p.client), &x[2]);
    assert_int_equal(x[2].end, DOH_H2_LOST);
    assert_null(doh_h2_finished(p.client));
    assert_int_equal(doh_h2_open(p.client), 0);
    exchange_octets(&p);
    peer_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates),
        cmocka_unit_test(meanings),
        cmocka_unit_test(many_streams_out_of_order),
        cmocka_unit_test(get_puts_the_query_into_the_path),
        cmocka_unit_test(a_body_too_large_costs_only_its_stream),
        cmocka_unit_test(goaway_refuses_what_it_does_not_cover),
        cmocka_unit_test(the_peers_stream_limit_is_known),
        cmocka_unit_test(reset_forget_and_lose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
