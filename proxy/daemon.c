// SPDX-License-Identifier: MIT
#include "proxy/daemon.h"

#include "doh/pool.h"
#include "proxy/cli.h"
#include "proxy/clock.h"
#include "proxy/descriptors.h"
#include "proxy/listener_socket.h"
#include "proxy/snapshot_file.h"
#include "proxy/tally.h"
#include "proxy/trust.h"
#include "proxy/worker.h"

#include <openssl/rand.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct daemon {
    struct config *config;
    struct log log;
    struct worker_shared shared;
    struct snapshot_file *restored; /* what the last process left, or NULL */
    struct worker **worker;
    uint32_t worker_count;
};

/* Signals are waited for, not handled: no code of ours runs inside one. As PID 1 they would be
 * ignored without this. */
static void block_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGUSR1);
    (void)sigaddset(set, SIGUSR2);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL); /* threads inherit it */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* sd_notify(3) by hand: a datagram to the socket that systemd names. */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || !path[0] || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract namespace */
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
    (void)close(fd); /* nothing depends on it */
}

/* Said once here, instead of by everything that would read or write there. */
static void do_without_state(struct daemon *d)
{
    struct config *c = d->config;
    const char *why = config_state_fault(c);
    if (!why)
        return;
    log_write(&d->log, LOG_LEVEL_WARNING,
              "state directory %s: %s; nothing is kept until a restart finds it",
              c->state_directory, why);
    free(c->state_directory);
    c->state_directory = NULL;
    c->doh.state_directory = NULL; /* the same */
}

/* 0, or an exit status after a line in the log. */
static int open_shared(struct daemon *d, const char *config_path)
{
    do_without_state(d);
    struct doh_fault fault;
    uint8_t seed[16];
    d->shared = (struct worker_shared){.config = d->config, .log = &d->log};
    d->shared.trust = trust_open(d->config, &d->log);
    if (!d->shared.trust) {
        log_write(&d->log, LOG_LEVEL_ERROR, "out of memory");
        return CLI_EX_UNAVAILABLE;
    }
    d->shared.doh = doh_shared_new(&d->config->doh, &fault);
    if (!d->shared.doh) {
        config_say_fault(config_path, &fault, stderr);
        return CLI_EX_CONFIG;
    }
    doh_shared_not_before(d->shared.doh, clock_floor_s(trust_clock(d->shared.trust)));
    d->shared.cache =
        RAND_bytes(seed, sizeof seed) == 1 ? cache_new(&d->config->cache, seed) : NULL;
    d->shared.tally = tally_new(d->config->workers);
    d->worker = calloc(d->config->workers, sizeof *d->worker);
    if (d->shared.cache && d->shared.tally && d->worker)
        return 0;
    log_write(&d->log, LOG_LEVEL_ERROR, "out of memory or random numbers");
    return CLI_EX_UNAVAILABLE;
}

/* --- the snapshot: written by this thread, which has no loop to keep waiting -------------------
 */

static bool has_snapshots(const struct config *config)
{
    return config->state_directory && config->snapshot_s > 0;
}

static struct cache_now now(const struct daemon *d)
{
    struct resolver_clock clock = clock_guarded(trust_clock(d->shared.trust));
    return clock.now(clock.arg);
}

static void restore(struct daemon *d)
{
    char error[SNAPSHOT_ERROR_MAX];
    if (!has_snapshots(d->config))
        return;
    d->restored = snapshot_file_open(d->config->state_directory, error);
    if (d->restored) {
        d->shared.snapshot = snapshot_file_get(d->restored);
        bool is_future = d->shared.snapshot->written_s > now(d).wall_s;
        log_write(&d->log, is_future ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                  "snapshot: %u messages, to be proven again when needed%s",
                  d->shared.snapshot->record_count,
                  is_future ? "; they were written later than now: not used before then" : "");
    } else if (error[0]) {
        log_write(&d->log, LOG_LEVEL_WARNING, "snapshot not used: %s", error);
    }
}

