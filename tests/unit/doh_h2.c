// SPDX-License-Identifier: MIT
/* The sans-I/O session against nghttp2's server side, both in memory. */
#include "doh/h2.h"
#include "tests/test.h"

#include <nghttp2/nghttp2.h>

#include <stdio.h>
#include <stdlib.h>

static const uint8_t query[] = "a question of thirty-two octets";
static const uint8_t answer[] = "the answer";

struct server {
    nghttp2_session *session;
    int32_t asked[400]; /* streams whose request is complete, as they came */
    unsigned asked_count, resets, pings, goaways;
    char method[8], path[256], authority[64], accept[64], type[64], length[16], cache[16];
    uint8_t body[64];
    size_t body_len;
    const uint8_t *reply;
    size_t reply_len, reply_sent;
};

struct pair {
    struct server server;
    struct doh_h2 *h2;
    struct doh_url url;
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)session;
    (void)frame;
    (void)flags;
    struct server *s = arg;
    const struct {
        const char *name;
        char *to;
        size_t cap;
    } wanted[] = {
        {":method", s->method, sizeof s->method},
        {":path", s->path, sizeof s->path},
        {":authority", s->authority, sizeof s->authority},
        {"accept", s->accept, sizeof s->accept},
        {"content-type", s->type, sizeof s->type},
        {"content-length", s->length, sizeof s->length},
        {"cache-control", s->cache, sizeof s->cache},
    };
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (name_len == strlen(wanted[i].name) && !memcmp(name, wanted[i].name, name_len))
            (void)snprintf(wanted[i].to, wanted[i].cap, "%.*s", (int)value_len,
                           (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *arg)
{
    (void)session;
    (void)flags;
    (void)id;
    struct server *s = arg;
    if (len <= sizeof s->body)
        memcpy(s->body, data, len);
    s->body_len = len;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)session;
    struct server *s = arg;
    s->resets += frame->hd.type == NGHTTP2_RST_STREAM;
    s->pings += frame->hd.type == NGHTTP2_PING;
    s->goaways += frame->hd.type == NGHTTP2_GOAWAY;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        s->asked[s->asked_count++] = frame->hd.stream_id;
    return 0;
}

static void pair_init_at(struct pair *p, uint32_t limit, uint32_t server_allows)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server_allows};
    memset(p, 0, sizeof *p);
    assert_null(doh_url_parse("https://doh.test/dns-query{?dns}", &p->url));
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    assert_int_equal(nghttp2_session_server_new(&p->server.session, callbacks, &p->server), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(
        nghttp2_submit_settings(p->server.session, 0, &settings, server_allows > 0 ? 1 : 0), 0);
    p->h2 = doh_h2_new(limit);
    assert_non_null(p->h2);
}

static void pair_init(struct pair *p)
{
    pair_init_at(p, DOH_STREAMS_UNTOLD, 0);
}

static void pair_deinit(struct pair *p)
{
    nghttp2_session_del(p->server.session);
    doh_h2_free(p->h2);
}

static void to_server(struct pair *p)
{
    struct doh_buffer out = doh_buffer_init(1 << 20);
    assert_true(doh_h2_take(p->h2, &out));
    ssize_t len = (ssize_t)doh_buffer_used(&out);
    if (len > 0)
        assert_int_equal(
            nghttp2_session_mem_recv(p->server.session, doh_buffer_front(&out), (size_t)len), len);
    doh_buffer_deinit(&out);
}

/* An octet at a time where `slow`. */
static void to_client(struct pair *p, bool slow)
{
    const uint8_t *octets;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(p->server.session, &octets)) > 0)
        for (ssize_t at = 0; at < len; at += slow ? 1 : len)
            assert_null(doh_h2_feed(p->h2, octets + at, slow ? 1 : (size_t)len, 0));
}

static int32_t submit(struct pair *p, bool get, bool fresh, void *user)
{
    struct doh_h2_request request = {.url = &p->url,
                                     .wire = query,
                                     .len = sizeof query,
                                     .get = get,
                                     .fresh = fresh,
                                     .user = user};
    return doh_h2_submit(p->h2, &request);
}

static ssize_t on_reply(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                        uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)session;
    (void)id;
    (void)source;
    struct server *s = arg;
    size_t n = s->reply_len - s->reply_sent < cap ? s->reply_len - s->reply_sent : cap;
    memcpy(buf, s->reply + s->reply_sent, n);
    s->reply_sent += n;
    if (s->reply_sent == s->reply_len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), 0};
}

