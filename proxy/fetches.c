// SPDX-License-Identifier: MIT
#include "proxy/fetches.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u
#define EDNS_SIZE 4096u

struct fetches_wait {
    struct shared_fetch *fetch;
    struct fetches_wait *next, *prev;
    fetches_done_fn *done;
    void *arg;
};

/* One question upstream and who waits for it. */
struct shared_fetch {
    struct fetches *owner;
    struct shared_fetch *chain;
    struct dns_question question;
    uint32_t hash; /* of that */
    uint32_t route, avoid, only;
    bool checking_disabled, fresh;
    bool delivering; /* waiters may cancel each other meanwhile */
    struct fetches_wait *first;
    struct doh_fetch *fetch;
};

struct fetches {
    struct doh_pool *pool;
    const struct doh_config *config;
    const struct question_hash_key *hash_key;
    struct shared_fetch *bucket[BUCKETS];
    struct dns_rr table[DNS_RR_MAX]; /* of the answer being delivered */
};

struct fetches *fetches_new(struct doh_pool *pool, const struct doh_config *config,
                            const struct question_hash_key *hash_key)
{
    struct fetches *fetches = calloc(1, sizeof *fetches);
    if (fetches) {
        fetches->pool = pool;
        fetches->config = config;
        fetches->hash_key = hash_key;
    }
    return fetches;
}

static bool same(const struct shared_fetch *f, const struct fetches_want *want, uint32_t hash)
{
    return f->hash == hash && f->question.type == want->question->type && f->route == want->route &&
           f->question.class_ == want->question->class_ && f->avoid == want->avoid &&
           f->only == want->only && f->checking_disabled == want->checking_disabled &&
           f->fresh == want->fresh && !f->delivering &&
           dns_name_equal(&f->question.name, &want->question->name);
}

static void unlink_fetch(struct shared_fetch *f)
{
    struct shared_fetch **p = &f->owner->bucket[f->hash % BUCKETS];
    while (*p && *p != f)
        p = &(*p)->chain;
    if (*p)
        *p = f->chain;
}

/* Keys of a zone that many ask below have as many who wait, and these leave one by one. */
static void link_wait(struct fetches_wait *wait)
{
    struct shared_fetch *f = wait->fetch;
    wait->next = f->first;
    if (wait->next)
        wait->next->prev = wait;
    f->first = wait;
}

static void unlink_wait(struct fetches_wait *wait)
{
    if (wait->prev)
        wait->prev->next = wait->next;
    else
        wait->fetch->first = wait->next;
    if (wait->next)
        wait->next->prev = wait->prev;
}

static void on_answer(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    struct shared_fetch *f = arg;
    struct fetches *owner = f->owner;
    struct dns_msg msg;
    f->fetch = NULL;
    f->delivering = true;
    unlink_fetch(f);
    if (err == DOH_OK &&
        dns_msg_read(answer->wire, answer->len, owner->table, DNS_RR_MAX, &msg) != DNS_OK)
        err = DOH_E_GARBAGE;
    while (f->first) { /* each may cancel others, or ask anew */
        struct fetches_wait *wait = f->first;
        unlink_wait(wait);
        fetches_done_fn *done = wait->done;
        void *done_arg = wait->arg;
        free(wait);
        done(done_arg, err, err == DOH_OK ? answer : NULL, err == DOH_OK ? &msg : NULL);
    }
    free(f);
}

static struct shared_fetch *start(struct fetches *fetches, const struct fetches_want *want,
                                  uint32_t hash)
{
    uint8_t wire[1024];
    struct dns_opt_out opt = {.udp_size = EDNS_SIZE,
                              .dnssec_ok = true,
                              .pad_to = doh_route_is_plain(fetches->config, want->route)
                                            ? 0
                                            : (uint16_t)fetches->config->pad_to};
    const struct dns_option subnet = {.code = DNS_OPTION_ECS,
                                      .len = (uint16_t)fetches->config->subnet_len,
                                      .data = fetches->config->subnet};
    if (subnet.len > 0 && !doh_route_is_plain(fetches->config, want->route))
        opt.extra = &subnet;
    uint16_t flags = want->checking_disabled ? DNS_FLAG_CD : 0;
    struct dns_question question = *want->question;
    dns_name_lower(&question.name); /* how a client spells names is its own affair */
    struct shared_fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->owner = fetches;
    f->question = *want->question;
    f->route = want->route;
    f->avoid = want->avoid;
    f->only = want->only;
    f->checking_disabled = want->checking_disabled;
    f->fresh = want->fresh;
    struct doh_request request = {
        .question = &question,
        .wire = wire,
        .len = dns_query_write(wire, sizeof wire, 0, &question, flags, &opt),
        .route = want->route,
        .avoid = want->avoid,
        .only = want->only,
        .deadline_ms = want->deadline_ms,
        .speculative = want->speculative,
        .fresh = want->fresh,
    };
    f->fetch = request.len > 0 ? doh_fetch_start(fetches->pool, &request, on_answer, f) : NULL;
    if (!f->fetch) {
        free(f);
        return NULL;
    }
    struct shared_fetch **bucket = &fetches->bucket[hash % BUCKETS];
    f->hash = hash;
    f->chain = *bucket;
    *bucket = f;
    return f;
}

struct fetches_wait *fetches_ask(struct fetches *fetches, const struct fetches_want *want,
                                 bool *ret_new, fetches_done_fn *done, void *arg)
{
    uint32_t hash = question_hash(fetches->hash_key, want->question);
    struct shared_fetch *f = fetches->bucket[hash % BUCKETS];
    while (f && !same(f, want, hash))
        f = f->chain;
    struct fetches_wait *wait = calloc(1, sizeof *wait);
    if (!wait)
        return NULL;
    *ret_new = !f;
    if (!f)
        f = start(fetches, want, hash);
    if (!f) {
        free(wait);
        return NULL;
    }
    *wait = (struct fetches_wait){.fetch = f, .done = done, .arg = arg};
    link_wait(wait);
    return wait;
}

void fetches_cancel(struct fetches_wait *wait)
{
    struct shared_fetch *f = wait->fetch;
    unlink_wait(wait);
    free(wait);
    if (f->first || f->delivering)
        return;
    doh_fetch_cancel(f->fetch); /* nobody wants it any more */
    unlink_fetch(f);
    free(f);
}

void fetches_free(struct fetches *fetches)
{
    if (!fetches)
        return;
    for (uint32_t i = 0; i < BUCKETS; i++)
        while (fetches->bucket[i]) {
            struct shared_fetch *f = fetches->bucket[i];
            fetches->bucket[i] = f->chain;
            doh_fetch_cancel(f->fetch);
            while (f->first) {
                struct fetches_wait *wait = f->first;
                f->first = wait->next;
                free(wait);
            }
            free(f);
        }
    free(fetches);
}
