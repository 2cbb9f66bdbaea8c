// SPDX-License-Identifier: MIT
/* The root's keys, ahead of need. */
#include "proxy/resolver_parts.h"

#define PRIME_MIN_S 1u
#define PRIME_MAX_S 43200u

static void on_prime(uv_timer_t *timer);

static void on_primed(void *arg, const struct resolver_answer *answer)
{
    struct resolver *r = arg;
    r->priming = NULL;
    if (answer->status == VAL_SECURE) {
        uint64_t now_s = resolver_now(r).wall_s;
        const struct val_zone *root = cache_zone_find(r->cache, &dns_root, now_s);
        uint64_t left_s = root ? root->expires_s - now_s : 0;
        val_zone_unref(root);
        r->prime_wait_s = left_s / 4 * 3 < PRIME_MAX_S ? (uint32_t)(left_s / 4 * 3) : PRIME_MAX_S;
        r->prime_wait_s = r->prime_wait_s > 30 ? r->prime_wait_s : 30;
        (void)uv_timer_start(&r->prime, on_prime, r->prime_wait_s * UINT64_C(1000), 0);
        r->prime_wait_s = PRIME_MIN_S;
        return;
    }
    (void)uv_timer_start(&r->prime, on_prime, r->prime_wait_s * UINT64_C(1000), 0);
    r->prime_wait_s = r->prime_wait_s < 32 ? r->prime_wait_s * 2 : 60;
}

static void on_prime(uv_timer_t *timer)
{
    struct resolver *r = timer->data;
    struct dns_question question = {
        .name = dns_root, .type = DNS_TYPE_DNSKEY, .class_ = DNS_CLASS_IN};
    struct resolver_question q = {.question = &question, .past_cache = true};
    r->priming = resolver_ask(r, &q, on_primed, r);
    if (!r->priming)
        (void)uv_timer_start(&r->prime, on_prime, 1000, 0);
}

void resolver_try(struct resolver *resolver)
{
    if (!resolver->priming && !resolver->closing)
        (void)uv_timer_start(&resolver->prime, on_prime, 0, 0);
}

void resolver_prime(struct resolver *resolver)
{
    resolver->prime_wait_s = PRIME_MIN_S;
    (void)uv_timer_start(&resolver->prime, on_prime, 0, 0);
}