static void respond(struct pair *p, int32_t id, const void *octets, size_t len)
{
    nghttp2_nv nv[] = {field(":status", "200"), field("content-type", "application/dns-message"),
                       field("age", "3")};
    nghttp2_data_provider body = {.read_callback = on_reply};
    p->server.reply = octets;
    p->server.reply_len = len;
    p->server.reply_sent = 0;
    assert_int_equal(nghttp2_submit_response(p->server.session, id, nv, 3, &body), 0);
}

static void expect(struct pair *p, void *user, enum doh_h2_end end)
{
    struct doh_h2_response r;
    assert_true(doh_h2_next(p->h2, &r));
    assert_ptr_equal(r.user, user);
    assert_int_equal(r.end, end);
}

static void expect_nothing(struct pair *p)
{
    struct doh_h2_response r;
    assert_false(doh_h2_next(p->h2, &r));
}

static char users[400];

/* --------------------------------------------------------------------------------------------- */

static void requests_look_as_they_should(void **state)
{
    (void)state;
    for (unsigned get = 0; get < 2; get++) {
        struct pair p;
        pair_init(&p);
        assert_true(submit(&p, get, get, &users[0]) > 0);
        to_server(&p);
        const struct server *s = &p.server;
        assert_int_equal(s->asked_count, 1);
        assert_string_equal(s->method, get ? "GET" : "POST");
        assert_string_equal(s->authority, "doh.test");
        assert_string_equal(s->accept, "application/dns-message");
        assert_string_equal(s->type, get ? "" : "application/dns-message");
        assert_string_equal(s->length, get ? "" : "32");
        assert_string_equal(s->cache, get ? "no-cache" : "");
        assert_string_equal(s->path,
                            get ? "/dns-query?dns=YSBxdWVzdGlvbiBvZiB0aGlydHktdHdvIG9jdGV0cwA"
                                : "/dns-query");
        assert_int_equal(s->body_len, get ? 0 : sizeof query);
        if (!get)
            assert_memory_equal(s->body, query, sizeof query);
        pair_deinit(&p);
    }
}

static void responses_come_back(void **state)
{
    (void)state;
    for (unsigned slow = 0; slow < 2; slow++) {
        struct pair p;
        struct doh_h2_response r;
        pair_init(&p);
        assert_true(submit(&p, false, false, &users[1]) > 0);
        to_server(&p);
        respond(&p, p.server.asked[0], answer, sizeof answer);
        to_client(&p, slow);
        assert_true(doh_h2_next(p.h2, &r));
        assert_ptr_equal(r.user, &users[1]);
        assert_int_equal(r.end, DOH_H2_RESPONSE);
        assert_int_equal(r.head.status, 200);
        assert_true(r.head.is_dns);
        assert_int_equal(r.head.age_s, 3);
        assert_int_equal(r.len, sizeof answer);
        assert_memory_equal(r.body, answer, sizeof answer);
        expect_nothing(&p);
        assert_false(doh_h2_draining(p.h2));
        pair_deinit(&p);
    }
}

static void the_largest_answer_fits_and_one_more_octet_does_not(void **state)
{
    (void)state;
    static uint8_t big[DOH_BODY_MAX + 1];
    for (size_t over = 0; over < 2; over++) {
        struct pair p;
        struct doh_h2_response r;
        pair_init(&p);
        (void)submit(&p, false, false, &users[0]);
        (void)submit(&p, false, false, &users[1]);
        to_server(&p);
        to_client(&p, false);
        to_server(&p); /* our window */
        respond(&p, p.server.asked[0], big, DOH_BODY_MAX + over);
        for (unsigned i = 0; i < 5; i++) {
            to_client(&p, false);
            to_server(&p);
        }
        assert_true(doh_h2_next(p.h2, &r));
        assert_int_equal(r.end, over ? DOH_H2_OVERSIZE : DOH_H2_RESPONSE);
        assert_true(over ? r.len <= DOH_BODY_MAX : r.len == DOH_BODY_MAX);
        assert_int_equal(p.server.resets, over);
        respond(&p, p.server.asked[1], answer, sizeof answer); /* the other one lives */
        to_client(&p, false);
        expect(&p, &users[1], DOH_H2_RESPONSE);
        expect_nothing(&p);
        pair_deinit(&p);
    }
}

