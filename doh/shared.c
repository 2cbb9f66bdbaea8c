// SPDX-License-Identifier: MIT
#include "doh/shared.h"

#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>

static const unsigned char alpn[] = {2, 'h', '2'};

/* NULL with a static sentence in *error. */
static SSL_CTX *context_new(const struct doh_upstream_config *config, const char **error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    *error = "TLS cannot be set up";
    if (!ctx)
        return NULL;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn) == 0;
    if (ok) {
        *error = config->ca_file ? "its CA file cannot be read" : "the system's CAs cannot be read";
        ok = config->ca_file ? SSL_CTX_load_verify_locations(ctx, config->ca_file, NULL) == 1
                             : SSL_CTX_set_default_verify_paths(ctx) == 1;
    }
    ERR_clear_error();
    if (ok)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static bool open_upstream(const struct doh_upstream_config *config, struct doh_shared_upstream *up,
                          const char **error)
{
    if (!doh_url_parse(config->url, &up->url, error))
        return false;
    *error = "get needs a URL with {?dns} at its end";
    if (config->get && !up->url.has_variable)
        return false;
    up->ctx = context_new(config, error);
    return up->ctx != NULL;
}

struct doh_shared *doh_shared_new(const struct doh_config *config, char *error, size_t error_cap)
{
    struct doh_shared *shared = calloc(1, sizeof *shared);
    if (!shared) {
        (void)snprintf(error, error_cap, "out of memory");
        return NULL;
    }
    shared->config = config;
    for (uint32_t i = 0; i < config->upstream_count; i++) {
        const char *why;
        if (open_upstream(&config->upstreams[i], &shared->upstream[i], &why))
            continue;
        (void)snprintf(error, error_cap, "upstream %s: %s %s", config->upstreams[i].name,
                       config->upstreams[i].url, why);
        doh_shared_free(shared);
        return NULL;
    }
    return shared;
}

void doh_shared_free(struct doh_shared *shared)
{
    if (!shared)
        return;
    for (uint32_t i = 0; i < DOH_UPSTREAMS_MAX; i++)
        SSL_CTX_free(shared->upstream[i].ctx);
    free(shared);
}
