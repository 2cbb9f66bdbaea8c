/* SPDX-License-Identifier: MIT */
/* The configuration: read from YAML through one table (proxy/config_schema.c), checked whole, then
 * immutable and shared. */
#ifndef PROXY_CONFIG_H
#define PROXY_CONFIG_H

#include "cache/cache.h"
#include "doh/config.h"
#include "validate/job.h"

#include <stdio.h>

struct doh_fault; /* doh/pool.h */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JOURNAL, LOG_FORMAT_JSON };

struct config_network {  /* an address prefix allowed to ask */
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t bits;        /* 0 to 128 */
};

struct config {
    struct doh_address *listen;
    uint32_t listen_count;
    struct config_network *allow; /* besides this machine itself */
    uint32_t allow_count;
    struct doh_config doh;
    struct cache_limits cache;
    bool prefetch;               /* ask anew for what is nearly over and in use */
    struct val_anchors *anchors; /* as configured, with their dates: positive, negative, and routes
                                  * as negative ones */
    bool rollover, signal_key_tags, sentinel;
    struct dns_name *time_names; /* answered while the clock is not trusted */
    uint32_t time_name_count;
    struct val_policy policy;
    struct val_limits limits;
    uint32_t query_ms;      /* deadline of one client question, below the stub's 5 s */
    uint32_t queries_max;   /* in flight, each worker */
    uint32_t udp_size;      /* most octets of a UDP answer to another machine */
    uint32_t tcp_clients;   /* connections, each worker and listening address */
    uint32_t tcp_in_flight; /* questions, each connection */
    uint32_t tcp_idle_ms;
    uint32_t workers;      /* resolved: at least 1 */
    uint32_t snapshot_s;   /* how often the cache is written to disk; 0: never */
    char *state_directory; /* absolute; NULL: nothing is kept on disk */
    enum log_level log_level;
    enum log_format log_format;
    bool log_queries; /* names that people asked for may appear in the log */
};

/* Reads the file (at most 1 MiB). Every error is written to `errors` as
 *   path:line:column: error: words
 * all at once, with what was expected and the nearest key. NULL when there was one. */
struct config *config_read(const char *path, FILE *errors);
void config_free(struct config *config);

/* Says in the same form what doh_shared_new() found wrong with what was read from there. The file
 * is read again for the place. */
void config_say_fault(const char *path, const struct doh_fault *fault, FILE *errors);

/* NULL, or why nothing can be kept in the state directory: it is not there. */
const char *config_state_fault(const struct config *config);

/* The reference of every key, from the same table: for the manual and `config-reference`. */
void config_reference(FILE *out);

#endif
