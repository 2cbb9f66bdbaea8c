// SPDX-License-Identifier: MIT
#include "doh/shared.h"

#include "doh/addresses.h"

#include <ares.h>
#include <openssl/err.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSIONS_MAX 4u

struct shared_upstream {
    struct doh_url url;
    SSL_CTX *context;
    struct doh_pin *pins;
    uint32_t pin_count;
    /* Guards what follows: any worker's handshake puts sessions in (OpenSSL calls on_session() on
     * that worker's thread), any worker's next connection takes one out, and what one has learnt of
     * early data holds for all. Held for a few moves only. */
    pthread_mutex_t lock;
    uint64_t early_from_ms; /* on uv_now(), which is the same clock in every loop */
    SSL_SESSION *session[SESSIONS_MAX];
    uint32_t session_count;
};

struct doh_shared {
    const struct doh_config *config;
    X509_STORE *system; /* made when the first upstream wants it */
    struct doh_addresses *addresses;
    uint64_t floor_s; /* it is no earlier than that; immutable once there are pools */
    uint32_t count;   /* upstreams that are ready */
    struct shared_upstream upstream[];
};

const struct doh_config *doh_shared_config(const struct doh_shared *shared)
{
    return shared->config;
}

struct doh_addresses *doh_shared_addresses(const struct doh_shared *shared)
{
    return shared->addresses;
}

const struct doh_url *doh_shared_url(const struct doh_shared *shared, uint32_t upstream)
{
    return &shared->upstream[upstream].url;
}

const char *doh_shared_operator(const struct doh_shared *shared, uint32_t upstream)
{
    const char *configured = shared->config->upstreams[upstream].operator_;
    return configured ? configured : shared->upstream[upstream].url.host;
}

void doh_shared_not_before(struct doh_shared *shared, uint64_t floor_s)
{
    shared->floor_s = floor_s;
}

uint64_t doh_shared_floor_s(const struct doh_shared *shared)
{
    return shared->floor_s;
}

struct doh_tls_peer doh_shared_peer(const struct doh_shared *shared, uint32_t upstream)
{
    const struct shared_upstream *u = &shared->upstream[upstream];
    return (struct doh_tls_peer){u->url.host, u->url.is_ip, u->pins, u->pin_count};
}

SSL_CTX *doh_shared_context(const struct doh_shared *shared, uint32_t upstream)
{
    return shared->upstream[upstream].context;
}

SSL_SESSION *doh_shared_session(struct doh_shared *shared, uint32_t upstream)
{
    struct shared_upstream *u = &shared->upstream[upstream];
    SSL_SESSION *session = NULL;
    (void)pthread_mutex_lock(&u->lock);
    if (u->session_count > 0) {
        session = u->session[u->session_count - 1]; /* the newest */
        if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
            u->session_count--;
        else
            (void)SSL_SESSION_up_ref(session);
    }
    (void)pthread_mutex_unlock(&u->lock);
    return session;
}

/* OpenSSL hands a reference over: 1 says that it is kept. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct shared_upstream *u = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION *oldest = NULL;
    if (!doh_tls_may_resume(ssl))
        return 0;
    (void)pthread_mutex_lock(&u->lock);
    if (u->session_count == SESSIONS_MAX) {
        oldest = u->session[0];
        for (uint32_t i = 1; i < SESSIONS_MAX; i++)
            u->session[i - 1] = u->session[i];
        u->session_count--;
    }
    u->session[u->session_count++] = session;
    (void)pthread_mutex_unlock(&u->lock);
    SSL_SESSION_free(oldest);
    return 1;
}

void doh_shared_hold_early(struct doh_shared *shared, uint32_t upstream, uint64_t until_ms)
{
    struct shared_upstream *u = &shared->upstream[upstream];
    (void)pthread_mutex_lock(&u->lock);
    u->early_from_ms = until_ms;
    (void)pthread_mutex_unlock(&u->lock);
}

bool doh_shared_holds_early(struct doh_shared *shared, uint32_t upstream, uint64_t now_ms)
{
    struct shared_upstream *u = &shared->upstream[upstream];
    (void)pthread_mutex_lock(&u->lock);
    bool held = now_ms < u->early_from_ms;
    (void)pthread_mutex_unlock(&u->lock);
    return held;
}

static X509_STORE *system_store(struct doh_shared *shared)
{
    if (!shared->system)
        shared->system = X509_STORE_new();
    else
        return shared->system;
    if (shared->system && X509_STORE_set_default_paths(shared->system) != 1) {
        X509_STORE_free(shared->system);
        shared->system = NULL;
    }
    return shared->system;
}

static const char *last_reason(void)
{
    unsigned long first = ERR_peek_error();
    if (ERR_SYSTEM_ERROR(first))
        return strerror(ERR_GET_REASON(first));
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "out of memory";
}

/* The fault is the upstream's that would be the next one; `key` as struct doh_fault has it. */
__attribute__((format(printf, 4, 5))) static void refuse(const struct doh_shared *shared,
                                                         struct doh_fault *fault, const char *key,
                                                         const char *format, ...)
{
    fault->upstream = shared->count;
    fault->key = key;
    int n = snprintf(fault->text, sizeof fault->text,
                     "upstream %.100s: ", shared->config->upstreams[shared->count].name);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text + n, sizeof fault->text - (size_t)n, format, args);
    va_end(args);
}