static void the_limit_is_kept_here(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t remembered, allowed, before, after;
    } cases[] = {
        {"says nothing", DOH_STREAMS_UNTOLD, 0, 100, DOH_STREAMS_MAX},
        {"allows 5", DOH_STREAMS_UNTOLD, 5, 100, 5},
        {"allows 128", DOH_STREAMS_UNTOLD, 128, 100, 128},
        {"allows a million", DOH_STREAMS_UNTOLD, 1000000, 100, DOH_STREAMS_MAX},
        {"allowed 1 last time", 1, 7, 1, 7},
        {"allowed a million last time", 1000000, 7, DOH_STREAMS_MAX, 7},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct pair p;
        pair_init_at(&p, cases[i].remembered, cases[i].allowed);
        assert_int_equal(doh_h2_room(p.h2), cases[i].before);
        to_server(&p);
        to_client(&p, false);
        assert_int_equal(doh_h2_room(p.h2), cases[i].after);
        for (uint32_t n = 0; n < cases[i].after; n++)
            assert_true(submit(&p, false, false, &users[n]) > 0);
        assert_int_equal(doh_h2_room(p.h2), 0);
        assert_int_equal(submit(&p, false, false, &users[399]), 0);
        to_server(&p);
        assert_int_equal(p.server.asked_count, cases[i].after); /* none is parked */
        pair_deinit(&p);
    }
}

static void cancelled_requests_are_silent(void **state)
{
    (void)state;
    for (unsigned when = 0; when < 4; when++) {
        print_message("%u\n", when);
        struct pair p;
        pair_init(&p);
        int32_t id = submit(&p, false, false, &users[0]);
        if (when == 0)
            doh_h2_cancel(p.h2, id); /* not even sent */
        to_server(&p);
        if (when == 1)
            doh_h2_cancel(p.h2, id); /* sent */
        to_server(&p);
        if (when >= 2) {
            respond(&p, p.server.asked[0], answer, sizeof answer);
            if (when == 2) {
                doh_h2_cancel(p.h2, id); /* while the answer is on its way */
                to_client(&p, false);
            } else {
                to_client(&p, false);
                doh_h2_cancel(p.h2, id); /* answered, not yet taken */
            }
        }
        to_server(&p);
        to_client(&p, false);
        expect_nothing(&p);
        assert_int_equal(p.server.asked_count, when == 0 ? 0 : 1);
        assert_int_equal(doh_h2_room(p.h2), DOH_STREAMS_MAX);
        doh_h2_cancel(p.h2, id); /* twice is harmless */
        doh_h2_cancel(p.h2, 12345);
        pair_deinit(&p);
    }
}

static void streams_end_in_their_ways(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t code;
        enum doh_h2_end want;
    } cases[] = {
        {"refused", NGHTTP2_REFUSED_STREAM, DOH_H2_UNTOUCHED},
        {"internal error", NGHTTP2_INTERNAL_ERROR, DOH_H2_RESET},
        {"cancel", NGHTTP2_CANCEL, DOH_H2_RESET},
        {"no error, but no answer", NGHTTP2_NO_ERROR, DOH_H2_RESET},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct pair p;
        pair_init(&p);
        (void)submit(&p, false, false, &users[0]);
        to_server(&p);
        (void)nghttp2_submit_rst_stream(p.server.session, 0, p.server.asked[0], cases[i].code);
        to_client(&p, false);
        expect(&p, &users[0], cases[i].want);
        assert_false(doh_h2_draining(p.h2));
        pair_deinit(&p);
    }
}

/* RST_STREAM without an error behind half an answer: not a whole one. */
static void half_an_answer_is_none(void **state)
{
    (void)state;
    struct pair p;
    nghttp2_nv head[] = {field(":status", "200"), field("content-type", "application/dns-message")};
    pair_init(&p);
    (void)submit(&p, false, false, &users[0]);
    to_server(&p);
    int32_t id = p.server.asked[0];
    nghttp2_session *s = p.server.session;
    assert_int_equal(nghttp2_submit_headers(s, 0, id, NULL, head, 2, NULL), 0);
    to_client(&p, false);
    assert_int_equal(nghttp2_submit_rst_stream(s, 0, id, NGHTTP2_NO_ERROR), 0);
    to_client(&p, false);
    expect(&p, &users[0], DOH_H2_RESET);
    pair_deinit(&p);
}