static void save(struct daemon *d)
{
    char error[SNAPSHOT_ERROR_MAX];
    if (!has_snapshots(d->config))
        return;
    int64_t records = snapshot_file_write(d->config->state_directory, d->shared.cache,
                                          d->config->cache.bytes, now(d), error);
    if (records < 0)
        log_write(&d->log, LOG_LEVEL_WARNING, "snapshot not written: %s", error);
    else
        log_write(&d->log, LOG_LEVEL_DEBUG, "snapshot: %lld messages written", (long long)records);
}

/* --- listening addresses and workers ---------------------------------------------------------- */

/* Each worker would get another port. */
static bool has_one_port(const struct config *config)
{
    for (uint32_t i = 0; i < config->listen_count; i++)
        if (config->listen[i].sa.v4.sin_port == 0 && config->workers > 1) /* v6: the same place */
            return false;
    return true;
}

/* Nobody else may have them. An IPv6 loopback or wildcard is done without where there is no IPv6,
 * as in many containers: the configuration may name it all the same. */
static int look_at_listeners(struct daemon *d)
{
    struct config *c = d->config;
    char error[256];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->listen_count; i++) {
        int number = listener_sockets_probe(&c->listen[i], error, sizeof error);
        bool optional = listener_address_lacks_ipv6(&c->listen[i], number);
        if (number == 0) {
            c->listen[kept++] = c->listen[i];
            continue;
        }
        if (!optional) {
            log_write(&d->log, LOG_LEVEL_ERROR, "%s", error);
            return CLI_EX_UNAVAILABLE;
        }
        log_write(&d->log, LOG_LEVEL_WARNING, "%s; going on without it", error);
    }
    c->listen_count = c->doh.self_count = kept; /* the same array */
    if (kept > 0)
        return 0;
    log_write(&d->log, LOG_LEVEL_ERROR, "no address is left to listen on");
    return CLI_EX_UNAVAILABLE;
}

static void leave_descriptors_for_upstreams(struct daemon *d)
{
    struct config *c = d->config;
    uint64_t limit = descriptors_raise();
    uint32_t fit = descriptors_tcp_clients(c, limit);
    if (fit >= c->tcp_clients)
        return;
    const char *effect = descriptors_needed(c, fit) <= limit
                             ? "so that upstreams can be reached"
                             : "and it may still be too few to reach upstreams";
    log_write(&d->log, LOG_LEVEL_WARNING,
              "no more than %" PRIu64 " files may be open (RLIMIT_NOFILE): clients have %u TCP "
              "connections, each worker and listening address, instead of %u, %s; with %" PRIu64
              " files all fit (LimitNOFILE= in a unit)",
              limit, fit, c->tcp_clients, effect, descriptors_needed(c, c->tcp_clients));
    c->tcp_clients = fit;
}

static int open_workers(struct daemon *d)
{
    char error[256];
    if (!has_one_port(d->config)) {
        log_write(&d->log, LOG_LEVEL_ERROR, "port 0 needs process.workers: 1");
        return CLI_EX_CONFIG;
    }
    for (uint32_t i = 0; i < d->config->workers; i++) {
        struct worker *w = worker_open(&d->shared, i + 1, error, sizeof error);
        if (!w) {
            log_write(&d->log, LOG_LEVEL_ERROR, "%s", error);
            return CLI_EX_UNAVAILABLE;
        }
        d->worker[d->worker_count++] = w;
    }
    return 0;
}

static void say_what_next(struct daemon *d, const char *config_path)
{
    const struct doh_config *doh = &d->config->doh;
    const struct doh_address *at = &d->config->listen[0];
    bool v4 = at->sa.any.sa_family == AF_INET;
    const void *octets = v4 ? (const void *)&at->sa.v4.sin_addr : &at->sa.v6.sin6_addr;
    char ip[INET6_ADDRSTRLEN] = "?";
    (void)inet_ntop(at->sa.any.sa_family, octets, ip, sizeof ip);
    for (uint32_t i = 0; i < doh->upstream_count; i++)
        log_write(&d->log, LOG_LEVEL_INFO, "upstream %s: %s", doh->upstreams[i].name,
                  doh->upstreams[i].url);
    log_write(&d->log, LOG_LEVEL_INFO,
              "ready with %u worker%s; try: dig @%s -p %u example.com (flag ad: proven), or: "
              "veridoh explain --config %s example.com",
              d->worker_count, d->worker_count == 1 ? "" : "s", ip, ntohs(at->sa.v4.sin_port),
              config_path);
}

