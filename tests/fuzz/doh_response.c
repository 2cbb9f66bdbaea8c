// SPDX-License-Identifier: MIT
/* The way of a response with TLS stripped: the server's octets into the HTTP/2 session while some
 * questions are open. Whatever it sends, each question ends at most once, a body is never longer
 * than a DNS message, the room for questions stays within its bound, and a session that has failed
 * takes no more. The first octet says how many questions there are, which of them are GET, and
 * which one is given up half-way; the rest comes in two parts. */
#include "doh/h2.h"

#include "h2_frames.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define QUESTIONS 8u

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct asked {
    int32_t stream; /* 0: not asked */
    unsigned ended;
    bool given_up;
};

static const uint8_t query[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1};

static void judge(const struct doh_h2_response *r)
{
    struct dns_question question = {
        .name = {.len = 3, .labels = 1, .wire = {1, 'a', 0}}, .type = 1, .class_ = 1};
    must(r->len <= DOH_BODY_MAX && (r->len == 0 || r->body));
    must(r->head.retry_after_s <= DOH_RETRY_AFTER_MAX_S);
    if (r->end == DOH_H2_RESPONSE) {
        must(r->head.status >= 200); /* never an interim one */
        (void)doh_head_judge(&r->head);
        if (doh_body_judge(r->body, r->len, 0, &question) == DOH_BODY_ANSWER)
            must(r->len >= sizeof query);
    }
}

static void collect(struct doh_h2 *h2)
{
    struct doh_h2_response r;
    while (doh_h2_next(h2, &r)) {
        struct asked *asked = r.user;
        must(asked->stream > 0 && asked->ended++ == 0 && !asked->given_up);
        judge(&r);
    }
}

/* False: it has failed. */
static bool feed(struct doh_h2 *h2, const uint8_t *data, size_t len)
{
    const char *error = doh_h2_feed(h2, data, len, 784111777);
    collect(h2);
    must(doh_h2_room(h2) <= DOH_STREAMS_MAX);
    must(!doh_h2_draining(h2) || doh_h2_room(h2) == 0);
    if (error)
        return false;
    struct doh_buffer out = doh_buffer_init(1 << 20);
    bool sent = doh_h2_take(h2, &out);
    doh_buffer_deinit(&out);
    collect(h2);
    return sent && !doh_h2_over(h2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct asked asked[QUESTIONS] = {0};
    struct doh_url url;
    if (len == 0)
        return 0;
    uint8_t how = *data++;
    size_t half = --len / 2;
    must(doh_url_parse("https://doh.test/dns-query{?dns}", &url) == NULL);
    struct doh_h2 *h2 = doh_h2_new(DOH_STREAMS_UNTOLD);
    if (!h2)
        return 0;
    for (unsigned i = 0; i <= how % QUESTIONS; i++) {
        struct doh_h2_request request = {.url = &url,
                                         .wire = query,
                                         .len = sizeof query,
                                         .get = (how >> 3) & i & 1,
                                         .user = &asked[i]};
        asked[i].stream = doh_h2_submit(h2, &request);
        must(asked[i].stream > 0);
    }
    if (feed(h2, data, 0) && feed(h2, data, half)) {
        struct asked *unwanted = &asked[how >> 5];
        if (unwanted->stream > 0 && unwanted->ended == 0) {
            unwanted->given_up = true;
            doh_h2_cancel(h2, unwanted->stream);
        }
        (void)feed(h2, data + half, len - half);
    }
    doh_h2_free(h2);
    return 0;
}