static void goaway_drains(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    for (unsigned i = 0; i < 4; i++)
        (void)submit(&p, false, false, &users[i]);
    to_server(&p);
    (void)nghttp2_submit_goaway(p.server.session, 0, p.server.asked[1], NGHTTP2_NO_ERROR, NULL, 0);
    to_client(&p, false);
    assert_true(doh_h2_draining(p.h2));
    assert_int_equal(doh_h2_room(p.h2), 0);
    assert_int_equal(submit(&p, false, false, &users[9]), 0);
    struct doh_h2_response r;
    unsigned untouched = 0;
    while (doh_h2_next(p.h2, &r)) {
        assert_int_equal(r.end, DOH_H2_UNTOUCHED);
        assert_true(r.user == &users[2] || r.user == &users[3]);
        untouched++;
    }
    assert_int_equal(untouched, 2);
    assert_false(doh_h2_over(p.h2)); /* two are still to come */
    respond(&p, p.server.asked[0], answer, sizeof answer);
    to_client(&p, false);
    expect(&p, &users[0], DOH_H2_RESPONSE);
    respond(&p, p.server.asked[1], answer, sizeof answer);
    to_client(&p, false);
    expect(&p, &users[1], DOH_H2_RESPONSE);
    to_server(&p);
    assert_true(doh_h2_over(p.h2));
    pair_deinit(&p);
}

static void garbage_ends_the_session(void **state)
{
    (void)state;
    struct pair p;
    struct doh_buffer out = doh_buffer_init(1 << 20);
    static const uint8_t garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n and some more of that";
    pair_init(&p);
    (void)submit(&p, false, false, &users[0]);
    to_server(&p);
    const char *error = doh_h2_feed(p.h2, garbage, sizeof garbage, 0);
    (void)doh_h2_take(p.h2, &out);
    assert_true(error != NULL || doh_h2_over(p.h2));
    doh_buffer_deinit(&out);
    pair_deinit(&p);
}

static void interim_responses_and_trailers(void **state)
{
    (void)state;
    struct pair p;
    struct doh_h2_response r;
    nghttp2_nv hint[] = {field(":status", "103"), field("age", "99")};
    nghttp2_nv head[] = {field(":status", "200"), field("content-type", "application/dns-message")};
    nghttp2_nv trailer[] = {field("age", "77")};
    pair_init(&p);
    (void)submit(&p, false, false, &users[0]);
    to_server(&p);
    int32_t id = p.server.asked[0];
    nghttp2_session *s = p.server.session;
    assert_int_equal(nghttp2_submit_headers(s, 0, id, NULL, hint, 2, NULL), 0);
    assert_int_equal(nghttp2_submit_headers(s, 0, id, NULL, head, 2, NULL), 0);
    assert_int_equal(nghttp2_submit_trailer(s, id, trailer, 1), 0);
    to_client(&p, true);
    assert_true(doh_h2_next(p.h2, &r));
    assert_int_equal(r.end, DOH_H2_RESPONSE);
    assert_int_equal(r.head.status, 200);
    assert_false(r.head.has_age);
    assert_int_equal(r.len, 0);
    pair_deinit(&p);
}

static void pings_and_goodbyes_are_sent(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    doh_h2_ping(p.h2);
    to_server(&p);
    assert_int_equal(p.server.pings, 1);
    doh_h2_goodbye(p.h2);
    to_server(&p);
    assert_int_equal(p.server.goaways, 1);
    assert_true(doh_h2_over(p.h2));
    pair_deinit(&p);
}

static void what_is_sent_is_bounded(void **state)
{
    (void)state;
    struct pair p;
    struct doh_buffer small = doh_buffer_init(40);
    pair_init(&p);
    (void)submit(&p, false, false, &users[0]);
    assert_false(doh_h2_take(p.h2, &small));
    doh_buffer_deinit(&small);
    pair_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_look_as_they_should),
        cmocka_unit_test(responses_come_back),
        cmocka_unit_test(the_largest_answer_fits_and_one_more_octet_does_not),
        cmocka_unit_test(the_limit_is_kept_here),
        cmocka_unit_test(cancelled_requests_are_silent),
        cmocka_unit_test(streams_end_in_their_ways),
        cmocka_unit_test(half_an_answer_is_none),
        cmocka_unit_test(goaway_drains),
        cmocka_unit_test(garbage_ends_the_session),
        cmocka_unit_test(interim_responses_and_trailers),
        cmocka_unit_test(pings_and_goodbyes_are_sent),
        cmocka_unit_test(what_is_sent_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
