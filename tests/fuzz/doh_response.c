// SPDX-License-Identifier: MIT
/* The response path with TLS stripped: whatever a server sends, every exchange ends just once, and
 * no body is larger than a DNS message. The first octet says how the rest is cut into reads. */
#include "doh/h2.h"

#include <stdlib.h>

#define EXCHANGES 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void take_output(struct doh_h2 *h2)
{
    const uint8_t *octets;
    while (doh_h2_take(h2, &octets) > 0)
        ;
}

static unsigned collect(struct doh_h2 *h2)
{
    unsigned ended = 0;
    for (struct doh_exchange *x = doh_h2_finished(h2); x; x = doh_h2_finished(h2)) {
        if (x->body_len > DOH_BODY_MAX)
            abort();
        (void)doh_response_meaning(&x->response);
        ended++;
    }
    return ended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t query[64] = {0};
    struct doh_exchange exchange[EXCHANGES] = {0};
    struct doh_url url;
    const char *error;
    struct doh_h2 *h2 = doh_h2_new();
    if (!h2 || len == 0 || !doh_url_parse("https://a.example/q{?dns}", &url, &error)) {
        doh_h2_free(h2);
        return 0;
    }
    for (unsigned i = 0; i < EXCHANGES; i++) {
        exchange[i].query = query;
        exchange[i].query_len = sizeof query;
        if (!doh_h2_submit(h2, &url, i == 1, i == 2, &exchange[i]))
            abort();
    }
    take_output(h2);
    unsigned ended = 0;
    size_t step = data[0] + 1u;
    bool alive = true;
    for (size_t at = 1; at < len && alive; at += step) {
        alive = doh_h2_feed(h2, data + at, len - at < step ? len - at : step);
        take_output(h2);
        ended += collect(h2);
    }
    doh_h2_lose(h2, DOH_H2_LOST);
    ended += collect(h2);
    if (ended != EXCHANGES || doh_h2_open(h2) != 0)
        abort();
    doh_h2_free(h2);
    for (unsigned i = 0; i < EXCHANGES; i++)
        doh_exchange_deinit(&exchange[i]);
    return 0;
}
