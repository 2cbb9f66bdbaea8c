// SPDX-License-Identifier: MIT
#include "doh/dial_addresses.h"

#include "doh/address.h"
#include "doh/addresses.h"
#include "doh/refresh.h"
#include "doh/shared.h"

#define TTL_MIN_S 60u
#define TTL_MAX_S 86400u

bool doh_dial_can_look_up(const struct doh_upstream *up)
{
    return doh_bootstrap_possible(up->pool->config, up->config, up->url);
}

static bool add_address(struct doh_upstream *up, const struct doh_address *address)
{
    struct doh_dial *d = &up->dial;
    struct doh_address with_port = *address;
    doh_address_set_port(&with_port, up->url->port);
    for (uint32_t i = 0; i < d->count; i++)
        if (doh_address_equal(&d->address[i], &with_port))
            return false;
    if (d->count == DOH_ADDRESSES_MAX)
        return false;
    d->rest[d->count] = (struct doh_backoff){0};
    d->address[d->count++] = with_port;
    return true;
}

/* Where its host was reached last: good enough to begin with, and for a minute; when they fail or
 * after that time somebody is asked. */
static void remember(struct doh_upstream *up)
{
    struct doh_address known[DOH_ADDRESSES_EACH_MAX];
    uint32_t count = doh_addresses_get(doh_shared_addresses(up->pool->shared), up->url->host, known,
                                       DOH_ADDRESSES_EACH_MAX);
    for (uint32_t i = 0; i < count; i++)
        (void)add_address(up, &known[i]); /* one that is configured is there already */
    up->dial.expires_ms = doh_now(up->pool) + TTL_MIN_S * UINT64_C(1000);
}

void doh_dial_addresses_init(struct doh_upstream *up)
{
    struct doh_dial *d = &up->dial;
    for (uint32_t i = 0; i < up->config->address_count; i++)
        (void)add_address(up, &up->config->addresses[i]); /* twice the same: once will do */
    if (up->url->is_ip)
        (void)add_address(up, &up->url->address);
    d->configured = d->count;
    if (doh_dial_can_look_up(up))
        remember(up);
}

static void set_expiry(struct doh_upstream *up, uint32_t ttl_s)
{
    uint32_t bounded = ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s > TTL_MAX_S ? TTL_MAX_S : ttl_s;
    up->dial.expires_ms = doh_now(up->pool) + (uint64_t)bounded * 1000;
    up->dial.count = up->dial.configured;
}

void doh_dial_addresses_found(struct doh_upstream *up, const struct doh_address *address,
                              uint32_t count, uint32_t ttl_s)
{
    struct doh_dial *d = &up->dial;
    if (d->expires_ms == 0) {
        set_expiry(up, ttl_s);
        d->fresh = d->configured;
    }
    for (uint32_t i = 0; i < count; i++)
        if (add_address(up, &address[i]))          /* one that is known is known */
            d->order[d->count - 1] = d->count - 1; /* last, when a race is on */
    if (d->fresh >= d->count)
        d->fresh = 0;
}

/* What was looked up for this host is worth keeping. */
static void keep(struct doh_upstream *up)
{
    const struct doh_dial *d = &up->dial;
    struct doh_address known[DOH_ADDRESSES_MAX]; /* the one that works first, then the others */
    uint32_t count = 1;
    bool looked_up = false;
    known[0] = d->winner;
    for (uint32_t i = d->configured; i < d->count; i++)
        if (doh_address_equal(&d->address[i], &d->winner))
            looked_up = true;
        else if (count < DOH_ADDRESSES_MAX)
            known[count++] = d->address[i];
    if (!looked_up)
        return;
    if (!doh_addresses_put(doh_shared_addresses(up->pool->shared), up->url->host, known, count))
        doh_pool_event(up->pool, DOH_EVENT_WARNING,
                       "the addresses of %s cannot be kept in the state directory", up->url->host);
}

/* By DoH, once or twice. They are for the next race: this one goes to the old ones. */
static void on_refreshed(void *arg, const struct doh_address *address, uint32_t count,
                         uint32_t ttl_s)
{
    struct doh_upstream *up = arg;
    uint64_t now = doh_now(up->pool);
    if (up->dial.state != DOH_DIAL_IDLE) { /* the list is in use */
        if (up->dial.expires_ms > now)
            up->dial.expires_ms = now; /* asked for again with the next connection */
        return;
    }
    if (now >= up->dial.expires_ms)
        set_expiry(up, ttl_s);
    for (uint32_t i = 0; i < count; i++)
        (void)add_address(up, &address[i]);
    if (up->dial.fresh >= up->dial.count)
        up->dial.fresh = 0;
}

static void refresh(struct doh_upstream *up)
{
    const struct doh_dial *d = &up->dial;
    if (d->count == d->configured || doh_now(up->pool) < d->expires_ms)
        return;
    if (!up->refresh)
        up->refresh = doh_refresh_new(up->pool, up->url->host);
    if (up->refresh)
        doh_refresh_start(up->refresh, on_refreshed, up);
}

void doh_dial_addresses_worked(struct doh_upstream *up)
{
    if (!doh_dial_can_look_up(up))
        return;
    keep(up);
    refresh(up);
}