/* The next signal; until then the snapshot is written as often as wanted. */
static int next_signal(struct daemon *d, const sigset_t *set)
{
    const struct timespec interval = {.tv_sec = (time_t)d->config->snapshot_s};
    for (;;) {
        int number =
            has_snapshots(d->config) ? sigtimedwait(set, NULL, &interval) : sigwaitinfo(set, NULL);
        if (number > 0)
            return number;
        if (errno == EAGAIN)
            save(d);
    }
}

static void wait_for_end(struct daemon *d, const sigset_t *set)
{
    int number;
    while ((number = next_signal(d, set)) != SIGTERM && number != SIGINT)
        if (number == SIGHUP)
            log_write(&d->log, LOG_LEVEL_WARNING,
                      "SIGHUP: the configuration is not read again while running; restart to apply "
                      "it");
        else /* dnsmasq writes its counters then */
            log_write(&d->log, LOG_LEVEL_INFO,
                      "SIGUSR%d does nothing; `veridoh health` shows the counters",
                      number == SIGUSR1 ? 1 : 2);
    notify("STOPPING=1");
    log_write(&d->log, LOG_LEVEL_INFO, "%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
}

static int run(struct daemon *d, const char *config_path)
{
    sigset_t set;
    block_signals(&set);
    int status = open_shared(d, config_path);
    if (status == 0) {
        restore(d);
        status = look_at_listeners(d);
    }
    if (status == 0) {
        leave_descriptors_for_upstreams(d);
        status = open_workers(d);
    }
    for (uint32_t i = 0; status == 0 && i < d->worker_count; i++)
        if (!worker_start(d->worker[i]))
            status = CLI_EX_UNAVAILABLE;
    if (status == 0) {
        say_what_next(d, config_path);
        notify("READY=1");
        wait_for_end(d, &set);
    }
    for (uint32_t i = 0; i < d->worker_count; i++)
        worker_stop(d->worker[i]);
    for (uint32_t i = 0; i < d->worker_count; i++)
        worker_join(d->worker[i]);
    if (status == 0) {
        save(d);
        trust_save_at_end(d->shared.trust);
    }
    return status;
}

/* Few workers share one heap: no memory lies idle in another, and only glibc's first heap may have
 * large pages (conf/veridoh.service), with which a hit among many names is found sooner. More would
 * wait for its lock at their misses, so they have glibc's usual heaps. Where few names fit, large
 * pages gain little, and each that the heap grows by can hold up hits for milliseconds. */
#define ONE_HEAP_WORKERS 4u
#define LARGE_PAGES_FROM ((size_t)256 * 1024 * 1024)
static void choose_heaps(const struct config *config)
{
    if (config->cache.bytes < LARGE_PAGES_FROM)
        (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (config->workers <= ONE_HEAP_WORKERS)
        (void)mallopt(M_ARENA_MAX, 1); /* only slower when it fails */
}

int daemon_run(struct config *config, const char *config_path)
{
    struct daemon d = {.config = config};
    int status = CLI_EX_UNAVAILABLE;
    choose_heaps(config);
    if (log_init(&d.log, STDERR_FILENO, config->log_level, config->log_format)) {
        status = run(&d, config_path);
        log_deinit(&d.log);
    }
    free(d.worker);
    tally_free(d.shared.tally);
    cache_free(d.shared.cache);
    snapshot_file_close(d.restored);
    doh_shared_free(d.shared.doh);
    trust_free(d.shared.trust);
    config_free(config);
    return status;
}