static void run_out_of_memory(struct doh_fault *fault)
{
    *fault = (struct doh_fault){.text = "out of memory"};
}

static bool identify(const struct doh_shared *shared, SSL_CTX *context, struct doh_fault *fault)
{
    const struct doh_upstream_config *config = &shared->config->upstreams[shared->count];
    const char *certificate = config->client_cert, *key = config->client_key;
    if (!certificate != !key)
        refuse(shared, fault, certificate ? "client-cert" : "client-key",
               "client-cert and client-key belong together");
    else if (certificate && !doh_tls_certificate(context, certificate))
        refuse(shared, fault, "client-cert",
               "no certificate can be read from the file that client-cert names");
    else if (certificate && !doh_tls_key(context, key))
        refuse(shared, fault, "client-key", "client-key names no file with the key of client-cert");
    else
        return true;
    return false;
}

static bool read_pins(const struct doh_shared *shared, struct shared_upstream *u,
                      struct doh_fault *fault)
{
    const struct doh_upstream_config *config = &shared->config->upstreams[shared->count];
    u->pins = calloc(config->pin_count + 1u, sizeof u->pins[0]);
    if (!u->pins)
        run_out_of_memory(fault);
    for (uint32_t i = 0; u->pins && i < config->pin_count; i++) {
        if (!doh_pin_parse(config->pins[i], &u->pins[u->pin_count++])) {
            refuse(shared, fault, "pin",
                   "the pin %.80s is not \"sha256//\" and 44 characters of base64",
                   config->pins[i]);
            free(u->pins);
            u->pins = NULL;
        }
    }
    return u->pins != NULL;
}

static SSL_CTX *make_context(struct doh_shared *shared, struct doh_fault *fault)
{
    const char *ca_file = shared->config->upstreams[shared->count].ca_file;
    SSL_CTX *context = NULL;
    X509_STORE *own = NULL;
    ERR_clear_error();
    if (ca_file) {
        own = X509_STORE_new();
        if (!own || X509_STORE_load_file(own, ca_file) != 1) {
            refuse(shared, fault, "ca", "cannot use the CA file %s: %s", ca_file, last_reason());
            goto out;
        }
    }
    X509_STORE *store = own ? own : system_store(shared);
    context = store ? doh_tls_context(store, shared->config->tls_min == DOH_TLS_1_3) : NULL;
    if (!context)
        refuse(shared, fault, NULL, "cannot set up TLS: %s", last_reason());
    if (context && !identify(shared, context, fault)) {
        SSL_CTX_free(context);
        context = NULL;
    }
out:
    X509_STORE_free(own);
    return context;
}

static bool add_upstream(struct doh_shared *shared, struct doh_fault *fault)
{
    struct shared_upstream *u = &shared->upstream[shared->count];
    const char *url = shared->config->upstreams[shared->count].url;
    const char *wrong = doh_url_parse(url, &u->url);
    if (wrong) {
        refuse(shared, fault, "url", "the URL %s cannot be used: %s", url, wrong);
        return false;
    }
    if (!read_pins(shared, u, fault))
        return false;
    u->context = make_context(shared, fault);
    if (u->context && pthread_mutex_init(&u->lock, NULL) != 0) {
        refuse(shared, fault, NULL, "cannot make a lock");
        SSL_CTX_free(u->context);
        u->context = NULL;
    }
    if (!u->context) {
        free(u->pins);
        return false;
    }
    SSL_CTX_set_app_data(u->context, u);
    SSL_CTX_sess_set_new_cb(u->context, on_session);
    shared->count++;
    return true;
}

struct doh_shared *doh_shared_new(const struct doh_config *config, struct doh_fault *ret_fault)
{
    struct doh_shared *shared = NULL;
    if (config->upstream_count > DOH_UPSTREAMS_MAX) {
        *ret_fault = (struct doh_fault){0};
        (void)snprintf(ret_fault->text, sizeof ret_fault->text, "more than %u upstreams",
                       DOH_UPSTREAMS_MAX);
        return NULL;
    }
    shared = calloc(1, sizeof *shared + config->upstream_count * sizeof shared->upstream[0]);
    if (!shared || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        run_out_of_memory(ret_fault);
        free(shared);
        return NULL;
    }
    shared->config = config;
    shared->addresses = doh_addresses_new(config->state_directory);
    if (!shared->addresses) {
        run_out_of_memory(ret_fault);
        doh_shared_free(shared);
        return NULL;
    }
    while (shared->count < config->upstream_count)
        if (!add_upstream(shared, ret_fault)) {
            doh_shared_free(shared);
            return NULL;
        }
    return shared;
}

void doh_shared_free(struct doh_shared *shared)
{
    if (!shared)
        return;
    for (uint32_t i = 0; i < shared->count; i++) {
        struct shared_upstream *u = &shared->upstream[i];
        for (uint32_t s = 0; s < u->session_count; s++)
            SSL_SESSION_free(u->session[s]);
        SSL_CTX_free(u->context);
        free(u->pins);
        (void)pthread_mutex_destroy(&u->lock);
    }
    X509_STORE_free(shared->system);
    doh_addresses_free(shared->addresses);
    ares_library_cleanup();
    free(shared);
}
